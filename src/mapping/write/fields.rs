//! The fields an operation sends.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::{
    mapping::{
        expression::EvaluateError,
        location::{definition, value_for},
        model::{AttributeRule, FieldPlace, Form, Operation, Send, TypeMapping, WhenRemoved},
        names::Names,
        value::{Spelling, Untranslatable},
    },
    scim::{AttributePath, AttributeType, Resource},
};

use super::{Wish, WriteError, covers::covers, elements, members};

/// The fields that an operation sends for a wish, by their names in the application.
///
/// A create sends every attribute that has a value, what `on-create` says for those that have none, and the constants. An
/// update sends what differs between `old` and the resource and is named by `changed` (or everything, or the object as read
/// with the changes put in, as the operation's `send` says). Where a part of a list is written and `present` (the object as
/// read) has that list, the whole list is sent. Nothing but mapped fields is ever sent.
///
/// The members of a group that are a field of it are sent if `names` has them as `members` with `types`, named as the application names
/// them.
///
/// # Errors
///
/// `invalidValue` for a value the application cannot have, `mutability` for one that cannot be removed. [`super::check`]
/// finds these before the first call.
pub fn fields(
    t: &TypeMapping,
    op: &Operation,
    resource: &Resource,
    wish: Wish<'_>,
    present: Option<&Value>,
    names: &Names<'_>,
) -> Result<Map<String, Value>, WriteError> {
    let rules = t
        .attributes
        .iter()
        .filter(|rule| rule.is_written() && covers(op, t, &rule.location.leaf()));
    let mut writer = Writer {
        t,
        op,
        rules: rules.collect(),
        resource,
        names,
        present: present.filter(|p| p.is_object()),
        body: Value::Object(Map::new()),
        written: Vec::new(),
    };
    match wish {
        Wish::Create => writer.create()?,
        Wish::Update { changed, old } => writer.update(changed, old)?,
    }
    Ok(writer.fields())
}

/// As [`fields`] of a create, by one rule alone and the constants.
///
/// # Errors
///
/// As [`fields`].
pub(in crate::mapping) fn fields_by(
    rule: &AttributeRule,
    t: &TypeMapping,
    op: &Operation,
    resource: &Resource,
    names: &Names<'_>,
) -> Result<Map<String, Value>, WriteError> {
    let is_own = rule.is_written() && covers(op, t, &rule.location.leaf());
    let mut writer = Writer {
        t,
        op,
        rules: is_own.then_some(rule).into_iter().collect(),
        resource,
        names,
        present: None,
        body: Value::Object(Map::new()),
        written: Vec::new(),
    };
    writer.create()?;
    Ok(writer.fields())
}

/// What the application will call a resource: the value that the line of its match attribute writes. Absent if no line does,
/// or if it cannot be worked out.
pub fn name_in_application(
    t: &TypeMapping,
    resource: &Resource,
    names: &Names<'_>,
) -> Option<Value> {
    let is_own = |rule: &&AttributeRule| rule.location.leaf() == t.match_attribute;
    let rule = t
        .attributes
        .iter()
        .filter(|rule| rule.is_written())
        .find(is_own)?;
    field_value(t, rule, resource, names).ok().flatten()
}

/// The application's value for a rule's location in a resource; absent if there is none, or if it is left out.
///
/// `names` are those of the whole write; the resource's attributes and `value` are added.
pub(super) fn field_value(
    t: &TypeMapping,
    rule: &AttributeRule,
    resource: &Resource,
    names: &Names<'_>,
) -> Result<Option<Value>, WriteError> {
    let leaf = rule.location.leaf();
    let value = unspelled(t, rule, resource, names);
    let Some(value) = value.map_err(|e| WriteError::of_template(&leaf, e))? else {
        return Ok(None);
    };
    match encode(t, rule, &value) {
        Ok(value) => Ok(Some(value)),
        Err(Untranslatable::Dropped) => Ok(None),
        Err(why) => Err(WriteError::untranslatable(&leaf, why)),
    }
}

/// What a rule writes, before it is spelled as the application does: the attribute's value, or what the rule makes of it.
pub(in crate::mapping) fn unspelled<'r>(
    t: &TypeMapping,
    rule: &AttributeRule,
    resource: &'r Resource,
    names: &Names<'_>,
) -> Result<Option<Cow<'r, Value>>, EvaluateError> {
    let plain = scim_value(t, rule, resource);
    let Some(template) = rule.write.as_ref().and_then(|write| write.value.as_ref()) else {
        return Ok(plain);
    };
    let mut scope = names.child();
    scope.resource(resource);
    if let Some(value) = plain {
        scope.with("value", value);
    }
    Ok(template.value(&scope)?.map(Cow::Owned))
}

