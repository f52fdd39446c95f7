//! Texts as PostgreSQL can hold them.
//!
//! Clients may put U+0000 into an id; PostgreSQL has no such text. It and U+0001 become two characters each, so that no two texts become
//! one and their order by bytes stays.

use std::borrow::Cow;

/// The text as it is stored; nearly always itself.
pub(super) fn stored(text: &str) -> Cow<'_, str> {
    match text.bytes().any(|byte| byte <= 1) {
        false => Cow::Borrowed(text),
        true => Cow::Owned(
            text.replace('\u{1}', "\u{1}\u{2}")
                .replace('\0', "\u{1}\u{1}"),
        ),
    }
}

/// The text as it was given.
pub(super) fn given(stored: String) -> String {
    match stored.contains('\u{1}') {
        false => stored,
        true => stored
            .replace("\u{1}\u{1}", "\0")
            .replace("\u{1}\u{2}", "\u{1}"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn texts_come_back_and_keep_their_order(a in "[\0\u{1}\u{2}a]{0,6}", b in "[\0\u{1}\u{2}a]{0,6}") {
            prop_assert_eq!(given(stored(&a).into_owned()), a.clone());
            prop_assert!(!stored(&a).contains('\0'));
            prop_assert_eq!(stored(&a).cmp(&stored(&b)), a.cmp(&b));
        }
    }
}
