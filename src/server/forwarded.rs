//! Who the client is when proxies stand before us: pure.
//!
//! Each proxy adds the address it saw at the end of a list. Reading from the right, everything said by trusted proxies
//! is true; the first address that is not a trusted proxy is the client, and what stands left of it is hearsay.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderName, header};

use super::{
    head::authority,
    settings::{IpNet, ProxyHeaders},
};

static X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
static X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
static X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// What is known of the client side of the connection.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Origin {
    /// The client's address. The port is 0 if a proxy did not say it.
    pub peer: SocketAddr,
    /// `http` or `https` as said by a proxy; absent if none said it.
    pub scheme: Option<&'static str>,
    /// Host as said by a proxy; absent if none said it or it is not a host.
    pub host: Option<String>,
}

/// Finds the client behind the trusted proxies. A peer that is not one of them is the client itself.
pub(super) fn origin(
    peer: SocketAddr,
    headers: &HeaderMap,
    trusted: &[IpNet],
    kind: ProxyHeaders,
) -> Origin {
    let is_trusted = |ip: IpAddr| trusted.iter().any(|net| net.contains(ip));
    if trusted.is_empty() || !is_trusted(peer.ip()) {
        return Origin {
            peer,
            scheme: None,
            host: None,
        };
    }
    match kind {
        ProxyHeaders::XForwarded => from_x_forwarded(peer, headers, is_trusted),
        ProxyHeaders::Forwarded => from_forwarded(peer, headers, is_trusted),
    }
}

fn from_x_forwarded(
    peer: SocketAddr,
    headers: &HeaderMap,
    is_trusted: impl Fn(IpAddr) -> bool,
) -> Origin {
    let mut client = peer;
    for entry in list(headers, &X_FORWARDED_FOR).rev() {
        let Some(address) = parse_node(entry) else {
            break;
        };
        client = address;
        if !is_trusted(address.ip()) {
            break;
        }
    }
    // The proxy nearest to us is the last to have set these, so the last value is its own.
    Origin {
        peer: client,
        scheme: list(headers, &X_FORWARDED_PROTO)
            .next_back()
            .and_then(scheme),
        host: list(headers, &X_FORWARDED_HOST)
            .next_back()
            .and_then(|host| authority(host).ok()),
    }
}

fn from_forwarded(
    peer: SocketAddr,
    headers: &HeaderMap,
    is_trusted: impl Fn(IpAddr) -> bool,
) -> Origin {
    let mut origin = Origin {
        peer,
        scheme: None,
        host: None,
    };
    for element in list(headers, &header::FORWARDED).rev() {
        origin.scheme = parameter(element, "proto")
            .and_then(scheme)
            .or(origin.scheme);
        if let Some(host) = parameter(element, "host").and_then(|host| authority(host).ok()) {
            origin.host = Some(host);
        }
        let Some(address) = parameter(element, "for").and_then(parse_node) else {
            break;
        };
        origin.peer = address;
        if !is_trusted(address.ip()) {
            break;
        }
    }
    origin
}

/// All entries of a list header, over all its lines. A line that is not text counts as one empty entry.
fn list<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl DoubleEndedIterator<Item = &'a str> {
    headers
        .get_all(name)
        .iter()
        .flat_map(|line| line.to_str().unwrap_or_default().split(','))
        .map(str::trim)
        .collect::<Vec<_>>()
        .into_iter()
}

/// One parameter of a `Forwarded` element, without its quotes. Nothing we accept needs an escape inside them.
fn parameter<'a>(element: &'a str, name: &str) -> Option<&'a str> {
    element
        .split(';')
        .filter_map(|pair| pair.split_once('='))
        .find(|(key, _)| key.trim().eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim().trim_matches('"'))
}

/// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`; not `unknown` or `_hidden`.
fn parse_node(text: &str) -> Option<SocketAddr> {
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(text);
    bare.parse::<IpAddr>()
        .map(|ip| SocketAddr::new(ip, 0))
        .or_else(|_| text.parse())
        .ok()
}

