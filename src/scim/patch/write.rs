//! `add` and `replace`, and what an operation does to selected elements (RFC 7644 §3.5.2.1, §3.5.2.3).

use serde_json::{Map, Value};

use super::draft::{Draft, not_writable, nothing_matches};
use super::elements::{Index, described, make_primary};
use super::target::{Selection, Spot};
use super::{OnNoMatch, PatchKind};
use crate::scim::error::shown;
use crate::scim::intake::value::{self, is_primary, missing, wrong_type};
use crate::scim::{Attribute, Error, Mutability};

impl<'a> Draft<'a> {
    /// Adds to or replaces an attribute as a whole.
    pub(super) fn write_attribute(
        &mut self,
        kind: PatchKind,
        spot: Spot<'a>,
        given: &Value,
    ) -> Result<(), Error> {
        let attribute = spot.attribute;
        let name = spot.name();
        if spot.is_read_only() {
            return match self.value(spot) {
                Some(present) if says_nothing_new(present, given) => Ok(()),
                None if is_unassigned(given) => Ok(()),
                _ => Err(not_writable(attribute, &name)),
            };
        }
        if is_unassigned(given) {
            return match kind {
                PatchKind::Add => Ok(()),
                _ if attribute.is_required => Err(missing(&name)),
                _ => self.remove_attribute(spot),
            };
        }
        if attribute.is_multi_valued {
            return self.write_list(kind, spot, given);
        }
        let present = self.value(spot).cloned();
        let new = match (attribute.is_complex(), given) {
            (true, Value::Object(object)) => {
                let mut merged = match &present {
                    Some(Value::Object(present)) => present.clone(),
                    _ => Map::new(),
                };
                merge(attribute, &name, &mut merged, object)?;
                (!merged.is_empty()).then_some(Value::Object(merged))
            }
            (true, _) => return Err(wrong_type(attribute, &name)),
            (false, _) => value::take_single(attribute, &name, given.clone())?,
        };
        if attribute.is_required && value::is_empty(new.as_ref()) {
            return Err(missing(&name));
        }
        check_immutable(attribute, &name, present.as_ref(), new.as_ref())?;
        self.set(spot, new);
        Ok(())
    }

    /// Appends to or replaces a list; one value stands for a list of one.
    fn write_list(&mut self, kind: PatchKind, spot: Spot<'a>, given: &Value) -> Result<(), Error> {
        let attribute = spot.attribute;
        let name = spot.name();
        let given = match given {
            Value::Array(elements) => elements.clone(),
            one => vec![one.clone()],
        };
        let new = value::take_elements(attribute, &name, given)?;
        let is_immutable = attribute.mutability == Mutability::Immutable;
        let before = self.value(spot).filter(|_| is_immutable).cloned();
        match kind {
            PatchKind::Add => self.append(spot, new),
            _ => {
                self.index = None;
                self.set(spot, (!new.is_empty()).then_some(Value::Array(new)));
            }
        }
        check_immutable(attribute, &name, before.as_ref(), self.value(spot))?;
        if attribute.is_required && value::is_empty(self.value(spot)) {
            return Err(missing(&name));
        }
        Ok(())
    }

    fn append(&mut self, spot: Spot<'a>, new: Vec<Value>) {
        if new.is_empty() {
            return;
        }
        let path = spot.path();
        if !matches!(self.value(spot), Some(Value::Array(_))) {
            self.set(spot, Some(Value::Array(Vec::new())));
            self.index = None;
        }
        let index = self.index.take().filter(|(of, _)| *of == path);
        let Some(Value::Array(elements)) = self.value_mut(spot) else {
            return;
        };
        let mut index = match index {
            Some((_, index)) => index,
            None => Index::of(elements),
        };
        index.append(elements, spot.attribute, new);
        self.index = Some((path, index));
    }

    /// Changes a sub-attribute of a single value, or of every element.
    pub(super) fn write_sub(
        &mut self,
        kind: PatchKind,
        spot: Spot<'a>,
        sub: &Attribute,
        given: &Value,
    ) -> Result<(), Error> {
        if spot.attribute.is_multi_valued {
            let everything = |_: &Value| true;
            let changed = self.change_elements(spot, everything, |element| {
                write_sub_of(kind, spot, sub, element, given)
            })?;
            // A remove from an empty list has nothing to do.
            return match (changed, kind) {
                (0, PatchKind::Add | PatchKind::Replace) => {
                    nothing_matches(spot, OnNoMatch::NoTarget)
                }
                _ => Ok(()),
            };
        }
        let mut content = match self.value(spot) {
            Some(present @ Value::Object(_)) => present.clone(),
            _ => Value::Object(Map::new()),
        };
        check_read_only(spot, sub, &content, given)?;
        write_sub_of(kind, spot, sub, &mut content, given)?;
        let is_empty = content.as_object().is_none_or(Map::is_empty);
        if is_empty && spot.attribute.is_required {
            return Err(missing(&spot.name()));
        }
        let new = (!is_empty).then_some(content);
        check_immutable(spot.attribute, &spot.name(), self.value(spot), new.as_ref())?;
        self.set(spot, new);
        Ok(())
    }

