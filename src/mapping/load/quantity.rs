//! Quantities with their unit: `"10s"`, `"16MiB"`, `"50/s"`.

use std::time::Duration;

use crate::mapping::model::Rate;

/// `"500ms"`, `"10s"`, `"5m"`, `"1h"`, `"2d"`; decimals are not taken.
pub fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = split(text)?;
    match unit {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "m" | "min" => Some(Duration::from_secs(number.checked_mul(60)?)),
        "h" => Some(Duration::from_secs(number.checked_mul(3600)?)),
        "d" => Some(Duration::from_secs(number.checked_mul(86_400)?)),
        _ => None,
    }
}

/// Bytes: `"512KiB"`, `"16MiB"`, `"1GiB"`, `"1000B"`; `KB` and `MB` count in thousands.
pub fn size(text: &str) -> Option<usize> {
    let (number, unit) = split(text)?;
    let factor: u64 = match unit {
        "B" => 1,
        "KB" | "kB" => 1000,
        "KiB" => 1024,
        "MB" => 1_000_000,
        "MiB" => 1024 * 1024,
        "GB" => 1_000_000_000,
        "GiB" => 1024 * 1024 * 1024,
        _ => return None,
    };
    usize::try_from(number.checked_mul(factor)?).ok()
}

/// `"50/s"`, `"1000/m"`, `"10000/h"`, `"100000/d"`; `"10/500ms"` too. Never zero.
pub fn rate(text: &str) -> Option<Rate> {
    let (count, per) = text.split_once('/')?;
    let count: u32 = count.trim().parse().ok()?;
    let per = per.trim();
    let per = if per.starts_with(|c: char| c.is_ascii_digit()) {
        duration(per)?
    } else {
        duration(&format!("1{per}"))?
    };
    (count > 0 && !per.is_zero()).then_some(Rate { count, per })
}

/// What a quantity in other words probably means: `5 minutes` is `5m`, `10sec` is `10s`, `50 per second` is `50/s`.
pub fn meant(text: &str) -> Option<String> {
    let lower = text.trim().to_lowercase().replace(" per ", "/");
    let (number, unit) = split(&lower)?;
    if let Some(per) = unit.trim_start().strip_prefix('/') {
        return Some(format!("{number}/{}", unit_of(per.trim())?));
    }
    Some(format!("{number}{}", unit_of(unit)?))
}

/// A unit by one of its many names.
fn unit_of(word: &str) -> Option<&'static str> {
    Some(match word.trim_end_matches('.') {
        "millisecond" | "milliseconds" | "msec" | "millis" => "ms",
        "s" | "sec" | "secs" | "second" | "seconds" => "s",
        "m" | "min" | "mins" | "minute" | "minutes" => "m",
        "h" | "hr" | "hrs" | "hour" | "hours" => "h",
        "d" | "day" | "days" => "d",
        "byte" | "bytes" => "B",
        "k" | "kb" | "kib" => "KiB",
        "mb" | "mib" => "MiB",
        "g" | "gb" | "gib" => "GiB",
        _ => return None,
    })
}

fn split(text: &str) -> Option<(u64, &str)> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(end)?;
    Some((number.parse().ok()?, unit.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_with_their_unit() {
        for (text, expected) in [
            ("500ms", Some(500)),
            ("10s", Some(10_000)),
            ("5m", Some(300_000)),
            ("1 h", Some(3_600_000)),
            ("2d", Some(172_800_000)),
            ("10", None),
            ("1.5s", None),
            ("s", None),
            ("99999999999999999999s", None),
            ("9999999999999999999d", None),
        ] {
            assert_eq!(duration(text).map(|d| d.as_millis()), expected, "{text}");
        }
        for (text, expected) in [
            ("16MiB", Some(16 << 20)),
            ("1KB", Some(1000)),
            ("7B", Some(7)),
            ("7", None),
            ("7 parsecs", None),
        ] {
            assert_eq!(size(text), expected, "{text}");
        }
        for (text, expected) in [
            ("5 minutes", Some("5m")),
            ("10sec", Some("10s")),
            ("50 per second", Some("50/s")),
            ("50/sec", Some("50/s")),
            ("16 mb", Some("16MiB")),
            ("soon", None),
        ] {
            assert_eq!(meant(text).as_deref(), expected, "{text}");
        }
        for (text, expected) in [
            ("50/s", Some((50, 1000))),
            ("3 / m", Some((3, 60_000))),
            ("10/500ms", Some((10, 500))),
            ("0/s", None),
            ("50", None),
            ("50/0s", None),
            ("x/s", None),
        ] {
            let found = rate(text).map(|rate| (rate.count, rate.per.as_millis()));
            assert_eq!(found, expected, "{text}");
        }
    }
}
