//! Which numbered pages hold a window of a list.

/// Sizes looked at when pages are fitted around a window.
const MOST_SIZES: u64 = 10_000;

/// Numbered pages that hold a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Covering {
    /// Objects a page.
    pub size: u64,
    /// The first page, counted from 0.
    pub first_page: u64,
    /// How many.
    pub pages: u64,
    /// Objects of the first page that stand before the window.
    pub drop: u64,
}

/// The fewest pages of at most `most` objects that hold the objects from `skip` to `skip + take`, and among those the
/// smallest: one call for nearly every window, whatever its alignment.
///
/// ```
/// # use scimgate::mapping::page::{Covering, covering};
/// assert_eq!(covering(200, 100, 100), Covering { size: 100, first_page: 2, pages: 1, drop: 0 });
/// assert_eq!(covering(5, 10, 100), Covering { size: 15, first_page: 0, pages: 1, drop: 5 });
/// ```
pub fn covering(skip: u64, take: u64, most: u64) -> Covering {
    let take = take.max(1);
    let most = most.clamp(1, MOST_SIZES);
    let last = skip.saturating_add(take - 1);
    let of = |size: u64| {
        let first_page = skip / size;
        Covering {
            size,
            first_page,
            pages: last / size - first_page + 1,
            drop: skip % size,
        }
    };
    // A size below the window's never needs fewer pages than the window's own, unless the limit forces it.
    let smallest = take.min(most);
    let mut best = of(smallest);
    for size in smallest..=most {
        if best.pages == 1 {
            break;
        }
        let candidate = of(size);
        let cost =
            |covering: &Covering| (covering.pages, covering.pages.saturating_mul(covering.size));
        if cost(&candidate) < cost(&best) {
            best = candidate;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_window_is_inside_its_pages() {
        for most in [1, 2, 7, 30, 100] {
            for skip in 0..130 {
                for take in [1, 2, 3, 10, 30, 99, 100, 101, 250] {
                    let covering = covering(skip, take, most);
                    let start = covering.first_page * covering.size;
                    assert!(covering.size <= most);
                    assert_eq!(start + covering.drop, skip);
                    assert!(start + covering.pages * covering.size >= skip + take);
                    assert!(
                        covering.pages <= take.div_ceil(most) + 1,
                        "{skip} {take} {most}"
                    );
                }
            }
        }
    }

    #[test]
    fn huge_numbers_do_not_overflow() {
        covering(u64::MAX, u64::MAX, u64::MAX);
        covering(u64::MAX, 0, 0);
    }
}
