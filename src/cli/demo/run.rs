//! `scimgate demo`: starts the application and the gateway in front of it, then plays, or serves until stopped.

use std::{
    io::{IsTerminal, Write},
    net::SocketAddr,
    path::PathBuf,
    process::ExitCode,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use clap::Args;

use crate::{
    cli::{
        Failure, Outcome,
        process::{Process, Serving, stop_signal},
        settings::{Engine, Settings},
    },
    gateway::Sink,
    observe::{self, Finished, LogSettings},
    server::dev_certificate,
    tenant::{SystemEnvironment, key},
};

use super::{
    application::{self, ApplicationSettings, EXAMPLE_API_KEY, Lifetime},
    play::{PlaySettings, StepReport, play},
    show::wants_colour,
    staffbook::Staffbook,
    state::State,
};

/// How the demo runs.
#[derive(Debug, Clone, Args)]
pub struct DemoArguments {
    /// Skip the play: keep running and print where clients can connect.
    #[arg(long)]
    serve: bool,
    /// Where the gateway listens. Port 0 takes any free port.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:0")]
    address: SocketAddr,
    /// Where the application listens. Port 0 takes any free port.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:0")]
    application_address: SocketAddr,
    /// How many users the application has at the start.
    #[arg(long, default_value_t = 12)]
    users: u64,
    /// Read the client strictly by the RFCs: mend nothing.
    #[arg(long)]
    strict: bool,
    /// Where token, store and mapping are kept. Without it a fixed port has a directory of its own, so that a gateway
    /// that was killed finds everything again when it is started again within a minute.
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Where the development certificates are, made at the first start.
    #[arg(long, value_name = "DIR", default_value = "certs")]
    certs: PathBuf,
}

/// How the application is started as a process of its own.
#[derive(Debug, Clone, Args)]
pub struct ApplicationArguments {
    /// A loopback address.
    #[arg(long, default_value = "127.0.0.1:0")]
    address: SocketAddr,
    /// Users at the start.
    #[arg(long, default_value_t = 12)]
    users: u64,
    /// Seconds without a request after which it ends, once its parent is gone.
    #[arg(long, default_value_t = 0)]
    linger: u64,
}

/// Runs the application until its parent is gone.
pub async fn run_application(arguments: ApplicationArguments) -> Outcome {
    let settings = ApplicationSettings {
        address: arguments.address,
        users: arguments.users,
        api_key: EXAMPLE_API_KEY.to_owned(),
        lifetime: Lifetime::WithParent {
            linger: Duration::from_secs(arguments.linger),
        },
    };
    application::run(settings).await?;
    Ok(ExitCode::SUCCESS)
}

/// Runs the demo.
pub async fn run(arguments: DemoArguments) -> Outcome {
    let level = if arguments.serve { "info" } else { "error" };
    observe::log::init(&LogSettings {
        level: level.into(),
        ..LogSettings::default()
    })?;
    let state = State::open(arguments.state.as_deref(), arguments.address.port())?;
    let staffbook =
        Staffbook::start(&state, arguments.application_address, arguments.users).await?;
    if !staffbook.is_found {
        state.forget_store();
    }
    let outcome = with_gateway(&arguments, &state, &staffbook).await;
    staffbook.stop().await;
    state.clean_up();
    outcome
}

async fn with_gateway(arguments: &DemoArguments, state: &State, staffbook: &Staffbook) -> Outcome {
    let token = state.token()?;
    write_configuration(arguments, state, &staffbook.url, &token)?;
    let certificate = dev_certificate::ensure(&arguments.certs)?;
    let settings = settings(arguments, state, &certificate);
    let heard = Arc::new(Heard::default());
    let sinks: Vec<Arc<dyn Sink>> = if arguments.serve {
        Vec::new()
    } else {
        vec![Arc::clone(&heard) as Arc<dyn Sink>]
    };
    let process = Process::open(&settings, Arc::new(SystemEnvironment), sinks).await?;
    let complaints = process.registry.diagnostics();
    if complaints
        .iter()
        .any(crate::diagnostic::Diagnostic::is_error)
    {
        eprint!("{}", crate::diagnostic::render(&complaints, false));
        return Err(Failure::configuration("the demo's mapping cannot be used"));
    }
    let serving = process.bind().await?;
    let address = serving.address().unwrap_or(arguments.address);
    let base_url = format!("https://{address}/scim/v2");
    let ca = certificate
        .ca
        .canonicalize()
        .unwrap_or(certificate.ca.clone());
    if arguments.serve {
        return serve(
            serving,
            &Connection {
                base_url,
                token,
                ca,
                target_url: staffbook.url.clone(),
            },
            state,
        )
        .await;
    }
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(serving.run(async move {
        let _ = stopped.await;
    }));
    let settings = PlaySettings {
        base_url,
        token,
        ca,
        application_url: staffbook.url.clone(),
        application_key: EXAMPLE_API_KEY.to_owned(),
        domain: "example.com".into(),
        is_coloured: wants_colour(),
        on_step: Box::new(move || heard.take()),
    };
    let all_held = play(settings, &mut std::io::stdout()).await?;
    let _ = stop.send(());
    let _ = running.await;
    Ok(if all_held {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// What a client needs to know.
struct Connection {
    base_url: String,
    token: String,
    ca: PathBuf,
    target_url: String,
}

async fn serve(serving: Serving, connection: &Connection, state: &State) -> Outcome {
    let mut out = std::io::stdout();
    writeln!(out, "BASE_URL={}", connection.base_url)?;
    writeln!(out, "TOKEN={}", connection.token)?;
    writeln!(out, "CA={}", connection.ca.display())?;
    writeln!(out, "TARGET_URL={}", connection.target_url)?;
    if let Some(admin) = serving.admin_address() {
        writeln!(out, "ADMIN_URL=http://{admin}")?;
    }
    writeln!(out, "CONFIG={}", state.path("scimgate.toml").display())?;
    writeln!(out, "READY")?;
    out.flush()?;
    if out.is_terminal() {
        eprintln!(
            "Try: curl --cacert {} -H 'Authorization: Bearer {}' {}/Users",
            connection.ca.display(),
            connection.token,
            connection.base_url
        );
    }
    serving.run(stop_signal()).await;
    Ok(ExitCode::SUCCESS)
}

/// Mapping and tenant of the demo, so that `explain --config` and a curious reader find them.
fn write_configuration(
    arguments: &DemoArguments,
    state: &State,
    url: &str,
    token: &str,
) -> Result<(), Failure> {
    let hash: String = key::sha256(token)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    state.write("application-key", EXAMPLE_API_KEY)?;
    let secret = format!("file:{}", state.path("application-key").display());
    let app = include_str!("../../../mappings/apps/demo.toml")
        .replace("${DEMO_URL}", url)
        .replace("${DEMO_API_KEY}", &secret);
    state.write("mappings/apps/demo.toml", &app)?;
    let strict = if arguments.strict {
        "strict = true\n"
    } else {
        ""
    };
    let tenant = include_str!("../../../mappings/demo.toml");
    let expires = (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * 30))
        .strftime("%Y-%m-%d")
        .to_string();
    let key = format!(
        "{strict}\n[[client.key]]\nname    = \"demo\"\nsha256  = \"{hash}\"\nexpires = {expires}\n"
    );
    state.write("mappings/demo.toml", &format!("{tenant}{key}"))?;
    state.write(
        "scimgate.toml",
        "mappings = \"mappings\"\n\n[store]\npath = \"store.sqlite\"\n",
    )
}

fn settings(
    arguments: &DemoArguments,
    state: &State,
    certificate: &dev_certificate::DevCertificate,
) -> Settings {
    let mut settings = Settings {
        mappings: state.path("mappings"),
        ..Settings::default()
    };
    settings.listen.address = arguments.address;
    settings.listen.certificate = Some(certificate.tls.certificate.clone());
    settings.listen.key = Some(certificate.tls.key.clone());
    settings.store.engine = Engine::Sqlite;
    settings.store.path = state.path("store.sqlite");
    settings.admin = Some(crate::cli::settings::AdminListener {
        address: SocketAddr::from(([127, 0, 0, 1], 0)),
        token: None,
    });
    // One client on this machine may be a load generator.
    settings.limits.connections_per_address = settings.limits.connections;
    settings.stop.accept_lag = Duration::ZERO;
    settings.stop.drain = Duration::from_secs(5);
    settings
}

/// What the gateway noted since it was asked last.
#[derive(Default)]
struct Heard(Mutex<StepReport>);

impl Heard {
    fn take(&self) -> StepReport {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Sink for Heard {
    fn finished(&self, finished: &Finished) {
        let mut report = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        report
            .notes
            .extend(finished.exchange.notes.0.iter().cloned());
        report
            .changed
            .extend(finished.exchange.changed.iter().cloned());
        report.calls.extend(finished.exchange.calls.iter().cloned());
    }
}
