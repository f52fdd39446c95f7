//! What a login gives, and what becomes of it.

use crate::{
    diagnostic::{Diagnostic, Diagnostics},
    mapping::{
        expression::NamePath,
        model::{Login, Mapping},
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
    let target = &mapping.target;
    let always = target.headers.iter().chain(&target.query);
    let mut names = always.flat_map(|(_, template)| template.names());
    let mut wrapped = target.wrap.iter().flat_map(|wrap| wrap.names());
    let is_login = |name: NamePath| name.names.first().is_some_and(|first| first == "login");
    let mut calls = super::calls::of_mapping(mapping).into_iter();
    let is_used = login.keeps_cookies
        || !login.headers.is_empty()
        || !login.query.is_empty()
        || names.any(is_login)
        || wrapped.any(is_login)
        || calls.any(|call| super::names::uses(call, "login"));
    if is_used || !is_complete {
        return;
    }
    let sentence = "Nothing that the login gives is sent with the other calls.";
    let mending = "say how: `headers = { Authorization = \"Bearer {login.token}\" }`, `query`, or `cookies = true`";
    let complaint = Diagnostic::warning("mapping::unused-login", sentence).mend(mending);
    complaints.add(match &login.life_at {
        Some(place) => complaint.at(place),
        None => complaint,
    });
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
    let mending = format!("add `take = {{ {name} = '$.…' }}` to the step that answers it");
    let complaint = Diagnostic::error("mapping::unknown-name", sentence).mend(mending);
    complaints.add(match &login.life_at {
        Some(place) => complaint.at(&narrowed(place, name)),
        None => complaint,
    });
}
