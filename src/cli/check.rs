//! `scimgate check`: every complaint about the files, the examples run, what the mappings can do.

use std::{
    io::IsTerminal,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use clap::Args;

use crate::{
    diagnostic::{self, Diagnostic, SourceFile},
    mapping::{
        check,
        load::{self, MissingValues, Sources},
        model::Mapping,
    },
    tenant::SystemEnvironment,
};

use super::{ConfigArguments, Failure, Outcome, settings::Settings};

/// What to check.
#[derive(Debug, Clone, Args)]
pub struct CheckArguments {
    /// Mapping files of applications or tenants, or `scimgate.toml`. None: the configuration and all its mappings.
    files: Vec<PathBuf>,
    #[command(flatten)]
    config: ConfigArguments,
    /// Print only complaints, not what the mappings can do.
    #[arg(long, short)]
    quiet: bool,
}

/// Checks, and prints.
pub fn run(arguments: &CheckArguments) -> Outcome {
    let files = if arguments.files.is_empty() {
        all_files(&arguments.config)?
    } else {
        arguments.files.clone()
    };
    let is_coloured = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let mut errors = 0;
    for file in &files {
        let (mapping, complaints) = check_file(file);
        if !complaints.is_empty() {
            crate::cli::print(&diagnostic::render(&complaints, is_coloured));
        }
        crate::cli::print(&format!("{}\n", diagnostic::summary(&complaints, file)));
        errors += complaints
            .iter()
            .filter(|complaint| complaint.is_error())
            .count();
        if let Some(mapping) = mapping.filter(|_| !arguments.quiet) {
            crate::cli::print(&format!("{}\n", check::capabilities(&mapping)));
        }
    }
    Ok(if errors == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The configuration, every tenant and every application below its mappings.
fn all_files(arguments: &ConfigArguments) -> Result<Vec<PathBuf>, Failure> {
    let settings = super::serve::load(arguments)?;
    let mut files = Vec::new();
    if arguments.config.exists() {
        files.push(arguments.config.clone());
    }
    for directory in [settings.mappings.join("apps"), settings.mappings.clone()] {
        files.extend(toml_files(&directory));
    }
    if files.is_empty() {
        let sentence = format!(
            "there is nothing to check: `{}` has no mapping files",
            settings.mappings.display()
        );
        return Err(Failure::configuration(sentence));
    }
    Ok(files)
}

fn toml_files(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|end| end == "toml"))
        .collect();
    files.sort();
    files
}

/// Checks one file of whatever kind; gives the mapping if it can be used.
pub fn check_file(path: &Path) -> (Option<Mapping>, Vec<Diagnostic>) {
    let file = match read(path) {
        Ok(file) => file,
        Err(complaint) => return (None, vec![complaint]),
    };
    if is_process_file(path, &file) {
        return (None, Settings::parse(&file).err().unwrap_or_default());
    }
    let environment = SystemEnvironment;
    let result = if load::is_app_file(&file) {
        load::app_alone(&file, &environment, MissingValues::AreWarnings)
    } else {
        match sources(path, file) {
            Ok(sources) => load::tenant(&sources, &environment, MissingValues::AreWarnings),
            Err(complaint) => return (None, vec![complaint]),
        }
    };
    match result {
        Ok((mapping, mut complaints)) => {
            complaints.extend(check::examples(&mapping));
            (Some(mapping), complaints)
        }
        Err(complaints) => (None, complaints),
    }
}

/// A tenant's file with its application's.
fn sources(path: &Path, tenant: Arc<SourceFile>) -> Result<Sources, Diagnostic> {
    let app = match load::app_name(&tenant) {
        None => None,
        Some(name) => {
            let directory = path.parent().unwrap_or(Path::new("."));
            let app = directory.join("apps").join(format!("{name}.toml"));
            if app.exists() {
                Some(read(&app)?)
            } else {
                None
            }
        }
    };
    Ok(Sources { tenant, app })
}

fn read(path: &Path) -> Result<Arc<SourceFile>, Diagnostic> {
    let bytes = std::fs::read(path).map_err(|error| {
        Diagnostic::error(
            "file::unreadable",
            format!("`{}` cannot be read: {error}.", path.display()),
        )
    })?;
    SourceFile::from_bytes(path, bytes).map(Arc::new)
}

/// By its name, or because it has the process's tables and no mapping's.
fn is_process_file(path: &Path, file: &SourceFile) -> bool {
    let is_named_so = path.file_name().is_some_and(|name| name == "scimgate.toml");
    let table: Option<toml::Table> = file.text.parse().ok();
    let has = |names: &[&str]| {
        table
            .as_ref()
            .is_some_and(|table| names.iter().any(|name| table.contains_key(*name)))
    };
    is_named_so || (has(&["listen", "store", "mappings"]) && !has(&["app", "tenant"]))
}
