//! What a list asks for (RFC 7644 §3.4.2, §3.4.3; RFC 9865 §2), and its order (§3.4.2.3).
//!
//! In: decoded parameters or the body of a search. Out: a query, sorted resources. Knows nothing of pages held elsewhere or of what a target can sort.

mod sort;

use serde_json::{Map, Value};

pub use self::sort::{SortKey, Sorter, sort};

use super::{AttributePath, Error, ScimType};

/// The URN of the search message (RFC 7644 §3.4.3).
pub const SEARCH_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";

/// The parameters of a list or search.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query {
    /// The filter's text; an empty one is a filter that cannot be understood, not a missing one.
    pub filter: Option<String>,
    /// Absent: in the target's order.
    pub sort_by: Option<AttributePath>,
    pub sort_order: SortOrder,
    /// Counts from 1; never less.
    pub start_index: Option<i64>,
    /// How many resources at most; never less than 0.
    pub count: Option<i64>,
    /// Present for paging by cursor; empty for the first page (RFC 9865 §2).
    pub cursor: Option<String>,
    /// Names as written.
    pub attributes: Vec<String>,
    /// Names as written.
    pub excluded_attributes: Vec<String>,
}

/// The direction of a sort.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum SortOrder {
    #[default]
    Ascending,
    Descending,
}

impl Query {
    /// Reads decoded query parameters; unknown ones are passed over, names are in any case.
    ///
    /// # Errors
    ///
    /// `invalidValue` for a number that is none (`invalidCount` with a cursor), an unknown `sortOrder`, a
    /// `sortBy` that is no path, and a parameter that is there twice; `invalidFilter` for two filters.
    pub fn from_pairs(pairs: &[(String, String)]) -> Result<Self, Error> {
        let one = |name: &str| -> Result<Option<&str>, Error> {
            let mut found = pairs.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name));
            let first = found.next();
            match found.next() {
                Some(_) if name == "filter" => Err(Error::invalid_filter(
                    "There are two filters in the request.",
                )),
                Some(_) => Err(Error::invalid_value(format!(
                    "The parameter `{name}` is there twice."
                ))),
                None => Ok(first.map(|(_, value)| value.as_str())),
            }
        };
        let names = |name: &str| {
            let found = pairs.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name));
            let names = found.flat_map(|(_, value)| value.split(','));
            let names = names.map(str::trim).filter(|n| !n.is_empty());
            names.map(str::to_owned).collect()
        };
        let cursor = one("cursor")?.map(str::to_owned);
        let number = |name: &str| match one(name)? {
            None => Ok(None),
            Some(text) => match text.trim().parse::<i64>() {
                Ok(number) => Ok(Some(number)),
                Err(_) => Err(no_number(name, cursor.is_some())),
            },
        };
        Ok(Self {
            filter: one("filter")?.map(str::to_owned),
            sort_by: one("sortBy")?.map(sort_by).transpose()?,
            sort_order: one("sortOrder")?
                .map(sort_order)
                .transpose()?
                .unwrap_or_default(),
            start_index: number("startIndex")?.map(|n| n.max(1)),
            count: number("count")?.map(|n| n.max(0)),
            cursor,
            attributes: names("attributes"),
            excluded_attributes: names("excludedAttributes"),
        })
    }

    /// Reads the body of a search.
    ///
    /// # Errors
    ///
    /// As [`Query::from_pairs`], and `invalidSyntax` unless the body is an object with the SearchRequest schema.
    pub fn from_search(body: Value) -> Result<Self, Error> {
        let Value::Object(body) = body else {
            return Err(Error::invalid_syntax("The body must be a JSON object."));
        };
        let schemas = names(&body, "schemas")?;
        if !schemas
            .iter()
            .any(|urn| urn.eq_ignore_ascii_case(SEARCH_REQUEST))
        {
            let detail = format!("`schemas` must list `{SEARCH_REQUEST}`.");
            return Err(Error::invalid_syntax(detail));
        }
        let cursor = text(&body, "cursor")?;
        let number = |name: &str| match member(&body, name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match value.as_i64() {
                Some(number) => Ok(Some(number)),
                None => Err(no_number(name, cursor.is_some())),
            },
        };
        Ok(Self {
            filter: text(&body, "filter")?,
            sort_by: text(&body, "sortBy")?.as_deref().map(sort_by).transpose()?,
            sort_order: text(&body, "sortOrder")?
                .as_deref()
                .map(sort_order)
                .transpose()?
                .unwrap_or_default(),
            start_index: number("startIndex")?.map(|n| n.max(1)),
            count: number("count")?.map(|n| n.max(0)),
            cursor,
            attributes: names(&body, "attributes")?,
            excluded_attributes: names(&body, "excludedAttributes")?,
        })
    }
}

