//! What a listener is told: addresses, certificates, limits, trusted proxies.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    str::FromStr,
    time::Duration,
};

/// Everything [`bind`](super::bind) needs to know.
#[derive(Debug, Clone)]
pub struct ServerSettings {
    /// Addresses to listen on. Port 0 takes a free one, see [`BoundServer::local_addrs`](super::BoundServer::local_addrs).
    pub listen: Vec<SocketAddr>,
    /// Certificate and key. Absent means plain HTTP/1.1, which only a deliberate setting may ask for.
    pub tls: Option<TlsSettings>,
    /// What one client may cost.
    pub limits: Limits,
    /// Proxies whose word about the client's address, scheme and host is believed. Empty: nobody's.
    ///
    /// Their connections are exempt from [`Limits::max_connections_per_peer`], because they carry many clients.
    pub trusted_proxies: Vec<IpNet>,
    /// Which headers the trusted proxies set. The other kind is ignored, because a proxy passes on what it does not know.
    pub proxy_headers: ProxyHeaders,
    /// How long new connections are still accepted after the signal to stop, so that load balancers can notice.
    pub accept_lag: Duration,
    /// How long after the signal to stop, `accept_lag` included, requests may take to finish before they are cut.
    pub drain: Duration,
    /// Lets a second process listen on the same addresses (`SO_REUSEPORT`), for a restart that refuses no connection.
    pub share_port: bool,
}

impl ServerSettings {
    /// Listens on one address with the default limits; TLS if certificates are given.
    pub fn new(listen: SocketAddr, tls: Option<TlsSettings>) -> Self {
        Self {
            listen: vec![listen],
            tls,
            limits: Limits::default(),
            trusted_proxies: Vec::new(),
            proxy_headers: ProxyHeaders::XForwarded,
            accept_lag: Duration::from_secs(5),
            drain: Duration::from_secs(25),
            share_port: false,
        }
    }
}

/// The two PEM files of a TLS listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsSettings {
    /// The certificate chain, the server's own certificate first.
    pub certificate: PathBuf,
    /// The private key (PKCS#8, PKCS#1 or SEC1).
    pub key: PathBuf,
}

/// Which headers a trusted proxy sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ProxyHeaders {
    /// `X-Forwarded-For`, `X-Forwarded-Proto` and `X-Forwarded-Host`.
    #[default]
    XForwarded,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// What one client may cost. The defaults are those of an edge proxy; hyper's own are not.
#[derive(Debug, Clone)]
pub struct Limits {
    /// From accepting a connection to the end of the TLS handshake.
    pub tls_handshake: Duration,
    /// From the end of the handshake to the first byte of a request.
    pub first_byte: Duration,
    /// From the first byte of an HTTP/1.1 request to the end of its head.
    pub head: Duration,
    /// For a whole request body.
    pub body: Duration,
    /// How long a body may be slower than `body_min_rate` at its start.
    pub body_grace: Duration,
    /// Bytes a second that a body must keep up after `body_grace`.
    pub body_min_rate: u32,
    /// How long a connection without a request stays open.
    pub idle: Duration,
    /// How long a client may refuse to take a byte of an answer; over HTTP/2, of any one of its answers.
    pub write_stall: Duration,
    /// For a whole answer of the handler. Ends below the 60 s after which Entra gives up.
    pub answer: Duration,
    /// Open connections of all clients. At the limit the longest idle one is closed for a new one.
    pub max_connections: usize,
    /// Open connections of one address (IPv6: of one /64). Further ones are closed at once.
    pub max_connections_per_peer: usize,
    /// Header lines of one request; more are answered 431.
    pub max_headers: usize,
    /// Bytes of an HTTP/1.1 request head; more are answered 431.
    pub max_head_bytes: usize,
    /// Bytes of path and query; more are answered 414.
    pub max_uri_bytes: usize,
    /// Ceiling over every route's [`Admission::max_body_bytes`](super::Admission::max_body_bytes); more are answered 413.
    pub max_body_bytes: usize,
    /// Bytes of all request bodies held at one time; beyond it requests with a body are answered 503.
    pub max_bodies_in_flight_bytes: usize,
    /// Bytes of all answers that clients have not taken; beyond it the connection whose answer has waited longest is cut, and
    /// an answer that has no room is 503.
    pub max_answers_in_flight_bytes: usize,
    /// HTTP/2 only.
    pub http2: Http2Limits,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            tls_handshake: Duration::from_secs(10),
            first_byte: Duration::from_secs(10),
            head: Duration::from_secs(10),
            body: Duration::from_secs(30),
            body_grace: Duration::from_secs(5),
            body_min_rate: 1024,
            idle: Duration::from_secs(75),
            write_stall: Duration::from_secs(30),
            answer: Duration::from_secs(55),
            max_connections: 10_000,
            max_connections_per_peer: 256,
            max_headers: 64,
            max_head_bytes: 64 * 1024,
            max_uri_bytes: 16 * 1024,
            max_body_bytes: 1024 * 1024,
            max_bodies_in_flight_bytes: 64 * 1024 * 1024,
            max_answers_in_flight_bytes: 256 * 1024 * 1024,
            http2: Http2Limits::default(),
        }
    }
}

