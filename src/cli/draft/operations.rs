//! Operations: get, create, update, delete, and calls of their own for `active` and `password`.

use serde_json::Value;

use super::{
    document::{Document, Endpoint, type_of},
    endpoints::{Collection, call},
    fields::Lines,
    names::normal,
    section::Section,
    sheet::{Row, Sheet, literal, quoted},
};

/// The members that hold an object in bodies: `{"user": {…}}`.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Wrapping<'d> {
    reply: Option<&'d str>,
    request: Option<&'d str>,
}

impl<'d> Wrapping<'d> {
    pub fn of(
        document: &'d Document<'d>,
        get: Option<&Endpoint<'d>>,
        create: Option<&Endpoint<'d>>,
        update: Option<&Endpoint<'d>>,
    ) -> Self {
        let reply = get.or(create).or(update).and_then(Endpoint::reply);
        let request = create.or(update).and_then(Endpoint::request);
        Self {
            reply: reply.and_then(|schema| wrapper(document, schema)),
            request: request.and_then(|(_, schema)| wrapper(document, schema)),
        }
    }

    /// The same member in bodies and replies.
    pub fn envelope(&self) -> Option<&'d str> {
        self.reply.filter(|reply| self.request == Some(reply))
    }

    pub fn reply_of(&self, document: &'d Document<'d>, schema: &'d Value) -> &'d Value {
        inside(document, schema, self.reply)
    }

    pub fn request_of(&self, document: &'d Document<'d>, schema: &'d Value) -> &'d Value {
        inside(document, schema, self.request)
    }

    /// Keys of an operation whose reply is wrapped otherwise than its body. `write` is the call, where it writes.
    fn rows(&self, document: &'d Document<'d>, write: Option<&Endpoint<'d>>) -> Vec<Row> {
        let mut rows = Vec::new();
        let is_write = write.is_some();
        if self.envelope().is_some() {
            return rows;
        }
        let body = write.and_then(Endpoint::request);
        let is_wrapped = |name: &&str| {
            body.is_none_or(|(_, schema)| {
                let properties = document.properties(schema);
                properties.iter().any(|property| property.name == *name)
            })
        };
        if let Some(request) = self.request.filter(|name| is_write && is_wrapped(name)) {
            rows.push(Row::new("envelope", quoted(request)));
        }
        if let Some(reply) = self.reply {
            rows.push(Row::new("object", literal(&format!("$.{reply}"))));
        } else if self.request.is_some() && is_write {
            rows.push(Row::new("object", literal("$")));
        }
        rows
    }
}

/// The one member that is an object, of a schema that has no id itself.
fn wrapper<'d>(document: &'d Document<'d>, schema: &'d Value) -> Option<&'d str> {
    let properties = document.properties(schema);
    let is_object_itself = properties.len() > 3
        || properties.iter().any(|property| {
            ["id", "uuid", "name", "login", "email", "username"]
                .contains(&normal(property.name).as_str())
        });
    let mut objects = properties
        .iter()
        .filter(|property| {
            type_of(property.schema) == "object" && document.properties(property.schema).len() > 1
        })
        .filter(|property| {
            !["meta", "links", "paging", "pagination", "profile"]
                .contains(&normal(property.name).as_str())
        });
    let only = objects.next().filter(|_| objects.next().is_none())?;
    (!is_object_itself).then_some(only.name)
}

fn inside<'d>(document: &'d Document<'d>, schema: &'d Value, member: Option<&str>) -> &'d Value {
    let found = member.and_then(|member| {
        let mut properties = document.properties(schema).into_iter();
        properties.find(|property| property.name == member)
    });
    found.map_or(schema, |property| property.schema)
}

/// Calls of their own for activation and deactivation.
pub(super) fn switch<'d>(
    document: &'d Document<'d>,
    collection: &Collection<'d>,
) -> Option<(Endpoint<'d>, Endpoint<'d>)> {
    PAIRS.iter().find_map(|(on, off)| {
        ["post", "put"].iter().find_map(|method| {
            Some((
                collection.below(document, &[on], method)?,
                collection.below(document, &[off], method)?,
            ))
        })
    })
}

/// A call of its own for the password.
pub(super) fn set_password<'d>(
    document: &'d Document<'d>,
    collection: &Collection<'d>,
) -> Option<Endpoint<'d>> {
    let words = ["password", "setpassword", "resetpassword"];
    ["put", "post", "patch"]
        .iter()
        .find_map(|method| collection.below(document, &words, method))
        .filter(|endpoint| password_field(document, endpoint).is_some())
}

