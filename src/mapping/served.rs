//! The schemas that a mapping really serves: what discovery tells the client.
//!
//! An attribute that is neither mapped nor kept is not there; one that the application only shows is read-only, one that
//! it takes at creation only is immutable, one that it cannot be without is required. A table of the mapping that leaves
//! no other values makes them the canonical ones.

use std::sync::Arc;

use serde_json::Value;

use crate::scim::{Attribute, AttributeType, Mutability, ResourceType, Schema};

use super::{
    model::{AttributeRule, OnUnknown, TablePairs, TypeMapping, ValueTable},
    write,
};

/// A resource type with the attributes that the mapping serves. Extensions without any are left out.
pub fn resource_type(t: &TypeMapping) -> ResourceType {
    let whole = &*t.resource_type;
    let own = served(t, &whole.schema, None);
    let extensions = whole.extensions.iter().filter_map(|extension| {
        let schema = served(t, &extension.schema, Some(&extension.schema.id));
        let mut extension = extension.clone();
        let has_any = !schema.attributes.is_empty();
        extension.schema = Arc::new(schema);
        has_any.then_some(extension)
    });
    ResourceType {
        extensions: extensions.collect(),
        schema: Arc::new(own),
        ..whole.clone()
    }
}

fn served(t: &TypeMapping, schema: &Schema, extension: Option<&str>) -> Schema {
    let attributes = schema.attributes.iter().filter_map(|attribute| {
        let rules: Vec<&AttributeRule> = t
            .attributes
            .iter()
            .filter(|rule| {
                rule.location.path.schema.as_deref() == extension
                    && rule.location.path.attribute == attribute.name
            })
            .collect();
        match (attribute.name.as_str(), extension) {
            ("members", None) => t.members.is_some().then(|| attribute.clone()),
            ("groups", None) => t.groups.is_some().then(|| attribute.clone()),
            _ if rules.is_empty() => None,
            _ => Some(as_mapped(t, attribute, &rules)),
        }
    });
    Schema {
        attributes: attributes.collect(),
        ..schema.clone()
    }
}

/// An attribute with the parts and characteristics that its lines give it.
fn as_mapped(t: &TypeMapping, attribute: &Attribute, rules: &[&AttributeRule]) -> Attribute {
    let mut attribute = attribute.clone();
    attribute.is_required |= rules.iter().any(|rule| rule.is_required);
    // A reference is shown with its `$ref`, whatever the line names.
    if rules.iter().any(|rule| rule.reference.is_some()) {
        return attribute;
    }
    let whole: Vec<&AttributeRule> = rules
        .iter()
        .copied()
        .filter(|rule| is_whole(rule))
        .collect();
    let is_complex = attribute.kind == AttributeType::Complex;
    if !(whole.is_empty() && is_complex) {
        characterise(t, &mut attribute, &whole);
        fix_values(&mut attribute, rules);
    }
    attribute.sub_attributes.retain_mut(|sub| {
        let own: Vec<&AttributeRule> = rules
            .iter()
            .copied()
            .filter(|rule| part_of(rule) == Some(sub.name.as_str()))
            .collect();
        let is_constant = rules.iter().any(|rule| names_constant(rule, &sub.name));
        if whole.is_empty() && !is_constant {
            characterise(t, sub, &own);
            fix_values(sub, &own);
        }
        if !whole.is_empty() {
            // A line for certain elements says nothing of the others, which are kept.
            let of_all = own
                .iter()
                .copied()
                .filter(|rule| rule.location.element.is_none());
            characterise(t, sub, &of_all.collect::<Vec<_>>());
            sub.is_required |= own.iter().any(|rule| rule.is_required);
        }
        !whole.is_empty() || !own.is_empty() || is_constant
    });
    attribute
}

/// A line for the attribute as such: not for a sub-attribute, not for single elements.
fn is_whole(rule: &AttributeRule) -> bool {
    rule.location.element.is_none() && part_of(rule).is_none()
}

/// The sub-attribute that a line is about.
fn part_of(rule: &AttributeRule) -> Option<&str> {
    let location = &rule.location;
    location
        .sub_attribute
        .as_deref()
        .or(location.path.sub_attribute.as_deref())
}

/// Whether a sub-attribute says which element a line is about (`type` in `emails[type eq "work"]`).
fn names_constant(rule: &AttributeRule, name: &str) -> bool {
    rule.location
        .element
        .iter()
        .flatten()
        .any(|(constant, _)| constant == name)
}

