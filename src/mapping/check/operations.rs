//! Operations of a section taken together.

use crate::{
    diagnostic::{Diagnostic, Diagnostics},
    mapping::{
        expression::Expression,
        model::{AttributeRule, Find, IfMatch, Operation, ReplyKind, TypeMapping},
        sought, write,
    },
    scim::AttributePath,
};

use super::{place_of, writes};

/// Complaints about the operations of a section.
pub(super) fn check(resource_type: &TypeMapping, is_complete: bool, complaints: &mut Diagnostics) {
    unreachable_updates(resource_type, complaints);
    repeated_finds(resource_type, complaints);
    for operation in writes(resource_type) {
        unwrapped(operation, complaints);
        if is_complete {
            needs_get(resource_type, operation, complaints);
            unmapped(resource_type, operation, complaints);
            never_changed(resource_type, operation, complaints);
            needs_another(operation, complaints);
        }
    }
    if is_complete {
        without_id(resource_type, complaints);
        half_pair(resource_type, complaints);
        unsought(resource_type, complaints);
        new_id(resource_type, complaints);
        new_key(resource_type, complaints);
        id_to_put_in(resource_type, complaints);
        for find in &resource_type.finds {
            unmapped_find(resource_type, find, complaints);
            useless_find(resource_type, find, complaints);
            find_without_value(resource_type, find, complaints);
        }
    }
}

/// A line that says `unique` without a way to look the value up.
fn unsought(resource_type: &TypeMapping, complaints: &mut Diagnostics) {
    let unique = resource_type
        .attributes
        .iter()
        .filter(|line| line.is_unique);
    for line in unique.filter(|line| resource_type.find_of(line).is_none()) {
        let leaf = line.location.leaf();
        let sentence = format!(
            "`{leaf}` is `unique`, but `{}` has no `find` that looks it up.",
            resource_type.section
        );
        complaints.add(
            Diagnostic::error("mapping::missing-operation", sentence)
                .at(&line.place)
                .mend(format!(
                    "add `[[{}.find]]` with `filter = \"{leaf} eq\"`",
                    resource_type.section
                )),
        );
    }
}

/// Mapped fields in a body of the call's own that has no envelope, although the objects have one.
fn unwrapped(operation: &Operation, complaints: &mut Diagnostics) {
    let Some(envelope) = &operation.envelope else {
        return;
    };
    for step in &operation.steps {
        let Some(body) = &step.body else {
            continue;
        };
        if body.has_member(envelope) || !super::names::uses(step, "fields") {
            continue;
        }
        let sentence = format!(
            "`{}` sends the fields without the envelope `{envelope}`: a `body` is sent as it is written.",
            operation.name
        );
        complaints.add(
            Diagnostic::warning("mapping::body-without-envelope", sentence)
                .at(&step.place)
                .mend(format!(
                    "write `body = {{ {envelope} = \"{{fields}}\" }}`, or `envelope = \"\"` if the application wants none"
                )),
        );
    }
}

/// A find that asks the same whatever is looked for.
fn find_without_value(resource_type: &TypeMapping, find: &Find, complaints: &mut Diagnostics) {
    // Another name may be meant: if it is none, that is told of it.
    if super::names::names_an_object(&find.call) {
        return;
    }
    let sentence = format!(
        "A `find` of `{}` does not say what is looked for.",
        resource_type.section
    );
    complaints.add(
        Diagnostic::warning("mapping::no-object-named", sentence)
            .at(&find.call.place)
            .mend("put `{value}` into the path, the query or the body"),
    );
}