    /// Changes or removes the elements a value filter selects, or a sub-attribute of them.
    pub(super) fn write_elements(
        &mut self,
        kind: PatchKind,
        spot: Spot<'a>,
        selection: &Selection<'_>,
        sub: Option<&Attribute>,
        given: &Value,
        on_no_match: OnNoMatch,
    ) -> Result<(), Error> {
        if spot.is_read_only() {
            return Err(not_writable(spot.attribute, &spot.name()));
        }
        let selects = |element: &Value| selection.matcher.matches(element);
        let changed = match (sub, kind) {
            (None, PatchKind::Remove) => self.remove_elements(spot, selects)?,
            (Some(sub), _) => self.change_elements(spot, selects, |element| {
                write_sub_of(kind, spot, sub, element, given)
            })?,
            (None, _) => self.change_elements(spot, selects, |element| {
                write_element(kind, spot, element, given)
            })?,
        };
        match (changed, on_no_match, kind) {
            (0, OnNoMatch::Create, PatchKind::Add | PatchKind::Replace) => {
                self.create_element(spot, selection, sub, given)
            }
            (0, _, PatchKind::Add | PatchKind::Replace) => nothing_matches(spot, on_no_match),
            _ => Ok(()),
        }
    }

    /// Makes the element that a value filter describes.
    fn create_element(
        &mut self,
        spot: Spot<'a>,
        selection: &Selection<'_>,
        sub: Option<&Attribute>,
        given: &Value,
    ) -> Result<(), Error> {
        if is_unassigned(given) {
            return Ok(());
        }
        // `type eq "home" and type eq "work"` describes none: nothing could ever match it.
        let element = described(selection.filter, spot.attribute);
        let is_own = |element: &Map<String, Value>| {
            selection.matcher.matches(&Value::Object(element.clone()))
        };
        let Some(mut element) = element.filter(is_own) else {
            return nothing_matches(spot, OnNoMatch::NoTarget);
        };
        match (sub, given) {
            (Some(sub), _) => {
                element.insert(sub.name.clone(), given.clone());
            }
            (None, Value::Object(object)) => {
                merge(spot.attribute, &spot.name(), &mut element, object)?;
            }
            (None, _) => return Err(wrong_type(spot.attribute, &spot.name())),
        }
        let element = Value::Object(element);
        let new = value::take_elements(spot.attribute, &spot.name(), vec![element])?;
        self.append(spot, new);
        Ok(())
    }

    /// Changes the selected elements and gives their number. Elements left without content go;
    /// an element that has become primary takes the flag from the others.
    fn change_elements(
        &mut self,
        spot: Spot<'a>,
        selects: impl Fn(&Value) -> bool,
        change: impl Fn(&mut Value) -> Result<(), Error>,
    ) -> Result<usize, Error> {
        self.index = None;
        let is_immutable = spot.attribute.mutability == Mutability::Immutable;
        let before = self.value(spot).filter(|_| is_immutable).cloned();
        let Some(Value::Array(elements)) = self.value_mut(spot) else {
            return Ok(0);
        };
        let (mut changed, mut new_primary) = (0, None);
        for (position, element) in elements.iter_mut().enumerate() {
            if !selects(element) {
                continue;
            }
            changed += 1;
            let was_primary = is_primary(element);
            change(element)?;
            if is_primary(element) && !was_primary && new_primary.replace(position).is_some() {
                let detail = format!("Only one element of `{}` can be primary.", spot.name());
                return Err(Error::invalid_value(detail));
            }
        }
        if let Some(position) = new_primary {
            make_primary(elements, position);
        }
        if changed > 0 {
            elements.retain(|e| !is_unassigned(e) && e.as_object().is_none_or(|o| !o.is_empty()));
        }
        check_immutable(
            spot.attribute,
            &spot.name(),
            before.as_ref(),
            self.value(spot),
        )?;
        self.settle(spot)?;
        Ok(changed)
    }
}

/// Whether a value assigns nothing (RFC 7643 §2.5).
pub(super) fn is_unassigned(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(elements) => elements.is_empty(),
        _ => false,
    }
}

