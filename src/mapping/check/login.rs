//! What a login gives, and what becomes of it.

use crate::{
    diagnostic::{Diagnostic, Diagnostics},
    mapping::{
        model::{Login, Mapping},
        template::Template,
    },
};

use super::place::narrowed;

/// Complaints about what the login's steps take, but for the names in templates.
pub(super) fn check(
    mapping: &Mapping,
    login: &Login,
    is_complete: bool,
    complaints: &mut Diagnostics,
) {
    unused(mapping, login, is_complete, complaints);
    untaken_life(login, is_complete, complaints);
}

/// Whether a step of the login takes something of this name.
pub(super) fn takes(login: &Login, name: &str) -> bool {
    let taken = login.steps.iter().flat_map(|step| &step.take);
    taken.into_iter().any(|(taken, _)| taken == name)
}

/// A login whose token goes nowhere.
fn unused(mapping: &Mapping, login: &Login, is_complete: bool, complaints: &mut Diagnostics) {
    let mut calls = super::calls::of_mapping(mapping).into_iter();
    let is_used = login.keeps_cookies
        || !login.headers.is_empty()
        || !login.query.is_empty()
        || mapping
            .target
            .headers
            .iter()
            .chain(&mapping.target.query)
            .any(|(_, template)| names(template, "login"))
        || mapping.target.wrap.iter().any(|wrap| {
            wrap.names()
                .iter()
                .any(|name| name.names.first().is_some_and(|first| first == "login"))
        })
        || calls.any(|call| super::names::uses(call, "login"));
    if is_used || !is_complete {
        return;
    }
    let complaint = Diagnostic::warning(
        "mapping::unused-login",
        "Nothing that the login gives is sent with the other calls.",
    );
    complaints.add(
        complaint
            .at(&login.life_at)
            .mend("say how: `headers = { Authorization = \"Bearer {login.token}\" }`, `query`, or `cookies = true`"),
    );
}

/// A `life` that is read from what no step takes.
fn untaken_life(login: &Login, is_complete: bool, complaints: &mut Diagnostics) {
    let Some((name, _)) = &login.life_in_answer else {
        return;
    };
    if takes(login, name) || !is_complete {
        return;
    }
    let sentence = format!("No login step takes `{name}`.");
    let complaint = Diagnostic::error("mapping::unknown-name", sentence);
    complaints.add(complaint.at(&narrowed(&login.life_at, name)).mend(format!(
        "add `take = {{ {name} = '$.…' }}` to the step that answers it"
    )));
}

fn names(template: &Template, wanted: &str) -> bool {
    let names = template.names();
    names
        .iter()
        .any(|name| name.names.first().is_some_and(|first| first == wanted))
}
