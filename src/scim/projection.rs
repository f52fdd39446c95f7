//! Which attributes an answer has (RFC 7644 §3.9, §3.4.2.5; RFC 7643 §7 `returned`).

use serde_json::{Map, Value};

use super::schema::resolve::common_attributes;
use super::{Attribute, AttributePath, ResourceType, Returned, Schema};

/// The wish of `attributes` and `excludedAttributes`, resolved.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Projection {
    /// Only these, and what is always returned; absent: what is returned by default.
    only: Option<Vec<AttributePath>>,
    /// Not these.
    excluded: Vec<AttributePath>,
    /// Attributes that are returned whatever is asked.
    always: Vec<AttributePath>,
    /// Attributes that are not returned unless asked for, or never.
    hidden: Vec<AttributePath>,
}

impl Projection {
    /// Resolves a wish. Unknown names are passed over. If both lists are given, `attributes` decides:
    /// the two are exclusive (RFC 7644 §3.9), and it names what the client needs.
    ///
    /// An extension's URN alone means all of it. Without URN an extension's attribute is found as well.
    ///
    /// What cannot be understood asks for nothing.
    pub fn parse(resource_type: &ResourceType, attributes: &[String], excluded: &[String]) -> Self {
        let only = (!attributes.is_empty()).then(|| resolve(resource_type, attributes));
        let excluded = match only {
            Some(_) => Vec::new(),
            None => resolve(resource_type, excluded),
        };
        Self {
            only,
            excluded,
            ..Self::usual(resource_type)
        }
    }

    /// The wish of a client that says nothing about it.
    pub fn usual(resource_type: &ResourceType) -> Self {
        let having = |wanted: &[Returned]| {
            let found = each_attribute(resource_type).filter(|(_, a)| wanted.contains(&a.returned));
            found.map(|(urn, a)| path_of(urn, a)).collect()
        };
        Self {
            only: None,
            excluded: Vec::new(),
            always: having(&[Returned::Always]),
            hidden: having(&[Returned::Never, Returned::Request]),
        }
    }

    /// Whether the client asked for, or without, anything.
    pub fn is_explicit(&self) -> bool {
        self.only.is_some() || !self.excluded.is_empty()
    }

    /// Whether an answer can have any of an attribute: by its canonical name, with the URN in front if it is an extension's.
    pub fn wants(&self, attribute: &str) -> bool {
        let Ok(path) = AttributePath::parse(attribute) else {
            return false;
        };
        if contains(&self.always, &path) {
            return true;
        }
        match &self.only {
            Some(only) => only
                .iter()
                .any(|o| o.is_same_attribute(&path) || names_extension_of(o, &path)),
            None => {
                let mut excluded = self.excluded.iter();
                !contains(&self.hidden, &path)
                    && !excluded.any(|e| {
                        let is_whole = e.sub_attribute.is_none() && e.is_same_attribute(&path);
                        is_whole || names_extension_of(e, &path)
                    })
            }
        }
    }

    /// Leaves out of a resource what was not asked for. What the resource type does not know goes too.
    pub fn apply(
        &self,
        resource_type: &ResourceType,
        mut resource: Map<String, Value>,
    ) -> Map<String, Value> {
        resource.retain(|name, value| {
            if let Some(extension) = resource_type.extension(name) {
                let Value::Object(content) = value else {
                    return false;
                };
                content.retain(|name, value| {
                    let attribute = extension.attribute(name);
                    attribute.is_some_and(|a| self.keep(Some(extension), a, value))
                });
                return !content.is_empty();
            }
            let attribute = super::intake::own_attribute(resource_type, name);
            attribute.is_some_and(|a| self.keep(None, a, value))
        });
        resource
    }

    /// Leaves in a value what an answer has of it; false if that is nothing.
    fn keep(&self, extension: Option<&Schema>, attribute: &Attribute, value: &mut Value) -> bool {
        match self.select(extension, attribute, value.take()) {
            Some(selected) => {
                *value = selected;
                true
            }
            None => false,
        }
    }

