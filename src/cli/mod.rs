//! The commands.
//!
//! In: arguments. Out: an exit code, and text for people. Each command has a file; this one only parses and chooses.

mod check;
pub mod demo;
pub mod draft;
mod explain;
mod fault;
mod keys;
mod origin;
mod postgres;
mod process;
mod rehearse;
pub mod replay;
mod schema;
mod serve;
mod settings;
mod tenant_named;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};

pub use check::check_file;

/// A SCIM 2.0 gateway: gives any REST application standard provisioning by configuration alone.
#[derive(Debug, Parser)]
#[command(name = "scimgate", version, about, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show it working: an application, the gateway in front of it, an Okta and an Entra life cycle.
    Demo(demo::DemoArguments),
    /// Run the gateway.
    Serve(ConfigArguments),
    /// Find every fault in configuration and mapping files, run their examples, print what the mapping can do.
    Check(check::CheckArguments),
    /// Show what one SCIM request would do, without sending a write.
    Explain(explain::ExplainArguments),
    /// Propose an application's mapping file from an OpenAPI document, or by asking a running API.
    Draft(draft::DraftArguments),
    /// Play an identity provider's life cycle through the gateway against the tenant's application.
    Rehearse(rehearse::RehearseArguments),
    /// Make, list and revoke the keys that clients present.
    Keys(keys::KeysArguments),
    /// Print the JSON Schema of mapping files, for editors.
    Schema(schema::SchemaArguments),
    /// The application of the demo, as a process of its own.
    #[command(hide = true)]
    DemoApplication(demo::ApplicationArguments),
}

/// Where the configuration is.
#[derive(Debug, Clone, Args)]
pub struct ConfigArguments {
    /// The process's configuration; what it does not say has a default.
    #[arg(
        long,
        value_name = "FILE",
        default_value = "scimgate.toml",
        global = true
    )]
    config: PathBuf,
}

/// Runs the command of this process's arguments.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return fail(&with_causes(&error)),
    };
    runtime.block_on(run(cli.command))
}

async fn run(command: Command) -> ExitCode {
    let result = match command {
        Command::Demo(arguments) => demo::run(arguments).await,
        Command::Serve(arguments) => serve::run(&arguments).await,
        Command::Check(arguments) => check::run(&arguments),
        Command::Explain(arguments) => explain::run(arguments).await,
        Command::Draft(arguments) => draft::run(arguments).await,
        Command::Rehearse(arguments) => rehearse::run(arguments).await,
        Command::Keys(arguments) => keys::run(arguments).await,
        Command::Schema(arguments) => schema::run(&arguments),
        Command::DemoApplication(arguments) => demo::run_application(arguments).await,
    };
    result.unwrap_or_else(|failure| fail(&failure))
}

/// Why a command ended: one sentence for the operator, with its causes.
#[derive(Debug)]
pub struct Failure {
    sentence: String,
    code: u8,
}

impl Failure {
    /// A failure in words.
    pub fn new(sentence: impl Into<String>) -> Self {
        Self {
            sentence: sentence.into(),
            code: 1,
        }
    }

    /// Configuration that cannot be used: exit code 78, as `sysexits.h` has it, so that a supervisor can tell.
    pub fn configuration(sentence: impl Into<String>) -> Self {
        Self {
            sentence: sentence.into(),
            code: EX_CONFIG,
        }
    }
}

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        with_causes(&error)
    }
}

/// An error with its causes, in one line.
fn with_causes(error: &dyn std::error::Error) -> Failure {
    let mut sentence = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !sentence.contains(&text) {
            sentence = format!("{}: {text}", sentence.trim_end_matches('.'));
        }
        cause = error.source();
    }
    Failure::new(sentence)
}

fn fail(failure: &Failure) -> ExitCode {
    eprintln!("scimgate: {}", failure.sentence);
    ExitCode::from(failure.code)
}

/// Prints for people and pipes. A reader that has gone away (`| head`) ends the process quietly.
pub(crate) fn print(text: &str) {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    if written.is_err() {
        std::process::exit(EX_IOERR);
    }
}

/// What every command gives back.
type Outcome = Result<ExitCode, Failure>;

/// `EX_IOERR` of `sysexits.h`.
const EX_IOERR: i32 = 74;

/// `EX_CONFIG` of `sysexits.h`.
const EX_CONFIG: u8 = 78;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_may_stand_before_and_after_what_is_done_with_keys() {
        for line in [
            "scimgate keys --config x.toml create acme --name a",
            "scimgate keys create acme --name a --config x.toml",
            "scimgate keys list --config x.toml",
            "scimgate serve --config x.toml",
        ] {
            let cli = Cli::try_parse_from(line.split(' '));
            let cli = cli.unwrap_or_else(|error| panic!("{line}: {error}"));
            assert!(format!("{cli:?}").contains("\"x.toml\""), "{line}: {cli:?}");
        }
    }
}
