//! Fields of an object, and the attributes they probably are.

use serde_json::Value;

use super::{
    active,
    document::{Document, Property, type_of},
    line::{Source, WORK_MAIL, pick, row},
    names::{Kind, TRANSPARENT, normal},
    sheet::{Row, literal},
};

/// The schemas an object is described by.
#[derive(Clone, Copy, Default)]
pub(super) struct Shapes<'d> {
    /// As it is answered.
    pub read: Option<&'d Value>,
    pub create: Option<&'d Value>,
    pub update: Option<&'d Value>,
}

/// A field of the application's object.
#[derive(Clone)]
pub(super) struct Field<'d> {
    /// `profile.email`.
    pub path: String,
    /// As it is read, if it is read.
    pub schema: &'d Value,
    /// As it is written; absent: as it is read, or not at all.
    pub written: Option<&'d Value>,
    pub is_read: bool,
    pub is_created: bool,
    pub is_updated: bool,
    /// A create without it is refused.
    pub is_required: bool,
}

/// What became of an object's fields.
pub(super) struct Lines {
    pub rows: Vec<Row>,
    /// Fields nothing was found for.
    pub unused: Vec<String>,
    /// Those of them that a create must have.
    pub missing: Vec<String>,
    /// Attributes with a field, and the field.
    pub mapped: Vec<(&'static str, String)>,
}

impl<'d> Field<'d> {
    /// The fields of an object: what is read, what is written, each once.
    pub fn all(document: &'d Document<'d>, shapes: Shapes<'d>) -> Vec<Self> {
        let mut fields: Vec<Self> = Vec::new();
        let sources = [(shapes.read, 0), (shapes.create, 1), (shapes.update, 2)];
        for (schema, source) in sources {
            let Some(schema) = schema else { continue };
            flatten(
                document,
                schema,
                "",
                true,
                0,
                &mut |path, property, is_required| {
                    let at = fields.iter().position(|field| field.path == path);
                    let at = at.unwrap_or_else(|| {
                        fields.push(Self {
                            path: path.to_owned(),
                            schema: property.schema,
                            written: None,
                            is_read: false,
                            is_created: false,
                            is_updated: false,
                            is_required: false,
                        });
                        fields.len() - 1
                    });
                    let is = |name: &str| {
                        property.schema.get(name).and_then(Value::as_bool) == Some(true)
                    };
                    let Some(field) = fields.get_mut(at) else {
                        return;
                    };
                    if source != 0 {
                        field.written = Some(property.schema);
                    }
                    match source {
                        0 => field.is_read = !is("writeOnly"),
                        _ if is("readOnly") => {}
                        1 => {
                            field.is_created = true;
                            field.is_required =
                                is_required && property.schema.get("default").is_none();
                        }
                        _ => field.is_updated = true,
                    }
                },
            );
        }
        if shapes.create.is_none() && shapes.update.is_none() {
            // Nothing says what can be written: what can be read probably can.
            for field in fields
                .iter_mut()
                .filter(|field| field.schema.get("readOnly").is_none())
            {
                (field.is_created, field.is_updated) = (true, true);
            }
        }
        if shapes.read.is_none() {
            fields
                .iter_mut()
                .for_each(|field| field.is_read = normal(&field.path) != "password");
        }
        // Read-only in a body, and in no reply.
        fields.retain(|field| field.is_read || field.is_written());
        fields
    }

    pub fn is_written(&self) -> bool {
        self.is_created || self.is_updated
    }

    /// Whether the field is the object's own, and not one of somebody else in it: a manager's address.
    pub fn is_own(&self) -> bool {
        let parents = self
            .path
            .rsplit_once('.')
            .map_or("", |(parents, _)| parents);
        let mut parents = parents.split('.').filter(|parent| !parent.is_empty());
        parents.all(|parent| TRANSPARENT.contains(&normal(parent).as_str()))
    }