/// An id that is to be put into objects that do not hold it, and whose place is not one that can be written.
fn id_to_put_in(resource_type: &TypeMapping, complaints: &mut Diagnostics) {
    let from = &resource_type.id.from;
    if from.as_place().is_some() {
        return;
    }
    let get = resource_type.get.as_ref();
    let get = get.filter(|get| get.is_of_parts() || get.id.is_some());
    let find = resource_type.finds.iter().find(|find| find.id.is_some());
    let places = get.map(place_of).or(find.map(|find| &find.call.place));
    let Some(place) = places else {
        return;
    };
    let sentence = format!(
        "The id of `{}` is to be put into an object that does not hold it, and `{}` may be several places.",
        resource_type.section,
        from.source()
    );
    complaints.add(
        Diagnostic::error("mapping::id-without-place", sentence)
            .at(place)
            .mend(format!(
                "name one place in `[{}] id`, such as `'$.id'`",
                resource_type.section
            )),
    );
}

/// A change of the name after which nobody knows the application's id: it can change with the name, the reply does not hold
/// the object, no line writes it, and the operation does not say where it is.
fn new_key(resource_type: &TypeMapping, complaints: &mut Diagnostics) {
    let id = &resource_type.id;
    let is_written = resource_type.attributes.iter().any(|line| {
        let place = line.write.as_ref().map(|write| &write.place);
        place.is_some() && place == id.from.as_place().as_ref()
    });
    if id.is_stable || is_written {
        return;
    }
    for operation in resource_type.updates.iter().chain(&resource_type.rename) {
        let names = write::covers(operation, resource_type, &resource_type.match_attribute);
        if !names || operation.id.is_some() || operation.reply == ReplyKind::Object {
            continue;
        }
        let sentence = format!(
            "`{}` may change the id of `{}`, and nothing says the new one.",
            operation.name, resource_type.section
        );
        complaints.add(
            Diagnostic::warning("mapping::changeable-id", sentence)
                .at(place_of(operation))
                .mend(
                    "say where the new id is: `id = '$.…'`, or `id = \"{…}\"` made of the new name",
                ),
        );
    }
}

/// An update whose every attribute is written by one before it.
fn unreachable_updates(resource_type: &TypeMapping, complaints: &mut Diagnostics) {
    for (at, update) in resource_type.updates.iter().enumerate() {
        let covers = |update: &Operation, line: &AttributeRule| {
            write::covers(update, resource_type, &line.location.path)
        };
        let mut lines = resource_type
            .attributes
            .iter()
            .filter(|line| covers(update, line))
            .peekable();
        let is_about_something = lines.peek().is_some();
        let earlier = resource_type.updates.get(..at).unwrap_or(&[]);
        let all_taken = lines.all(|line| earlier.iter().any(|other| covers(other, line)));
        if !is_about_something || !all_taken || earlier.is_empty() {
            continue;
        }
        let sentence = format!(
            "This `update` of `{}` is never used: all it covers is written by one before it.",
            resource_type.section
        );
        complaints.add(
            Diagnostic::error("mapping::unreachable-operation", sentence)
                .at(place_of(update))
                .mend("give each update `covers` of its own"),
        );
    }
}

fn repeated_finds(resource_type: &TypeMapping, complaints: &mut Diagnostics) {
    for (at, find) in resource_type.finds.iter().enumerate() {
        let is_repeated = resource_type
            .finds
            .iter()
            .take(at)
            .any(|other| other.attribute == find.attribute && other.operator == find.operator);
        if is_repeated {
            let sentence = format!(
                "`{} {}` has a find already.",
                find.attribute,
                find.operator.as_str()
            );
            complaints.add(
                Diagnostic::error("mapping::unreachable-operation", sentence)
                    .at(&find.call.place)
                    .mend("keep one of them"),
            );
        }
    }
}

/// What reads the object before or after a write needs a way to read it: without a `get` it is looked up as others are, but an
/// `ETag` comes with the object alone.
fn needs_get(resource_type: &TypeMapping, operation: &Operation, complaints: &mut Diagnostics) {
    let is_found = !resource_type.lists.is_empty() || resource_type.find_of_id().is_some();
    let wants_etag = matches!(operation.if_match, Some(IfMatch::Etag));
    if resource_type.get.is_some() || (is_found && !wants_etag) {
        return;
    }
    let what = if operation.reply == ReplyKind::ReadBack {
        "read-back"
    } else if operation.if_match.is_some() {
        "if-match"
    } else if operation.gets_first {
        "get-first"
    } else {
        return;
    };
    let sentence = format!(
        "`{}` has `{what}`, but `{}` has no `get`.",
        operation.name, resource_type.section
    );
    complaints.add(
        Diagnostic::error("mapping::missing-operation", sentence)
            .at(place_of(operation))
            .mend("add `get = \"GET /…/{id}\"`"),
    );
}

