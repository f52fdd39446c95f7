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

impl SortKey {
    /// Where a resource stands that has no such attribute at all: with those that have no value.
    pub fn absent(order: SortOrder) -> Self {
        Self { value: None, order }
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::scim::{Attribute, Schema};

    #[test]
    fn keys_order_any_two_resources_both_ways() {
        let attributes = vec![
            Attribute::string("name"),
            Attribute::string("code").case_exact(),
            Attribute::new("size", AttributeType::Decimal),
            Attribute::boolean("on"),
            Attribute::date_time("made"),
            Attribute::complex(
                "mails",
                vec![Attribute::string("value"), Attribute::boolean("primary")],
            )
            .multi_valued(),
        ];
        let schema = Schema::new("urn:example:2.0:Device", "Device", "", attributes);
        let device_type = ResourceType::new("Device", "/Devices", schema, Vec::new());
        // By an attribute, the first comes before the second in ascending order.
        let cases = [
            ("name", json!({ "name": "a" }), json!({ "name": "B" })),
            ("name", json!({ "name": "Ä" }), json!({ "name": "ö" })),
            ("name", json!({ "name": "z" }), json!({})),
            ("code", json!({ "code": "B" }), json!({ "code": "a" })),
            ("size", json!({ "size": 9 }), json!({ "size": 10.5 })),
            ("size", json!({ "size": -1 }), json!({ "size": 0 })),
            ("on", json!({ "on": false }), json!({ "on": true })),
            (
                "made",
                json!({ "made": "2020-01-01T10:00:00+09:00" }),
                json!({ "made": "2020-01-01T02:00:00Z" }),
            ),
            (
                "mails",
                json!({ "mails": [{ "value": "z" }, { "value": "a", "primary": true }] }),
                json!({ "mails": [{ "value": "b" }] }),
            ),
            (
                "mails.value",
                json!({ "mails": [{ "value": "a" }] }),
                json!({ "mails": [] }),
            ),
        ];
        for (by, first, second) in cases {
            let by = AttributePath::parse(by).unwrap();
            for (order, expected) in [
                (SortOrder::Ascending, Ordering::Less),
                (SortOrder::Descending, Ordering::Greater),
            ] {
                let sorter = Sorter::new(&by, order, &device_type).unwrap();
                let key = |resource: &Value| sorter.key(resource.as_object().unwrap());
                let (a, b) = (key(&first), key(&second));
                assert_eq!(a.cmp(&b), expected, "{by} {order:?}");
                assert_eq!(b.cmp(&a), expected.reverse(), "{by} {order:?}");
                assert_eq!(a.cmp(&a), Ordering::Equal);
            }
        }
    }

    #[test]
    fn equal_resources_keep_their_order() {
        let user_type = ResourceType::user(Vec::new());
        let mut users: Vec<_> = (0..20_u8)
            .map(|n| json!({ "id": n.to_string(), "title": if n % 2 == 0 { "A" } else { "a" } }))
            .filter_map(|user| user.as_object().cloned())
            .collect();
        let before = users.clone();
        for order in [SortOrder::Ascending, SortOrder::Descending] {
            sort(&mut users, &AttributePath::of("title"), order, &user_type).unwrap();
            assert_eq!(users, before);
        }
    }
}
