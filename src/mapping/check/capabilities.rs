//! What a mapping can do, for people.

use std::fmt;

use crate::mapping::{
    model::{
        AttributeRule, Call, Mapping, MemberCall, Members, Operation, PageStyle, Paging,
        TypeMapping, UserGroups,
    },
    write::keeps_external_id,
};

/// What a mapping can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capabilities {
    /// The application's name.
    pub app: String,
    /// One entry a resource type, in the order of the file.
    pub types: Vec<TypeCapabilities>,
}

/// What can be done with resources of one type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeCapabilities {
    /// `User`.
    pub name: String,
    /// Each thing a client may want, and whether it can be had.
    pub abilities: Vec<Ability>,
    /// Filters that the application answers itself: `userName eq`.
    pub filters: Vec<String>,
    /// How lists are read on: `offset, 100 a page`; empty if there is no list.
    pub paging: String,
    /// Attributes that the gateway keeps.
    pub kept: Vec<String>,
    /// Attributes that are read and written, read only, and written only.
    pub attributes: [usize; 3],
}

/// One thing a client may want.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ability {
    /// `deactivate`.
    pub name: &'static str,
    /// How it is done, such as `PUT /users/{id}.json`; absent: it cannot be.
    pub how: Option<String>,
}

/// What the mapping can do.
pub fn capabilities(mapping: &Mapping) -> Capabilities {
    Capabilities {
        app: mapping.app.clone(),
        types: mapping.types.iter().map(of_type).collect(),
    }
}

fn of_type(section: &TypeMapping) -> TypeCapabilities {
    let mut abilities = vec![
        ability("list", section.lists.first().map(|list| list.call.told())),
        ability(
            "get",
            how(section.get.as_ref()).or_else(|| {
                section
                    .lists
                    .first()
                    .map(|_| "by reading the list".to_owned())
            }),
        ),
        ability("create", how(section.create.as_ref())),
        ability("update", how(section.updates.first())),
    ];
    match section.section.as_str() {
        "user" => abilities.extend(of_users(section)),
        "group" => abilities.extend(of_groups(section)),
        _ => {}
    }
    abilities.push(ability("delete", how(section.delete.as_ref())));
    TypeCapabilities {
        name: section.resource_type.name.clone(),
        abilities,
        filters: section
            .finds
            .iter()
            .map(|find| format!("{} {}", find.attribute, find.operator.as_str()))
            .collect(),
        paging: reading_on(section),
        kept: kept(section),
        attributes: directions(&section.attributes),
    }
}

/// What is kept here: `externalId`, unless the application has a place for it, and what the lines say.
fn kept(section: &TypeMapping) -> Vec<String> {
    let lines = section.attributes.iter().filter(|line| line.is_kept);
    let mut kept: Vec<String> = lines.map(super::lines::text).collect();
    let external_id = "externalId".to_owned();
    if keeps_external_id(section) && !kept.contains(&external_id) {
        kept.insert(0, external_id);
    }
    kept
}

fn of_users(section: &TypeMapping) -> Vec<Ability> {
    let renames = section.rename.as_ref();
    let rename = how(renames).or_else(|| by_field(section, &section.match_attribute.attribute));
    let active = how(section.deactivate.as_ref()).or_else(|| by_field(section, "active"));
    let password = how(section.set_password.as_ref()).or_else(|| by_field(section, "password"));
    let groups = section.groups.as_ref().map(|groups| match groups {
        UserGroups::Call { call, .. } => call.told(),
        UserGroups::Field { .. } => "in the user".to_owned(),
        UserGroups::Members { most } => format!("by the members of {most} groups at most"),
    });
    vec![
        ability("rename", rename),
        ability("deactivate", active),
        ability("set password", password),
        ability("show groups", groups),
    ]
}

fn of_groups(section: &TypeMapping) -> Vec<Ability> {
    let rename = how(section.rename.as_ref())
        .or_else(|| by_field(section, &section.match_attribute.attribute));
    let members = section.members.as_ref();
    vec![
        ability("rename", rename),
        ability("read members", members.and_then(reads)),
        ability(
            "assign members",
            members.and_then(|m| changes(m, m.add.as_ref())),
        ),
        ability(
            "remove members",
            members.and_then(|m| changes(m, m.remove.as_ref())),
        ),
    ]
}

