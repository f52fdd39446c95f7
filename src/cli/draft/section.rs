//! `[user]` or `[group]` as a whole: found in the document, written to the sheet.

use serde_json::Value;

use super::{
    active,
    document::{Document, Endpoint, type_of},
    endpoints::{Collection, call},
    fields::{Field, Lines, Shapes},
    id::Id,
    members::{self, Membership},
    names::{Kind, normal},
    on_user::OnUser,
    operations::{self, toml_key},
    paging::{Listing, json_path},
    place::Wrapping,
    sheet::{Row, Sheet, literal, quoted},
};

/// A resource type of the draft.
pub(super) struct Section<'d> {
    pub document: &'d Document<'d>,
    pub kind: &'static Kind,
    pub collection: Collection<'d>,
    pub list: Option<Endpoint<'d>>,
    pub listing: Listing,
    pub get: Option<Endpoint<'d>>,
    pub create: Option<Endpoint<'d>>,
    /// PATCH, or else PUT.
    pub update: Option<Endpoint<'d>>,
    pub delete: Option<Endpoint<'d>>,
    /// Calls for `activate` and `deactivate`.
    pub switch: Option<(Endpoint<'d>, Endpoint<'d>)>,
    pub set_password: Option<Endpoint<'d>>,
    pub wrapping: Wrapping<'d>,
    row: Option<&'d Value>,
    pub fields: Vec<Field<'d>>,
    pub lines: Lines,
    pub id: Id,
}

impl<'d> Section<'d> {
    /// The likeliest paths of a kind, and what they say.
    pub fn find(document: &'d Document<'d>, kind: &'static Kind) -> Option<Self> {
        Some(Self::of(document, kind, Collection::find(document, kind)?))
    }

    /// What the document says about the objects of a collection.
    pub fn of(document: &'d Document<'d>, kind: &'static Kind, collection: Collection<'d>) -> Self {
        let on_one = |method| {
            collection
                .item
                .and_then(|item| document.endpoint(item, method))
        };
        let list = document
            .endpoint(collection.path, "get")
            .or_else(|| collection.beside(document, &["list", "all"], "get"));
        let makes = ["register", "create", "add", "invite"];
        let create = document
            .endpoint(collection.path, "post")
            .or_else(|| collection.beside(document, &makes, "post"))
            .or_else(|| document.endpoint(collection.path, "put"));
        let update = on_one("patch")
            .or_else(|| on_one("put"))
            .or_else(|| on_one("post"));
        let (listing, row) = match &list {
            Some(list) => Listing::of(document, list),
            None => (Listing::default(), None),
        };
        let elsewhere = || {
            let read = collection.read_elsewhere(document, kind)?;
            row.is_none_or(|row| resembles(document, row, read.reply()))
                .then_some(read)
        };
        let get = on_one("get").or_else(elsewhere);
        let writes: Vec<&Endpoint<'d>> = create.iter().chain(&update).collect();
        let wrapping = Wrapping::of(document, row, get.as_ref(), &writes);
        let body = |endpoint: &Endpoint<'d>| wrapping.body(endpoint).map(|place| place.schema);
        let shapes = Shapes {
            read: get
                .as_ref()
                .and_then(|get| wrapping.reply(get))
                .map(|place| place.schema)
                .or(row),
            create: create.as_ref().and_then(body),
            update: update.as_ref().and_then(body),
        };
        let fields = Field::all(document, shapes);
        let id = Id::of(&fields, &collection, kind);
        let switch = operations::switch(document, &collection);
        let lines = Lines::of(document, kind, &fields, Some(&id.field), switch.is_some());
        Self {
            document,
            kind,
            collection,
            list,
            listing,
            get,
            create,
            update,
            delete: on_one("delete"),
            switch,
            set_password: operations::set_password(document, &collection),
            wrapping,
            row,
            fields,
            lines,
            id,
        }
    }

    /// Parameters that stand in front of the objects' own.
    pub fn settings(&self) -> Vec<String> {
        self.collection.settings()
    }

    /// Writes the section. `users` is given for groups; `on_user` is the field of a user that holds groups.
    pub fn write(
        &self,
        sheet: &mut Sheet,
        users: Option<&Section<'_>>,
        on_user: Option<&OnUser<'_>>,
    ) {
        let name = self.kind.section;
        sheet.heading(name);
        sheet.guess(&format!("{name}s are at `{}`.", self.collection.path));
        if let Some(rival) = self.collection.rival {
            sheet.guess(&format!("chosen over GET `{rival}`."));
        }
        if let Some(other) =
            users.and_then(|users| self.collection.belongs_apart(&users.collection))
        {
            sheet.todo(&format!("they stand below `{other}`, where no users are: they may be groups of something else. Then leave [group] out."));
        }
        self.write_id(sheet, users);
        if let Some(envelope) = self.wrapping.envelope() {
            sheet.line(&format!("envelope = {}", quoted(envelope)));
        }
        self.write_list(sheet);
        self.write_finds(sheet);
        operations::write(sheet, self, &self.lines);
        let membership = Membership::of(self, users);
        self.write_attributes(sheet, &membership, on_user);
        match users {
            Some(users) => membership.write(sheet, users, on_user),
            None => members::write_groups_of_user(sheet, self, on_user),
        }
    }

