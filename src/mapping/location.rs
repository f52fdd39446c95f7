//! Locations in a resource: found, read, and put.
//!
//! In: a [`Location`] and a resource. Out: the value there, or the resource with a value put there. Knows nothing of the
//! application.

use serde_json::{Map, Value};

use crate::scim::{Attribute, AttributePath, Resource};

use super::{
    model::{AttributeRule, Location, TypeMapping},
    value::is_same_text,
};

impl Location {
    /// The path of the attribute or sub-attribute, without the element's condition.
    pub fn leaf(&self) -> AttributePath {
        AttributePath {
            sub_attribute: self
                .path
                .sub_attribute
                .clone()
                .or_else(|| self.sub_attribute.clone()),
            ..self.path.clone()
        }
    }

    /// Whether it is one element of a multi-valued attribute, or a part of one.
    pub(crate) fn is_element(&self) -> bool {
        self.element.is_some() || self.sub_attribute.is_some()
    }

    /// The values that the element's sub-attributes must have; none if any element will do.
    pub(crate) fn constants(&self) -> &[(String, Value)] {
        self.element.as_deref().unwrap_or_default()
    }

    /// Whether both are in the same attribute.
    pub(crate) fn is_of_attribute(&self, path: &AttributePath) -> bool {
        is_same_attribute(&self.path, path)
    }

    /// Whether a change at the path may change the value here: one lies within the other.
    pub(crate) fn overlaps(&self, path: &AttributePath) -> bool {
        if path.attribute.is_empty() {
            return is_same_schema(&self.path, path);
        }
        let sub = self.path.sub_attribute.as_ref();
        let sub = sub.or(self.sub_attribute.as_ref());
        self.is_of_attribute(path)
            && match (sub, &path.sub_attribute) {
                (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
                _ => true,
            }
    }

    /// Whether an element has the values it must have; texts compare without regard to case.
    pub(crate) fn matches(&self, element: &Value) -> bool {
        has_all(element, self.constants())
    }

    /// The object that holds the attribute: the resource, or an extension's part of it.
    fn holder<'r>(&self, resource: &'r Map<String, Value>) -> Option<&'r Map<String, Value>> {
        match &self.path.schema {
            Some(urn) => resource.get(urn)?.as_object(),
            None => Some(resource),
        }
    }

    /// The attribute's value as a whole, whatever part of it the location is.
    pub(crate) fn attribute_in<'r>(&self, resource: &'r Map<String, Value>) -> Option<&'r Value> {
        self.holder(resource)?.get(&self.path.attribute)
    }

    /// The value here. An element is the one that matches exactly; [`chosen`] knows who may stand in for it.
    pub(crate) fn read<'r>(&self, resource: &'r Map<String, Value>) -> Option<&'r Value> {
        let attribute = self.attribute_in(resource)?;
        if self.is_element() {
            let element = attribute.as_array()?.iter().find(|e| self.matches(e))?;
            return self.within(element);
        }
        match &self.path.sub_attribute {
            Some(sub) => attribute.as_object()?.get(sub),
            None => Some(attribute),
        }
    }

    /// The part of an element that the location is.
    pub(crate) fn within<'r>(&self, element: &'r Value) -> Option<&'r Value> {
        match &self.sub_attribute {
            Some(sub) => element.get(sub),
            None => Some(element),
        }
    }

    /// Puts a value here. An element is found by its values or made with them.
    pub(crate) fn put(&self, resource: &mut Map<String, Value>, value: Value) {
        match &self.path.schema {
            Some(urn) => in_object(resource, urn, |holder| self.put_in(holder, value)),
            None => self.put_in(resource, value),
        }
    }

    fn put_in(&self, holder: &mut Map<String, Value>, value: Value) {
        let name = &self.path.attribute;
        if self.is_element() {
            return in_list(holder, name, |list| self.put_element(list, value));
        }
        match &self.path.sub_attribute {
            Some(sub) => in_object(holder, name, |object| {
                object.insert(sub.clone(), value);
            }),
            None => {
                holder.insert(name.clone(), value);
            }
        }
    }

    fn put_element(&self, list: &mut Vec<Value>, value: Value) {
        let found = list
            .iter_mut()
            .find(|e| e.is_object() && self.matches(e))
            .and_then(Value::as_object_mut);
        match found {
            Some(element) => self.put_within(element, value),
            None => {
                let mut element = self.constants().iter().cloned().collect();
                self.put_within(&mut element, value);
                list.push(Value::Object(element));
            }
        }
    }

    /// Puts a value into an element.
    pub(crate) fn put_within(&self, element: &mut Map<String, Value>, value: Value) {
        match (&self.sub_attribute, value) {
            (Some(sub), value) => {
                element.insert(sub.clone(), value);
            }
            (None, Value::Object(mut members)) => element.append(&mut members),
            (None, _) => {}
        }
    }
}

