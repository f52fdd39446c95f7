//! Lines of `[….attributes]` taken together.

use serde_json::Value;

use crate::{
    diagnostic::{Diagnostic, Diagnostics, Place},
    mapping::{
        location::definition,
        model::{
            AttributeRule, Form, Mapping, OnRename, OnUnknown, Read, TypeMapping, ValueTable,
            WhenRemoved,
        },
        write,
    },
    scim::{AttributePath, AttributeType},
};

/// Complaints about the lines of a section.
pub(super) fn check(
    resource_type: &TypeMapping,
    mapping: &Mapping,
    is_complete: bool,
    complaints: &mut Diagnostics,
) {
    for (at, line) in resource_type.attributes.iter().enumerate() {
        for earlier in resource_type.attributes.iter().take(at) {
            same_attribute(earlier, line, complaints);
            same_field(earlier, line, complaints);
        }
        lossy_values(line, complaints);
        if is_complete {
            half_table(resource_type, line, complaints);
            let is_recreated = mapping.policy.on_rename == OnRename::Recreate
                && resource_type.section == "user"
                && line
                    .location
                    .path
                    .is_same_attribute(&resource_type.match_attribute);
            if !is_recreated {
                unwritable(resource_type, line, complaints);
            }
            list_for_one(resource_type, line, complaints);
            state_of_nobody(resource_type, line, complaints);
            empty_text(resource_type, line, complaints);
            unknown_reference(mapping, line, complaints);
        }
    }
}

fn same_attribute(earlier: &AttributeRule, line: &AttributeRule, complaints: &mut Diagnostics) {
    if earlier.location != line.location {
        return;
    }
    let sentence = format!("`{}` has two lines.", text(line));
    complaints.add(
        Diagnostic::error("mapping::two-lines-one-attribute", sentence)
            .at(&line.place)
            .mend(format!("the other is at {}", earlier.place)),
    );
}

/// Two lines that write one field: whichever comes last would win.
fn same_field(earlier: &AttributeRule, line: &AttributeRule, complaints: &mut Diagnostics) {
    let (Some(one), Some(other)) = (written(earlier), written(line)) else {
        return;
    };
    let share_a_list = match (&earlier.each, &line.each) {
        // Elements of one list told apart by a condition or a constant: `contacts` with kinds.
        (Some(a), Some(b)) => {
            let is_part = |each: &crate::mapping::model::Each| {
                each.condition.is_some() || !each.constants.is_empty()
            };
            is_part(a) && is_part(b)
        }
        _ => false,
    };
    if share_a_list || !one.overlaps(other) || earlier.location == line.location {
        return;
    }
    let sentence = format!(
        "`{}` and `{}` are written to the same field, `{}`.",
        text(earlier),
        text(line),
        other.source()
    );
    complaints.add(
        Diagnostic::error("mapping::two-lines-one-field", sentence)
            .at(&line.place)
            .mend("say which one is written: give the other `read-only = true`"),
    );
}

fn written(line: &AttributeRule) -> Option<&crate::mapping::model::FieldPlace> {
    match (&line.write, &line.each) {
        (Some(write), _) => Some(&write.place),
        (None, Some(each)) => each.is_written.then_some(&each.items),
        (None, None) => None,
    }
}

/// Values of the application that stand for several of SCIM's: what is written is not what is read.
fn lossy_values(line: &AttributeRule, complaints: &mut Diagnostics) {
    let parts = line.each.iter().flat_map(|each| &each.parts);
    let tables = line
        .values
        .iter()
        .chain(parts.filter_map(|part| part.values.as_ref()));
    for table in tables {
        for (at, (scim, field)) in table.pairs.fixed().iter().enumerate() {
            let same = table
                .pairs
                .fixed()
                .iter()
                .take(at)
                .find(|(_, other)| other == field);
            if let (Some((first, _)), true) = (same, goes_both_ways(line)) {
                let sentence = format!(
                    "`{}`: {first} and {scim} are both {field} in the application, and {field} is read as {first}.",
                    text(line)
                );
                complaints.add(
                    Diagnostic::warning("mapping::lossy-values", sentence)
                        .at(&line.place)
                        .mend("give each value one of its own, or `keep = true` to show the client what it sent"),
                );
            }
        }
        one_sided_pass(line, table, complaints);
    }
}

