//! `scimgate keys`: the keys that clients present. Only their hashes are kept; a key is shown once.

use std::process::ExitCode;

use aws_lc_rs::rand;
use clap::{Args, Subcommand};
use jiff::Timestamp;

use crate::{
    store::{self, KeyRecord, Store, TenantId},
    tenant::key::{self, MINT_RANDOM_BYTES, NewKey},
};

use super::{ConfigArguments, Failure, Outcome};

/// What to do with keys.
#[derive(Debug, Clone, Args)]
pub struct KeysArguments {
    #[command(subcommand)]
    command: KeysCommand,
    #[command(flatten)]
    config: ConfigArguments,
}

#[derive(Debug, Clone, Subcommand)]
enum KeysCommand {
    /// Make a key and show it, once.
    Create {
        /// The tenant it opens.
        tenant: String,
        /// A name for it, such as `okta-2027`.
        #[arg(long)]
        name: String,
        /// Days until it expires.
        #[arg(long, default_value_t = 365, value_parser = clap::value_parser!(u16).range(1..=1095))]
        days: u16,
        /// Print a `[[client.key]]` block for the tenant's file instead of filing it in the store.
        #[arg(long)]
        toml: bool,
    },
    /// List a tenant's keys in the store.
    List {
        /// The tenant; all if left out.
        tenant: Option<String>,
    },
    /// Revoke a key; a running gateway refuses it within five seconds.
    Revoke {
        /// The tenant.
        tenant: String,
        /// The key's id, as `list` shows it.
        id: String,
    },
}

/// Does it.
pub async fn run(arguments: KeysArguments) -> Outcome {
    let settings = super::serve::load(&arguments.config)?;
    match arguments.command {
        KeysCommand::Create {
            tenant,
            name,
            days,
            toml: true,
        } => print_toml(&tenant, &name, days),
        command => {
            let store = store::open(&settings.store()).await?;
            on_store(&*store, command, &settings.mappings).await
        }
    }
}

async fn on_store(store: &dyn Store, command: KeysCommand, mappings: &std::path::Path) -> Outcome {
    match command {
        KeysCommand::Create {
            tenant, name, days, ..
        } => {
            if !mappings.join(format!("{tenant}.toml")).exists() {
                return Err(Failure::new(format!(
                    "there is no tenant `{tenant}`: `{}` has no `{tenant}.toml`",
                    mappings.display()
                )));
            }
            let (new, record) = mint(&tenant, &name, days)?;
            store.create_key(&TenantId::new(&*tenant), &record).await?;
            crate::cli::print(&format!("{}\n", new.token.expose()));
            eprintln!(
                "Key `{}` of `{tenant}` (id {}) expires {}. It is shown only now; give it to the client.",
                name,
                record.id,
                until(&record)
            );
        }
        KeysCommand::List { tenant } => {
            let keys = match tenant {
                Some(tenant) => store.keys(&TenantId::new(&*tenant)).await?,
                None => store.all_keys().await?,
            };
            list(&keys);
        }
        KeysCommand::Revoke { tenant, id } => {
            if !store
                .revoke_key(&TenantId::new(&*tenant), &id, Timestamp::now())
                .await?
            {
                return Err(Failure::new(format!(
                    "`{tenant}` has no key with the id `{id}` in the store"
                )));
            }
            eprintln!("Key {id} of `{tenant}` is revoked.");
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn mint(tenant: &str, name: &str, days: u16) -> Result<(NewKey, KeyRecord), Failure> {
    let mut random = [0_u8; MINT_RANDOM_BYTES];
    rand::fill(&mut random)
        .map_err(|_| Failure::new("the system gives no randomness for a key"))?;
    let new = key::mint(&random);
    let now = Timestamp::now();
    let record = KeyRecord {
        id: new.id.as_str().to_owned(),
        name: name.to_owned(),
        tenant: TenantId::new(tenant),
        sha256: new.sha256,
        created: now,
        expires: Some(now + jiff::SignedDuration::from_hours(24 * i64::from(days))),
        revoked: None,
    };
    Ok((new, record))
}

fn print_toml(tenant: &str, name: &str, days: u16) -> Outcome {
    let (new, record) = mint(tenant, name, days)?;
    crate::cli::print(&format!(
        "[[client.key]]\nname    = {name:?}\nsha256  = \"{}\"\nexpires = {}\n",
        hex(&record.sha256),
        until(&record)
    ));
    eprintln!("The key itself, shown only now:\n{}", new.token.expose());
    Ok(ExitCode::SUCCESS)
}

fn list(keys: &[KeyRecord]) {
    let now = Timestamp::now();
    crate::cli::print(&format!(
        "{:<14} {:<20} {:<20} {:<12} STATE\n",
        "ID", "TENANT", "NAME", "EXPIRES"
    ));
    for key in keys {
        let state = match (key.revoked, key.is_active(now)) {
            (Some(_), _) => "revoked",
            (None, true) => "active",
            (None, false) => "expired",
        };
        crate::cli::print(&format!(
            "{:<14} {:<20} {:<20} {:<12} {state}\n",
            key.id,
            key.tenant.as_str(),
            key.name,
            until(key)
        ));
    }
}

/// The day on which it expires.
fn until(key: &KeyRecord) -> String {
    key.expires.map_or_else(
        || "never".to_owned(),
        |time| time.strftime("%Y-%m-%d").to_string(),
    )
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
