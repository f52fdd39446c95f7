//! `scimgate draft --probe`: asks a running API harmless questions.
//!
//! In: the URL of a list and headers. Out: what was seen, in words, and the draft that follows from it. Sends GET and OPTIONS
//! only, one question after the other, and knows nothing of the mapping language: what it saw becomes an OpenAPI document.

mod paging;
mod seen;

use std::path::Path;

use serde_json::Value;
use url::Url;

use crate::cli::{
    Failure,
    replay::{HttpTransport, Reply, Request, Transport},
};

use super::names;
use seen::Seen;

/// The questions to one list.
pub(super) struct Questions {
    transport: HttpTransport,
    url: Url,
    headers: Vec<(String, String)>,
    /// The application's name in the draft; absent: its host's.
    app: Option<String>,
}

/// An answer: what of it matters.
pub(super) struct Answer {
    pub status: u16,
    /// `Link` has `rel="next"`.
    pub links_next: bool,
    pub headers: Vec<(String, String)>,
    /// Null if it is not JSON.
    pub body: Value,
}

impl Questions {
    /// Questions to the list at a URL, with headers such as `Authorization: Bearer …`.
    pub fn new(
        url: &str,
        headers: &[String],
        ca: Option<&Path>,
        app: Option<&str>,
    ) -> Result<Self, Failure> {
        let url =
            Url::parse(url).map_err(|error| Failure::new(format!("`{url}` is no URL: {error}")))?;
        let mut named = vec![("Accept".to_owned(), "application/json".to_owned())];
        for header in headers {
            // The value is a credential most of the time: it is not repeated.
            let (name, value) = header
                .split_once(':')
                .ok_or_else(|| Failure::new("a header is `Name: value`"))?;
            named.retain(|(known, _)| !known.eq_ignore_ascii_case(name.trim()));
            named.push((name.trim().to_owned(), value.trim().to_owned()));
        }
        Ok(Self {
            transport: HttpTransport::new(url.as_str(), ca)?,
            url,
            headers: named,
            app: app.map(str::to_owned),
        })
    }

    /// Asks, and drafts.
    pub async fn ask(&self) -> Result<String, Failure> {
        let plain = self.get(&[]).await?;
        if plain.status != 200 {
            return Err(Failure::new(format!(
                "`{}` answered {}, not 200",
                self.url.path(),
                plain.status
            )));
        }
        let mut seen =
            Seen::of(&plain).ok_or_else(|| Failure::new("the reply has no list of objects"))?;
        self.unknown_parameter(&mut seen).await?;
        paging::ask(self, &mut seen).await?;
        self.filters(&mut seen).await?;
        self.one(&mut seen).await?;
        self.allowed(&mut seen).await?;
        self.draft(&seen)
    }

    /// Whether a parameter it does not know is ignored: then a filter it does not know gives everyone.
    async fn unknown_parameter(&self, seen: &mut Seen) -> Result<(), Failure> {
        let answer = self.get(&[("no-such-parameter", "1")]).await?;
        seen.say(match answer.status {
            200 => "A parameter it does not know is ignored: a filter that it does not know gives everyone.".to_owned(),
            status => format!("A parameter it does not know is answered {status}."),
        });
        seen.ignores_unknown = answer.status == 200;
        Ok(())
    }

    /// Parameters named like the fields that clients filter by.
    async fn filters(&self, seen: &mut Seen) -> Result<(), Failure> {
        let kind = self.kind();
        let Some(row) = seen.rows.first().cloned() else {
            seen.say(
                "The list is empty: nothing can be said about filters and one object.".to_owned(),
            );
            return Ok(());
        };
        for (name, value) in row.as_object().into_iter().flatten() {
            let usual = kind
                .fields
                .iter()
                .filter(|usual| kind.found_by.contains(&usual.attribute));
            let is_asked_for = usual
                .flat_map(|usual| usual.fields)
                .any(|known| *known == names::normal(name));
            let Some(value) = value
                .as_str()
                .filter(|value| is_asked_for && !value.is_empty())
            else {
                continue;
            };
            let found = self.get(&[(name, value)]).await?;
            let nobody = self.get(&[(name, "no-such-value-7f3a")]).await?;
            let rows = |answer: &Answer| {
                seen::rows(&answer.body).map_or(usize::MAX, |(_, rows)| rows.len())
            };
            let is_found = rows(&found) >= 1
                && seen::rows(&found.body).is_some_and(|(_, rows)| {
                    rows.iter().any(|found| found.get(name) == row.get(name))
                });
            if is_found
                && matches!(nobody.status, 200 | 404)
                && (nobody.status == 404 || rows(&nobody) == 0)
            {
                let upper = self.get(&[(name, &value.to_uppercase())]).await?;
                let case = if rows(&upper) >= 1 && rows(&upper) != usize::MAX {
                    "in any case of letters"
                } else {
                    "in this case of letters only"
                };
                seen.say(format!("`{name}=` filters, {case}."));
                seen.parameter(name, serde_json::json!({"type": "string"}));
            } else {
                seen.say(format!("`{name}=` does not filter."));
            }
        }
        Ok(())
    }