    fn write_id(&self, sheet: &mut Sheet, users: Option<&Section<'_>>) {
        if !self.id.is_found {
            sheet.todo("no field of the objects looks like their id: name it here.");
        }
        let path = literal(&json_path(&self.id.field));
        let mut parts = vec![format!("from = {path}")];
        if self.id.is_number {
            parts.push("type = \"number\"".into());
        }
        if users.is_some_and(|users| users.id.is_number && self.id.is_number) {
            sheet.guess(
                "users and groups may have the same number; a SCIM id is unique among both.",
            );
            parts.push("prefix = \"g-\"".into());
        }
        if self.id.is_changeable {
            sheet.guess("the paths take a name that can change: the gateway makes ids of its own.");
            parts.push("stable = false".into());
        }
        match parts.as_slice() {
            [_] => sheet.line(&format!("id = {path}")),
            _ => sheet.line(&format!("id = {{ {} }}", parts.join(", "))),
        }
    }

    fn write_list(&self, sheet: &mut Sheet) {
        let name = format!("{}.list", self.kind.section);
        let Some(list) = &self.list else {
            sheet.blank();
            sheet.todo("no call lists them: clients cannot search or import.");
            return;
        };
        sheet.heading(&name);
        let mut rows = vec![Row::new("call", quoted(&call("GET", list.path, &[])))];
        rows.extend(self.listing.rows());
        if self.listing.items.is_none() {
            sheet.todo("the document does not say where the objects are in the reply: `items`.");
        }
        if self.get.is_some() && self.has_bare_rows() {
            sheet.guess("the rows are ids alone; each object is read by itself.");
            rows.push(Row::new("rows", "\"reference\""));
        }
        if let Some(within) = list.extension(ROWS_WITHIN).and_then(Value::as_str) {
            sheet.guess("the fields of a row are put where the single object has them.");
            rows.push(Row::new(
                "set",
                format!("{{ {} = \"{{value}}\" }}", toml_key(within)),
            ));
        }
        let lacking = self.lacking();
        if !lacking.is_empty() {
            let lacking: Vec<String> = lacking.iter().map(|attribute| literal(attribute)).collect();
            rows.push(Row::new("lacks", format!("[{}]", lacking.join(", "))));
        }
        sheet.table(&rows);
        if self.listing.style.is_none() && self.listing.most.is_none() {
            sheet.guess("no paging: one reply holds all.");
        }
        self.listing.write_page(sheet, &name);
    }

    /// Whether the rows of the list are texts or numbers.
    fn has_bare_rows(&self) -> bool {
        let kind = self.row.map(type_of);
        kind.is_some_and(|kind| ["string", "integer", "number"].contains(&kind))
    }

    /// Attributes whose field the rows of the list have not. Told by the fields at the top.
    fn lacking(&self) -> Vec<String> {
        let Some(row) = self.row.filter(|_| self.get.is_some()) else {
            return Vec::new();
        };
        let there: Vec<&str> = self
            .document
            .properties(row)
            .iter()
            .map(|property| property.name)
            .collect();
        let read = |path: &str| {
            self.fields
                .iter()
                .any(|field| field.path == path && field.is_read)
        };
        let mapped = self.lines.mapped.iter().filter(|(_, path)| {
            let top = path.split('.').next().unwrap_or(path);
            !there.is_empty() && read(path) && !there.contains(&top)
        });
        // Of `emails[type eq "work"].value` the attribute is named, whole.
        let mut lacking: Vec<String> = mapped
            .map(|(attribute, _)| attribute.split('[').next().unwrap_or(attribute).to_owned())
            .collect();
        lacking.dedup();
        lacking
    }