    /// What an answer has of one attribute.
    fn select(
        &self,
        extension: Option<&Schema>,
        attribute: &Attribute,
        value: Value,
    ) -> Option<Value> {
        if attribute.returned == Returned::Never {
            return None;
        }
        let urn = extension.map(|e| e.id.as_str());
        let wish = match &self.only {
            Some(only) => Wish::of(only, urn, &attribute.name),
            None => Wish::Whole,
        };
        let is_always = attribute.returned == Returned::Always;
        let is_hidden = attribute.returned == Returned::Request && self.only.is_none();
        let exclusion = Wish::of(&self.excluded, urn, &attribute.name);
        let is_out = matches!(wish, Wish::Nothing) || is_hidden;
        if (is_out || matches!(exclusion, Wish::Whole)) && !is_always {
            return None;
        }
        if attribute.sub_attributes.is_empty() {
            return Some(value);
        }
        let wish = match wish {
            Wish::Nothing => Wish::Whole,
            wish => wish,
        };
        select_subs(attribute, &wish, &exclusion, value)
    }
}

/// How much of an attribute a list of paths names.
enum Wish {
    Nothing,
    Whole,
    /// These sub-attributes.
    Subs(Vec<String>),
}

impl Wish {
    /// Both the paths and the attribute are canonical.
    fn of(paths: &[AttributePath], urn: Option<&str>, attribute: &str) -> Self {
        let mut subs = Vec::new();
        for named in paths.iter().filter(|p| p.schema.as_deref() == urn) {
            if urn.is_some() && named.attribute.is_empty() {
                return Self::Whole;
            }
            if named.attribute == attribute {
                match &named.sub_attribute {
                    None => return Self::Whole,
                    Some(sub) => subs.push(sub.clone()),
                }
            }
        }
        if subs.is_empty() {
            Self::Nothing
        } else {
            Self::Subs(subs)
        }
    }

    fn names(&self, sub: &str) -> bool {
        matches!(self, Self::Subs(subs) if subs.iter().any(|s| s == sub))
    }
}

/// Leaves the wanted sub-attributes in a value; absent if there are none.
fn select_subs(
    attribute: &Attribute,
    wish: &Wish,
    exclusion: &Wish,
    value: Value,
) -> Option<Value> {
    match value {
        Value::Array(elements) => {
            let elements = elements.into_iter();
            let selected: Vec<Value> = elements
                .filter_map(|e| select_subs(attribute, wish, exclusion, e))
                .collect();
            (!selected.is_empty()).then_some(Value::Array(selected))
        }
        Value::Object(mut object) => {
            object.retain(|name, _| {
                attribute.sub(name).is_some_and(|sub| match sub.returned {
                    Returned::Always => true,
                    Returned::Never => false,
                    Returned::Request => wish.names(&sub.name),
                    Returned::Default => {
                        let is_wanted = matches!(wish, Wish::Whole) || wish.names(&sub.name);
                        is_wanted && !exclusion.names(&sub.name)
                    }
                })
            });
            (!object.is_empty()).then_some(Value::Object(object))
        }
        other => Some(other),
    }
}

fn resolve(resource_type: &ResourceType, names: &[String]) -> Vec<AttributePath> {
    let mut paths = Vec::new();
    for name in names {
        let Ok(path) = AttributePath::parse(name.trim()) else {
            continue;
        };
        if let Some(resolved) = resource_type.resolve(&path) {
            paths.push(resolved.canonical());
        } else if path.schema.is_none() {
            let sub = path.sub_attribute.as_deref();
            let found = resource_type.resolve_in_extensions(&path.attribute, sub);
            paths.extend(found.iter().map(|r| r.canonical()));
        }
    }
    paths
}

/// Every attribute of a resource type, with the URN of the extension it lies in.
fn each_attribute(
    resource_type: &ResourceType,
) -> impl Iterator<Item = (Option<&str>, &Attribute)> {
    let own = common_attributes()
        .iter()
        .chain(&resource_type.schema.attributes)
        .map(|a| (None, a));
    let extensions = resource_type.extensions.iter().flat_map(|e| {
        let urn = Some(e.schema.id.as_str());
        e.schema.attributes.iter().map(move |a| (urn, a))
    });
    own.chain(extensions)
}

/// The canonical path of an attribute.
fn path_of(urn: Option<&str>, attribute: &Attribute) -> AttributePath {
    AttributePath {
        schema: urn.map(str::to_owned),
        ..AttributePath::of(attribute.name.clone())
    }
}

