//! An object of the application becomes a resource.
//!
//! In: a [`TypeMapping`] and one object. Out: the mapped attributes, the object's id, references to be translated. Knows
//! nothing of what is kept here, of SCIM ids, nor of calls.

mod elements;
mod members;

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::scim::{Attribute, AttributePath, AttributeType, Resource};

use super::{
    expression::{EvaluateError, Expression, text_of},
    location::definition,
    model::{AttributeRule, Form, Read, TypeMapping},
    names::Names,
    value::{Spelling, Untranslatable},
};

pub use self::members::{
    ListedMember, default_groups, fixed_names_on_users, is_nobody, listed_members, name_on_users,
};

/// An object of the application as a resource.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ReadResource {
    /// The mapped attributes only, in the schema's spelling: no `id`, no `schemas`, no `meta` unless it is mapped.
    pub resource: Resource,
    /// The object's id in the application; absent if the object has none.
    pub target_id: Option<String>,
    /// References, which hold the target's ids until the gateway puts its own in.
    pub references: Vec<ReferenceValue>,
    /// Attributes whose value could not be read, by name.
    pub dropped: Vec<String>,
}

/// A reference to another resource, such as `manager`.
#[derive(Debug, Clone, PartialEq)]
pub struct ReferenceValue {
    /// The sub-attribute that holds the id: `manager.value`.
    pub path: AttributePath,
    /// The type of the resource it names.
    pub resource_type: String,
    /// The target's id of that resource, as it stands in the resource now.
    pub target_id: String,
}

/// The rules of a type with their definitions looked up: made once, used for every object of a page.
pub struct Reading<'m> {
    t: &'m TypeMapping,
    settings: &'m Map<String, Value>,
    lines: Vec<Line<'m>>,
}

/// A rule, and what the schema says about its location.
#[derive(Clone, Copy)]
struct Line<'m> {
    rule: &'m AttributeRule,
    attribute: Option<&'m Attribute>,
    sub: Option<&'m Attribute>,
}

impl<'m> Reading<'m> {
    /// Of the rules for which `wanted` holds; it is asked with the path of each, sub-attribute included.
    pub fn new(
        t: &'m TypeMapping,
        settings: &'m Map<String, Value>,
        wanted: impl Fn(&AttributePath) -> bool,
    ) -> Self {
        let reads = |rule: &&AttributeRule| rule.is_read();
        let rules = t.attributes.iter().filter(reads);
        Self::of(
            t,
            settings,
            rules.filter(|rule| wanted(&rule.location.leaf())),
        )
    }

    /// Of these rules of the type.
    pub(crate) fn of(
        t: &'m TypeMapping,
        settings: &'m Map<String, Value>,
        rules: impl Iterator<Item = &'m AttributeRule>,
    ) -> Self {
        let lines = rules.map(|rule| {
            let (attribute, sub) = definition(t, &rule.location);
            Line {
                rule,
                attribute,
                sub,
            }
        });
        let mut lines: Vec<Line<'_>> = lines.collect();
        // The resource's attributes then come in their order by themselves.
        lines.sort_by_key(|line| {
            let path = &line.rule.location.path;
            let name = path.schema.as_ref().unwrap_or(&path.attribute);
            t.resource_type.position(name)
        });
        Self { t, settings, lines }
    }

    /// Reads one object.
    ///
    /// Nothing is invented: an absent field is an absent attribute unless the rule has `when-absent`, and no element is made
    /// primary.
    pub fn read(&self, object: &Value) -> ReadResource {
        let row = object;
        let object = &*self.t.id.as_object(row);
        let mut names = Names::new();
        names.settings(self.settings).object(object);
        let room = self.lines.len() + COMMON_ATTRIBUTES;
        let mut reader = Reader {
            row,
            object,
            empty_is_absent: self.t.empty_is_absent,
            names,
            read: ReadResource {
                resource: Resource(Map::with_capacity(room)),
                ..ReadResource::default()
            },
        };
        for line in &self.lines {
            reader.line(*line);
        }
        reader.read.target_id = target_id(self.t, object);
        reader.read
    }
}

/// Reads the wanted attributes of a single object; see [`Reading`].
pub fn read(
    t: &TypeMapping,
    object: &Value,
    settings: &Map<String, Value>,
    wanted: impl Fn(&AttributePath) -> bool,
) -> ReadResource {
    Reading::new(t, settings, wanted).read(object)
}

/// Whether the object exists for the tenant: `scope` holds and `hide` does not. A condition that fails hides the object.
pub fn is_in_scope(t: &TypeMapping, object: &Value, settings: &Map<String, Value>) -> bool {
    !is_out_of_scope(t, object, settings) && !is_hidden(t, object, settings)
}

/// Whether `scope` keeps an object out. A condition that fails does.
pub fn is_out_of_scope(t: &TypeMapping, object: &Value, settings: &Map<String, Value>) -> bool {
    let scope = t.scope.as_ref();
    scope.is_some_and(|scope| !holds(t, scope, object, settings).unwrap_or(false))
}

