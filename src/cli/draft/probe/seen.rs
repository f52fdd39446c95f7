//! What was seen so far, and how it is read: rows, ids, the object in a reply.

use serde_json::{Value, json};

use super::{
    super::{
        fields, id,
        names::{self, normal},
        paging::{joined, json_path, named, parted},
    },
    Answer, list, number,
};

/// What the answers showed so far.
pub(super) struct Seen {
    /// In words.
    pub sentences: Vec<String>,
    /// The whole reply to the plain question.
    pub reply: Value,
    /// Where its rows are: members from the outside in; none: it is the list.
    pub rows_at: Vec<String>,
    pub rows: Vec<Value>,
    /// The member that holds the fields in the single object; the rows have them beside their id.
    pub rows_within: Option<String>,
    /// Query parameters that were proven, as OpenAPI has them.
    pub parameters: Vec<Value>,
    pub has_link: bool,
    pub total_header: Option<String>,
    /// The member of the reply with the number of all, dotted, and the number.
    pub total: Option<(String, u64)>,
    /// How many came in one reply, where there are more and nothing tried reads on.
    pub most: Option<usize>,
    /// Whether nothing could be asked about pages.
    pub is_unasked: bool,
    /// The member of a row that is the id, and that of the first row.
    pub id: Option<(String, String)>,
    pub one: Option<Value>,
    /// Where the object stands in the reply to a read of one; none: it is the whole.
    pub one_at: Vec<String>,
    /// Whether one object shows more with the query that the list was asked with.
    pub one_takes_query: bool,
    pub refusal: Option<Value>,
    /// The methods of the list and of one object, as OPTIONS names them.
    pub on_list: Vec<String>,
    pub on_one: Vec<String>,
}

/// The header with the number of all, as its name says; absent if there is none.
fn total_header(answer: &Answer) -> Option<String> {
    let mut headers = answer.headers.iter();
    let (name, _) = headers
        .find(|(name, value)| normal(name).contains("total") && value.parse::<u64>().is_ok())?;
    Some(name.to_ascii_lowercase())
}

impl Seen {
    /// What the plain list shows; absent if it is none.
    pub fn of(answer: &Answer) -> Option<Self> {
        let (rows_at, rows) = list::rows(&answer.body)?;
        let mut seen = Self {
            sentences: Vec::new(),
            reply: answer.body.clone(),
            rows: rows.clone(),
            rows_at,
            rows_within: None,
            parameters: Vec::new(),
            has_link: answer.links_next,
            total_header: total_header(answer),
            total: None,
            most: None,
            is_unasked: false,
            id: None,
            one: None,
            one_at: Vec::new(),
            one_takes_query: false,
            refusal: None,
            on_list: Vec::new(),
            on_one: Vec::new(),
        };
        let what = match seen.rows.first() {
            Some(row) if !row.is_object() => ", ids alone,",
            _ => ",",
        };
        seen.say(format!(
            "The list is at `{}[*]`{what} with {} in the first reply.",
            shown(&seen.rows_at),
            seen.rows.len()
        ));
        if answer.links_next {
            seen.say("The header `Link` names the next page.".to_owned());
        }
        if let Some(name) = &seen.total_header {
            seen.sentences
                .push(format!("The header `{name}` has the number of all."));
        }
        Some(seen)
    }

    pub fn say(&mut self, sentence: String) {
        self.sentences.push(sentence);
    }

    /// A query parameter that was proven.
    pub fn parameter(&mut self, name: &str, schema: Value) {
        self.parameters
            .push(json!({"in": "query", "name": name, "schema": schema}));
    }

    /// A header that has the number of all only where pages are asked for.
    pub fn learn_total(&mut self, answer: &Answer) {
        if self.total_header.is_some() || self.total.is_some() {
            return;
        }
        self.total_header = total_header(answer);
        if let Some(name) = &self.total_header {
            let sentence =
                format!("With one object a page the header `{name}` has the number of all.");
            self.sentences.retain(|said| said != number::UNTOLD);
            self.sentences.push(sentence);
        }
    }

