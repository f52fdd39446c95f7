//! References of one tenant that wait for what they name.

use jiff::Timestamp;

use crate::store::record::to_microseconds;
use crate::store::{HELD_LIMIT, Held, ScimId};

/// Each with the type of the resource that is waited for.
#[derive(Debug, Default)]
pub(super) struct Waiting(Vec<(String, Held)>);

impl Waiting {
    pub(super) fn hold(
        &mut self,
        resource_type: &str,
        held: &Held,
        most: u64,
        not_before: Timestamp,
    ) -> bool {
        self.0.retain(|(_, own)| own.since >= not_before);
        let held = Held {
            since: to_microseconds(held.since),
            ..held.clone()
        };
        let is_same = |(of, own): &&mut (String, Held)| {
            let since = held.since;
            of == resource_type
                && Held {
                    since,
                    ..own.clone()
                } == held
        };
        if let Some((_, own)) = self.0.iter_mut().find(is_same) {
            own.since = held.since;
            return true;
        }
        if self.0.len() as u64 >= most {
            return false;
        }
        self.0.push((resource_type.to_owned(), held));
        true
    }

    pub(super) fn find(
        &self,
        resource_type: &str,
        names: &[String],
        not_before: Timestamp,
    ) -> Vec<Held> {
        let is_asked = |(of, own): &&(String, Held)| {
            of == resource_type && names.contains(&own.named) && own.since >= not_before
        };
        let mut found: Vec<Held> = self
            .0
            .iter()
            .filter(is_asked)
            .map(|(_, own)| own.clone())
            .collect();
        found.sort_by_key(|held| held.since);
        found.truncate(HELD_LIMIT);
        found
    }

    pub(super) fn let_go(
        &mut self,
        from_type: &str,
        id: &ScimId,
        attribute: Option<&str>,
        named: Option<&str>,
    ) {
        self.0.retain(|(_, own)| {
            let is_meant = own.from_type == from_type
                && own.from_id == *id
                && attribute.is_none_or(|attribute| own.attribute == attribute)
                && named.is_none_or(|named| own.named == named);
            !is_meant
        });
    }

    pub(super) fn count(&self, not_before: Timestamp) -> u64 {
        self.0
            .iter()
            .filter(|(_, own)| own.since >= not_before)
            .count() as u64
    }
}
