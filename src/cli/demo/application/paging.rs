//! `?page=1&per_page=50`, and the envelope lists come in.

use serde_json::{Value, json};

/// Which page is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Page {
    /// Counted from 1.
    number: u64,
    size: u64,
}

impl Page {
    /// Reads the two parameters. What is not a number counts as not sent; a size above the maximum is lowered
    /// without a word, as such APIs do.
    pub fn from_query(query: &[(String, String)]) -> Self {
        let number = |name: &str| {
            let pair = query.iter().find(|(key, _)| key == name);
            pair.and_then(|(_, value)| value.parse::<u64>().ok())
                .filter(|number| *number > 0)
        };
        Self {
            number: number("page").unwrap_or(1),
            size: number("per_page").unwrap_or(DEFAULT_SIZE).min(LARGEST_SIZE),
        }
    }

    /// The envelope with this page of a list. Only the page's own items are looked at.
    pub fn of<T>(self, items: &[T], show: impl Fn(&T) -> Value) -> Value {
        let start = (self.number - 1).saturating_mul(self.size);
        let start = usize::try_from(start)
            .unwrap_or(usize::MAX)
            .min(items.len());
        let size = usize::try_from(self.size).unwrap_or(usize::MAX);
        let shown: Vec<Value> = items.iter().skip(start).take(size).map(show).collect();
        json!({"items": shown, "page": self.number, "per_page": self.size, "total": items.len()})
    }
}

const DEFAULT_SIZE: u64 = 50;
const LARGEST_SIZE: u64 = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_what_was_asked_for_within_the_limits() {
        let items: Vec<u64> = (1..=450).collect();
        type Query = &'static [(&'static str, &'static str)];
        let cases: [(Query, u64, u64, Option<u64>, usize); 7] = [
            (&[], 1, 50, Some(1), 50),
            (&[("page", "2"), ("per_page", "10")], 2, 10, Some(11), 10),
            (&[("per_page", "1000")], 1, 200, Some(1), 200),
            (&[("page", "3"), ("per_page", "200")], 3, 200, Some(401), 50),
            (&[("page", "99")], 99, 50, None, 0),
            (&[("page", "0"), ("per_page", "-1")], 1, 50, Some(1), 50),
            (
                &[("page", "18446744073709551615"), ("per_page", "2")],
                u64::MAX,
                2,
                None,
                0,
            ),
        ];
        for (query, number, size, first, length) in cases {
            let query: Vec<(String, String)> = query
                .iter()
                .map(|(k, v)| (k.to_string(), v.to_string()))
                .collect();
            let page = Page::from_query(&query).of(&items, |item| json!(item));
            assert_eq!(
                (&page["page"], &page["per_page"]),
                (&json!(number), &json!(size))
            );
            assert_eq!(
                page["items"].get(0).and_then(Value::as_u64),
                first,
                "{query:?}"
            );
            assert_eq!(page["items"].as_array().unwrap().len(), length, "{query:?}");
            assert_eq!(page["total"], 450);
        }
    }
}