    fn write_finds(&self, sheet: &mut Sheet) {
        let Some(list) = &self.list else { return };
        let parameters = list.query();
        let mut taken: Vec<&str> = Vec::new();
        for attribute in self.kind.found_by {
            let Some(usual) = self
                .kind
                .fields
                .iter()
                .find(|usual| usual.attribute == *attribute)
            else {
                continue;
            };
            let field = self.lines.shown_field(attribute, &self.fields);
            let fits = |(name, _): &&(&str, &Value)| {
                let bare = normal(filtered(name));
                let bare = bare.strip_prefix("search").unwrap_or(&bare).to_owned();
                !taken.contains(name)
                    && (field.is_some_and(|field| normal(field) == bare)
                        || usual.fields.contains(&bare.as_str()))
            };
            let within = self
                .listing
                .within
                .as_ref()
                .filter(|within| within.has_filters);
            let parameter = parameters.iter().find(fits).filter(|_| field.is_some());
            let bare = attribute.replace("[type eq \"work\"]", "");
            if let (None, Some(within), Some(field)) = (parameter, within, field) {
                sheet.blank();
                sheet.line(&format!("[[{}.find]]", self.kind.section));
                if taken.is_empty() {
                    sheet.guess("`filters` takes a column and its value. If `eq` regards the case of letters, another `opr` may not.");
                }
                taken.push(field);
                sheet.table(&[
                    Row::new("filter", quoted(&format!("{bare} eq"))),
                    Row::new("call", quoted(&call("GET", list.path, &[]))),
                    within.row(Some(field)),
                ]);
                continue;
            }
            let Some((parameter, schema)) = parameter else {
                continue;
            };
            sheet.blank();
            sheet.line(&format!("[[{}.find]]", self.kind.section));
            if schema.get(REGARDS_CASE) == Some(&Value::Bool(true)) {
                sheet.guess("it regards the case of letters: who is spelt otherwise there is not found. Where that can be, bring all to one case (`as = \"lower\"` in the line), or leave this out: then the whole list is read.");
            } else if taken.is_empty() {
                sheet.guess("what is found may be too much (it is checked again), but never too little: exact, or a part, in any case of letters.");
            }
            taken.push(parameter);
            let attribute = bare;
            let line = format!(
                "{}{}{parameter}={{value}}",
                call("GET", list.path, &[]),
                if list.path.contains('?') { '&' } else { '?' }
            );
            sheet.table(&[
                Row::new("filter", quoted(&format!("{attribute} eq"))),
                Row::new("call", quoted(&line)),
            ]);
        }
        let by_name = self.get.as_ref().filter(|_| self.is_addressed_by_name());
        if let Some(get) = by_name.filter(|_| taken.is_empty()) {
            sheet.blank();
            sheet.line(&format!("[[{}.find]]", self.kind.section));
            sheet.guess("one is asked for by its name. If letter case counts there, who is spelt otherwise is not found: add `else = \"list\"`.");
            sheet.table(&[
                Row::new("filter", quoted(&format!("{} eq", self.kind.matched_by))),
                Row::new("call", quoted(&call("GET", get.path, &["value"]))),
            ]);
        } else if taken.is_empty() {
            sheet.blank();
            let search = parameters
                .iter()
                .find(|(name, _)| SEARCHES.contains(&normal(name).as_str()));
            sheet.todo(&match search {
                Some((name, _)) => format!("`{name}` may find one by name: [[{}.find]]. Without it every look-up reads the whole list.", self.kind.section),
                None => format!("none of the parameters known here finds one by name: every look-up reads the whole list. If there is a way: [[{}.find]].", self.kind.section),
            });
        }
    }

    /// Whether the paths of single objects hold the name that clients look up.
    fn is_addressed_by_name(&self) -> bool {
        let name = self.lines.shown_field(self.kind.matched_by, &self.fields);
        self.id.is_found && self.id.is_changeable && name == Some(self.id.field.as_str())
    }

    fn write_attributes(
        &self,
        sheet: &mut Sheet,
        membership: &Membership<'_>,
        on_user: Option<&OnUser<'_>>,
    ) {
        let is_user = self.kind.section == "user";
        sheet.heading(&format!("{}.attributes", self.kind.section));
        sheet.guess("every line, by the fields' names.");
        let wanted = self.kind.matched_by;
        if self.lines.field(wanted).is_none() {
            sheet.todo(&format!(
                "no field is named like `{wanted}`, by which duplicates are known: this line is a stand-in."
            ));
            sheet.line(&format!("{} = {}", literal(wanted), literal(STAND_IN)));
        }
        sheet.table(&self.rows());
        if self.kind.section == "user"
            && self.lines.field("active").is_none()
            && self.switch.is_none()
        {
            sheet.todo("no field looks like `active`. Clients deactivate people before they delete them, or instead.");
            if let Some(path) = active::state(&self.fields) {
                let path = literal(path);
                sheet.comment(&format!("Perhaps, with the application's own words:\n'active' = {{ field = {path}, values = {{ true = \"active\", false = \"inactive\" }} }}"));
            }
            operations::propose_deactivate(sheet, self);
        }
        let unused: Vec<&str> = self
            .lines
            .unused
            .iter()
            .map(String::as_str)
            .filter(|path| !membership.has_field(path))
            .filter(|path| !(is_user && on_user.is_some_and(|on_user| on_user.has_field(path))))
            .filter(|path| !self.stands_in(path))
            .collect();
        if !unused.is_empty() {
            sheet.comment(&format!("Not mapped: {}.", unused.join(", ")));
        }
        self.write_kept(sheet);
    }

