//! Query strings: decoded as the client encoded them.

use percent_encoding::percent_decode_str;

use super::{
    Dialect, Idp,
    context::note,
    quirks::{BARE_PLUS, EMPTY_PARAMETER, ENCODED_TWICE, FLAG_PARAMETER, PLUS_IS_SPACE},
};
use crate::exchange::Notes;

/// What Entra's tenant URLs may end in. Neither is a parameter for us: both dialects are always read (ENTRA-40).
const FLAGS: [&str; 2] = ["aadoptscim062020", "azureadscimpatch2017"];

/// Decodes a raw query into names and values.
///
/// Empty parts are nothing: OneLogin sends an ampersand at the end (ONELOGIN-01) and a lone `?` (ONELOGIN-02).
pub(super) fn pairs(dialect: &Dialect, raw: &str, notes: &mut Notes) -> Vec<(String, String)> {
    let raw = without_flag(dialect, raw, notes);
    let plus = plus(dialect, raw, notes);
    let pairs = raw
        .split('&')
        .filter(|part| !part.is_empty())
        .map(|part| part.split_once('=').unwrap_or((part, "")))
        .map(|(name, value)| (decode(name, plus), decode(value, plus)))
        .collect();
    let pairs = without_empty(dialect, pairs, notes);
    with_filter_decoded(dialect, pairs, notes)
}

/// N18: a parameter for paging or sorting without a value is none. An empty filter stays, to be refused (N17).
fn without_empty(
    dialect: &Dialect,
    mut pairs: Vec<(String, String)>,
    notes: &mut Notes,
) -> Vec<(String, String)> {
    let is_empty = |(name, value): &(String, String)| {
        let may_be_left_out = NOTHING_IF_EMPTY
            .iter()
            .any(|n| n.eq_ignore_ascii_case(name));
        may_be_left_out && value.trim().is_empty()
    };
    if pairs.iter().any(is_empty) && dialect.is_on(&EMPTY_PARAMETER) {
        pairs.retain(|pair| !is_empty(pair));
        let text = "a parameter without a value was ignored";
        note(dialect, notes, &EMPTY_PARAMETER, text.to_owned());
    }
    pairs
}

/// N18: a filter that was encoded twice has no space anywhere, and `%20` where they belong. No filter looks like that.
fn with_filter_decoded(
    dialect: &Dialect,
    mut pairs: Vec<(String, String)>,
    notes: &mut Notes,
) -> Vec<(String, String)> {
    for (name, value) in &mut pairs {
        let is_encoded = name.eq_ignore_ascii_case("filter")
            && value.contains("%20")
            && !value.contains([' ', '"']);
        if is_encoded && dialect.is_on(&ENCODED_TWICE) {
            *value = decode(value, Plus::Plus);
            let text = "the filter was encoded twice";
            note(dialect, notes, &ENCODED_TWICE, text.to_owned());
        }
    }
    pairs
}

/// Parameters that mean nothing without a value. `cursor` is none of them: empty, it asks for the first page (RFC 9865).
const NOTHING_IF_EMPTY: [&str; 4] = ["startIndex", "count", "sortBy", "sortOrder"];

/// What a bare `+` stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plus {
    Plus,
    Space,
}

/// N18, ONELOGIN-01 and RAUTHY-02: a form's encoding has `+` for space and never `%20`; a client that writes `%20` for
/// spaces means a plus by `+`. RFC 3986 itself knows no other meaning than plus.
fn plus(dialect: &Dialect, raw: &str, notes: &mut Notes) -> Plus {
    if !raw.contains('+') {
        return Plus::Plus;
    }
    let is_bare = match dialect.idp {
        Some(Idp::Rauthy) => true,
        Some(Idp::OneLogin) => false,
        _ => raw.contains("%20"),
    };
    let (plus, mending, message) = if is_bare && dialect.is_on(&BARE_PLUS) {
        (
            Plus::Plus,
            &BARE_PLUS,
            "a plus in the query was read as a plus",
        )
    } else if dialect.is_on(&PLUS_IS_SPACE) {
        (
            Plus::Space,
            &PLUS_IS_SPACE,
            "plus signs in the query were read as spaces",
        )
    } else {
        return Plus::Plus;
    };
    note(dialect, notes, mending, message.to_owned());
    plus
}

/// N18, ENTRA-39: takes the flag from the front or the end of the query.
fn without_flag<'q>(dialect: &Dialect, raw: &'q str, notes: &mut Notes) -> &'q str {
    let Some(rest) = cut_flag(raw).filter(|_| dialect.is_on(&FLAG_PARAMETER)) else {
        return raw;
    };
    let text = "the flag of the tenant URL came along as a parameter";
    note(dialect, notes, &FLAG_PARAMETER, text.to_owned());
    rest
}

/// The query without a flag in front (also with a second `?` behind it, as plain joining of URLs gives) or at the end.
fn cut_flag(raw: &str) -> Option<&str> {
    let is_flag = |text: &str| {
        let name = text.split_once('=').map_or(text, |(name, _)| name);
        FLAGS.iter().any(|flag| name.eq_ignore_ascii_case(flag))
    };
    let (first, rest) = raw.split_once(['&', '?']).unwrap_or((raw, ""));
    if is_flag(first) {
        return Some(rest);
    }
    let (rest, last) = raw.rsplit_once('&')?;
    is_flag(last).then_some(rest)
}

fn decode(text: &str, plus: Plus) -> String {
    let spaced = match plus {
        Plus::Plus => text.to_owned(),
        Plus::Space => text.replace('+', " "),
    };
    percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}
