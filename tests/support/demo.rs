//! `scimgate demo --serve` as a process of its own: the whole product in front of a small application, for a test.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use scimgate::cli::replay::{HttpTransport, Request, Settings, Transport};
use scimgate::tenant::key;

/// A running demo; stopped, and its files removed, when it goes out of scope.
pub struct Demo {
    child: Child,
    directory: PathBuf,
    /// `https://127.0.0.1:PORT/scim/v2`.
    pub base_url: String,
    /// The tenant's token.
    pub token: String,
    /// The certificate authority's PEM file.
    pub ca: PathBuf,
    /// `http://127.0.0.1:PORT` of the application.
    pub target_url: String,
    /// `http://127.0.0.1:PORT` of the admin listener.
    pub admin_url: String,
    /// The configuration file, for commands that run beside the gateway.
    pub config: PathBuf,
}

impl Demo {
    /// Starts one on free ports and waits until it says that it is ready. `name` keeps the demos of one process apart.
    pub fn start(name: &str, arguments: &[&str]) -> Self {
        Self::start_with(name, arguments, &[])
    }

    /// As [`Demo::start`], with further tenants of the same application: their names and the rest of their files. The token
    /// of each is `token-of-` and its name.
    pub fn start_with(name: &str, arguments: &[&str], tenants: &[(&str, &str)]) -> Self {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("demo-{name}-{}", std::process::id()));
        let mappings = directory.join("state/mappings");
        std::fs::create_dir_all(&mappings).expect("a directory of its own");
        for (tenant, text) in tenants {
            let hash = key::sha256(&format!("token-of-{tenant}"));
            let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
            let text = format!(
                "tenant = \"{tenant}\"\napp = \"demo\"\n{text}\n[[client.key]]\nname = \"test\"\nsha256 = \"{hash}\"\n"
            );
            std::fs::write(mappings.join(format!("{tenant}.toml")), text).expect("a file");
        }
        let log = std::fs::File::create(directory.join("log")).expect("its log");
        let mut child = Command::new(env!("CARGO_BIN_EXE_scimgate"))
            .args(["demo", "--serve", "--address", "127.0.0.1:0"])
            .arg("--certs")
            .arg(directory.join("certs"))
            .arg("--state")
            .arg(directory.join("state"))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("the demo starts");
        let out = BufReader::new(child.stdout.take().expect("its output"));
        let mut demo = Self {
            child,
            directory,
            base_url: String::new(),
            token: String::new(),
            ca: PathBuf::new(),
            target_url: String::new(),
            admin_url: String::new(),
            config: PathBuf::new(),
        };
        for line in out.lines().map_while(Result::ok) {
            match line.split_once('=') {
                Some(("BASE_URL", value)) => demo.base_url = value.to_owned(),
                Some(("TOKEN", value)) => demo.token = value.to_owned(),
                Some(("CA", value)) => demo.ca = value.into(),
                Some(("TARGET_URL", value)) => demo.target_url = value.to_owned(),
                Some(("ADMIN_URL", value)) => demo.admin_url = value.to_owned(),
                Some(("CONFIG", value)) => demo.config = value.into(),
                _ if line == "READY" => return demo,
                _ => {}
            }
        }
        panic!("the demo ended before it was ready");
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.directory.join("log")).expect("its log")
    }

    /// A document of the admin listener.
    pub async fn admin(&self, path: &str) -> String {
        let transport = HttpTransport::new(&self.admin_url, None).expect("the admin listener");
        let request = Request {
            method: "GET".to_owned(),
            path_and_query: path.to_owned(),
            ..Request::default()
        };
        let reply = transport.send(request).await.expect("an answer");
        assert_eq!(reply.status, 200, "{path}");
        String::from_utf8(reply.body).expect("text")
    }

    /// A client that trusts it.
    pub fn transport(&self) -> HttpTransport {
        HttpTransport::new(&self.base_url, Some(&self.ca)).expect("the demo's address")
    }

    /// What a player needs to play against it.
    pub fn settings(&self) -> Settings {
        Settings {
            base_url: self.base_url.clone(),
            token: self.token.clone(),
            user: "scim".to_owned(),
            ..Settings::default()
        }
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // Asked rather than killed, so that it takes its application and its files with it.
        let asked = Command::new("kill")
            .arg(self.child.id().to_string())
            .status();
        if asked.is_ok_and(|status| status.success()) {
            let _ = self.child.wait();
        } else {
            let _ = self.child.kill();
        }
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}