fn characterise(t: &TypeMapping, attribute: &mut Attribute, rules: &[&AttributeRule]) {
    let is_write_only = attribute.mutability == Mutability::WriteOnly;
    let is_writable = is_write_only || attribute.mutability == Mutability::ReadWrite;
    if !is_writable || rules.is_empty() {
        return;
    }
    attribute.is_required |= rules.iter().any(|rule| rule.is_required);
    let is_kept = rules.iter().any(|rule| rule.is_kept);
    let is_made = t.create.is_some() && rules.iter().any(|rule| rule.is_written());
    let can_change = rules.iter().any(|rule| {
        let mut operations = t
            .updates
            .iter()
            .chain(&t.activate)
            .chain(&t.deactivate)
            .chain(&t.rename)
            .chain(&t.set_password);
        operations.any(|operation| write::covers(operation, t, &rule.location.path))
    });
    let is_set_once = rules.iter().all(|rule| rule.is_create_only) && t.rename.is_none();
    attribute.mutability = match () {
        // A password that only a create takes, too.
        () if is_set_once => Mutability::Immutable,
        () if is_write_only => Mutability::WriteOnly,
        () if is_kept || can_change => Mutability::ReadWrite,
        () if is_made => Mutability::Immutable,
        () => Mutability::ReadOnly,
    };
}

/// The values of a text that a table of the mapping leaves it, as canonical ones (RFC 7643 §7).
fn fix_values(attribute: &mut Attribute, rules: &[&AttributeRule]) {
    let [rule] = rules else {
        return; // Another line may give it other values.
    };
    if rule.is_kept {
        return;
    }
    let fix = |attribute: &mut Attribute, values: Option<&ValueTable>, absent| {
        if attribute.kind == AttributeType::String
            && let Some(values) = values.and_then(|values| fixed(values, absent))
        {
            attribute.canonical_values = values;
        }
    };
    let Some(each) = &rule.each else {
        return fix(attribute, rule.values.as_ref(), rule.when_absent.as_ref());
    };
    for part in &each.parts {
        let mut subs = attribute.sub_attributes.iter_mut();
        if let Some(sub) = subs.find(|sub| sub.name == part.sub_attribute) {
            fix(sub, part.values.as_ref(), None);
        }
    }
}