fn password_field<'d>(document: &'d Document<'d>, endpoint: &Endpoint<'d>) -> Option<&'d str> {
    let (_, schema) = endpoint.request()?;
    let properties = document.properties(schema);
    // A call that wants the old password is the user's own, not the administrator's.
    let is_own = properties.iter().any(|property| {
        let name = normal(property.name);
        name.contains("old") || name.contains("current")
    });
    let new = properties
        .iter()
        .find(|property| normal(property.name).contains("password"))?;
    (!is_own).then_some(new.name)
}

/// Writes the operations on one object.
pub(super) fn write(sheet: &mut Sheet, section: &Section<'_>, lines: &Lines) {
    let name = section.kind.section;
    match &section.get {
        Some(get) => operation(
            sheet,
            &format!("{name}.get"),
            call("GET", get.path, &["id"]),
            section.wrapping.rows(section.document, None),
            &[],
        ),
        None => {
            sheet.blank();
            sheet.todo("no call reads one object: it is looked for in the whole list.");
        }
    }
    write_create(sheet, section, lines);
    write_update(sheet, section);
    if let Some((on, off)) = &section.switch {
        for (key, endpoint) in [("activate", on), ("deactivate", off)] {
            let rows = after_write(section, endpoint, false);
            operation(
                sheet,
                &format!("{name}.{key}"),
                call(endpoint.method, endpoint.path, &["id"]),
                rows,
                &[],
            );
        }
    }
    if let Some(endpoint) = &section.set_password {
        let field = password_field(section.document, endpoint).unwrap_or("password");
        let body = Row::new(
            "body",
            format!("{{ {} = \"{{password}}\" }}", toml_key(field)),
        );
        let rows = std::iter::once(body)
            .chain(after_write(section, endpoint, false))
            .collect();
        operation(
            sheet,
            &format!("{name}.set-password"),
            call(endpoint.method, endpoint.path, &["id"]),
            rows,
            &[],
        );
    }
    match &section.delete {
        Some(delete) => operation(
            sheet,
            &format!("{name}.delete"),
            call("DELETE", delete.path, &["id"]),
            Vec::new(),
            &[],
        ),
        None => {
            sheet.blank();
            sheet.todo("no call deletes one: a client is answered 501, unless the tenant's policy is `on-delete = \"deactivate\"`.");
        }
    }
}

fn write_create(sheet: &mut Sheet, section: &Section<'_>, lines: &Lines) {
    let name = section.kind.section;
    let Some(create) = &section.create else {
        sheet.blank();
        sheet.todo("no call makes one: a client is answered 501.");
        return;
    };
    let mut remarks = Vec::new();
    if !lines.missing.is_empty() {
        remarks.push(format!(
            "TODO: a create must have {}, which no line below writes: `constants = {{ … }}` here, or a line.",
            list_of(&lines.missing)
        ));
    }
    let mut rows = section.wrapping.rows(section.document, Some(create));
    rows.extend(format_row(create));
    if !has_object(section, create) {
        let has_id = create.reply().is_some_and(|schema| {
            let properties = section
                .document
                .properties(section.wrapping.reply_of(section.document, schema));
            properties
                .iter()
                .any(|property| property.name == section.id.field)
        });
        if !has_id && section.id.is_changeable {
            let key = format!("{{{}}}", section.match_attribute());
            rows.push(Row::new("id", quoted(&key)));
        } else if !has_id {
            remarks.push("guess: the reply holds no object; its address is in `Location`.".into());
            rows.push(Row::new("id", "{ header-segment = \"Location\" }"));
        }
        if section.get.is_some() {
            rows.push(Row::new("read-back", "true"));
        }
    }
    operation(
        sheet,
        &format!("{name}.create"),
        call(create.method, create.path, &[]),
        rows,
        &remarks,
    );
}

fn write_update(sheet: &mut Sheet, section: &Section<'_>) {
    let name = section.kind.section;
    let Some(update) = &section.update else {
        sheet.blank();
        sheet.todo("no call changes one: a client is answered 501.");
        return;
    };
    let mut rows = after_write(section, update, true);
    let mut remarks = Vec::new();
    rows.extend(format_row(update));
    if update.method == "put" {
        remarks.push("guess: PUT replaces the whole object. If it changes only what is sent, leave out `send`.".to_owned());
        rows.push(Row::new(
            "send",
            if section.get.is_some() {
                "\"merged\""
            } else {
                "\"all\""
            },
        ));
    }
    operation(
        sheet,
        &format!("{name}.update"),
        call(update.method, update.path, &["id"]),
        rows,
        &remarks,
    );
}

