//! The gateway as its own process, with the mapping that ships, in a directory of its own.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::compare::Application;

/// A running gateway; it ends when this is dropped.
pub struct Gateway {
    process: Child,
    _directory: TempDir,
    pub base_url: String,
    pub token: String,
}

impl Gateway {
    /// Writes the configuration, starts `scimgate serve` and waits until it serves.
    pub fn start(application: &Application) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let token = format!("test-{}", uuid::Uuid::new_v4().simple());
        configure(directory.path(), application, &token);
        let mut process = Command::new(env!("CARGO_BIN_EXE_scimgate"))
            .args(["serve", "--config", "scimgate.toml"])
            .current_dir(directory.path())
            .envs(
                application
                    .environment
                    .iter()
                    .map(|(name, value)| (name, value)),
            )
            .stdout(Stdio::piped())
            .spawn()
            .expect("the gateway can be run");
        let output = BufReader::new(process.stdout.take().expect("its output"));
        let mut address = None;
        for line in output.lines().map_while(Result::ok) {
            match line.strip_prefix("ADDRESS=") {
                Some(found) => address = Some(found.to_owned()),
                None if line == "READY" => break,
                None => {}
            }
        }
        let address = address.expect("the gateway says where it listens");
        Self {
            process,
            _directory: directory,
            base_url: format!("http://{address}/scim/v2"),
            token,
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

fn configure(directory: &Path, application: &Application, token: &str) {
    let name = application.name;
    let apps = directory.join("mappings/apps");
    fs::create_dir_all(&apps).expect("a directory");
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("mappings/apps/{name}.toml"));
    fs::copy(&shipped, apps.join(format!("{name}.toml"))).expect("the mapping that ships");
    let sha256: String = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, token.as_bytes())
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let tenant = format!(
        "tenant = \"{name}\"\napp = \"{name}\"\n\n[client]\nidp = \"auto\"\n\n\
         [[client.key]]\nname = \"test\"\nsha256 = \"{sha256}\"\nexpires = 2099-01-01\n\n{}",
        application.tenant
    );
    fs::write(directory.join(format!("mappings/{name}.toml")), tenant).expect("the tenant file");
    let process =
        "[listen]\naddress = \"127.0.0.1:0\"\nplain-http = true\n\n[store]\nengine = \"sqlite\"\n";
    fs::write(directory.join("scimgate.toml"), process).expect("the configuration");
}
