//! A gateway with its tenants and the applications behind them, in this process.

use std::{
    collections::HashMap,
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::Value;
use tempfile::TempDir;

use scimgate::{
    gateway::{Gateway, GatewaySettings, Limits, Sink, Writes},
    mapping::load::Environment,
    observe::Finished,
    server::{Handler, Request},
    store::{self, Store, StoreSettings},
    target::Connections,
    tenant::{Registry, RegistrySettings, SystemEnvironment, key},
};

use crate::application::Application;

/// The mapping that most tests use; a tenant's own text is merged into it.
pub const BOOK: &str = include_str!("book.toml");

/// What a stage is made of.
pub struct Setup {
    /// The application's file, instead of [`BOOK`].
    pub app: String,
    /// Name, and what its file says besides name, application and key.
    pub tenants: Vec<(String, String)>,
    pub limits: Limits,
    /// A file that outlives the gateway.
    pub is_lasting: bool,
    /// Where the tenants' files say that the application is, if it is not there.
    pub base_url: Option<String>,
}

impl Default for Setup {
    fn default() -> Self {
        let limits = Limits {
            cursor_secret: scimgate::tenant::secret::Secret::new("of the test"),
            ..Limits::default()
        };
        Self {
            app: BOOK.into(),
            tenants: vec![("acme".into(), String::new())],
            limits,
            is_lasting: false,
            base_url: None,
        }
    }
}

impl Setup {
    /// One tenant, with this in its file.
    pub fn tenant(text: &str) -> Self {
        Self {
            tenants: vec![("acme".into(), text.into())],
            ..Self::default()
        }
    }

    pub fn lasting(mut self) -> Self {
        self.is_lasting = true;
        self
    }

    /// Replaces a part of the application's file, which must be there.
    pub fn with(mut self, part: &str, instead: &str) -> Self {
        assert!(self.app.contains(part), "the mapping has no {part:?}");
        self.app = self.app.replacen(part, instead, 1);
        self
    }

    /// Starts it; each tenant has an application of its own.
    pub async fn start(self) -> Stage {
        Stage::start(self).await
    }
}

/// A gateway on its stage.
pub struct Stage {
    /// The first tenant's application.
    pub app: Application,
    /// Those of all tenants, in order.
    pub apps: Vec<Application>,
    pub registry: Arc<Registry>,
    pub store: Arc<dyn Store>,
    pub directory: TempDir,
    pub heard: Arc<Heard>,
    gateway: Arc<Gateway>,
    setup: Setup,
}

/// Every exchange, in order.
#[derive(Default)]
pub struct Heard(Mutex<Vec<Finished>>);

impl Heard {
    pub fn all(&self) -> Vec<Finished> {
        self.0.lock().unwrap().clone()
    }
}

impl Sink for Heard {
    fn finished(&self, finished: &Finished) {
        self.0.lock().unwrap().push(finished.clone());
    }
}

struct Values(HashMap<String, String>);

impl Environment for Values {
    fn variable(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }

    fn secret_file(&self, path: &str) -> Option<String> {
        SystemEnvironment.secret_file(path)
    }
}

impl Stage {
    async fn start(setup: Setup) -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir_all(directory.path().join("apps")).unwrap();
        fs::write(directory.path().join("apps/book.toml"), &setup.app).unwrap();
        let mut apps = Vec::new();
        for (name, text) in &setup.tenants {
            let app = Application::start().await;
            let url = setup.base_url.clone().unwrap_or(app.target.url());
            let text = tenant_file(name, &url, text);
            fs::write(directory.path().join(format!("{name}.toml")), text).unwrap();
            apps.push(app);
        }
        let heard = Arc::new(Heard::default());
        let (registry, store, gateway) = open(directory.path().into(), &setup, &heard).await;
        let stage = Self {
            app: apps[0].clone(),
            apps,
            registry,
            store,
            directory,
            heard,
            gateway,
            setup,
        };
        let complaints = stage.registry.diagnostics();
        let errors: Vec<_> = complaints.iter().filter(|c| c.is_error()).collect();
        assert!(errors.is_empty(), "{errors:#?}");
        stage
    }

    /// Ends the gateway and starts another on the same files and store, as after a crash: nothing in memory is left.
    pub async fn restart(&mut self) {
        assert!(self.setup.is_lasting, "the store would be empty");
        let directory = self.directory.path().to_owned();
        (self.registry, self.store, self.gateway) = open(directory, &self.setup, &self.heard).await;
    }

    /// Writes a tenant's file anew and has the files read again.
    pub async fn rewrite(&self, tenant: &str, text: &str) {
        fs::write(self.directory.path().join(format!("{tenant}.toml")), text).unwrap();
        self.registry.reload().await.unwrap();
    }

    /// The text of a tenant's file as it was started, with this besides.
    pub fn file_of(&self, tenant: &str, text: &str) -> String {
        let at = |(name, _): &(String, String)| name == tenant;
        let index = self.setup.tenants.iter().position(at).unwrap();
        tenant_file(tenant, &self.apps[index].target.url(), text)
    }

    /// A request of the first tenant.
    pub fn ask(&self, method: &str, path: &str) -> Ask {
        let token = token_of(&self.setup.tenants[0].0);
        Ask {
            gateway: Arc::clone(&self.gateway),
            method: Method::from_bytes(method.as_bytes()).unwrap(),
            path: path.into(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            is_answered: true,
        }
        .header("authorization", &format!("Bearer {token}"))
    }

    /// What a GET of the first tenant would come to, and all that happened for it.
    pub async fn explain(&self, path: &str) -> Finished {
        let (path, query) = match path.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (path, None),
        };
        let request = Request {
            method: Method::GET,
            path: format!("/scim/v2{path}"),
            query,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            peer: SocketAddr::from((Ipv4Addr::LOCALHOST, 1)),
            scheme_host: Some("https://scim.example".into()),
            admitted: None,
            received: Instant::now(),
        };
        let tenant = self.registry.tenant(&self.setup.tenants[0].0).unwrap();
        let (_, finished) = self
            .gateway
            .exchange(tenant, request, Writes::Planned)
            .await;
        finished
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.ask("GET", path).send().await
    }

    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.ask("POST", path).body(body).send().await
    }

    pub async fn put(&self, path: &str, body: Value) -> Reply {
        self.ask("PUT", path).body(body).send().await
    }

    /// A PATCH of these operations.
    pub async fn patch(&self, path: &str, operations: Value) -> Reply {
        self.ask("PATCH", path).body(patch(operations)).send().await
    }

    pub async fn delete(&self, path: &str) -> Reply {
        self.ask("DELETE", path).send().await
    }
}

