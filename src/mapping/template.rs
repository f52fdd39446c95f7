//! Text and data with `{expression}` in them.

/// Text with `{expression}` in it. One that is a single expression keeps the value's type.
#[derive(Debug, Clone)]
pub struct Template {
    source: String,
}

/// A URL path in which each placeholder is one percent-encoded segment or part of one.
#[derive(Debug, Clone)]
pub struct PathTemplate {
    source: String,
}

/// A body as data: objects and lists whose leaves are templates.
#[derive(Debug, Clone)]
pub enum Tree {
    Object(Vec<(String, Tree)>),
    List(Vec<Tree>),
    Leaf(Template),
    Constant(serde_json::Value),
}
