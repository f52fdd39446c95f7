//! Reply rules that can never decide anything.

use crate::{
    diagnostic::{Diagnostic, Diagnostics, Place},
    mapping::model::{Mapping, ReplyRule, StatusRange},
};

/// Complaints about reply rules: of the target, and of every call.
pub(super) fn check(mapping: &Mapping, complaints: &mut Diagnostics) {
    let anywhere = mapping.types.first().and_then(|t| t.attributes.first()).map(|line| &line.place);
    unreachable(&mapping.target.rules, "target.errors.rules", anywhere, complaints);
    for call in super::calls::of_mapping(mapping) {
        unreachable(&call.rules, "the call's rules", Some(&call.place), complaints);
    }
}

/// A rule behind one that holds whenever it would.
fn unreachable(rules: &[ReplyRule], what: &str, place: Option<&Place>, complaints: &mut Diagnostics) {
    for (at, rule) in rules.iter().enumerate() {
        let Some(before) = rules.iter().take(at).position(|earlier| takes_all_of(earlier, rule)) else {
            continue;
        };
        let sentence = format!(
            "Rule {} of {what} never decides: rule {} holds whenever it does.",
            at + 1,
            before + 1
        );
        let diagnostic = Diagnostic::warning("mapping::unreachable-rule", sentence)
            .mend("put the rule with more conditions first");
        complaints.add(match place {
            Some(place) => diagnostic.at(place),
            None => diagnostic,
        });
    }
}

/// Whether the earlier rule holds for every reply for which the later one does. Only plain conditions are compared.
fn takes_all_of(earlier: &ReplyRule, later: &ReplyRule) -> bool {
    let statuses = earlier.status.is_empty()
        || !later.status.is_empty()
            && later.status.iter().all(|range| is_within(range, &earlier.status));
    let same_text = match (&earlier.contains, &later.contains) {
        (None, _) => true,
        (Some(short), Some(long)) => long.to_lowercase().contains(&short.to_lowercase()),
        _ => false,
    };
    let no_more = earlier.header.is_none() && earlier.when.is_none() && earlier.matches.is_none();
    statuses && same_text && no_more
}

fn is_within(range: &StatusRange, ranges: &[StatusRange]) -> bool {
    ranges.iter().any(|wide| wide.first <= range.first && range.last <= wide.last)
}
