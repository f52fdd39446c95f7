//! A filter against resources: names are resolved once, then each resource is only looked at.

use serde_json::{Map, Value};

use super::compare::Comparison;
use super::{CompareOp, Filter};
use crate::scim::schema::resolve::Resolved;
use crate::scim::{Attribute, AttributePath, Error, ResourceType};

/// A filter made ready for a resource type.
#[derive(Debug, Clone, PartialEq)]
pub struct Matcher {
    test: Test,
    attributes: Vec<AttributePath>,
}

/// A value filter made ready for the elements of one attribute.
#[derive(Debug, Clone, PartialEq)]
pub struct ElementMatcher {
    test: Test,
}

#[derive(Debug, Clone, PartialEq)]
enum Test {
    /// Decided by the type alone.
    Known(bool),
    And(Vec<Test>),
    Or(Vec<Test>),
    Not(Box<Test>),
    Present(Place),
    Absent(Place),
    Compare(Place, Comparison),
    Element(Place, Box<Test>),
}

/// The keys that lead to the values; none means the value itself.
type Place = Vec<String>;

impl Matcher {
    /// Resolves a filter's names for a resource type.
    ///
    /// A complex attribute with a `value` sub-attribute means that one: `emails co "example.com"` (RFC 7644 §3.4.2.2).
    ///
    /// # Errors
    ///
    /// `invalidFilter` for an unknown attribute, and for an operator or a value that does not go with the attribute's type.
    pub fn compile(filter: &Filter, resource_type: &ResourceType) -> Result<Self, Error> {
        Self::compile_among(filter, resource_type, &[])
    }

    /// Resolves a filter's names for one of several resource types that are queried together: an attribute that only others
    /// have has no value here (RFC 7644 §3.4.2.1).
    ///
    /// # Errors
    ///
    /// As [`compile`](Self::compile); an attribute is unknown if none of them has it.
    pub fn compile_among(
        filter: &Filter,
        resource_type: &ResourceType,
        others: &[&ResourceType],
    ) -> Result<Self, Error> {
        let mut attributes = Vec::new();
        let scope = Scope::Resource(resource_type, others);
        let test = compile(filter, &scope, &mut attributes)?;
        attributes.sort();
        attributes.dedup();
        Ok(Self { test, attributes })
    }

    /// Whether a resource, in the schema's spelling, matches.
    ///
    /// - A comparison with a multi-valued attribute holds if it holds for any value (RFC 7644 §3.4.2.2), and `ne` is no
    ///   exception: `emails.type ne "work"` finds whoever has an address of another kind, whatever else they have. Who has
    ///   none of that kind is `not (emails.type eq "work")`.
    /// - What is unassigned is null (RFC 7643 §2.5), in an element too: it equals nothing but `null`, differs from everything
    ///   else, and is neither greater nor less. An attribute without elements is unassigned as a whole.
    /// - A value filter wants an element: `emails[type ne "work"]` finds nobody without an address. Among elements it says
    ///   what the plain comparison says.
    pub fn matches(&self, resource: &Map<String, Value>) -> bool {
        self.test.holds(Node::Object(resource))
    }

    /// Whether no resource of the type can match, whatever it holds.
    pub fn is_never(&self) -> bool {
        self.test == Test::Known(false)
    }

    /// The attributes it reads: canonical paths, sorted, each once.
    pub fn attributes(&self) -> &[AttributePath] {
        &self.attributes
    }
}

impl ElementMatcher {
    /// Resolves a value filter's names among an attribute's sub-attributes; `value` is the element itself if it has none.
    ///
    /// # Errors
    ///
    /// As [`Matcher::compile`].
    pub fn compile(filter: &Filter, attribute: &Attribute) -> Result<Self, Error> {
        let test = compile(filter, &Scope::Element(attribute, None), &mut Vec::new())?;
        Ok(Self { test })
    }

    /// Whether one element matches.
    pub fn matches(&self, element: &Value) -> bool {
        self.test.holds(Node::Value(element))
    }
}

impl Test {
    /// All of them; what is known already is left out.
    fn all(mut tests: Vec<Self>) -> Self {
        if tests.contains(&Self::Known(false)) {
            return Self::Known(false);
        }
        tests.retain(|test| *test != Self::Known(true));
        match tests.is_empty() {
            true => Self::Known(true),
            false => Self::And(tests),
        }
    }

    /// Any of them; what is known already is left out.
    fn any(mut tests: Vec<Self>) -> Self {
        if tests.contains(&Self::Known(true)) {
            return Self::Known(true);
        }
        tests.retain(|test| *test != Self::Known(false));
        match tests.is_empty() {
            true => Self::Known(false),
            false => Self::Or(tests),
        }
    }

