//! Reading a table by its [`Shape`]: typed values out, complaints about unknown keys and wrong types.

use std::time::Duration;

use crate::{
    diagnostic::{Place, closest},
    mapping::model::Rate,
};

use super::{
    context::Context,
    quantity, quoted,
    shape::{Kind, Shape, one_of},
    synonyms,
    tree::{Content, Entry, Node, Table},
};

/// A table being read.
#[derive(Clone, Copy)]
pub(super) struct Reader<'t> {
    pub context: &'t Context<'t>,
    pub table: &'t Table,
    /// Where complaints about what is missing point: the header's last name, or the inline table.
    pub place: &'t Place,
    pub(super) shape: &'static Shape,
}

impl<'t> Reader<'t> {
    /// Reads a value that must be a table; unknown keys are complained about at once.
    pub fn new(context: &'t Context<'t>, node: &'t Node, shape: &'static Shape) -> Option<Self> {
        let Some(table) = node.as_table() else {
            context.error(
                "mapping::wrong-type",
                &node.place,
                format!(
                    "{} is a table, not {}.",
                    capitalised(shape.name),
                    node.kind()
                ),
                "",
            );
            return None;
        };
        let reader = Self {
            context,
            table,
            place: &node.place,
            shape,
        };
        reader.complain_about_unknown_keys();
        Some(reader)
    }

    /// Reads a table that is one for sure.
    pub fn of_table(
        context: &'t Context<'t>,
        table: &'t Table,
        place: &'t Place,
        shape: &'static Shape,
    ) -> Self {
        let reader = Self {
            context,
            table,
            place,
            shape,
        };
        reader.complain_about_unknown_keys();
        reader
    }

