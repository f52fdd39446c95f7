//! R1, R4: the gateway is killed at any moment of a life cycle and started again; the client repeats what it has no answer
//! to. There is one account, and its id never changes.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use scimgate::cli::replay::{HttpTransport, Request, Transport};

const KILLS: u32 = 40;
const TIME: Duration = Duration::from_secs(60);
const KEY: &str = "staffbook-example-key";
const TOKEN: &str = "token-of-the-crash-test";

/// A child that ends with the test.
struct Process {
    child: Child,
    address: String,
}

impl Process {
    /// Starts the program and waits until it says where it listens.
    fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut lines = output.lines().map_while(Result::ok);
        let address = lines.find_map(|line| Some(line.strip_prefix("ADDRESS=")?.to_owned()));
        let address = address.expect("it says where it listens");
        Self { child, address }
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn application() -> Process {
    let mut command = Command::new(env!("CARGO_BIN_EXE_scimgate"));
    Process::start(command.args(["demo-application", "--users", "3"]))
}

fn gateway(directory: &Path) -> Process {
    let mut command = Command::new(env!("CARGO_BIN_EXE_scimgate"));
    command.args(["serve", "--config", "scimgate.toml"]);
    Process::start(command.current_dir(directory))
}

/// The shipped mapping of the demo, or one whose ids the gateway mints.
fn configure(directory: &Path, application: &str, is_minted: bool) {
    let apps = directory.join("mappings/apps");
    fs::create_dir_all(&apps).unwrap();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings/apps/demo.toml");
    let text = fs::read_to_string(shipped).unwrap();
    let text = text
        .replace("${DEMO_URL}", application)
        .replace("${DEMO_API_KEY}", KEY);
    fs::write(apps.join("demo.toml"), text).unwrap();
    let hash: String = scimgate::tenant::key::sha256(TOKEN)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let ids = match is_minted {
        true => {
            "[user]\nid = { from = '$.id', type = \"number\", stable = false }\n[policy]\non-rename = \"recreate\"\n"
        }
        false => "",
    };
    let tenant = format!(
        "tenant = \"demo\"\napp = \"demo\"\n{ids}[client]\nidp = \"okta\"\n\
         [[client.key]]\nname = \"test\"\nsha256 = \"{hash}\"\nexpires = 2099-01-01\n"
    );
    fs::write(directory.join("mappings/demo.toml"), tenant).unwrap();
    let process =
        "[listen]\naddress = \"127.0.0.1:0\"\nplain-http = true\n[log]\nlevel = \"off\"\n";
    fs::write(directory.join("scimgate.toml"), process).unwrap();
}

async fn send(base: &str, method: &str, path: &str, body: Option<&Value>) -> Option<(u16, Value)> {
    let is_scim = path.starts_with("/scim");
    let transport = HttpTransport::new(base, None).unwrap();
    let transport = transport.with_timeout(Duration::from_secs(10));
    let credential = match is_scim {
        true => ("Authorization".to_owned(), format!("Bearer {TOKEN}")),
        false => ("X-Api-Key".to_owned(), KEY.to_owned()),
    };
    let request = Request {
        method: method.into(),
        path_and_query: path.into(),
        headers: vec![
            credential,
            ("Content-Type".into(), "application/scim+json".into()),
        ],
        body: body.map(|body| body.to_string().into_bytes()),
    };
    let reply = transport.send(request).await.ok()?;
    Some((
        reply.status,
        serde_json::from_slice(&reply.body).unwrap_or_default(),
    ))
}

/// The gateway, its application, and how often it was killed.
struct World {
    application: Process,
    gateway: Process,
    directory: tempfile::TempDir,
    kills: u32,
    unanswered: u32,
    seed: u64,
}

impl World {
    fn new(is_minted: bool) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let application = application();
        configure(directory.path(), &application.address, is_minted);
        let gateway = gateway(directory.path());
        Self {
            application,
            gateway,
            directory,
            kills: 0,
            unanswered: 0,
            seed: 0x5EED,
        }
    }