/// A request on its way.
pub struct Ask {
    gateway: Arc<Gateway>,
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Bytes,
    is_answered: bool,
}

impl Ask {
    /// Sets a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
        self.headers.insert(name, value);
        self
    }

    /// Adds a header besides one that is there.
    pub fn another_header(mut self, name: &str, value: &str) -> Self {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        self.headers
            .append(name, HeaderValue::from_str(value).unwrap());
        self
    }

    pub fn without_header(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }

    /// The request of another tenant.
    pub fn by(self, tenant: &str) -> Self {
        let token = token_of(tenant);
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub fn body(self, body: Value) -> Self {
        self.raw_body(body.to_string())
    }

    pub fn raw_body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self.header("content-type", "application/scim+json")
    }

    /// The client never sees the answer.
    pub fn lost(mut self) -> Self {
        self.is_answered = false;
        self
    }

    pub async fn send(self) -> Reply {
        let (path, query) = match self.path.split_once('?') {
            Some((path, query)) => (path.to_owned(), Some(query.to_owned())),
            None => (self.path.clone(), None),
        };
        let request = Request {
            method: self.method,
            path: format!("/scim/v2{path}"),
            query,
            headers: self.headers,
            body: self.body,
            peer: SocketAddr::from((Ipv4Addr::LOCALHOST, 1)),
            scheme_host: Some("https://scim.example".into()),
            admitted: None,
            received: Instant::now(),
        };
        let response = self.gateway.handle(request).await;
        if let Some(on_sent) = response.on_sent.filter(|_| self.is_answered) {
            on_sent();
            // The acknowledgement is on its way to the store.
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
        Reply {
            status: response.status.as_u16(),
            headers: response.headers,
            body: serde_json::from_slice(&response.body).unwrap_or_default(),
        }
    }
}

/// What the gateway answered.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    /// Null if there is none.
    pub body: Value,
}

impl Reply {
    /// Asserts the status; says the answer if it is another one.
    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }

    /// Asserts an error with its `scimType`.
    #[track_caller]
    pub fn refused(self, status: u16, scim_type: &str) -> Self {
        let reply = self.is(status);
        assert_eq!(reply.body["scimType"], scim_type, "{}", reply.body);
        reply
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub fn id(&self) -> String {
        self.body["id"].as_str().unwrap_or_default().to_owned()
    }

    /// One attribute of all resources of a list.
    pub fn each(&self, attribute: &str) -> Vec<String> {
        let resources = self.body["Resources"].as_array().into_iter().flatten();
        resources
            .map(|resource| resource[attribute].as_str().unwrap_or_default().to_owned())
            .collect()
    }
}

/// A PatchOp message.
pub fn patch(operations: Value) -> Value {
    serde_json::json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": operations,
    })
}

/// A tenant's credential.
pub fn token_of(tenant: &str) -> String {
    format!("token-of-{tenant}")
}

fn tenant_file(name: &str, url: &str, text: &str) -> String {
    let hash: String = key::sha256(&token_of(name))
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!(
        "tenant = \"{name}\"\napp = \"book\"\n{text}\n\
         [target]\nbase-url = \"{url}\"\n\
         [[client.key]]\nname = \"test\"\nsha256 = \"{hash}\"\nexpires = 2099-01-01\n"
    )
}

async fn open(
    mappings: PathBuf,
    setup: &Setup,
    heard: &Arc<Heard>,
) -> (Arc<Registry>, Arc<dyn Store>, Arc<Gateway>) {
    let settings = match setup.is_lasting {
        true => StoreSettings::Sqlite {
            path: mappings.join("store.sqlite"),
        },
        false => StoreSettings::Memory,
    };
    let store = store::open(&settings).await.unwrap();
    let environment = Values(HashMap::from([
        ("BOOK_URL".into(), "http://127.0.0.1:1".into()),
        ("BOOK_KEY".into(), "book-api-key".into()),
    ]));
    let registry = Registry::open(
        RegistrySettings { mappings },
        Arc::new(environment),
        Arc::clone(&store),
        Arc::new(Connections::new()),
    )
    .await
    .unwrap();
    let registry = Arc::new(registry);
    let gateway = Gateway::new(GatewaySettings {
        registry: Arc::clone(&registry),
        store: Arc::clone(&store),
        limits: setup.limits.clone(),
        base_path: "/scim/v2".into(),
        max_body_bytes: 1024 * 1024,
        sinks: vec![Arc::clone(heard) as Arc<dyn Sink>],
    });
    (registry, store, Arc::new(gateway))
}
