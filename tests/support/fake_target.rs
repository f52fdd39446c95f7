//! A scripted application on raw TCP: records every request, answers as told, misbehaves as told.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

/// One request as it came.
#[derive(Debug, Clone)]
pub struct Seen {
    pub method: String,
    /// Path and query.
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn parameter(&self, name: &str) -> Option<String> {
        let (_, query) = self.path.split_once('?')?;
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.into_owned())
    }
}

/// What the application does with a request.
#[derive(Debug, Clone)]
pub enum Act {
    /// Answers.
    Say(Answer),
    /// Waits, then answers.
    After(Duration, Answer),
    /// Closes the connection without a byte.
    Close,
    /// Resets the connection without a byte.
    Reset,
    /// Sends the first so many bytes of the answer, then closes.
    Part(usize, Answer),
    /// Says nothing, ever.
    Hang,
}

/// An HTTP answer.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(status: u16, body: serde_json::Value) -> Self {
        let body = body.to_string().into_bytes();
        let headers = vec![("Content-Type".into(), "application/json".into())];
        Self {
            status,
            headers,
            body,
        }
    }

    pub fn empty(status: u16) -> Self {
        let (headers, body) = (Vec::new(), Vec::new());
        Self {
            status,
            headers,
            body,
        }
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut head = format!(
            "HTTP/1.1 {} X\r\nContent-Length: {}\r\n",
            self.status,
            self.body.len()
        );
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        [head.as_bytes(), &self.body].concat()
    }
}

type Script = dyn Fn(usize, &Seen) -> Act + Send + Sync;

/// A running application. It ends when the test's runtime does.
#[derive(Clone)]
pub struct FakeTarget {
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    connections: Arc<AtomicUsize>,
}

impl FakeTarget {
    /// Starts one; the script is given the request's number, from 0.
    pub async fn start(script: impl Fn(usize, &Seen) -> Act + Send + Sync + 'static) -> Self {
        Self::start_on("127.0.0.1:0", script, None).await
    }

    /// Starts one behind TLS.
    pub async fn start_tls(
        tls: TlsAcceptor,
        script: impl Fn(usize, &Seen) -> Act + Send + Sync + 'static,
    ) -> Self {
        Self::start_on("127.0.0.1:0", script, Some(tls)).await
    }

    async fn start_on(
        address: &str,
        script: impl Fn(usize, &Seen) -> Act + Send + Sync + 'static,
        tls: Option<TlsAcceptor>,
    ) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let target = Self {
            address: listener.local_addr().unwrap(),
            seen: Arc::default(),
            connections: Arc::default(),
        };
        let (shared, script): (_, Arc<Script>) = (target.clone(), Arc::new(script));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                shared.connections.fetch_add(1, Ordering::SeqCst);
                let (shared, script, tls) = (shared.clone(), script.clone(), tls.clone());
                tokio::spawn(async move {
                    // A reset needs the socket itself, so that it is set up before anything is sent.
                    let socket = socket2::SockRef::from(&stream).try_clone().unwrap();
                    let _ = match tls {
                        Some(tls) => match tls.accept(stream).await {
                            Ok(stream) => shared.serve(stream, &*script, &socket).await,
                            Err(error) => Err(error),
                        },
                        None => shared.serve(stream, &*script, &socket).await,
                    };
                });
            }
        });
        target
    }

    /// Everything seen so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// How many requests of a method were seen.
    pub fn count(&self, method: &str) -> usize {
        self.seen()
            .iter()
            .filter(|seen| seen.method == method)
            .count()
    }

    /// How many connections were opened.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    async fn serve(
        &self,
        mut stream: impl AsyncRead + AsyncWrite + Unpin,
        script: &Script,
        socket: &socket2::Socket,
    ) -> io::Result<()> {
        let mut buffer = Vec::new();
        loop {
            let Some(seen) = request(&mut stream, &mut buffer).await? else {
                return Ok(());
            };
            let number = {
                let mut all = self.seen.lock().unwrap();
                all.push(seen.clone());
                all.len() - 1
            };
            match script(number, &seen) {
                Act::Say(answer) => stream.write_all(&answer.bytes()).await?,
                Act::After(wait, answer) => {
                    tokio::time::sleep(wait).await;
                    stream.write_all(&answer.bytes()).await?;
                }
                Act::Close => return Ok(()),
                Act::Reset => return socket.set_linger(Some(Duration::ZERO)),
                Act::Part(bytes, answer) => {
                    let all = answer.bytes();
                    stream.write_all(&all[..bytes.min(all.len())]).await?;
                    stream.flush().await?;
                    return Ok(());
                }
                Act::Hang => std::future::pending().await,
            }
            stream.flush().await?;
        }
    }
}

/// Reads one request; absent if the connection ends before one.
async fn request(
    stream: &mut (impl AsyncRead + Unpin),
    buffer: &mut Vec<u8>,
) -> io::Result<Option<Seen>> {
    let head_end = loop {
        if let Some(end) = buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    };
    let head = String::from_utf8_lossy(&buffer[..head_end]).into_owned();
    let mut lines = head.split("\r\n");
    let mut first = lines.next().unwrap_or_default().split(' ');
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect();
    let length = headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map_or(0, |(_, value)| value.parse().unwrap());
    while buffer.len() < head_end + length {
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
    let raw: Vec<u8> = buffer.drain(..head_end + length).collect();
    Ok(Some(Seen {
        method: first.next().unwrap_or_default().into(),
        path: first.next().unwrap_or_default().into(),
        headers,
        body: raw[head_end..].to_vec(),
    }))
}