/// The element that a rule about one element writes: the one that matches, else one that may stand in for it (N15).
///
/// For `emails` that is the primary address, else one of type work, else one without type, else the first; for other
/// attributes one that has no value where the rule wants one, such as a telephone number without type. An element that
/// another rule names stands in for none, and only the attribute's first rule finds a stand-in.
pub(crate) fn chosen(t: &TypeMapping, location: &Location, list: &[Value]) -> Option<usize> {
    exact(location, list).or_else(|| stand_in(t, location, list))
}

/// The element that matches; of several the primary one.
fn exact(location: &Location, list: &[Value]) -> Option<usize> {
    if location.constants().is_empty() {
        return None;
    }
    let is_match = |e: &Value| location.matches(e);
    list.iter()
        .position(|e| is_match(e) && is_primary(e))
        .or_else(|| list.iter().position(is_match))
}

fn stand_in(t: &TypeMapping, location: &Location, list: &[Value]) -> Option<usize> {
    let constants = location.constants();
    let rules = || element_rules(t, location);
    let is_first = rules()
        .next()
        .is_none_or(|r| r.location.constants() == constants);
    if !is_first {
        return None;
    }
    let is_claimed = |element: &Value| {
        rules().any(|r| !r.location.constants().is_empty() && r.location.matches(element))
    };
    let free: Vec<(usize, &Value)> = list
        .iter()
        .enumerate()
        .filter(|(_, e)| e.is_object() && !is_claimed(e))
        .collect();
    let first = |fits: &dyn Fn(&Value) -> bool| {
        let found = free.iter().find(|(_, element)| fits(element));
        found.map(|(index, _)| *index)
    };
    let takes_any = constants.is_empty()
        || location.path.attribute == "emails"
        || constants.iter().any(|(name, _)| name == "primary");
    if takes_any {
        return first(&is_primary)
            .or_else(|| first(&|e| has_all(e, &[("type".to_owned(), Value::from("work"))])))
            .or_else(|| first(&|e| e.get("type").is_none()))
            .or_else(|| first(&|_| true));
    }
    let lacks_constants = |e: &Value| constants.iter().all(|(name, _)| e.get(name).is_none());
    first(&|e| lacks_constants(e) && is_primary(e)).or_else(|| first(&lacks_constants))
}

/// The value that a rule writes: at its location, or of the element that stands in for it.
pub(crate) fn value_for<'r>(
    t: &TypeMapping,
    location: &Location,
    resource: &'r Resource,
) -> Option<&'r Value> {
    if !location.is_element() {
        return location.read(&resource.0);
    }
    let list = location.attribute_in(&resource.0)?.as_array()?;
    location.within(list.get(chosen(t, location, list)?)?)
}

/// What the schema says about the location: its attribute, and the sub-attribute if it is one.
pub(crate) fn definition<'t>(
    t: &'t TypeMapping,
    location: &Location,
) -> (Option<&'t Attribute>, Option<&'t Attribute>) {
    match t.resource_type.resolve(&location.leaf()) {
        Some(resolved) => (resolved.attribute, resolved.sub_attribute),
        None => (None, None),
    }
}

/// Rules about elements of the same attribute that read or write the application, in file order.
pub(crate) fn element_rules<'t>(
    t: &'t TypeMapping,
    location: &Location,
) -> impl Iterator<Item = &'t AttributeRule> {
    let path = location.path.clone();
    t.attributes.iter().filter(move |rule| {
        rule.location.is_element()
            && rule.location.is_of_attribute(&path)
            && (rule.read.is_some() || rule.write.is_some())
    })
}

pub(crate) fn is_same_attribute(a: &AttributePath, b: &AttributePath) -> bool {
    is_same_schema(a, b) && a.attribute.eq_ignore_ascii_case(&b.attribute)
}

fn is_same_schema(a: &AttributePath, b: &AttributePath) -> bool {
    match (&a.schema, &b.schema) {
        (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
        (None, None) => true,
        _ => false,
    }
}

fn is_primary(element: &Value) -> bool {
    element.get("primary") == Some(&Value::Bool(true))
}

fn has_all(element: &Value, constants: &[(String, Value)]) -> bool {
    constants
        .iter()
        .all(|(name, wanted)| match element.get(name) {
            Some(Value::String(text)) => wanted.as_str().is_some_and(|w| is_same_text(text, w)),
            found => found == Some(wanted),
        })
}

/// Works on the object at a member, made if there is none.
pub(crate) fn in_object(
    map: &mut Map<String, Value>,
    name: &str,
    work: impl FnOnce(&mut Map<String, Value>),
) {
    let value = map.entry(name).or_insert(Value::Null);
    let mut object = match value.take() {
        Value::Object(object) => object,
        _ => Map::new(),
    };
    work(&mut object);
    *value = Value::Object(object);
}

/// Works on the list at a member, made if there is none.
fn in_list(map: &mut Map<String, Value>, name: &str, work: impl FnOnce(&mut Vec<Value>)) {
    let value = map.entry(name).or_insert(Value::Null);
    let mut list = match value.take() {
        Value::Array(list) => list,
        _ => Vec::new(),
    };
    work(&mut list);
    *value = Value::Array(list);
}