    /// A page of one object names the next one in `Link`.
    pub fn links(&mut self) {
        if !self.has_link {
            self.say("With one object a page the header `Link` names the next page.".to_owned());
        }
        self.has_link = true;
    }

    /// The rows of another reply, where the first one had them.
    pub fn rows_in<'v>(&self, body: &'v Value) -> Option<&'v Vec<Value>> {
        at(body, &self.rows_at)?.as_array()
    }

    /// What tells a row from the others: its id, or else the whole row. Links in a row may repeat the question.
    pub fn key(&self, row: &Value) -> Value {
        let is_in = |name: &&String| {
            let mut values: Vec<Option<String>> = self
                .rows
                .iter()
                .map(|row| text(row.get(name.as_str())))
                .collect();
            let all = values.len();
            values.sort();
            values.dedup();
            values.len() == all && !values.contains(&None)
        };
        let candidates = ids(&self.rows);
        let found = candidates.iter().map(|(name, _)| name).find(is_in);
        let key = found.and_then(|name| row.get(name.as_str()));
        key.unwrap_or(row).clone()
    }

    /// The keys of the rows of the first reply.
    pub fn keys(&self) -> Vec<Value> {
        self.rows.iter().map(|row| self.key(row)).collect()
    }

    /// What was null in the first reply and is not in another: the way to the next page, where all came in one.
    pub fn learn(&mut self, other: &Value) {
        fill(&mut self.reply, other);
    }

    /// The members of the reply beside the rows, three levels deep, dotted.
    pub fn members(&self) -> Vec<(String, &Value)> {
        let mut all: Vec<(Vec<&str>, &Value)> = vec![(Vec::new(), &self.reply)];
        let mut at = 0;
        while let Some((path, value)) = all.get(at).cloned() {
            at += 1;
            let members = value.as_object().filter(|_| path.len() < DEEPEST);
            all.extend(members.into_iter().flatten().map(|(name, value)| {
                let path = path.iter().copied().chain([name.as_str()]);
                (path.collect(), value)
            }));
        }
        let members = all.into_iter().skip(1);
        members
            .map(|(path, value)| (joined(&path), value))
            .collect()
    }

    /// The member of the reply with one of the usual names, for which something holds.
    pub fn member(
        &self,
        usual: &[&str],
        holds: impl Fn(&Value) -> bool,
    ) -> Option<(String, &Value)> {
        let members = self.members();
        let fitting: Vec<&str> = members
            .iter()
            .filter(|(_, value)| holds(value))
            .map(|(path, _)| path.as_str())
            .collect();
        let found = named(&fitting, usual)?.to_owned();
        let value = at(&self.reply, &parted(&found))?;
        Some((found, value))
    }
}

/// Puts what another reply has in place of nulls; lists stay.
fn fill(reply: &mut Value, other: &Value) {
    match (reply, other) {
        (Value::Object(members), Value::Object(others)) => {
            for (name, value) in members.iter_mut() {
                if let Some(other) = others.get(name) {
                    fill(value, other);
                }
            }
        }
        (reply @ Value::Null, other) => *reply = other.clone(),
        _ => {}
    }
}

