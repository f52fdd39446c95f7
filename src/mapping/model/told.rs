//! How a call is named to people: in the log, by `check`, `explain` and `rehearse`.

use serde_json::Value;

use super::{Call, QueryValue, With};
use crate::mapping::template::{Key, Tree};

impl Call {
    /// Method and path as the mapping writes them, without the query, and what tells the call apart: `POST /api (method: user.get)`.
    ///
    /// It names no value of a person and no secret.
    pub fn told(&self) -> String {
        let mut told = [self.method.as_str(), " ", self.path.source()].concat();
        let apart = self.apart();
        if !apart.is_empty() {
            told.extend([" (", apart, ")"]);
        }
        told
    }

    /// What tells the call from others of its method and path, where one address serves all (JSON-RPC, GraphQL): the fixed
    /// values of its `with`, such as `method: user.get`, or what its query, headers or body say under the name of a verb, such as
    /// `action: createaccount`; empty if it has none.
    pub fn apart(&self) -> &str {
        self.apart.get_or_init(|| {
            let own: Vec<String> = self.with.iter().filter_map(With::told).collect();
            match own.is_empty() {
                true => self.verbs().collect::<Vec<_>>().join(", "),
                false => own.join(", "),
            }
        })
    }

    /// Fixed words in the query, the headers and the body that say what is to be done.
    fn verbs(&self) -> impl Iterator<Item = String> {
        let queried = self.query.iter().filter_map(|(name, value)| match value {
            QueryValue::Text(template) => Some((name.as_str(), template.constant()?)),
            QueryValue::Json(_) => None,
        });
        let headers = self.headers.iter();
        let headers = headers.filter_map(|(name, value)| Some((name.as_str(), value.constant()?)));
        let members = match &self.body {
            Some(Tree::Object(members)) => members.as_slice(),
            _ => &[],
        };
        let sent = members.iter().filter_map(|(name, value)| {
            let Key::Constant(name) = name else {
                return None;
            };
            match value {
                Tree::Leaf(template) => Some((name.as_str(), template.constant()?)),
                Tree::Constant(value) => Some((name.as_str(), value.as_str()?)),
                _ => None,
            }
        });
        let verbs = queried
            .chain(headers)
            .chain(sent)
            .filter(|(name, value)| is_verb(name) && is_word(value));
        verbs.map(|(name, value)| format!("{name}: {value}"))
    }
}

/// Whether a parameter of this name says what is to be done, as `wsfunction` does.
fn is_verb(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    VERBS.iter().any(|verb| name.ends_with(verb))
}

const VERBS: [&str; 7] = [
    "action",
    "method",
    "function",
    "command",
    "operation",
    "cmd",
    "-target",
];

fn is_word(value: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "._-:/".contains(c);
    !value.is_empty() && value.len() <= LONGEST && value.chars().all(is_part)
}

impl With {
    /// `method: user.get`; absent if it is no fixed text, number or flag, or may be a secret.
    fn told(&self) -> Option<String> {
        if !self.is_plain || is_secret_name(&self.name) {
            return None;
        }
        let value = match &self.tree {
            Tree::Constant(Value::String(text)) => shortened(text),
            Tree::Leaf(template) => shortened(template.constant()?),
            Tree::Constant(value @ (Value::Number(_) | Value::Bool(_))) => value.to_string(),
            _ => return None,
        };
        (!value.is_empty()).then(|| format!("{}: {value}", self.name))
    }
}

/// Names that stand for secrets in all likelihood, whatever the mapping says.
pub fn is_secret_name(name: &str) -> bool {
    let name: String = name.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
    let name = name.to_ascii_lowercase();
    let parts = [
        "password",
        "passwd",
        "passphrase",
        "secret",
        "apikey",
        "privatekey",
    ];
    parts.iter().any(|part| name.contains(part)) || name.ends_with("token") || name == "pwd"
}

