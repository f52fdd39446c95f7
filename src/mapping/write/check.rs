//! What can be said of a write before any call.

use serde_json::Value;

use crate::{
    mapping::{
        expression::text_of,
        location::value_for,
        model::{AttributeRule, TypeMapping, WhenRemoved},
        value::Untranslatable,
    },
    scim::{Resource, ScimType},
};

use super::{
    Wish, WriteError, elements,
    fields::{encode, scim_value},
};

/// Whether the resource can be written as wished, as far as the mapping alone knows.
///
/// An update is judged by what it changes: a value that is there already and does not suit the rules stays.
///
/// # Errors
///
/// `invalidValue` for a required attribute that is missing, a value that does not suit a pattern, length, form or value
/// table; `mutability` for a change of what can only be set at creation, and for the removal of what cannot be removed.
pub fn check(t: &TypeMapping, resource: &Resource, wish: &Wish<'_>) -> Result<(), WriteError> {
    for rule in &t.attributes {
        let is_checked = match wish {
            Wish::Create => true,
            Wish::Update { changed, .. } => changed.iter().any(|path| rule.location.overlaps(path)),
        };
        if is_checked {
            check_rule(t, rule, resource, wish)?;
        }
    }
    Ok(())
}

fn check_rule(
    t: &TypeMapping,
    rule: &AttributeRule,
    resource: &Resource,
    wish: &Wish<'_>,
) -> Result<(), WriteError> {
    let new = value_for(t, &rule.location, resource).filter(|v| !is_blank(v));
    match wish {
        Wish::Create if new.is_none() && rule.is_required && rule.on_create.is_none() => {
            return Err(WriteError::missing(&rule.location.leaf()));
        }
        Wish::Create => {}
        Wish::Update { old, .. } => {
            let old = value_for(t, &rule.location, old).filter(|v| !is_blank(v));
            if new == old {
                return Ok(());
            }
            check_change(rule, new, old)?;
        }
    }
    match new {
        Some(value) => check_value(t, rule, value, resource),
        None => Ok(()),
    }
}

fn check_change(
    rule: &AttributeRule,
    new: Option<&Value>,
    old: Option<&Value>,
) -> Result<(), WriteError> {
    if rule.is_create_only {
        return Err(WriteError::immutable(&rule.location.leaf()));
    }
    if new.is_some() || old.is_none() {
        return Ok(());
    }
    let keeps_a_value = matches!(rule.when_removed, WhenRemoved::Skip | WhenRemoved::Value(_));
    match () {
        () if !rule.is_written() => Ok(()),
        () if rule.when_removed == WhenRemoved::Refuse => {
            Err(WriteError::not_removable(&rule.location.leaf()))
        }
        () if rule.is_required && !keeps_a_value => Err(WriteError::missing(&rule.location.leaf())),
        () => Ok(()),
    }
}

fn check_value(
    t: &TypeMapping,
    rule: &AttributeRule,
    found: &Value,
    resource: &Resource,
) -> Result<(), WriteError> {
    check_text(rule, found)?;
    let refuse = |why| WriteError::untranslatable(&rule.location.leaf(), why);
    let dropped = Untranslatable::Dropped;
    if let (Some(each), Value::Array(items)) = (&rule.each, found) {
        let checked = items
            .iter()
            .try_for_each(|item| elements::check(each, item));
        return match checked {
            Err(why) if rule.is_written() && why != dropped => Err(refuse(why)),
            _ => Ok(()),
        };
    }
    // A template makes another value of it, and a reference is translated first.
    let is_plain = rule
        .write
        .as_ref()
        .is_some_and(|write| write.value.is_none());
    if !is_plain || rule.reference.is_some() {
        return Ok(());
    }
    let encoded = scim_value(t, rule, resource).map(|value| encode(t, rule, &value));
    match encoded {
        Some(Err(why)) if why != dropped => Err(refuse(why)),
        _ => Ok(()),
    }
}

/// Pattern and length, for each value of a list.
fn check_text(rule: &AttributeRule, found: &Value) -> Result<(), WriteError> {
    let items = match found {
        Value::Array(items) => items.as_slice(),
        single => std::slice::from_ref(single),
    };
    for text in items
        .iter()
        .filter_map(|v| text_of(v.get("value").unwrap_or(v)))
    {
        let path = rule.location.leaf();
        if rule.pattern.as_ref().is_some_and(|p| !p.is_match(&text)) {
            let message =
                format!("The value of `{path}` does not have the form the application wants.");
            return Err(WriteError::new(&path, ScimType::InvalidValue, message));
        }
        if let Some(most) = rule.max_length.filter(|most| text.chars().count() > *most) {
            let message = format!("`{path}` may have {most} characters at most.");
            return Err(WriteError::new(&path, ScimType::InvalidValue, message));
        }
    }
    Ok(())
}

/// Whether SCIM would say that there is no value.
fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}