    /// The entry of a key of the shape.
    pub fn entry(&self, key: &str) -> Option<&'t Entry> {
        debug_assert!(
            self.shape.key(key).is_some() || self.shape.others.is_some(),
            "`{key}` is not in the shape of {}",
            self.shape.name
        );
        self.table.entry(key)
    }

    /// The value of a key.
    pub fn node(&self, key: &str) -> Option<&'t Node> {
        self.entry(key).map(|entry| &entry.node)
    }

    /// Whether the key is there.
    pub fn has(&self, key: &str) -> bool {
        self.node(key).is_some()
    }

    /// Complains that a key is not there.
    pub fn missing(&self, key: &str) {
        if self.is_misspelt(key) || self.context.is_misplaced(&self.table.full_name(key)) {
            return;
        }
        let mending = match self.shape.key(key).map(|key| key.example) {
            None | Some("") => String::new(),
            Some(example) => format!("add `{key} = {example}`"),
        };
        let table = if self.table.name.is_empty() {
            self.shape.name.to_owned()
        } else {
            format!("`{}`", self.table.name)
        };
        self.context.error(
            "mapping::missing-key",
            self.place,
            format!("{} has no `{key}`.", capitalised(&table)),
            &mending,
        );
    }

    /// A text.
    pub fn text(&self, key: &str) -> Option<String> {
        let (node, text) = self.raw_text(key)?;
        Some(self.context.expand(node, text, false))
    }

    /// The second key of the shape, where one alone may stand.
    pub fn second(&self) -> Option<&'t Entry> {
        let known = |entry: &&Entry| self.shape.key(&entry.key).is_some();
        self.table.entries.iter().filter(known).nth(1)
    }

    /// A text that must be there.
    pub fn required_text(&self, key: &str) -> Option<String> {
        if !self.has(key) {
            self.missing(key);
        }
        self.text(key)
    }

    /// A text as written, with its node.
    pub fn raw_text(&self, key: &str) -> Option<(&'t Node, &'t str)> {
        let node = self.node(key)?;
        match node.as_text() {
            Some(text) => Some((node, text)),
            None => {
                self.wrong_type(key, node);
                None
            }
        }
    }

    /// Texts: a list, or one alone.
    pub fn texts(&self, key: &str) -> Vec<(&'t Node, String)> {
        let Some(node) = self.node(key) else {
            return Vec::new();
        };
        let items = match &node.content {
            Content::List(items) => items.iter().collect(),
            _ => vec![node],
        };
        let mut texts = Vec::new();
        for item in items {
            match item.as_text() {
                Some(text) => texts.push((item, self.context.expand(item, text, false))),
                None => self.wrong_type(key, item),
            }
        }
        texts
    }

    /// `true` or `false`.
    pub fn flag(&self, key: &str) -> Option<bool> {
        let node = self.node(key)?;
        match node.content {
            Content::Flag(flag) => Some(flag),
            _ => {
                self.wrong_type(key, node);
                None
            }
        }
    }

    /// A whole number between `least` and `most`, both included.
    pub fn count(&self, key: &str, least: u64, most: u64) -> Option<u64> {
        let node = self.node(key)?;
        let Content::Integer(number) = node.content else {
            self.wrong_type(key, node);
            return None;
        };
        let number = u64::try_from(number)
            .ok()
            .filter(|n| (least..=most).contains(n));
        if number.is_none() {
            self.context.error(
                "mapping::out-of-range",
                &node.place,
                format!(
                    "`{}` is not between {least} and {most}.",
                    self.table.full_name(key)
                ),
                "",
            );
        }
        number
    }

    pub fn duration(&self, key: &str) -> Option<Duration> {
        self.quantity(
            key,
            "mapping::bad-duration",
            "a number and `ms`, `s`, `m`, `h` or `d`: `\"30s\"`",
            quantity::duration,
        )
    }

    /// Bytes.
    pub fn size(&self, key: &str) -> Option<usize> {
        self.quantity(
            key,
            "mapping::bad-size",
            "a number and `B`, `KiB`, `MiB` or `GiB`: `\"16MiB\"`",
            quantity::size,
        )
    }

    pub fn rate(&self, key: &str) -> Option<Rate> {
        self.quantity(
            key,
            "mapping::bad-rate",
            "a number, a slash and `s`, `m` or `h`: `\"50/s\"`",
            quantity::rate,
        )
    }

    /// One of several words, for what it stands for.
    pub fn choice<T: Copy>(&self, key: &str, choices: &[(&'static str, T)]) -> Option<T> {
        let (node, text) = self.raw_text(key)?;
        let found = choices.iter().find(|(word, _)| *word == text);
        if found.is_none() {
            let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
            self.unknown_word(key, node, text, &words);
        }
        found.map(|(_, meaning)| *meaning)
    }

    /// Complains about a word that is none of those possible.
    pub fn unknown_word(&self, key: &str, node: &Node, word: &str, words: &[&str]) {
        let mending = match closest(word, words.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => match synonyms::of_word(word).find(|word| words.contains(word)) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("it can be {}", one_of(words)),
            },
        };
        self.context.error(
            "mapping::unknown-value",
            &node.place,
            format!(
                "`{word}` is not a value of `{}`.",
                self.table.full_name(key)
            ),
            &mending,
        );
    }

    /// A table below this one.
    pub fn table(&self, key: &str) -> Option<Reader<'t>> {
        let node = self.node(key)?;
        if node.as_table().is_none() {
            self.wrong_type(key, node);
            return None;
        }
        let shape = table_shape(&self.shape.key(key)?.kind)?;
        Reader::new(self.context, node, shape)
    }

    /// Tables below this one: a list, or one alone.
    pub fn tables(&self, key: &str) -> Vec<Reader<'t>> {
        let Some(node) = self.node(key) else {
            return Vec::new();
        };
        let Some(shape) = self.shape.key(key).and_then(|key| table_shape(&key.kind)) else {
            return Vec::new();
        };
        match &node.content {
            Content::List(items) => items
                .iter()
                .filter_map(|item| Reader::new(self.context, item, shape))
                .collect(),
            _ => Reader::new(self.context, node, shape).into_iter().collect(),
        }
    }

    /// The entries of a table with keys of the operator's choice.
    pub fn named(&self, key: &str) -> &'t [Entry] {
        let Some(node) = self.node(key) else {
            return &[];
        };
        match node.as_table() {
            Some(table) => &table.entries,
            None => {
                self.wrong_type(key, node);
                &[]
            }
        }
    }

    /// Complains that a value is of the wrong type.
    pub fn wrong_type(&self, key: &str, node: &Node) {
        let expected = self
            .shape
            .key(key)
            .map_or_else(String::new, |key| key.kind.words());
        if self.table.name == "target.auth"
            && node.as_text().is_some_and(|text| !text.contains("${"))
        {
            self.context.hide(&node.place);
        }
        self.context.error(
            "mapping::wrong-type",
            &node.place,
            format!(
                "`{}` must be {}, not {}.",
                self.table.full_name(key),
                expected,
                node.kind()
            ),
            &self.as_it_should_be(key, node),
        );
    }

    /// How a value of the wrong type is mended.
    fn as_it_should_be(&self, key: &str, node: &Node) -> String {
        let Some(found) = self.shape.key(key) else {
            return String::new();
        };
        if let Some(mending) = quoted::without_quotes(&found.kind, node) {
            return mending;
        }
        let required = |shape: &Shape| {
            let required = shape.all_keys().filter(|key| key.default == "required");
            required
                .map(|key| format!("{} = {}", key.name, key.example))
                .collect::<Vec<_>>()
                .join(", ")
        };
        match (found.example, &found.kind) {
            ("", Kind::Table(shape)) => {
                let keys = required(shape);
                match keys.is_empty() {
                    true => String::new(),
                    false => format!("write `{key} = {{ {keys} }}`"),
                }
            }
            ("", _) => String::new(),
            (example, _) => format!("write it like `{key} = {example}`"),
        }
    }

    fn quantity<T>(
        &self,
        key: &str,
        code: &'static str,
        mending: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let node = self.node(key)?;
        if let Content::Text(text) = &node.content {
            let text = self.context.expand(node, text, false);
            if let Some(quantity) = parse(&text) {
                return Some(quantity);
            }
        }
        let name = self.table.full_name(key);
        let expected = self
            .shape
            .key(key)
            .map_or_else(String::new, |key| key.kind.words());
        let near = match &node.content {
            Content::Text(text) => quantity::meant(text).filter(|near| parse(near).is_some()),
            Content::Integer(number) => {
                let with_unit = [format!("{number}s"), format!("{number}/s")];
                with_unit.into_iter().find(|text| parse(text).is_some())
            }
            _ => None,
        };
        let mending = match near {
            Some(near) => format!("did you mean `\"{near}\"`?"),
            None => mending.to_owned(),
        };
        self.context.error(
            code,
            &node.place,
            format!("`{name}` is not {expected}."),
            &mending,
        );
        None
    }
}

/// The shape of the tables a kind admits.
pub(super) fn table_shape(kind: &Kind) -> Option<&'static Shape> {
    match kind {
        Kind::Table(shape) | Kind::Tables(shape) => Some(shape),
        Kind::OneOf(kinds) => kinds.iter().find_map(table_shape),
        Kind::Many(kind) => table_shape(kind),
        _ => None,
    }
}

/// With a capital in front, unless it begins with a sign.
fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => String::new(),
    }
}