/// Changes one element as a whole: an add merges into it, a replace takes its place.
fn write_element(
    kind: PatchKind,
    spot: Spot<'_>,
    element: &mut Value,
    given: &Value,
) -> Result<(), Error> {
    let name = spot.name();
    // A list of one is the element it holds.
    let given = match given {
        Value::Array(elements) => match elements.as_slice() {
            [one] => one,
            _ => return Err(wrong_type(spot.attribute, &name)),
        },
        one => one,
    };
    match (kind, &mut *element, given) {
        (PatchKind::Add, Value::Object(present), Value::Object(object)) => {
            merge(spot.attribute, &name, present, object)
        }
        _ => {
            let new = value::take_single(spot.attribute, &name, given.clone())?;
            *element = new.unwrap_or_default();
            Ok(())
        }
    }
}

/// Sets or removes one sub-attribute of a value.
fn write_sub_of(
    kind: PatchKind,
    spot: Spot<'_>,
    sub: &Attribute,
    content: &mut Value,
    given: &Value,
) -> Result<(), Error> {
    let Value::Object(content) = content else {
        return Ok(());
    };
    let name = spot.sub_name(sub);
    let present = content.get(&sub.name);
    if spot.is_read_only() || sub.mutability == Mutability::ReadOnly {
        let is_same = present.map_or(given.is_null(), |p| p == given);
        return if is_same {
            Ok(())
        } else {
            Err(not_writable(sub, &name))
        };
    }
    let new = match kind {
        PatchKind::Remove => None,
        PatchKind::Add if is_unassigned(given) => return Ok(()),
        _ => value::take(sub, &name, given.clone())?,
    };
    if sub.is_required && value::is_empty(new.as_ref()) {
        return Err(match kind {
            PatchKind::Remove => required(&name),
            _ => missing(&name),
        });
    }
    check_immutable(sub, &name, present, new.as_ref())?;
    match new {
        Some(new) => content.insert(sub.name.clone(), new),
        None => content.shift_remove(&sub.name),
    };
    Ok(())
}

/// Merges sub-attributes into a complex value: those given change, the others stay. Null removes;
/// what is readOnly is passed over, as in a whole resource.
fn merge(
    attribute: &Attribute,
    name: &str,
    content: &mut Map<String, Value>,
    given: &Map<String, Value>,
) -> Result<(), Error> {
    for (key, given) in given {
        let Some(sub) = attribute.sub(key) else {
            let detail = format!("`{}` is not a sub-attribute of `{name}`.", shown(key));
            return Err(Error::invalid_syntax(detail));
        };
        if sub.mutability == Mutability::ReadOnly {
            continue;
        }
        let sub_name = format!("{name}.{}", sub.name);
        let new = value::take(sub, &sub_name, given.clone())?;
        if sub.is_required && value::is_empty(new.as_ref()) {
            return Err(missing(&sub_name));
        }
        check_immutable(sub, &sub_name, content.get(&sub.name), new.as_ref())?;
        match new {
            Some(new) => content.insert(sub.name.clone(), new),
            None => content.shift_remove(&sub.name),
        };
    }
    Ok(())
}

/// That a required attribute cannot be removed (RFC 7644 §3.5.2.2 makes it `mutability`).
pub(super) fn required(name: &str) -> Error {
    Error::mutability(format!("`{name}` is required; it cannot be removed."))
}

/// A readOnly attribute's sub-attributes are readOnly with it.
fn check_read_only(
    spot: Spot<'_>,
    sub: &Attribute,
    content: &Value,
    given: &Value,
) -> Result<(), Error> {
    let is_same = content
        .get(&sub.name)
        .map_or(given.is_null(), |p| p == given);
    if spot.is_read_only() && !is_same {
        return Err(not_writable(spot.attribute, &spot.sub_name(sub)));
    }
    Ok(())
}

/// An immutable attribute can get a value, but not another one (RFC 7643 §7).
fn check_immutable(
    attribute: &Attribute,
    name: &str,
    present: Option<&Value>,
    new: Option<&Value>,
) -> Result<(), Error> {
    let is_immutable = attribute.mutability == Mutability::Immutable;
    if is_immutable && present.is_some() && present != new {
        return Err(not_writable(attribute, name));
    }
    Ok(())
}

/// Whether every part of a given value is there already.
fn says_nothing_new(present: &Value, given: &Value) -> bool {
    match (present, given) {
        (Value::Object(present), Value::Object(given)) => given.iter().all(|(key, value)| {
            let mut same = present.iter().filter(|(k, _)| k.eq_ignore_ascii_case(key));
            same.any(|(_, p)| says_nothing_new(p, value))
        }),
        (Value::Array(present), Value::Array(given)) => {
            present.len() == given.len()
                && present
                    .iter()
                    .zip(given)
                    .all(|(p, g)| says_nothing_new(p, g))
        }
        _ => present == given,
    }
}
