//! "Did you mean …?"

/// The candidate most like a name, if one is like it enough to be what was meant.
///
/// Letter case does not count. One mistake is forgiven in short names, one in every three characters in longer ones.
pub fn closest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > LONGEST {
        return None;
    }
    let lower = name.to_lowercase();
    candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= LONGEST)
        .map(|candidate| {
            let distance = strsim::damerau_levenshtein(&lower, &candidate.to_lowercase());
            (distance, candidate)
        })
        .filter(|(distance, candidate)| {
            let shorter = name.chars().count().min(candidate.chars().count());
            *distance <= (shorter / 3).max(1) && *distance < shorter.max(1)
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Names longer than this are not compared: the cost is the product of the lengths.
const LONGEST: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_suggested_and_far_ones_are_not() {
        let names = ["userName", "displayName", "active", "a"];
        for (given, expected) in [
            ("username", Some("userName")),
            ("usrName", Some("userName")),
            ("actve", Some("active")),
            ("dispalyName", Some("displayName")),
            ("salary", None),
            ("", None),
            ("b", None),
        ] {
            assert_eq!(closest(given, names), expected, "{given}");
        }
    }
}
