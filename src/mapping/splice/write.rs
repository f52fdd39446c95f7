//! A row's fields through the parts of its type.

use std::cell::OnceCell;

use serde_json::{Map, Value};

use crate::{
    mapping::{frame::Frame, model::TypeMapping, read::Reading},
    scim::version::{At, Content, Name, revised},
};

use super::{
    Fields, Odd,
    plan::{Element, Key, Part, Splice},
};

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spliced {
    /// `meta.version`.
    pub version: String,
}

impl Splice {
    /// Writes a row as a resource, as it is answered where nothing is asked of the answer.
    ///
    /// # Errors
    ///
    /// [`Odd`]; `out` is then as it was.
    pub fn write(
        &self,
        t: &TypeMapping,
        settings: &Map<String, Value>,
        fields: &Fields<'_>,
        frame: &Frame<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Spliced, Odd> {
        let start = out.len();
        let mut writer = Writer {
            t,
            settings,
            fields,
            out,
            content: Content::default(),
            tree: OnceCell::new(),
            extensions: vec![false; self.extensions.len()],
        };
        let written = writer.resource(self, frame);
        if written.is_err() {
            out.truncate(start);
        }
        written
    }
}

struct Writer<'w> {
    t: &'w TypeMapping,
    settings: &'w Map<String, Value>,
    fields: &'w Fields<'w>,
    out: &'w mut Vec<u8>,
    content: Content,
    /// The row as a tree, for the attributes that need one.
    tree: OnceCell<Value>,
    /// Which extensions have a value.
    extensions: Vec<bool>,
}