    /// Whether the field is named so: its whole path, or its last name below a parent that adds no meaning.
    pub fn is_named(&self, name: &str) -> bool {
        if normal(&self.path) == name {
            return true;
        }
        let Some((parents, last)) = self.path.rsplit_once('.') else {
            // `user_email`; what is left of `user_id` and `user_name` would mean something else.
            let own = normal(&self.path);
            let bare = own.strip_prefix("user");
            return bare.is_some_and(|bare| bare == name && !["name", "id"].contains(&bare));
        };
        normal(last) == name
            && parents
                .split('.')
                .all(|parent| TRANSPARENT.contains(&normal(parent).as_str()))
    }
}

/// Calls `see` with each property that is not an object itself.
fn flatten<'d>(
    document: &'d Document<'d>,
    schema: &'d Value,
    before: &str,
    is_required: bool,
    depth: usize,
    see: &mut impl FnMut(&str, Property<'d>, bool),
) {
    for property in document.properties(schema) {
        let path = format!("{before}{}", property.name);
        let is_required = is_required && property.is_required;
        if !is_plain(property.name) {
            continue;
        }
        let is_object = type_of(property.schema) == "object"
            && !document.properties(property.schema).is_empty();
        if is_object && depth < 2 {
            flatten(
                document,
                property.schema,
                &format!("{path}."),
                is_required,
                depth + 1,
                see,
            );
        } else {
            see(&path, property, is_required);
        }
    }
}

/// Whether a member's name can be a field's. One with a dot or bracket in it could not be told from a path; `@id` is a link.
pub(super) fn is_plain(name: &str) -> bool {
    let has_sign = name.contains(['.', '[', ']', '{', '}', '\'', ' ', '$', '@']);
    name == "$id" || !name.is_empty() && !has_sign
}

/// Whether a member holds the calls that led to an error: for programmers, never for clients.
pub(super) fn is_trace(name: &str) -> bool {
    let name = normal(name);
    ["trace", "stack", "exception"]
        .iter()
        .any(|word| name.contains(word))
}

impl Lines {
    /// The lines of a kind's attributes. `key` is the field with the id, which is no attribute; `has_update` whether
    /// objects can be changed at all.
    pub fn of<'d>(
        document: &'d Document<'d>,
        kind: &Kind,
        fields: &[Field<'d>],
        key: Option<&str>,
        has_switch: bool,
    ) -> Self {
        let mut lines = Self {
            rows: Vec::new(),
            unused: Vec::new(),
            missing: Vec::new(),
            mapped: Vec::new(),
        };
        let can_update = fields.iter().any(|field| field.is_updated);
        let mut used: Vec<&str> = key
            .filter(|key| ["id", "uuid", "uid"].contains(&normal(key).as_str()))
            .into_iter()
            .collect();
        for usual in kind.fields {
            if let Some((field, writer)) = pick(usual, fields, &used) {
                used.push(&field.path);
                used.extend(writer.map(|writer| writer.path.as_str()));
                lines.mapped.push((usual.attribute, field.path.clone()));
                let is_person = kind.section == "user";
                lines.rows.push(match writer {
                    // What tells duplicates has to be read.
                    None if usual.attribute == kind.matched_by && !field.is_read => {
                        let read = Field { is_read: true, ..field.clone() };
                        row(usual.attribute, &read, can_update, is_person).todo(&format!(
                            "no reply shows `{}`: read = '$.…' names where it is shown, for duplicates are known by it", field.path
                        ))
                    }
                    None => row(usual.attribute, field, can_update, is_person),
                    Some(writer) => {
                        let of = Source {
                            path: &field.path,
                            field: writer,
                        };
                        of.row(usual.attribute, can_update, is_person)
                    }
                });
            }
        }
        if kind.section == "user" {
            lines.without_user_name(fields);
            lines.several(document, fields, &mut used);
            if let Some((row, path)) = active::line(fields, &used, has_switch) {
                lines.mapped.push(("active", path.to_owned()));
                lines.rows.push(row);
                used.push(path);
            }
        }
        for field in fields
            .iter()
            .filter(|field| !used.contains(&field.path.as_str()) && key != Some(&field.path))
        {
            lines.unused.push(field.path.clone());
            if field.is_required {
                lines.missing.push(field.path.clone());
            }
        }
        lines
    }

