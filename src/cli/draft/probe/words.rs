//! What is said besides the draft of a document: that there was none, the list's own query, a body, a refusal.

use serde_json::Value;

use super::{Answer, Seen, list};

/// What the questions add to the draft.
pub(super) struct Said<'a> {
    pub seen: &'a Seen,
    /// The paths of the list and of one object.
    pub path: &'a str,
    pub item: &'a str,
    /// The parameters that every question had.
    pub query: Option<String>,
    /// The body that the list was asked with.
    pub body: Option<&'a Value>,
}

impl Said<'_> {
    /// What no OpenAPI document says. And there was no document.
    pub fn completed(&self, draft: String) -> String {
        let path = self.path;
        let mut draft = draft
            .replace("the document does not say", "the replies do not say")
            .replace("the document does not show", "the replies do not show")
            .replace("the document shows no", "the replies show no")
            .replace("the document says", "what was asked says")
            .replace("the document knows none", "none was seen")
            .replace("the first of the document's servers", "where it was asked")
            .replace("in the paths of the document", "in the paths");
        if self.seen.is_unasked {
            draft = draft.replace(
                "# guess: no paging: one reply holds all.",
                "# TODO: nothing could be seen about pages. Without `page` one reply counts as all.",
            );
        }
        if let Some(query) = &self.query {
            let list = format!("\"GET {path}");
            draft = draft
                .replace(&format!("{list}?"), &format!("{list}?{query}&"))
                .replace(&format!("{list}\""), &format!("{list}?{query}\""));
        }
        if let Some(query) = self.query.as_ref().filter(|_| self.seen.one_takes_query) {
            let get = format!("\"GET {}\"", self.item);
            let asked = format!("\"GET {}?{query}\"", self.item);
            draft = draft.replace(&get, &asked);
        }
        if let Some(body) = self.body {
            // The list's line comes first of those with this path; only it was asked by POST.
            let asked = format!("\"GET {path}");
            if let Some(at) = draft.find(&asked) {
                let end = draft[at..].find('\n').map_or(draft.len(), |end| at + end);
                draft.insert_str(end, &format!("\nbody  = {}", toml(body)));
                draft.replace_range(at..at + asked.len(), &format!("\"POST {path}"));
            }
        }
        draft
    }
}

/// Why the first answer was no list, and what may help.
pub(super) fn refused(path: &str, answer: &Answer) -> String {
    let words = match &answer.body {
        Value::Null => String::new(),
        body => {
            let text: String = body.to_string().chars().take(MOST_WORDS).collect();
            format!(": {text}")
        }
    };
    let help = match answer.status {
        _ if list::is_graphql(&answer.body) => GRAPHQL,
        405 | 501 => {
            "\nIt takes no GET. An application with one address for all calls is connected by hand: JSON-RPC as in mappings/apps/zabbix.toml, GraphQL as in \"Other styles\" of docs/mapping.md. A POST that only reads is asked with --body '{…}'."
        }
        401 | 403 => {
            "\nThe credential is given by --header, such as --header 'Authorization: Bearer …'; more than one is possible."
        }
        404 | 406 => {
            "\nAsk for the list of all users (or groups), such as https://app.example/api/users. An API that answers only to one `Accept` is asked with --header 'Accept: application/json'; the draft then sends it, too."
        }
        _ => "",
    };
    format!("`{path}` answered {}, not 200{words}{help}", answer.status)
}

/// Why an answer with status 200 is no list, in the application's own words.
pub(super) fn complained(path: &str, words: &str, is_graphql: bool) -> String {
    let (what, help) = if is_graphql {
        ("a GraphQL error", GRAPHQL)
    } else {
        ("an error", "")
    };
    format!("`{path}` answered 200 with {what}: {words}. No list can be drafted from that.{help}")
}

/// JSON as TOML on one line; texts are no templates.
fn toml(value: &Value) -> String {
    match value {
        Value::Null => "\"{null}\"".to_owned(),
        Value::String(text) => Value::from(text.replace('{', "{{").replace('}', "}}")).to_string(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(toml).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(members) => {
            let members: Vec<String> = members
                .iter()
                .map(|(name, value)| format!("{} = {}", Value::from(name.as_str()), toml(value)))
                .collect();
            format!("{{ {} }}", members.join(", "))
        }
        other => other.to_string(),
    }
}

/// What leads on from GraphQL's refusals.
const GRAPHQL: &str = "\nThis is GraphQL: see \"One URL, GraphQL\" in \"Other styles\" of docs/mapping.md. Its list is asked by --body '{\"query\": \"query { users { id name } }\"}', with the credential by --header.";
/// How many characters of a refusal are repeated.
const MOST_WORDS: usize = 300;
