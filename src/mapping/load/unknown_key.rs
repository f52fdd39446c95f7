//! Keys that a table does not have, and what was probably meant: another word, another spelling, another table.

use crate::diagnostic::closest;

use super::{
    attributes::LINE,
    reader::{Reader, table_shape},
    section::ID,
    shape::{Kind, Shape, one_of},
    synonyms,
    tree::{Content, Entry},
};

impl<'t> Reader<'t> {
    /// Complains about each.
    pub(super) fn complain_about_unknown_keys(&self) {
        if self.shape.others.is_some() {
            return;
        }
        let of_kind = self.kind_as_value();
        let unknown = |entry: &&Entry| self.shape.key(&entry.key).is_none();
        for entry in self
            .table
            .entries
            .iter()
            .filter(unknown)
            .take(MOST_COMPARED)
        {
            let mending = match of_kind {
                Some((kind, _)) if kind.key == entry.key => {
                    let name = kind.node.as_text().unwrap_or_default();
                    let whole = self.table.full_name(name);
                    format!("the kind is the table's name: put the other keys below `[{whole}]`")
                }
                Some((_, shape)) if shape.key(&entry.key).is_some() => continue,
                _ => self.mending_of_unknown(entry),
            };
            if self.may_be_secret(entry) {
                self.context.hide(&entry.node.place);
            }
            self.context.error(
                "mapping::unknown-key",
                &entry.place,
                format!("`{}` is not a key of {}.", entry.key, self.shape.name),
                &mending,
            );
        }
    }

    /// Whether the value of a key that is not known may be a secret: it is a text of how to authenticate, and neither an account's
    /// name nor a call.
    fn may_be_secret(&self, entry: &Entry) -> bool {
        let is_plain = |text: &str| !text.contains("${") && !text.contains(" /");
        self.table.name.starts_with("target.auth.")
            && entry.node.as_text().is_some_and(is_plain)
            && self.meant(&entry.key) != Some("user")
    }

    fn mending_of_unknown(&self, entry: &Entry) -> String {
        if entry.node.as_table().is_some()
            && let Some(elsewhere) = self.elsewhere(entry)
        {
            return elsewhere;
        }
        if let Some(meant) = self.meant(&entry.key) {
            self.context.misplaced(&self.table.full_name(meant));
            return format!("did you mean `{meant}`?");
        }
        if let Some(elsewhere) = self.elsewhere(entry) {
            return elsewhere;
        }
        let is_section = ["user", "group"].contains(&self.table.name.as_str())
            || self.table.name.starts_with("resource.");
        if is_section && ID.key(&entry.key).is_some_and(|key| key.name != "type") {
            return format!(
                "it belongs into `id`: `id = {{ from = '$.id', {} = … }}`",
                entry.key
            );
        }
        if is_section && LINE.key(&entry.key).is_some() {
            return format!(
                "it belongs into the line of an attribute: `'userName' = {{ field = 'login', {} = … }}`",
                entry.key
            );
        }
        let names: Vec<&str> = self.shape.all_keys().map(|key| key.name).collect();
        let mut kinds = self.shape.all_keys().map(|key| &key.kind);
        if kinds.all(|kind| matches!(kind, Kind::Table(_))) {
            return format!("it can have {}", one_of(&names));
        }
        if let Some(table) = home_of(&entry.key) {
            return match table.as_str() {
                "" => "it belongs to the top of the file, before the first `[…]`".to_owned(),
                table => format!("it belongs into `[{table}]`"),
            };
        }
        match names.len() {
            ..=12 => format!("it can have {}", one_of(&names)),
            _ => String::new(),
        }
    }

    /// The table with names of the operator's own that was probably meant: `headers` for `header`.
    fn near_table_of_names(&self, entry: &Entry) -> Option<String> {
        entry.node.as_table()?;
        let keys = self.shape.all_keys();
        let named = keys.filter(|key| matches!(key.kind, Kind::Named(_)));
        let near = closest(&entry.key, named.map(|key| key.name))?;
        Some(format!("did you mean `{near}`?"))
    }

