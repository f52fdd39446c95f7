//! How to mend what a complaint itself does not say how to mend: every complaint ends with something to do.

use crate::diagnostic::Diagnostic;

/// Gives a complaint that has none the usual mending of its kind.
pub(super) fn complete(complaint: &mut Diagnostic) {
    if complaint.mending.as_ref().is_none_or(String::is_empty) {
        complaint.mending = usual(complaint.code, &complaint.sentence).map(str::to_owned);
    }
}

fn usual(code: &str, sentence: &str) -> Option<&'static str> {
    Some(match code {
        "toml::syntax" => syntax(sentence),
        "mapping::bad-attribute-path" => {
            "write it as `name.givenName` or `emails[type eq \"work\"].value`"
        }
        "mapping::bad-path" => "write a path such as `$.users[*]`, or a field such as `a.b`",
        "mapping::bad-pattern" => "write a regular expression such as `^[0-9]+$`",
        "mapping::bad-template" => "write `{name}` or `{name | lower}`; `{{` is a brace itself",
        "mapping::missing-key" => "add it",
        "mapping::missing-secret" => "put the secret there, or name another file",
        "mapping::out-of-range" => "choose one in this range",
        "mapping::two-types-one-endpoint" => "give it a name and an endpoint of its own",
        "mapping::unknown-key" => "take it out; docs/mapping.md lists the keys that are known here",
        "mapping::unknown-name" => "use a name that is known here, or take it out",
        "mapping::unset-variable" => "set it where the gateway runs",
        "mapping::wrong-type" => "docs/mapping.md has an example of this key",
        _ => return None,
    })
}

fn syntax(sentence: &str) -> &'static str {
    let says = |words: &str| sentence.contains(words);
    match () {
        () if says("duplicate key") => "take one of the two out",
        () if says("must be quoted") => "put the value in quotes: `key = \"value\"`",
        () if says("expected `\"`") => "close the text with `\"`",
        () if says("expected `'`") => "close the text with `'`",
        () if says("expected `]`") => "close it with `]`",
        () if says("key with no value") => {
            "write `key = value`; a key that holds double quotes stands in single ones: `'emails[type eq \"work\"].value'`"
        }
        () if says("invalid unquoted key") => {
            "write `key = value`; a key with other signs than letters, digits, `-` and `_` stands in quotes"
        }
        () if says("missing comma between key-value pairs") || says("expected `}`") => {
            "close the table of the line before with `}`, or put a comma between two of its keys"
        }
        () if says("expected newline") => {
            "end the line here: nothing stands behind a value, no comma either"
        }
        () => "mend this first: the rest is looked at once the file is TOML",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complaint_without_a_mending_gets_the_usual_one_and_others_keep_theirs() {
        let mut bare = Diagnostic::error("mapping::bad-path", "This is not a JSONPath.");
        complete(&mut bare);
        assert!(bare.mending.unwrap().contains("$.users[*]"));
        let mut own = Diagnostic::error("mapping::bad-path", "x.").mend("write `$.a`");
        complete(&mut own);
        assert_eq!(own.mending.as_deref(), Some("write `$.a`"));
    }
}
