//! Whether two values are the same to SCIM, though spelled differently.

use jiff::tz::TimeZone;
use serde_json::Value;

use crate::scim::{Attribute, AttributeType};

use super::time::parse_instant;

/// Whether two values of an attribute are the same: without regard to case where the schema has none, times by their
/// instant, telephone numbers by their digits.
pub(crate) fn is_same_value(
    a: &Value,
    b: &Value,
    definition: Option<&Attribute>,
    is_phone_number: bool,
) -> bool {
    if a == b {
        return true;
    }
    let (Some(a), Some(b)) = (a.as_str(), b.as_str()) else {
        return false;
    };
    let is_time = definition.is_some_and(|d| d.kind == AttributeType::DateTime);
    if is_time {
        let instant = |text: &str| parse_instant(text, &TimeZone::UTC);
        return instant(a).is_some() && instant(a) == instant(b);
    }
    let ignores_case = definition.is_none_or(|d| !d.is_case_exact);
    (ignores_case && is_same_text(a, b)) || (is_phone_number && is_same_number(a, b))
}

/// Whether two texts are the same without regard to case.
pub(crate) fn is_same_text(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b) || a.to_lowercase() == b.to_lowercase()
}

/// Whether two telephone numbers have the same digits.
fn is_same_number(a: &str, b: &str) -> bool {
    let digits = |text: &str| -> String { text.chars().filter(char::is_ascii_digit).collect() };
    !digits(a).is_empty() && digits(a) == digits(b)
}