impl Limits {
    /// How often a connection looks at its own deadlines: a quarter of the shortest, so that a deadline is
    /// overshot by a quarter at most and a request arms no timer of its own.
    pub(super) fn tick(&self) -> Duration {
        let shortest = self
            .first_byte
            .min(self.head)
            .min(self.idle)
            .min(self.write_stall);
        (shortest / 4).clamp(Duration::from_millis(5), Duration::from_secs(5))
    }
}

/// Limits against HTTP/2 floods.
#[derive(Debug, Clone)]
pub struct Http2Limits {
    /// Requests in flight on one connection.
    pub max_concurrent_streams: u32,
    /// Flow-control window of one stream, in bytes.
    pub stream_window: u32,
    /// Flow-control window of the connection, in bytes.
    pub connection_window: u32,
    /// Decoded bytes of one request's headers.
    pub max_header_list_bytes: u32,
    /// Streams reset by the client before we saw them, after which the connection is closed (rapid reset).
    pub max_pending_resets: usize,
    /// Streams we reset because of the client's errors, after which the connection is closed (MadeYouReset).
    pub max_local_error_resets: usize,
    /// Time between pings that find dead connections.
    pub ping_interval: Duration,
    /// How long the answer to a ping may take.
    pub ping_timeout: Duration,
}

impl Default for Http2Limits {
    fn default() -> Self {
        Self {
            max_concurrent_streams: 100,
            stream_window: 64 * 1024,
            connection_window: 1024 * 1024,
            max_header_list_bytes: 16 * 1024,
            max_pending_resets: 20,
            max_local_error_resets: 1024,
            ping_interval: Duration::from_secs(20),
            ping_timeout: Duration::from_secs(20),
        }
    }
}

/// An address block such as `10.0.0.0/8`, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IpNet {
    address: IpAddr,
    prefix: u8,
}

impl IpNet {
    /// Whether the address lies in the block. An IPv4 address mapped into IPv6 counts as IPv4.
    pub fn contains(&self, ip: IpAddr) -> bool {
        match (self.address, ip.to_canonical()) {
            (IpAddr::V4(net), IpAddr::V4(ip)) => {
                mask_v4(net, self.prefix) == mask_v4(ip, self.prefix)
            }
            (IpAddr::V6(net), IpAddr::V6(ip)) => {
                mask_v6(net, self.prefix) == mask_v6(ip, self.prefix)
            }
            _ => false,
        }
    }
}

fn mask_v4(ip: Ipv4Addr, prefix: u8) -> u32 {
    u32::from(ip)
        & u32::MAX
            .checked_shl(32 - u32::from(prefix.min(32)))
            .unwrap_or(0)
}

fn mask_v6(ip: Ipv6Addr, prefix: u8) -> u128 {
    u128::from(ip)
        & u128::MAX
            .checked_shl(128 - u32::from(prefix.min(128)))
            .unwrap_or(0)
}

/// The block of addresses that counts as one client: an IPv4 address, or an IPv6 /64.
pub(super) fn peer_block(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from(mask_v6(v6, 64))),
        v4 @ IpAddr::V4(_) => v4,
    }
}

impl FromStr for IpNet {
    type Err = IpNetError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| IpNetError)?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            Some(digits) => digits.parse().map_err(|_| IpNetError)?,
            None => longest,
        };
        if prefix > longest {
            return Err(IpNetError);
        }
        Ok(Self { address, prefix })
    }
}

impl fmt::Display for IpNet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

/// Text that is neither an address nor an address block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("This is not an IP address or an address block such as `10.0.0.0/8`.")]
pub struct IpNetError;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_contains_its_addresses_and_no_others() {
        for (net, ip, is_inside) in [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.0", false),
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7", "192.0.2.8", false),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "::1", false),
            ("10.0.0.0/8", "::ffff:10.1.2.3", true),
            ("2001:db8::/32", "2001:db8:1::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("::/0", "2001:db9::1", true),
        ] {
            let block: IpNet = net.parse().unwrap();
            assert_eq!(block.contains(ip.parse().unwrap()), is_inside, "{net} {ip}");
        }
    }

    #[test]
    fn text_that_is_no_block_is_refused_and_a_block_prints_as_it_reads() {
        for text in [
            "",
            "10.0.0.0/33",
            "::/129",
            "10.0.0/8",
            "a/8",
            "10.0.0.0/",
            "10.0.0.0/-1",
        ] {
            assert_eq!(text.parse::<IpNet>(), Err(IpNetError), "{text}");
        }
        for text in ["10.0.0.0/8", "::1/128"] {
            assert_eq!(text.parse::<IpNet>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn ipv6_neighbours_count_as_one_client() {
        let block = |text: &str| peer_block(text.parse().unwrap());
        assert_eq!(block("2001:db8::1"), block("2001:db8::ffff"));
        assert_ne!(block("2001:db8:0:1::1"), block("2001:db8::1"));
        assert_eq!(block("::ffff:192.0.2.1"), block("192.0.2.1"));
    }
}
