//! Real `scimgate serve` processes over TLS, and requests to them.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use scimgate::cli::replay::{HttpTransport, Request, Transport};
use scimgate::server::dev_certificate;

use crate::application::{Application, MAPPING};

/// The key of the tenant's file.
pub const TOKEN: &str = "token-of-the-replicas-test";

/// What all replicas share: files and the database.
pub struct Place {
    directory: TempDir,
    ca: PathBuf,
}

impl Place {
    pub fn new(store: &str, application: &Application) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        let certificates = dev_certificate::ensure(&root.join("certs")).unwrap();
        fs::create_dir_all(root.join("mappings/apps")).unwrap();
        let url = format!("http://{}", application.target.address);
        fs::write(
            root.join("mappings/apps/plain.toml"),
            MAPPING.replace("${PLAIN_URL}", &url),
        )
        .unwrap();
        let hash: String = scimgate::tenant::key::sha256(TOKEN)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let tenant = format!(
            "tenant = \"acme\"\napp = \"plain\"\n[[client.key]]\nname = \"test\"\nsha256 = \"{hash}\"\n"
        );
        fs::write(root.join("mappings/acme.toml"), tenant).unwrap();
        let process = format!(
            "[listen]\naddress = \"127.0.0.1:0\"\ncertificate = \"certs/server.pem\"\nkey = \"certs/server-key.pem\"\n\
             [admin]\naddress = \"127.0.0.1:0\"\n[log]\nlevel = \"info\"\n{store}"
        );
        fs::write(root.join("scimgate.toml"), process).unwrap();
        Self {
            directory,
            ca: certificates.ca,
        }
    }

    /// `[store.postgres]` for a database of a test.
    pub fn postgres(url: &str) -> String {
        format!(
            "[store.postgres]\nurl = \"{url}\"\ntls = \"off\"\nconnections = 4\nstatement-timeout = \"2s\"\n"
        )
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_scimgate"));
        command.args(arguments).current_dir(self.directory.path());
        command
    }

    /// Starts a replica, whose log goes into a file of its number.
    pub fn replica(&self, number: usize) -> Replica {
        let log = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.log_path(number))
            .unwrap();
        let mut child = self
            .command(&["serve"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = lines
            .map_while(Result::ok)
            .find_map(|line| Some(line.strip_prefix("ADDRESS=")?.to_owned()));
        let Some(address) = address else {
            panic!("replica {number} does not serve: {}", self.log(number));
        };
        Replica {
            child,
            base: format!("https://{address}"),
        }
    }

    fn log_path(&self, number: usize) -> PathBuf {
        self.directory.path().join(format!("log-{number}"))
    }

    pub fn log(&self, number: usize) -> String {
        fs::read_to_string(self.log_path(number)).unwrap_or_default()
    }

    /// Where a replica's operators connect, by its log.
    pub fn admin(&self, number: usize) -> String {
        let log = self.log(number);
        let (_, rest) = log.rsplit_once("admin=").unwrap();
        format!("http://{}", rest.split_whitespace().next().unwrap())
    }

    pub fn ca(&self) -> &Path {
        &self.ca
    }
}

/// A running replica; it ends with this.
pub struct Replica {
    child: Child,
    pub base: String,
}

impl Replica {
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// An answer: status, body, and the seconds of `Retry-After`.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub body: Value,
    pub retry_after: Option<String>,
}

/// One request on a connection of its own; absent if there is no answer.
pub async fn send(
    base: &str,
    ca: &Path,
    token: &str,
    method: &str,
    path: &str,
    body: Option<&Value>,
) -> Option<Reply> {
    let ca = base.starts_with("https").then_some(ca);
    let transport = HttpTransport::new(base, ca)
        .unwrap()
        .with_timeout(Duration::from_secs(20));
    let request = Request {
        method: method.into(),
        path_and_query: path.into(),
        headers: vec![
            ("Authorization".into(), format!("Bearer {token}")),
            ("Content-Type".into(), "application/scim+json".into()),
        ],
        body: body.map(|body| body.to_string().into_bytes()),
    };
    let reply = transport.send(request).await.ok()?;
    let retry_after = reply
        .headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("retry-after"));
    Some(Reply {
        status: reply.status,
        retry_after: retry_after.map(|(_, value)| value.clone()),
        body: serde_json::from_slice(&reply.body).unwrap_or_default(),
    })
}
