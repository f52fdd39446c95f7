//! Fields that are made of other attributes (`value = "{name.givenName} {name.familyName}"`), kept as the client spells them.
//!
//! A text that the gateway composed is shown as the application has it. The client's own is kept as long as the line
//! writes the same: once another part changes, the new text is shown.

use serde_json::{Map, Value};

use crate::{
    mapping::{
        model::{AttributeRule, Form, Read, TypeMapping},
        names::Names,
        template::Template,
    },
    scim::Resource,
};

use super::{covers::is_named, kept::kept_by};

/// What is kept of a resource after a change: as [`super::kept_values`], but of a composed attribute only the client's own value,
/// while what the line writes stays the same.
///
/// `before` is what was kept before the change, `names` the settings.
pub fn kept_after(
    t: &TypeMapping,
    before: Option<&Map<String, Value>>,
    (old, new): (&Resource, &Resource),
    names: &Names<'_>,
) -> Map<String, Value> {
    kept_by(t, new, |rule| {
        let Some(template) = composed_by(rule) else {
            return true;
        };
        let value = rule.location.read(&new.0);
        let is_sent = value != rule.location.read(&old.0);
        let was_kept = before.and_then(|before| rule.location.read(before)) == value;
        is_sent || was_kept && is_written_as_before(template, (old, new), names)
    })
}

/// Puts what is composed into the answer to a change that the application does not answer with the object: what is not
/// kept is what the line writes.
pub fn show_composed(
    t: &TypeMapping,
    resource: &mut Resource,
    kept: Option<&Map<String, Value>>,
    names: &Names<'_>,
) {
    for rule in t
        .attributes
        .iter()
        .filter(|rule| reads_what_it_writes(rule))
    {
        let Some(template) = composed_by(rule) else {
            continue;
        };
        let is_kept = kept.is_some_and(|kept| rule.location.read(kept).is_some());
        if !is_kept && let Some(text) = text_by(template, resource, names) {
            rule.location.put(&mut resource.0, text);
        }
    }
}

/// The template by which a kept attribute is written, if it is made of other attributes alone.
pub(super) fn composed_by(rule: &AttributeRule) -> Option<&Template> {
    let is_kept_field = rule.is_kept && rule.read.is_some() && rule.each.is_none();
    let template = rule.write.as_ref()?.value.as_ref()?;
    let names = template.names();
    let mut roots = names.iter().filter_map(|name| name.names.first());
    let is_of_itself =
        roots.any(|root| root == "value") || is_named(Some(template), &rule.location.leaf());
    (is_kept_field && !names.is_empty() && !is_of_itself).then_some(template)
}

/// Whether a template makes the same of both resources.
pub(super) fn is_written_as_before(
    template: &Template,
    (old, new): (&Resource, &Resource),
    names: &Names<'_>,
) -> bool {
    text_by(template, old, names) == text_by(template, new, names)
}

fn text_by(template: &Template, resource: &Resource, names: &Names<'_>) -> Option<Value> {
    let mut names = names.child();
    names.resource(resource);
    template.value(&names).ok().flatten()
}

fn reads_what_it_writes(rule: &AttributeRule) -> bool {
    let read = match &rule.read {
        Some(Read::Path(path)) => path.as_place(),
        _ => None,
    };
    let written = rule.write.as_ref().map(|write| &write.place);
    rule.form == Form::Same && rule.values.is_none() && read.as_ref() == written
}
