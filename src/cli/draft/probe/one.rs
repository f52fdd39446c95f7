//! Questions about one object: which member of a row is the id, where the object is in its reply, what a missing one is
//! answered.

use serde_json::Value;

use crate::cli::Failure;

use super::{
    super::names,
    Answer, Questions,
    seen::{self, Seen},
};

/// One object, and one that is not there.
pub(super) async fn ask(questions: &mut Questions, seen: &mut Seen) -> Result<(), Failure> {
    let candidates = seen::ids(&seen.rows);
    let mut refused = None;
    for (name, id) in candidates.iter().take(MOST_CANDIDATES) {
        let found = read(questions, seen, id).await?;
        if found.status != 200 || !(found.body.is_object() || found.body.is_array()) {
            refused.get_or_insert((name.clone(), id.clone(), found.status));
            continue;
        }
        if settle(seen, name, id, &found.body) {
            let kind = questions.kind();
            let key = kind.fields.first().map_or(&[][..], |usual| usual.fields);
            forget_if_nameless(seen, key);
            return missing(questions, seen, id).await;
        }
        seen.say("The reply to the read of one object does not hold its id: it is not drafted, for every read by id would fail.".to_owned());
        seen.id = Some((name.clone(), id.clone()));
        return missing(questions, seen, id).await;
    }
    if let Some((name, id, status)) = refused {
        seen.say(format!(
            "One object below the list, asked by its `{name}`, is answered {status}."
        ));
        missing(questions, seen, &id).await?;
        seen.id = Some((name, id));
    }
    Ok(())
}

/// The reply to the read of one; where it is not there, that of the same without the list's slash, or with one.
async fn read(questions: &mut Questions, seen: &mut Seen, id: &str) -> Result<Answer, Failure> {
    let found = read_so(questions, seen, id).await?;
    if found.status != 404 {
        return Ok(found);
    }
    questions.address.has_slash ^= true;
    let other = read_so(questions, seen, id).await?;
    if other.status == 200 {
        seen.say(questions.address.of_slash());
        return Ok(other);
    }
    questions.address.has_slash ^= true;
    Ok(found)
}

/// With the list's own query, if that shows more.
async fn read_so(questions: &mut Questions, seen: &mut Seen, id: &str) -> Result<Answer, Failure> {
    let mut found = below(questions, seen, id, false).await?;
    if questions.address.own_query().is_some() {
        let asked = below(questions, seen, id, true).await?;
        let is_whole = |answer: &Answer| answer.status == 200 && answer.body.is_object();
        if is_whole(&asked) && (!is_whole(&found) || seen::shows_more(&asked.body, &found.body)) {
            seen.say("With the query of the list it shows more.".to_owned());
            seen.one_takes_query = true;
            found = asked;
        }
    }
    Ok(found)
}

/// GET of one. Where the answer leads to the same with or without a slash, all of them are asked so.
async fn below(
    questions: &mut Questions,
    seen: &mut Seen,
    id: &str,
    has_query: bool,
) -> Result<Answer, Failure> {
    let url = questions.address.below(id, has_query);
    let answer = questions.send("GET", &url).await?;
    let Some(target) = questions.redirect(&answer, &url) else {
        return Ok(answer);
    };
    if target.path().trim_end_matches('/') != url.path().trim_end_matches('/') {
        return Ok(answer);
    }
    questions.address.has_slash = target.path().ends_with('/');
    seen.say(questions.address.of_slash());
    let url = questions.address.below(id, has_query);
    questions.send("GET", &url).await
}

/// Takes the reply for one object, if the id is where the draft will look for it.
fn settle(seen: &mut Seen, name: &str, id: &str, body: &Value) -> bool {
    let row = seen.rows.first().cloned().unwrap_or_default();
    let holds = |value: &Value| seen::text(value.get(name)).as_deref() == Some(id);
    // A bare row is its id, and an object that does not hold it has the one it was asked by.
    if !row.is_object() {
        let by = body.as_object().into_iter().flatten();
        let own = by
            .filter(|(_, value)| seen::text(Some(value)).as_deref() == Some(id))
            .map(|(name, _)| name.clone())
            .next();
        let name = own.unwrap_or_else(|| "id".to_owned());
        let mut one = body.clone();
        if let Some(members) = one.as_object_mut() {
            members.entry(name.clone()).or_insert_with(|| row.clone());
        }
        seen.say("One object can be read below the list by its id.".to_owned());
        seen.id = Some((name, id.to_owned()));
        seen.one = Some(one);
        return true;
    }
    let Some((mut steps, object)) = seen::object_like(&row, body) else {
        return false;
    };
    let mut one = object;
    let mut within = None;
    if !holds(&one) {
        // The fields are deeper than the id: `data.id` beside `data.attributes`.
        within = steps.pop();
        match seen::at(body, &steps).filter(|outer| holds(outer)) {
            Some(outer) => one = outer.clone(),
            None => return false,
        }
    }
    seen.say("One object can be read below the list by its id.".to_owned());
    if !steps.is_empty() {
        seen.say(format!("There the object is at `{}`.", seen::shown(&steps)));
    }
    if let Some(within) = within {
        seen.say(format!(
            "Its fields are in `{within}` there; in the rows of the list they are not."
        ));
        for row in &mut seen.rows {
            let flat = row.clone();
            if let Some(members) = row.as_object_mut() {
                members.insert(within.clone(), flat);
            }
        }
        seen.rows_within = Some(within);
    }
    seen.one = Some(one);
    seen.one_at = steps;
    seen.id = Some((name.to_owned(), id.to_owned()));
    true
}

/// An object without the name that the rows have is no better than the row.
fn forget_if_nameless(seen: &mut Seen, key: &[&str]) {
    let is_key = |name: &String| key.contains(&names::normal(name).as_str());
    let row = seen.rows.first().and_then(Value::as_object);
    let Some(name) = row.and_then(|row| row.keys().find(|name| is_key(name))) else {
        return;
    };
    let one = seen.one.as_ref();
    let within = one.and_then(|one| one.get(seen.rows_within.as_ref()?));
    let has = |value: Option<&Value>| {
        let members = value.and_then(Value::as_object);
        members.is_some_and(|members| members.keys().any(is_key))
    };
    if has(one) || has(within) || seen.rows_within.is_some() {
        return;
    }
    let sentence = format!("It does not show `{name}`, which the rows have: it is not drafted.");
    seen.say(sentence);
    seen.one = None;
    seen.one_at = Vec::new();
}

/// What one that is not there is answered: its words are where all refusals have theirs.
async fn missing(questions: &mut Questions, seen: &mut Seen, id: &str) -> Result<(), Failure> {
    let other = if id.parse::<u64>().is_ok() {
        "999999999"
    } else {
        "no-such-id-7f3a"
    };
    let answer = below(questions, seen, other, false).await?;
    seen.say(format!(
        "One that is not there is answered {}.",
        answer.status
    ));
    if (400..600).contains(&answer.status) && answer.body.is_object() {
        seen.refusal = Some(answer.body);
    } else if answer.status == 200 {
        seen.say(
            "That is no refusal: a rule has to say by its words that it means `not-found`."
                .to_owned(),
        );
    }
    Ok(())
}

/// How many members of a row are tried as its id.
const MOST_CANDIDATES: usize = 4;