/// The SCIM value at a rule's location. Of a complex value that has `value`, it is that; of a list, each one's.
pub(super) fn scim_value<'r>(
    t: &TypeMapping,
    rule: &AttributeRule,
    resource: &'r Resource,
) -> Option<Cow<'r, Value>> {
    let found = value_for(t, &rule.location, resource)?;
    let (attribute, sub) = definition(t, &rule.location);
    let is_complex = sub
        .or(attribute)
        .is_some_and(|a| a.kind == AttributeType::Complex && a.sub("value").is_some());
    Some(match found {
        Value::Object(members) if is_complex => Cow::Borrowed(members.get("value")?),
        Value::Array(items) if is_complex => {
            let values = items.iter().filter_map(|item| item.get("value"));
            Cow::Owned(values.cloned().collect())
        }
        other => Cow::Borrowed(other),
    })
}

/// The value in the application's spelling; of a list, each one's, unless the list is joined to one text.
pub(in crate::mapping) fn encode(
    t: &TypeMapping,
    rule: &AttributeRule,
    value: &Value,
) -> Result<Value, Untranslatable> {
    let is_own_id = rule.reference.as_deref() == Some(t.resource_type.name.as_str());
    let is_number = is_own_id && t.id.is_number && rule.form == Form::Same;
    let form = if is_number {
        &Form::Integer
    } else {
        &rule.form
    };
    let values = rule.values.as_ref();
    let kind = None;
    let spelling = Spelling { values, form, kind };
    match (value, form) {
        (Value::Array(items), Form::Joined(_)) => {
            let same = Spelling {
                form: &Form::Same,
                ..spelling
            };
            let joined = Spelling {
                values: None,
                ..spelling
            };
            joined.encode(&each(items, &same)?)
        }
        (Value::Array(items), _) => each(items, &spelling),
        _ => spelling.encode(value),
    }
}

fn each(items: &[Value], spelling: &Spelling<'_>) -> Result<Value, Untranslatable> {
    let mut list = Vec::with_capacity(items.len());
    for item in items {
        match spelling.encode(item) {
            Ok(value) => list.push(value),
            Err(Untranslatable::Dropped) => {}
            Err(why) => return Err(why),
        }
    }
    Ok(Value::Array(list))
}

/// What a create writes to a rule's field since the resource has no value for it; absent: nothing.
pub(super) fn created_by_default(
    t: &TypeMapping,
    rule: &AttributeRule,
    resource: &Resource,
    names: &Names<'_>,
) -> Result<Option<Value>, WriteError> {
    if rule.on_create.is_none() || field_value(t, rule, resource, names)?.is_some() {
        return Ok(None);
    }
    on_create(rule, resource, names)
}

fn on_create(
    rule: &AttributeRule,
    resource: &Resource,
    names: &Names<'_>,
) -> Result<Option<Value>, WriteError> {
    let Some(template) = &rule.on_create else {
        return Ok(None);
    };
    let mut scope = names.child();
    scope.resource(resource);
    template
        .value(&scope)
        .map_err(|e| WriteError::of_template(&rule.location.leaf(), e))
}

/// Whether a change of these attributes concerns the rule: its location, or a name in its template.
pub(super) fn is_touched(rule: &AttributeRule, changed: &[AttributePath]) -> bool {
    let has_names = rule
        .write
        .as_ref()
        .and_then(|write| write.value.as_ref())
        .is_some_and(|template| template.names().iter().any(|n| n.names != ["value"]));
    has_names || changed.iter().any(|path| rule.location.overlaps(path))
}

struct Writer<'w> {
    t: &'w TypeMapping,
    op: &'w Operation,
    /// The rules that the operation writes, in file order.
    rules: Vec<&'w AttributeRule>,
    resource: &'w Resource,
    names: &'w Names<'w>,
    present: Option<&'w Value>,
    body: Value,
    /// Places written so far: of two rules with one place the first in the file counts.
    written: Vec<&'w FieldPlace>,
}

impl<'w> Writer<'w> {
    fn fields(self) -> Map<String, Value> {
        match self.body {
            Value::Object(fields) => fields,
            _ => Map::new(),
        }
    }

    fn create(&mut self) -> Result<(), WriteError> {
        for rule in self.rules.clone() {
            if let Some(each) = &rule.each {
                let list = elements::list(self.t, rule, each, self.resource, None)?;
                if let Some(list) = list.filter(|list| !list.is_empty()) {
                    self.write(&each.items, Value::Array(list));
                }
            } else if let Some(write) = &rule.write {
                let value = field_value(self.t, rule, self.resource, self.names)?;
                let value = match value {
                    Some(value) => Some(value),
                    None => on_create(rule, self.resource, self.names)?,
                };
                if let Some(value) = value {
                    self.write(&write.place, value);
                }
            }
        }
        self.members()?;
        // Last, so that they hold whatever a client sends.
        for (place, value) in &self.t.constants {
            let constant = value.render(&self.names.child());
            let failed = |e| WriteError::of_template(&AttributePath::of(place.source()), e);
            if let Some(constant) = constant.map_err(failed)? {
                place.write(&mut self.body, constant);
            }
        }
        Ok(())
    }