    /// The field of an attribute, if the application shows it.
    pub fn shown_field(&self, attribute: &str, fields: &[Field<'_>]) -> Option<&str> {
        let path = self.field(attribute)?;
        let is_read = fields
            .iter()
            .any(|field| field.path == path && field.is_read);
        is_read.then_some(path)
    }

    /// The field of an attribute.
    pub fn field(&self, attribute: &str) -> Option<&str> {
        let mut mapped = self.mapped.iter();
        mapped
            .find(|(known, _)| *known == attribute)
            .map(|(_, field)| field.as_str())
    }

    /// An application without user names knows people by their addresses.
    fn without_user_name(&mut self, fields: &[Field<'_>]) {
        if self.field("userName").is_some() {
            return;
        }
        let Some(mail) = self.field(WORK_MAIL).map(str::to_owned) else {
            return;
        };
        let Some(field) = fields.iter().find(|field| field.path == mail) else {
            return;
        };
        self.rows.retain(|row| row.key != literal(WORK_MAIL));
        let can_update = fields.iter().any(|field| field.is_updated);
        let user_name = row("userName", field, can_update, true)
            .guess("no field for a user name: the address is it");
        let read = format!(
            "{{ read = {}, keep = true }}",
            literal(&format!("$.{mail}"))
        );
        self.rows.insert(0, Row::new(literal(WORK_MAIL), read));
        self.rows.insert(0, user_name);
        self.mapped.push(("userName", mail));
    }

    /// `emails` and `phoneNumbers` as lists.
    fn several<'f>(
        &mut self,
        document: &'f Document<'f>,
        fields: &'f [Field<'f>],
        used: &mut Vec<&'f str>,
    ) {
        for (attribute, names) in LISTS {
            let list = fields.iter().find(|field| {
                names.iter().any(|name| field.is_named(name))
                    && !used.contains(&field.path.as_str())
            });
            let Some((list, element)) =
                list.and_then(|list| Some((list, document.elements(list.schema)?)))
            else {
                continue;
            };
            let parts: Vec<String> = document
                .properties(element)
                .iter()
                .filter_map(|property| {
                    let part = PARTS
                        .iter()
                        .find(|(_, names)| names.contains(&normal(property.name).as_str()))?;
                    Some(format!("{} = {}", part.0, literal(property.name)))
                })
                .collect();
            let each = if parts.is_empty() {
                String::new()
            } else {
                format!(", each = {{ {} }}", parts.join(", "))
            };
            let read_only = if list.is_written() {
                ""
            } else {
                ", read-only = true"
            };
            let value = format!("{{ items = {}{each}{read_only} }}", literal(&list.path));
            self.rows.push(
                Row::new(literal(attribute), value).guess("each element's fields by their names"),
            );
            self.mapped.push((attribute, list.path.clone()));
            used.push(&list.path);
        }
    }
}

/// Attributes with several values, and the lists' usual names.
const LISTS: &[(&str, &[&str])] = &[
    ("emails", &["emails", "emailaddresses", "mails"]),
    ("phoneNumbers", &["phonenumbers", "phones", "telephones"]),
];

/// Sub-attributes and the usual names of an element's fields.
const PARTS: &[(&str, &[&str])] = &[
    (
        "value",
        &["value", "address", "email", "mail", "number", "phone"],
    ),
    ("type", &["type", "label", "kind"]),
    ("primary", &["primary", "isprimary", "default", "isdefault"]),
];
