//! Lines whose value comes back as another one.
//!
//! A sample value is written and what was written is read again. A client that reads something else than it wrote sends
//! it again for ever.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::{
    diagnostic::{Diagnostic, Diagnostics},
    mapping::{
        model::{AttributeRule, Mapping, TypeMapping},
        names::Names,
        read::Reading,
        write,
    },
    scim::{Attribute, AttributeType, Resource},
};

/// Complaints about the lines of a section.
pub(super) fn check(mapping: &Mapping, section: &TypeMapping, complaints: &mut Diagnostics) {
    for line in &section.attributes {
        let goes_both_ways = line.read.is_some() && line.write.is_some();
        let is_told = super::lines::is_lossy(line);
        if !goes_both_ways || line.is_kept || line.reference.is_some() || is_told {
            continue;
        }
        let changed = samples(section, line)
            .into_iter()
            .find_map(|sample| Some((read_again(mapping, section, line, &sample)?, sample)));
        if let Some((other, sample)) = changed {
            let sentence = format!(
                "`{}` does not come back as it was sent: {sample} is read as {other}.",
                super::lines::text(line)
            );
            complaints.add(
                Diagnostic::warning("mapping::not-reversible", sentence)
                    .at(&line.place)
                    .mend("`keep = true` shows the client its own value, so that it does not send it again"),
            );
        }
    }
}

/// The other value that a sample is read as; absent if it is the same, or cannot be told.
fn read_again(
    mapping: &Mapping,
    section: &TypeMapping,
    line: &AttributeRule,
    sample: &Value,
) -> Option<Value> {
    let operation = section.create.as_ref().or(section.updates.first())?;
    let resource = Resource(placed(line, sample));
    let mut names = Names::new();
    names
        .settings(&mapping.settings)
        .resource(&resource)
        .random(RANDOM)
        .at(Timestamp::UNIX_EPOCH);
    // By this line alone: with all of them a long file would take the square of its length.
    let fields = write::fields_by(line, section, operation, &resource, &names).ok()?;
    let reading = Reading::of(section, &mapping.settings, std::iter::once(line));
    let read = reading.read(&Value::Object(fields));
    let found = found(line, &read.resource.0)?;
    (!is_same(sample, found)).then(|| found.clone())
}

/// Stands for random characters.
const RANDOM: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Values worth a try, by the attribute's type.
fn samples(section: &TypeMapping, line: &AttributeRule) -> Vec<Value> {
    if let Some(table) = &line.values {
        return table
            .pairs
            .fixed()
            .iter()
            .map(|(scim, _)| scim.clone())
            .collect();
    }
    match leaf(section, line).map(|attribute| attribute.kind) {
        Some(AttributeType::Boolean) => vec![json!(true), json!(false)],
        Some(AttributeType::Integer) => vec![json!(17)],
        Some(AttributeType::Decimal) => vec![json!(17.5)],
        Some(AttributeType::DateTime) => vec![json!("2026-01-02T03:04:05Z")],
        Some(AttributeType::String) => {
            vec![json!("Ada-Lovelace"), json!("ada@example.com"), json!("17")]
        }
        _ => Vec::new(),
    }
}

fn leaf<'t>(section: &'t TypeMapping, line: &AttributeRule) -> Option<&'t Attribute> {
    let resolved = section.resource_type.resolve(&line.location.path)?;
    let attribute = resolved.leaf()?;
    match &line.location.sub_attribute {
        Some(sub) => attribute.sub(sub),
        None => Some(attribute).filter(|attribute| !attribute.is_multi_valued),
    }
}

/// A resource with the sample alone.
fn placed(line: &AttributeRule, sample: &Value) -> Map<String, Value> {
    let path = &line.location.path;
    let one = |name: &str, value: Value| Map::from_iter([(name.to_owned(), value)]);
    let value = match (&line.location.element, &path.sub_attribute) {
        (Some(element), _) => {
            let mut members: Map<String, Value> = element.iter().cloned().collect();
            let sub = line.location.sub_attribute.as_deref().unwrap_or("value");
            members.insert(sub.to_owned(), sample.clone());
            json!([members])
        }
        (None, Some(sub)) => Value::Object(one(sub, sample.clone())),
        (None, None) => sample.clone(),
    };
    let attribute = one(&path.attribute, value);
    match &path.schema {
        Some(urn) => one(urn, Value::Object(attribute)),
        None => attribute,
    }
}

/// What a resource has where the line is about.
fn found<'r>(line: &AttributeRule, resource: &'r Map<String, Value>) -> Option<&'r Value> {
    let path = &line.location.path;
    let attribute = match &path.schema {
        Some(urn) => resource.get(urn)?.get(&path.attribute)?,
        None => resource.get(&path.attribute)?,
    };
    match (&line.location.element, &path.sub_attribute) {
        (Some(element), _) => {
            let sub = line.location.sub_attribute.as_deref().unwrap_or("value");
            let is_meant = |item: &&Value| {
                element
                    .iter()
                    .all(|(name, value)| item.get(name) == Some(value))
            };
            attribute.as_array()?.iter().find(is_meant)?.get(sub)
        }
        (None, Some(sub)) => attribute.get(sub),
        (None, None) => Some(attribute),
    }
}

/// Letter case does not count: the application may have a spelling of its own.
fn is_same(sent: &Value, read: &Value) -> bool {
    match (sent.as_str(), read.as_str()) {
        (Some(sent), Some(read)) => sent.to_lowercase() == read.to_lowercase(),
        _ => sent == read,
    }
}
