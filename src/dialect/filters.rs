//! Filters: read leniently, then put in the schema's names and types.
//!
//! What is not understood is refused. A filter must never match more than the client asked for: it would link a user to
//! a stranger's account.

use serde_json::Value;

use super::{
    context::{Mender, shown},
    paths,
    quirks::{
        BARE_WORD, BEHIND_BRACKETS, EMAIL_ALIAS, IMPLIED_VALUE, Mending, SIGNS, TYPOGRAPHIC_QUOTES,
        bit, boolean_words, number_text,
    },
};
use crate::scim::{
    Attribute, AttributePath, AttributeType, Error, Filter, Resolved,
    filter::{Tolerated, Toleration},
};

/// How alike a name must be to be proposed, from 0 to 1.
const ALIKE: f64 = 0.75;

/// Reads the filter of a query.
///
/// # Errors
///
/// `invalidFilter`.
pub(super) fn read(m: &mut Mender<'_>, text: &str) -> Result<Filter, Error> {
    let filter = match Filter::parse(text) {
        Ok(filter) => filter,
        Err(error) => match Filter::parse_tolerant(text) {
            Ok((filter, tolerated)) if accept(m, &tolerated) => filter,
            _ => return Err(error.into()),
        },
    };
    normalize(m, filter)
}

/// Whether everything that lenient reading let pass is mended for this client; if so it is noted.
pub(super) fn accept(m: &mut Mender<'_>, tolerated: &[Tolerated]) -> bool {
    let said = |kind| match kind {
        Toleration::SubAttributeBehindBrackets => {
            (&BEHIND_BRACKETS, "a filter went on behind the brackets")
        }
        Toleration::BareWord => (&BARE_WORD, "a filter had a value without quotes"),
        Toleration::SingleQuotes => (&BARE_WORD, "a filter had a value in single quotes"),
        Toleration::Sign => (
            &SIGNS,
            "a filter had signs instead of `eq`, `ne`, `and` or `or`",
        ),
        Toleration::TypographicQuotes => (
            &TYPOGRAPHIC_QUOTES,
            "a filter had a value in typographic quotes",
        ),
        Toleration::KeywordCase => (
            &boolean_words::IN_FILTERS,
            "a filter had `true`, `false` or `null` in capitals",
        ),
    };
    let said: Vec<(&Mending, &str)> = tolerated.iter().map(|found| said(found.kind)).collect();
    if !said.iter().all(|(mending, _)| m.is_on(mending)) {
        return false;
    }
    for (mending, message) in said {
        m.note(mending, message);
    }
    true
}

/// Puts the value filter of a path in the schema's form: its names are sub-attributes of the attribute.
///
/// # Errors
///
/// `invalidFilter` for a name that is none.
pub(super) fn inside(
    m: &mut Mender<'_>,
    attribute: &Attribute,
    filter: Filter,
) -> Result<Filter, Error> {
    map(filter, &mut |filter| inside_one(m, attribute, filter))
}

fn normalize(m: &mut Mender<'_>, filter: Filter) -> Result<Filter, Error> {
    map(filter, &mut |filter| match filter {
        Filter::Present(path) => Ok(Filter::Present(find(m, &path)?.path)),
        Filter::Compare(path, op, value) => {
            let found = find(m, &path)?;
            let found = implied_value(m, found);
            let value = typed(m, found.leaf, &found.path, value);
            Ok(Filter::Compare(found.path, op, value))
        }
        Filter::ValuePath(path, inner) => {
            let found = find(m, &path)?;
            let inner = match found.leaf {
                Some(attribute) => inside(m, attribute, *inner)?,
                None => *inner,
            };
            Ok(Filter::ValuePath(found.path, Box::new(inner)))
        }
        other => Ok(other),
    })
}

fn inside_one(m: &mut Mender<'_>, attribute: &Attribute, filter: Filter) -> Result<Filter, Error> {
    match filter {
        Filter::Present(path) => Ok(Filter::Present(sub_path(m, attribute, &path)?.path)),
        Filter::Compare(path, op, value) => {
            let found = sub_path(m, attribute, &path)?;
            let value = typed(m, found.leaf, &found.path, value);
            Ok(Filter::Compare(found.path, op, value))
        }
        // A value path within a value path: `scim` refuses it.
        other => Ok(other),
    }
}

/// Applies a function to what stands between `and`, `or` and `not`. The parser bounds the depth.
fn map(
    filter: Filter,
    change: &mut dyn FnMut(Filter) -> Result<Filter, Error>,
) -> Result<Filter, Error> {
    match filter {
        Filter::And(all) => Ok(Filter::And(map_all(all, change)?)),
        Filter::Or(any) => Ok(Filter::Or(map_all(any, change)?)),
        Filter::Not(inner) => Ok(Filter::Not(Box::new(map(*inner, change)?))),
        one => change(one),
    }
}

fn map_all(
    filters: Vec<Filter>,
    change: &mut dyn FnMut(Filter) -> Result<Filter, Error>,
) -> Result<Vec<Filter>, Error> {
    filters
        .into_iter()
        .map(|filter| map(filter, change))
        .collect()
}

/// A path in the schema's spelling and the definition it ends at.
struct Found<'a> {
    path: AttributePath,
    leaf: Option<&'a Attribute>,
}

impl<'a> From<Resolved<'a>> for Found<'a> {
    fn from(resolved: Resolved<'a>) -> Self {
        Self {
            path: resolved.canonical(),
            leaf: resolved.leaf(),
        }
    }
}

