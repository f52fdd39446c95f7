//! `scimgate serve`: the gateway.

use std::{io::Write, process::ExitCode, sync::Arc};

use crate::{diagnostic, observe, tenant::SystemEnvironment};

use super::{
    ConfigArguments, Failure, Outcome,
    process::{Process, stop_signal},
    settings::Settings,
};

/// Serves until told to stop.
pub async fn run(arguments: &ConfigArguments) -> Outcome {
    let settings = load(arguments)?;
    observe::log::init(&settings.log())?;
    let process = Process::open(&settings, Arc::new(SystemEnvironment), Vec::new()).await?;
    complain(&process);
    if settings.listen.plain_http {
        tracing::warn!(
            "serving without TLS: credentials and personal data are readable on the way"
        );
    }
    let serving = process.bind().await?;
    let address = serving
        .address()
        .map(|address| address.to_string())
        .unwrap_or_default();
    let admin = serving
        .admin_address()
        .map(|address| address.to_string())
        .unwrap_or_default();
    tracing::info!(%address, %admin, "serving");
    // For supervisors and scripts that wait for it.
    println!("ADDRESS={address}\nREADY");
    let _ = std::io::stdout().flush();
    serving.run(stop_signal()).await;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// Reads the configuration, or says everything that is wrong with it.
pub fn load(arguments: &ConfigArguments) -> Result<Settings, Failure> {
    Settings::load(&arguments.config).map_err(|complaints| {
        eprint!("{}", diagnostic::render(&complaints, false));
        Failure::configuration("the configuration cannot be used; `scimgate check` says more")
    })
}

/// A broken tenant is down, and said so in full.
fn complain(process: &Process) {
    let complaints = process.registry.diagnostics();
    if !complaints.is_empty() {
        eprint!("{}", diagnostic::render(&complaints, false));
    }
    for status in process.registry.status() {
        let tenant = &status.name;
        match status.is_serving {
            true => tracing::info!(%tenant, warnings = status.warnings, "the tenant is served"),
            false => {
                tracing::error!(%tenant, errors = status.errors, "the tenant is down: its files are broken")
            }
        }
    }
}
