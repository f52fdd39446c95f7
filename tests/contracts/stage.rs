//! A gateway in this process, with a mapping that ships, in front of a fake application.

use std::{
    collections::{BTreeSet, HashMap},
    fs,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Instant,
};

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use scimgate::{
    cli::{
        demo::life_cycle,
        replay::{Outcome, Player, Reply, Request, SendFuture, Settings, Transport},
    },
    gateway::{Gateway, GatewaySettings, Limits},
    mapping::load::Environment,
    server::Handler,
    store::{self, StoreSettings},
    target::Connections,
    tenant::{Registry, RegistrySettings, key},
};

use crate::described::Watch;

const TOKEN: &str = "token-of-the-test";

/// The gateway on its stage.
pub struct Stage {
    gateway: Arc<Gateway>,
    /// Absent: nothing describes the application.
    watch: Option<Watch>,
    _directory: TempDir,
}

struct Values(HashMap<String, String>);

impl Environment for Values {
    fn variable(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }

    fn secret_file(&self, _: &str) -> Option<String> {
        None
    }
}

impl Stage {
    /// A tenant of the application's shipped mapping; `tenant` is merged into its file, `url` is where the fake is.
    pub async fn start(app: &str, url: &str, variables: &[(&str, &str)], tenant: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let apps = directory.path().join("apps");
        fs::create_dir_all(&apps).unwrap();
        let shipped = fs::read_to_string(format!("mappings/apps/{app}.toml")).unwrap();
        fs::write(apps.join(format!("{app}.toml")), shipped).unwrap();
        let hash: String = key::sha256(TOKEN)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let file = format!(
            "tenant = \"test\"\napp = \"{app}\"\ntarget.base-url = \"{url}\"\n\
             [[client.key]]\nname = \"test\"\nsha256 = \"{hash}\"\nexpires = 2099-01-01\n{tenant}"
        );
        fs::write(directory.path().join("test.toml"), file).unwrap();
        let variables = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let store = store::open(&StoreSettings::Memory).await.unwrap();
        let registry = Registry::open(
            RegistrySettings {
                mappings: directory.path().into(),
            },
            Arc::new(Values(variables)),
            Arc::clone(&store),
            Arc::new(Connections::new()),
        )
        .await
        .unwrap();
        let complaints = registry.diagnostics();
        let errors: Vec<_> = complaints.iter().filter(|c| c.is_error()).collect();
        assert!(errors.is_empty(), "{errors:#?}");
        let gateway = Gateway::new(GatewaySettings {
            registry: Arc::new(registry),
            store,
            limits: Limits::default(),
            base_path: "/scim/v2".into(),
            max_body_bytes: 1024 * 1024,
            sinks: Vec::new(),
        });
        Self {
            gateway: Arc::new(gateway),
            watch: None,
            _directory: directory,
        }
    }

    /// The test fails at its end if a call or an answer did not fit the application's description.
    pub fn watched(mut self, watch: Watch) -> Self {
        self.watch = Some(watch);
        self
    }

    /// Plays a built-in life cycle. The steps that do not hold must be those given, by number; each has its reason beside it.
    pub async fn play(&self, idp: &str, variables: Value, without: &[(usize, &str)]) {
        let session = life_cycle(idp).unwrap();
        let mut all = Map::from_iter([
            ("tag".to_owned(), json!("")),
            ("domain".to_owned(), json!("corp.example")),
        ]);
        all.extend(variables.as_object().cloned().unwrap_or_default());
        let settings = Settings {
            base_url: "https://scim.example/scim/v2".into(),
            token: TOKEN.into(),
            variables: all,
            ..Settings::default()
        };
        let mut other = BTreeSet::new();
        let mut told = Vec::new();
        // What the session itself would clean up at its end stays: the tests look at it.
        let mut player = Player::new(&session, &settings);
        while let Some(record) = player.next_step(self).await {
            if record.outcome != Outcome::Passed {
                other.insert(record.number);
                let answer = record.reply.as_ref().map(|reply| {
                    format!("{} {}", reply.status, String::from_utf8_lossy(&reply.body))
                });
                let (number, name) = (record.number, &record.name);
                told.push(format!(
                    "{idp} {number} {name}: {:?}\n   {answer:?}",
                    record.outcome
                ));
            }
        }
        let expected: BTreeSet<usize> = without.iter().map(|(number, _)| *number).collect();
        assert_eq!(other, expected, "{}", told.join("\n"));
    }

    /// One request; status and body of the answer.
    pub async fn ask(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let request = Request {
            method: method.into(),
            path_and_query: format!("/scim/v2{path}"),
            headers: vec![
                ("Authorization".into(), format!("Bearer {TOKEN}")),
                ("Content-Type".into(), "application/scim+json".into()),
            ],
            body: body.map(|body| body.to_string().into_bytes()),
        };
        let reply = self.send(request).await.unwrap();
        (
            reply.status,
            serde_json::from_slice(&reply.body).unwrap_or_default(),
        )
    }

    /// A PATCH of these operations.
    pub async fn patch(&self, path: &str, operations: Value) -> (u16, Value) {
        let body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": operations,
        });
        self.ask("PATCH", path, Some(body)).await
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Some(watch) = &self.watch
            && !std::thread::panicking()
        {
            watch.assert_all_fitted();
        }
    }
}

impl Transport for Stage {
    fn send(&self, request: Request) -> SendFuture<'_> {
        Box::pin(async move {
            let (path, query) = match request.path_and_query.split_once('?') {
                Some((path, query)) => (path.to_owned(), Some(query.to_owned())),
                None => (request.path_and_query.clone(), None),
            };
            let mut headers = HeaderMap::new();
            for (name, value) in &request.headers {
                headers.insert(
                    HeaderName::from_bytes(name.as_bytes()).unwrap(),
                    HeaderValue::from_str(value).unwrap(),
                );
            }
            let response = self
                .gateway
                .handle(scimgate::server::Request {
                    method: Method::from_bytes(request.method.as_bytes()).unwrap(),
                    path,
                    query,
                    headers,
                    body: request.body.unwrap_or_default().into(),
                    peer: SocketAddr::from((Ipv4Addr::LOCALHOST, 1)),
                    scheme_host: Some("https://scim.example".into()),
                    admitted: None,
                    received: Instant::now(),
                })
                .await;
            if let Some(on_sent) = response.on_sent {
                on_sent();
                // The acknowledgement is on its way to the store.
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
            let headers = response
                .headers
                .iter()
                .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or("").to_owned()));
            Ok(Reply {
                status: response.status.as_u16(),
                headers: headers.collect(),
                body: response.body.to_vec(),
            })
        })
    }
}