/// What the reply of a write holds.
fn after_write(section: &Section<'_>, endpoint: &Endpoint<'_>, has_fields: bool) -> Vec<Row> {
    let mut rows = if has_fields {
        section.wrapping.rows(section.document, Some(endpoint))
    } else {
        Vec::new()
    };
    if !has_object(section, endpoint) {
        rows.retain(|row| row.key != "object");
        let row = if section.get.is_some() {
            Row::new("read-back", "true")
        } else {
            Row::new("reply", "\"none\"")
        };
        rows.push(row);
    }
    rows
}

/// Whether the reply is the whole object: more than an id and a message.
fn has_object(section: &Section<'_>, endpoint: &Endpoint<'_>) -> bool {
    let reply = endpoint
        .reply()
        .map(|schema| section.wrapping.reply_of(section.document, schema));
    let read = section.fields.iter().filter(|field| field.is_read).count();
    reply.is_some_and(|schema| {
        let there = section.document.properties(schema).len();
        there >= 2 && there * 2 >= read.min(8)
    })
}

/// A body that is not JSON as usual.
fn format_row(endpoint: &Endpoint<'_>) -> Option<Row> {
    match endpoint.request()?.0 {
        "application/x-www-form-urlencoded" => Some(Row::new("format", "\"form\"")),
        "multipart/form-data" => Some(Row::new("format", "\"multipart\"")),
        "application/xml" | "text/xml" => Some(Row::new("format", "\"xml\"")),
        "application/json" | "*/*" => None,
        media if media.contains("json") => Some(Row::new("content-type", quoted(media))),
        _ => None,
    }
}

fn operation(sheet: &mut Sheet, heading: &str, line: String, rows: Vec<Row>, remarks: &[String]) {
    sheet.heading(heading);
    for remark in remarks {
        sheet.comment(remark);
    }
    let rows: Vec<Row> = std::iter::once(Row::new("call", quoted(&line)))
        .chain(rows)
        .collect();
    sheet.table(&rows);
}

/// `[target.errors]`: where the application's words are, and what a duplicate looks like.
pub(super) fn write_errors(sheet: &mut Sheet, document: &Document<'_>, users: &Section<'_>) {
    let Some(create) = users.create.as_ref().or(users.list.as_ref()) else {
        return;
    };
    sheet.heading("target.errors");
    match create.refusal().and_then(|schema| detail(document, schema)) {
        Some(path) => {
            sheet.guess("where the application's own words are.");
            sheet.line(&format!("detail = {}", literal(&path)));
        }
        None => sheet.todo("the document does not show a refusal: `detail = '$.message'` says where its words are."),
    }
    if create.has_status("409") || users.create.is_none() {
        return;
    }
    let status = if create.has_status("422") { 422 } else { 400 };
    sheet.guess("409 is understood without a rule; the document knows none, so a duplicate is told by its words. Try one.");
    sheet.line(&format!(
        "rules = [{{ status = {status}, matches = '(?i)already|taken|exists|duplicate|unique', is = \"uniqueness\" }}]"
    ));
}

/// `$.error.message`, `$.errors[*].message`.
fn detail<'d>(document: &'d Document<'d>, schema: &'d Value) -> Option<String> {
    let words = |schema: &'d Value| {
        let properties = document.properties(schema);
        let found = WORDS.iter().find_map(|word| {
            properties.iter().find(|property| {
                normal(property.name) == *word
                    && type_of(property.schema) != "object"
                    && type_of(property.schema) != "array"
            })
        });
        found.map(|property| property.name)
    };
    let properties = document.properties(schema);
    // A list of complaints says more than the title above it.
    for property in &properties {
        if let Some(element) = document.elements(property.schema) {
            match words(element) {
                Some(word) => return Some(format!("$.{}[*].{word}", property.name)),
                // Objects without words, such as the fields that were wrong, are not for reading.
                None if document.properties(element).is_empty() => {
                    return Some(format!("$.{}[*]", property.name));
                }
                None => {}
            }
        }
    }
    if let Some(word) = words(schema) {
        return Some(format!("$.{word}"));
    }
    properties
        .iter()
        .find_map(|property| Some(format!("$.{}.{}", property.name, words(property.schema)?)))
}

fn list_of(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

/// A key in an inline table.
pub(super) fn toml_key(name: &str) -> String {
    let is_bare = !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if is_bare {
        name.to_owned()
    } else {
        quoted(name)
    }
}

const PAIRS: &[(&str, &str)] = &[
    ("activate", "deactivate"),
    ("enable", "disable"),
    ("unsuspend", "suspend"),
    ("unlock", "lock"),
    ("unblock", "block"),
    ("reactivate", "deactivate"),
    ("reactivate", "suspend"),
    ("restore", "archive"),
];
const WORDS: &[&str] = &[
    "message",
    "detail",
    "errordescription",
    "errormessage",
    "errortext",
    "description",
    "error",
    "msg",
    "title",
    "reason",
];
