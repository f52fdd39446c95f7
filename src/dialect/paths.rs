//! Paths: which attribute a client means, in whatever spelling.

use std::fmt;

use super::{
    context::{Mender, shown},
    filters,
    quirks::{
        BARE_WORD, DOT_BEHIND_URN, EXTENSION_AT_ROOT, Mending, SCHEMA_NAMES, UNKNOWN,
        bare_reference,
    },
    schemas,
};
use crate::scim::{Attribute, AttributePath, Error, PatchPath, PathError};

/// What a path was found to mean.
#[derive(Debug, Clone)]
pub(super) struct Target<'a> {
    /// The path in the schema's spelling.
    pub path: PatchPath,
    /// The attribute; absent if the path is an extension's URN alone.
    pub attribute: Option<&'a Attribute>,
    /// The sub-attribute, in front of the brackets or behind them.
    pub sub_attribute: Option<&'a Attribute>,
}

/// What became of a path.
#[derive(Debug)]
pub(super) enum Found<'a> {
    /// It means this.
    Known(Target<'a>),
    /// It means nothing, and what it stands for is to be dropped.
    Dropped,
    /// It means nothing, and `scim` is to say so.
    Unknown(PatchPath),
}

/// Finds what a path means.
///
/// # Errors
///
/// `invalidPath` for what is no path, `invalidFilter` for a value filter that names no sub-attribute.
pub(super) fn read<'a>(m: &mut Mender<'a>, text: &str) -> Result<Found<'a>, Error> {
    let parsed = parse(m, text);
    if let Ok(path) = &parsed
        && let Some(target) = resolve(m, path)
    {
        return target.map(Found::Known);
    }
    if let Some(target) = behind_urn(m, text)? {
        return Ok(Found::Known(target));
    }
    let path = parsed?;
    if let Some(target) = at_root(m, &path) {
        return target.map(Found::Known);
    }
    if !m.is_on(&UNKNOWN) {
        return Ok(Found::Unknown(path));
    }
    m.note(
        &UNKNOWN,
        format!(
            "`{}` is not known and was dropped",
            shown(&path_in_front(text))
        ),
    );
    Ok(Found::Dropped)
}

/// The extension's attribute that a name without URN means; absent unless exactly one extension has it.
pub(super) fn in_one_extension<'a>(
    m: &Mender<'a>,
    attribute: &str,
    sub: Option<&str>,
) -> Option<Target<'a>> {
    let rt = m.rt;
    let found = rt.resolve_in_extensions(attribute, sub);
    let [resolved] = found.as_slice() else {
        return None;
    };
    Some(Target {
        path: resolved.canonical().into(),
        attribute: resolved.attribute,
        sub_attribute: resolved.sub_attribute,
    })
}

impl<'a> Target<'a> {
    /// The definition the path ends at; absent if it is an extension's URN alone.
    pub fn leaf(&self) -> Option<&'a Attribute> {
        self.sub_attribute.or(self.attribute)
    }
}

/// The path without its value filter: what a note may show.
impl fmt::Display for Target<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.target().fmt(f)
    }
}

/// Reads a path by the RFC's grammar, else with what a value filter may be besides.
fn parse(m: &mut Mender<'_>, text: &str) -> Result<PatchPath, PathError> {
    let strict = PatchPath::parse(text);
    if strict.is_ok() || !m.is_on(&BARE_WORD) {
        return strict;
    }
    match PatchPath::parse_tolerant(text) {
        Ok((path, tolerated)) if filters::accept(m, &tolerated) => Ok(path),
        _ => strict,
    }
}

/// What a path means by its names alone, in any letter case.
fn resolve<'a>(m: &mut Mender<'a>, path: &PatchPath) -> Option<Result<Target<'a>, Error>> {
    let rt = m.rt;
    let resolved = rt.resolve(&path.path)?;
    let target = Target {
        path: resolved.canonical().into(),
        attribute: resolved.attribute,
        sub_attribute: resolved.sub_attribute,
    };
    complete(m, target, path)
}

/// Adds value filter and sub-attribute to an attribute that was found; absent if it has no such sub-attribute.
fn complete<'a>(
    m: &mut Mender<'a>,
    mut target: Target<'a>,
    path: &PatchPath,
) -> Option<Result<Target<'a>, Error>> {
    if let Some(name) = &path.sub_attribute {
        let sub = target.attribute?.sub(name)?;
        target.sub_attribute = Some(sub);
        target.path.sub_attribute = Some(sub.name.clone());
    }
    if let Some(filter) = &path.filter {
        let attribute = target.attribute?;
        match filters::inside(m, attribute, filter.clone()) {
            Ok(filter) => target.path.filter = Some(filter),
            Err(error) => return Some(Err(error)),
        }
    }
    Some(Ok(target))
}

/// What a path means that begins with a schema's URN in some spelling, or with a dot behind it.
///
/// # Errors
///
/// `invalidFilter` for a value filter that names no sub-attribute.
pub(super) fn behind_urn<'a>(m: &mut Mender<'a>, text: &str) -> Result<Option<Target<'a>>, Error> {
    let rt = m.rt;
    let (schema, rest) = match schemas::meant(rt, text) {
        Some(schema) => (schema, ""),
        None => match schemas::in_front(rt, text) {
            Some(found) => found,
            None => return Ok(None),
        },
    };
    let urn_is_exact = text
        .get(..schema.id.len())
        .is_some_and(|front| front.eq_ignore_ascii_case(&schema.id));
    let mending = if urn_is_exact {
        &DOT_BEHIND_URN
    } else {
        &SCHEMA_NAMES
    };
    if !m.is_on(mending) {
        return Ok(None);
    }
    let mended = match rest {
        "" => schema.id.clone(),
        rest => format!("{}:{rest}", schema.id),
    };
    let Ok(path) = parse(m, &mended) else {
        return Ok(None);
    };
    let Some(target) = resolve(m, &path).transpose()? else {
        return Ok(None);
    };
    m.note(
        mending,
        format!("`{}` was read as `{target}`", shown(&path_in_front(text))),
    );
    Ok(Some(target))
}

/// What a path means whose attribute lies in an extension although no URN says so.
fn at_root<'a>(m: &mut Mender<'a>, path: &PatchPath) -> Option<Result<Target<'a>, Error>> {
    let AttributePath {
        schema: None,
        attribute,
        sub_attribute,
    } = &path.path
    else {
        return None;
    };
    let target = in_one_extension(m, attribute, sub_attribute.as_deref())?;
    let mending = mending_at_root(&target);
    if !m.is_on(mending) {
        return None;
    }
    let target = match complete(m, target, path)? {
        Ok(target) => target,
        Err(error) => return Some(Err(error)),
    };
    m.note(
        mending,
        format!("`{}` without URN was read as `{target}`", path.target()),
    );
    Some(Ok(target))
}

/// For Entra the manager without URN is a quirk of its own, ENTRA-19.
fn mending_at_root(target: &Target<'_>) -> &'static Mending {
    if target.attribute.is_some_and(|a| a.name == "manager") {
        &bare_reference::MENDING
    } else {
        &EXTENSION_AT_ROOT
    }
}

/// A path up to its value filter, which may hold a personal value.
fn path_in_front(text: &str) -> String {
    text.split('[').next().unwrap_or_default().to_owned()
}
