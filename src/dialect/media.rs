//! What a body says it is.

use super::{Dialect, context::note, quirks::OTHER_JSON};
use crate::exchange::Notes;

/// Whether a body of this `Content-Type` is read as JSON. Absent and empty are; so is any charset, since JSON has one.
///
/// RFC 7644 §3.1 names the first two. The others are mended (N19): every body must be a JSON object in the end.
pub(super) fn is_json(dialect: &Dialect, content_type: &str, notes: &mut Notes) -> bool {
    let media_type = content_type.split(';').next().unwrap_or_default();
    let media_type = media_type.trim().to_ascii_lowercase();
    match media_type.as_str() {
        "" | "application/scim+json" | "application/json" => return true,
        "text/json" => {}
        other if other.ends_with("+json") => {}
        _ => return false,
    }
    if !dialect.is_on(&OTHER_JSON) {
        return false;
    }
    let text = "the body's type was read as JSON";
    note(dialect, notes, &OTHER_JSON, text.to_owned());
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_goes_by_several_names() {
        let strict = Dialect::new(&crate::dialect::Settings {
            is_strict: true,
            ..crate::dialect::Settings::default()
        });
        for (content_type, is_read, is_read_strictly) in [
            ("application/scim+json;charset=utf-8", true, true),
            ("Application/JSON", true, true),
            ("", true, true),
            ("text/json", true, false),
            ("text/plain; charset=utf-8", false, false),
            ("application/merge-patch+json", true, false),
            ("application/x-www-form-urlencoded", false, false),
            ("application/xml", false, false),
        ] {
            let mut notes = Notes::default();
            let lenient = is_json(&Dialect::default(), content_type, &mut notes);
            assert_eq!(lenient, is_read, "{content_type}");
            assert_eq!(notes.0.len(), usize::from(is_read && !is_read_strictly));
            let strictly = is_json(&strict, content_type, &mut notes);
            assert_eq!(strictly, is_read_strictly, "{content_type}");
        }
    }
}
