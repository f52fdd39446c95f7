//! What the life cycle has asked for so far, so that a change that nobody asked for is seen.
//!
//! In: the requests as they are sent, and the attributes that the gateway changed for each. Out: those that no request has
//! named. A PUT clears what it leaves out (RFC 7644 §3.5.1): what an earlier step has set may go, what the application has
//! by itself may not.

use std::collections::BTreeSet;

use crate::cli::replay::Request;

/// Every word of the requests so far, in lower case: names of attributes are among them.
#[derive(Debug, Default)]
pub struct Asked(BTreeSet<String>);

impl Asked {
    /// Takes a request in, and gives the attributes among those changed for it that no request has named.
    pub fn unasked(&mut self, request: &Request, changed: &[String]) -> Vec<String> {
        let body = request.body.as_deref().unwrap_or_default();
        let body = String::from_utf8_lossy(body).to_ascii_lowercase();
        let words = body.split(|c: char| !c.is_ascii_alphanumeric());
        self.0.extend(words.map(str::to_owned));
        if !matches!(request.method.as_str(), "PUT" | "PATCH") {
            return Vec::new();
        }
        let unasked = changed.iter().filter(|path| {
            let name = root(path).to_ascii_lowercase();
            !self.0.contains(&name)
        });
        unasked.cloned().collect()
    }
}

/// The attribute of a path, without its schema, filter and sub-attribute.
fn root(path: &str) -> &str {
    let end = path.find('[').unwrap_or(path.len());
    let plain = path.get(..end).unwrap_or(path);
    let name = match plain.starts_with("urn:") {
        true => plain.rsplit(':').next().unwrap_or(plain),
        false => plain,
    };
    name.split('.').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::fixture::request;
    use super::*;

    #[test]
    fn what_no_step_has_named_is_told_and_what_one_has_named_is_not() {
        let mut asked = Asked::default();
        let mut unasked = |method: &str, body: Value, changed: &[&str]| {
            let changed: Vec<String> = changed.iter().map(|path| (*path).to_owned()).collect();
            asked.unasked(&request(method, "", &body), &changed)
        };
        let department = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department";
        let created = json!({ "userName": "a", "title": "x", "emails": [{ "type": "work" }] });
        assert!(unasked("POST", created, &["roles"]).is_empty());
        let put = json!({ "userName": "b" });
        assert_eq!(
            unasked("PUT", put, &["userName", "title", "roles", department]),
            ["roles", department]
        );
        let patch = json!({ "Operations": [{ "path": "emails[type eq \"work\"].value" }, { "path": department }] });
        let changed = [
            "emails[type eq \"work\"].value",
            department,
            "name.givenName",
        ];
        assert_eq!(unasked("PATCH", patch, &changed), ["name.givenName"]);
    }
}
