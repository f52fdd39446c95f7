//! How many files the process may have open: a connection of a client is one, and so is a call to an application.
//!
//! At the system's limit nothing can be opened any more, so that strangers who open connections would keep the gateway from the
//! applications and from its store.

/// Files for everything but clients. Where the limit is low, a quarter of it.
const KEPT: usize = 1024;

/// Raises the process's limit as far as is needed and allowed. Says how many of the wanted connections may be open.
pub fn room_for(wanted: usize) -> usize {
    within(raised(wanted.saturating_add(KEPT)), wanted)
}

/// How many of the wanted connections there may be under a limit; absent: none.
fn within(limit: Option<u64>, wanted: usize) -> usize {
    let limit = limit.and_then(|limit| usize::try_from(limit).ok());
    let Some(limit) = limit else {
        return wanted;
    };
    wanted.min(limit - KEPT.min(limit / 4))
}

/// The limit, after it was raised to what is needed if the system allows that; absent: there is none.
#[cfg(unix)]
fn raised(needed: usize) -> Option<u64> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let limit = current?;
    let needed = u64::try_from(needed).unwrap_or(u64::MAX);
    let most = maximum.map_or(needed, |maximum| needed.min(maximum));
    if most <= limit {
        return Some(limit);
    }
    let wish = Rlimit {
        current: Some(most),
        maximum,
    };
    Some(setrlimit(Resource::Nofile, wish).map_or(limit, |()| most))
}

#[cfg(not(unix))]
fn raised(_: usize) -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p4_connections_leave_files_for_everything_else() {
        for (limit, wanted, expected) in [
            (None, 10_000, 10_000),
            (Some(65_536), 10_000, 10_000),
            (Some(11_024), 10_000, 10_000),
            (Some(11_023), 10_000, 9_999),
            (Some(4096), 10_000, 3072),
            (Some(1024), 10_000, 768),
            (Some(1024), 100, 100),
            (Some(0), 10, 0),
        ] {
            assert_eq!(within(limit, wanted), expected, "{limit:?} {wanted}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn the_limit_is_raised_and_never_lowered() {
        let before = rustix::process::getrlimit(rustix::process::Resource::Nofile);
        assert!(raised(1).is_none_or(|limit| Some(limit) == before.current));
        let raised = raised(2048);
        let expected = before.maximum.is_none_or(|maximum| maximum >= 2048);
        assert!(!expected || raised.is_none_or(|limit| limit >= 2048));
    }
}
