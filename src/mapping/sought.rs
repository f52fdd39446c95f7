//! What a value that is looked for is called in the application.

use std::borrow::Cow;

use serde_json::Value;

use crate::scim::AttributePath;

use super::{
    model::{AttributeRule, Form, TypeMapping},
    names::Names,
    write,
};

/// What the application has where SCIM has a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Sought {
    /// This.
    Field(Value),
    /// Nothing: no object of it can have that value.
    Nothing,
    /// Another value for each object: what is written is made of other attributes too (`value = "{emails[0].value}"`).
    Unknown,
}

/// What the application has where an attribute equals a value: what the attribute's lines would write for it. Lines with a
/// table of values, and references, are the caller's.
pub fn sought(t: &TypeMapping, path: &AttributePath, value: &Value, names: &Names<'_>) -> Sought {
    let lines = t
        .attributes
        .iter()
        .filter(|line| line.is_written() && line.each.is_none() && is_about(line, path));
    let mut found = lines.map(|line| written(t, line, value, names));
    let Some(first) = found.next() else {
        return Sought::Field(value.clone());
    };
    match found.all(|other| other == first) {
        true => first,
        false => Sought::Unknown,
    }
}

/// Whether nothing can be looked up by an attribute, whatever the value.
pub fn is_never_known(t: &TypeMapping, path: &AttributePath) -> bool {
    t.attributes
        .iter()
        .any(|line| line.is_written() && is_about(line, path) && needs_more(line))
}

fn written(t: &TypeMapping, line: &AttributeRule, value: &Value, names: &Names<'_>) -> Sought {
    let template = line.write.as_ref().and_then(|write| write.value.as_ref());
    let made = match template {
        None => Cow::Borrowed(value),
        Some(_) if needs_more(line) => return Sought::Unknown,
        Some(template) => {
            let mut scope = names.child();
            scope.with("value", Cow::Borrowed(value));
            scope.with(&line.location.path.attribute, Cow::Borrowed(value));
            match template.value(&scope) {
                Ok(Some(made)) => Cow::Owned(made),
                Ok(None) | Err(_) => return Sought::Unknown,
            }
        }
    };
    if matches!(line.form, Form::Joined(_)) {
        return Sought::Field(made.into_owned());
    }
    // A value that cannot be spelled is asked for as it is: what comes back is checked here.
    let spelled = write::encode(t, line, &made);
    Sought::Field(spelled.unwrap_or_else(|_| made.into_owned()))
}

/// Whether the line's template looks at more than the value, by the name `value` or the attribute's own.
fn needs_more(line: &AttributeRule) -> bool {
    let template = line.write.as_ref().and_then(|write| write.value.as_ref());
    let path = &line.location.path;
    let is_plain = path.schema.is_none() && line.location.leaf().sub_attribute.is_none();
    let is_known = |names: &[String]| match names {
        [name] => name == "value" || (is_plain && *name == path.attribute),
        [first, ..] => first == "settings",
        [] => false,
    };
    template.is_some_and(|template| template.names().iter().any(|n| !is_known(&n.names)))
}

fn is_about(line: &AttributeRule, path: &AttributePath) -> bool {
    let leaf = line.location.leaf();
    let sub = |path: &AttributePath| path.sub_attribute.as_deref().unwrap_or("value").to_owned();
    leaf.schema == path.schema && leaf.attribute == path.attribute && sub(&leaf) == sub(path)
}
