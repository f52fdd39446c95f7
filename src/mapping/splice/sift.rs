//! A filter on resources that are text: only the members that it looks at become trees.

use serde_json::{Map, Value};

use crate::{mapping::model::TypeMapping, scim::filter::Matcher};

use super::{Odd, plan::is_shown, scan::Members};

/// Matches what [`Splice::write`](super::Splice::write) has written.
pub struct Sift<'m> {
    matcher: &'m Matcher,
    /// The members that the filter looks at.
    names: Vec<&'m str>,
}

impl<'m> Sift<'m> {
    /// Absent if the filter looks at what the text of a resource may lack: an attribute of which not everything is returned
    /// to a client that asks for nothing, or one that costs calls of its own.
    pub fn of(t: &TypeMapping, matcher: &'m Matcher) -> Option<Self> {
        let mut names = Vec::new();
        for path in matcher.attributes() {
            let attribute = t.resource_type.resolve(path)?.attribute?;
            if !is_shown(attribute) || matches!(path.attribute.as_str(), "members" | "groups") {
                return None;
            }
            names.push(path.schema.as_deref().unwrap_or(&path.attribute));
        }
        Some(Self { matcher, names })
    }

    /// Whether a resource matches, as its tree would.
    ///
    /// # Errors
    ///
    /// [`Odd`] if the text is no object, or a member is nested too deeply for a tree.
    pub fn matches(&self, resource: &[u8]) -> Result<bool, Odd> {
        let text = std::str::from_utf8(resource).map_err(|_| Odd)?;
        let mut members = Members::of(text).ok_or(Odd)?;
        let mut looked_at = Map::new();
        while let Some(member) = members.next()? {
            if self.names.contains(&member.name) {
                let value: Value = serde_json::from_str(member.value).map_err(|_| Odd)?;
                looked_at.insert(member.name.to_owned(), value);
            }
        }
        Ok(self.matcher.matches(&looked_at))
    }
}
