//! `scimgate schema`: JSON Schemas of mapping files, for editors.

use std::process::ExitCode;

use clap::{Args, ValueEnum};

use crate::mapping::load;

use super::Outcome;

/// Which schema.
#[derive(Debug, Clone, Args)]
pub struct SchemaArguments {
    /// Of application files (`mappings/apps/*.toml`) or of tenant files (`mappings/*.toml`).
    #[arg(value_enum)]
    kind: Kind,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    App,
    Tenant,
}

/// Prints it.
pub fn run(arguments: &SchemaArguments) -> Outcome {
    let schema = match arguments.kind {
        Kind::App => load::json_schema_app(),
        Kind::Tenant => load::json_schema_tenant(),
    };
    crate::cli::print(&format!("{schema:#}\n"));
    Ok(ExitCode::SUCCESS)
}
