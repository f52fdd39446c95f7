//! A part of some data, compared with all of it.

use serde_json::Value;

/// Whether everything in `expected` is in `actual` as well; the error names the first place that differs.
///
/// Objects may have further members; lists must have the same length and order.
pub(super) fn contains(actual: &Value, expected: &Value) -> Result<(), String> {
    differs(actual, expected, &mut String::new()).map_or(Ok(()), Err)
}

fn differs(actual: &Value, expected: &Value, path: &mut String) -> Option<String> {
    match (actual, expected) {
        (Value::Object(actual), Value::Object(expected)) => {
            expected.iter().find_map(|(name, expected)| {
                let length = path.len();
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(name);
                let difference = match actual.get(name) {
                    Some(actual) => differs(actual, expected, path),
                    None => Some(format!("`{path}` is absent, not {expected}")),
                };
                path.truncate(length);
                difference
            })
        }
        (Value::Array(actual), Value::Array(expected)) => {
            if actual.len() != expected.len() {
                return Some(format!(
                    "{} has {} elements, not {}",
                    named(path),
                    actual.len(),
                    expected.len()
                ));
            }
            actual
                .iter()
                .zip(expected)
                .enumerate()
                .find_map(|(at, (actual, expected))| {
                    let length = path.len();
                    path.push_str(&format!("[{at}]"));
                    let difference = differs(actual, expected, path);
                    path.truncate(length);
                    difference
                })
        }
        _ if same(actual, expected) => None,
        _ => Some(format!("{} is {actual}, not {expected}", named(path))),
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
    fn a_part_is_contained_and_the_first_difference_is_named() {
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
            (json!("1"), json!(1), Some("the whole is \"1\", not 1")),
        ] {
            assert_eq!(contains(&actual, &expected).err().as_deref(), difference);
        }
    }
}