    /// One object, and one that is not there.
    async fn one(&self, seen: &mut Seen) -> Result<(), Failure> {
        let Some(id) = seen.rows.first().and_then(seen::id_of) else {
            return Ok(());
        };
        let mut found = self.get_below(&id, false).await?;
        if self.own_query().is_some() {
            let asked = self.get_below(&id, true).await?;
            let is_whole = |answer: &Answer| answer.status == 200 && answer.body.is_object();
            if is_whole(&asked) && (!is_whole(&found) || seen::shows_more(&asked.body, &found.body))
            {
                seen.say("With the query of the list it shows more.".to_owned());
                seen.one_takes_query = true;
                found = asked;
            }
        }
        if found.status == 200 && found.body.is_object() {
            seen.say("One object can be read below the list by its id.".to_owned());
            let row = seen.rows.first().cloned().unwrap_or_default();
            match seen::object_like(&row, &found.body) {
                Some((path, object)) if path != "$" => {
                    seen.say(format!("There the object is at `{path}`."));
                    seen.one = Some(with_id(object, &row));
                    seen.one_at = Some(path);
                }
                _ => seen.one = Some(found.body),
            }
        } else {
            seen.say(format!(
                "One object below the list is answered {}.",
                found.status
            ));
        }
        let missing = if id.parse::<u64>().is_ok() {
            "999999999"
        } else {
            "no-such-id-7f3a"
        };
        let missing = self.get_below(missing, false).await?;
        seen.say(format!(
            "One that is not there is answered {}.",
            missing.status
        ));
        if (400..500).contains(&missing.status) && missing.body.is_object() {
            seen.refusal = Some(missing.body);
        }
        Ok(())
    }

    /// What else can be done, as `Allow` says it.
    async fn allowed(&self, seen: &mut Seen) -> Result<(), Failure> {
        let mut list = self.url.clone();
        list.set_query(None);
        let of_list = self.options(&list).await?;
        let of_one = match seen.rows.first().and_then(seen::id_of) {
            Some(id) => self.options(&self.below(&id, false)).await?,
            None => Vec::new(),
        };
        if of_list.is_empty() && of_one.is_empty() {
            seen.say("OPTIONS names no methods: what else can be done was not seen.".to_owned());
            return Ok(());
        }
        for (whole, methods) in [("the list", &of_list), ("one object", &of_one)] {
            if !methods.is_empty() {
                let methods = methods.join(", ");
                seen.say(format!("OPTIONS of {whole} names {methods}."));
            }
        }
        seen.say(
            "That what is written looks like what is read is a guess: no call that writes was made."
                .to_owned(),
        );
        (seen.on_list, seen.on_one) = (of_list, of_one);
        Ok(())
    }

