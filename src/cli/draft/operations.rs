//! Operations: get, create, update, delete, and calls of their own for `active` and `password`.

use serde_json::Value;

use super::{
    document::{Document, Endpoint, type_of},
    endpoints::{Collection, call},
    fields::{Lines, is_trace},
    names::normal,
    paging::json_path,
    section::Section,
    sheet::{Row, Sheet, literal, quoted},
};

/// Calls of their own for activation and deactivation.
pub(super) fn switch<'d>(
    document: &'d Document<'d>,
    collection: &Collection<'d>,
) -> Option<(Endpoint<'d>, Endpoint<'d>)> {
    let by_pairs = PAIRS.iter().find_map(|(on, off)| {
        ["post", "put"].iter().find_map(|method| {
            Some((
                collection.below(document, &[on], method)?,
                collection.below(document, &[off], method)?,
            ))
        })
    });
    // `PUT` and `DELETE` of `/users/{id}/suspended`.
    by_pairs.or_else(|| {
        STATES.iter().find_map(|(word, is_on)| {
            let mut sets = ["put", "post"].iter();
            let set = sets.find_map(|method| collection.below(document, &[word], method))?;
            let unset = collection.below(document, &[word], "delete")?;
            Some(if *is_on { (set, unset) } else { (unset, set) })
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
            section.wrapping.rows(get, false),
            &[],
        ),
        None => {
            sheet.blank();
            sheet.todo("no call reads one object: it is looked for in the whole list.");
            usual(sheet, section, "get", "GET", true);
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
            usual(sheet, section, "delete", "DELETE", true);
        }
    }
}

fn write_create(sheet: &mut Sheet, section: &Section<'_>, lines: &Lines) {
    let name = section.kind.section;
    let Some(create) = &section.create else {
        sheet.blank();
        sheet.todo("no call makes one: a client is answered 501.");
        usual(sheet, section, "create", "POST", false);
        return;
    };
    let mut remarks = Vec::new();
    if !lines.missing.is_empty() {
        remarks.push(format!(
            "TODO: a create must have {}, which no line below writes: `constants = {{ … }}` here, or a line.",
            list_of(&lines.missing)
        ));
    }
    let mut rows = section.wrapping.rows(create, true);
    rows.extend(format_row(create));
    if !has_object(section, create) {
        let own = literal(&json_path(&section.id.field));
        let place = section.wrapping.reply(create);
        let is_there = |schema| has_id(section, schema);
        let says_location = create.replies_with("location").is_some();
        if place.is_some_and(|place| is_there(place.schema)) {
            // The object is not whole, but where it is its id is.
        } else if let Some(path) = section.wrapping.member(create, &section.id.field) {
            rows.retain(|row| row.key != "object");
            rows.push(Row::new("id", literal(&path)));
        } else if section.id.is_changeable {
            let key = format!("{{{}}}", section.kind.matched_by);
            rows.push(Row::new("id", quoted(&key)));
        } else if create.reply().is_some() && !says_location {
            rows.retain(|row| row.key != "object");
            remarks
                .push("guess: the document shows no id in the reply; most have it there.".into());
            rows.push(Row::new("id", own));
        } else {
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
        usual(sheet, section, "update", "PATCH", true);
        return;
    };
    let mut rows = after_write(section, update, true);
    let mut remarks = Vec::new();
    rows.extend(format_row(update));
    if update.method == "put" {
        remarks.push(if is_partial(section, update) {
            "guess: PUT replaces the whole object. It requires nothing that a create requires, so it may change only what is sent: then leave out `send`.".to_owned()
        } else {
            "guess: PUT replaces the whole object. If it changes only what is sent, leave out `send`.".to_owned()
        });
        rows.push(Row::new(
            "send",
            if section.get.is_some() && takes_what_is_read(section, update) {
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
        section.wrapping.rows(endpoint, true)
    } else {
        Vec::new()
    };
    // What a probe guesses of writes is not to be relied on: the object is read again.
    if !has_object(section, endpoint) || section.document.is_probed() && section.get.is_some() {
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
    let read = section.fields.iter().filter(|field| field.is_read).count();
    section.wrapping.reply(endpoint).is_some_and(|place| {
        let there = section.document.properties(place.schema).len();
        there >= 2
            && there * 2 >= read.min(8)
            && (!section.id.is_found || has_id(section, place.schema))
    })
}

/// Whether an object of this shape has the section's id.
fn has_id<'d>(section: &Section<'d>, schema: &'d Value) -> bool {
    let first = section.id.field.split('.').next().unwrap_or_default();
    let properties = section.document.properties(schema);
    properties.iter().any(|property| property.name == first)
}

/// Whether a PUT may change what is sent alone: it requires nothing, where a create does.
fn is_partial<'d>(section: &Section<'d>, update: &Endpoint<'d>) -> bool {
    let requires = |endpoint: &Endpoint<'d>| {
        let body = section.wrapping.body(endpoint)?;
        let properties = section.document.properties(body.schema);
        Some(properties.iter().any(|property| property.is_required))
    };
    let create = section.create.as_ref().and_then(requires);
    create == Some(true) && requires(update) == Some(false)
}

/// Whether what is read can be sent back by a PUT: at least half of what it takes is shown, and no list is shown as objects
/// and taken as ids.
fn takes_what_is_read<'d>(section: &Section<'d>, update: &Endpoint<'d>) -> bool {
    let Some(body) = section.wrapping.body(update) else {
        return true;
    };
    let document = section.document;
    let kind = |schema: &'d Value| document.elements(schema).map_or("", type_of);
    let mut fields = section.fields.iter();
    let is_other = fields.any(|field| {
        let written = field.written.map_or("", kind);
        field.is_read && !written.is_empty() && written != kind(field.schema)
    });
    let properties = document.properties(body.schema);
    let is_read = |name: &str| {
        let mut fields = section.fields.iter();
        fields.any(|field| field.is_read && field.path.split('.').next() == Some(name))
    };
    let there = properties.iter().filter(|p| is_read(p.name)).count();
    !is_other && there * 2 >= properties.len()
}

/// What the operation usually is, as a proposal: a probe has not asked for what writes.
fn usual(sheet: &mut Sheet, section: &Section<'_>, key: &str, method: &str, of_one: bool) {
    let end = if of_one { Some("") } else { None };
    propose(sheet, section, key, method, end);
}

/// The calls that lock an account where no field does, as a proposal.
pub(super) fn propose_deactivate(sheet: &mut Sheet, section: &Section<'_>) {
    for key in ["deactivate", "activate"] {
        propose(sheet, section, key, "POST", Some(key));
    }
}

/// An operation of the list, or below one object, that nobody asked for.
fn propose(sheet: &mut Sheet, section: &Section<'_>, key: &str, method: &str, below: Option<&str>) {
    let Some(list) = section
        .list
        .as_ref()
        .filter(|_| section.document.is_probed())
    else {
        return;
    };
    let bare = list.path.trim_end_matches('/');
    let slash = if bare == list.path { "" } else { "/" };
    let line = match (below, section.collection.item) {
        (None, _) => format!("{method} {}", list.path),
        (Some(below), Some(item)) => {
            let slash = if item.ends_with('/') { "/" } else { "" };
            let one = call(method, item, &["id"]);
            match below {
                "" => one,
                below => format!("{}/{below}{slash}", one.trim_end_matches('/')),
            }
        }
        (Some(""), None) => format!("{method} {bare}/{{id}}{slash}"),
        (Some(below), None) => format!("{method} {bare}/{{id}}/{below}{slash}"),
    };
    let name = section.kind.section;
    sheet.comment(&format!(
        "Usually it is (a guess that nothing was asked for):\n[{name}.{key}]\ncall = {}",
        quoted(&line)
    ));
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
    if users.create.is_none() {
        return;
    }
    if create.has_status("409") {
        sheet.guess("the document lists 409 for a create, so a name that is taken is refused. Without this rule it is looked up before each create.");
        sheet.line("rules = [{ status = 409, is = \"uniqueness\" }]");
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
    // A list of complaints says more than the title above it; a bare list of texts only where it is named so.
    let own = words(schema);
    let is_complaint = |name: &str| COMPLAINTS.contains(&normal(name).as_str());
    for property in properties
        .iter()
        .filter(|property| !is_trace(property.name))
    {
        if let Some(element) = document.elements(property.schema) {
            match words(element) {
                Some(word) => return Some(format!("$.{}[*].{word}", property.name)),
                // Objects without words, such as the fields that were wrong, are not for reading.
                None if document.properties(element).is_empty()
                    && type_of(element) != "object"
                    && (own.is_none() || is_complaint(property.name)) =>
                {
                    return Some(format!("$.{}[*]", property.name));
                }
                None => {}
            }
        }
    }
    if let Some(word) = own {
        return Some(format!("$.{word}"));
    }
    properties
        .iter()
        .filter(|property| !is_trace(property.name))
        .find_map(|property| Some(format!("$.{}.{}", property.name, words(property.schema)?)))
}

/// Lists of what went wrong.
const COMPLAINTS: &[&str] = &[
    "errors",
    "error",
    "messages",
    "message",
    "details",
    "detail",
    "reasons",
    "faults",
    "violations",
];

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
/// States that are set and taken away, and whether they mean that the account may be used.
const STATES: &[(&str, bool)] = &[
    ("suspended", false),
    ("suspend", false),
    ("suspension", false),
    ("disabled", false),
    ("disable", false),
    ("lock", false),
    ("locked", false),
    ("block", false),
    ("ban", false),
    ("active", true),
    ("activation", true),
    ("enabled", true),
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