    /// The key that was probably meant.
    fn meant(&self, name: &str) -> Option<&'static str> {
        let near = closest(name, self.shape.all_keys().map(|key| key.name));
        let absent = |word: &&'static str| self.shape.key(word).is_some() && !self.has(word);
        near.or_else(|| synonyms::of_key(name).find(absent))
            .or_else(|| self.only_lacking(name))
    }

    /// The one key that a small table must have and lacks, if this one is the only one that it should not have.
    fn only_lacking(&self, name: &str) -> Option<&'static str> {
        let is_known = |entry: &Entry| self.shape.key(&entry.key).is_some();
        let mut others = self.table.entries.iter().filter(|entry| !is_known(entry));
        let is_small = self.shape.all_keys().count() <= MOST_KEYS_OF_SMALL;
        let is_text = |entry: &Entry| entry.key == name && entry.node.as_text().is_some();
        if !(is_small && others.next().is_some_and(is_text) && others.next().is_none()) {
            return None;
        }
        let keys = self.shape.all_keys();
        let mut lacking = keys.filter(|key| key.default == "required" && !self.has(key.name));
        let only = lacking.next()?;
        lacking.next().is_none().then_some(only.name)
    }

    /// Whether another key was probably meant to be this one: that is complained about already.
    pub fn is_misspelt(&self, key: &str) -> bool {
        let unknown = self.table.entries.iter();
        unknown
            .filter(|entry| self.shape.key(&entry.key).is_none())
            .take(MOST_COMPARED)
            .any(|entry| {
                self.meant(&entry.key) == Some(key)
                    || synonyms::of_key(&entry.key).any(|word| word == key)
            })
    }

    /// The tables below this one that a key belongs into, by their names from here: `auth` for `basic`, `user` for `attributes`.
    ///
    /// What stands below the key decides where several could be meant; a table that has the key already is not meant.
    fn is_below(&self, entry: &Entry) -> Vec<&'static str> {
        let fits = |inner: &Shape| {
            let keys = entry.node.as_table().map(|table| table.entries.iter());
            let mut keys = keys.into_iter().flatten();
            inner.others.is_some() || keys.all(|entry| inner.key(&entry.key).is_some())
        };
        let belongs = |shape: &Shape| match shape.key(&entry.key).map(|key| key.kind) {
            Some(Kind::Table(inner)) => entry.node.as_table().is_some() && fits(inner),
            Some(Kind::Tables(_)) => matches!(entry.node.content, Content::List(_)),
            Some(Kind::Named(_)) => entry.node.as_table().is_some(),
            Some(_) => self.table.name.is_empty() && entry.node.as_table().is_none(),
            None => false,
        };
        let is_free = |name: &str| {
            let below = self.table.entry(name).and_then(|e| e.node.as_table());
            below.is_none_or(|below| below.entry(&entry.key).is_none())
        };
        let keys = self.shape.all_keys().filter(|key| match key.kind {
            Kind::Table(shape) => belongs(shape) && is_free(key.name),
            _ => false,
        });
        keys.map(|key| key.name).collect()
    }

    /// Where a key was put that belongs elsewhere, as it is written there.
    fn elsewhere(&self, entry: &Entry) -> Option<String> {
        let below = self.is_below(entry);
        let there = below.iter().filter(|name| self.table.entry(name).is_some());
        let only = match (below.as_slice(), there.collect::<Vec<_>>().as_slice()) {
            ([only], _) => only,
            (_, [only]) => *only,
            _ => {
                let near = self.near_table_of_names(entry);
                return near.or_else(|| self.of_an_element(entry));
            }
        };
        let whole = self.table.full_name(only);
        let name = format!("{whole}.{}", entry.key);
        self.context.misplaced(&name);
        Some(match entry.node.content {
            Content::Table(_) => format!("did you mean `[{name}]`?"),
            Content::List(_) => format!("did you mean `[[{name}]]`?"),
            _ => format!("it belongs into `[{whole}]`"),
        })
    }

    /// A key of the elements of a list that stands beside the list.
    fn of_an_element(&self, entry: &Entry) -> Option<String> {
        let is_list = |kind: &Kind| matches!(kind, Kind::Many(_) | Kind::Tables(_));
        let list = self.shape.all_keys().find(|key| {
            let shape = table_shape(&key.kind).filter(|_| is_list(&key.kind));
            shape.is_some_and(|shape| shape.key(&entry.key).is_some())
        })?;
        self.context.misplaced(&self.table.full_name(list.name));
        Some(format!(
            "it belongs into an element: `{} = [{{ {} = … }}]`",
            list.name, entry.key
        ))
    }

    /// `style = "offset"` where the style is the table's name; the other keys belong into that table.
    fn kind_as_value(&self) -> Option<(&'t Entry, &'static Shape)> {
        let unknown = |entry: &&Entry| self.shape.key(&entry.key).is_none();
        self.table.entries.iter().filter(unknown).find_map(|entry| {
            let Kind::Table(shape) = self.shape.key(entry.node.as_text()?)?.kind else {
                return None;
            };
            Some((entry, shape))
        })
    }
}

/// The one table of all files that has a key, by its whole name; absent if several have it, or none.
fn home_of(key: &str) -> Option<String> {
    fn homes(shape: &Shape, name: &str, key: &str, found: &mut Vec<String>) {
        if shape.key(key).is_some() {
            found.push(name.to_owned());
        }
        for below in shape.all_keys() {
            if let Kind::Table(inner) = below.kind {
                let dot = if name.is_empty() { "" } else { "." };
                homes(inner, &format!("{name}{dot}{}", below.name), key, found);
            }
        }
    }
    let mut found = Vec::new();
    homes(&super::TENANT_SHAPE, "", key, &mut found);
    match found.as_slice() {
        [only] => Some(only.clone()),
        _ => None,
    }
}

/// A file with more unknown keys than this is none of ours; comparing each with all names would take long.
const MOST_COMPARED: usize = 100;

/// A table with more keys may lack one for many a reason.
const MOST_KEYS_OF_SMALL: usize = 6;
