//! What the application shows after a write, held against what was wished: a 2xx means that the application has it
//! (promises R3, S17).
//!
//! An account that was to be locked and is shown open is not answered as if it were locked. What else differs is told to the
//! operator, by the names of the attributes alone.

use serde_json::Value;

use crate::{
    mapping::{
        model::{AttributeRule, TypeMapping, WhenRemoved},
        read, write,
    },
    scim::{AttributePath, Error, Resource},
};

use super::{context::Context, join::Joined};

/// How the application's object came to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// With the reply to the write: it may be a part of the object.
    ByReply,
    /// Read by itself: it is whole.
    ByGet,
}

/// Whether the account was wished to be locked, and the application's object shows it open.
pub fn is_open_unwished(ctx: &Context, t: &TypeMapping, wish: &Resource, object: &Value) -> bool {
    let is_locked = wish.0.get("active") == Some(&Value::Bool(false));
    if !is_locked || ctx.journey.is_dry || !object.is_object() {
        return false;
    }
    let read = read::read(t, object, &ctx.mapping().settings, |path| {
        is_active(path) && path.schema.is_none()
    });
    read.resource.0.get("active") == Some(&Value::Bool(true))
}

/// Whether a path is the state of an account.
pub fn is_active(path: &AttributePath) -> bool {
    path.schema.is_none() && path.attribute == "active"
}

/// The path of the state of an account.
pub fn active() -> AttributePath {
    AttributePath::of("active")
}

/// The refusal of a request that was to lock an account which stays open.
pub fn still_open() -> Error {
    Error::new(
        502,
        "The application took the call that sets `active` to false, and shows the account as active still: nobody is locked out.",
    )
}

/// Tells the operator which attributes the application shows otherwise than they were wished: in the exchange's notes, and
/// by a line of the log. `changed` are those of an update; absent: all that a create sends.
pub fn tell_differences(
    ctx: &Context,
    t: &TypeMapping,
    wish: &Resource,
    changed: Option<&[AttributePath]>,
    joined: &Joined,
    shown: Shown,
) {
    if ctx.journey.is_dry {
        return;
    }
    let is_meant =
        |rule: &&AttributeRule| changed.is_none_or(|c| c.iter().any(|p| rule.location.overlaps(p)));
    let names: Vec<String> = t
        .attributes
        .iter()
        .filter(is_meant)
        .filter(|rule| {
            write::differs_from_shown(t, rule, wish, &joined.resource, &ctx.names())
                .is_some_and(|difference| is_told(rule, difference, shown))
        })
        .map(|rule| rule.location.leaf().to_string())
        .collect();
    if names.is_empty() {
        return;
    }
    let names = names.join(", ");
    tracing::info!(
        tenant = ctx.id().as_str(),
        attributes = names,
        "the application shows other values than it was sent"
    );
    ctx.note(
        "N11",
        format!("not as it was wished in the object that the application gave back: {names}"),
    );
}

/// A part of an object says nothing about what it leaves out, and a line says itself when a value stays.
fn is_told(rule: &AttributeRule, difference: write::Difference, shown: Shown) -> bool {
    match difference {
        write::Difference::Another => true,
        write::Difference::Missing => shown == Shown::ByGet,
        write::Difference::StillThere => matches!(
            rule.when_removed,
            WhenRemoved::Null | WhenRemoved::Empty | WhenRemoved::Element
        ),
    }
}
