//! Paths of a document: which is the collection of users, which the one user.

use super::{
    document::{Document, Endpoint},
    names::{self, Kind, normal},
};

/// A collection and the path of one object in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Collection<'d> {
    pub path: &'d str,
    /// `/users/{id}`.
    pub item: Option<&'d str>,
    /// Another path that was nearly as likely.
    pub rival: Option<&'d str>,
}

/// A path's segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Segment<'p> {
    Word(&'p str),
    Parameter(&'p str),
}

impl<'d> Collection<'d> {
    /// The likeliest collection of a kind. It can be listed, or one object of it be read.
    pub fn find(document: &'d Document<'d>, kind: &Kind) -> Option<Self> {
        let can_be_read = |path: &&'d str| {
            let item = item(document, path);
            let collection = Self {
                path,
                item,
                rival: None,
            };
            has(document, path, "get")
                || item.is_some_and(|item| has(document, item, "get"))
                || collection.read_elsewhere(document, kind).is_some()
        };
        let candidates = document
            .paths()
            .filter(can_be_read)
            .filter_map(|path| Some((cost(document, path, kind)?, path)));
        let mut candidates: Vec<(usize, &'d str)> = candidates.collect();
        candidates.sort();
        let (least, path) = *candidates.first()?;
        let mut others = candidates.iter().skip(1);
        let rival = others.find(|(cost, _)| cost - least <= NEAR);
        Some(Self {
            path,
            item: item(document, path),
            rival: rival.map(|(_, path)| *path),
        })
    }

    /// The collection at a path that the document has.
    pub fn at(document: &'d Document<'d>, path: &str) -> Option<Self> {
        let path = document.paths().find(|known| *known == path)?;
        Some(Self {
            path,
            item: item(document, path),
            rival: None,
        })
    }

    /// An operation on one object: `/users/{id}/enable` by one of the names given.
    pub fn below(
        &self,
        document: &'d Document<'d>,
        words: &[&str],
        method: &'static str,
    ) -> Option<Endpoint<'d>> {
        let path = self.path_below(document, words, false)?;
        document.endpoint(path, method)
    }

    /// An operation beside the objects: `/users/list`, `/users/register`.
    pub fn beside(
        &self,
        document: &'d Document<'d>,
        words: &[&str],
        method: &'static str,
    ) -> Option<Endpoint<'d>> {
        let own = segments(self.path);
        words.iter().find_map(|word| {
            let fits = |path: &&str| {
                let segments = segments(path);
                let rest = segments.strip_prefix(own.as_slice());
                matches!(rest, Some([Segment::Word(last)]) if normal(last) == *word)
            };
            document.endpoint(document.paths().find(fits)?, method)
        })
    }

    /// `/groups/{id}/members`, or with `one` `/groups/{id}/members/{user}`.
    pub fn path_below(
        &self,
        document: &'d Document<'d>,
        words: &[&str],
        one: bool,
    ) -> Option<&'d str> {
        let item = segments(self.item?);
        words.iter().find_map(|word| {
            document.paths().find(|path| {
                let segments = segments(path);
                let Some(rest) = segments.strip_prefix(item.as_slice()) else {
                    return false;
                };
                match rest {
                    [Segment::Word(last)] => !one && normal(last) == *word,
                    [Segment::Word(last), Segment::Parameter(_)] => one && normal(last) == *word,
                    _ => false,
                }
            })
        })
    }

    /// The read of one object that is not below the collection: `/users/{name}` beside `/admin/users`.
    pub fn read_elsewhere(&self, document: &'d Document<'d>, kind: &Kind) -> Option<Endpoint<'d>> {
        let fits = |path: &&'d str| {
            let segments = segments(path);
            let Some((Segment::Parameter(_), before)) = segments.split_last() else {
                return false;
            };
            let is_noun = |word: &str| {
                kind.nouns
                    .iter()
                    .take(MOST_LIKELY)
                    .any(|noun| normal(word) == *noun)
            };
            matches!(before.last(), Some(Segment::Word(last)) if is_noun(last))
                && before
                    .iter()
                    .all(|segment| matches!(segment, Segment::Word(_)))
        };
        let mut reads = document.paths().filter(fits);
        reads.find_map(|path| document.endpoint(path, "get"))
    }

    /// The names of parameters before the object's own.
    pub fn settings(&self) -> Vec<String> {
        let parameters = segments(self.path)
            .into_iter()
            .filter_map(|segment| match segment {
                Segment::Parameter(name) => Some(setting(name)),
                Segment::Word(_) => None,
            });
        parameters.collect()
    }

    /// The first word before the collection that says what it belongs to, if the users' path has not got it.
    pub fn belongs_apart(&self, users: &Self) -> Option<&'d str> {
        let (own, theirs) = (segments(self.path), segments(users.path));
        let (_, before) = own.split_last()?;
        before.iter().find_map(|segment| match segment {
            Segment::Word(word) => {
                let is_plain = OF_EVERYTHING.contains(&normal(word).as_str())
                    || normal(word)
                        .strip_prefix('v')
                        .is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()));
                (!is_plain && !theirs.contains(segment)).then_some(*word)
            }
            Segment::Parameter(_) => None,
        })
    }

    /// The collection's last word, as names are compared.
    pub fn noun(&self) -> Option<String> {
        match segments(self.path).last()? {
            Segment::Word(word) => Some(normal(word)),
            Segment::Parameter(_) => None,
        }
    }

    /// The name of the object's own parameter.
    pub fn parameter(&self) -> Option<&'d str> {
        match segments(self.item?).last()? {
            Segment::Parameter(name) => Some(name),
            Segment::Word(_) => None,
        }
    }
}

