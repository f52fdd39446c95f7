//! How a request reaches the server: over HTTP here, or in-process by another implementation.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// What a transport's `send` returns.
pub type SendFuture<'a> = Pin<Box<dyn Future<Output = Result<Reply, TransportError>> + Send + 'a>>;

/// Carries one request to the server and its answer back.
pub trait Transport: Send + Sync {
    /// Sends a request and waits for the whole answer. Follows no redirect and repeats nothing.
    fn send(&self, request: Request) -> SendFuture<'_>;
}

/// A request as it is sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// HTTP method.
    pub method: String,
    /// The whole path, base path included, and the query as it stands on the wire.
    pub path_and_query: String,
    /// Names and values in order; no name twice. `Host` is the transport's.
    pub headers: Vec<(String, String)>,
    /// Absent if there is none: then no `Content-Length` is sent except with POST, PUT and PATCH.
    pub body: Option<Vec<u8>>,
}

/// An answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Names and values as they came.
    pub headers: Vec<(String, String)>,
    /// The whole body; empty if there is none.
    pub body: Vec<u8>,
}

impl Reply {
    /// A header's value, whatever the case of its name; several are joined by `, `.
    pub fn header(&self, name: &str) -> Option<String> {
        let named = self
            .headers
            .iter()
            .filter(|(key, _)| key.eq_ignore_ascii_case(name));
        let values: Vec<&str> = named.map(|(_, value)| value.as_str()).collect();
        (!values.is_empty()).then(|| values.join(", "))
    }
}

/// A request that got no answer.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// The base URL is not `http://host[:port][/path]` or the same with `https`.
    #[error("`{0}` is not an http or https URL")]
    BadUrl(String),
    /// The file of the certificate authority cannot be used.
    #[error("cannot read a certificate from `{}`", .0.display())]
    BadAuthority(PathBuf),
    /// The TLS settings were refused.
    #[error("TLS cannot be set up")]
    Tls(#[from] rustls::Error),
    /// The request cannot be put on the wire.
    #[error("the request cannot be sent as it is")]
    BadRequest(#[from] hyper::http::Error),
    /// No connection.
    #[error("cannot connect to {address}")]
    Connect {
        /// Host and port.
        address: String,
        /// Why.
        source: std::io::Error,
    },
    /// The connection broke, or what came back is not HTTP.
    #[error("the connection broke")]
    Broken(#[from] hyper::Error),
    /// No whole answer in time.
    #[error("no answer within {} s", .0.as_secs())]
    TimedOut(Duration),
    /// An error of another transport.
    #[error("{0}")]
    Other(String),
}

/// HTTP/1.1 over TCP, or over TLS when the base URL says `https`.
///
/// Every request has a connection of its own: no answer depends on what was sent before it, and a
/// connection that the server closes between two steps is not an error.
pub struct HttpTransport {
    host: String,
    address: String,
    server_name: Option<ServerName<'static>>,
    tls: Option<tokio_rustls::TlsConnector>,
    timeout: Duration,
}

impl HttpTransport {
    /// A transport to the origin of a base URL. `ca` is a PEM file with the certificate authorities to
    /// trust; without it those of the system are. The time limit of a request is 30 s.
    ///
    /// # Errors
    ///
    /// The URL is not one, or the file has no certificate.
    pub fn new(base_url: &str, ca: Option<&Path>) -> Result<Self, TransportError> {
        let bad_url = || TransportError::BadUrl(base_url.to_owned());
        let url = url::Url::parse(base_url).map_err(|_| bad_url())?;
        let name = url
            .host_str()
            .filter(|_| matches!(url.scheme(), "http" | "https"));
        let name = name.ok_or_else(bad_url)?;
        let port = url.port_or_known_default().ok_or_else(bad_url)?;
        let bare_name = name.trim_start_matches('[').trim_end_matches(']');
        let (tls, server_name) = match url.scheme() {
            "https" => (
                Some(connector(ca)?),
                Some(ServerName::try_from(bare_name.to_owned()).map_err(|_| bad_url())?),
            ),
            _ => (None, None),
        };
        Ok(Self {
            host: url
                .port()
                .map_or(name.to_owned(), |port| format!("{name}:{port}")),
            address: format!("{name}:{port}"),
            server_name,
            tls,
            timeout: TIMEOUT,
        })
    }

    /// The same with another time limit for each request.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    async fn exchange(&self, request: Request) -> Result<Reply, TransportError> {
        let connect_error = |source| TransportError::Connect {
            address: self.address.clone(),
            source,
        };
        let tcp = TcpStream::connect(&self.address)
            .await
            .map_err(connect_error)?;
        tcp.set_nodelay(true).map_err(connect_error)?;
        match (&self.tls, &self.server_name) {
            (Some(tls), Some(name)) => {
                let stream = tls
                    .connect(name.clone(), tcp)
                    .await
                    .map_err(connect_error)?;
                self.over(stream, request).await
            }
            _ => self.over(tcp, request).await,
        }
    }

    async fn over<S>(&self, stream: S, request: Request) -> Result<Reply, TransportError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let connection = tokio::spawn(connection);
        let reply = read(sender.send_request(self.wire_form(request)?).await?).await;
        connection.abort();
        reply
    }

    fn wire_form(
        &self,
        request: Request,
    ) -> Result<hyper::Request<Full<Bytes>>, hyper::http::Error> {
        let has_payload = matches!(request.method.as_str(), "POST" | "PUT" | "PATCH");
        let mut builder = hyper::Request::builder()
            .method(request.method.as_str())
            .uri(&request.path_and_query)
            .header("Host", &self.host);
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        let length = request.body.as_ref().map_or(0, Vec::len);
        if has_payload || request.body.is_some() {
            builder = builder.header("Content-Length", length);
        }
        builder.body(Full::new(Bytes::from(request.body.unwrap_or_default())))
    }
}

