//! A mapping's lines as parts of the answer, in its order.

use crate::{
    mapping::{
        location::definition,
        look_up,
        model::{AttributeRule, Read, TypeMapping},
        path::JsonPath,
    },
    scim::{
        Attribute, AttributeType, Returned,
        schema::Schema,
        version::{At, Name},
    },
};

use super::{Fields, Odd, fields::Names, leaf::Leaf};

/// How rows of a type become resources: made when the mapping is loaded.
#[derive(Debug)]
pub struct Splice {
    pub(super) names: Names,
    pub(super) id: usize,
    /// `{"schemas":["…"`, and what each extension that is there adds.
    pub(super) schemas: Vec<u8>,
    pub(super) extensions: Vec<(String, Vec<u8>)>,
    /// The extensions that have a line, and `schemas` where all of them are there.
    pub(super) mostly: Vec<bool>,
    pub(super) schemas_mostly: Vec<u8>,
    pub(super) parts: Vec<Part>,
    /// `"meta":{"resourceType":"…"`.
    pub(super) meta: Vec<u8>,
    pub(super) created: Option<Leaf>,
    pub(super) modified: Option<Leaf>,
    pub(super) external_id: Option<Leaf>,
}

/// A top-level member of the answer, or a member of an extension.
#[derive(Debug)]
pub(super) enum Part {
    Value(Key, Leaf),
    /// A complex attribute by its sub-attributes.
    Object(Key, Vec<(Key, Leaf)>),
    /// Elements of a multi-valued attribute by their values: `emails[type eq "work"].value`.
    Elements(Key, Vec<Element>),
    /// An extension by its attributes, and its number among the type's.
    Extension(Key, usize, Vec<Part>),
    /// A member that is read from a tree: its name, and the numbers of its rules.
    Tree(String, Vec<usize>),
}

/// A member's name.
#[derive(Debug)]
pub(super) struct Key {
    /// `,"name":`.
    pub json: Vec<u8>,
    pub name: Name,
}

#[derive(Debug)]
pub(super) struct Element {
    /// What the element must have: as members, and as text for the version.
    pub constants: Vec<(Key, Vec<u8>)>,
    pub leaves: Vec<(Key, Leaf)>,
}

/// A rule that reads, and its number.
type Rule<'t> = (usize, &'t AttributeRule);

impl Splice {
    /// How rows of this type become resources; absent if they must all go the long way.
    pub fn new(t: &TypeMapping) -> Option<Self> {
        // What a table of the application's says has to be asked before a row is read.
        if t.is_fixed() || look_up::of_type(t).next().is_some() {
            return None;
        }
        let mut names = Names::default();
        let id = field(&t.id.from).filter(|(_, within)| within.is_none())?;
        let id = names.slot(&id.0);
        let rt = &t.resource_type;
        let mut splice = Self {
            names,
            id,
            schemas: format!("{{\"schemas\":[{}", text(&rt.schema.id)).into_bytes(),
            extensions: extensions(t),
            mostly: Vec::new(),
            schemas_mostly: Vec::new(),
            parts: Vec::new(),
            meta: format!(",\"meta\":{{\"resourceType\":{}", text(&rt.name)).into_bytes(),
            created: None,
            modified: None,
            external_id: None,
        };
        for (member, rules) in members(t) {
            splice.add(t, member, rules)?;
        }
        let is_mapped = |urn: &String| {
            let mut rules = t.attributes.iter();
            rules.any(|rule| rule.location.path.schema.as_ref() == Some(urn) && reads(rule))
        };
        let extensions = splice.extensions.iter();
        splice.mostly = extensions.map(|(urn, _)| is_mapped(urn)).collect();
        splice.schemas_mostly = splice.schemas(&splice.mostly);
        Some(splice)
    }

    /// The beginning of a resource with these extensions: `{"schemas":["…"`, without the bracket that ends the list.
    pub(super) fn schemas(&self, extensions: &[bool]) -> Vec<u8> {
        let mut schemas = self.schemas.clone();
        let present = self.extensions.iter().zip(extensions);
        for ((_, json), _) in present.filter(|(_, is_there)| **is_there) {
            schemas.extend_from_slice(json);
        }
        schemas
    }