fn find<'a>(m: &mut Mender<'a>, path: &AttributePath) -> Result<Found<'a>, Error> {
    let rt = m.rt;
    if let Some(resolved) = rt.resolve(path) {
        return Ok(resolved.into());
    }
    if path.schema.is_some() {
        if let Some(target) = paths::behind_urn(m, &path.to_string())? {
            return Ok(Found {
                leaf: target.leaf(),
                path: target.path.target(),
            });
        }
    } else if let Some(found) = without_urn(m, path).or_else(|| email(m, path)) {
        return Ok(found);
    }
    // What only other types have has no value here: `scim` sees to it.
    if m.among.iter().any(|other| other.resolve(path).is_some()) {
        return Ok(Found {
            path: path.clone(),
            leaf: None,
        });
    }
    Err(unknown(m, path))
}

/// N16, ENTRA-06: `manager` means the enterprise extension's.
fn without_urn<'a>(m: &mut Mender<'a>, path: &AttributePath) -> Option<Found<'a>> {
    if !m.is_on(&IMPLIED_VALUE) {
        return None;
    }
    let sub = path.sub_attribute.as_deref();
    let target = paths::in_one_extension(m, &path.attribute, sub)?;
    let found = Found {
        leaf: target.leaf(),
        path: target.path.target(),
    };
    m.note(
        &IMPLIED_VALUE,
        format!("`{path}` without URN was read as `{}`", found.path),
    );
    Some(found)
}

/// N16, PING-02: `email` means `emails.value`.
fn email<'a>(m: &mut Mender<'a>, path: &AttributePath) -> Option<Found<'a>> {
    let is_alias = path.attribute.eq_ignore_ascii_case("email") && path.sub_attribute.is_none();
    if !is_alias || !m.is_on(&EMAIL_ALIAS) {
        return None;
    }
    let rt = m.rt;
    let meant = AttributePath::of("emails").with_sub("value");
    let found = Found::from(rt.resolve(&meant)?);
    m.note(
        &EMAIL_ALIAS,
        format!("`email` was read as `{}`", found.path),
    );
    Some(found)
}

/// N16, PING-01, ENTRA-06: a complex attribute compared with a value means its `value`.
fn implied_value<'a>(m: &mut Mender<'_>, found: Found<'a>) -> Found<'a> {
    let sub = found
        .leaf
        .filter(|leaf| leaf.kind == AttributeType::Complex)
        .and_then(|leaf| leaf.sub("value"));
    let Some(sub) = sub.filter(|_| m.is_on(&IMPLIED_VALUE)) else {
        return found;
    };
    let path = found.path.with_sub(sub.name.clone());
    m.note(
        &IMPLIED_VALUE,
        format!("`{}` was read as `{path}`", found.path),
    );
    Found {
        path,
        leaf: Some(sub),
    }
}

/// A name within the brackets: a sub-attribute, or `value` for an attribute that has none.
fn sub_path<'a>(
    m: &Mender<'_>,
    attribute: &'a Attribute,
    path: &AttributePath,
) -> Result<Found<'a>, Error> {
    let is_plain = path.schema.is_none() && path.sub_attribute.is_none();
    let is_value = path.attribute.eq_ignore_ascii_case("value");
    let leaf = match attribute.sub(&path.attribute) {
        Some(sub) => sub,
        None if is_value && attribute.sub_attributes.is_empty() => attribute,
        None => return Err(unknown_sub(m, attribute, path)),
    };
    if !is_plain {
        return Err(unknown_sub(m, attribute, path));
    }
    let name = match attribute.sub(&path.attribute) {
        Some(sub) => sub.name.clone(),
        None => "value".to_owned(),
    };
    Ok(Found {
        path: AttributePath::of(name),
        leaf: Some(leaf),
    })
}

/// A compared value as the attribute's type has it.
fn typed(
    m: &mut Mender<'_>,
    leaf: Option<&Attribute>,
    path: &AttributePath,
    value: Value,
) -> Value {
    match leaf.map(|leaf| leaf.kind) {
        Some(AttributeType::Boolean) => {
            let name = path.to_string();
            let value = boolean_words::mend(m, &boolean_words::IN_FILTERS, &name, value);
            bit::mend(m, &name, value)
        }
        Some(AttributeType::String | AttributeType::Reference) => {
            number_text::mend(m, &path.to_string(), value)
        }
        _ => value,
    }
}

fn unknown(m: &Mender<'_>, path: &AttributePath) -> Error {
    let names = m.rt.schema.attributes.iter().map(|a| a.name.as_str());
    Error::invalid_filter(format!(
        "The filter asks for `{}`, which is not an attribute of `{}`.{}",
        shown(&path.to_string()),
        m.rt.name,
        proposal(&path.attribute, names),
    ))
}

fn unknown_sub(m: &Mender<'_>, attribute: &Attribute, path: &AttributePath) -> Error {
    let names = attribute.sub_attributes.iter().map(|a| a.name.as_str());
    Error::invalid_filter(format!(
        "The filter asks for `{}` in `{}` of `{}`, which has no such sub-attribute.{}",
        shown(&path.to_string()),
        attribute.name,
        m.rt.name,
        proposal(&path.attribute, names),
    ))
}

fn proposal<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> String {
    let alike =
        |other: &str| strsim::jaro_winkler(&name.to_ascii_lowercase(), &other.to_ascii_lowercase());
    known
        .map(|other| (alike(other), other))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map_or_else(String::new, |(_, other)| {
            format!(" Perhaps `{other}` is meant.")
        })
}
