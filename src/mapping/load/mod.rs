//! Files to a compiled mapping.
//!
//! In: the text of a tenant's file and of its application's file, and what the environment knows. Out: a
//! [`Mapping`], or every complaint about the files with its place. Opens no file itself and knows nothing of
//! requests, sockets or stores.

mod attributes;
mod auth;
mod call;
mod client;
mod context;
mod each;
mod effects;
mod example;
mod form;
mod gaps;
mod json_schema;
mod list;
mod location;
mod look_up;
mod members;
mod mendings;
mod merge;
mod not_toml;
mod on_user;
mod operation;
mod page;
mod policy;
mod quantity;
mod quiet;
mod quoted;
mod reader;
mod reference;
mod root;
mod rules;
mod schema;
mod section;
pub mod shape;
mod spelling;
mod synonyms;
mod syntax;
mod target;
mod tree;
mod unknown_key;
mod url_key;
mod user_groups;
mod ways;

use std::sync::Arc;

use crate::{
    diagnostic::{Diagnostic, SourceFile},
    mapping::model::Mapping,
};

pub use json_schema::{json_schema_app, json_schema_tenant};
pub use quantity::{duration, rate, size};
pub use reference::markdown as reference_markdown;
pub use root::{APP_SHAPE, TENANT_SHAPE};

use context::Context;

/// The files of one tenant, read by the caller.
#[derive(Debug, Clone)]
pub struct Sources {
    /// The tenant's file.
    pub tenant: Arc<SourceFile>,
    /// The application's file: `<dir>/apps/<app>.toml`, where [`app_name`] gives `<app>`; absent if there is none.
    pub app: Option<Arc<SourceFile>>,
}

/// What the outside knows.
pub trait Environment {
    /// An environment variable.
    fn variable(&self, name: &str) -> Option<String>;

    /// The content of a secret's file (`file:/run/secrets/x`).
    fn secret_file(&self, path: &str) -> Option<String>;
}

/// What a value means that the environment does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissingValues {
    /// The mapping cannot be used: for `serve`.
    AreErrors,
    /// The files can be right all the same: for `check`, elsewhere than where the gateway runs.
    AreWarnings,
}

/// An environment that knows nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoEnvironment;

impl Environment for NoEnvironment {
    fn variable(&self, _name: &str) -> Option<String> {
        None
    }

    fn secret_file(&self, _path: &str) -> Option<String> {
        None
    }
}

/// A mapping with the warnings about its files, or all complaints, errors among them.
pub type Loaded = Result<(Mapping, Vec<Diagnostic>), Vec<Diagnostic>>;

/// Compiles a tenant's mapping out of its file and its application's file.
///
/// # Errors
///
/// Every complaint about the files, warnings included, ordered by file and place.
pub fn tenant(
    sources: &Sources,
    environment: &dyn Environment,
    missing_values: MissingValues,
) -> Loaded {
    let context = Context::new(environment, missing_values);
    let tenant = tree::parse(&context, &sources.tenant);
    let app = sources
        .app
        .as_ref()
        .map(|file| (tree::parse(&context, file), file));
    if context.has_errors() {
        return Err(context.finish());
    }
    let mapping = root::tenant(&context, tenant, &sources.tenant, app);
    checked(context, mapping)
}

/// Compiles an application's file by itself, as if for a tenant without anything of its own.
///
/// # Errors
///
/// Every complaint about the file, warnings included, ordered by place.
pub fn app_alone(
    source: &Arc<SourceFile>,
    environment: &dyn Environment,
    missing_values: MissingValues,
) -> Loaded {
    let context = Context::new(environment, missing_values);
    let app = tree::parse(&context, source);
    if context.has_errors() {
        return Err(context.finish());
    }
    let mapping = root::app_alone(&context, app, source);
    checked(context, mapping)
}

/// The application a tenant's file names; absent if it names none or is not TOML.
pub fn app_name(tenant: &Arc<SourceFile>) -> Option<String> {
    let context = Context::new(&NoEnvironment, MissingValues::AreWarnings);
    let table = tree::parse(&context, tenant);
    let name = table.entry("app")?.node.as_text()?;
    root::is_name(name).then(|| name.to_owned())
}

/// The complaints about a file of any kind that is not TOML.
pub fn not_toml(file: &Arc<SourceFile>) -> Vec<Diagnostic> {
    let context = Context::new(&NoEnvironment, MissingValues::AreWarnings);
    tree::parse(&context, file);
    context.finish()
}

/// Whether a file is an application's: it names no tenant, and names an application or lies in a folder `apps`.
pub fn is_app_file(file: &Arc<SourceFile>) -> bool {
    let context = Context::new(&NoEnvironment, MissingValues::AreWarnings);
    let table = tree::parse(&context, file);
    let is_among_apps = file
        .path
        .parent()
        .and_then(|folder| folder.file_name())
        .is_some_and(|name| name == "apps");
    let has = |names: &[&str]| names.iter().any(|name| table.entry(name).is_some());
    // A tenant's file without its name is one all the same.
    let is_about_a_client = has(&["client", "policy"]) && !has(&["target", "user", "group"]);
    !has(&["tenant"]) && (is_among_apps || has(&["app"]) && !is_about_a_client)
}

/// A tenant's file whose name is not the tenant's: the gateway goes by the file's.
pub fn named_otherwise(file: &Arc<SourceFile>) -> Option<Diagnostic> {
    let context = Context::new(&NoEnvironment, MissingValues::AreWarnings);
    let table = tree::parse(&context, file);
    let node = &table.entry("tenant")?.node;
    let (says, stem) = (node.as_text()?, file.path.file_stem()?.to_str()?);
    if says == stem {
        return None;
    }
    let sentence = format!(
        "The file says `{says}` and is called `{stem}`, and the gateway goes by the file's name."
    );
    let mending = format!("call the file `{says}.toml`, or write `tenant = \"{stem}\"`");
    let complaint = Diagnostic::warning("mapping::other-name", sentence);
    Some(complaint.at(&node.place).mend(mending))
}

/// Adds what only the whole mapping shows, and decides.
fn checked(context: Context<'_>, mapping: Option<Mapping>) -> Loaded {
    if let Some(mapping) = &mapping {
        let is_complete = !context.is_broken();
        for complaint in crate::mapping::check::mapping(mapping, is_complete) {
            context.add(complaint);
        }
    }
    let has_errors = context.has_errors();
    let complaints = context.finish();
    match mapping {
        Some(mapping) if !has_errors => Ok((mapping, complaints)),
        _ => Err(complaints),
    }
}

#[cfg(test)]
mod tests;
