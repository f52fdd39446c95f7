//! What a table of a file may hold, as data: read by the loader, by the JSON Schema for editors, and by `docs/mapping.md`.

/// A table: its name in the reference, what it is for, and its keys.
#[derive(Debug)]
pub struct Shape {
    /// As the reference calls it: `[target.budget]`, `a call`.
    pub name: &'static str,
    /// What it is for, in a sentence or two.
    pub about: &'static str,
    /// Its own keys, in the order of the reference.
    pub keys: &'static [Key],
    /// A table whose keys it has as well.
    pub base: Option<&'static Shape>,
    /// What keys that are not named hold (`[settings]`); absent: there are none.
    pub others: Option<Kind>,
}

/// One key of a table.
#[derive(Debug)]
pub struct Key {
    pub name: &'static str,
    pub kind: Kind,
    /// What absent means; empty: nothing in particular. `required` where a complaint follows.
    pub default: &'static str,
    /// What it says, in a sentence.
    pub about: &'static str,
    /// A TOML value; empty where the sentence or the kind shows it.
    pub example: &'static str,
}

/// What a value is.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// Text; `${NAME}` is replaced.
    Text,
    /// `${NAME}` or `file:/path`.
    Secret,
    Flag,
    /// `false`: not what it is otherwise.
    False,
    /// A whole number, not negative.
    Count,
    /// `"30s"`, `"500ms"`, `"5m"`, `"1h"`, `"2d"`.
    Duration,
    /// `"16MiB"`.
    Size,
    /// `"50/s"`, `"1000/m"`, `"10000/h"`.
    Rate,
    /// An absolute URL.
    Url,
    /// A JSONPath, or a bare field place.
    Path,
    /// A definite field place.
    Place,
    /// Text with `{expression}`.
    Template,
    /// An expression without braces.
    Expression,
    /// A regular expression.
    Pattern,
    /// An attribute path.
    Attribute,
    /// `METHOD /path?query`.
    CallLine,
    /// A date, or a date with time.
    Time,
    /// Any data; leaves of text are templates.
    Tree,
    /// Any data.
    Any,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A list of these.
    Many(&'static Kind),
    /// One of these.
    OneOf(&'static [Kind]),
    /// A table.
    Table(&'static Shape),
    /// A list of tables.
    Tables(&'static Shape),
    /// A table with keys of the operator's choice.
    Named(&'static Kind),
}

impl Shape {
    /// The key of this name.
    pub fn key(&self, name: &str) -> Option<&'static Key> {
        self.all_keys().find(|key| key.name == name)
    }

    /// Its own keys, then those of its base.
    pub fn all_keys(&self) -> impl Iterator<Item = &'static Key> + use<> {
        let base = self.base.map_or(&[][..], |base| base.keys);
        self.keys.iter().chain(base)
    }
}

impl Kind {
    /// For people: `a duration such as "10s"`.
    pub fn words(&self) -> String {
        match self {
            Self::Text => "text".to_owned(),
            Self::Secret => "a secret: `${NAME}` or `file:/path`".to_owned(),
            Self::Flag => "`true` or `false`".to_owned(),
            Self::False => "`false`".to_owned(),
            Self::Count => "a whole number".to_owned(),
            Self::Duration => "a duration such as `\"10s\"`".to_owned(),
            Self::Size => "a size such as `\"16MiB\"`".to_owned(),
            Self::Rate => "a rate such as `\"50/s\"`".to_owned(),
            Self::Url => "a URL".to_owned(),
            Self::Path => "a path such as `'$.a.b'`".to_owned(),
            Self::Place => "a field such as `'a.b'`".to_owned(),
            Self::Template => "text with `{…}` in it".to_owned(),
            Self::Expression => "an expression".to_owned(),
            Self::Pattern => "a regular expression".to_owned(),
            Self::Attribute => "an attribute path such as `\"userName\"`".to_owned(),
            Self::CallLine => "a call such as `\"GET /users/{id}\"`".to_owned(),
            Self::Time => "a date such as `2027-11-01`".to_owned(),
            Self::Tree => "data with `{…}` in its texts".to_owned(),
            Self::Any => "any value".to_owned(),
            Self::Choice(words) => one_of(words),
            Self::Many(kind) => format!("a list of {}", kind.words()),
            Self::OneOf(kinds) => {
                let kinds: Vec<String> = kinds.iter().map(Self::words).collect();
                kinds.join(", or ")
            }
            Self::Table(shape) => format!("a table ({})", shape.name),
            Self::Tables(shape) => format!("a list of tables ({})", shape.name),
            Self::Named(kind) => format!("a table of names, each {}", kind.words()),
        }
    }
}

/// `` `a`, `b` or `c` ``.
pub fn one_of(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [only] => format!("`{only}`"),
        [first @ .., last] => {
            let first: Vec<String> = first.iter().map(|word| format!("`{word}`")).collect();
            format!("{} or `{last}`", first.join(", "))
        }
    }
}

/// A [`Key`] in one line.
pub const fn key(
    name: &'static str,
    kind: Kind,
    default: &'static str,
    about: &'static str,
    example: &'static str,
) -> Key {
    Key {
        name,
        kind,
        default,
        about,
        example,
    }
}
