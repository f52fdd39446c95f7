//! Membership: calls below a group, or a list in the group itself.

use serde_json::Value;

use super::{
    document::{Document, Endpoint, type_of},
    endpoints::call,
    names::{MEMBERS, normal},
    on_user::OnUser,
    operations::toml_key,
    paging::Listing,
    section::Section,
    sheet::{Row, Sheet, literal, quoted},
};

/// How members are read and changed.
#[derive(Default)]
pub(super) struct Membership<'d> {
    document: Option<&'d Document<'d>>,
    read: Option<Endpoint<'d>>,
    add: Option<Endpoint<'d>>,
    /// PUT with the member's id in the path.
    add_one: Option<Endpoint<'d>>,
    remove: Option<Endpoint<'d>>,
    /// The member's id is in the body.
    remove_by_body: Option<Endpoint<'d>>,
    replace: Option<Endpoint<'d>>,
    /// A list in the group object.
    field: Option<(String, &'d Value)>,
    group_is_written: bool,
}

impl<'d> Membership<'d> {
    /// What the document says about the members of a section; nothing for users.
    pub fn of(section: &'d Section<'d>, users: Option<&Section<'_>>) -> Self {
        if users.is_none() {
            return Self::default();
        }
        let (document, collection) = (section.document, &section.collection);
        let all = collection.path_below(document, MEMBERS, false);
        let one = collection.path_below(document, MEMBERS, true);
        let on =
            |path: Option<&'d str>, method| path.and_then(|path| document.endpoint(path, method));
        let removes = on(all, "delete").filter(|delete| body(document, delete).is_some());
        let by_word = |words: &[&str]| {
            let mut methods = ["post", "put", "delete"].iter();
            let found = methods.find_map(|method| collection.below(document, words, method));
            found.filter(|endpoint| body(document, endpoint).is_some())
        };
        let field = section.fields.iter().find(|field| {
            type_of(field.schema) == "array" && FIELDS.contains(&normal(&field.path).as_str())
        });
        Self {
            document: Some(document),
            read: on(all, "get"),
            // Beside a DELETE of those in its body, PUT adds those in its own.
            add: on(all, "post")
                .or_else(|| by_word(ADDS))
                .or_else(|| on(all, "put").filter(|_| removes.is_some() && one.is_none())),
            add_one: on(one, "put").or_else(|| on(one, "post")),
            remove: on(one, "delete"),
            remove_by_body: removes.or_else(|| by_word(REMOVES)),
            replace: on(all, "put"),
            field: field.map(|field| (field.path.clone(), field.schema)),
            group_is_written: field.is_some_and(|field| field.is_written()),
        }
    }

    /// Whether a field of the group is about members.
    pub fn has_field(&self, path: &str) -> bool {
        self.field.as_ref().is_some_and(|(field, _)| field == path)
    }

    pub fn write(&self, sheet: &mut Sheet, users: &Section<'_>, on_user: Option<&OnUser<'_>>) {
        let can_remove = self.remove.is_some() || self.remove_by_body.is_some();
        let can_change =
            (self.add.is_some() || self.add_one.is_some()) && can_remove || self.replace.is_some();
        match (&self.field, self.document) {
            (Some((path, schema)), Some(document)) if self.group_is_written && !can_change => {
                Self::write_field(sheet, document, path, schema);
            }
            (_, Some(document)) if self.read.is_some() && can_change => {
                self.write_calls(sheet, document, users)
            }
            (_, document) => match (on_user, document) {
                (Some(on_user), _) if on_user.field.is_written() => on_user.write(sheet),
                (Some(on_user), Some(document)) if can_change => {
                    self.write_calls(sheet, document, users);
                    on_user.write_read(sheet);
                }
                _ => {
                    sheet.blank();
                    sheet.todo("how members are read and changed was not found: [group.members].");
                }
            },
        }
    }

    fn write_field(sheet: &mut Sheet, document: &'d Document<'d>, path: &str, schema: &'d Value) {
        sheet.heading("group.members");
        sheet.guess("the list is the whole membership, and is written with the group.");
        let id = document
            .elements(schema)
            .and_then(|element| id_of(document, element));
        match id {
            Some(id) => sheet.line(&format!(
                "field = {{ field = {}, id = {}, element = {{ {} = \"{{member}}\" }} }}",
                literal(path),
                literal(&format!("$.{id}")),
                toml_key(id)
            )),
            None => sheet.line(&format!("field = {}", literal(path))),
        }
    }