impl Transport for HttpTransport {
    fn send(&self, request: Request) -> SendFuture<'_> {
        Box::pin(async move {
            tokio::time::timeout(self.timeout, self.exchange(request))
                .await
                .unwrap_or(Err(TransportError::TimedOut(self.timeout)))
        })
    }
}

async fn read(response: hyper::Response<hyper::body::Incoming>) -> Result<Reply, TransportError> {
    let (head, body) = response.into_parts();
    let headers = head.headers.iter();
    Ok(Reply {
        status: head.status.as_u16(),
        headers: headers
            .map(|(name, value)| {
                (
                    name.to_string(),
                    String::from_utf8_lossy(value.as_bytes()).into_owned(),
                )
            })
            .collect(),
        body: body.collect().await?.to_bytes().to_vec(),
    })
}

fn connector(ca: Option<&Path>) -> Result<tokio_rustls::TlsConnector, TransportError> {
    let mut roots = rustls::RootCertStore::empty();
    match ca {
        Some(path) => {
            let bad = || TransportError::BadAuthority(path.to_owned());
            let certificates = CertificateDer::pem_file_iter(path).map_err(|_| bad())?;
            for certificate in certificates {
                roots.add(certificate.map_err(|_| bad())?)?;
            }
            if roots.is_empty() {
                return Err(bad());
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(tokio_rustls::TlsConnector::from(Arc::new(config)))
}

const TIMEOUT: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_becomes_an_address_and_a_host_header() {
        for (url, host, address) in [
            ("http://127.0.0.1:9/scim", "127.0.0.1:9", "127.0.0.1:9"),
            ("https://localhost/scim/v2", "localhost", "localhost:443"),
            ("https://[::1]:8443", "[::1]:8443", "[::1]:8443"),
        ] {
            let transport = HttpTransport::new(url, None).unwrap();
            assert_eq!(
                (transport.host.as_str(), transport.address.as_str()),
                (host, address)
            );
        }
        for url in ["ftp://h/", "localhost:1", "https://", ""] {
            assert!(
                matches!(
                    HttpTransport::new(url, None),
                    Err(TransportError::BadUrl(_))
                ),
                "{url}"
            );
        }
    }

    #[test]
    fn an_authority_that_is_not_there_is_named() {
        let error = HttpTransport::new("https://localhost", Some(Path::new("no/ca.pem")))
            .err()
            .unwrap();
        assert_eq!(
            error.to_string(),
            "cannot read a certificate from `no/ca.pem`"
        );
    }
}