    fn holds(&self, node: Node<'_>) -> bool {
        match self {
            Self::Known(holds) => *holds,
            Self::And(tests) => tests.iter().all(|t| t.holds(node)),
            Self::Or(tests) => tests.iter().any(|t| t.holds(node)),
            Self::Not(test) => !test.holds(node),
            Self::Present(place) => node.any(place, &mut is_present) == Some(true),
            Self::Absent(place) => node
                .any(place, &mut |value| !is_present(value))
                .unwrap_or(true),
            Self::Compare(place, comparison) => node
                .any(place, &mut |value| comparison.holds(value))
                .unwrap_or(comparison.holds_for_absence()),
            Self::Element(place, test) => {
                let mut holds =
                    |element: &Value| !element.is_null() && test.holds(Node::Value(element));
                node.any(place, &mut holds) == Some(true)
            }
        }
    }
}

/// What a test looks at: a resource, or a value in one.
#[derive(Clone, Copy)]
enum Node<'a> {
    Object(&'a Map<String, Value>),
    Value(&'a Value),
}

impl Node<'_> {
    /// Whether a value at a place satisfies `test`; each value of a list is tried, and null for one that is missing.
    /// None if there was nothing to try: the list is empty, or what should hold the value is unassigned.
    fn any(self, place: &[String], test: &mut dyn FnMut(&Value) -> bool) -> Option<bool> {
        match (self, place.split_first()) {
            (Self::Object(object), Some((key, rest))) => match object.get(key) {
                Some(value) => Node::Value(value).any(rest, test),
                None if rest.is_empty() => Some(test(&Value::Null)),
                None => None,
            },
            (Self::Object(_), None) => None,
            (Self::Value(Value::Array(values)), _) => {
                let mut outcome = None;
                for value in values {
                    outcome = outcome.max(Node::Value(value).any(place, test));
                    if outcome == Some(true) {
                        break;
                    }
                }
                outcome
            }
            (Self::Value(Value::Object(object)), Some(_)) => Node::Object(object).any(place, test),
            (Self::Value(value), None) => Some(test(value)),
            (Self::Value(_), Some(_)) => None,
        }
    }
}