/// Whether `hide` keeps an object out. A condition that fails does.
pub fn is_hidden(t: &TypeMapping, object: &Value, settings: &Map<String, Value>) -> bool {
    let hide = t.hide.as_ref();
    hide.is_some_and(|hide| holds(t, hide, object, settings).unwrap_or(true))
}

/// Which of `scope` and `hide` keeps an object out only because it cannot be worked out for it; absent: neither.
pub fn undecided(
    t: &TypeMapping,
    object: &Value,
    settings: &Map<String, Value>,
) -> Option<&'static str> {
    let conditions = [("scope", &t.scope), ("hide", &t.hide)];
    let failing = conditions.into_iter().find(|(_, condition)| {
        let condition = condition.as_ref();
        condition.is_some_and(|condition| holds(t, condition, object, settings).is_err())
    });
    failing.map(|(key, _)| key)
}

/// Whether a single object says that it is deleted (`gone`). A condition that fails says nothing.
pub fn is_gone(t: &TypeMapping, object: &Value, settings: &Map<String, Value>) -> bool {
    let gone = t.gone.as_ref();
    gone.is_some_and(|gone| holds(t, gone, object, settings).unwrap_or(false))
}

/// A condition on an object, which can name its members; of a row that is no object, `value` is the row itself, and its id
/// stands in its place.
fn holds(
    t: &TypeMapping,
    condition: &Expression,
    row: &Value,
    settings: &Map<String, Value>,
) -> Result<bool, EvaluateError> {
    let object = t.id.as_object(row);
    let mut names = Names::new();
    names.settings(settings).object(&object);
    if !row.is_object() {
        names.with("value", Cow::Borrowed(row));
    }
    condition.holds(&names)
}

/// The application's id of an object, as text; absent if there is none, or an empty one. A row that is a text or a number
/// is the id itself.
pub fn target_id(t: &TypeMapping, object: &Value) -> Option<String> {
    match object {
        Value::String(_) | Value::Number(_) => id_text(object),
        _ => id_text(t.id.from.first(object)?),
    }
}

/// An object that was asked for by its id, the id put in where the mapping shows that the object may not say its own: see
/// [`TypeMapping::knows_id_beforehand`].
pub fn known_by(t: &TypeMapping, mut object: Value, id: Value) -> Value {
    if t.knows_id_beforehand() {
        t.id.put_into(&mut object, id);
    }
    object
}

fn id_text(value: &Value) -> Option<String> {
    match value {
        Value::String(_) | Value::Number(_) => text_of(value),
        _ => None,
    }
    .filter(|text| !text.is_empty())
    .map(|text| text.into_owned())
}

/// One object being read.
struct Reader<'r> {
    /// As it came: a bare id, or the object.
    row: &'r Value,
    object: &'r Value,
    /// Whether `""` is no value (`empty-is-absent`).
    empty_is_absent: bool,
    names: Names<'r>,
    read: ReadResource,
}

impl Reader<'_> {
    fn line(&mut self, line: Line<'_>) {
        let rule = line.rule;
        let outcome = match &rule.each {
            Some(each) if each.is_read => self.each(line, each).map(Some),
            Some(_) => Ok(None),
            None => match &rule.read {
                Some(read) => self.value(line, read),
                None => Ok(None),
            },
        };
        match outcome {
            Ok(Some(value)) if !is_empty(&value) => self.put(rule, value),
            Ok(_) => {}
            Err(_) => self.read.dropped.push(rule.location.leaf().to_string()),
        }
    }

    /// The value of a rule as the resource will have it.
    fn value(&self, line: Line<'_>, read: &Read) -> Result<Option<Value>, Untranslatable> {
        let Line {
            rule,
            attribute,
            sub,
        } = line;
        let is_list = !rule.location.is_element()
            && rule.location.path.sub_attribute.is_none()
            && attribute.is_some_and(|a| a.is_multi_valued);
        let raw = match read {
            Read::Template(template) => template
                .value(&self.names)
                .map_err(|_| Untranslatable::Malformed)?
                .map(Cow::Owned),
            Read::Path(path) if is_list && !path.is_singular() => {
                let all = path.all(self.object).into_iter().cloned();
                Some(Cow::Owned(all.collect()))
            }
            Read::Path(path) if path.source() == "$" => Some(Cow::Borrowed(self.row)),
            Read::Path(path) => path.first(self.object).map(Cow::Borrowed),
        };
        let is_none = |v: &Value| v.is_null() || self.empty_is_absent && v.as_str() == Some("");
        let Some(raw) = raw.filter(|v| !is_none(v)) else {
            return Ok(rule.when_absent.clone());
        };
        match is_list {
            true => Ok(Some(list(rule, attribute, &raw)?)),
            false => single(rule, attribute, sub, &raw).map(Some),
        }
    }

    fn put(&mut self, rule: &AttributeRule, value: Value) {
        if let Some(resource_type) = &rule.reference {
            let has_sub = rule.location.leaf().sub_attribute.is_some();
            let path = match has_sub || !has_value(&value) {
                true => rule.location.leaf(),
                false => AttributePath {
                    sub_attribute: Some("value".to_owned()),
                    ..rule.location.leaf()
                },
            };
            for target_id in reference_ids(&value) {
                self.read.references.push(ReferenceValue {
                    path: path.clone(),
                    resource_type: resource_type.clone(),
                    target_id,
                });
            }
        }
        rule.location.put(&mut self.read.resource.0, value);
    }
}

