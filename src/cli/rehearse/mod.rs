//! `scimgate rehearse`: a provider's life cycle against the tenant's own application, before the provider is connected.
//!
//! In: the command's arguments. Out: every step as the provider's administrator would see it, and nothing left behind in
//! the application. It is a client of a listener of its own; it knows nothing of how a request is answered.

mod asked;
mod edge;
#[cfg(test)]
mod fixture;
mod further;
mod ledger;
mod lost;
mod report;
mod sessions;
mod stand_in;
mod transport;

use std::{
    io::{IsTerminal, Write},
    process::ExitCode,
    sync::Arc,
};

use clap::Args;
use serde_json::{Map, Value};

use crate::{
    cli::replay::{Player, Session, Settings as PlayerSettings},
    gateway::Writes,
    mapping::{address::Domains, model::Mode},
    tenant::{Probed, SystemEnvironment, Tenant},
};

use super::{
    ConfigArguments, Failure, Outcome,
    process::{Process, stop_signal},
    tenant_named::tenant_named,
};

use edge::Edge;
use report::Report;
use transport::Stage;

/// What to rehearse.
#[derive(Debug, Clone, Args)]
pub struct RehearseArguments {
    /// Whose application: the tenant's name, or its file.
    tenant: String,
    /// Which provider to play.
    #[arg(long = "as", value_name = "PROVIDER", value_parser = sessions::PROVIDERS)]
    provider: String,
    /// Stop before the application: reads are made, writes are only planned.
    #[arg(long)]
    dry_run: bool,
    /// A group of the application that stands in for the one the provider would make, for applications whose groups are fixed.
    /// Without it: one of the mapping's `fixed` groups that has no members.
    /// Test accounts become its members meanwhile, others may leave it; at the end it is put back as it was.
    #[arg(long, value_name = "NAME")]
    group: Option<String>,
    /// The domain of the test accounts' addresses. Without it: the first that the tenant allows, else example.com.
    #[arg(long)]
    domain: Option<String>,
    /// The password of the test accounts, where the provider sends one and the application wants another than the
    /// rehearsal makes: 20 characters, with capital and small letters, digits, `#` and `-`. A later one is the same with `2`
    /// at its end.
    #[arg(long)]
    password: Option<String>,
    #[command(flatten)]
    config: ConfigArguments,
}

/// Plays it and reports as the provider's administrator would see it.
///
/// What was made is deleted at the end, also after a failure and after a stop signal. The exit code is a success only if
/// every step held and nothing was left behind.
pub async fn run(arguments: RehearseArguments) -> Outcome {
    let settings = super::serve::load(&arguments.config)?;
    let mut session = sessions::of(&arguments.provider)?;
    if arguments.password.is_some() && !session.has_variable("password") {
        let provider = &arguments.provider;
        let why = format!(
            "`--password`: `{provider}` sends no password; a line with `on-create` makes one"
        );
        return Err(Failure::configuration(why));
    }
    let played = report::provider_of(&session);
    let process =
        Process::open_as(&settings, Arc::new(SystemEnvironment), Vec::new(), played).await?;
    let tenant = tenant_named(&process.registry, &settings.mappings, &arguments.tenant)?;
    let is_dry = arguments.dry_run || tenant.mapping.mode == Mode::Shadow;
    let writes = if is_dry {
        Writes::Planned
    } else {
        Writes::Sent
    };
    let domain = arguments
        .domain
        .unwrap_or_else(|| allowed_domain(&tenant.mapping.client.domains));
    let mut out = std::io::stdout();
    let mut report = Report::new(
        &mut out,
        &arguments.provider,
        std::io::stdout().is_terminal(),
    );
    report.opening(&session, &tenant, &domain, is_dry)?;
    let probed = tenant.ask_probe().await;
    if let Some(probed) = probed {
        report.probe(probed, tenant.probe_reply().as_ref())?;
    }
    if probed.is_some_and(|probed| probed != Probed::Accepted) {
        return Ok(ExitCode::FAILURE);
    }
    let gateway = Arc::clone(&process.gateway);
    let edge = Edge::open(&settings, gateway, Arc::clone(&tenant), writes).await?;
    let mut variables = Map::from_iter([("domain".to_owned(), Value::from(domain))]);
    if let Some(password) = &arguments.password {
        let own = [
            ("password", password.clone()),
            ("password2", format!("{password}2")),
        ];
        variables.extend(own.map(|(name, value)| (name.to_owned(), Value::from(value))));
    }
    let most_groups = memberships(&tenant);
    let stage = Stage::new(edge, tenant, writes);
    let group = match &arguments.group {
        Some(group) => {
            let stands_in = stage.let_stand_in(group).await;
            stands_in.map_err(|why| Failure::new(format!("`--group {group}`: {why}")))?;
            Some(group.clone())
        }
        None => stage.let_empty_one_stand_in().await,
    };
    further::add(&mut session, group.is_none(), most_groups)?;
    report.expects(&session);
    if let Some(group) = group {
        let own = GROUP_NAMES
            .into_iter()
            .find(|name| session.has_variable(name));
        variables.extend(own.map(|name| (name.to_owned(), Value::from(group))));
    }
    let playing = PlayerSettings {
        base_url: stage.base_url().to_owned(),
        token: stage.token().to_owned(),
        variables,
        ..PlayerSettings::default()
    };
    let played = play(&session, &playing, &stage, &mut report).await?;
    let left = stage.clean_up().await;
    report.closing(played, &left, &stage.kept())?;
    Ok(
        if report.is_success() && played == Played::All && left.is_empty() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        },
    )
}