/// Attributes that are named by an operation and mapped by no line.
fn unmapped(resource_type: &TypeMapping, operation: &Operation, complaints: &mut Diagnostics) {
    let changed = operation.steps.iter().flat_map(|step| &step.when_changed);
    for path in operation.covers.iter().chain(changed) {
        if is_mapped(resource_type, path) {
            continue;
        }
        let sentence = format!(
            "`{}` names `{path}`, which no line of `{}.attributes` maps.",
            operation.name, resource_type.section
        );
        complaints.add(
            Diagnostic::warning("mapping::not-mapped", sentence)
                .at(place_of(operation))
                .mend("add a line for it, or leave it out here"),
        );
    }
}

/// A step for changes that its operation is never made for.
fn never_changed(resource_type: &TypeMapping, operation: &Operation, complaints: &mut Diagnostics) {
    let is_create = resource_type
        .create
        .as_ref()
        .is_some_and(|create| std::ptr::eq(create, operation));
    if is_create {
        return;
    }
    for step in &operation.steps {
        let mut paths = step.when_changed.iter().peekable();
        let is_for_some = paths.peek().is_some();
        let is_mapped = paths.clone().all(|path| is_mapped(resource_type, path));
        let covers = |path: &AttributePath| write::covers(operation, resource_type, path);
        // One of several that never changes does no harm; what no line maps is told already.
        if !is_for_some || !is_mapped || paths.clone().any(covers) {
            continue;
        }
        let names: Vec<String> = paths.map(|path| format!("`{path}`")).collect();
        let sentence = format!(
            "This step of `{}` waits for a change of {}, which the operation is not made for: it never runs.",
            operation.name,
            names.join(" or ")
        );
        complaints.add(
            Diagnostic::warning("mapping::unreachable-operation", sentence)
                .at(&step.place)
                .mend("an update is made for what lines write: give the line a field to write, `write = 'field'`, or name the attribute in `covers`, with all others that this update is for"),
        );
    }
}

/// A step that is made when an attribute has any value, and needs a certain one of them.
fn needs_another(operation: &Operation, complaints: &mut Diagnostics) {
    for step in &operation.steps {
        let Some(name) = step.condition.as_ref().and_then(Expression::as_name) else {
            continue;
        };
        let used = step.names();
        let mut used = used
            .iter()
            .filter(|used| used.names.first().is_some_and(|first| first == name))
            .peekable();
        if used.peek().is_none() || !used.all(|used| used.is_chosen) {
            continue;
        }
        let sentence = format!(
            "`if = '{name}'` holds for any value of `{name}`, and the step of `{}` sends a chosen one, which may not be there.",
            operation.name
        );
        complaints.add(
            Diagnostic::warning("mapping::condition-of-another", sentence)
                .at(&step.place)
                .mend(format!(
                    "let `if` ask for what is sent: `if = '{name}[type==\"work\"]'` with the condition of the body, or send the first there is: `{{{name}[0].value}}`"
                )),
        );
    }
}

/// Whether a line, or the members or password calls, are about an attribute.
fn is_mapped(resource_type: &TypeMapping, path: &AttributePath) -> bool {
    lines_of(resource_type, path).next().is_some()
        || path.schema.is_none()
            && ["members", "password", "active", "groups"].contains(&path.attribute.as_str())
}

fn lines_of<'t>(
    resource_type: &'t TypeMapping,
    path: &'t AttributePath,
) -> impl Iterator<Item = &'t AttributeRule> {
    resource_type
        .attributes
        .iter()
        .filter(move |line| line.location.path.is_same_attribute(path))
}