impl Writer<'_> {
    fn resource(&mut self, splice: &Splice, frame: &Frame<'_>) -> Result<Spliced, Odd> {
        // `schemas` comes first and names the extensions that turn out to be there: mostly all that are mapped.
        let start = self.out.len();
        self.out.extend_from_slice(&splice.schemas_mostly);
        let end = self.out.len();
        self.text(b"],\"id\":", "id", frame.id);
        match (frame.external_id, &splice.external_id) {
            (Some(id), _) => self.text(b",\"externalId\":", "externalId", id),
            (None, Some(leaf)) => {
                self.out.extend_from_slice(b",\"externalId\":");
                let from = self.out.len();
                match leaf.write(&self.t.attributes, self.fields, self.out)? {
                    true => self.count(At::ROOT.member(Name::of("externalId")), from),
                    false => self.out.truncate(from - b",\"externalId\":".len()),
                }
            }
            (None, None) => {}
        }
        for part in &splice.parts {
            self.part(part, At::ROOT)?;
        }
        let version = revised(self.content.tag(), frame.revision);
        self.meta(splice, frame, &version)?;
        self.out.push(b'}');
        if self.extensions != splice.mostly {
            self.out
                .splice(start..end, splice.schemas(&self.extensions));
        }
        Ok(Spliced { version })
    }

    fn meta(&mut self, splice: &Splice, frame: &Frame<'_>, version: &str) -> Result<(), Odd> {
        self.out.extend_from_slice(&splice.meta);
        for (name, mapped, kept) in [
            (&b",\"created\":"[..], &splice.created, frame.created),
            (b",\"lastModified\":", &splice.modified, frame.modified),
        ] {
            let before = self.out.len();
            self.out.extend_from_slice(name);
            let is_mapped = match mapped {
                Some(leaf) => leaf.write(&self.t.attributes, self.fields, self.out)?,
                None => false,
            };
            match kept {
                _ if is_mapped => {}
                Some(time) => quote(time, self.out),
                None => self.out.truncate(before),
            }
        }
        self.out.extend_from_slice(b",\"location\":");
        quote(frame.location, self.out);
        self.out.extend_from_slice(b",\"version\":");
        quote(version, self.out);
        self.out.push(b'}');
        Ok(())
    }

    fn part(&mut self, part: &Part, holder: At) -> Result<bool, Odd> {
        match part {
            Part::Value(key, leaf) => self.leaf(key, leaf, holder),
            Part::Object(key, leaves) => {
                let at = key.at(holder);
                self.bracketed(key, *b"{}", |writer| writer.leaves(leaves, at))
            }
            Part::Elements(key, elements) => {
                let at = key.at(holder);
                self.bracketed(key, *b"[]", |writer| writer.elements(elements, at))
            }
            Part::Extension(key, number, parts) => {
                let at = key.at(holder);
                let is_there = self.bracketed(key, *b"{}", |writer| {
                    parts
                        .iter()
                        .try_fold(false, |any, part| Ok(writer.part(part, at)? || any))
                })?;
                if let Some(known) = self.extensions.get_mut(*number) {
                    *known = is_there;
                }
                Ok(is_there)
            }
            Part::Tree(name, rules) => self.tree(name, rules),
        }
    }

    /// A member with what `content` writes between brackets; nothing if that is nothing. Each thing in it begins with a comma.
    fn bracketed(
        &mut self,
        key: &Key,
        [open, close]: [u8; 2],
        content: impl FnOnce(&mut Self) -> Result<bool, Odd>,
    ) -> Result<bool, Odd> {
        let before = self.out.len();
        self.out.extend_from_slice(&key.json);
        let first = self.out.len();
        let is_there = content(self)?;
        match self.out.get_mut(first) {
            Some(comma) if is_there => {
                *comma = open;
                self.out.push(close);
            }
            _ => self.out.truncate(before),
        }
        Ok(is_there)
    }

    fn leaves(&mut self, leaves: &[(Key, super::leaf::Leaf)], at: At) -> Result<bool, Odd> {
        leaves.iter().try_fold(false, |any, (key, leaf)| {
            Ok(self.leaf(key, leaf, at)? || any)
        })
    }

    fn elements(&mut self, elements: &[Element], at: At) -> Result<bool, Odd> {
        let mut index = 0;
        for element in elements {
            let here = at.element(index);
            let before = self.out.len();
            // The comma of the first member becomes the brace.
            self.out.push(b',');
            let first = self.out.len();
            for (key, value) in &element.constants {
                self.out.extend_from_slice(&key.json);
                self.out.extend_from_slice(value);
            }
            if !self.leaves(&element.leaves, here)? {
                self.out.truncate(before);
                continue;
            }
            for (key, value) in &element.constants {
                self.content.add(key.at(here), value);
            }
            if let Some(comma) = self.out.get_mut(first) {
                *comma = b'{';
            }
            self.out.push(b'}');
            index += 1;
        }
        Ok(index > 0)
    }

    fn leaf(&mut self, key: &Key, leaf: &super::leaf::Leaf, holder: At) -> Result<bool, Odd> {
        let before = self.out.len();
        self.out.extend_from_slice(&key.json);
        let from = self.out.len();
        let is_there = leaf.write(&self.t.attributes, self.fields, self.out)?;
        match is_there {
            true => self.count(key.at(holder), from),
            false => self.out.truncate(before),
        }
        Ok(is_there)
    }

    /// A member whose lines are evaluated.
    fn tree(&mut self, name: &str, rules: &[usize]) -> Result<bool, Odd> {
        let row: &Value = match self.tree.get() {
            Some(row) => row,
            None => {
                let row = serde_json::from_str(self.fields.row).map_err(|_| Odd)?;
                self.tree.get_or_init(|| row)
            }
        };
        let rules = rules
            .iter()
            .filter_map(|number| self.t.attributes.get(*number));
        let read = Reading::of(self.t, self.settings, rules).read(row);
        if !read.references.is_empty() {
            return Err(Odd);
        }
        let Some(value) = read.resource.0.get(name) else {
            return Ok(false);
        };
        self.content
            .add_tree(At::ROOT.member(Name::of(name)), value);
        let urns = self
            .t
            .resource_type
            .extensions
            .iter()
            .map(|extension| &extension.schema.id);
        for (urn, is_there) in urns.zip(&mut self.extensions) {
            *is_there |= urn == name;
        }
        let shown = self.t.usual.apply(&self.t.resource_type, read.resource.0);
        for (name, value) in &shown {
            self.out.push(b',');
            quote(name, self.out);
            self.out.push(b':');
            serde_json::to_writer(&mut *self.out, value).map_err(|_| Odd)?;
        }
        Ok(true)
    }

    /// A text that counts for the version.
    fn text(&mut self, key: &[u8], name: &str, text: &str) {
        self.out.extend_from_slice(key);
        let from = self.out.len();
        quote(text, self.out);
        self.count(At::ROOT.member(Name::of(name)), from);
    }

    /// Counts what was written last for the version. Values of leaves are scalars, or else counted as trees.
    fn count(&mut self, at: At, from: usize) {
        let json = self.out.get(from..).unwrap_or_default();
        match json.first() {
            Some(b'{' | b'[') => {
                if let Ok(value) = serde_json::from_slice(json) {
                    self.content.add_tree(at, &value);
                }
            }
            _ => self.content.add(at, json),
        }
    }
}

/// Writes a text in JSON.
fn quote(text: &str, out: &mut Vec<u8>) {
    // Writing to a vector cannot fail.
    let _ = serde_json::to_writer(out, text);
}
