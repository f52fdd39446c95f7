//! Times as text.

use jiff::{
    Timestamp,
    civil::{Date, DateTime},
    fmt::strtime,
    tz::{Offset, TimeZone},
};

/// How `as = "time"` writes a time. It reads any ISO 8601 text: Python's `isoformat`, for one, has a fraction or none.
pub const PLAIN: &str = "%Y-%m-%dT%H:%M:%S";

/// A time zone by name: `UTC`, an offset (`+02:00`), or a name of the IANA database.
pub fn time_zone(name: &str) -> Option<TimeZone> {
    if name.is_empty() || name.eq_ignore_ascii_case("utc") || name == "Z" {
        return Some(TimeZone::UTC);
    }
    match name.starts_with(['+', '-']) {
        true => offset(name).map(TimeZone::fixed),
        false => TimeZone::get(name).ok(),
    }
}

/// A point in time from ISO 8601 text. One without an offset is in `zone`, and a date alone is its first moment there.
pub fn parse_instant(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Some(instant);
    }
    let civil = text
        .parse::<DateTime>()
        .ok()
        .or_else(|| text.parse::<Date>().ok().map(DateTime::from))?;
    in_zone(civil, zone)
}

/// A point in time from text of a `strftime` pattern; an empty pattern, and [`PLAIN`], are ISO 8601.
pub fn parse_time(text: &str, pattern: &str, zone: &TimeZone) -> Option<Timestamp> {
    if pattern.is_empty() || pattern == PLAIN {
        return parse_instant(text, zone);
    }
    let parsed = strtime::parse(pattern, text.trim()).ok()?;
    if let Ok(instant) = parsed.to_timestamp() {
        return Some(instant);
    }
    let civil = parsed
        .to_datetime()
        .or_else(|_| parsed.to_date().map(DateTime::from))
        .ok()?;
    in_zone(civil, zone)
}

/// A point in time as text of a `strftime` pattern; an empty pattern is RFC 3339. Absent if the pattern is none.
pub fn format_time(instant: Timestamp, pattern: &str, zone: &TimeZone) -> Option<String> {
    if pattern.is_empty() {
        return Some(instant.to_string());
    }
    strtime::format(pattern, &instant.to_zoned(zone.clone())).ok()
}

/// Where a time of day does not exist or exists twice, the usual choice: the later, and the earlier.
fn in_zone(civil: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    zone.to_ambiguous_timestamp(civil).compatible().ok()
}

/// `+02:00` or `-0330`.
fn offset(text: &str) -> Option<Offset> {
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let digits: String = text.chars().skip(1).filter(|c| *c != ':').collect();
    let is_offset = digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_digit());
    let (hours, minutes) = digits.split_at_checked(2).filter(|_| is_offset)?;
    let seconds = hours.parse::<i32>().ok()? * 3600 + minutes.parse::<i32>().ok()? * 60;
    Offset::from_seconds(sign * seconds).ok()
}
