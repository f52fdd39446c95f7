//! Values in quotes that stand without, and numbers with a point that have none.

use super::{
    shape::Kind,
    tree::{Content, Node},
};

/// How `"true"`, `"8"` or `8.0` is mended where a flag or a whole number is wanted.
pub(super) fn without_quotes(kind: &Kind, node: &Node) -> Option<String> {
    let bare = match (&node.content, kind) {
        (Content::Text(text), Kind::Flag) => flag(text)?.to_owned(),
        (Content::Integer(number @ (0 | 1)), Kind::Flag) => (*number == 1).to_string(),
        (Content::Text(text), Kind::Count) => text.trim().parse::<u64>().ok()?.to_string(),
        (Content::Number(number), Kind::Count) if number.fract() == 0.0 => format!("{number}"),
        _ => return None,
    };
    Some(match node.content {
        Content::Text(_) => format!("without quotes: `{bare}`"),
        _ => format!("write `{bare}`"),
    })
}

fn flag(text: &str) -> Option<&'static str> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Some("true"),
        "false" | "no" | "off" | "0" => Some("false"),
        _ => None,
    }
}
