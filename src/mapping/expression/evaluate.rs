//! A tree and names to a value.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::mapping::names::{Found, Names, Root, member_in_any_case};

use super::{
    EvaluateErrorKind, Fault,
    ast::{Link, Node},
    filters, is_true, operators,
    text::kind_of,
};

/// A value, or none.
pub(super) type Outcome<'v> = Result<Option<Cow<'v, Value>>, Fault>;

/// Where names are looked up.
#[derive(Clone, Copy)]
pub(super) struct Scope<'v> {
    names: &'v Names<'v>,
    /// The element a condition in brackets is about.
    element: Option<Element<'v>>,
}

#[derive(Clone, Copy)]
struct Element<'v> {
    value: &'v Value,
    is_scim: bool,
}

pub(super) fn evaluate<'v>(node: &'v Node, names: &'v Names<'_>) -> Outcome<'v> {
    let element = None;
    Scope { names, element }.value(node)
}

impl<'v> Scope<'v> {
    pub(super) fn value(self, node: &'v Node) -> Outcome<'v> {
        match node {
            Node::Constant(value) => Ok(Some(Cow::Borrowed(value))),
            Node::Name { name, .. } => Ok(self.find(name).map(|found| whole(found.root))),
            Node::List(items) => self.list(items),
            Node::Object(members) => self.object(members),
            Node::Chain(head, links) => self.chain(head, links),
            Node::Random(count) => self.random(*count),
            Node::Now => self.now(),
            Node::Coalesce(items) => self.coalesce(items),
            Node::Not(inner) => self.holds(inner).map(|holds| boolean(!holds)),
            Node::And(items) => self.first(items, false),
            Node::Or(items) => self.first(items, true),
            Node::Compare(left, comparison, right) => {
                let (left, right) = (self.value(left)?, self.value(right)?);
                let holds = operators::compare(left.as_deref(), *comparison, right.as_deref());
                Ok(boolean(holds))
            }
            Node::Add(items) => self.sum(items),
            Node::If {
                then,
                condition,
                otherwise,
            } => match (self.holds(condition)?, otherwise) {
                (true, _) => self.value(then),
                (false, Some(otherwise)) => self.value(otherwise),
                (false, None) => Ok(None),
            },
        }
    }

    pub(super) fn holds(self, node: &'v Node) -> Result<bool, Fault> {
        Ok(self.value(node)?.is_some_and(|v| is_true(&v)))
    }

    fn find(self, name: &str) -> Option<Found<'v>> {
        let Some(element) = self.element else {
            return self.names.find(name);
        };
        let of_element = match element.value {
            Value::Object(members) => member(members, name, element.is_scim),
            value if name == "value" => Some(value),
            _ => None,
        };
        match of_element {
            Some(value) => Some(Found {
                root: Root::Value(Cow::Borrowed(value)),
                is_scim: element.is_scim,
            }),
            // An element without `value` has none: the attribute's own `value` around it is another thing.
            None if name == "value" => None,
            None => self.names.given(name),
        }
    }

    fn list(self, items: &'v [Node]) -> Outcome<'v> {
        let mut list = Vec::with_capacity(items.len());
        for item in items {
            list.extend(self.value(item)?.map(Cow::into_owned));
        }
        Ok(Some(Cow::Owned(Value::Array(list))))
    }

    fn object(self, members: &'v [(String, Node)]) -> Outcome<'v> {
        let mut object = Map::new();
        for (key, node) in members {
            if let Some(value) = self.value(node)? {
                object.insert(key.clone(), value.into_owned());
            }
        }
        Ok(Some(Cow::Owned(Value::Object(object))))
    }

    fn random(self, count: usize) -> Outcome<'v> {
        match self.names.take_random(count) {
            Some(text) => Ok(Some(Cow::Owned(Value::String(text)))),
            None => {
                let message = "There are not enough random characters.";
                Err(Fault::new(EvaluateErrorKind::NoRandom, message))
            }
        }
    }

    fn now(self) -> Outcome<'v> {
        match self.names.time() {
            Some(now) => Ok(Some(Cow::Owned(Value::String(now.to_string())))),
            None => {
                let message = "The time is not known here.";
                Err(Fault::new(EvaluateErrorKind::NoTime, message))
            }
        }
    }

