//! `scimgate draft`: proposes an application's mapping file.
//!
//! In: an OpenAPI 3 or Swagger 2.0 document, or a running API that is asked harmless questions. Out: a mapping file as text, every
//! guess and every gap marked. Knows nothing of tenants, nor of how a mapping is carried out: `check` reads the result.

mod active;
mod auth;
mod document;
mod endpoints;
mod fields;
mod id;
mod line;
mod members;
mod names;
mod on_user;
mod operations;
mod paging;
mod place;
mod probe;
mod section;
mod sheet;
mod swagger;

use std::{path::PathBuf, process::ExitCode};

use clap::Args;
use serde_json::Value;

use super::{Failure, Outcome};
use document::Document;
use section::Section;
use sheet::Sheet;

/// What to draft from.
#[derive(Debug, Clone, Args)]
pub struct DraftArguments {
    /// An OpenAPI 3 or Swagger 2.0 document as JSON.
    #[arg(required_unless_present = "probe")]
    openapi: Option<PathBuf>,
    /// The application's name in the draft. Without it the document's title is it, or the host that was asked.
    #[arg(long)]
    app: Option<String>,
    /// Where the draft goes; never over a file that is there. Without it: standard output.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Asks a running API instead: the URL of a list, such as `https://app.example/api/users`. Only GET and OPTIONS are sent, unless there is a `--body`.
    #[arg(long, value_name = "URL", conflicts_with = "openapi")]
    probe: Option<String>,
    /// A header for the questions, `Name: value`, usually the credential. May be given more than once.
    #[arg(long, value_name = "HEADER", requires = "probe")]
    header: Vec<String>,
    /// JSON: the list is asked for by one POST of it, which must be a call that only reads. Nothing else is asked then.
    #[arg(long, value_name = "JSON", requires = "probe")]
    body: Option<String>,
    /// A PEM file with the certificate authority of the API's certificate.
    #[arg(long, value_name = "FILE", requires = "probe")]
    ca: Option<PathBuf>,
}

/// Drafts, and prints or writes.
pub async fn run(arguments: DraftArguments) -> Outcome {
    let text = match (&arguments.openapi, &arguments.probe) {
        (Some(path), _) => from_file(path, arguments.app.as_deref())?,
        (None, Some(url)) => {
            let questions = probe::Questions::new(&probe::Asking {
                url,
                headers: &arguments.header,
                ca: arguments.ca.as_deref(),
                app: arguments.app.as_deref(),
                body: arguments.body.as_deref(),
            })?;
            questions.ask().await?
        }
        (None, None) => return Err(Failure::new("there is nothing to draft from")),
    };
    match &arguments.output {
        None => crate::cli::print(&text),
        Some(path) => {
            write_new(path, &text)?;
            eprintln!("wrote {}; now: scimgate check {0}", path.display());
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn from_file(path: &std::path::Path, app: Option<&str>) -> Result<String, Failure> {
    let shown = path.display();
    let bytes = std::fs::read(path)
        .map_err(|error| Failure::new(format!("`{shown}` cannot be read: {error}")))?;
    let document: Value = serde_json::from_slice(&bytes).map_err(|error| {
        Failure::new(format!(
            "`{shown}` is not JSON ({error}). YAML is converted by `yq -o=json {shown} > openapi.json`, or by \
             `python3 -c 'import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout, default=str)' < {shown} > openapi.json`"
        ))
    })?;
    propose(&document, app).map_err(|error| Failure::new(format!("`{shown}`: {error}")))
}

fn write_new(path: &std::path::Path, text: &str) -> Result<(), Failure> {
    use std::io::Write;
    let file = std::fs::File::options()
        .write(true)
        .create_new(true)
        .open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| Failure::new(format!("`{}` cannot be written: {error}", path.display())))
}

/// Proposes an application file for an OpenAPI 3 or Swagger 2.0 document. `app` is the application's name; absent: the document's title.
///
/// Every guess is marked `# guess:`, every gap `# TODO:`. What is there passes `scimgate check`.
///
/// # Errors
///
/// If it is no such document, or has no path that looks like users.
pub fn propose(document: &Value, app: Option<&str>) -> Result<String, DraftError> {
    let is_old = document.get("swagger").and_then(Value::as_str) == Some("2.0");
    let upgraded = is_old.then(|| swagger::upgraded(document));
    let document = Document::new(upgraded.as_ref().unwrap_or(document))?;
    let users = Section::find(&document, &names::USER).ok_or(DraftError::NoUsers)?;
    let groups = Section::find(&document, &names::GROUP);
    let app = app.map_or_else(|| names::slug(document.title()), names::slug);
    let mut sheet = Sheet::default();
    sheet.comment(&format!(
        "{}. Drafted by `scimgate draft` from {}.",
        document.title(),
        document.version()
    ));
    sheet.comment("Read every `# guess:`, do every `# TODO:`, then: scimgate check, and scimgate rehearse against a test system.");
    sheet.line(&format!("app = {}", sheet::quoted(&app)));
    settings(
        &mut sheet,
        [Some(&users), groups.as_ref()].into_iter().flatten(),
    );
    let call = users.list.as_ref().or(users.get.as_ref());
    auth::write(&mut sheet, &document, &app, call);
    operations::write_errors(&mut sheet, &document, &users);
    let on_user = groups
        .as_ref()
        .and_then(|groups| on_user::OnUser::of(&users, groups));
    users.write(&mut sheet, None, on_user.as_ref());
    match &groups {
        Some(groups) => groups.write(&mut sheet, Some(&users), on_user.as_ref()),
        None => {
            sheet.blank();
            sheet.todo(
                "no path looks like groups. If the application has groups or teams, add [group].",
            );
        }
    }
    Ok(sheet.text())
}

/// Proposes a file with one section, for the collection at a path.
fn propose_at(
    document: &Value,
    path: &str,
    kind: &'static names::Kind,
    app: Option<&str>,
) -> Result<String, DraftError> {
    let document = Document::new(document)?;
    let collection = endpoints::Collection::at(&document, path).ok_or(DraftError::NoUsers)?;
    let section = Section::of(&document, kind, collection);
    let app = names::slug(app.unwrap_or(document.title()));
    let mut sheet = Sheet::default();
    sheet.line(&format!("app = {}", sheet::quoted(&app)));
    auth::write(&mut sheet, &document, &app, section.list.as_ref());
    operations::write_errors(&mut sheet, &document, &section);
    section.write(&mut sheet, None, None);
    Ok(sheet.text())
}

/// Parameters of paths that are the same for the whole installation: an organisation, a workspace.
fn settings<'s>(sheet: &mut Sheet, sections: impl Iterator<Item = &'s Section<'s>>) {
    let mut names: Vec<String> = sections.flat_map(Section::settings).collect();
    names.sort();
    names.dedup();
    if names.is_empty() {
        return;
    }
    sheet.heading("settings");
    for name in names {
        sheet.todo("stands in the paths of the document.");
        sheet.line(&format!("{name} = \"${{{}}}\"", names::variable(&name)));
    }
}

/// Why nothing could be drafted.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum DraftError {
    /// Neither `openapi` that begins with `3.`, nor `swagger` that is `2.0`.
    #[error(
        "this is neither an OpenAPI 3 nor a Swagger 2.0 document: it has no `openapi` of 3.x at its top, and no `swagger` of 2.0"
    )]
    NotOpenApi,
    /// Nothing to map.
    #[error(
        "no path looks like users that can be read: nothing that answers GET ends in `/users`, `/members`, `/people`, `/accounts` or the like, nor in one of them and an id"
    )]
    NoUsers,
}
