//! An expression as a tree. Chains of equal operators are flat, so that the depth is bounded by the parser's.

use jiff::tz::TimeZone;
use regex::Regex;
use serde_json::Value;

use super::NamePath;

/// One node.
#[derive(Debug, Clone)]
pub(super) enum Node {
    Constant(Value),
    Name {
        name: String,
        position: usize,
    },
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
    /// A value and what is done with it, from left to right.
    Chain(Box<Node>, Vec<Link>),
    Random(usize),
    /// When the request was taken in.
    Now,
    Coalesce(Vec<Node>),
    Not(Box<Node>),
    /// The first that does not hold, or the last.
    And(Vec<Node>),
    /// The first that holds, or the last.
    Or(Vec<Node>),
    Compare(Box<Node>, Comparison, Box<Node>),
    Add(Vec<Node>),
    If {
        then: Box<Node>,
        condition: Box<Node>,
        otherwise: Option<Box<Node>>,
    },
}

/// One thing done with a value.
#[derive(Debug, Clone)]
pub(super) enum Link {
    /// `.member`
    Member(String),
    /// `[0]`, `["member"]`, `[settings.key]`
    Index(Box<Node>),
    /// `[type == "work"]`: the first element for which it holds.
    Find(Box<Node>),
    /// `|filter`
    Filter(Box<Filter>),
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    NotIn,
}

/// A filter with its arguments.
#[derive(Debug, Clone)]
pub(super) enum Filter {
    Lower,
    Upper,
    Trim,
    Default(Node),
    Split(Node, Option<Node>),
    Join(Node),
    Replace(Node, Node),
    Cut(Node),
    Match(Regex, Option<usize>),
    Date(String, TimeZone),
    Int,
    String,
    Bool,
    First,
    Last,
    Where(Node, Node),
    Without(Node, Node),
    /// A list without elements that are this, an object without members of this name.
    Less(Node),
    Primary,
    Values(Node),
    Wrap(Node),
    Merge,
    Pairs(Node, Node),
    Patch,
    Length,
    Base64,
    Lookup(Node),
    Json,
    Unique,
    Slug,
    Local,
    Domain,
    Untagged,
    Regex,
    Like,
    Quoted(Node, Option<Node>),
}

impl Node {
    /// The nodes right below, except conditions on elements.
    fn children(&self) -> Vec<&Node> {
        match self {
            Self::Constant(_) | Self::Name { .. } | Self::Random(_) | Self::Now => Vec::new(),
            Self::List(n) | Self::Coalesce(n) | Self::And(n) | Self::Or(n) | Self::Add(n) => {
                n.iter().collect()
            }
            Self::Object(members) => members.iter().map(|(_, n)| n).collect(),
            Self::Not(inner) => vec![inner],
            Self::Compare(left, _, right) => vec![left, right],
            Self::If {
                then,
                condition,
                otherwise,
            } => [Some(then), Some(condition), otherwise.as_ref()]
                .into_iter()
                .flatten()
                .map(|n| &**n)
                .collect(),
            Self::Chain(head, links) => std::iter::once(&**head)
                .chain(links.iter().flat_map(Link::children))
                .collect(),
        }
    }

    pub(super) fn collect_names(&self, names: &mut Vec<NamePath>) {
        match self {
            Self::Name { name, position } => names.push(NamePath {
                names: vec![name.clone()],
                position: *position,
                length: name.len(),
                is_chosen: false,
            }),
            Self::Chain(head, links) => {
                let first = names.len();
                head.collect_names(names);
                if let (Self::Name { .. }, Some(path)) = (&**head, names.get_mut(first)) {
                    path.names.extend(members(links));
                    let has_default = |link: &Link| matches!(link, Link::Filter(f) if matches!(**f, Filter::Default(_)));
                    path.is_chosen = matches!(links.first(), Some(Link::Find(_)))
                        && !links.iter().any(has_default);
                }
                for child in links.iter().flat_map(Link::children) {
                    child.collect_names(names);
                }
            }
            _ => {
                for child in self.children() {
                    child.collect_names(names);
                }
            }
        }
    }