/// How far the steps came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Played {
    /// To the last one.
    All,
    /// The process was asked to stop.
    Stopped,
    /// The application has not answered a single call: no further step can tell more.
    Unreachable,
}

/// Plays the steps until the last one, or as far as it makes sense.
async fn play<W: Write>(
    session: &Session,
    settings: &PlayerSettings,
    stage: &Stage,
    report: &mut Report<'_, W>,
) -> Result<Played, Failure> {
    let mut player = Player::new(session, settings);
    let stop = stop_signal();
    tokio::pin!(stop);
    loop {
        let record = tokio::select! {
            record = player.next_step(stage) => record,
            () = &mut stop => return Ok(Played::Stopped),
        };
        let Some(record) = record else {
            return Ok(Played::All);
        };
        // A closed pipe must not keep the accounts from being cleaned up: it is told at the end.
        report.step(&record, &stage.seen());
        if report.is_unreachable() {
            return Ok(Played::Unreachable);
        }
    }
}

/// A domain whose accounts the tenant may provision.
fn allowed_domain(allowed: &Domains) -> String {
    match allowed.first() {
        None => "example.com".to_owned(),
        Some(domain) => match domain.strip_prefix("*.") {
            Some(parent) => format!("rehearsal.{parent}"),
            None => domain.to_owned(),
        },
    }
}

/// Whether the mapping has groups at all.
fn serves_groups(tenant: &Tenant) -> bool {
    tenant
        .mapping
        .types
        .iter()
        .any(|t| t.resource_type.name == "Group")
}

/// In how many groups the mapping lets a person be.
fn memberships(tenant: &Tenant) -> further::Memberships {
    let members = tenant
        .mapping
        .types
        .iter()
        .filter_map(|t| t.members.as_ref());
    let mut on_users = members.filter_map(|members| members.on_user.as_ref());
    match on_users.any(|on_user| on_user.is_single) {
        true => further::Memberships::One,
        false => further::Memberships::Any,
    }
}

/// What the life cycles call the name of the group that they make.
const GROUP_NAMES: [&str; 2] = ["group", "grp"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_accounts_have_addresses_that_the_tenant_allows() {
        for (allowed, expected) in [
            (&[][..], "example.com"),
            (&["acme.example"], "acme.example"),
            (
                &["*.acme.example", "acme.example"],
                "rehearsal.acme.example",
            ),
        ] {
            let mut domains = Domains::default();
            assert!(allowed.iter().all(|text| domains.add(text)));
            assert_eq!(allowed_domain(&domains), expected);
        }
    }
}