    /// The methods in `Allow`, upper case; none where there is no such header.
    async fn options(&self, url: &Url) -> Result<Vec<String>, Failure> {
        let answer = self.send("OPTIONS", url).await?;
        let allow = answer
            .headers
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case("allow"));
        let methods = allow.flat_map(|(_, value)| value.split(','));
        let methods = methods.map(|method| method.trim().to_ascii_uppercase());
        Ok(methods.filter(|method| !method.is_empty()).collect())
    }

    fn draft(&self, seen: &Seen) -> Result<String, Failure> {
        let (before, last) = self.url.path().rsplit_once('/').unwrap_or(("", ""));
        let server = format!("{}{before}", self.url.origin().ascii_serialization());
        let credential = self
            .headers
            .iter()
            .skip(1)
            .find(|(name, _)| !name.eq_ignore_ascii_case("accept"));
        let path = format!("/{last}");
        let document = seen.document(&server, &path, credential);
        let mut text = format!(
            "# Seen at {}{}, by GET and OPTIONS alone:\n",
            self.url.origin().ascii_serialization(),
            self.url.path()
        );
        for sentence in &seen.sentences {
            text.push_str(&format!("# - {sentence}\n"));
        }
        text.push_str("#\n");
        let app = self.app.as_deref();
        let draft = super::propose_at(&document, &path, self.kind(), app)?;
        text.push_str(&self.completed(draft, seen, &path));
        Ok(text)
    }

    /// What no OpenAPI document says: parameters that every question had, and an object deep in its reply. And there was
    /// no document.
    fn completed(&self, draft: String, seen: &Seen, path: &str) -> String {
        let mut draft = draft
            .replace("the document does not say", "the replies do not say")
            .replace("the document does not show", "the replies do not show")
            .replace("the document says", "what was asked says")
            .replace("the document knows none", "none was seen")
            .replace("the first of the document's servers", "where it was asked")
            .replace("in the paths of the document", "in the paths");
        if let Some(query) = self.own_query() {
            let list = format!("\"GET {path}");
            draft = draft
                .replace(&format!("{list}?"), &format!("{list}?{query}&"))
                .replace(&format!("{list}\""), &format!("{list}?{query}\""));
        }
        if let Some(at) = &seen.one_at {
            let get = format!("call = \"GET {path}/{{id}}\"\n");
            draft = match envelope_of(at) {
                Some(name) => with_envelope(&draft, name),
                None => draft.replacen(&get, &format!("{get}object = '{at}'\n"), 1),
            };
        }
        if let Some(query) = self.own_query().filter(|_| seen.one_takes_query) {
            let get = format!("\"GET {path}/{{id}}\"");
            let asked = format!("\"GET {path}/{{id}}?{query}\"");
            draft = draft.replace(&get, &asked);
        }
        draft
    }

    /// The parameters of the URL that was given, as a call's line has them; absent if there are none.
    fn own_query(&self) -> Option<String> {
        let pairs = self.url.query_pairs();
        // What would end the text, the parameter, or begin a template.
        let is_plain = |text: &str| !text.contains(['"', '\\', '&', '#', '{', '}', '=']);
        let plain = pairs.filter(|(name, value)| is_plain(name) && is_plain(value));
        let pairs: Vec<String> = plain
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        (!pairs.is_empty()).then(|| pairs.join("&"))
    }

    /// By the last segment: groups, or else users.
    fn kind(&self) -> &'static names::Kind {
        let last = self.url.path().rsplit('/').next().unwrap_or("");
        let last = names::normal(last.strip_suffix(".json").unwrap_or(last));
        if names::GROUP.nouns.contains(&last.as_str()) {
            &names::GROUP
        } else {
            &names::USER
        }
    }

    /// GET of the list with further parameters.
    async fn get(&self, parameters: &[(&str, &str)]) -> Result<Answer, Failure> {
        let mut url = self.url.clone();
        for (name, value) in parameters {
            let kept: Vec<(String, String)> = url
                .query_pairs()
                .filter(|(known, _)| known != name)
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .collect();
            url.query_pairs_mut()
                .clear()
                .extend_pairs(kept)
                .append_pair(name, value);
        }
        self.send("GET", &url).await
    }

    /// GET of one object, with the query that the list was asked with or without it.
    async fn get_below(&self, id: &str, has_query: bool) -> Result<Answer, Failure> {
        self.send("GET", &self.below(id, has_query)).await
    }

    fn below(&self, id: &str, has_query: bool) -> Url {
        let mut url = self.url.clone();
        if !has_query {
            url.set_query(None);
        }
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push(id);
        }
        url
    }

    async fn send(&self, method: &str, url: &Url) -> Result<Answer, Failure> {
        let query = url
            .query()
            .map(|query| format!("?{query}"))
            .unwrap_or_default();
        let request = Request {
            method: method.into(),
            path_and_query: format!("{}{query}", url.path()),
            headers: self.headers.clone(),
            body: None,
        };
        let reply: Reply = self.transport.send(request).await?;
        let link = reply.header("link").unwrap_or_default();
        Ok(Answer {
            status: reply.status,
            links_next: link.contains("rel=\"next\"") || link.contains("rel=next"),
            body: serde_json::from_slice(&reply.body).unwrap_or(Value::Null),
            headers: reply.headers,
        })
    }
}

/// The member that holds the object, where it is named after what it holds (`{"user": {…}}`): bodies have it too, most
/// probably. Not so for one that says nothing, such as `data`.
fn envelope_of(at: &str) -> Option<&str> {
    let name = at.strip_prefix("$.")?;
    let kinds = [&names::USER, &names::GROUP];
    let is_noun = |noun: &&str| {
        let own = names::normal(name);
        *noun == own || noun.strip_suffix('s') == Some(own.as_str())
    };
    let is_named = kinds.iter().any(|kind| kind.nouns.iter().any(is_noun));
    (is_named && !name.contains(['.', '['])).then_some(name)
}

/// The draft with an envelope, below the line of `id`.
fn with_envelope(draft: &str, name: &str) -> String {
    let mut lines: Vec<String> = draft.lines().map(str::to_owned).collect();
    if let Some(at) = lines.iter().position(|line| line.starts_with("id = ")) {
        let line = format!("envelope = \"{name}\"   # guess: bodies have it as the reply has");
        lines.insert(at + 1, line);
    }
    lines.join("\n") + "\n"
}

/// An object that leaves its own id out has it in the list.
fn with_id(mut object: Value, row: &Value) -> Value {
    if let (Some(members), Some(id)) = (object.as_object_mut(), row.get("id")) {
        members.entry("id").or_insert_with(|| id.clone());
    }
    object
}
