//! The cookies of one session with one target (RFC 6265, as far as one host needs it). Pure: the time is given.

use http::{HeaderMap, header::SET_COOKIE};
use jiff::{Timestamp, fmt::rfc2822};

/// Cookies kept at most; further ones are ignored.
const MOST: usize = 64;
/// Bytes of a cookie's name and value at most.
const MAX_BYTES: usize = 4096;

/// Cookies by name and path.
#[derive(Debug, Default, Clone)]
pub struct Jar {
    cookies: Vec<Cookie>,
}

#[derive(Clone)]
struct Cookie {
    name: String,
    value: String,
    path: String,
}

/// A value is a credential: only the name is shown.
impl std::fmt::Debug for Cookie {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cookie")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Jar {
    /// Takes in what a reply sets, and forgets what it deletes (`Max-Age` of zero or `Expires` in the past).
    ///
    /// `Domain` and `Secure` are not looked at: a jar belongs to one origin and never leaves it.
    pub fn absorb(&mut self, headers: &HeaderMap, now: Timestamp) {
        for header in headers.get_all(SET_COOKIE) {
            let Ok(text) = header.to_str() else { continue };
            let Some((cookie, is_gone)) = parse(text, now) else {
                continue;
            };
            self.cookies
                .retain(|old| old.name != cookie.name || old.path != cookie.path);
            if !is_gone && self.cookies.len() < MOST {
                self.cookies.push(cookie);
            }
        }
    }

    /// The `Cookie` header for a path; absent if there is nothing to send. Longer paths first (§5.4).
    pub fn header(&self, path: &str) -> Option<String> {
        let mut fitting: Vec<&Cookie> = self
            .cookies
            .iter()
            .filter(|cookie| cookie.fits(path))
            .collect();
        fitting.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        let pairs: Vec<String> = fitting
            .iter()
            .map(|cookie| format!("{}={}", cookie.name, cookie.value))
            .collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    /// The values held, for blanking records.
    pub fn values(&self) -> impl Iterator<Item = &str> {
        self.cookies.iter().map(|cookie| cookie.value.as_str())
    }
}

impl Cookie {
    /// RFC 6265 §5.1.4.
    fn fits(&self, path: &str) -> bool {
        match path.strip_prefix(self.path.as_str()) {
            Some(rest) => rest.is_empty() || self.path.ends_with('/') || rest.starts_with('/'),
            None => false,
        }
    }
}

/// Name, value and path of one `Set-Cookie`, and whether it is a deletion.
fn parse(text: &str, now: Timestamp) -> Option<(Cookie, bool)> {
    let mut parts = text.split(';');
    let (name, value) = parts.next()?.split_once('=')?;
    let (name, value) = (name.trim(), value.trim());
    if name.is_empty() || name.len() + value.len() > MAX_BYTES {
        return None;
    }
    let mut path = "/".to_owned();
    let mut max_age = None;
    let mut expires = None;
    for part in parts {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        let (key, value) = (key.trim(), value.trim());
        if key.eq_ignore_ascii_case("path") && value.starts_with('/') {
            path = value.to_owned();
        } else if key.eq_ignore_ascii_case("max-age") {
            max_age = value.parse::<i64>().ok();
        } else if key.eq_ignore_ascii_case("expires") {
            // Old servers write dashes between day, month and year.
            expires = rfc2822::DateTimeParser::new()
                .parse_timestamp(value.replace('-', " "))
                .ok();
        }
    }
    let is_gone = match (max_age, expires) {
        (Some(seconds), _) => seconds <= 0,
        (None, Some(time)) => time <= now,
        (None, None) => false,
    };
    let cookie = Cookie {
        name: name.into(),
        value: value.into(),
        path,
    };
    Some((cookie, is_gone))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn reply(cookies: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for cookie in cookies {
            headers.append(SET_COOKIE, HeaderValue::from_str(cookie).unwrap());
        }
        headers
    }

    fn now() -> Timestamp {
        "2026-11-22T10:00:00Z".parse().unwrap()
    }

    #[test]
    fn cookies_are_replaced_deleted_and_sent_where_their_path_fits() {
        let mut jar = Jar::default();
        jar.absorb(
            &reply(&["a=1; path=/; HttpOnly", "b=2; Path=/api", "c=3; Secure"]),
            now(),
        );
        assert_eq!(jar.header("/api/users").as_deref(), Some("b=2; a=1; c=3"));
        assert_eq!(jar.header("/apix").as_deref(), Some("a=1; c=3"));
        jar.absorb(
            &reply(&[
                "a=9",
                "b=; Max-Age=0; path=/api",
                "c=x; expires=Thu, 01-Jan-1970 00:00:00 GMT",
            ]),
            now(),
        );
        assert_eq!(jar.header("/api").as_deref(), Some("a=9"));
        jar.absorb(
            &reply(&["d=4; Expires=Sun, 22 Nov 2026 11:00:00 GMT"]),
            now(),
        );
        assert_eq!(jar.header("/").as_deref(), Some("a=9; d=4"));
    }

    #[test]
    fn broken_cookies_are_ignored() {
        let mut jar = Jar::default();
        let long = format!("a={}", "x".repeat(5000));
        jar.absorb(&reply(&["novalue", "=1", "", &long]), now());
        assert_eq!(jar.header("/"), None);
    }

    #[test]
    fn the_jar_does_not_grow_without_bound() {
        let mut jar = Jar::default();
        for number in 0..1000 {
            jar.absorb(&reply(&[&format!("c{number}=1")]), now());
        }
        assert_eq!(jar.cookies.len(), MOST);
    }

    #[test]
    fn a_cookie_is_never_printed() {
        let mut jar = Jar::default();
        jar.absorb(&reply(&["csrf=to-ken; path=/"]), now());
        assert!(!format!("{jar:?}").contains("to-ken"));
        assert_eq!(jar.values().collect::<Vec<_>>(), ["to-ken"]);
    }
}
