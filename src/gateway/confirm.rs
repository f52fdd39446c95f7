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
    let differing: Vec<(String, write::Difference)> = t
        .attributes
        .iter()
        .filter(is_meant)
        .filter_map(|rule| {
            let (wish, shows) = (wish, &joined.resource);
            let difference = write::differs_from_shown(t, rule, wish, shows, &ctx.names())?;
            let is_told = is_told(rule, difference, shown);
            is_told.then(|| (rule.location.leaf().to_string(), difference))
        })
        .collect();
    if differing.is_empty() {
        return;
    }
    let is_kept = |one: &(String, write::Difference)| one.1 == write::Difference::StillThere;
    let has_kept = differing.iter().any(is_kept);
    let names: Vec<String> = differing.into_iter().map(|(name, _)| name).collect();
    let names = names.join(", ");
    let (tenant, said) = (
        ctx.id().as_str(),
        "the application shows other values than it was sent",
    );
    // What was to be taken away and is there still may be a right, or an address that somebody must not have.
    match has_kept {
        true => tracing::warn!(tenant, attributes = names, "{said}"),
        false => tracing::info!(tenant, attributes = names, "{said}"),
    }
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