/// The members of a row that may be its id, the likeliest first, each with what it is in the first row: by the usual names,
/// then whatever is short and another in every row.
pub(super) fn ids(rows: &[Value]) -> Vec<(String, String)> {
    let Some(first) = rows.first() else {
        return Vec::new();
    };
    let Some(row) = first.as_object() else {
        let bare = text(Some(first)).map(|id| ("id".to_owned(), id));
        return bare.into_iter().collect();
    };
    let mut found: Vec<(String, String)> = Vec::new();
    let mut add = |name: &str, value: &Value| {
        let is_new = fields::is_plain(name) && found.iter().all(|(known, _)| known != name);
        if let Some(id) = text(Some(value)).filter(|_| is_new) {
            found.push((name.to_owned(), id));
        }
    };
    let own = ["userid", "groupid", "teamid", "roleid"];
    for wanted in id::USUAL.iter().filter(|name| !name.is_empty()).chain(&own) {
        for (name, value) in row.iter().filter(|(name, _)| normal(name) == *wanted) {
            add(name, value);
        }
    }
    let is_unique = |name: &str| {
        let mut values: Vec<Option<String>> = rows.iter().map(|row| text(row.get(name))).collect();
        let all = values.len();
        values.sort();
        values.dedup();
        values.len() == all && all > 1 && !values.contains(&None)
    };
    let mut others: Vec<(&String, &Value)> =
        row.iter().filter(|(name, _)| is_unique(name)).collect();
    let likelihood = |name: &str| {
        let kinds = [&names::USER, &names::GROUP];
        let is_key = kinds.iter().any(|kind| {
            let key = kind.fields.first();
            key.is_some_and(|usual| usual.fields.contains(&normal(name).as_str()))
        });
        (!normal(name).ends_with("id"), !is_key)
    };
    others.sort_by_key(|(name, _)| likelihood(name));
    for (name, value) in others {
        add(name, value);
    }
    found
}

/// A value as it stands in a path, if it is a short text or a whole number.
pub(super) fn text(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text)
            if !text.is_empty() && text.len() <= 64 && !text.contains([' ', '/']) =>
        {
            Some(text.clone())
        }
        Value::Number(number) if !number.is_f64() => Some(number.to_string()),
        _ => None,
    }
}

/// What is at the end of some steps; `[0]` is the first of a list.
pub(super) fn at<'v>(value: &'v Value, steps: &[String]) -> Option<&'v Value> {
    steps
        .iter()
        .try_fold(value, |value, step| match step.as_str() {
            FIRST => value.get(0),
            name => value.get(name),
        })
}

/// Steps as a path: `$.data.user`, `$.users[0]`.
pub(super) fn shown(steps: &[String]) -> String {
    let mut path = "$".to_owned();
    for step in steps {
        match step.as_str() {
            FIRST => path.push_str(FIRST),
            name => {
                let step = json_path(&joined(&[name]));
                path.push_str(step.strip_prefix('$').unwrap_or(&step));
            }
        }
    }
    path
}

/// The object in a reply that has most names in common with a row, and the steps to it; absent if none has any.
pub(super) fn object_like(row: &Value, reply: &Value) -> Option<(Vec<String>, Value)> {
    let row = row.as_object()?;
    let mut best: Option<(usize, Vec<String>, &Value)> = None;
    let mut waiting = vec![(Vec::new(), reply)];
    while let Some((path, value)) = waiting.pop() {
        if let Some([only]) = value.as_array().map(Vec::as_slice) {
            let mut path = path.clone();
            path.push(FIRST.to_owned());
            waiting.push((path, only));
        }
        let Some(members) = value.as_object() else {
            continue;
        };
        let common = members
            .keys()
            .filter(|name| row.contains_key(*name))
            .count();
        // Of two that have as much in common the outer one.
        let is_better = best.as_ref().is_none_or(|(most, known, _)| {
            common > *most || (common == *most && path.len() < known.len())
        });
        if common > 0 && is_better {
            best = Some((common, path.clone(), value));
        }
        if path.len() < DEEPEST {
            waiting.extend(members.iter().map(|(name, value)| {
                let mut path = path.clone();
                path.push(name.clone());
                (path, value)
            }));
        }
    }
    best.map(|(_, path, value)| (path, value.clone()))
}

/// Whether an object has members that another lacks, at any depth of objects.
pub(super) fn shows_more(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => one
            .iter()
            .any(|(name, value)| other.get(name).is_none_or(|known| shows_more(value, known))),
        _ => false,
    }
}

/// The step into a list of one.
pub(super) const FIRST: &str = "[0]";
/// How deep an object stands in a reply at most.
const DEEPEST: usize = 3;