/// Whether two values of SCIM are one of the application in the line's table.
pub(super) fn is_lossy(line: &AttributeRule) -> bool {
    let tables = line.values.iter().map(|table| table.pairs.fixed());
    let mut repeated = tables.map(|pairs| {
        let mut fields = pairs.iter().enumerate().map(|(at, (_, field))| (at, field));
        fields.any(|(at, field)| pairs.iter().take(at).any(|(_, other)| other == field))
    });
    repeated.any(|is_repeated| is_repeated)
}

fn goes_both_ways(line: &AttributeRule) -> bool {
    let both = line.is_read() && line.is_written();
    both && !line.is_kept
}

/// An unknown value that is passed on when written but left out when read.
fn one_sided_pass(line: &AttributeRule, table: &ValueTable, complaints: &mut Diagnostics) {
    let is_one_sided =
        table.unknown_write == OnUnknown::Pass && table.unknown_read != OnUnknown::Pass;
    if is_one_sided && goes_both_ways(line) {
        let sentence = format!(
            "`{}` writes values that are in no pair, and does not read them.",
            text(line)
        );
        complaints.add(
            Diagnostic::warning("mapping::lossy-values", sentence)
                .at(&line.place)
                .mend("`unknown = \"pass\"` is both directions"),
        );
    }
}

/// `true` or `false` alone has a value in the application: the other could not be written.
fn half_table(resource_type: &TypeMapping, line: &AttributeRule, complaints: &mut Diagnostics) {
    let (attribute, sub) = definition(resource_type, &line.location);
    let is_boolean = sub
        .or(attribute)
        .is_some_and(|leaf| leaf.kind == AttributeType::Boolean);
    let (Some(table), true, true) = (&line.values, is_boolean, line.write.is_some()) else {
        return;
    };
    let pairs = table.pairs.fixed();
    let lacks = |flag: bool| !pairs.iter().any(|(scim, _)| *scim == Value::Bool(flag));
    let missing = match (lacks(true), lacks(false)) {
        (true, false) => true,
        (false, true) => false,
        _ => return,
    };
    let operation = match missing {
        true => &resource_type.activate,
        false => &resource_type.deactivate,
    };
    let is_done_otherwise = is_named(&line.location.path, "active") && operation.is_some();
    if table.unknown_write != OnUnknown::Refuse || is_done_otherwise {
        return;
    }
    let sentence = format!(
        "`{}`: {missing} has no value in the application, so a change to it is refused.",
        text(line)
    );
    complaints.add(
        Diagnostic::warning("mapping::lossy-values", sentence)
            .at(&line.place)
            .mend("give both: `values = { true = …, false = … }`"),
    );
}

/// A field that no operation writes once the object is there.
fn unwritable(resource_type: &TypeMapping, line: &AttributeRule, complaints: &mut Diagnostics) {
    let writes = line.is_written();
    if !writes || line.is_create_only || resource_type.updates.is_empty() {
        return;
    }
    let path = &line.location.path;
    let is_done_otherwise = is_named(path, "active")
        && (resource_type.activate.is_some() || resource_type.deactivate.is_some())
        || is_named(path, "password") && resource_type.set_password.is_some()
        || path.is_same_attribute(&resource_type.match_attribute) && resource_type.rename.is_some();
    if is_done_otherwise
        || resource_type
            .updates
            .iter()
            .any(|update| write::covers(update, resource_type, path))
    {
        return;
    }
    let sentence = format!(
        "No `update` of `{}` covers `{}`.",
        resource_type.section,
        text(line)
    );
    complaints.add(
        Diagnostic::error("mapping::unwritable-attribute", sentence)
            .at(&line.place)
            .mend("add it to the `covers` of an update, or say `create-only = true` or `read-only = true`"),
    );
}

/// An expression that gives a list, read for an attribute that has one value.
fn list_for_one(resource_type: &TypeMapping, line: &AttributeRule, complaints: &mut Diagnostics) {
    let Some(Read::Template(template)) = &line.read else {
        return;
    };
    let (attribute, sub) = definition(resource_type, &line.location);
    let takes_many = line.location.path.sub_attribute.is_none()
        && !line.location.is_element()
        && attribute.is_some_and(|a| a.is_multi_valued)
        || sub.is_some_and(|sub| sub.is_multi_valued);
    if takes_many || attribute.is_none() || line.form != Form::Same || !template.gives_list() {
        return;
    }
    let sentence = format!("`{}` has one value, and this gives a list.", text(line));
    complaints.add(
        Diagnostic::error("mapping::list-for-one-value", sentence)
            .at(&line.place)
            .mend("take one of them: `{… | first}`, `{… | split(\",\", 0)}`, or put them together: `{… | join(\", \")}`"),
    );
}

