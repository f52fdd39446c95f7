//! `application/x-www-form-urlencoded`, nested members as `a[b]`.

use serde_json::{Map, Value};

use super::scalar_text;
use crate::mapping::model::FormLists;

/// Writes the members of an object as fields. Null is an empty field; a text is taken as a finished body.
pub(super) fn encode(lists: FormLists, body: &Value) -> String {
    if let Value::String(text) = body {
        return text.clone();
    }
    let mut serializer = form_urlencoded::Serializer::new(String::new());
    for (name, value) in fields(lists, body) {
        serializer.append_pair(&name, &value);
    }
    serializer.finish()
}

/// Reads fields as members, all of them texts: a name that comes again, or ends in `[]`, has a list.
pub(super) fn decode(bytes: &[u8]) -> Value {
    let mut members = Map::new();
    for (name, value) in form_urlencoded::parse(bytes) {
        let value = Value::String(value.into_owned());
        let is_list = name.ends_with("[]");
        let name = name.strip_suffix("[]").unwrap_or(&name);
        match members.get_mut(name) {
            Some(Value::Array(items)) => items.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
            None if is_list => {
                members.insert(name.to_owned(), Value::Array(vec![value]));
            }
            None => {
                members.insert(name.to_owned(), value);
            }
        }
    }
    Value::Object(members)
}

/// Name and value of every field, in order.
pub(super) fn fields(lists: FormLists, body: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    if let Value::Object(members) = body {
        for (name, value) in members {
            add(lists, name.clone(), value, &mut found);
        }
    }
    found
}

/// The fields that one named value becomes.
pub(crate) fn fields_of(lists: FormLists, name: &str, value: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    add(lists, name.to_owned(), value, &mut found);
    found
}

/// Depth is that of the body, which mappings and the JSON parser bound.
fn add(lists: FormLists, name: String, value: &Value, found: &mut Vec<(String, String)>) {
    match value {
        Value::Object(members) => {
            for (member, value) in members {
                add(lists, format!("{name}[{member}]"), value, found);
            }
        }
        Value::Array(items) => add_list(lists, name, items, found),
        Value::Null => found.push((name, String::new())),
        scalar => found.push((name, scalar_text(scalar).unwrap_or_default())),
    }
}

fn add_list(lists: FormLists, name: String, items: &[Value], found: &mut Vec<(String, String)>) {
    let joined = |separator: &str| {
        let texts: Vec<_> = items.iter().filter_map(scalar_text).collect();
        texts.join(separator)
    };
    match lists {
        FormLists::Pipe => found.push((name, joined("|"))),
        FormLists::Comma => found.push((name, joined(","))),
        FormLists::Repeat | FormLists::Brackets => {
            for (index, item) in items.iter().enumerate() {
                let field = match (item, lists) {
                    // Elements with members need a number of their own, or their members would mix.
                    (Value::Object(_) | Value::Array(_), _) => format!("{name}[{index}]"),
                    (_, FormLists::Brackets) => format!("{name}[]"),
                    _ => name.clone(),
                };
                add(lists, field, item, found);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lists_are_written_as_the_target_wants_them() {
        let body = json!({"a": [1, "x y"], "b": true});
        let cases = [
            (FormLists::Repeat, "a=1&a=x+y&b=true"),
            (FormLists::Brackets, "a%5B%5D=1&a%5B%5D=x+y&b=true"),
            (FormLists::Pipe, "a=1%7Cx+y&b=true"),
            (FormLists::Comma, "a=1%2Cx+y&b=true"),
        ];
        for (lists, expected) in cases {
            assert_eq!(encode(lists, &body), expected);
        }
    }

    #[test]
    fn members_nest_in_brackets_and_null_is_empty() {
        let body = json!({"user": {"name": "Ada", "mail": null, "tags": [{"id": 1}, {"id": 2}]}});
        assert_eq!(
            fields(FormLists::Brackets, &body),
            [
                ("user[name]".to_owned(), "Ada".to_owned()),
                ("user[mail]".to_owned(), String::new()),
                ("user[tags][0][id]".to_owned(), "1".to_owned()),
                ("user[tags][1][id]".to_owned(), "2".to_owned()),
            ]
        );
    }

    #[test]
    fn no_value_can_add_a_field() {
        for evil in ["x&role=admin", "x=1", "x%26y", "x\r\ny", "x;y", "ж\0"] {
            let text = encode(FormLists::Repeat, &json!({"a": evil}));
            let parsed: Vec<_> = form_urlencoded::parse(text.as_bytes()).collect();
            assert_eq!(parsed, [("a".into(), evil.into())]);
        }
    }

    #[test]
    fn what_is_no_object_has_no_fields() {
        assert_eq!(encode(FormLists::Repeat, &json!([1])), "");
        assert_eq!(encode(FormLists::Repeat, &json!({})), "");
        assert_eq!(encode(FormLists::Repeat, &json!("a=b")), "a=b");
    }
}