    /// Whether the value is a list or absent, whatever the names are.
    pub(super) fn gives_list(&self) -> bool {
        match self {
            Self::List(_) => true,
            Self::Add(parts) => parts.iter().any(Self::gives_list),
            Self::Chain(_, links) => {
                matches!(links.last(), Some(Link::Filter(filter)) if filter.gives_list())
            }
            Self::If {
                then, otherwise, ..
            } => then.gives_list() && otherwise.as_ref().is_none_or(|other| other.gives_list()),
            _ => false,
        }
    }

    /// Whether this is `x != a`, and the other `x == b` or `x in [b, …]` without `a`.
    pub(super) fn is_unequal_where(&self, other: &Self) -> bool {
        let Self::Compare(name, Comparison::Unequal, value) = self else {
            return false;
        };
        let Self::Compare(other_name, how, other_value) = other else {
            return false;
        };
        let Self::Constant(value) = &**value else {
            return false;
        };
        let is_same = name.plain_name() == other_name.plain_name();
        let are_others = match (&**other_value, how) {
            (Self::Constant(other), Comparison::Equal) => other != value,
            (Self::List(items), Comparison::In) => items
                .iter()
                .all(|item| matches!(item, Self::Constant(other) if other != value)),
            _ => false,
        };
        name.plain_name().is_some() && is_same && are_others
    }

    /// A name with members, and nothing else.
    fn plain_name(&self) -> Option<Vec<&str>> {
        match self {
            Self::Name { name, .. } => Some(vec![name]),
            Self::Chain(head, links) => {
                let mut names = head.plain_name()?;
                for link in links {
                    match link {
                        Link::Member(name) => names.push(name),
                        Link::Filter(filter) if matches!(**filter, Filter::Int) => {
                            names.push("| int")
                        }
                        _ => return None,
                    }
                }
                Some(names)
            }
            _ => None,
        }
    }

    pub(super) fn is_made_anew(&self) -> bool {
        let is_anew = |node: &Self| matches!(node, Self::Random(_) | Self::Now);
        is_anew(self) || self.children().into_iter().any(Self::is_made_anew)
    }
}

impl Link {
    fn children(&self) -> Vec<&Node> {
        match self {
            Self::Member(_) | Self::Find(_) => Vec::new(),
            Self::Index(node) => vec![node],
            Self::Filter(filter) => filter.arguments(),
        }
    }
}

impl Filter {
    fn gives_list(&self) -> bool {
        matches!(
            self,
            Self::Split(_, None)
                | Self::Where(..)
                | Self::Without(..)
                | Self::Values(_)
                | Self::Wrap(_)
                | Self::Pairs(..)
                | Self::Patch
                | Self::Unique
        )
    }

    fn arguments(&self) -> Vec<&Node> {
        match self {
            Self::Default(a)
            | Self::Join(a)
            | Self::Cut(a)
            | Self::Values(a)
            | Self::Wrap(a)
            | Self::Less(a)
            | Self::Lookup(a) => {
                vec![a]
            }
            Self::Replace(a, b) | Self::Where(a, b) | Self::Without(a, b) | Self::Pairs(a, b) => {
                vec![a, b]
            }
            Self::Split(a, b) | Self::Quoted(a, b) => {
                std::iter::once(a).chain(b.as_ref()).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// The members that follow a name up to the first filter.
fn members(links: &[Link]) -> impl Iterator<Item = String> {
    links
        .iter()
        .take_while(|link| !matches!(link, Link::Filter(_)))
        .filter_map(|link| match link {
            Link::Member(name) => Some(name.clone()),
            Link::Index(node) => match &**node {
                Node::Constant(Value::String(name)) => Some(name.clone()),
                _ => None,
            },
            _ => None,
        })
}