fn scheme(text: &str) -> Option<&'static str> {
    match text {
        text if text.eq_ignore_ascii_case("https") => Some("https"),
        text if text.eq_ignore_ascii_case("http") => Some("http"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn found(peer: &str, kind: ProxyHeaders, lines: &[(&HeaderName, &str)]) -> Origin {
        let trusted = [
            "10.0.0.0/8".parse().unwrap(),
            "2001:db8:1::/48".parse().unwrap(),
        ];
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        origin(peer.parse().unwrap(), &headers, &trusted, kind)
    }

    #[test]
    fn p11_the_right_most_untrusted_hop_is_the_client() {
        for (peer, lines, client) in [
            ("192.0.2.9:1", &["203.0.113.1"][..], "192.0.2.9:1"),
            ("10.0.0.1:1", &[], "10.0.0.1:1"),
            ("10.0.0.1:1", &["203.0.113.1"], "203.0.113.1:0"),
            ("10.0.0.1:1", &["1.1.1.1, 203.0.113.1"], "203.0.113.1:0"),
            (
                "10.0.0.1:1",
                &["1.1.1.1", "203.0.113.1, 10.0.0.2"],
                "203.0.113.1:0",
            ),
            ("10.0.0.1:1", &["203.0.113.1:99"], "203.0.113.1:99"),
            ("10.0.0.1:1", &["2001:db8:2::1"], "[2001:db8:2::1]:0"),
            (
                "10.0.0.1:1",
                &["[2001:db8:2::1]:7, 2001:db8:1::1"],
                "[2001:db8:2::1]:7",
            ),
            ("10.0.0.1:1", &["1.1.1.1, unknown"], "10.0.0.1:1"),
            ("10.0.0.1:1", &["1.1.1.1, garbage, 10.0.0.2"], "10.0.0.2:0"),
            ("[::ffff:10.0.0.1]:1", &["203.0.113.1"], "203.0.113.1:0"),
        ] {
            let lines: Vec<_> = lines.iter().map(|line| (&X_FORWARDED_FOR, *line)).collect();
            let origin = found(peer, ProxyHeaders::XForwarded, &lines);
            assert_eq!(origin.peer.to_string(), client, "{peer} {lines:?}");
        }
    }

    #[test]
    fn forwarded_tells_address_scheme_and_host() {
        let line = "for=1.1.1.1;proto=http;host=evil.example, for=\"[2001:db8::7]:4711\";Proto=HTTPS;host=scim.example, for=10.0.0.2";
        let origin = found(
            "10.0.0.1:1",
            ProxyHeaders::Forwarded,
            &[(&header::FORWARDED, line)],
        );
        assert_eq!(origin.peer.to_string(), "[2001:db8::7]:4711");
        assert_eq!(origin.scheme, Some("https"));
        assert_eq!(origin.host.as_deref(), Some("scim.example"));
    }

    #[test]
    fn p11_only_the_configured_kind_of_header_is_read() {
        let both = [
            (&header::FORWARDED, "for=1.1.1.1;proto=https;host=a.example"),
            (&X_FORWARDED_FOR, "203.0.113.1"),
            (&X_FORWARDED_PROTO, "http, https"),
            (&X_FORWARDED_HOST, "b.example"),
        ];
        let origin = found("10.0.0.1:1", ProxyHeaders::XForwarded, &both);
        assert_eq!(origin.peer.to_string(), "203.0.113.1:0");
        assert_eq!(origin.scheme, Some("https"));
        assert_eq!(origin.host.as_deref(), Some("b.example"));
    }

    #[test]
    fn p11_an_untrusted_peer_says_nothing_about_itself() {
        let lines = [
            (&X_FORWARDED_FOR, "10.0.0.3"),
            (&X_FORWARDED_PROTO, "https"),
            (&X_FORWARDED_HOST, "evil.example"),
        ];
        let origin = found("192.0.2.9:1", ProxyHeaders::XForwarded, &lines);
        let unchanged = Origin {
            peer: "192.0.2.9:1".parse().unwrap(),
            scheme: None,
            host: None,
        };
        assert_eq!(origin, unchanged);
    }

    #[test]
    fn a_host_that_is_none_is_not_taken() {
        let lines = [(&X_FORWARDED_HOST, "a.example/\"><script>")];
        assert_eq!(
            found("10.0.0.1:1", ProxyHeaders::XForwarded, &lines).host,
            None
        );
    }
}