/// `pr` wants a value that is not empty (RFC 7644 §3.4.2.2 table 3).
pub(crate) fn is_present(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(s) => !s.is_empty(),
        Value::Array(values) => values.iter().any(is_present),
        Value::Object(object) => object.values().any(is_present),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

/// Where a filter's names are looked up.
enum Scope<'a> {
    /// With the types that are queried together with it.
    Resource(&'a ResourceType, &'a [&'a ResourceType]),
    /// The elements of an attribute; its path is known when a whole resource is filtered.
    Element(&'a Attribute, Option<AttributePath>),
}

fn compile(
    filter: &Filter,
    scope: &Scope<'_>,
    attributes: &mut Vec<AttributePath>,
) -> Result<Test, Error> {
    let mut compile_all = |filters: &[Filter]| {
        let tests = filters.iter().map(|f| compile(f, scope, attributes));
        tests.collect::<Result<Vec<_>, _>>()
    };
    match filter {
        Filter::And(filters) => Ok(Test::all(compile_all(filters)?)),
        Filter::Or(filters) => Ok(Test::any(compile_all(filters)?)),
        Filter::Not(inner) => Ok(match compile(inner, scope, attributes)? {
            Test::Known(holds) => Test::Known(!holds),
            test => Test::Not(Box::new(test)),
        }),
        Filter::Present(path) => {
            if scope.is_others(path) {
                return Ok(Test::Known(false));
            }
            let (place, _) = scope.find(path, attributes)?;
            Ok(Test::Present(place))
        }
        Filter::Compare(path, op, value) => compile_comparison(path, *op, value, scope, attributes),
        Filter::ValuePath(path, inner) => compile_value_path(path, inner, scope, attributes),
    }
}

fn compile_comparison(
    path: &AttributePath,
    op: CompareOp,
    value: &Value,
    scope: &Scope<'_>,
    attributes: &mut Vec<AttributePath>,
) -> Result<Test, Error> {
    if scope.is_others(path) {
        return Ok(Test::Known(
            (op == CompareOp::Eq) == value.is_null() && matches!(op, CompareOp::Eq | CompareOp::Ne),
        ));
    }
    if value.is_null() {
        let (place, _) = scope.find(path, attributes)?;
        return match op {
            CompareOp::Eq => Ok(Test::Absent(place)),
            CompareOp::Ne => Ok(Test::Present(place)),
            _ => Err(Error::invalid_filter(format!(
                "Null can be compared by `eq` and `ne`, not by `{op}`."
            ))),
        };
    }
    let path = scope.with_value(path)?;
    let (place, leaf) = scope.find(&path, attributes)?;
    let comparison = Comparison::new(leaf, op, value)?;
    // "If not specified, the value of `primary` SHALL be assumed to be `false`" (RFC 7643 §2.4).
    let is_of_an_element = path.sub_attribute.is_some() || matches!(scope, Scope::Element(..));
    let is_primary = is_of_an_element && leaf.name == "primary";
    let comparison = if is_primary {
        comparison.with_default(false.into())
    } else {
        comparison
    };
    Ok(Test::Compare(place, comparison))
}

fn compile_value_path(
    path: &AttributePath,
    inner: &Filter,
    scope: &Scope<'_>,
    attributes: &mut Vec<AttributePath>,
) -> Result<Test, Error> {
    let Scope::Resource(resource_type, _) = scope else {
        return Err(Error::invalid_filter("Value filters cannot be nested."));
    };
    if scope.is_others(path) {
        return Ok(Test::Known(false));
    }
    let resolved = resolve(resource_type, path)?;
    let attribute = resolved
        .leaf()
        .filter(|a| a.is_multi_valued || a.is_complex())
        .ok_or_else(|| {
            let message = format!("`{path}` has no elements that a value filter could select.");
            Error::invalid_filter(message)
        })?;
    let element = Scope::Element(attribute, Some(resolved.canonical()));
    let test = compile(inner, &element, attributes)?;
    Ok(Test::Element(place_of(&resolved), Box::new(test)))
}

impl<'a> Scope<'a> {
    /// Whether an attribute is one that only the types beside this one have.
    fn is_others(&self, path: &AttributePath) -> bool {
        match self {
            Self::Resource(own, others) => {
                own.resolve(path).is_none() && others.iter().any(|t| t.resolve(path).is_some())
            }
            Self::Element(..) => false,
        }
    }

    /// Looks a name up, and notes it among the attributes that are read.
    fn find(
        &self,
        path: &AttributePath,
        attributes: &mut Vec<AttributePath>,
    ) -> Result<(Place, &'a Attribute), Error> {
        match self {
            Self::Resource(resource_type, _) => {
                let resolved = resolve(resource_type, path)?;
                let leaf = resolved
                    .leaf()
                    .ok_or_else(|| unknown(path, &resource_type.name))?;
                attributes.push(resolved.canonical());
                Ok((place_of(&resolved), leaf))
            }
            Self::Element(attribute, parent) => {
                let (place, leaf) = find_in_element(attribute, path)?;
                if let Some(parent) = parent {
                    attributes.push(match place.first() {
                        Some(sub) => parent.with_sub(sub.clone()),
                        None => parent.clone(),
                    });
                }
                Ok((place, leaf))
            }
        }
    }

    /// The path that is compared: that of the `value` sub-attribute, if a complex attribute has one.
    fn with_value(&self, path: &AttributePath) -> Result<AttributePath, Error> {
        let Self::Resource(resource_type, _) = self else {
            return Ok(path.clone());
        };
        let has_value = resolve(resource_type, path)?
            .leaf()
            .is_some_and(|leaf| leaf.is_complex() && leaf.sub("value").is_some());
        Ok(if has_value {
            path.with_sub("value")
        } else {
            path.clone()
        })
    }
}

fn find_in_element<'a>(
    attribute: &'a Attribute,
    path: &AttributePath,
) -> Result<(Place, &'a Attribute), Error> {
    let is_plain = path.schema.is_none() && path.sub_attribute.is_none();
    if is_plain && !attribute.is_complex() && path.attribute.eq_ignore_ascii_case("value") {
        return Ok((Vec::new(), attribute));
    }
    match attribute.sub(&path.attribute) {
        Some(sub) if is_plain => Ok((vec![sub.name.clone()], sub)),
        _ => Err(unknown(path, &attribute.name)),
    }
}

fn resolve<'a>(
    resource_type: &'a ResourceType,
    path: &AttributePath,
) -> Result<Resolved<'a>, Error> {
    resource_type
        .resolve(path)
        .ok_or_else(|| unknown(path, &resource_type.name))
}

fn unknown(path: &AttributePath, owner: &str) -> Error {
    Error::invalid_filter(format!("`{path}` is not an attribute of `{owner}`."))
}

fn place_of(resolved: &Resolved<'_>) -> Place {
    let extension = resolved.extension.map(|e| e.id.clone());
    let attribute = resolved.attribute.map(|a| a.name.clone());
    let sub_attribute = resolved.sub_attribute.map(|s| s.name.clone());
    [extension, attribute, sub_attribute]
        .into_iter()
        .flatten()
        .collect()
}