    /// The values of a row.
    ///
    /// # Errors
    ///
    /// [`Odd`] if the row is no object, or has an escape in a name.
    pub fn read<'r>(&self, row: &'r str) -> Result<Fields<'r>, Odd> {
        self.names.read(row)
    }

    /// The application's id of a row, as text; absent if there is none, or an empty one.
    ///
    /// # Errors
    ///
    /// [`Odd`] if it is neither a plain text nor a whole number.
    pub fn target_id<'r>(&self, fields: &Fields<'r>) -> Result<Option<&'r str>, Odd> {
        let Some(text) = fields.value(self.id) else {
            return Ok(None);
        };
        let id = match text
            .strip_prefix('"')
            .and_then(|text| text.strip_suffix('"'))
        {
            Some(inner) if !inner.contains('\\') => inner,
            None if super::leaf::is_whole(text) => text,
            _ => return Err(Odd),
        };
        Ok(Some(id).filter(|id| !id.is_empty()))
    }

    fn add(&mut self, t: &TypeMapping, member: &str, rules: Vec<Rule<'_>>) -> Option<()> {
        match member {
            // They cost calls, or are nobody's to map.
            "id" | "schemas" | "members" | "groups" => return None,
            "meta" => {
                for rule in rules {
                    match rule.1.location.path.sub_attribute.as_deref() {
                        Some("created") => self.created = Some(self.leaf(t, rule)?),
                        Some("lastModified") => self.modified = Some(self.leaf(t, rule)?),
                        _ => return None,
                    }
                }
                return Some(());
            }
            "externalId" => {
                let [rule] = rules.as_slice() else {
                    return None;
                };
                self.external_id = Some(self.leaf(t, *rule)?);
                return Some(());
            }
            _ => {}
        }
        let numbers = rules.iter().map(|(number, _)| *number).collect();
        let is_extension = rules
            .iter()
            .any(|(_, rule)| rule.location.path.schema.is_some());
        let part = match is_extension {
            true => self.extension(t, member, &rules),
            false => self.part(t, Some(&t.resource_type.schema), member, &rules),
        };
        self.parts
            .push(part.unwrap_or_else(|| Part::Tree(member.to_owned(), numbers)));
        Some(())
    }

    /// An extension, if all of it can be spliced.
    fn extension(&mut self, t: &TypeMapping, urn: &str, rules: &[Rule<'_>]) -> Option<Part> {
        let number = self.extensions.iter().position(|(known, _)| known == urn)?;
        let mut parts = Vec::new();
        for (member, rules) in grouped(rules.iter().copied(), |rule| &rule.location.path.attribute)
        {
            parts.push(self.part(t, t.resource_type.extension(urn), member, &rules)?);
        }
        Some(Part::Extension(Key::new(urn), number, parts))
    }

    /// An attribute, if it is put together from fields alone and answered whole.
    fn part(
        &mut self,
        t: &TypeMapping,
        schema: Option<&Schema>,
        name: &str,
        rules: &[Rule<'_>],
    ) -> Option<Part> {
        let attribute = schema?
            .attribute(name)
            .filter(|a| a.name == name && is_shown(a))?;
        let key = Key::new(name);
        let has_sub = |(_, rule): &Rule<'_>| rule.location.path.sub_attribute.is_some();
        let is_element = |(_, rule): &Rule<'_>| rule.location.is_element();
        if attribute.is_multi_valued {
            return match rules.iter().all(is_element) {
                true => Some(Part::Elements(key, self.elements(t, attribute, rules)?)),
                false => None,
            };
        }
        match rules {
            [rule] if !has_sub(rule) && !attribute.is_complex() => {
                Some(Part::Value(key, self.leaf(t, *rule)?))
            }
            rules if rules.iter().all(has_sub) => {
                let mut leaves: Vec<(Key, Leaf)> = Vec::new();
                for rule in rules {
                    let sub = rule.1.location.path.sub_attribute.as_deref()?;
                    let is_repeated = leaves.iter().any(|(key, _)| key.name == Name::of(sub));
                    if is_repeated || attribute.sub(sub)?.name != sub {
                        return None;
                    }
                    leaves.push((Key::new(sub), self.leaf(t, *rule)?));
                }
                Some(Part::Object(key, leaves))
            }
            _ => None,
        }
    }

    /// Elements that no value makes one, or puts in another order.
    fn elements(
        &mut self,
        t: &TypeMapping,
        attribute: &Attribute,
        rules: &[Rule<'_>],
    ) -> Option<Vec<Element>> {
        let known = |name: &str| attribute.sub(name).is_some_and(|sub| sub.name == name);
        let mut elements: Vec<Element> = Vec::new();
        let mut seen: Vec<String> = Vec::new();
        for rule in rules {
            let location = &rule.1.location;
            let sub = location.sub_attribute.as_deref().filter(|sub| known(sub))?;
            let [(name, value)] = location.constants() else {
                return None;
            };
            if name == sub || !known(name) {
                return None;
            }
            let same = format!("{name} {}", value.to_string().to_lowercase());
            let is_of_last = seen.last() == Some(&same);
            if !is_of_last {
                // Of two names, one element might match both; an element that comes again might stand elsewhere.
                let is_other_name = seen
                    .iter()
                    .any(|seen| !seen.starts_with(&format!("{name} ")));
                if is_other_name || seen.contains(&same) {
                    return None;
                }
                seen.push(same);
                elements.push(Element {
                    constants: vec![(Key::new(name), serde_json::to_vec(value).ok()?)],
                    leaves: Vec::new(),
                });
            }
            let leaf = (Key::new(sub), self.leaf(t, *rule)?);
            let leaves = &mut elements.last_mut()?.leaves;
            if leaves.iter().any(|(key, _)| key.name == leaf.0.name) {
                return None;
            }
            leaves.push(leaf);
        }
        Some(elements)
    }

    /// The value of a rule, if it is one, from a field.
    fn leaf(&mut self, t: &TypeMapping, (number, rule): Rule<'_>) -> Option<Leaf> {
        let Some(Read::Path(path)) = &rule.read else {
            return None;
        };
        let (attribute, sub) = definition(t, &rule.location);
        let definition = sub.or(attribute);
        let kind = definition.map(|a| a.kind);
        let is_list = !rule.location.is_element()
            && rule.location.path.sub_attribute.is_none()
            && attribute.is_some_and(|a| a.is_multi_valued);
        if rule.each.is_some()
            || rule.reference.is_some()
            || is_list
            || kind == Some(AttributeType::Complex)
        {
            return None;
        }
        let (names, within) = field(path)?;
        let slot = self.names.slot(&names);
        let mut leaf = Leaf::new((number, rule), slot, within, kind);
        leaf.empty_is_absent = t.empty_is_absent;
        Some(leaf)
    }
}

impl Key {
    fn new(name: &str) -> Self {
        Self {
            json: format!(",{}:", text(name)).into_bytes(),
            name: Name::of(name),
        }
    }

    /// Where the member is, in an object at this place.
    pub fn at(&self, object: At) -> At {
        object.member(self.name)
    }
}

/// Where a path begins by plain names, and what of it is left then; absent if it does not begin so.
fn field(path: &JsonPath) -> Option<(Vec<&str>, Option<crate::mapping::model::FieldPlace>)> {
    let (names, rest) = path.names()?;
    let within = (!rest.is_whole()).then_some(rest);
    (!names.is_empty()).then_some((names, within))
}

fn reads(rule: &AttributeRule) -> bool {
    rule.is_read()
}

/// The rules that read, by the member of the resource that they are about, in the answer's order.
fn members(t: &TypeMapping) -> Vec<(&str, Vec<Rule<'_>>)> {
    let rules = t.attributes.iter().enumerate();
    let reading = rules.filter(|(_, rule)| reads(rule));
    let mut members = grouped(reading, |rule| {
        let path = &rule.location.path;
        path.schema.as_ref().unwrap_or(&path.attribute)
    });
    members.sort_by_key(|(name, _)| t.resource_type.position(name));
    members
}

fn grouped<'t>(
    rules: impl Iterator<Item = Rule<'t>>,
    name_of: impl Fn(&'t AttributeRule) -> &'t String,
) -> Vec<(&'t str, Vec<Rule<'t>>)> {
    let mut groups: Vec<(&str, Vec<Rule<'_>>)> = Vec::new();
    for rule in rules {
        let name = name_of(rule.1).as_str();
        match groups.iter_mut().find(|(known, _)| *known == name) {
            Some((_, group)) => group.push(rule),
            None => groups.push((name, vec![rule])),
        }
    }
    groups
}

/// Whether an answer that nobody asked anything of has all of an attribute.
pub(super) fn is_shown(attribute: &Attribute) -> bool {
    let is_shown = |a: &Attribute| matches!(a.returned, Returned::Always | Returned::Default);
    is_shown(attribute) && attribute.sub_attributes.iter().all(is_shown)
}

fn extensions(t: &TypeMapping) -> Vec<(String, Vec<u8>)> {
    let urns = t
        .resource_type
        .extensions
        .iter()
        .map(|extension| &extension.schema.id);
    urns.map(|urn| (urn.clone(), format!(",{}", text(urn)).into_bytes()))
        .collect()
}

/// A text in JSON.
fn text(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}
