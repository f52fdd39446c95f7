//! An id for each request, for logs.

use std::sync::{
    LazyLock,
    atomic::{AtomicU64, Ordering},
};

use jiff::Timestamp;
use uuid::{Builder, Uuid};

/// An id that no other request has: a UUID of version 7 whose random part counts up from where the process began at random
/// (RFC 9562 §6.2, method 2). Asking the system for random bytes each time would cost every request a system call or two.
///
/// It is unique and in order, and guessed by whoever knows another one: it must not open anything.
pub fn next(now: Timestamp) -> Uuid {
    static BEGIN: LazyLock<(u16, AtomicU64)> = LazyLock::new(|| {
        let (high, low) = Uuid::new_v4().as_u64_pair();
        // The middle of a version 4 UUID has fixed bits; its ends are random.
        ((high >> 48) as u16, AtomicU64::new(low << 8))
    });
    let (of_process, count) = &*BEGIN;
    let mut random = [0; 10];
    let (first, rest) = random.split_at_mut(2);
    first.copy_from_slice(&of_process.to_be_bytes());
    rest.copy_from_slice(&count.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    let milliseconds = u64::try_from(now.as_millisecond()).unwrap_or_default();
    Builder::from_unix_timestamp_millis(milliseconds, &random).into_uuid()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_id_is_another_one_of_version_7_and_has_its_time() {
        let now: Timestamp = "2026-11-23T00:00:00.123Z".parse().unwrap();
        let ids: HashSet<Uuid> = (0..10_000).map(|_| next(now)).collect();
        assert_eq!(ids.len(), 10_000);
        for id in ids {
            assert_eq!(id.get_version_num(), 7);
            let (seconds, nanoseconds) = id.get_timestamp().unwrap().to_unix();
            assert_eq!((seconds, nanoseconds), (1_795_392_000, 123_000_000));
        }
    }
}
