//! Bodies as data.

use std::fmt;

use serde_json::{Map, Value};

use crate::mapping::{
    expression::{EvaluateError, NamePath},
    names::Names,
    path::SyntaxError,
};

use super::Template;

/// How deep a body may nest.
const MAX_DEPTH: usize = 32;

/// A body as data: objects and lists whose leaves are templates.
#[derive(Debug, Clone)]
pub enum Tree {
    /// Members in the order of the file.
    Object(Vec<(String, Tree)>),
    /// Elements.
    List(Vec<Tree>),
    /// A text with expressions in it; a single expression keeps its type.
    Leaf(Template),
    /// Anything that never changes.
    Constant(Value),
}

/// A leaf of a body that is no template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeError {
    /// The members and indexes on the way to the leaf: `["user", "emails", "0"]`.
    pub path: Vec<String>,
    /// What is wrong in the leaf's text.
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

    /// A body given as JSON, each text in it a template.
    ///
    /// # Errors
    ///
    /// Every text that is no template, and a body that nests more than 32 deep.
    pub fn from_value(value: &Value) -> Result<Self, Vec<TreeError>> {
        let mut errors = Vec::new();
        let tree = Self::build(value, &mut Vec::new(), &mut errors);
        match errors.is_empty() {
            true => Ok(tree),
            false => Err(errors),
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
                    let tree = Self::build(value, path, errors);
                    path.pop();
                    (name.clone(), tree)
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

    /// The body. Members and elements whose leaf is absent are left out; objects and lists stay, even empty.
    ///
    /// Absent only if the whole body is one leaf, and that is absent.
    ///
    /// # Errors
    ///
    /// As [`Template::value`].
    pub fn render(&self, names: &Names<'_>) -> Result<Option<Value>, EvaluateError> {
        Ok(match self {
            Self::Constant(value) => Some(value.clone()),
            Self::Leaf(template) => template.value(names)?,
            Self::List(items) => {
                let mut list = Vec::with_capacity(items.len());
                for item in items {
                    list.extend(item.render(names)?);
                }
                Some(Value::Array(list))
            }
            Self::Object(members) => {
                let mut object = Map::new();
                for (name, tree) in members {
                    if let Some(value) = tree.render(names)? {
                        object.insert(name.clone(), value);
                    }
                }
                Some(Value::Object(object))
            }
        })
    }

    /// The names in its leaves, in order. Positions are within the text of each leaf.
    pub fn names(&self) -> Vec<NamePath> {
        self.leaves()
            .into_iter()
            .flat_map(Template::names)
            .collect()
    }

    /// Its leaves, in order.
    pub fn leaves(&self) -> Vec<&Template> {
        match self {
            Self::Constant(_) => Vec::new(),
            Self::Leaf(template) => vec![template],
            Self::List(items) => items.iter().flat_map(Self::leaves).collect(),
            Self::Object(members) => members.iter().flat_map(|(_, t)| t.leaves()).collect(),
        }
    }
}

impl fmt::Display for TreeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.path.join("."), self.error)
    }
}

impl std::error::Error for TreeError {}