/// One value of a rule's location.
fn single(
    rule: &AttributeRule,
    attribute: Option<&Attribute>,
    sub: Option<&Attribute>,
    raw: &Value,
) -> Result<Value, Untranslatable> {
    let leaf = sub.or(attribute);
    if rule.location.is_element() && rule.location.sub_attribute.is_none() {
        return one(rule, attribute, raw);
    }
    match leaf.filter(|a| a.kind == AttributeType::Complex) {
        Some(complex) => one(rule, Some(complex), raw),
        None => spelling(rule, kind_of(rule, leaf)).decode(raw),
    }
}

/// Every value of a multi-valued attribute.
fn list(
    rule: &AttributeRule,
    attribute: Option<&Attribute>,
    raw: &Value,
) -> Result<Value, Untranslatable> {
    let split;
    let items = match (raw, &rule.form) {
        (Value::Array(items), _) => items.as_slice(),
        (scalar, Form::Joined(_)) => {
            split = spelling(rule, None).decode(scalar)?;
            split.as_array().map(Vec::as_slice).unwrap_or_default()
        }
        (single, _) => std::slice::from_ref(single),
    };
    let values = items.iter().filter(|item| !item.is_null());
    let mut read = Vec::new();
    for item in values {
        match one(rule, attribute, item) {
            Ok(value) => read.push(value),
            Err(Untranslatable::Dropped) => {}
            Err(other) => return Err(other),
        }
    }
    Ok(Value::Array(read))
}

/// A value of an attribute as a whole: of a complex one a scalar is its `value`, and an object's members are those that
/// the schema knows.
fn one(
    rule: &AttributeRule,
    attribute: Option<&Attribute>,
    raw: &Value,
) -> Result<Value, Untranslatable> {
    let Some(complex) = attribute.filter(|a| a.kind == AttributeType::Complex) else {
        let is_list_item = matches!(rule.form, Form::Joined(_));
        let kind = kind_of(rule, attribute);
        return match is_list_item {
            true => plain(rule, kind).decode(raw),
            false => spelling(rule, kind).decode(raw),
        };
    };
    if let Value::Object(members) = raw {
        return Ok(Value::Object(known_members(complex, members)));
    }
    let Some(value) = complex.sub("value") else {
        return Err(Untranslatable::Malformed);
    };
    let value = match &rule.form {
        Form::Joined(_) => plain(rule, Some(value.kind)).decode(raw)?,
        _ => spelling(rule, kind_of(rule, Some(value))).decode(raw)?,
    };
    Ok(Value::Object(Map::from_iter([("value".to_owned(), value)])))
}

/// The members that are sub-attributes, under the schema's names and in its types.
fn known_members(complex: &Attribute, members: &Map<String, Value>) -> Map<String, Value> {
    let known = members.iter().filter_map(|(name, value)| {
        let sub = complex.sub(name)?;
        let value = super::value::coerce(value, sub.kind)?;
        Some((sub.name.clone(), value))
    });
    known.collect()
}

fn spelling<'m>(rule: &'m AttributeRule, kind: Option<AttributeType>) -> Spelling<'m> {
    Spelling {
        values: rule.values.as_ref(),
        form: &rule.form,
        kind,
    }
}

/// The spelling of one part of a joined text.
fn plain<'m>(rule: &'m AttributeRule, kind: Option<AttributeType>) -> Spelling<'m> {
    Spelling {
        form: &Form::Same,
        ..spelling(rule, kind)
    }
}

/// A reference is text, whatever the application has.
fn kind_of(rule: &AttributeRule, leaf: Option<&Attribute>) -> Option<AttributeType> {
    match rule.reference {
        Some(_) => Some(AttributeType::String),
        None => leaf.map(|a| a.kind),
    }
}

/// Whether it is an object with `value`, or a list of such.
fn has_value(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(|item| item.get("value").is_some()),
        single => single.get("value").is_some(),
    }
}

fn reference_ids(value: &Value) -> Vec<String> {
    let items = match value {
        Value::Array(items) => items.as_slice(),
        single => std::slice::from_ref(single),
    };
    let id = |item: &Value| id_text(item.get("value").unwrap_or(item));
    items.iter().filter_map(id).collect()
}

/// Whether SCIM would say that there is no value (RFC 7643 §2.5): an empty list or object. An empty text is a value.
pub(crate) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

/// Room for `schemas`, `id`, `externalId` and `meta`.
const COMMON_ATTRIBUTES: usize = 4;

#[cfg(test)]
mod tests;
