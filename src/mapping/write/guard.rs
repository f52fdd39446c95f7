//! Kept values give way once somebody has changed the application's own.
//!
//! Beside a kept value stands a print of what the application had when it was written. As long as the application shows
//! the same, the client is shown its own value; when it shows another one, that one.

use serde_json::{Map, Value};
use xxhash_rust::xxh3::xxh3_64;

use crate::{
    mapping::{
        model::{AttributeRule, Read, TypeMapping},
        names::Names,
        template::Template,
    },
    scim::Resource,
};

use super::{
    composed::{composed_by, is_written_as_before},
    kept::is_written_alike,
};

/// Where the prints are in what is kept; no attribute's name has a `$`.
const GUARD: &str = "$guard";

/// Writes down what the application shows beside the kept values, `read` being the resource before they are joined. Says
/// whether anything is new.
pub fn guard(t: &TypeMapping, kept: &mut Map<String, Value>, read: &Resource) -> bool {
    let mut prints = prints(kept).cloned().unwrap_or_default();
    for rule in rules(t) {
        if rule.location.read(kept).is_some()
            && let Some(value) = rule.location.read(&read.0)
        {
            rule.location.put(&mut prints, print_of(value));
        }
    }
    let is_new = Some(&prints) != self::prints(kept) && !prints.is_empty();
    if is_new {
        kept.insert(GUARD.to_owned(), Value::Object(prints));
    }
    is_new
}

/// The same for an update that the application does not answer with the object, of values that it stores as before:
/// `read` is what it showed before the update; what the client knows is given before and after it. Another value has no print until
/// the application has shown it.
pub fn guard_unchanged(
    t: &TypeMapping,
    kept: &mut Map<String, Value>,
    read: &Resource,
    (old_resource, new_resource): (&Resource, &Resource),
    names: &Names<'_>,
) {
    let mut unchanged = Resource(Map::new());
    for rule in rules(t) {
        let values = (
            rule.location.read(&old_resource.0),
            rule.location.read(&new_resource.0),
        );
        let is_written_as_before = match (composed_by(rule), values) {
            (Some(template), _) => {
                is_written_as_before(template, (old_resource, new_resource), names)
            }
            (None, (Some(old), Some(new))) => {
                is_of_its_value_alone(rule) && (old == new || is_written_alike(t, rule, old, new))
            }
            (None, _) => false,
        };
        if is_written_as_before
            && !is_written_by_another(t, rule, (&old_resource.0, &new_resource.0))
            && let Some(shown) = rule.location.read(&read.0)
        {
            rule.location.put(&mut unchanged.0, shown.clone());
        }
    }
    guard(t, kept, &unchanged);
}

/// Whether another line's new value goes to the field that is read here; taken for so where that is no one place.
fn is_written_by_another(
    t: &TypeMapping,
    rule: &AttributeRule,
    (old, new): (&Map<String, Value>, &Map<String, Value>),
) -> bool {
    let read = match &rule.read {
        Some(Read::Path(path)) => path.as_place(),
        _ => None,
    };
    let Some(read) = read else { return true };
    let mut others = t.attributes.iter().filter(|other| {
        let place = other.write.as_ref().map(|write| &write.place);
        !std::ptr::eq(*other, rule) && place.is_some_and(|place| place.overlaps(&read))
    });
    others.any(|other| other.location.read(old) != other.location.read(new))
}

/// Whether nothing but the attribute itself decides what is written.
fn is_of_its_value_alone(rule: &AttributeRule) -> bool {
    let template = rule.write.as_ref().and_then(|write| write.value.as_ref());
    let names = template.into_iter().flat_map(Template::names);
    names
        .into_iter()
        .all(|name| name.names.first().is_some_and(|name| name == "value"))
}

/// Whether the application shows something else than when the value was kept. Not so where nothing was written down (the
/// application had not shown it), or where it shows nothing: rows of a list may lack it.
pub(super) fn is_overtaken(
    rule: &AttributeRule,
    kept: &Map<String, Value>,
    read: &Resource,
) -> bool {
    let print = prints(kept).and_then(|prints| rule.location.read(prints));
    match (print, rule.location.read(&read.0)) {
        (Some(print), Some(value)) if is_guarded(rule) => print_of(value) != *print,
        _ => false,
    }
}

/// Whether the application showed the field when the value was kept, and shows it empty now: somebody took it away there. An object
/// that does not speak of the field, such as a list's row, says nothing.
pub(super) fn is_emptied(rule: &AttributeRule, kept: &Map<String, Value>, object: &Value) -> bool {
    let print = prints(kept).and_then(|prints| rule.location.read(prints));
    let Some(Read::Path(path)) = rule.read.as_ref().filter(|_| is_guarded(rule)) else {
        return false;
    };
    print.is_some()
        && path
            .as_place()
            .is_some_and(|place| place.is_told_empty(object))
}

fn prints(kept: &Map<String, Value>) -> Option<&Map<String, Value>> {
    kept.get(GUARD).and_then(Value::as_object)
}

fn rules(t: &TypeMapping) -> impl Iterator<Item = &AttributeRule> {
    t.attributes.iter().filter(|rule| is_guarded(rule))
}

/// Kept beside a field that is read. References are exchanged in between, and of a list the application says what is in it.
fn is_guarded(rule: &AttributeRule) -> bool {
    rule.is_kept && rule.read.is_some() && rule.each.is_none() && rule.reference.is_none()
}

fn print_of(value: &Value) -> Value {
    Value::String(format!("{:016x}", xxh3_64(value.to_string().as_bytes())))
}
