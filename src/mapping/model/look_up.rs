//! Value tables that the application itself has: `[values.NAME]`.

use std::{collections::HashMap, sync::Arc, time::Duration};

use arc_swap::ArcSwapOption;
use serde_json::{Map, Value};

use crate::{diagnostic::Place, mapping::expression::text_of};

use super::{ListOperation, Read};

/// A value table whose pairs are read from the application: role names and role ids, say.
///
/// Who reads the application puts the pairs in; translation only looks at those that were put in last.
#[derive(Debug)]
pub struct LookUp {
    /// NAME in `[values.NAME]`, by which lines refer to it.
    pub name: String,
    /// Its position in [`Mapping::look_ups`](super::Mapping::look_ups).
    pub index: usize,
    /// Reads the rows.
    pub list: ListOperation,
    /// The client's spelling within a row.
    pub scim: Read,
    /// The application's value within a row.
    pub value: Read,
    /// How long the pairs are used before they are read again.
    pub remember: Duration,
    /// Rows at most; an application that has more is refused.
    pub most: usize,
    /// Where it stands.
    pub place: Place,
    known: ArcSwapOption<Pairs>,
}

impl LookUp {
    /// One whose pairs are not known yet.
    #[expect(
        clippy::too_many_arguments,
        reason = "one for each key of the table, and named there"
    )]
    pub fn new(
        name: String,
        index: usize,
        list: ListOperation,
        scim: Read,
        value: Read,
        remember: Duration,
        most: usize,
        place: Place,
    ) -> Self {
        Self {
            name,
            index,
            list,
            scim,
            value,
            remember,
            most,
            place,
            known: ArcSwapOption::empty(),
        }
    }

    /// The pairs that were put in last; absent if none were.
    pub fn known(&self) -> Option<Arc<Pairs>> {
        self.known.load_full()
    }

    /// Takes pairs in, in place of all there were.
    pub fn put(&self, pairs: Pairs) {
        self.known.store(Some(Arc::new(pairs)));
    }

    /// The pair that a row says; absent if the row lacks one side of it.
    pub fn pair(&self, row: &Value, settings: &Map<String, Value>) -> Option<(Value, Value)> {
        let side = |read: &Read| read.find(row, settings).filter(|found| !found.is_null());
        Some((side(&self.scim)?, side(&self.value)?))
    }
}

impl PartialEq for LookUp {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

/// Pairs of SCIM value and application value, found by either side without going through all.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Pairs {
    pairs: Vec<(Value, Value)>,
    by_scim: HashMap<String, Vec<usize>>,
    by_field: HashMap<String, Vec<usize>>,
}

impl Pairs {
    /// In their order: of several that are alike the first counts.
    pub fn new(pairs: Vec<(Value, Value)>) -> Self {
        let mut by_scim: HashMap<String, Vec<usize>> = HashMap::new();
        let mut by_field: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, (scim, field)) in pairs.iter().enumerate() {
            for (index, side) in [(&mut by_scim, scim), (&mut by_field, field)] {
                if let Some(key) = folded(side) {
                    index.entry(key).or_default().push(at);
                }
            }
        }
        Self {
            pairs,
            by_scim,
            by_field,
        }
    }

    /// The application's value of a SCIM value: of an equal one, else of one of equal text, case aside.
    pub fn field_of(&self, scim: &Value) -> Option<&Value> {
        let at = self.position(&self.by_scim, scim, |(own, _)| own)?;
        self.pairs.get(at).map(|(_, field)| field)
    }

    /// The SCIM value of an application's value.
    pub fn scim_of(&self, field: &Value) -> Option<&Value> {
        let at = self.position(&self.by_field, field, |(_, own)| own)?;
        self.pairs.get(at).map(|(scim, _)| scim)
    }

    /// SCIM's side of all pairs, in order.
    pub fn scim_values(&self) -> impl Iterator<Item = &Value> {
        self.pairs.iter().map(|(scim, _)| scim)
    }

    /// How many SCIM values stand for several of the application's: only the first of them is ever written.
    pub fn ambiguous(&self) -> usize {
        self.by_scim.values().filter(|same| same.len() > 1).count()
    }

    fn position(
        &self,
        index: &HashMap<String, Vec<usize>>,
        wanted: &Value,
        side: impl Fn(&(Value, Value)) -> &Value,
    ) -> Option<usize> {
        let alike = index.get(&folded(wanted)?)?;
        let is_equal = |at: &&usize| self.pairs.get(**at).is_some_and(|p| side(p) == wanted);
        alike.iter().find(is_equal).or(alike.first()).copied()
    }
}

fn folded(value: &Value) -> Option<String> {
    text_of(value).map(|text| text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_equal_value_counts_before_one_of_equal_text() {
        let pairs = Pairs::new(vec![
            (json!("Admin"), json!(1)),
            (json!("admin"), json!("2")),
            (json!("Guest"), json!(3)),
        ]);
        assert_eq!(pairs.field_of(&json!("admin")), Some(&json!("2")));
        assert_eq!(pairs.field_of(&json!("ADMIN")), Some(&json!(1)));
        assert_eq!(pairs.scim_of(&json!(2)), Some(&json!("admin")));
        assert_eq!(pairs.scim_of(&json!("3")), Some(&json!("Guest")));
        assert_eq!(pairs.field_of(&json!("nobody")), None);
        assert_eq!(pairs.field_of(&json!({"a": 1})), None);
        assert_eq!(pairs.ambiguous(), 1);
    }
}