/// RFC 9865 §2.1 has an error of its own for `count` when paging by cursor.
fn no_number(name: &str, has_cursor: bool) -> Error {
    let kind = match (name, has_cursor) {
        ("count", true) => ScimType::InvalidCount,
        _ => ScimType::InvalidValue,
    };
    Error::of(kind, format!("`{name}` must be an integer."))
}

fn sort_by(text: &str) -> Result<AttributePath, Error> {
    AttributePath::parse(text)
        .map_err(|e| Error::invalid_value(format!("`sortBy` is not an attribute: {e}.")))
}

fn sort_order(text: &str) -> Result<SortOrder, Error> {
    match text {
        _ if text.eq_ignore_ascii_case("ascending") => Ok(SortOrder::Ascending),
        _ if text.eq_ignore_ascii_case("descending") => Ok(SortOrder::Descending),
        _ => Err(Error::invalid_value(
            "`sortOrder` must be `ascending` or `descending`.",
        )),
    }
}

fn member<'a>(body: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let found = body.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value)
}

fn text(body: &Map<String, Value>, name: &str) -> Result<Option<String>, Error> {
    match member(body, name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(Error::invalid_value(format!("`{name}` must be a string."))),
    }
}

fn names(body: &Map<String, Value>, name: &str) -> Result<Vec<String>, Error> {
    let not_names = || Error::invalid_value(format!("`{name}` must be a list of strings."));
    match member(body, name) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(names)) => {
            let names = names.iter().map(|n| n.as_str().map(str::to_owned));
            names.collect::<Option<_>>().ok_or_else(not_names)
        }
        Some(_) => Err(not_names()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pairs(pairs: &[(&str, &str)]) -> Result<Query, Error> {
        let pairs = pairs
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
        Query::from_pairs(&pairs.collect::<Vec<_>>())
    }

    #[test]
    fn parameters_and_search_bodies_say_the_same() {
        let expected = Query {
            filter: Some("userName pr".to_owned()),
            sort_by: Some(AttributePath::parse("name.familyName").unwrap()),
            sort_order: SortOrder::Descending,
            start_index: Some(1),
            count: Some(0),
            cursor: Some(String::new()),
            attributes: vec!["userName".to_owned(), "emails.type".to_owned()],
            excluded_attributes: vec!["members".to_owned()],
        };
        let by_pairs = pairs(&[
            ("filter", "userName pr"),
            ("sortBy", "name.familyName"),
            ("sortorder", "Descending"),
            ("startIndex", "-3"),
            ("count", "-1"),
            ("cursor", ""),
            ("attributes", "userName, emails.type,"),
            ("excludedAttributes", "members"),
            ("unknown", "x"),
            ("unknown", "x"),
        ]);
        assert_eq!(by_pairs.unwrap(), expected);
        let by_search = Query::from_search(json!({
            "schemas": [SEARCH_REQUEST], "filter": "userName pr", "sortBy": "name.familyName",
            "sortOrder": "descending", "startIndex": 0, "count": -1, "cursor": "",
            "attributes": ["userName", "emails.type"], "excludedAttributes": ["members"],
        }));
        assert_eq!(by_search.unwrap(), expected);
        assert_eq!(pairs(&[]).unwrap(), Query::default());
        assert_eq!(
            pairs(&[("filter", "")]).unwrap().filter.as_deref(),
            Some("")
        );
    }

    #[test]
    fn parameters_without_meaning_are_refused() {
        let cases = [
            (vec![("count", "many")], ScimType::InvalidValue),
            (
                vec![("count", "many"), ("cursor", "x")],
                ScimType::InvalidCount,
            ),
            (vec![("startIndex", "1.5")], ScimType::InvalidValue),
            (
                vec![("startIndex", "99999999999999999999")],
                ScimType::InvalidValue,
            ),
            (vec![("sortOrder", "up")], ScimType::InvalidValue),
            (vec![("sortBy", "a b")], ScimType::InvalidValue),
            (
                vec![("filter", "a pr"), ("Filter", "b pr")],
                ScimType::InvalidFilter,
            ),
            (vec![("count", "1"), ("count", "2")], ScimType::InvalidValue),
        ];
        for (parameters, kind) in cases {
            assert_eq!(
                pairs(&parameters).unwrap_err().scim_type,
                Some(kind),
                "{parameters:?}"
            );
        }
        let bodies = [
            json!([]),
            json!({ "filter": "a pr" }),
            json!({ "schemas": [SEARCH_REQUEST], "count": "1" }),
            json!({ "schemas": [SEARCH_REQUEST], "filter": 1 }),
            json!({ "schemas": [SEARCH_REQUEST], "attributes": "userName" }),
        ];
        for body in bodies {
            assert!(Query::from_search(body.clone()).is_err(), "{body}");
        }
    }
}