/// The texts that an attribute with this table can have; absent if it can have others.
fn fixed(values: &ValueTable, absent: Option<&Value>) -> Option<Vec<String>> {
    let TablePairs::Fixed(pairs) = &values.pairs else {
        return None; // They are the application's, and change with it.
    };
    let other = match &values.unknown_read {
        OnUnknown::Pass => return None,
        OnUnknown::Drop | OnUnknown::Refuse => None,
        OnUnknown::Value(value) => Some(value),
    };
    let of_pairs = pairs.iter().map(|(value, _)| value);
    let mut texts: Vec<String> = Vec::new();
    for value in of_pairs.chain(other).chain(absent) {
        let text = value.as_str()?.to_owned();
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    Some(texts)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::mapping::{
        fixture::{each, kept, operation, rule, user},
        model::Send,
    };

    fn names(attributes: &[Attribute]) -> Vec<&str> {
        attributes
            .iter()
            .map(|attribute| attribute.name.as_str())
            .collect()
    }

    #[test]
    fn a_part_that_is_required_stays_so_beside_a_line_that_keeps_the_whole() {
        let mut mail = rule("emails[type eq \"work\"].value", "mail");
        mail.is_required = true;
        let t = user(vec![mail, kept("emails")]);
        let served = resource_type(&t);
        let emails = served.schema.attribute("emails").unwrap();
        assert!(emails.is_required);
        let required = emails.sub_attributes.iter().filter(|sub| sub.is_required);
        let required: Vec<_> = required.map(|sub| sub.name.as_str()).collect();
        assert_eq!(required, ["value"]);
    }

    #[test]
    fn only_what_is_mapped_or_kept_is_served() {
        let t = user(vec![
            rule("userName", "login"),
            rule("name.givenName", "first"),
            rule("emails[type eq \"work\"].value", "mail"),
            kept("title"),
        ]);
        let served = resource_type(&t);
        assert_eq!(
            names(&served.schema.attributes),
            ["userName", "name", "title", "emails"]
        );
        let part = |name| {
            served
                .schema
                .attribute(name)
                .unwrap()
                .sub_attributes
                .as_slice()
        };
        assert_eq!(names(part("name")), ["givenName"]);
        assert_eq!(names(part("emails")), ["value", "type"]);
        assert!(served.extensions.is_empty());
    }

    #[test]
    fn a_state_that_is_switched_by_calls_can_be_written() {
        let mut state = rule("active", "locked");
        state.write = None;
        let mut t = user(vec![rule("userName", "login"), state]);
        let of_active = |t: &TypeMapping| {
            resource_type(t)
                .schema
                .attribute("active")
                .unwrap()
                .mutability
        };
        assert_eq!(of_active(&t), Mutability::ReadOnly);
        t.deactivate = Some(operation("user.deactivate", Send::Changed, &[]));
        assert_eq!(of_active(&t), Mutability::ReadWrite);
    }

    #[test]
    fn what_no_update_covers_is_written_once_or_never() {
        let mut t = user(vec![rule("userName", "login")]);
        let of_name = |t: &TypeMapping| {
            resource_type(t)
                .schema
                .attribute("userName")
                .unwrap()
                .mutability
        };
        t.create = Some(operation("user.create", Send::Changed, &[]));
        t.updates.push(operation("user.update", Send::Changed, &[]));
        assert_eq!(of_name(&t), Mutability::ReadWrite);
        t.updates.clear();
        assert_eq!(of_name(&t), Mutability::Immutable);
        t.create = None;
        assert_eq!(of_name(&t), Mutability::ReadOnly);
    }

    #[test]
    fn what_the_application_only_shows_is_read_only_and_what_it_takes_once_is_immutable() {
        let mut shown = rule("nickName", "nick");
        shown.write = None;
        let mut once = rule("title", "job");
        once.is_create_only = true;
        let mut kept_too = rule("locale", "lang");
        (kept_too.write, kept_too.is_kept) = (None, true);
        let mut secret = rule("password", "pass");
        let changeable = rule("password", "pass");
        secret.is_create_only = true;
        let password = |rule| {
            let served = resource_type(&user(vec![rule]));
            served.schema.attribute("password").unwrap().mutability
        };
        assert_eq!(password(changeable), Mutability::WriteOnly);
        assert_eq!(password(secret), Mutability::Immutable);
        let served = resource_type(&user(vec![shown, once, kept_too]));
        let mutability = |name| served.schema.attribute(name).unwrap().mutability;
        assert_eq!(mutability("nickName"), Mutability::ReadOnly);
        assert_eq!(mutability("title"), Mutability::Immutable);
        assert_eq!(mutability("locale"), Mutability::ReadWrite);
    }
    #[test]
    fn a_table_that_leaves_no_other_values_makes_them_canonical() {
        let table = |unknown_read| ValueTable {
            pairs: TablePairs::Fixed(vec![
                (json!("Employee"), json!(1)),
                (json!("Guest"), json!(2)),
            ]),
            unknown_read,
            unknown_write: OnUnknown::Refuse,
        };
        let canonical = |unknown_read, change: fn(&mut AttributeRule)| {
            let mut line = rule("userType", "kind");
            line.values = Some(table(unknown_read));
            change(&mut line);
            let served = resource_type(&user(vec![line]));
            let attribute = served.schema.attribute("userType").unwrap();
            attribute.canonical_values.join(" ")
        };
        let same = |_: &mut AttributeRule| {};
        assert_eq!(canonical(OnUnknown::Drop, same), "Employee Guest");
        assert_eq!(canonical(OnUnknown::Refuse, same), "Employee Guest");
        assert_eq!(canonical(OnUnknown::Pass, same), "");
        let other = OnUnknown::Value(json!("Other"));
        assert_eq!(canonical(other, same), "Employee Guest Other");
        let absent = |line: &mut AttributeRule| line.when_absent = Some(json!("Guest"));
        assert_eq!(canonical(OnUnknown::Drop, absent), "Employee Guest");
        assert_eq!(canonical(OnUnknown::Drop, |line| line.is_kept = true), "");

        let mut types = table(OnUnknown::Drop);
        types.pairs = TablePairs::Fixed(vec![(json!("work"), json!("w"))]);
        let mut addresses = each("emails", "list", &[("value", "a"), ("type", "t")]);
        let part = &mut addresses.each.as_mut().unwrap().parts[1];
        part.values = Some(types);
        let of_type = |rules| {
            let served = resource_type(&user(rules));
            let emails = served.schema.attribute("emails").unwrap();
            let mut subs = emails.sub_attributes.iter();
            subs.find(|sub| sub.name == "type")
                .unwrap()
                .canonical_values
                .clone()
        };
        let by_schema = of_type(vec![each(
            "emails",
            "list",
            &[("value", "a"), ("type", "t")],
        )]);
        assert_eq!(of_type(vec![addresses]), ["work"]);
        assert_eq!(by_schema, ["work", "home", "other"]);
    }
}
