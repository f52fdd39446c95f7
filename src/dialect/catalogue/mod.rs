//! The catalogue of quirks: what each client is known to do, and what becomes of it.
//!
//! In: nothing. Out: one line per quirk, for operators, for `docs/dialects.md` and for the names of notes.
//! Knows nothing of how a quirk is mended: that is `quirks`, which names the entries here.

use std::{fmt::Write, sync::LazyLock};

use super::Idp;

mod any;
mod cloud;
mod entra;
mod okta;
mod open_source;
mod ping;
mod servers;

/// One known habit of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quirk {
    /// Stable name: the client and a number, such as `ENTRA-10`. Used in notes and in a tenant's `quirks` table.
    pub id: &'static str,
    /// The rule it is an example of: `N1`–`N20` for requests, `R1`–`R14` for answers. Absent if it stands alone.
    pub rule: Option<&'static str>,
    /// What the client does, in a sentence.
    pub what: &'static str,
    /// What becomes of it; for [`Kind::Session`] why there is nothing to do.
    pub becomes: &'static str,
    /// The file below `tests/dialects/` that shows it; there is one for every form of a request.
    pub case: Option<&'static str>,
    /// What is done about it.
    pub kind: Kind,
}

/// What is done about a quirk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A form that RFC 7644 does not allow, or leaves open, is understood. Holds for every client.
    Widens,
    /// A form that RFC 7644 gives another meaning is read as this client means it. Depends on who the client is.
    ChangesMeaning,
    /// A form that the RFCs have, and that other servers got wrong: read as it stands, by `strict` too. There is nothing to
    /// switch off; a case shows it.
    Standard,
    /// Nothing is mended: it is an answer the client needs, given to every client.
    Answer,
    /// Neither a request's form nor an answer: documented only.
    Session,
}

/// Every known quirk, grouped by client, in the order of their numbers.
pub fn catalogue() -> &'static [Quirk] {
    static ALL: LazyLock<Vec<Quirk>> = LazyLock::new(|| {
        [
            okta::QUIRKS,
            entra::QUIRKS,
            cloud::QUIRKS,
            ping::QUIRKS,
            open_source::QUIRKS,
            any::QUIRKS,
            servers::QUIRKS,
        ]
        .concat()
    });
    &ALL
}

/// The quirk of that name; letter case counts.
pub fn find(id: &str) -> Option<&'static Quirk> {
    catalogue().iter().find(|quirk| quirk.id == id)
}

/// Whether a name may stand in a tenant's `quirks` table: a quirk's id or a rule's, such as `ENTRA-17` or `N13`.
///
/// Quirks that are documented only are known names too; switching them off changes nothing.
pub fn is_known(id: &str) -> bool {
    catalogue()
        .iter()
        .any(|quirk| quirk.id == id || quirk.rule == Some(id))
        || super::quirks::all().any(|mending| mending.rule == id)
}

/// The catalogue as the tables of `docs/dialects.md`, in Markdown.
pub fn markdown() -> String {
    let mut text = String::new();
    let mut who = "";
    for quirk in catalogue() {
        if quirk.who() != who {
            who = quirk.who();
            let _ = writeln!(
                text,
                "\n### {who}\n\n| id | rule | kind | what it does | what becomes of it | case |\n|---|---|---|---|---|---|"
            );
        }
        let case = quirk
            .case
            .map_or_else(String::new, |case| format!("`{case}`"));
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} |",
            quirk.id,
            quirk.rule.unwrap_or(""),
            quirk.kind.as_str(),
            quirk.what,
            quirk.becomes,
            case,
        );
    }
    text
}

impl Quirk {
    /// The client, or the server whose published limits it is about, as it is called.
    pub fn who(&self) -> &'static str {
        if let Some(idp) = self.idp() {
            return idp.title();
        }
        match self.id.split('-').next().unwrap_or_default() {
            "ANY" => "Any client",
            "AWS" => "AWS IAM Identity Center (as a server)",
            "SLACK" => "Slack (as a server)",
            "GITHUB" => "GitHub (as a server)",
            "MIRO" => "Miro (as a server)",
            "GCLOUD" => "Google Cloud Identity (as a server)",
            _ => "Tresorit (as a target)",
        }
    }

    /// The client it is a habit of; absent if it is about a server or a target.
    pub fn idp(&self) -> Option<Idp> {
        Idp::of_quirk(self.id)
    }
}

impl Kind {
    /// As the documentation calls it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Widens => "widens",
            Self::ChangesMeaning => "changes meaning",
            Self::Standard => "standard",
            Self::Answer => "answer",
            Self::Session => "documented",
        }
    }
}

const fn widens(
    id: &'static str,
    rule: Option<&'static str>,
    what: &'static str,
    becomes: &'static str,
    case: &'static str,
) -> Quirk {
    mended(id, rule, what, becomes, case, Kind::Widens)
}

const fn standard(
    id: &'static str,
    rule: Option<&'static str>,
    what: &'static str,
    becomes: &'static str,
    case: &'static str,
) -> Quirk {
    mended(id, rule, what, becomes, case, Kind::Standard)
}

const fn changes_meaning(
    id: &'static str,
    rule: Option<&'static str>,
    what: &'static str,
    becomes: &'static str,
    case: &'static str,
) -> Quirk {
    mended(id, rule, what, becomes, case, Kind::ChangesMeaning)
}

const fn mended(
    id: &'static str,
    rule: Option<&'static str>,
    what: &'static str,
    becomes: &'static str,
    case: &'static str,
    kind: Kind,
) -> Quirk {
    Quirk {
        id,
        rule,
        what,
        becomes,
        case: Some(case),
        kind,
    }
}

const fn answer(
    id: &'static str,
    rule: Option<&'static str>,
    what: &'static str,
    becomes: &'static str,
) -> Quirk {
    Quirk {
        id,
        rule,
        what,
        becomes,
        case: None,
        kind: Kind::Answer,
    }
}

const fn session(id: &'static str, what: &'static str, why: &'static str) -> Quirk {
    Quirk {
        id,
        rule: None,
        what,
        becomes: why,
        case: None,
        kind: Kind::Session,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_listed_id_appears_exactly_once() {
        let listed: Vec<&str> = include_str!("../../../tests/dialects/ids.txt")
            .lines()
            .collect();
        let mut known: Vec<&str> = catalogue().iter().map(|quirk| quirk.id).collect();
        assert_eq!(
            known.len(),
            known.iter().collect::<BTreeSet<_>>().len(),
            "an id appears twice"
        );
        known.sort_unstable();
        let mut expected = listed.clone();
        expected.sort_unstable();
        assert_eq!(known, expected);
    }

    #[test]
    fn every_name_a_mending_uses_is_a_mended_quirk_of_that_rule() {
        for mending in super::super::quirks::all() {
            for id in mending.ids {
                let quirk = find(id).unwrap_or_else(|| panic!("{id} is not in the catalogue"));
                assert!(
                    quirk.case.is_some(),
                    "{id} is mended, so it needs a case file"
                );
            }
        }
    }

    #[test]
    fn what_is_mended_has_a_mending_and_nothing_else_has() {
        let named: BTreeSet<&str> = super::super::quirks::all()
            .flat_map(|mending| mending.ids.iter().copied())
            .collect();
        for quirk in catalogue() {
            let is_mended = matches!(quirk.kind, Kind::Widens | Kind::ChangesMeaning);
            assert_eq!(named.contains(quirk.id), is_mended, "{}", quirk.id);
            let has_form = is_mended || quirk.kind == Kind::Standard;
            assert_eq!(quirk.case.is_some(), has_form, "{}", quirk.id);
        }
    }
}
