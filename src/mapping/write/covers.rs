//! Which operation writes which attribute, and what is kept here.

use crate::{
    mapping::{
        location::is_same_attribute,
        model::{AttributeRule, Operation, TypeMapping},
        names::extension_name,
        template::{Template, Tree},
    },
    scim::AttributePath,
};

/// The update that writes a user's list of groups (`on-user`): the one whose `covers` names `groups`, or else the last that covers
/// everything, or the last.
pub fn update_of_groups(users: &TypeMapping) -> Option<&Operation> {
    let mut updates = users.updates.iter();
    let own = updates.find(|update| update.covers.iter().any(is_groups));
    let mut all = users.updates.iter().rev();
    own.or_else(|| all.find(|update| update.covers.is_empty()))
        .or(users.updates.last())
}

/// Whether a path is the list of a user's groups.
pub fn is_groups(path: &AttributePath) -> bool {
    path.schema.is_none() && path.attribute == "groups"
}

/// Whether an operation writes the attribute.
///
/// The operation must be the type's own. `create` and updates without a list of what they `cover` write everything that has
/// a field, except what other operations are there for: `active` if there are `activate` and `deactivate`, `password` with
/// `set-password`, the matched attribute with `rename`, and what other updates name. Members count for the group's updates if
/// they are a field of it.
pub fn covers(op: &Operation, t: &TypeMapping, path: &AttributePath) -> bool {
    if !op.covers.is_empty() {
        return op.covers.iter().any(|covered| is_within(covered, path));
    }
    let is = |other: &Option<Operation>| other.as_ref().is_some_and(|o| std::ptr::eq(o, op));
    if is(&t.activate) || is(&t.deactivate) {
        return is_plain(path, "active");
    }
    if is(&t.set_password) {
        return is_plain(path, "password");
    }
    if is(&t.rename) {
        return is_same_attribute(path, &t.match_attribute);
    }
    if is(&t.delete) || is(&t.get) {
        return false;
    }
    let is_create = is(&t.create);
    let is_elsewhere = !is_create && has_own_operation(op, t, path);
    !is_elsewhere
        && (is_written(t, path) || is_member_field(t, path) || is_written_by_calls(op, t, path))
}

/// The rules that a change at the path may concern, in file order: those about it, kept ones included, and those whose
/// templates name it.
pub fn rules_for<'t>(t: &'t TypeMapping, path: &AttributePath) -> Vec<&'t AttributeRule> {
    t.attributes
        .iter()
        .filter(|rule| {
            let on_create = rule.on_create.iter();
            rule.location.overlaps(path) || is_named(on_create.chain(written_by(rule)), path)
        })
        .collect()
}

/// The rules about the path itself, in file order.
pub(super) fn rules_at<'t>(
    t: &'t TypeMapping,
    path: &AttributePath,
) -> impl Iterator<Item = &'t AttributeRule> {
    let path = path.clone();
    t.attributes
        .iter()
        .filter(move |rule| rule.location.overlaps(&path))
}

/// Whether a value at the path, or a part of it, is kept here.
pub fn is_kept(t: &TypeMapping, path: &AttributePath) -> bool {
    t.attributes
        .iter()
        .any(|rule| rule.is_kept && rule.location.overlaps(path))
}

/// Whether the client's `externalId` is kept here: unless the application has a place for it, and says what is there.
pub fn keeps_external_id(t: &TypeMapping) -> bool {
    t.attributes
        .iter()
        .filter(|rule| {
            rule.location.path.schema.is_none() && rule.location.path.attribute == "externalId"
        })
        .all(|rule| rule.is_kept || !rule.is_read())
}

/// Whether a call of the operation names the attribute, in its path, its query or its body.
pub fn is_named_by(operation: &Operation, path: &AttributePath) -> bool {
    let mut names = operation.steps.iter().flat_map(|call| {
        let query = call.query.iter().flat_map(|(_, value)| value.names());
        let with = call.with.iter().map(|with| &with.tree);
        let body = call.body.iter().chain(with).flat_map(Tree::names);
        call.path.names().into_iter().chain(query).chain(body)
    });
    names.any(|name| is_name_of(&name.names, path))
}

fn is_written(t: &TypeMapping, path: &AttributePath) -> bool {
    t.attributes.iter().any(|rule| {
        rule.is_written() && (rule.location.overlaps(path) || is_named(written_by(rule), path))
    })
}

/// Whether a line without a field is about the path, and a call of the operation names it.
fn is_written_by_calls(op: &Operation, t: &TypeMapping, path: &AttributePath) -> bool {
    t.attributes.iter().any(|rule| {
        rule.is_for_calls()
            && rule.location.overlaps(path)
            && is_named_by(op, &rule.location.leaf())
    })
}

/// The template by which a rule writes.
fn written_by(rule: &AttributeRule) -> Option<&Template> {
    rule.write.as_ref()?.value.as_ref()
}

/// Whether a template names the attribute.
pub(super) fn is_named<'t>(
    templates: impl IntoIterator<Item = &'t Template>,
    path: &AttributePath,
) -> bool {
    templates
        .into_iter()
        .flat_map(Template::names)
        .any(|name| is_name_of(&name.names, path))
}

/// Whether a name of an expression (`name.givenName`, `enterprise.department`) is the attribute, a part or the whole of it.
fn is_name_of(names: &[String], path: &AttributePath) -> bool {
    let rest = match (&path.schema, names) {
        (None, names) => names,
        (Some(urn), [first, second, rest @ ..]) if first == "extension" && second == urn => rest,
        (Some(urn), [first, rest @ ..]) if extension_name(urn) == Some(first) => rest,
        (Some(_), _) => return false,
    };
    let wanted = [Some(&path.attribute), path.sub_attribute.as_ref()];
    let is_same = |(name, wanted): (&String, &String)| name.eq_ignore_ascii_case(wanted);
    (path.schema.is_some() || !rest.is_empty())
        && rest.iter().zip(wanted.into_iter().flatten()).all(is_same)
}

fn is_member_field(t: &TypeMapping, path: &AttributePath) -> bool {
    let has_field = t.members.as_ref().is_some_and(|m| m.field.is_some());
    has_field && is_plain(path, "members")
}

/// Whether another operation is there for the attribute.
fn has_own_operation(op: &Operation, t: &TypeMapping, path: &AttributePath) -> bool {
    let has_states = t.activate.is_some() && t.deactivate.is_some();
    (has_states && is_plain(path, "active"))
        || (t.set_password.is_some() && is_plain(path, "password"))
        || (t.rename.is_some() && is_same_attribute(path, &t.match_attribute))
        || t.updates
            .iter()
            .filter(|other| !std::ptr::eq(*other, op))
            .any(|other| other.covers.iter().any(|covered| is_within(covered, path)))
}

/// An attribute of the resource type's own schema, by name.
fn is_plain(path: &AttributePath, name: &str) -> bool {
    path.schema.is_none() && path.attribute.eq_ignore_ascii_case(name)
}

/// Whether the path is the covered one, a part of it, or the whole of which it is a part.
fn is_within(covered: &AttributePath, path: &AttributePath) -> bool {
    let is_same_sub = match (&covered.sub_attribute, &path.sub_attribute) {
        (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
        _ => true,
    };
    is_same_attribute(covered, path) && is_same_sub
}
