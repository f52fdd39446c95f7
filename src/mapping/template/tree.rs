//! Bodies as data.

use std::fmt;

use serde_json::{Map, Value};

use crate::mapping::{
    expression::{EvaluateError, EvaluateErrorKind, NamePath},
    names::Names,
    path::SyntaxError,
};

use super::Template;

/// The member that stands for several: `{ id = "{id}", "..." = "{fields}" }` has the fields' members beside `id`, and the
/// element `{ "..." = "{old.groups}" }` of a list stands for the elements of another.
pub const SPREAD: &str = "...";

/// How deep a body may nest.
const MAX_DEPTH: usize = 32;

/// A body as data: objects and lists whose leaves and members' names are templates.
#[derive(Debug, Clone)]
pub enum Tree {
    /// Members in the order of the file.
    Object(Vec<(Key, Tree)>),
    /// Elements.
    List(Vec<Tree>),
    /// A text with expressions in it; a single expression keeps its type.
    Leaf(Template),
    /// Anything that never changes.
    Constant(Value),
}

/// What a member is called.
#[derive(Debug, Clone)]
pub enum Key {
    /// A name that never changes.
    Constant(String),
    /// A text with expressions in it; if it is absent, the member is left out.
    Made(Template),
    /// [`SPREAD`]: the value's members stand here.
    Spread,
}

/// A leaf or a member's name in a body that is no template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeError {
    /// The members and indexes on the way to it: `["user", "emails", "0"]`.
    pub path: Vec<String>,
    /// What is wrong in its text.
    pub error: SyntaxError,
}

impl Tree {
    /// A leaf: a template, or a constant if there is no expression in it.
    ///
    /// # Errors
    ///
    /// As [`Template::parse`].
    pub fn leaf(text: &str) -> Result<Self, SyntaxError> {
        let template = Template::parse(text)?;
        Ok(match template.constant() {
            Some(constant) => Self::Constant(Value::String(constant.to_owned())),
            None => Self::Leaf(template),
        })
    }

    /// A body given as JSON, each text and each member's name in it a template.
    ///
    /// # Errors
    ///
    /// Every text and name that is no template, and a body that nests more than 32 deep.
    pub fn from_value(value: &Value) -> Result<Self, Vec<TreeError>> {
        let mut errors = Vec::new();
        let tree = Self::build(value, &mut Vec::new(), &mut errors);
        match errors.is_empty() {
            true => Ok(tree),
            false => Err(errors),
        }
    }

    /// Whether it is an object with such a member.
    pub fn has_member(&self, name: &str) -> bool {
        match self {
            Self::Object(members) => members.iter().any(|(key, _)| key.is(name)),
            Self::Constant(value) => value.get(name).is_some(),
            Self::List(_) | Self::Leaf(_) => false,
        }
    }

    fn build(value: &Value, path: &mut Vec<String>, errors: &mut Vec<TreeError>) -> Self {
        if path.len() > MAX_DEPTH {
            let message = format!("A body nests at most {MAX_DEPTH} deep.");
            errors.push(TreeError {
                path: path.clone(),
                error: SyntaxError::new(0, 0, message),
            });
            return Self::Constant(Value::Null);
        }
        match value {
            Value::Object(members) => {
                let members = members.iter().map(|(name, value)| {
                    path.push(name.clone());
                    let key = Key::parse(name).unwrap_or_else(|error| {
                        errors.push(TreeError {
                            path: path.clone(),
                            error,
                        });
                        Key::Constant(name.clone())
                    });
                    let tree = Self::build(value, path, errors);
                    path.pop();
                    (key, tree)
                });
                Self::Object(members.collect())
            }
            Value::Array(items) => {
                let items = items.iter().enumerate().map(|(index, value)| {
                    path.push(index.to_string());
                    let tree = Self::build(value, path, errors);
                    path.pop();
                    tree
                });
                Self::List(items.collect())
            }
            Value::String(text) => Self::leaf(text).unwrap_or_else(|error| {
                errors.push(TreeError {
                    path: path.clone(),
                    error,
                });
                Self::Constant(Value::Null)
            }),
            scalar => Self::Constant(scalar.clone()),
        }
    }