    fn update(&mut self, changed: &[AttributePath], old: &Resource) -> Result<(), WriteError> {
        if let (Send::Merged, Some(present)) = (self.op.send, self.present) {
            self.body = present.clone();
        }
        let sends_all = self.op.send == Send::All;
        let rules = self.rules.clone();
        for rule in rules.into_iter().filter(|rule| !rule.is_create_only) {
            if !sends_all && !is_touched(rule, changed) {
                continue;
            }
            match (&rule.each, &rule.write) {
                (Some(each), _) => {
                    let new = elements::list(self.t, rule, each, self.resource, self.present)?;
                    let old = elements::list(self.t, rule, each, old, self.present)
                        .ok()
                        .flatten();
                    self.change_list(rule, &each.items, new, old)?;
                }
                (None, Some(write)) => {
                    let new = field_value(self.t, rule, self.resource, self.names)?;
                    let old = field_value(self.t, rule, old, self.names).ok().flatten();
                    self.change(rule, &write.place, new, old)?;
                }
                (None, None) => {}
            }
        }
        let is_member_change = changed
            .iter()
            .any(|path| path.schema.is_none() && path.attribute == "members");
        match sends_all || is_member_change {
            true => self.members(),
            false => Ok(()),
        }
    }

    fn change(
        &mut self,
        rule: &AttributeRule,
        place: &'w FieldPlace,
        new: Option<Value>,
        old: Option<Value>,
    ) -> Result<(), WriteError> {
        match (new, old) {
            (Some(new), Some(old)) if new == old && self.op.send != Send::All => {}
            (Some(new), _) => self.write(place, new),
            (None, Some(old)) => match &rule.when_removed {
                WhenRemoved::Null => self.write(place, Value::Null),
                WhenRemoved::Empty => self.write(place, empty_like(&old)),
                WhenRemoved::Value(value) => self.write(place, value.clone()),
                WhenRemoved::Element => self.remove_element(place),
                WhenRemoved::Skip => {}
                WhenRemoved::Refuse => {
                    return Err(WriteError::not_removable(&rule.location.leaf()));
                }
            },
            (None, None) => {}
        }
        Ok(())
    }

    /// A list that has become empty is sent as an empty list, unless the rule says something else of its removal.
    fn change_list(
        &mut self,
        rule: &AttributeRule,
        place: &'w FieldPlace,
        new: Option<Vec<Value>>,
        old: Option<Vec<Value>>,
    ) -> Result<(), WriteError> {
        let is_there = |list: &Option<Vec<Value>>| list.as_ref().is_some_and(|l| !l.is_empty());
        match (is_there(&new), is_there(&old), &rule.when_removed) {
            _ if new == old && self.op.send != Send::All => {}
            (true, ..) => self.write(place, Value::Array(new.unwrap_or_default())),
            (false, true, WhenRemoved::Skip) | (false, false, _) => {}
            (false, true, WhenRemoved::Refuse) => {
                return Err(WriteError::not_removable(&rule.location.leaf()));
            }
            (false, true, WhenRemoved::Value(value)) => self.write(place, value.clone()),
            (false, true, _) => self.write(place, Value::Array(Vec::new())),
        }
        Ok(())
    }

    /// The group's own list of members, if there is such a field and the members are known by their names.
    fn members(&mut self) -> Result<(), WriteError> {
        let path = AttributePath {
            attribute: "members".to_owned(),
            ..AttributePath::default()
        };
        let Some(field) = self.t.members.as_ref().and_then(|m| m.field.as_ref()) else {
            return Ok(());
        };
        if !covers(self.op, self.t, &path) {
            return Ok(());
        }
        let entry = |name| self.names.entry_named(name).and_then(Value::as_array);
        let (Some(ids), Some(types)) = (entry("members"), entry("types")) else {
            return Ok(());
        };
        let lists = members::member_lists(field, ids, types, self.names)
            .map_err(|e| WriteError::of_template(&path, e))?;
        for (place, list) in lists {
            self.write(place, list);
        }
        Ok(())
    }

    fn write(&mut self, place: &'w FieldPlace, value: Value) {
        if self.written.contains(&place) {
            return;
        }
        self.written.push(place);
        self.take_list_over(place);
        place.write(&mut self.body, value);
    }

    /// The list goes without the element that holds the place.
    fn remove_element(&mut self, place: &'w FieldPlace) {
        let Some(element) = place.element() else {
            return self.write(place, Value::Null);
        };
        if self.written.contains(&place) {
            return;
        }
        self.written.push(place);
        self.take_list_over(place);
        element.remove(&mut self.body);
    }

    /// A list that is written in part goes whole: most applications replace it.
    fn take_list_over(&mut self, place: &FieldPlace) {
        if let (Some(list), Some(present)) = (place.list(), self.present)
            && list.read(&self.body).is_none()
            && let Some(whole @ Value::Array(_)) = list.read(present)
        {
            list.write(&mut self.body, whole.clone());
        }
    }
}

/// The empty value of the type that a value has.
fn empty_like(old: &Value) -> Value {
    match old {
        Value::Array(_) => Value::Array(Vec::new()),
        _ => Value::String(String::new()),
    }
}
