//! `[[example]]` blocks, run without a network.
//!
//! In: a compiled mapping. Out: a complaint for every example that does not hold, with the place in the data where it
//! differs. The same pure functions work here as for real requests.

mod compare;
mod error;
mod reply;
mod request;

use serde_json::Value;

use crate::{
    diagnostic::{Diagnostic, Diagnostics},
    mapping::model::{Example, ExampleKind, Mapping, Pairs, TypeMapping},
};

/// Runs every example of a mapping.
///
/// # Errors
///
/// None: what does not hold is a complaint, `mapping::example-failed`.
pub fn examples(mapping: &Mapping) -> Vec<Diagnostic> {
    let mut complaints = Diagnostics::default();
    for example in &mapping.examples {
        if let Err(reason) = run(mapping, example) {
            complaints.add(
                Diagnostic::error(
                    "mapping::example-failed",
                    format!("The example `{}` does not hold.", example.title),
                )
                .at(&example.place)
                .mend(without_secrets(mapping, reason)),
            );
        }
    }
    complaints.into_sorted()
}

fn without_secrets(mapping: &Mapping, text: String) -> String {
    let secrets = mapping.secrets.iter().filter(|secret| !secret.is_empty());
    secrets.fold(text, |text, secret| text.replace(secret.as_str(), "***"))
}

/// Runs one example; the error says what is different.
fn run(mapping: &Mapping, example: &Example) -> Result<(), String> {
    let section = mapping
        .types
        .iter()
        .find(|section| section.section == example.section)
        .ok_or_else(|| format!("there is no section `{}`", example.section))?;
    for look_up in &mapping.look_ups {
        let given = example
            .values
            .iter()
            .find(|(name, _)| *name == look_up.name);
        look_up.put(Pairs::new(
            given.map(|(_, pairs)| pairs.clone()).unwrap_or_default(),
        ));
    }
    let settings = &example.settings;
    match &example.kind {
        ExampleKind::Reply { reply, expect } => {
            reply::run(mapping, section, settings, reply, expect)
        }
        ExampleKind::Request {
            method,
            path,
            body,
            stored,
            calls,
        } => {
            let request = request::Request {
                method,
                path,
                body: body.as_ref(),
                stored: stored.as_ref(),
                settings,
            };
            request::run(mapping, section, &request, calls)
        }
        ExampleKind::Error {
            operation,
            status,
            reply,
            scim_status,
            scim_type,
        } => {
            let expected = error::Expected {
                status: *scim_status,
                scim_type: scim_type.as_deref(),
            };
            error::run(mapping, section, operation, *status, reply, &expected)
        }
    }
}

/// What a SCIM id is written as into bodies: the application's id, a number where the application has numbers.
fn id_value(section: &TypeMapping, scim_id: &str) -> Value {
    let id = section.id.from_scim(scim_id).unwrap_or(scim_id.into());
    match id.parse::<i64>() {
        Ok(number) if section.id.is_number => Value::from(number),
        _ => Value::from(id),
    }
}