    /// The body. Members and elements whose leaf or name is absent are left out; objects and lists stay, even empty.
    ///
    /// Absent only if the whole body is one leaf, and that is absent. A later member replaces an earlier one of its name,
    /// also one that comes out of a [`SPREAD`].
    ///
    /// # Errors
    ///
    /// As [`Template::value`]; a type error for a [`SPREAD`] of what is no object, or in a list no list.
    pub fn render(&self, names: &Names<'_>) -> Result<Option<Value>, EvaluateError> {
        Ok(match self {
            Self::Constant(value) => Some(value.clone()),
            Self::Leaf(template) => template.value(names)?,
            Self::List(items) => {
                let mut list = Vec::with_capacity(items.len());
                for item in items {
                    match item.spread() {
                        Some(tree) => list.extend(tree.elements(names)?),
                        None => list.extend(item.render(names)?),
                    }
                }
                Some(Value::Array(list))
            }
            Self::Object(members) => {
                let mut object = Map::new();
                for (key, tree) in members {
                    let Some(value) = tree.render(names)? else {
                        continue;
                    };
                    let name = match key {
                        Key::Spread => {
                            object.extend(tree.members(value)?);
                            continue;
                        }
                        Key::Constant(name) => Some(name.clone()),
                        Key::Made(template) => template.render(names)?,
                    };
                    if let Some(name) = name {
                        object.insert(name, value);
                    }
                }
                Some(Value::Object(object))
            }
        })
    }

    /// What an element of a list that is nothing but a spread stands for.
    fn spread(&self) -> Option<&Self> {
        match self {
            Self::Object(members) => match members.as_slice() {
                [(Key::Spread, tree)] => Some(tree),
                _ => None,
            },
            _ => None,
        }
    }

    fn elements(&self, names: &Names<'_>) -> Result<Vec<Value>, EvaluateError> {
        match self.render(names)? {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::Array(items)) => Ok(items),
            Some(_) => Err(self.unspreadable("a list")),
        }
    }

    fn members(&self, value: Value) -> Result<Map<String, Value>, EvaluateError> {
        match value {
            Value::Null => Ok(Map::new()),
            Value::Object(members) => Ok(members),
            _ => Err(self.unspreadable("an object")),
        }
    }

    fn unspreadable(&self, wanted: &str) -> EvaluateError {
        let leaf = self.leaves().first().map(|leaf| leaf.source().to_owned());
        EvaluateError {
            kind: EvaluateErrorKind::Type,
            source: leaf.unwrap_or_default(),
            message: format!("`{SPREAD}` stands for {wanted} here."),
        }
    }

    /// The names in its leaves and its members' names, in order. Positions are within the text of each.
    pub fn names(&self) -> Vec<NamePath> {
        self.leaves()
            .into_iter()
            .flat_map(Template::names)
            .collect()
    }

    /// The templates in it, in order.
    fn leaves(&self) -> Vec<&Template> {
        match self {
            Self::Constant(_) => Vec::new(),
            Self::Leaf(template) => vec![template],
            Self::List(items) => items.iter().flat_map(Self::leaves).collect(),
            Self::Object(members) => members
                .iter()
                .flat_map(|(key, tree)| key.template().into_iter().chain(tree.leaves()))
                .collect(),
        }
    }
}

impl Key {
    /// A member's name: [`SPREAD`], or a template.
    ///
    /// # Errors
    ///
    /// As [`Template::parse`].
    pub fn parse(name: &str) -> Result<Self, SyntaxError> {
        if name == SPREAD {
            return Ok(Self::Spread);
        }
        Template::parse(name).map(Self::of)
    }

    /// The name that a template makes.
    pub fn of(template: Template) -> Self {
        match template.constant() {
            Some(constant) => Self::Constant(constant.to_owned()),
            None => Self::Made(template),
        }
    }

    fn is(&self, name: &str) -> bool {
        matches!(self, Self::Constant(constant) if constant == name)
    }

    fn template(&self) -> Option<&Template> {
        match self {
            Self::Made(template) => Some(template),
            Self::Constant(_) | Self::Spread => None,
        }
    }
}

impl fmt::Display for TreeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.path.join("."), self.error)
    }
}

impl std::error::Error for TreeError {}
