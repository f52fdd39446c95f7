//! Staffbook as a process of its own: started, found again after the gateway was killed, and stopped.

use std::{net::SocketAddr, process::Stdio, time::Duration};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::cli::{
    Failure,
    replay::{HttpTransport, Request, Transport},
};

use super::{application::EXAMPLE_API_KEY, state::State};

/// The running application.
pub struct Staffbook {
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    /// Whether it was running before this demo started.
    pub is_found: bool,
    child: Option<Child>,
    heartbeat: tokio::task::JoinHandle<()>,
}

impl Staffbook {
    /// Finds the application of an earlier start of this demo, or starts one.
    ///
    /// # Errors
    ///
    /// If it cannot be started.
    pub async fn start(state: &State, address: SocketAddr, users: u64) -> Result<Self, Failure> {
        if let Some(url) = left_behind(state, users).await {
            let heartbeat = tokio::spawn(keep_alive(url.clone()));
            return Ok(Self {
                url,
                is_found: true,
                child: None,
                heartbeat,
            });
        }
        let program = std::env::current_exe()?;
        let mut child = Command::new(program)
            .arg("demo-application")
            .args([
                "--address",
                &address.to_string(),
                "--users",
                &users.to_string(),
            ])
            .args(["--linger", &LINGER.as_secs().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()?;
        let url = address_of(&mut child).await?;
        state.write(
            "application.json",
            &json!({ "url": url, "users": users }).to_string(),
        )?;
        let heartbeat = tokio::spawn(keep_alive(url.clone()));
        Ok(Self {
            url,
            is_found: false,
            child: Some(child),
            heartbeat,
        })
    }

    /// Ends it, if this demo started it; otherwise it ends by itself when nobody asks it any more.
    pub async fn stop(mut self) {
        self.heartbeat.abort();
        if let Some(child) = &mut self.child {
            let _ = child.kill().await;
        }
    }
}

/// The first line it prints says where it listens.
async fn address_of(child: &mut Child) -> Result<String, Failure> {
    let output = child
        .stdout
        .take()
        .ok_or_else(|| Failure::new("the application has no output"))?;
    let mut lines = BufReader::new(output).lines();
    let first = tokio::time::timeout(START_LIMIT, async {
        while let Some(line) = lines.next_line().await? {
            if let Some(url) = line.strip_prefix("ADDRESS=") {
                return Ok(Some(url.to_owned()));
            }
        }
        Ok::<_, std::io::Error>(None)
    });
    match first.await {
        Ok(Ok(Some(url))) => Ok(url),
        _ => Err(Failure::new("the application did not start")),
    }
}

/// The application that an earlier start left running, with as many users as are asked for now.
async fn left_behind(state: &State, users: u64) -> Option<String> {
    let text = std::fs::read_to_string(state.path("application.json")).ok()?;
    let value: Value = serde_json::from_str(&text).ok()?;
    let url = value.get("url")?.as_str()?.to_owned();
    let is_same = value.get("users").and_then(Value::as_u64) == Some(users);
    (is_same && is_healthy(&url).await).then_some(url)
}

async fn is_healthy(url: &str) -> bool {
    let Ok(transport) = HttpTransport::new(url, None) else {
        return false;
    };
    let transport = transport.with_timeout(Duration::from_secs(2));
    let headers = vec![("X-Api-Key".to_owned(), EXAMPLE_API_KEY.to_owned())];
    let request = Request {
        method: "GET".into(),
        path_and_query: "/health".into(),
        headers,
        body: None,
    };
    transport
        .send(request)
        .await
        .is_ok_and(|reply| reply.status == 200)
}

/// It ends by itself when nobody has asked it anything for a while: so it is asked.
async fn keep_alive(url: String) {
    loop {
        tokio::time::sleep(LINGER / 4).await;
        is_healthy(&url).await;
    }
}

/// How long the application outlives a gateway that was killed.
const LINGER: Duration = Duration::from_secs(60);

/// A million users take a while to make up.
const START_LIMIT: Duration = Duration::from_secs(120);
