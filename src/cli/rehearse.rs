//! `scimgate rehearse`: a provider's life cycle against the tenant's own application, before the provider is connected.

use std::{
    io::{IsTerminal, Write},
    process::ExitCode,
    sync::Arc,
    time::Instant,
};

use clap::Args;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::{
    cli::replay::{
        Outcome as StepOutcome, Reply, Request, SendFuture, Settings as PlayerSettings, StepRecord,
        Transport, TransportError,
    },
    gateway::{Gateway, Writes},
    server,
    tenant::{SystemEnvironment, Tenant},
};

use super::{ConfigArguments, Failure, Outcome, demo::life_cycle, process::Process};

/// What to rehearse.
#[derive(Debug, Clone, Args)]
pub struct RehearseArguments {
    /// Whose application.
    tenant: String,
    /// Which provider to play.
    #[arg(long = "as", value_name = "PROVIDER")]
    provider: String,
    /// Stop before the application: reads are made, writes are only planned.
    #[arg(long)]
    dry_run: bool,
    /// The domain of the test accounts' addresses; the tenant must allow it.
    #[arg(long, default_value = "example.com")]
    domain: String,
    #[command(flatten)]
    config: ConfigArguments,
}

/// Plays it and reports as the provider's administrator would see it.
pub async fn run(arguments: RehearseArguments) -> Outcome {
    let settings = super::serve::load(&arguments.config)?;
    let session = life_cycle(&arguments.provider)?;
    let process = Process::open(&settings, Arc::new(SystemEnvironment), Vec::new()).await?;
    let Some(tenant) = process.registry.tenant(&arguments.tenant) else {
        eprint!(
            "{}",
            crate::diagnostic::render(&process.registry.diagnostics(), false)
        );
        return Err(Failure::configuration(format!(
            "there is no tenant `{}` that can be used",
            arguments.tenant
        )));
    };
    let writes = if arguments.dry_run {
        Writes::Planned
    } else {
        Writes::Sent
    };
    let transport = InProcess {
        gateway: Arc::clone(&process.gateway),
        tenant,
        writes,
    };
    let settings = PlayerSettings {
        base_url: "https://scimgate.example/scim/v2".into(),
        variables: [("domain".to_owned(), arguments.domain.clone().into())]
            .into_iter()
            .collect(),
        ..PlayerSettings::default()
    };
    let mut report = Report {
        is_coloured: std::io::stdout().is_terminal(),
        failures: 0,
    };
    let summary = super::replay::play(&session, &settings, &transport, &mut |step| {
        report.step(step)
    })
    .await;
    println!("\n{summary}");
    Ok(if summary.all_held() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Requests go straight to the gateway, without a socket.
struct InProcess {
    gateway: Arc<Gateway>,
    tenant: Arc<Tenant>,
    writes: Writes,
}

impl Transport for InProcess {
    fn send(&self, request: Request) -> SendFuture<'_> {
        Box::pin(async move {
            let request = taken_in(request).ok_or_else(|| {
                TransportError::Other("the request cannot be sent as it is".into())
            })?;
            let (response, _) = self
                .gateway
                .exchange(Arc::clone(&self.tenant), request, self.writes)
                .await;
            let headers = response.headers.iter();
            Ok(Reply {
                status: response.status.as_u16(),
                headers: headers
                    .map(|(name, value)| {
                        (
                            name.to_string(),
                            String::from_utf8_lossy(value.as_bytes()).into_owned(),
                        )
                    })
                    .collect(),
                body: response.body.to_vec(),
            })
        })
    }
}

fn taken_in(request: Request) -> Option<server::Request> {
    let (path, query) = match request.path_and_query.split_once('?') {
        Some((path, query)) => (path.to_owned(), Some(query.to_owned())),
        None => (request.path_and_query, None),
    };
    let mut headers = HeaderMap::new();
    for (name, value) in request.headers {
        headers.append(
            HeaderName::from_bytes(name.as_bytes()).ok()?,
            HeaderValue::from_str(&value).ok()?,
        );
    }
    Some(server::Request {
        method: Method::from_bytes(request.method.as_bytes()).ok()?,
        path,
        query,
        headers,
        body: request.body.unwrap_or_default().into(),
        peer: std::net::SocketAddr::from(([127, 0, 0, 1], 0)),
        scheme_host: Some("https://scimgate.example".into()),
        received: Instant::now(),
    })
}

/// One line a step.
struct Report {
    is_coloured: bool,
    failures: usize,
}

impl Report {
    fn step(&mut self, step: &StepRecord) {
        let (mark, colour, reason) = match &step.outcome {
            StepOutcome::Passed => ("ok    ", "32", None),
            StepOutcome::Skipped(reason) => ("skip  ", "33", Some(reason.clone())),
            StepOutcome::Failed(reasons) => ("FAILED", "31", Some(reasons.join("; "))),
        };
        let mark = if self.is_coloured {
            format!("\x1b[{colour}m{mark}\x1b[0m")
        } else {
            mark.to_owned()
        };
        println!("{mark} {}", step.name);
        if let Some(reason) = reason {
            self.failures += 1;
            println!("       {reason}");
            let said = step
                .reply
                .as_ref()
                .and_then(|reply| serde_json::from_slice::<serde_json::Value>(&reply.body).ok());
            if let Some(detail) = said
                .as_ref()
                .and_then(|body| body.get("detail"))
                .and_then(|detail| detail.as_str())
            {
                println!("       the gateway said: {detail}");
            }
        }
        let _ = std::io::stdout().flush();
    }
}
