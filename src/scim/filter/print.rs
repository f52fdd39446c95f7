//! A filter as text; reading it again gives the same filter.

use std::fmt::{self, Display, Formatter};

use super::{CompareOp, Filter};

impl Display for Filter {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(filters) => write_joined(f, filters, " and ", |inner| {
                matches!(inner, Self::And(_) | Self::Or(_))
            }),
            Self::Or(filters) => {
                write_joined(f, filters, " or ", |inner| matches!(inner, Self::Or(_)))
            }
            Self::Not(inner) => write!(f, "not ({inner})"),
            Self::Present(path) => write!(f, "{path} pr"),
            Self::Compare(path, op, value) => write!(f, "{path} {op} {value}"),
            Self::ValuePath(path, inner) => write!(f, "{path}[{inner}]"),
        }
    }
}

impl Display for CompareOp {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Writes filters with a word between them, in parentheses where they would read differently.
fn write_joined(
    f: &mut Formatter<'_>,
    filters: &[Filter],
    word: &str,
    needs_parentheses: fn(&Filter) -> bool,
) -> fmt::Result {
    for (index, filter) in filters.iter().enumerate() {
        if index > 0 {
            f.write_str(word)?;
        }
        if needs_parentheses(filter) {
            write!(f, "({filter})")?;
        } else {
            write!(f, "{filter}")?;
        }
    }
    Ok(())
}