    /// The next number below a bound; the same every time the test runs.
    fn random(&mut self, below: u64) -> u64 {
        self.seed = self
            .seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.seed >> 33) % below
    }

    fn base(&self) -> String {
        format!("http://{}", self.gateway.address)
    }

    /// Sends a request while the gateway is killed; starts it again and repeats the request until it is answered.
    async fn insist(&mut self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let (base, path) = (self.base(), format!("/scim/v2{path}"));
        let moment = Duration::from_micros(self.random(30_000));
        let first = tokio::spawn({
            let (method, path, body) = (method.to_owned(), path.clone(), body.clone());
            async move { send(&base, &method, &path, body.as_ref()).await }
        });
        tokio::time::sleep(moment).await;
        self.gateway.kill();
        self.kills += 1;
        self.gateway = gateway(self.directory.path());
        match first.await.unwrap() {
            Some((status, answer)) if status < 500 => (status, answer),
            _ => {
                self.unanswered += 1;
                let again = send(&self.base(), method, &path, body.as_ref()).await;
                again.expect("a gateway that nobody kills answers")
            }
        }
    }

    /// The application's accounts with a login.
    async fn accounts(&self, login: &str) -> Vec<Value> {
        let path = format!("/users?login={login}");
        let reply = send(&self.application.address, "GET", &path, None).await;
        let (_, body) = reply.unwrap();
        body["items"].as_array().cloned().unwrap_or_default()
    }

    /// One user from joining to leaving, as Okta does it.
    async fn live(&mut self, number: u32) {
        let name = format!("crash{number}");
        let user = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "userName": name,
            "externalId": format!("okta-{number}"),
            "name": { "givenName": "Grace", "familyName": "Hopper" },
            "emails": [{ "primary": true, "type": "work", "value": format!("{name}@example.com") }],
            "displayName": "Grace Hopper",
            "active": true,
        });
        let (status, made) = self.insist("POST", "/Users", Some(user.clone())).await;
        assert_eq!(status, 201, "{name}: {made}");
        let id = made["id"].as_str().unwrap().to_owned();
        assert_eq!(self.accounts(&name).await.len(), 1, "{name}");
        let filter = format!("/scim/v2/Users?filter=userName%20eq%20%22{name}%22");
        let (_, found) = send(&self.base(), "GET", &filter, None).await.unwrap();
        assert_eq!(found["Resources"][0]["id"], id, "{name}");
        assert_eq!(
            found["Resources"][0]["externalId"],
            format!("okta-{number}")
        );
        assert_eq!(found["Resources"][0]["displayName"], "Grace Hopper");

        let mut changed = user;
        (changed["title"], changed["nickName"]) = (json!("Admiral"), json!("Amazing"));
        let path = format!("/Users/{id}");
        let (status, answer) = self.insist("PUT", &path, Some(changed)).await;
        assert_eq!(status, 200, "{name}: {answer}");
        assert_eq!(
            (&answer["title"], &answer["nickName"]),
            (&json!("Admiral"), &json!("Amazing"))
        );

        let off = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{ "op": "replace", "value": { "active": false } }],
        });
        let (status, answer) = self.insist("PATCH", &path, Some(off)).await;
        assert!(matches!(status, 200 | 204), "{name}: {answer}");
        assert_eq!(self.accounts(&name).await[0]["state"], 3, "{name}");

        let (status, answer) = self.insist("DELETE", &path, None).await;
        // 404 is the second time that the client asks.
        assert!(matches!(status, 204 | 404), "{name}: {answer}");
        assert_eq!(self.accounts(&name).await.len(), 0, "{name}");
        let (status, _) = send(&self.base(), "GET", &format!("/scim/v2{path}"), None)
            .await
            .unwrap();
        assert_eq!(status, 404, "{name}");
    }
}

impl World {
    /// One user whose login changes, which makes another account of the application (`on-rename = "recreate"`).
    async fn rename(&mut self, number: u32) {
        let (old, new) = (format!("before{number}"), format!("after{number}"));
        let user = |name: &str| {
            json!({
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
                "userName": name,
                "emails": [{ "primary": true, "type": "work", "value": format!("{name}@example.com") }],
                "active": true,
            })
        };
        let (status, made) = self.insist("POST", "/Users", Some(user(&old))).await;
        assert_eq!(status, 201, "{old}: {made}");
        let id = made["id"].as_str().unwrap().to_owned();
        let path = format!("/Users/{id}");
        let (status, answer) = self.insist("PUT", &path, Some(user(&new))).await;
        assert_eq!(status, 200, "{new}: {answer}");
        assert_eq!(self.accounts(&new).await.len(), 1, "{new}");
        let of_old = self.accounts(&old).await;
        assert_eq!((of_old.len(), &of_old[0]["state"]), (1, &json!(3)), "{old}");
        let filter = format!("/scim/v2/Users?filter=userName%20eq%20%22{new}%22");
        let (_, found) = send(&self.base(), "GET", &filter, None).await.unwrap();
        assert_eq!(found["Resources"][0]["id"], id, "{new}: {found}");
        let (_, read) = send(&self.base(), "GET", &format!("/scim/v2{path}"), None)
            .await
            .unwrap();
        assert_eq!(
            (&read["userName"], &read["active"]),
            (&json!(new), &json!(true))
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r1_a_gateway_killed_at_any_moment_of_a_rename_hands_the_id_on() {
    let start = Instant::now();
    let mut world = World::new(true);
    for number in 1.. {
        if world.kills + 2 > KILLS / 2 || start.elapsed() > TIME / 2 {
            break;
        }
        world.rename(number).await;
    }
    assert!(
        world.unanswered > 0,
        "{} kills, and none came in time",
        world.kills
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r1_a_gateway_killed_at_any_moment_makes_one_account_with_one_id() {
    let start = Instant::now();
    for is_minted in [false, true] {
        let mut world = World::new(is_minted);
        for number in 1.. {
            if world.kills + 4 > KILLS / 2
                || start.elapsed() > TIME / 2 * (1 + u32::from(is_minted))
            {
                break;
            }
            world.live(number).await;
        }
        assert!(
            world.unanswered > 0,
            "{} kills, and none came in time",
            world.kills
        );
        eprintln!(
            "{} kills, {} requests without an answer",
            world.kills, world.unanswered
        );
    }
}