/// `GET /orgs/{settings.org}/users/{id}` of `/orgs/{org}/users/{userId}`: the last parameters get the names given, in
/// order; those before them are settings.
pub(super) fn call(method: &str, path: &str, last: &[&str]) -> String {
    let parameters = path.matches('{').count();
    let mut number = 0;
    let mut text = format!("{} ", method.to_ascii_uppercase());
    let mut rest = path;
    while let Some((before, name, after)) = split(rest) {
        let known = (number + last.len())
            .checked_sub(parameters)
            .and_then(|at| last.get(at));
        let name = known.map_or_else(
            || format!("settings.{}", setting(name)),
            |known| (*known).to_owned(),
        );
        text.push_str(&format!("{before}{{{name}}}"));
        rest = after;
        number += 1;
    }
    text + rest
}

fn split(path: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = path.split_once('{')?;
    let (name, after) = rest.split_once('}')?;
    Some((before, name, after))
}

/// A name that expressions can have.
fn setting(parameter: &str) -> String {
    parameter
        .replace(|character: char| !character.is_ascii_alphanumeric(), "_")
        .to_ascii_lowercase()
}

/// How unlikely a path is to be the collection; absent if it is none.
fn cost(document: &Document<'_>, path: &str, kind: &Kind) -> Option<usize> {
    let segments = segments(path);
    let Some(Segment::Word(last)) = segments.last() else {
        return None;
    };
    let noun = noun(last, kind)?;
    let is_own = segments.iter().any(
        |segment| matches!(segment, Segment::Word(word) if OWN.contains(&normal(word).as_str())),
    );
    let (can_list, can_create) = (has(document, path, "get"), has(document, path, "post"));
    let is_anything = can_list || can_create;
    if !is_anything || is_own || belongs_to_another(&segments, kind) {
        return None;
    }
    let parameters = segments
        .iter()
        .filter(|segment| matches!(segment, Segment::Parameter(_)))
        .count();
    let one = item(document, path);
    let can_change = ["put", "patch", "delete"]
        .iter()
        .any(|method| one.is_some_and(|one| has(document, one, method)));
    let lacks = usize::from(!can_list) + usize::from(!can_create) + usize::from(one.is_none());
    let is_fixed = usize::from(!can_change);
    Some(noun * 3 + lacks * 10 + is_fixed * 5 + parameters * 4 + segments.len())
}

/// How unlikely a last segment is to name the kind: its place among the nouns; absent if it names something else. One that
/// says how the same people are dealt with, such as `user-admin`, is a little less likely than the noun alone.
fn noun(last: &str, kind: &Kind) -> Option<usize> {
    let place = |word: &str| kind.nouns.iter().position(|noun| normal(word) == *noun);
    if let Some(place) = place(last) {
        return Some(place);
    }
    let parts: Vec<&str> = last.split(['-', '_']).collect();
    let (nouns, others): (Vec<&str>, Vec<&str>) = parts
        .into_iter()
        .partition(|part| place(part).is_some() || place(&format!("{part}s")).is_some());
    let [noun] = nouns.as_slice() else {
        return None;
    };
    let is_kind = !others.is_empty()
        && others
            .iter()
            .all(|part| DEALT_WITH.contains(&normal(part).as_str()));
    let place = place(&format!("{noun}s")).or_else(|| place(noun))?;
    is_kind.then_some(place + 2)
}