/// One of activate and deactivate alone.
fn half_pair(resource_type: &TypeMapping, complaints: &mut Diagnostics) {
    let (there, missing) = match (&resource_type.activate, &resource_type.deactivate) {
        (Some(activate), None) => (activate, "deactivate"),
        (None, Some(deactivate)) => (deactivate, "activate"),
        _ => return,
    };
    let has_field = resource_type
        .attributes
        .iter()
        .any(|line| line.location.path.attribute == "active" && line.write.is_some());
    if has_field {
        return;
    }
    let sentence = format!(
        "`{}` has no counterpart: `{missing}` is missing.",
        there.name
    );
    complaints.add(
        Diagnostic::warning("mapping::half-pair", sentence)
            .at(place_of(there))
            .mend(format!("add `{missing}`, or a line for `active`")),
    );
}

/// A create after which nobody would know the new object's id.
fn new_id(resource_type: &TypeMapping, complaints: &mut Diagnostics) {
    let Some(create) = &resource_type.create else {
        return;
    };
    let takes_id = create
        .steps
        .iter()
        .flat_map(|step| &step.take)
        .any(|(name, _)| name == "id");
    if create.reply != ReplyKind::Nothing || create.id.is_some() || takes_id {
        return;
    }
    let sentence = format!(
        "`{}` has `reply = \"none\"` and does not say where the new id is.",
        create.name
    );
    complaints.add(
        Diagnostic::error("mapping::no-new-id", sentence)
            .at(place_of(create))
            .mend("add `id = { header-segment = \"Location\" }`, or `id = \"{userName}\"` where the id is the name"),
    );
}

/// A find whose attribute is read from nowhere: what it finds would always be thrown away by the check that follows.
fn unmapped_find(resource_type: &TypeMapping, find: &Find, complaints: &mut Diagnostics) {
    let is_id = find.attribute.schema.is_none() && find.attribute.attribute == "id";
    let is_read =
        lines_of(resource_type, &find.attribute).any(|line| line.is_read() || line.is_kept);
    if is_id || is_read {
        return;
    }
    let sentence = format!(
        "`{}` is searched for, but no line of `{}.attributes` reads it.",
        find.attribute, resource_type.section
    );
    complaints.add(
        Diagnostic::error("mapping::find-not-mapped", sentence)
            .at(&find.call.place)
            .mend(match lines_of(resource_type, &find.attribute).next() {
                Some(_) => "its line only writes: whatever is found is checked again here, so say where it is read, `read = '$.…'`",
                None => "add a line for it: whatever is found is checked again here",
            }),
    );
}

/// A find by what is made of other attributes: what the application would have to be asked for is not known.
fn useless_find(resource_type: &TypeMapping, find: &Find, complaints: &mut Diagnostics) {
    let is_eq = find.operator == crate::scim::CompareOp::Eq;
    if !is_eq || !sought::is_never_known(resource_type, &find.attribute) {
        return;
    }
    let sentence = format!(
        "`{}` is written from other attributes, so nothing can be found by it: each look-up reads the whole list.",
        find.attribute
    );
    complaints.add(
        Diagnostic::warning("mapping::find-of-made-value", sentence)
            .at(&find.call.place)
            .mend("let the provider match by the attribute that it is made of, or make it of `{value}` alone"),
    );
}

/// Operations on one object that do not say which.
fn without_id(resource_type: &TypeMapping, complaints: &mut Diagnostics) {
    let single = [
        &resource_type.get,
        &resource_type.delete,
        &resource_type.activate,
        &resource_type.deactivate,
    ];
    let operations = single.into_iter().flatten().chain(&resource_type.updates);
    for operation in operations {
        let names_something = operation.steps.iter().any(super::names::names_an_object);
        if names_something {
            continue;
        }
        let sentence = format!(
            "`{}` does not say which object it is about.",
            operation.name
        );
        complaints.add(
            Diagnostic::warning("mapping::no-object-named", sentence)
                .at(place_of(operation))
                .mend("put `{id}` into the path, the query or the body"),
        );
    }
}