    /// The first value that is neither absent, null nor `""`.
    fn coalesce(self, items: &'v [Node]) -> Outcome<'v> {
        for item in items {
            if let Some(value) = self.value(item)?.filter(|v| !operators::is_blank(v)) {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    /// The first value that holds, or does not; the last one otherwise.
    fn first(self, items: &'v [Node], wanted: bool) -> Outcome<'v> {
        let mut last = None;
        for item in items {
            last = self.value(item)?;
            if last.as_deref().is_some_and(is_true) == wanted {
                break;
            }
        }
        Ok(last)
    }

    fn sum(self, items: &'v [Node]) -> Outcome<'v> {
        let mut sum: Option<Cow<'v, Value>> = None;
        for item in items {
            let Some(value) = self.value(item)? else {
                return Ok(None);
            };
            sum = Some(match sum {
                None => value,
                Some(left) => Cow::Owned(operators::add(&left, &value)?),
            });
        }
        Ok(sum)
    }

    fn chain(self, head: &'v Node, links: &'v [Link]) -> Outcome<'v> {
        let mut is_scim = false;
        let mut links = links.iter();
        let mut value = match head {
            Node::Name { name, .. } => {
                let Some(found) = self.find(name) else {
                    return self.rest(None, false, links);
                };
                is_scim = found.is_scim;
                match (found.root, links.clone().next()) {
                    // A step into settings or extensions: the map is not copied.
                    (Root::Map(map), Some(link)) => match self.key(link)? {
                        Some(key) => {
                            links.next();
                            member(map, &key, is_scim).map(Cow::Borrowed)
                        }
                        None => Some(whole(Root::Map(map))),
                    },
                    (root, _) => Some(whole(root)),
                }
            }
            node => self.value(node)?,
        };
        value = self.rest(value, is_scim, links)?;
        Ok(value)
    }

    /// The name of the member that a step goes to; absent for steps of another kind.
    fn key(self, link: &'v Link) -> Result<Option<Cow<'v, str>>, Fault> {
        match link {
            Link::Member(name) => Ok(Some(Cow::Borrowed(name))),
            Link::Index(node) => Ok(match self.value(node)? {
                Some(Cow::Borrowed(Value::String(name))) => Some(Cow::Borrowed(name)),
                Some(Cow::Owned(Value::String(name))) => Some(Cow::Owned(name)),
                _ => None,
            }),
            Link::Find(_) | Link::Filter(_) => Ok(None),
        }
    }

    fn rest(
        self,
        start: Option<Cow<'v, Value>>,
        is_scim: bool,
        links: std::slice::Iter<'v, Link>,
    ) -> Outcome<'v> {
        let mut value = start;
        for link in links {
            value = match link {
                Link::Filter(filter) => filters::apply(filter, value, self)?,
                Link::Member(name) => value.and_then(|v| into_member(v, name, is_scim)),
                Link::Index(node) => match (value, self.value(node)?) {
                    (Some(v), Some(index)) => step(v, &index, is_scim)?,
                    _ => None,
                },
                Link::Find(condition) => match value {
                    Some(v) => self.pick(v, condition, is_scim)?,
                    None => None,
                },
            };
        }
        Ok(value)
    }

    /// The first element for which the condition holds; a single object is its own only element.
    fn pick(self, list: Cow<'v, Value>, condition: &'v Node, is_scim: bool) -> Outcome<'v> {
        match list {
            Cow::Borrowed(Value::Array(items)) => {
                for item in items {
                    if self.is_met(item, condition, is_scim)? {
                        return Ok(Some(Cow::Borrowed(item)));
                    }
                }
                Ok(None)
            }
            Cow::Owned(Value::Array(items)) => {
                for item in items {
                    if self.is_met(&item, condition, is_scim)? {
                        return Ok(Some(Cow::Owned(item)));
                    }
                }
                Ok(None)
            }
            single if single.is_object() => {
                let is_met = self.is_met(&single, condition, is_scim)?;
                Ok(is_met.then_some(single))
            }
            _ => Ok(None),
        }
    }

    fn is_met(self, value: &Value, condition: &Node, is_scim: bool) -> Result<bool, Fault> {
        let scope = Scope {
            names: self.names,
            element: Some(Element { value, is_scim }),
        };
        scope.holds(condition)
    }
}

fn boolean<'v>(value: bool) -> Option<Cow<'v, Value>> {
    Some(Cow::Owned(Value::Bool(value)))
}

fn whole(root: Root<'_>) -> Cow<'_, Value> {
    match root {
        Root::Value(value) => value,
        Root::Map(map) => Cow::Owned(Value::Object(map.clone())),
    }
}

fn member<'m>(map: &'m Map<String, Value>, name: &str, is_scim: bool) -> Option<&'m Value> {
    match is_scim {
        true => member_in_any_case(map, name),
        false => map.get(name),
    }
}

fn into_member<'v>(value: Cow<'v, Value>, name: &str, is_scim: bool) -> Option<Cow<'v, Value>> {
    match value {
        Cow::Borrowed(value) => member(value.as_object()?, name, is_scim).map(Cow::Borrowed),
        Cow::Owned(value) => member(value.as_object()?, name, is_scim)
            .cloned()
            .map(Cow::Owned),
    }
}

/// A step by a value: an index from 0 or, negative, from the end; the name of a member.
fn step<'v>(value: Cow<'v, Value>, index: &Value, is_scim: bool) -> Outcome<'v> {
    match index {
        Value::Number(number) => {
            let Some(index) = number.as_i64() else {
                return Ok(None);
            };
            Ok(into_element(value, index))
        }
        Value::String(name) => Ok(into_member(value, name, is_scim)),
        other => {
            let message = format!("An index cannot be {}.", kind_of(other));
            Err(Fault::new(EvaluateErrorKind::Type, message))
        }
    }
}

/// An element by its index, counted from 0; negative ones count from the end.
pub(super) fn into_element(value: Cow<'_, Value>, index: i64) -> Option<Cow<'_, Value>> {
    let length = value.as_array()?.len();
    let back = usize::try_from(index.unsigned_abs()).ok()?;
    let index = if index < 0 {
        length.checked_sub(back)?
    } else {
        back
    };
    match value {
        Cow::Borrowed(value) => value.as_array()?.get(index).map(Cow::Borrowed),
        Cow::Owned(value) => value.as_array()?.get(index).cloned().map(Cow::Owned),
    }
}
