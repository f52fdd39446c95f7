//! A part of some data, compared with all of it.

use serde_json::Value;

/// Whether everything in `expected` is in `actual` as well; the error names the places that differ, ten at most.
///
/// Objects may have further members; lists must have the same length and order.
pub(super) fn contains(actual: &Value, expected: &Value) -> Result<(), String> {
    let mut found = Vec::new();
    differences(actual, expected, &mut String::new(), &mut found);
    if found.is_empty() {
        return Ok(());
    }
    let more = found.len().saturating_sub(MOST_DIFFERENCES);
    found.truncate(MOST_DIFFERENCES);
    let told = found.join("; ");
    Err(match more {
        0 => told,
        more => format!("{told}; and {more} more"),
    })
}

/// As many as one looks at before mending the first.
const MOST_DIFFERENCES: usize = 10;

fn differences(actual: &Value, expected: &Value, path: &mut String, found: &mut Vec<String>) {
    match (actual, expected) {
        (Value::Object(actual), Value::Object(expected)) => {
            for (name, expected) in expected {
                let length = path.len();
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(name);
                match actual.get(name) {
                    Some(actual) => differences(actual, expected, path, found),
                    None => found.push(format!("`{path}` is absent, not {expected}")),
                }
                path.truncate(length);
            }
        }
        (Value::Array(actual), Value::Array(expected)) if actual.len() == expected.len() => {
            for (at, (actual, expected)) in actual.iter().zip(expected).enumerate() {
                let length = path.len();
                path.push_str(&format!("[{at}]"));
                differences(actual, expected, path, found);
                path.truncate(length);
            }
        }
        (Value::Array(actual), Value::Array(expected)) => found.push(format!(
            "{} has {} elements, not {}",
            named(path),
            actual.len(),
            expected.len()
        )),
        _ if same(actual, expected) => {}
        _ => found.push(format!("{} is {actual}, not {expected}", named(path))),
    }
}

fn named(path: &str) -> String {
    if path.is_empty() {
        "the whole".to_owned()
    } else {
        format!("`{path}`")
    }
}

/// Numbers are the same whatever their spelling: 1 and 1.0.
fn same(actual: &Value, expected: &Value) -> bool {
    actual == expected
        || actual
            .as_f64()
            .zip(expected.as_f64())
            .is_some_and(|(a, b)| a.total_cmp(&b).is_eq())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_part_is_contained_and_every_difference_is_named() {
        for (actual, expected, difference) in [
            (json!({"a": 1, "b": 2}), json!({"a": 1.0}), None),
            (
                json!({"a": {"b": [1, {"c": 2}]}}),
                json!({"a": {"b": [1, {"c": 3}]}}),
                Some("`a.b[1].c` is 2, not 3"),
            ),
            (
                json!({}),
                json!({"a": null}),
                Some("`a` is absent, not null"),
            ),
            (
                json!([1]),
                json!([1, 2]),
                Some("the whole has 1 elements, not 2"),
            ),
            (
                json!({"a": 1, "b": [1, 2]}),
                json!({"a": 2, "b": [1, 3], "c": 4}),
                Some("`a` is 1, not 2; `b[1]` is 2, not 3; `c` is absent, not 4"),
            ),
            (json!("1"), json!(1), Some("the whole is \"1\", not 1")),
        ] {
            assert_eq!(contains(&actual, &expected).err().as_deref(), difference);
        }
    }
}
