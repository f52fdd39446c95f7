//! A checksum in every row.
//!
//! SQLite notices a damaged page structure, not a flipped bit inside a value. The seal covers all columns, the tenant among them, so that a
//! damaged row is reported and never answers for another tenant. It guards against accidents, not against somebody who can write the file.

use aws_lc_rs::digest::{Context, SHA256};
use jiff::Timestamp;

/// A checksum being made: the first 8 bytes of a SHA-256 over all columns in the order of the table.
pub(super) struct Seal(Context);

impl Seal {
    /// Begins with the table's name.
    pub(super) fn of(table: &str) -> Self {
        Self(Context::new(&SHA256)).bytes(table.as_bytes())
    }

    /// Adds bytes with their length, so that neighbours cannot trade characters.
    pub(super) fn bytes(self, bytes: &[u8]) -> Self {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let mut seal = self.raw(&length.to_be_bytes());
        seal.0.update(bytes);
        seal
    }

    pub(super) fn text(self, text: &str) -> Self {
        self.bytes(text.as_bytes())
    }

    pub(super) fn optional(self, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.raw(&[1]).text(text),
            None => self.raw(&[0]),
        }
    }

    pub(super) fn number(self, number: i64) -> Self {
        self.raw(&number.to_be_bytes())
    }

    pub(super) fn time(self, time: Timestamp) -> Self {
        self.number(time.as_microsecond())
    }

    pub(super) fn optional_time(self, time: Option<Timestamp>) -> Self {
        match time {
            Some(time) => self.raw(&[1]).time(time),
            None => self.raw(&[0]),
        }
    }

    /// The column's value.
    pub(super) fn finish(self) -> i64 {
        let digest = self.0.finish();
        let mut first = [0; 8];
        first
            .iter_mut()
            .zip(digest.as_ref())
            .for_each(|(to, from)| *to = *from);
        i64::from_be_bytes(first)
    }

    fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.update(bytes);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_cannot_trade_their_contents() {
        let seals = [
            Seal::of("t").text("ab").text("c").finish(),
            Seal::of("t").text("a").text("bc").finish(),
            Seal::of("t").text("abc").text("").finish(),
            Seal::of("t").text("").optional(Some("")).finish(),
            Seal::of("t").text("").optional(None).finish(),
            Seal::of("u").text("ab").text("c").finish(),
        ];
        let distinct: std::collections::HashSet<i64> = seals.into_iter().collect();
        assert_eq!(distinct.len(), seals.len());
    }
}
