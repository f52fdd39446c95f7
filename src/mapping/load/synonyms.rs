//! Words of other tools, for what is called otherwise here.

/// The keys that may be meant by a key of another tool.
pub(super) fn of_key(name: &str) -> impl Iterator<Item = &'static str> {
    meant(name, &KEYS)
}

/// The values that may be meant by a word of another tool.
pub(super) fn of_word(word: &str) -> impl Iterator<Item = &'static str> {
    meant(word, &WORDS)
}

fn meant(
    name: &str,
    pairs: &'static [(&'static str, &'static str)],
) -> impl Iterator<Item = &'static str> {
    let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    let pairs = pairs.iter();
    pairs
        .filter(move |(word, _)| word.eq_ignore_ascii_case(&name))
        .map(|(_, meant)| *meant)
}

/// Without `-` and `_`; what is meant counts only where the table has such a key.
const KEYS: [(&str, &str); 59] = [
    ("token", "sha256"),
    ("hash", "sha256"),
    ("timeout", "deadline"),
    ("url", "call"),
    ("endpoint", "call"),
    ("get", "read"),
    ("list", "read"),
    ("requesttimeout", "deadline"),
    ("url", "base-url"),
    ("uri", "base-url"),
    ("host", "base-url"),
    ("endpoint", "base-url"),
    ("baseuri", "base-url"),
    ("authentication", "auth"),
    ("authorization", "auth"),
    ("ratelimit", "budget"),
    ("ratelimit", "calls"),
    ("limits", "budget"),
    ("concurrency", "concurrent"),
    ("username", "user"),
    ("login", "user"),
    ("pass", "password"),
    ("secret", "client-secret"),
    ("scopes", "scope"),
    ("expiry", "expires"),
    ("ttl", "life"),
    ("paging", "page"),
    ("pagination", "page"),
    ("limit", "size"),
    ("pagesize", "size"),
    ("count", "total"),
    ("offset", "start"),
    ("skip", "start"),
    ("path", "call"),
    ("request", "call"),
    ("path", "field"),
    ("source", "field"),
    ("jsonpath", "read"),
    ("default", "on-create"),
    ("mapping", "values"),
    ("map", "values"),
    ("enum", "values"),
    ("transform", "value"),
    ("template", "value"),
    ("type", "as"),
    ("format", "as"),
    ("mappings", "attributes"),
    ("fields", "attributes"),
    ("search", "find"),
    ("lookup", "find"),
    ("read", "get"),
    ("modify", "update"),
    ("patch", "update"),
    ("delete", "remove"),
    ("destroy", "delete"),
    ("root", "envelope"),
    ("name", "title"),
    ("payload", "body"),
    ("attributes", "covers"),
];

const WORDS: [(&str, &str); 38] = [
    ("azure", "entra"),
    ("azuread", "entra"),
    ("microsoft", "entra"),
    ("gsuite", "google"),
    ("dryrun", "shadow"),
    ("test", "shadow"),
    ("off", "paused"),
    ("disabled", "paused"),
    ("disable", "deactivate"),
    ("ignore", "drop"),
    ("skip", "drop"),
    ("unique", "uniqueness"),
    ("conflict", "uniqueness"),
    ("duplicate", "uniqueness"),
    ("exists", "uniqueness"),
    ("invalid", "invalid-value"),
    ("ratelimit", "too-many"),
    ("throttled", "too-many"),
    ("unauthorized", "not-logged-in"),
    ("missing", "not-found"),
    ("error", "failed"),
    ("success", "ok"),
    ("immutable", "mutability"),
    ("int", "integer"),
    ("number", "integer"),
    ("date", "time"),
    ("csv", "joined"),
    ("integer", "number"),
    ("text", "string"),
    ("bool", "boolean-text"),
    ("boolean", "boolean-text"),
    ("unix", "epoch-seconds"),
    ("unixtime", "epoch-seconds"),
    ("timestamp", "epoch-seconds"),
    ("epoch", "epoch-seconds"),
    ("millis", "epoch-milliseconds"),
    ("epochms", "epoch-milliseconds"),
    ("lowercase", "lower"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_other_tools_are_known_in_any_spelling() {
        assert_eq!(of_key("page_size").collect::<Vec<_>>(), ["size"]);
        assert_eq!(
            of_key("rate-limit").collect::<Vec<_>>(),
            ["budget", "calls"]
        );
        assert_eq!(of_word("Conflict").next(), Some("uniqueness"));
        assert_eq!(of_key("salary").next(), None);
    }
}