fn reads(members: &Members) -> Option<String> {
    let read = members.read.as_ref().map(|read| read.call.told());
    read.or_else(|| {
        members
            .field
            .as_ref()
            .map(|field| format!("`{}`", field.place.source()))
    })
    .or_else(|| {
        members
            .on_user
            .as_ref()
            .map(|user| format!("`{}` of the user", user.place.source()))
    })
}

fn changes(members: &Members, change: Option<&MemberCall>) -> Option<String> {
    if let Some(change) = change {
        return Some(match change.batch {
            Some(batch) => format!("{}, {batch} a call", change.call.told()),
            None => format!("{}, one a call", change.call.told()),
        });
    }
    if let Some(replace) = &members.replace {
        return Some(format!("{}, the whole list", replace.call.told()));
    }
    let field = members
        .field
        .as_ref()
        .map(|field| format!("`{}`, with the group", field.place.source()));
    field.or_else(|| {
        members
            .on_user
            .as_ref()
            .map(|user| format!("`{}` of the user", user.place.source()))
    })
}

/// An attribute that is written by a field once the object is there.
fn by_field(section: &TypeMapping, attribute: &str) -> Option<String> {
    let line = section.attributes.iter().find(|line| {
        line.location.path.schema.is_none() && line.location.path.attribute == attribute
    })?;
    let write = line.write.as_ref().filter(|_| !line.is_create_only)?;
    section
        .updates
        .first()
        .map(|_| format!("field `{}`", write.place.source()))
}

fn ability(name: &'static str, how: Option<String>) -> Ability {
    Ability { name, how }
}

fn how(operation: Option<&Operation>) -> Option<String> {
    let operation = operation?;
    let first = operation.steps.first().map(Call::told)?;
    Some(match operation.steps.len() {
        1 => first,
        steps => format!("{first} and {} more", steps - 1),
    })
}

/// How the lists of a type are read on; of several the end may be nowhere said.
fn reading_on(section: &TypeMapping) -> String {
    let styles = section.lists.iter().map(|list| &list.page);
    let endless = styles
        .clone()
        .filter(|page| matches!(page.style, PageStyle::None));
    let (all, endless) = (section.lists.len(), endless.count());
    let first = styles.map(paging).next().unwrap_or_default();
    match all {
        0 | 1 => first,
        _ if endless == 0 => first,
        _ => format!("{endless} of {all} lists in one reply each: what is beyond is not noticed"),
    }
}

fn paging(page: &Paging) -> String {
    let style = match page.style {
        PageStyle::None => return "one reply holds all".to_owned(),
        PageStyle::Offset { .. } => "offset",
        PageStyle::Number { .. } => "page number",
        PageStyle::Cursor { .. } => "cursor",
        PageStyle::Continue { .. } => "continue",
        PageStyle::NextUrl { .. } => "next URL",
        PageStyle::Link => "link header",
        PageStyle::Limit => "only the first page",
    };
    match &page.size {
        Some(size) => format!("{style}, {} a page", size.most),
        None => style.to_owned(),
    }
}

fn directions(lines: &[AttributeRule]) -> [usize; 3] {
    let mut counts = [0; 3];
    for line in lines {
        let is_read = line.is_read();
        let is_written = line.is_written();
        let at = match (is_read, is_written) {
            (true, true) => 0,
            (true, false) => 1,
            (false, true) => 2,
            (false, false) => continue,
        };
        if let Some(count) = counts.get_mut(at) {
            *count += 1;
        }
    }
    counts
}

impl fmt::Display for Capabilities {
    /// A table, one line an ability.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, one) in self.types.iter().enumerate() {
            if at > 0 {
                writeln!(f)?;
            }
            writeln!(f, "{} of {}", one.name, self.app)?;
            for ability in &one.abilities {
                let how = ability.how.as_deref().unwrap_or("no");
                writeln!(f, "  {:<16} {how}", ability.name)?;
            }
            let filters = if one.filters.is_empty() {
                "none".to_owned()
            } else {
                one.filters.join(", ")
            };
            writeln!(f, "  {:<16} {filters}", "filters sent on")?;
            if !one.paging.is_empty() {
                writeln!(f, "  {:<16} {}", "paging", one.paging)?;
            }
            let [both, read, written] = one.attributes;
            writeln!(
                f,
                "  {:<16} {both} both ways, {read} read only, {written} written only",
                "attributes"
            )?;
            let kept = if one.kept.is_empty() {
                "nothing".to_owned()
            } else {
                one.kept.join(", ")
            };
            writeln!(f, "  {:<16} {kept}", "kept here")?;
        }
        Ok(())
    }
}
