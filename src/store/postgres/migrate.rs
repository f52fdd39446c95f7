//! Brings the database up to this version; several replicas may start at once.

use tokio_postgres::{Client, Transaction};

use super::fault::{Fault, Why};
use crate::store::StoreError;

/// Applies the migrations that the database does not have yet, all or none.
///
/// A database of a later version is used as long as that version says that this one still may: so two versions run side by side
/// while replicas are replaced one by one.
///
/// # Errors
///
/// `Unusable` if a later version has made the database one that this version must not touch.
pub(super) async fn migrate(client: &mut Client) -> Result<(), StoreError> {
    apply(client)
        .await
        .map_err(|fault| fault.named("bring its database up to this version"))?;
    warn_of_weaknesses(client)
        .await
        .map_err(|fault| fault.named("look at its database's settings"))
}

async fn apply(client: &mut Client) -> Result<(), Fault> {
    let transaction = client.transaction().await?;
    // Let go of at the end of the transaction, however it ends.
    transaction
        .execute("SELECT pg_advisory_xact_lock($1)", &[&MIGRATION_LOCK])
        .await?;
    if !has_versions(&transaction).await? {
        transaction.batch_execute(FIRST).await?;
    }
    let row = transaction
        .query_one("SELECT COALESCE(max(version), 0), COALESCE(max(oldest_user), 0) FROM scimgate.migration", &[])
        .await?;
    let (version, oldest_user): (i32, i32) = (row.get(0), row.get(1));
    let own = i32::try_from(MIGRATIONS.len()).unwrap_or(i32::MAX);
    if oldest_user > own {
        return Err(Fault::Rule(StoreError::Unusable {
            what: format!(
                "the database has version {version} and may only be used by programs that know version {oldest_user}; this one knows {own}. \
                 Start the newer scimgate, or restore a backup from before it."
            ),
        }));
    }
    let known = usize::try_from(version).unwrap_or(0);
    for (number, (oldest_user, migration)) in (1_i32..).zip(MIGRATIONS).skip(known) {
        transaction.batch_execute(migration).await?;
        transaction
            .execute(
                "INSERT INTO scimgate.migration (version, oldest_user) VALUES ($1, $2)",
                &[&number, &oldest_user],
            )
            .await?;
    }
    transaction.commit().await?;
    Ok(())
}

async fn has_versions(transaction: &Transaction<'_>) -> Result<bool, Fault> {
    let row = transaction
        .query_one("SELECT to_regclass('scimgate.migration') IS NOT NULL", &[])
        .await?;
    Ok(row.get(0))
}

/// What an operator should know of: it works, but less is promised.
async fn warn_of_weaknesses(client: &Client) -> Result<(), Fault> {
    let row = client
        .query_one(
            "SELECT rolsuper OR rolbypassrls, current_setting('data_checksums'), current_setting('fsync'), \
                    current_setting('server_encoding') FROM pg_roles WHERE rolname = current_user",
            &[],
        )
        .await?;
    if row.get(0) {
        tracing::warn!(
            "the database's role is a superuser or has BYPASSRLS: row-level security does not bind it; give the gateway a role of its own"
        );
    }
    if row.get::<_, &str>(1) != "on" {
        tracing::warn!(
            "PostgreSQL runs without data checksums: a damaged page may go unnoticed; see `pg_checksums --enable`"
        );
    }
    if row.get::<_, &str>(2) != "on" {
        tracing::warn!(
            "PostgreSQL runs with `fsync = off`: what was answered may be lost with the power"
        );
    }
    if row.get::<_, &str>(3) != "UTF8" {
        let why = Why(format!(
            "the database's encoding is {}; create it with ENCODING 'UTF8'",
            row.get::<_, &str>(3)
        ));
        return Err(Fault::Rule(StoreError::unavailable(
            "use its database",
            why,
        )));
    }
    Ok(())
}

/// `scimgate` in ASCII: the same on all replicas, and no name's: those are negative.
const MIGRATION_LOCK: i64 = i64::from_be_bytes(*b"scimgate");
const FIRST: &str = "CREATE SCHEMA IF NOT EXISTS scimgate; \
    CREATE TABLE scimgate.migration (version integer PRIMARY KEY, oldest_user integer NOT NULL, \
                                     applied timestamptz NOT NULL DEFAULT now())";
/// In order, each with the oldest version that may still use a database that has it. They only add: that is 1 for all of them.
const MIGRATIONS: [(i32, &str); 1] = [(
    1,
    include_str!("migrations/001_records_intents_held_keys.sql"),
)];
