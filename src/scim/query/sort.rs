//! The order of a list (RFC 7644 §3.4.2.3).

use std::cmp::Ordering;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::SortOrder;
use crate::scim::filter::{fold, parse_instant};
use crate::scim::intake::value::is_primary;
use crate::scim::{AttributePath, AttributeType, Error, ResourceType};

/// Sorts resources by an attribute; equal ones keep their order.
///
/// # Errors
///
/// As [`Sorter::new`].
pub fn sort(
    resources: &mut [Map<String, Value>],
    by: &AttributePath,
    order: SortOrder,
    resource_type: &ResourceType,
) -> Result<(), Error> {
    let sorter = Sorter::new(by, order, resource_type)?;
    resources.sort_by_cached_key(|resource| sorter.key(resource));
    Ok(())
}

/// An order of resources, made ready for a resource type.
#[derive(Debug, Clone, PartialEq)]
pub struct Sorter {
    path: AttributePath,
    kind: AttributeType,
    is_case_exact: bool,
    order: SortOrder,
}

/// Where a resource stands in an order: smaller comes first, whatever the direction.
#[derive(Debug, Clone, PartialEq)]
pub struct SortKey {
    /// Absent values come last ascending and first descending.
    value: Option<SortValue>,
    order: SortOrder,
}

#[derive(Debug, Clone, PartialEq)]
enum SortValue {
    Boolean(bool),
    Number(f64),
    Instant(Timestamp),
    Text(String),
}

impl Sorter {
    /// Resolves the attribute to sort by. A complex one means its `value` sub-attribute.
    ///
    /// # Errors
    ///
    /// `invalidValue` for an unknown attribute, and for a complex one without `value`.
    pub fn new(
        by: &AttributePath,
        order: SortOrder,
        resource_type: &ResourceType,
    ) -> Result<Self, Error> {
        let unknown = || {
            let owner = &resource_type.name;
            Error::invalid_value(format!(
                "`{by}` is not an attribute of `{owner}` to sort by."
            ))
        };
        let resolved = resource_type.resolve(by).ok_or_else(unknown)?;
        let mut path = resolved.canonical();
        let mut leaf = resolved.leaf().ok_or_else(unknown)?;
        if leaf.is_complex() {
            leaf = leaf.sub("value").ok_or_else(unknown)?;
            path = path.with_sub(leaf.name.clone());
        }
        Ok(Self {
            path,
            kind: leaf.kind,
            is_case_exact: leaf.is_case_exact,
            order,
        })
    }

    /// The canonical path it reads.
    pub fn path(&self) -> &AttributePath {
        &self.path
    }

    /// Where a resource stands; of several values the primary one counts, or else the first.
    pub fn key(&self, resource: &Map<String, Value>) -> SortKey {
        SortKey {
            value: self.value(resource).and_then(|v| self.sort_value(v)),
            order: self.order,
        }
    }

    fn value<'a>(&self, resource: &'a Map<String, Value>) -> Option<&'a Value> {
        let attributes = match &self.path.schema {
            None => resource,
            Some(urn) => resource.get(urn)?.as_object()?,
        };
        let value = match attributes.get(&self.path.attribute)? {
            Value::Array(elements) => {
                let primary = elements.iter().find(|e| is_primary(e));
                primary.or(elements.first())?
            }
            value => value,
        };
        match &self.path.sub_attribute {
            None => Some(value),
            Some(sub) => value.get(sub),
        }
    }

    fn sort_value(&self, value: &Value) -> Option<SortValue> {
        match value {
            Value::Bool(b) => Some(SortValue::Boolean(*b)),
            Value::Number(n) => n.as_f64().map(SortValue::Number),
            Value::String(s) if self.kind == AttributeType::DateTime => {
                parse_instant(s).map(SortValue::Instant)
            }
            Value::String(s) if self.is_case_exact => Some(SortValue::Text(s.clone())),
            Value::String(s) => Some(SortValue::Text(fold(s))),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }
}

impl Eq for SortKey {}

impl PartialOrd for SortKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for SortKey {
    fn cmp(&self, other: &Self) -> Ordering {
        let ascending = match (&self.value, &other.value) {
            (Some(a), Some(b)) => a.compare(b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        };
        match self.order {
            SortOrder::Ascending => ascending,
            SortOrder::Descending => ascending.reverse(),
        }
    }
}

impl SortValue {
    /// Values of one attribute have one type; if a target mixes them, the types are kept apart.
    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Boolean(a), Self::Boolean(b)) => a.cmp(b),
            (Self::Number(a), Self::Number(b)) => a.total_cmp(b),
            (Self::Instant(a), Self::Instant(b)) => a.cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            _ => self.rank().cmp(&other.rank()),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Boolean(_) => 0,
            Self::Number(_) => 1,
            Self::Instant(_) => 2,
            Self::Text(_) => 3,
        }
    }
}
