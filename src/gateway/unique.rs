//! Values that only one object may have (`unique = true`), where the application would not refuse a second one: it would
//! hold the value twice, or take it away from whom it belongs to.

use serde_json::{Value, json};
use tokio::sync::OwnedMutexGuard;

use crate::{
    mapping::{
        location::value_for,
        model::{AttributeRule, TypeMapping},
        sought::{Sought, sought},
    },
    scim::{AttributePath, Error, Resource, ScimType},
    store::TargetId,
};

use super::{context::Context, join::folded, list::raw_with};

/// Whose the values may be already.
#[derive(Debug, Clone, Copy)]
pub enum Own<'a> {
    /// Of a new object's namesake: a create that was interrupted is finished, and what a name may meet is decided elsewhere.
    Name(&'a str),
    /// Of the object that is changed, with what it had before.
    Object(&'a TargetId, &'a Resource),
}

/// Sees to it that no other object has the new values, and keeps other requests from writing them until the guards are
/// dropped.
///
/// # Errors
///
/// 409 `uniqueness`; what the search failed with.
pub async fn check(
    ctx: &Context,
    t: &TypeMapping,
    new: &Resource,
    changed: &[AttributePath],
    own: Own<'_>,
) -> Result<Vec<OwnedMutexGuard<()>>, Error> {
    let mut guards = Vec::new();
    for rule in t.attributes.iter().filter(|rule| rule.is_unique) {
        if !changed.iter().any(|path| rule.location.overlaps(path)) {
            continue;
        }
        let before = match own {
            Own::Object(_, old) => texts(t, rule, old),
            Own::Name(_) => Vec::new(),
        };
        for value in texts(t, rule, new) {
            if before.iter().any(|old| folded(old) == folded(value)) {
                continue;
            }
            let name = format!("{}+{}={}", t.section, rule.location.leaf(), folded(value));
            guards.push(ctx.tenant.locks.hold(name).await);
            if is_taken(ctx, t, rule, value, own).await? {
                return Err(taken(t, rule));
            }
        }
    }
    Ok(guards)
}

async fn is_taken(
    ctx: &Context,
    t: &TypeMapping,
    rule: &AttributeRule,
    value: &str,
    own: Own<'_>,
) -> Result<bool, Error> {
    let Some(find) = t.find_of(rule) else {
        return Ok(false);
    };
    let has_it = |found: &Resource| {
        let there = texts(t, rule, found);
        there.iter().any(|text| folded(text) == folded(value))
    };
    let leaf = rule.location.leaf();
    let asked = match sought(t, &leaf, &json!(value), &ctx.names()) {
        Sought::Field(written) => written,
        Sought::Unknown => json!(value),
        Sought::Nothing => return Ok(false),
    };
    let found = raw_with(ctx, t, Some(find), &leaf, asked, has_it).await?;
    let is_own = |(object, resource): &(Value, Resource)| match own {
        Own::Object(id, _) => {
            crate::mapping::read::target_id(t, object).as_deref() == Some(id.as_str())
        }
        Own::Name(name) => {
            let there = resource.0.get(&t.match_attribute.attribute);
            there.and_then(Value::as_str).map(folded) == Some(folded(name))
        }
    };
    Ok(found.iter().any(|one| !is_own(one)))
}

/// The texts that a line is about: the value it writes, or those of all elements.
fn texts<'r>(t: &TypeMapping, rule: &AttributeRule, resource: &'r Resource) -> Vec<&'r str> {
    let found = match &rule.each {
        Some(_) => rule.location.attribute_in(&resource.0),
        None => value_for(t, &rule.location, resource),
    };
    let one = |value: &'r Value| value.get("value").unwrap_or(value).as_str();
    match found {
        Some(Value::Array(items)) => items.iter().filter_map(one).collect(),
        Some(value) => one(value).into_iter().collect(),
        None => Vec::new(),
    }
}

fn taken(t: &TypeMapping, rule: &AttributeRule) -> Error {
    Error::of(
        ScimType::Uniqueness,
        format!(
            "Another {} has this `{}` already.",
            t.resource_type.name,
            rule.location.leaf()
        ),
    )
}