/// `/groups/{id}/users` are the members of a group, not the users; `/user/groups` the groups of one. `/accounts/{id}/users`
/// are the users of a customer.
fn belongs_to_another(segments: &[Segment<'_>], kind: &Kind) -> bool {
    let is_user = |word: &str| names::USER.nouns.contains(&normal(word).as_str());
    let is_customer = |word: &str| {
        let is_likely = |last: &str| {
            let noun = kind.nouns.iter().position(|noun| normal(last) == *noun);
            noun.is_some_and(|noun| noun < MOST_LIKELY)
        };
        normal(word) == "accounts"
            && kind.section == "user"
            && matches!(segments.last(), Some(Segment::Word(last)) if is_likely(last))
    };
    let is_kind = |word: &str| {
        names::GROUP.nouns.contains(&normal(word).as_str()) || is_user(word) && !is_customer(word)
    };
    segments.windows(2).any(|pair| match pair {
        [Segment::Word(word), Segment::Parameter(_)] => is_kind(word),
        [Segment::Word(word), Segment::Word(_)] => {
            kind.section == "group" && normal(word) == "user"
        }
        _ => false,
    })
}

/// Words of paths that hold whole applications.
const OF_EVERYTHING: &[&str] = &[
    "api",
    "rest",
    "admin",
    "orgs",
    "org",
    "organizations",
    "organisations",
    "organization",
    "organisation",
    "workspaces",
    "tenants",
    "users",
    "user",
    "iam",
    "identity",
    "management",
    "directory",
    "accounts",
    "account",
    "enterprises",
    "companies",
    "realms",
    "scim",
    "auth",
    "security",
    "access",
];

/// Segments of what belongs to the caller alone.
const OWN: &[&str] = &[
    "me",
    "self",
    "profile",
    "current",
    "currentuser",
    "whoami",
    "myself",
];
/// Words beside a noun that leave its meaning.
const DEALT_WITH: &[&str] = &[
    "admin",
    "admins",
    "management",
    "manage",
    "directory",
    "list",
    "all",
    "app",
    "system",
    "local",
    "internal",
    "site",
    "portal",
];
/// How much less likely a path is at most that is named beside the one that was chosen.
const NEAR: usize = 25;

/// How many of a kind's nouns mean nothing else.
const MOST_LIKELY: usize = 4;

/// The path of one object: the collection and a parameter; or its singular, `/user/{id}`.
fn item<'d>(document: &'d Document<'d>, collection: &str) -> Option<&'d str> {
    let wanted = segments(collection);
    let fits = |path: &&str, is_exact: bool| {
        let segments = segments(path);
        let Some((Segment::Parameter(_), before)) = segments.split_last() else {
            return false;
        };
        let (Some(last), Some(wanted_last)) = (before.last(), wanted.last()) else {
            return false;
        };
        if is_exact {
            return before == wanted;
        }
        let rest = before.len().saturating_sub(1);
        before.len() == wanted.len()
            && before.get(..rest) == wanted.get(..rest)
            && matches!((last, wanted_last), (Segment::Word(one), Segment::Word(many)) if format!("{}s", normal(one)) == normal(many))
    };
    let exact = document.paths().find(|path| fits(path, true));
    exact.or_else(|| document.paths().find(|path| fits(path, false)))
}

fn has<'d>(document: &'d Document<'d>, path: &str, method: &'static str) -> bool {
    document
        .paths()
        .find(|known| *known == path)
        .is_some_and(|path| document.endpoint(path, method).is_some())
}

/// The segments of a path; an ending such as `.json` does not count.
fn segments(path: &str) -> Vec<Segment<'_>> {
    path.split('/')
        .filter(|segment| !segment.is_empty())
        .map(|segment| {
            let bare = segment.strip_suffix(".json").unwrap_or(segment);
            match bare
                .strip_prefix('{')
                .and_then(|rest| rest.strip_suffix('}'))
            {
                Some(name) => Segment::Parameter(name),
                None => Segment::Word(bare),
            }
        })
        .collect()
}
