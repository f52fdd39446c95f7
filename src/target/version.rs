//! `If-Match`: the version that a write names, so that nobody else's change is overwritten.
//!
//! The version is that of the read that the write was worked out on. What an operation's own calls have changed since is no
//! change of somebody else's: for a call after them the version is looked at anew.

use std::borrow::Cow;

use http::{
    HeaderName, HeaderValue,
    header::{ETAG, IF_MATCH},
};
use serde_json::{Map, Value};

use super::{Done, Driver, Journey, TargetError, conduct::Answer};
use crate::mapping::{
    call::is_wanted,
    model::{Call, IfMatch, Operation},
    names::Names,
    reply::CallClass,
    template::Template,
};

/// What a read told of its object's version, besides the object.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Version {
    /// The `ETag` of its last reply; absent if there was none.
    pub etag: Option<String>,
    /// What the steps of `get` took: names for `if-match`.
    pub taken: Map<String, Value>,
}

impl Version {
    /// Gives an operation the names that its `if-match` speaks of: `etag`, or what the steps of `get` took. No others: what was
    /// taken there may be called like an attribute.
    pub fn name_in<'v>(&'v self, operation: &Operation, names: &mut Names<'v>) {
        match &operation.if_match {
            None => {}
            Some(IfMatch::Etag) => {
                if let Some(etag) = &self.etag {
                    names.with("etag", Cow::Owned(etag.as_str().into()));
                }
            }
            Some(IfMatch::Template(template)) => {
                for used in template.names() {
                    if let Some(first) = used.names.first()
                        && let Some(value) = self.taken.get(first)
                    {
                        names.with(first, Cow::Borrowed(value));
                    }
                }
            }
        }
    }
}

impl Done {
    /// What an operation that read the object tells of its version, beside the object.
    pub fn version(&self) -> Version {
        Version {
            etag: self.etag.clone(),
            taken: self.taken.clone(),
        }
    }
}

impl Driver {
    /// Reads the object where the operation wants that and the caller has not done it.
    pub(super) async fn read_first(
        &self,
        journey: &Journey,
        operation: &Operation,
        names: &Names<'_>,
    ) -> Result<Option<Done>, TargetError> {
        let is_missing = |name: &str| names.get(name).is_none();
        let needs_version = match &operation.if_match {
            None => false,
            Some(IfMatch::Etag) => is_missing("etag"),
            Some(IfMatch::Template(template)) => self
                .told_by_read(operation, template)
                .iter()
                .any(|name| is_missing(name)),
        };
        let needs_old = operation.gets_first && is_missing("old");
        match needs_version || needs_old {
            true => self.read(journey, operation, names).await,
            false => Ok(None),
        }
    }

    /// Reads the object that an operation is about; absent where nothing reads it.
    pub(super) async fn read(
        &self,
        journey: &Journey,
        operation: &Operation,
        names: &Names<'_>,
    ) -> Result<Option<Done>, TargetError> {
        let get = self
            .type_of(&operation.name)
            .and_then(|kind| kind.get.as_ref());
        let Some(get) = get else { return Ok(None) };
        let is_get_itself =
            std::ptr::eq(get, operation) || get.gets_first || get.if_match.is_some();
        if is_get_itself {
            return Ok(None);
        }
        Box::pin(self.run(journey, get, CallClass::Get, names, None, &[]))
            .await
            .map(Some)
    }

    /// Those names of an `if-match` that come with the reading of the object: `old`, and what the steps of `get` take.
    fn told_by_read(&self, operation: &Operation, template: &Template) -> Vec<String> {
        let get = self
            .type_of(&operation.name)
            .and_then(|kind| kind.get.as_ref());
        let takes = |name: &str| {
            let mut steps = get.into_iter().flat_map(|get| &get.steps);
            steps.any(|step| step.take.iter().any(|(taken, _)| taken == name))
        };
        let names = template.names().into_iter();
        let names = names.filter_map(|path| path.names.into_iter().next());
        names.filter(|name| name == "old" || takes(name)).collect()
    }

    /// The header that keeps a step from overwriting somebody else's change; none for one that only reads.
    ///
    /// # Errors
    ///
    /// `BadReply` if there is no version to send, or one that no header can hold.
    pub(super) async fn if_match(
        &self,
        journey: &Journey,
        operation: &Operation,
        step: &Call,
        names: &Names<'_>,
        versions: &mut Versions,
    ) -> Result<Vec<(HeaderName, HeaderValue)>, TargetError> {
        let Some(rule) = operation.if_match.as_ref().filter(|_| !step.is_safe()) else {
            return Ok(Vec::new());
        };
        if journey.is_dry && is_only_planned(names) {
            return Ok(vec![(IF_MATCH, OF_PLANNED_OBJECT)]);
        }
        let is_read = match rule {
            IfMatch::Etag => true,
            IfMatch::Template(template) => !self.told_by_read(operation, template).is_empty(),
        };
        if versions.is_outdated && is_read && is_wanted(step, names)? {
            versions.is_outdated = false;
            match (rule, versions.replied.take()) {
                (IfMatch::Etag, Some(etag)) => versions.known.etag = Some(etag),
                _ => {
                    if let Some(done) = self.read(journey, operation, names).await? {
                        versions.known = done.version();
                        versions.object = done.object;
                    }
                }
            }
        }
        let mut names = names.child();
        versions.known.name_in(operation, &mut names);
        if let Some(object) = &versions.object {
            names.with("old", Cow::Borrowed(object));
        }
        header(rule, &names)
    }
}

/// The versions that the steps of one operation name.
#[derive(Debug, Default)]
pub(super) struct Versions {
    /// Whether a step has changed something since the object was read.
    is_outdated: bool,
    /// The `ETag` of the reply to that step.
    replied: Option<String>,
    /// What is known since.
    known: Version,
    object: Option<Value>,
}

impl Versions {
    /// Takes in that a step was made.
    pub fn pass(&mut self, step: &Call, answer: &Answer) {
        let is_look_up = step.is_safe() || step.remember.is_some();
        if is_look_up || answer.is_planned_only {
            return;
        }
        self.is_outdated = true;
        let etag = answer.reply.header(ETAG.as_str());
        self.replied = etag.map(str::to_owned);
    }
}

fn header(
    rule: &IfMatch,
    names: &Names<'_>,
) -> Result<Vec<(HeaderName, HeaderValue)>, TargetError> {
    let version = match rule {
        IfMatch::Etag => names
            .get("etag")
            .and_then(|etag| etag.as_str().map(str::to_owned)),
        IfMatch::Template(template) => template.render(names)?,
    };
    let version = version.ok_or(TargetError::BadReply(
        "the object was read and has no `ETag`, or no version, to send as `If-Match`",
    ))?;
    // A weak one never matches (RFC 9110 §13.1.1), and yet targets send them for this very use.
    let value = HeaderValue::from_str(&version).map_err(|_| {
        TargetError::BadReply(
            "the version of the object that was read cannot be sent as `If-Match`",
        )
    })?;
    Ok(vec![(IF_MATCH, value)])
}

/// Whether the object is one that a dry run only planned: there, and nothing in it.
fn is_only_planned(names: &Names<'_>) -> bool {
    let old = names.get("old");
    old.as_deref()
        .and_then(Value::as_object)
        .is_some_and(Map::is_empty)
}

/// Stands for the version of such an object.
const OF_PLANNED_OBJECT: HeaderValue = HeaderValue::from_static("(of the new object)");