/// A state that is kept here and reaches nobody: a deactivation would be answered 200, and the account stay open.
fn state_of_nobody(
    resource_type: &TypeMapping,
    line: &AttributeRule,
    complaints: &mut Diagnostics,
) {
    let path = &line.location.path;
    let is_kept_alone = line.is_kept && !line.is_read() && !line.is_written();
    let is_done_otherwise = resource_type.deactivate.is_some()
        || resource_type
            .updates
            .iter()
            .any(|update| write::covers(update, resource_type, path));
    if resource_type.section != "user"
        || !is_named(path, "active")
        || !is_kept_alone
        || is_done_otherwise
    {
        return;
    }
    complaints.add(
        Diagnostic::error(
            "mapping::state-kept-alone",
            "`active` is kept here alone: who is deactivated would go on logging in.",
        )
        .at(&line.place)
        .mend(
            "give it a field, or add `deactivate` and `activate`; without the line a deactivation is answered 501",
        ),
    );
}

/// What is removed by `""` and read again as `""` is not removed for the client.
fn empty_text(resource_type: &TypeMapping, line: &AttributeRule, complaints: &mut Diagnostics) {
    let (attribute, sub) = definition(resource_type, &line.location);
    let is_list =
        sub.or(attribute).is_none_or(|a| a.is_multi_valued) && !line.location.is_element();
    let is_text = !is_list && line.form == Form::Same && line.values.is_none();
    let comes_back = line.is_read() && line.is_written() && !line.is_kept;
    if resource_type.empty_is_absent
        || line.when_removed != WhenRemoved::Empty
        || !is_text
        || !comes_back
    {
        return;
    }
    let sentence = format!(
        "`{}` is removed by writing `\"\"`, and `\"\"` is read as a value: the client is shown an empty text.",
        text(line)
    );
    complaints.add(
        Diagnostic::warning("mapping::empty-is-a-value", sentence)
            .at(&line.place)
            .mend(format!(
                "`empty-is-absent = true` in `[{}]`, if the application means nothing by it",
                resource_type.section
            )),
    );
}

fn is_named(path: &AttributePath, name: &str) -> bool {
    path.schema.is_none() && path.attribute == name
}

fn unknown_reference(mapping: &Mapping, line: &AttributeRule, complaints: &mut Diagnostics) {
    let Some(reference) = &line.reference else {
        return;
    };
    let names = mapping.types.iter().map(|t| t.resource_type.name.as_str());
    if names.clone().any(|name| name == reference) {
        return;
    }
    let mending = match crate::diagnostic::closest(reference, names.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!(
            "the types here are {}",
            names.collect::<Vec<_>>().join(", ")
        ),
    };
    let sentence = format!(
        "`{}` refers to `{reference}`, which is not a resource type here.",
        text(line)
    );
    complaints.add(
        Diagnostic::error("mapping::unknown-type", sentence)
            .at(&value_of(line, reference))
            .mend(mending),
    );
}

/// Where a quoted value stands in a line; the line's name if it cannot be seen.
fn value_of(line: &AttributeRule, value: &str) -> Place {
    let file = &line.place.file;
    let rest = file.text.get(line.place.span.end..).unwrap_or_default();
    let rest = rest.lines().next().unwrap_or_default();
    let found = [format!("'{value}'"), format!("\"{value}\"")]
        .iter()
        .find_map(|quoted| rest.find(quoted.as_str()));
    match found {
        Some(at) => {
            let start = line.place.span.end + at;
            Place::new(file, start..start + value.len() + 2)
        }
        None => line.place.clone(),
    }
}

/// A line's location as the file has it.
pub(super) fn text(line: &AttributeRule) -> String {
    let written = line.place.text();
    let quoted = written.strip_prefix(['\'', '"']);
    let bare = quoted
        .and_then(|text| text.strip_suffix(['\'', '"']))
        .unwrap_or(written);
    if bare.is_empty() {
        line.location.path.to_string()
    } else {
        bare.to_owned()
    }
}
