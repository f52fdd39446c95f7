//! What the names in expressions mean: layers of values.
//!
//! In: values under names, a resource, an object of the application. Out: the value a name stands for. Knows nothing of
//! expressions, files or calls.

use std::{
    borrow::Cow,
    sync::{
        LazyLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::scim::Resource;

/// What names mean, in layers: values given by name, then a resource's attributes, then an object's members.
///
/// An inner scope ([`Names::child`]) is asked before its outer one, layer by layer: a value given by name outside is found
/// before a member of an inner object. A resource or object of an inner scope takes the place of the outer one: what it
/// lacks is absent.
#[derive(Debug, Default)]
pub struct Names<'a> {
    entries: Vec<(String, Cow<'a, Value>)>,
    settings: Option<&'a Map<String, Value>>,
    resource: Option<&'a Resource>,
    object: Option<&'a Value>,
    random: Option<Random<'a>>,
    now: Option<Timestamp>,
    parent: Option<&'a Names<'a>>,
}

/// What a name stands for, before any step into it.
#[derive(Debug)]
pub(crate) struct Found<'v> {
    /// The value.
    pub root: Root<'v>,
    /// Whether it is SCIM's, whose names compare without regard to case.
    pub is_scim: bool,
}

/// A value, or an object that is only there as a map.
#[derive(Debug)]
pub(crate) enum Root<'v> {
    Value(Cow<'v, Value>),
    Map(&'v Map<String, Value>),
}

/// Random characters from the edge, and how many bytes of them are used.
#[derive(Debug)]
struct Random<'a> {
    source: Characters<'a>,
    used: AtomicUsize,
}

/// Where random characters are.
#[derive(Debug)]
enum Characters<'a> {
    Here(&'a str),
    /// Drawn when the first is asked for: most requests ask for none.
    Drawn(&'a LazyLock<String>),
}

impl<'a> Characters<'a> {
    fn text(&self) -> &'a str {
        match self {
            Self::Here(text) => text,
            Self::Drawn(text) => text,
        }
    }
}

impl<'a> Names<'a> {
    /// No names at all.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives a name a value; a later value of the same name replaces the earlier one.
    pub fn with(&mut self, name: &str, value: Cow<'a, Value>) -> &mut Self {
        self.entries.push((name.to_owned(), value));
        self
    }

    /// The installation's named values: `settings.NAME`.
    pub fn settings(&mut self, settings: &'a Map<String, Value>) -> &mut Self {
        self.settings = Some(settings);
        self
    }

    /// An object whose members are names at the root, found last of all. Their case counts.
    pub fn object(&mut self, object: &'a Value) -> &mut Self {
        self.object = Some(object);
        self
    }

    /// A resource whose attributes are names at the root, in any case. An extension is named by the word before the
    /// version in its URN (`enterprise`), or in full: `extension["urn:…"]`.
    pub fn resource(&mut self, resource: &'a Resource) -> &mut Self {
        self.resource = Some(resource);
        self
    }

    /// Random characters for the function `random`, used up from the front. Inner scopes share them.
    pub fn random(&mut self, characters: &'a str) -> &mut Self {
        self.characters(Characters::Here(characters))
    }

    /// As [`Names::random`], of characters that are drawn once one is asked for.
    pub fn random_if_asked(&mut self, characters: &'a LazyLock<String>) -> &mut Self {
        self.characters(Characters::Drawn(characters))
    }

    /// When the request was taken in, for the function `now`: whole seconds of it.
    pub fn at(&mut self, now: Timestamp) -> &mut Self {
        self.now = Timestamp::from_second(now.as_second()).ok();
        self
    }

    fn characters(&mut self, source: Characters<'a>) -> &mut Self {
        self.random = Some(Random {
            source,
            used: AtomicUsize::new(0),
        });
        self
    }

    /// An inner scope, in which names can be added without touching this one.
    pub fn child(&self) -> Names<'_> {
        Names {
            parent: Some(self),
            ..Names::default()
        }
    }

    /// The value a name stands for; absent if nothing has that name.
    pub fn get(&self, name: &str) -> Option<Cow<'_, Value>> {
        self.find(name).map(|found| match found.root {
            Root::Value(value) => value,
            Root::Map(map) => Cow::Owned(Value::Object(map.clone())),
        })
    }

    /// As [`Names::get`], without copying settings and resources.
    pub(crate) fn find(&self, name: &str) -> Option<Found<'_>> {
        let attribute = || attribute(self.scopes().find_map(|s| s.resource)?, name);
        let member = || {
            let object = self.scopes().find_map(|s| s.object)?.as_object()?;
            Some(Found::value(object.get(name)?, false))
        };
        self.given(name).or_else(attribute).or_else(member)
    }

    /// A value given by name, the innermost first.
    pub(crate) fn given(&self, name: &str) -> Option<Found<'_>> {
        self.scopes().find_map(|s| s.entry(name))
    }

    /// A value given by name, if there is one: neither an attribute nor a member.
    pub(crate) fn entry_named(&self, name: &str) -> Option<&Value> {
        self.scopes().find_map(|s| {
            let (_, value) = s.entries.iter().rev().find(|(n, _)| n == name)?;
            Some(&**value)
        })
    }

    /// When the request was taken in; absent where nothing but data counts.
    pub(crate) fn time(&self) -> Option<Timestamp> {
        self.scopes().find_map(|s| s.now)
    }

    /// The next `count` random characters; absent if there are not so many left.
    pub(crate) fn take_random(&self, count: usize) -> Option<String> {
        let random = self.scopes().find_map(|s| s.random.as_ref())?;
        let mut used = random.used.load(Ordering::Relaxed);
        loop {
            let rest = random.source.text().get(used..)?;
            let taken: String = rest.chars().take(count).collect();
            if taken.chars().count() < count {
                return None;
            }
            let next = used + taken.len();
            match random
                .used
                .compare_exchange(used, next, Ordering::Relaxed, Ordering::Relaxed)
            {
                Ok(_) => return Some(taken),
                Err(now) => used = now,
            }
        }
    }

    /// This scope and the outer ones.
    fn scopes(&self) -> impl Iterator<Item = &Names<'_>> {
        std::iter::successors(Some(self as &Names<'_>), |names| names.parent)
    }

    fn entry(&self, name: &str) -> Option<Found<'_>> {
        if let Some((_, value)) = self.entries.iter().rev().find(|(n, _)| n == name) {
            return Some(Found::value(value, false));
        }
        let settings = self.settings.filter(|_| name == "settings")?;
        Some(Found {
            root: Root::Map(settings),
            is_scim: false,
        })
    }
}