/// Names of environment variables that stand for secrets: those of [`is_secret_name`], and `APP_KEY`, `APP_PASS` and the like.
pub fn is_secret_variable(name: &str) -> bool {
    let last = name.rsplit('_').next().unwrap_or(name).to_ascii_uppercase();
    let ends = [
        "KEY",
        "PASS",
        "PW",
        "PWD",
        "PIN",
        "CREDENTIAL",
        "CREDENTIALS",
        "AUTH",
    ];
    is_secret_name(name) || ends.contains(&last.as_str())
}

/// One line, cut where it is long: a whole query of GraphQL may stand in it.
fn shortened(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

/// The longest value shown, in characters.
const LONGEST: usize = 60;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::{
        diagnostic::SourceFile,
        mapping::load::{self, Environment, MissingValues},
    };

    /// Every variable has the same value.
    struct Secretive;

    impl Environment for Secretive {
        fn variable(&self, _: &str) -> Option<String> {
            Some("s3cret".into())
        }

        fn secret_file(&self, _: &str) -> Option<String> {
            None
        }
    }

    fn told(with: &str) -> String {
        let call = format!("call = \"POST /rpc\"\nwith = {with}\nbody = {{ a = 1 }}\n");
        told_of("with = { kind = \"person\" }\n", &call)
    }

    fn told_of(section: &str, call: &str) -> String {
        let text = format!(
            "app = \"rpc\"\n[settings]\nkey = \"k\"\n[target]\nbase-url = \"http://localhost\"\n[user]\nid = '$.id'\n{section}\
             [user.list]\n{call}items = '$[*]'\n\
             [user.attributes]\n'userName' = 'login'\n"
        );
        let file = SourceFile {
            path: "rpc.toml".into(),
            text,
        };
        let loaded = load::app_alone(&Arc::new(file), &Secretive, MissingValues::AreErrors);
        let (mapping, _) = loaded.unwrap();
        mapping.types[0].lists[0].call.told()
    }

    #[test]
    fn calls_of_one_address_are_told_apart_by_their_with() {
        let plain = "{ method = \"user.get\", version = 2, flag = true }";
        assert_eq!(
            told(plain),
            "POST /rpc (kind: person, method: user.get, version: 2, flag: true)"
        );
        assert_eq!(told("{ kind = \"staff\" }"), "POST /rpc (kind: staff)");
        let long = format!(
            "{{ kind = false, query = \"query  {{{{ {} }}}}\" }}",
            "user ".repeat(20)
        );
        let long = told(&long);
        assert!(long.contains("query: query { user user"), "{long}");
        assert!(long.ends_with("…)") && long.len() < 120, "{long}");
    }

    #[test]
    fn without_any_the_verb_of_the_query_or_the_body_tells() {
        for (call, expected) in [
            (
                "call = \"POST /api.php?format=json&action=block&user={settings.key}\"\n",
                "POST /api.php (action: block)",
            ),
            (
                "call = \"POST /rest\"\nbody = { wsfunction = \"core_user_get_users\", field = \"id\" }\n",
                "POST /rest (wsfunction: core_user_get_users)",
            ),
            (
                "call = \"POST /soap\"\nheaders = { SOAPAction = \"urn:users/GetUser\", X-Key = \"${KEY}\" }\n",
                "POST /soap (SOAPAction: urn:users/GetUser)",
            ),
            (
                "call = \"POST /rest\"\nbody = { transaction = \"a b\", action = \"{settings.key}\", method = [\"x\"] }\n",
                "POST /rest",
            ),
        ] {
            assert_eq!(told_of("", call), expected);
        }
    }

    #[test]
    fn what_may_be_secret_or_somebodys_is_not_told() {
        for with in [
            "{ kind = \"${KEY}\" }",
            "{ kind = \"{settings.key}\" }",
            "{ kind = [1], apiKey = \"abcdef\", token = \"abcdef\" }",
        ] {
            assert_eq!(told(with), "POST /rpc", "{with}");
        }
    }
}
