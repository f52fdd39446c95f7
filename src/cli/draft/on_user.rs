//! Membership that is kept on the user: `roles` in the user's object beside a collection `/roles`.

use super::{
    document::type_of,
    fields::Field,
    names::normal,
    operations::toml_key,
    section::Section,
    sheet::{Row, Sheet, literal},
};

/// The field of a user that holds the user's groups: `roles` beside `/roles`.
pub(super) struct OnUser<'d> {
    pub field: Field<'d>,
    /// One group at most: the field is no list.
    is_single: bool,
    /// Shown as objects, written as ids or names.
    is_written_otherwise: bool,
    /// The member of an element that names the group; absent: the element itself.
    key: Option<String>,
    /// The member of the group's object that names it there; absent: its id.
    name: Option<String>,
}

impl<'d> OnUser<'d> {
    /// The field named like the collection of groups.
    pub fn of(users: &Section<'d>, groups: &Section<'_>) -> Option<Self> {
        let noun = groups.collection.noun()?;
        let one = noun.strip_suffix('s').unwrap_or(&noun).to_owned();
        let lists = [
            noun.clone(),
            format!("{one}ids"),
            format!("{noun}ids"),
            format!("user{noun}"),
        ];
        let singles = [format!("{one}id"), one.clone(), format!("{one}name")];
        let document = users.document;
        let named = |names: &[String], is_list: bool| {
            let mut fields = users.fields.iter();
            fields.find(|field| {
                field.is_read
                    && (type_of(field.schema) == "array") == is_list
                    && names.iter().any(|name| field.is_named(name))
            })
        };
        let (field, is_single) = match named(&lists, true) {
            Some(field) => (field, false),
            None => (named(&singles, false)?, true),
        };
        let display = groups.lines.field("displayName").map(str::to_owned);
        let element = document.elements(field.schema).unwrap_or(field.schema);
        let properties = document.properties(element);
        if is_single
            && (!properties.is_empty()
                || !["string", "integer", ""].contains(&type_of(field.schema)))
        {
            return None;
        }
        let member = |wanted: &str| {
            let mut properties = properties.iter();
            let found = properties.find(|property| normal(property.name) == normal(wanted));
            found.map(|property| property.name.to_owned())
        };
        let key = member(&groups.id.field);
        let by_name = || Some((member(display.as_deref()?)?, display.clone()?));
        let (key, name) = match key {
            Some(key) => (Some(key), None),
            None if properties.is_empty() => {
                // A text beside ids that are numbers can only be the name.
                let is_text = type_of(element) == "string" && groups.id.is_number;
                (None, display.filter(|_| is_text))
            }
            None => {
                let (key, name) = by_name()?;
                (Some(key), Some(name))
            }
        };
        let written = field.written.and_then(|schema| document.elements(schema));
        let is_written_otherwise = key.is_some()
            && written.is_some_and(|element| {
                document.properties(element).is_empty() && !type_of(element).is_empty()
            });
        Some(Self {
            field: field.clone(),
            is_single,
            is_written_otherwise,
            key,
            name: name.filter(|name| *name != groups.id.field),
        })
    }

    /// Whether it is this field of the user.
    pub fn has_field(&self, path: &str) -> bool {
        self.field.path == path
    }

    /// `[group.members]` by the user's field.
    pub fn write(&self, sheet: &mut Sheet) {
        sheet.heading("group.members");
        let form = if self.is_written_otherwise {
            ", shown as objects and written as bare values"
        } else {
            ""
        };
        sheet.guess(&format!(
            "users hold their groups in `{}`{form}, and are changed one by one.",
            self.field.path
        ));
        let mut parts = self.read_parts();
        if self.is_single {
            parts.push("single = true".into());
        }
        if let Some(key) = &self.key {
            parts.push(if self.is_written_otherwise {
                "element = \"{group}\"".to_owned()
            } else {
                format!("element = {{ {} = \"{{group}}\" }}", toml_key(key))
            });
        }
        sheet.line(&format!("on-user = {{ {} }}", parts.join(", ")));
    }

    /// The part of `[group.members]` that reads, where calls change the members.
    pub fn write_read(&self, sheet: &mut Sheet) {
        let field = &self.field.path;
        sheet.guess(&format!(
            "`{field}` of a user tells the groups; the calls change them."
        ));
        sheet.line(&format!("on-user = {{ {} }}", self.read_parts().join(", ")));
    }

    /// How a user's groups are told from the field.
    fn read_parts(&self) -> Vec<String> {
        let field = Some(format!("field = {}", literal(&self.field.path)));
        let name = self
            .name
            .as_ref()
            .map(|name| format!("name = \"{{{name}}}\""));
        let key = self
            .key
            .as_ref()
            .map(|key| format!("id = {}", literal(&format!("$.{key}"))));
        [field, name, key].into_iter().flatten().collect()
    }

    /// `[user.groups]` by the same field.
    pub fn write_groups(&self, sheet: &mut Sheet) {
        sheet.heading("user.groups");
        let end = if self.is_single || self.key.is_none() {
            ""
        } else {
            "[*]"
        };
        let mut rows = vec![Row::new(
            "items",
            literal(&format!("$.{}{end}", self.field.path)),
        )];
        if let Some(key) = &self.key {
            rows.push(Row::new("id", literal(&format!("$.{key}"))));
        }
        sheet.table(&rows);
    }
}