    fn write_calls(&self, sheet: &mut Sheet, document: &'d Document<'d>, users: &Section<'_>) {
        sheet.heading("group.members");
        let mut rows = Vec::new();
        match (&self.add_one, &self.add) {
            (Some(add), _) => {
                let line = call(add.method, add.path, &["group", "member"]);
                rows.push(Row::new("add", format!("{{ call = {} }}", quoted(&line))));
            }
            (None, Some(add)) => rows.push(add_row(document, add)),
            (None, None) => {}
        }
        if let (None, Some(remove)) = (&self.remove, &self.remove_by_body) {
            rows.push(Row {
                key: "remove".into(),
                ..add_row(document, remove)
            });
        }
        if let Some(remove) = &self.remove {
            let line = call("DELETE", remove.path, &["group", "member"]);
            rows.push(
                Row::new(
                    "remove",
                    format!("{{ call = {}, tolerate = [404] }}", quoted(&line)),
                )
                .guess("404: was no member"),
            );
        }
        let is_pair = rows.len() > 1;
        if !is_pair {
            rows.clear();
        }
        if let Some(replace) = self.replace.as_ref().filter(|_| !is_pair) {
            let body = body(document, replace)
                .map_or_else(|| "\"{members}\"".to_owned(), |(body, _)| body);
            let line = call("PUT", replace.path, &["group"]);
            rows.push(Row::new(
                "replace",
                format!(
                    "{{ call = {}, body = {body}, batch = 10000 }}",
                    quoted(&line)
                ),
            ));
        }
        sheet.table(&rows);
        let Some(read) = &self.read else { return };
        let (listing, element) = Listing::of(document, read);
        sheet.line("[group.members.read]");
        let mut rows = vec![Row::new(
            "call",
            quoted(&call("GET", read.path, &["group"])),
        )];
        rows.extend(listing.rows());
        let user_key = users.id.field.as_str();
        let id = element.and_then(|element| id_of(document, element));
        if let Some(id) = id.or_else(|| element.map(|_| user_key)) {
            rows.push(Row::new("id", literal(&format!("$.{id}"))));
        }
        sheet.table(&rows);
        listing.write_page(sheet, "group.members.read");
    }
}

/// `GET /users/{id}/groups`, or the field of the user that holds them.
pub(super) fn write_groups_of_user(
    sheet: &mut Sheet,
    section: &Section<'_>,
    on_user: Option<&OnUser<'_>>,
) {
    let words = ["groups", "teams", "memberships", "roles"];
    let Some(endpoint) = section.collection.below(section.document, &words, "get") else {
        if let Some(on_user) = on_user {
            on_user.write_groups(sheet);
        }
        return;
    };
    let (listing, element) = Listing::of(section.document, &endpoint);
    sheet.heading("user.groups");
    let mut rows = vec![Row::new(
        "call",
        quoted(&call("GET", endpoint.path, &["id"])),
    )];
    rows.extend(listing.rows());
    let properties = element
        .map(|element| section.document.properties(element))
        .unwrap_or_default();
    let named = |names: &[&str]| {
        names.iter().find_map(|name| {
            properties
                .iter()
                .find(|property| normal(property.name) == *name)
        })
    };
    // A membership is no group: it holds one.
    let held = properties.iter().find(|property| {
        ["group", "team", "role"].contains(&normal(property.name).as_str())
            && section
                .document
                .properties(property.schema)
                .iter()
                .any(|inner| normal(inner.name) == "id")
    });
    let own = [
        ("id", named(&["groupid", "teamid", "id", "slug"])),
        ("display", named(&["displayname", "groupname", "name"])),
    ];
    for (key, found) in own {
        match (held, found) {
            (Some(held), _) => {
                let name = if key == "id" { "id" } else { "name" };
                let there = section.document.properties(held.schema);
                if let Some(inner) = there.iter().find(|inner| normal(inner.name) == name) {
                    rows.push(Row::new(
                        key,
                        literal(&format!("$.{}.{}", held.name, inner.name)),
                    ));
                }
            }
            (None, Some(found)) => rows.push(Row::new(key, literal(&format!("$.{}", found.name)))),
            (None, None) => {}
        }
    }
    sheet.table(&rows);
    listing.write_page(sheet, "user.groups");
}

/// An addition, or a removal, by a body: its one id, or its list of ids.
fn add_row(document: &Document<'_>, add: &Endpoint<'_>) -> Row {
    let line = quoted(&call(add.method, add.path, &["group"]));
    match body(document, add) {
        Some((body, true)) => Row::new(
            "add",
            format!("{{ call = {line}, body = {body}, batch = 100 }}"),
        )
        .guess("100 in one call"),
        Some((body, false)) => Row::new("add", format!("{{ call = {line}, body = {body} }}")),
        None => Row::new(
            "add",
            format!("{{ call = {line}, body = {{ user_id = \"{{member}}\" }} }}"),
        )
        .guess("the document does not show the body"),
    }
}

/// The body of a change of members, and whether it takes several.
fn body<'d>(document: &'d Document<'d>, endpoint: &Endpoint<'d>) -> Option<(String, bool)> {
    let (_, schema) = endpoint.request()?;
    if document.elements(schema).is_some() {
        return Some(("\"{members}\"".into(), true));
    }
    let properties = document.properties(schema);
    let fits = |property: &&super::document::Property<'d>| {
        let name = normal(property.name);
        ["user", "member", "id", "login", "account"]
            .iter()
            .any(|word| name.contains(word))
    };
    let property = properties.iter().find(fits)?;
    let is_list = type_of(property.schema) == "array";
    let name = if is_list { "members" } else { "member" };
    Some((
        format!("{{ {} = \"{{{name}}}\" }}", toml_key(property.name)),
        is_list,
    ))
}

/// The id within an element that is an object.
fn id_of<'d>(document: &'d Document<'d>, element: &'d Value) -> Option<&'d str> {
    let properties = document.properties(element);
    [
        "userid",
        "memberid",
        "accountid",
        "id",
        "uuid",
        "login",
        "username",
    ]
    .iter()
    .find_map(|name| {
        properties
            .iter()
            .find(|property| normal(property.name) == *name)
    })
    .map(|property| property.name)
}

/// Last words of calls that add members, and that remove them.
const ADDS: &[&str] = &["adduser", "addusers", "addmember", "addmembers"];
const REMOVES: &[&str] = &["removeuser", "removeusers", "removemember", "removemembers"];
/// Lists of members in a group object.
const FIELDS: &[&str] = &[
    "members",
    "memberids",
    "users",
    "userids",
    "people",
    "accounts",
];