    /// Whether the field stands in for the attribute by which duplicates are known: then it has no other line.
    fn stands_in(&self, path: &str) -> bool {
        path == STAND_IN && self.lines.field(self.kind.matched_by).is_none()
    }

    /// The lines of the attributes, without a second one for a field that stands in.
    fn rows(&self) -> Vec<Row> {
        let has_other_line = |row: &&Row| {
            let mut mapped = self.lines.mapped.iter();
            mapped.any(|(attribute, path)| literal(attribute) == row.key && self.stands_in(path))
        };
        let rows = self.lines.rows.iter().filter(|row| !has_other_line(row));
        rows.cloned().collect()
    }

    /// What clients write and the application has no field for.
    fn write_kept(&self, sheet: &mut Sheet) {
        if self.kind.section != "user" {
            return;
        }
        let whole = |attribute: &'static str| attribute.split('[').next().unwrap_or(attribute);
        let is_mapped = |attribute: &str| self.lines.field(attribute).is_some();
        let lacking = OFTEN_SENT.iter().copied();
        let lacking = lacking.filter(|one| !is_mapped(one) && !is_mapped(whole(one)));
        // What the application has no field for is kept of every type, a number at home as one at work; of elements with several
        // parts only where it has none of these.
        let mut kept: Vec<&str> = lacking
            .map(|one| {
                let mut parts = OFTEN_SENT.iter();
                let has_part = parts.any(|part| whole(part) == whole(one) && is_mapped(part));
                match has_part && !one.ends_with(".value") {
                    true => one,
                    false => whole(one),
                }
            })
            .collect();
        kept.dedup();
        if kept.is_empty() {
            return;
        }
        sheet.guess("clients send these and read them back; the application has no field for them, so the gateway keeps them. A choice, line by line: what has no line is not stored, and a client that compares sees that.");
        let rows: Vec<Row> = kept
            .into_iter()
            .map(|attribute| Row::new(literal(attribute), "{ keep = true }"))
            .collect();
        sheet.table(&rows);
    }
}

/// Whether what is read of one object has at least half of what a row of the list has.
fn resembles<'d>(document: &'d Document<'d>, row: &'d Value, one: Option<&'d Value>) -> bool {
    let there = one.map(|one| document.properties(one)).unwrap_or_default();
    let wanted = document.properties(row);
    let is_there = |name: &str| there.iter().any(|property| property.name == name);
    let common = wanted
        .iter()
        .filter(|property| is_there(property.name))
        .count();
    common * 2 >= wanted.len()
}

/// `username` of the parameter `filter[username]`.
fn filtered(parameter: &str) -> &str {
    let inner = parameter.split_once('[').and_then(|(before, rest)| {
        let is_filter = ["filter", "filters", "q", "query", "search", "where"].contains(&before);
        rest.strip_suffix(']').filter(|_| is_filter)
    });
    inner.unwrap_or(parameter)
}

/// Of a list, in a probe's document: the member that holds the fields in the single object.
pub(super) const ROWS_WITHIN: &str = "x-rows-within";

/// Of a parameter's schema, as a probe has seen it: whether `Ada` does not find `ada`.
pub(super) const REGARDS_CASE: &str = "x-regards-case";
/// The field that is written for the match attribute where none is named like it.
const STAND_IN: &str = "name";
/// Attributes that Okta and Entra send unless told otherwise.
const OFTEN_SENT: &[&str] = &[
    "name.givenName",
    "name.familyName",
    "name.formatted",
    "displayName",
    "title",
    "preferredLanguage",
    "emails",
    "phoneNumbers[type eq \"work\"].value",
    "phoneNumbers[type eq \"mobile\"].value",
    "addresses[type eq \"work\"].streetAddress",
    "addresses[type eq \"work\"].locality",
    "addresses[type eq \"work\"].region",
    "addresses[type eq \"work\"].postalCode",
    "addresses[type eq \"work\"].country",
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber",
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
];
const SEARCHES: &[&str] = &["q", "query", "search", "filter", "s", "keyword", "term"];