fn contains(paths: &[AttributePath], path: &AttributePath) -> bool {
    paths.iter().any(|p| p.is_same_attribute(path))
}

/// Whether `named` is the URN alone of the extension `path` lies in, or is.
fn names_extension_of(named: &AttributePath, path: &AttributePath) -> bool {
    let (Some(urn), true) = (&named.schema, named.attribute.is_empty()) else {
        return false;
    };
    let is_within = path
        .schema
        .as_ref()
        .is_some_and(|s| s.eq_ignore_ascii_case(urn));
    is_within || path.to_string().eq_ignore_ascii_case(urn)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::scim::builtin;

    #[test]
    fn every_kind_of_returned_is_honoured_at_both_levels() {
        let each = || {
            [
                Attribute::string("always").returned(Returned::Always),
                Attribute::string("never").returned(Returned::Never),
                Attribute::string("usual"),
                Attribute::string("request").returned(Returned::Request),
            ]
        };
        let mut attributes = each().to_vec();
        attributes.push(Attribute::complex("list", each().to_vec()).multi_valued());
        let schema = Schema::new("urn:example:2.0:Device", "Device", "", attributes);
        let device_type = ResourceType::new("Device", "/Devices", schema, Vec::new());
        let all = json!({ "always": "a", "never": "n", "usual": "u", "request": "r" });
        let mut device = all.clone();
        device["list"] = json!([all]);
        let usual = json!({ "always": "a", "usual": "u" });
        let cases = [
            (
                "",
                "",
                json!({ "always": "a", "usual": "u", "list": [usual] }),
            ),
            ("request", "", json!({ "always": "a", "request": "r" })),
            ("list", "", json!({ "always": "a", "list": [usual] })),
            (
                "list.request",
                "",
                json!({ "always": "a", "list": [{ "always": "a", "request": "r" }] }),
            ),
            (
                "list.never",
                "",
                json!({ "always": "a", "list": [{ "always": "a" }] }),
            ),
            ("never", "", json!({ "always": "a" })),
            (
                "",
                "always",
                json!({ "always": "a", "usual": "u", "list": [usual] }),
            ),
            (
                "",
                "list.usual",
                json!({ "always": "a", "usual": "u", "list": [{ "always": "a" }] }),
            ),
            (
                "",
                "list.always",
                json!({ "always": "a", "usual": "u", "list": [usual] }),
            ),
        ];
        for (attributes, excluded, expected) in cases {
            let names = |name: &str| {
                let name = Some(name.to_owned()).filter(|n| !n.is_empty());
                name.into_iter().collect::<Vec<_>>()
            };
            let (only, without) = (names(attributes), names(excluded));
            let projection = Projection::parse(&device_type, &only, &without);
            let projected = projection.apply(&device_type, device.as_object().unwrap().clone());
            assert_eq!(
                Value::Object(projected),
                expected,
                "{attributes} {excluded}"
            );
        }
    }

    #[test]
    fn what_no_answer_can_have_is_not_wanted() {
        let user_type = ResourceType::user(vec![builtin::enterprise_user()]);
        let enterprise = builtin::ENTERPRISE_USER;
        let department = format!("{enterprise}:department");
        let names = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        // `attributes`, `excludedAttributes`, an attribute, whether it is wanted.
        let cases = [
            (vec![], vec![], "groups", true),
            (vec![], vec![], "password", false),
            (vec![], vec!["groups"], "groups", false),
            (vec![], vec!["groups"], "id", true),
            (vec![], vec!["id"], "id", true),
            (vec![], vec!["emails.type"], "emails", true),
            (vec![], vec![enterprise], &department, false),
            (vec![], vec![enterprise], enterprise, false),
            (vec!["userName"], vec![], "groups", false),
            (vec!["userName"], vec![], "schemas", true),
            (vec!["groups.display"], vec![], "groups", true),
            (vec![enterprise], vec![], &department, true),
            (vec![&department], vec![], &department, true),
            (vec!["userName"], vec!["userName"], "userName", true),
        ];
        for (attributes, excluded, name, is_wanted) in cases {
            let projection = Projection::parse(&user_type, &names(&attributes), &names(&excluded));
            let shown = format!("{attributes:?} {excluded:?} {name}");
            assert_eq!(projection.wants(name), is_wanted, "{shown}");
        }
    }
}