/// A resource's attribute by a name at the root.
fn attribute<'v>(resource: &'v Resource, name: &str) -> Option<Found<'v>> {
    if let Some(value) = member_in_any_case(&resource.0, name) {
        return Some(Found::value(value, true));
    }
    if name == "extension" {
        return Some(Found {
            root: Root::Map(&resource.0),
            is_scim: true,
        });
    }
    let mut members = resource.0.iter();
    let (_, value) = members.find(|(key, _)| extension_name(key) == Some(name))?;
    Some(Found::value(value, true))
}

impl<'v> Found<'v> {
    fn value(value: &'v Value, is_scim: bool) -> Self {
        Self {
            root: Root::Value(Cow::Borrowed(value)),
            is_scim,
        }
    }
}

/// A member of an object: in its own spelling, or else in any case of ASCII letters.
pub(crate) fn member_in_any_case<'v>(map: &'v Map<String, Value>, name: &str) -> Option<&'v Value> {
    map.get(name).or_else(|| {
        map.iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    })
}

/// The word by which an extension is named in expressions: the last one before the version in its URN, or the last of all.
///
/// ```
/// # use scimgate::mapping::names::extension_name;
/// let urn = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
/// assert_eq!(extension_name(urn), Some("enterprise"));
/// ```
pub fn extension_name(urn: &str) -> Option<&str> {
    let is_urn = urn
        .get(..4)
        .is_some_and(|start| start.eq_ignore_ascii_case("urn:"));
    if !is_urn {
        return None;
    }
    let is_version = |word: &&str| {
        word.starts_with(|c: char| c.is_ascii_digit())
            && word.chars().all(|c| c.is_ascii_digit() || c == '.')
    };
    let mut words = urn.rsplit(':');
    let last = words.clone().next();
    match words.find(is_version) {
        Some(_) => words.next(),
        None => last,
    }
}
