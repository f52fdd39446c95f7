//! `settings.NAME` in expressions that are about objects and replies: those of calls are checked with their names.

use crate::{
    diagnostic::{Diagnostic, Diagnostics, Place, closest},
    mapping::{
        expression::NamePath,
        model::{Mapping, Read, ReplyRule, TypeMapping, UserGroups},
    },
};

/// Complaints about settings that no file sets.
pub(super) fn check(mapping: &Mapping, complaints: &mut Diagnostics) {
    let mut used: Vec<(NamePath, Option<&Place>)> = Vec::new();
    for section in &mapping.types {
        let place = super::calls::of_type(section)
            .first()
            .map(|call| &call.place)
            .or(section.attributes.first().map(|line| &line.place));
        used.extend(of_section(section).into_iter().map(|name| (name, place)));
        for line in &section.attributes {
            let names = match &line.read {
                Some(Read::Template(template)) => template.names(),
                _ => Vec::new(),
            };
            let conditions = line.each.iter().filter_map(|each| each.condition.as_ref());
            let names = names.into_iter().chain(conditions.flat_map(|e| e.names()));
            used.extend(names.map(|name| (name, Some(&line.place))));
        }
    }
    for call in super::calls::of_mapping(mapping) {
        let names = call.rules.iter().flat_map(of_rule);
        let until = call.poll.iter().flat_map(|poll| poll.until.names());
        used.extend(names.chain(until).map(|name| (name, Some(&call.place))));
    }
    let place = super::calls::of_mapping(mapping)
        .first()
        .map(|call| &call.place);
    let rules = mapping.target.rules.iter().flat_map(of_rule);
    used.extend(rules.map(|name| (name, place)));
    for (name, place) in used {
        let ("settings", Some(setting)) = (
            name.names.first().map_or("", String::as_str),
            name.names.get(1),
        ) else {
            continue;
        };
        if let Some(complaint) = complaint(mapping, setting) {
            complaints.add(match place {
                Some(place) => complaint.at(&found(place, &name)),
                None => complaint,
            });
        }
    }
}

/// What is wrong with a setting of this name, if anything.
pub(super) fn complaint(mapping: &Mapping, name: &str) -> Option<Diagnostic> {
    if mapping.settings.contains_key(name) {
        return None;
    }
    let names = mapping.settings.keys().map(String::as_str);
    let mending = match closest(name, names) {
        Some(near) => format!("did you mean `settings.{near}`?"),
        None => format!("add `{name} = …` to `[settings]`"),
    };
    let sentence = format!("`settings.{name}` is not set.");
    Some(Diagnostic::error("mapping::unknown-setting", sentence).mend(mending))
}

fn of_section(section: &TypeMapping) -> Vec<NamePath> {
    let members = section.members.as_ref();
    let groups = section.groups.as_ref();
    let of_groups = [
        groups.and_then(UserGroups::only),
        groups.and_then(UserGroups::is_indirect),
    ];
    let read = members.and_then(|members| members.read.as_ref());
    let field = members.and_then(|members| members.field.as_ref());
    let of_members = [
        read.and_then(|read| read.only.as_ref()),
        read.and_then(|read| read.is_group.as_ref()),
        field.and_then(|field| field.is_group.as_ref()),
    ];
    let sets = section.lists.iter().map(|list| &list.set);
    let sets = sets.chain(section.finds.iter().map(|find| &find.set));
    let single = [
        &section.get,
        &section.create,
        &section.activate,
        &section.deactivate,
        &section.rename,
    ];
    let operations = single.into_iter().flatten().chain(&section.updates);
    let sets = sets.chain(operations.map(|operation| &operation.set));
    let made = sets.flatten().flat_map(|(_, tree)| tree.names());
    let conditions = [&section.scope, &section.hide, &section.gone];
    conditions
        .into_iter()
        .flatten()
        .chain(of_groups.into_iter().chain(of_members).flatten())
        .flat_map(|expression| expression.names())
        .chain(made)
        .collect()
}

fn of_rule(rule: &ReplyRule) -> Vec<NamePath> {
    let say = rule.say.iter().flat_map(|say| say.names());
    rule.when
        .iter()
        .flat_map(|when| when.names())
        .chain(say)
        .collect()
}

/// Where the setting stands: an expression does not know its place, but a misspelt name stands in few.
fn found(near: &Place, name: &NamePath) -> Place {
    let dotted = name.names.join(".");
    let is_line = near.text().contains(&dotted);
    let text = &near.file.text;
    let at = match is_line {
        true => near.text().find(&dotted).map(|at| near.span.start + at),
        false => text.find(&dotted),
    };
    match at {
        Some(at) => Place::new(&near.file, at..at + dotted.len()),
        None => near.clone(),
    }
}
