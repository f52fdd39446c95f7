//! The file: made, recognised, checked, brought up to this version, opened.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use tracing::warn;

use super::fault::Fault;
use super::{held, intent, key, record};
use crate::store::StoreError;

/// Opens the file for writing: creates it if there is none, checks it, migrates it.
pub(super) fn open_writer(path: &Path) -> Result<Connection, StoreError> {
    if !path
        .try_exists()
        .map_err(|error| io_error("find its file", error))?
    {
        create(path)?;
    }
    restrict_access(path);
    let conn = connect(path)?;
    recognise(&conn)?;
    check_structure(&conn)?;
    migrate(&conn)?;
    // A file of an earlier version has all tables only now.
    check_rows(&conn)?;
    use_wal(&conn).map_err(|fault| fault.named("set up its journal"))?;
    Ok(conn)
}

/// Opens the file for reading only; after [`open_writer`].
pub(super) fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let conn = connect(path)?;
    conn.pragma_update(None, "query_only", true)
        .map_err(|error| Fault::from(error).named("open its file"))?;
    Ok(conn)
}

/// Locks a file beside the store; the lock ends with the process, however it ends.
pub(super) fn serve_alone(path: &Path) -> Result<File, StoreError> {
    let name = |error| io_error("lock its file", error);
    let mut options = OpenOptions::new();
    let place = with_suffix(path, "-serving");
    let file = options
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(place)
        .map_err(name)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Unusable {
            what: "another scimgate serves from this file already. Stop it first; several replicas need `[store.postgres]`.".to_owned(),
        }),
        Err(TryLockError::Error(error)) => Err(name(error)),
    }
}

/// Makes the file elsewhere and moves it into place whole: a crash leaves no empty file behind that looks like lost data.
fn create(path: &Path) -> Result<(), StoreError> {
    let name = |error| io_error("create its file", error);
    let directory = directory_of(path);
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .map_err(name)?;
    let draft = draft_of(path);
    let placed = write_draft(&draft).and_then(|()| move_into_place(&draft, path).map_err(name));
    if placed.is_err() {
        // The first error is the one to tell.
        let _ = fs::remove_file(&draft);
    }
    placed?;
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(name)
}

/// An empty store, ours alone to read.
fn write_draft(draft: &Path) -> Result<(), StoreError> {
    let name = |error| io_error("create its file", error);
    remove_if_there(draft).map_err(name)?;
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(draft)
        .map_err(name)?;
    let conn = connect(draft)?;
    conn.pragma_update(None, "application_id", APPLICATION_ID)
        .map_err(|error| Fault::from(error).named("create its file"))?;
    migrate(&conn)
}

/// Another process may be at it too; the first one wins.
fn move_into_place(draft: &Path, path: &Path) -> io::Result<()> {
    match fs::hard_link(draft, path) {
        Ok(()) => fs::remove_file(draft),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => fs::remove_file(draft),
        // A file system without hard links.
        Err(_) => fs::rename(draft, path),
    }
}

fn connect(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || -> Result<Connection, Fault> {
        let conn = Connection::open_with_flags(path, flags)?;
        conn.busy_timeout(Duration::from_millis(5000))?;
        conn.pragma_update(None, "trusted_schema", false)?;
        conn.pragma_update(None, "cell_size_check", true)?;
        conn.pragma_update(None, "foreign_keys", true)?;
        // What sorts and savepoints spill stays in memory: no personal data in temporary files.
        conn.pragma_update(None, "temp_store", "MEMORY")?;
        conn.pragma_update(None, "secure_delete", true)?;
        conn.pragma_update(None, "synchronous", "FULL")?;
        conn.set_prepared_statement_cache_capacity(64);
        Ok(conn)
    };
    open().map_err(|fault| fault.named("open its file"))
}

/// Whether the file is ours at all.
fn recognise(conn: &Connection) -> Result<(), StoreError> {
    let id: i32 = conn
        .pragma_query_value(None, "application_id", |row| row.get(0))
        .map_err(|error| Fault::from(error).named("read its file"))?;
    let pages: i64 = conn
        .pragma_query_value(None, "page_count", |row| row.get(0))
        .map_err(|error| Fault::from(error).named("read its file"))?;
    if pages == 0 {
        return Err(StoreError::damaged(
            "the file is empty. Restore the last backup, or remove the file to begin with nothing.",
        ));
    }
    if id != APPLICATION_ID {
        return Err(StoreError::Unusable {
            what: "the file is a database of another program. Name another path.".to_owned(),
        });
    }
    Ok(())
}

/// Looks for damage in the structure.
fn check_structure(conn: &Connection) -> Result<(), StoreError> {
    let found = structure_report(conn).map_err(|fault| fault.named("check its file"))?;
    if found != "ok" {
        return Err(StoreError::damaged(format!(
            "SQLite's check says: {found}. Restore the last backup."
        )));
    }
    Ok(())
}

/// Reads every row and compares it with its seal.
fn check_rows(conn: &Connection) -> Result<(), StoreError> {
    let rows = || -> Result<(), Fault> {
        record::check_all(conn)?;
        intent::check_all(conn)?;
        held::check_all(conn)?;
        key::all(conn)?;
        Ok(())
    };
    rows().map_err(|fault| fault.named("check its file"))
}

/// `ok`, or the first complaint. Small files get the full check, which also compares indexes with tables (4 µs a row).
fn structure_report(conn: &Connection) -> Result<String, Fault> {
    let pages: i64 = conn.pragma_query_value(None, "page_count", |row| row.get(0))?;
    let pragma = if pages <= FULL_CHECK_PAGES {
        "PRAGMA integrity_check(1)"
    } else {
        "PRAGMA quick_check(1)"
    };
    Ok(conn.query_row(pragma, [], |row| row.get(0))?)
}

/// Applies the migrations the file does not have yet, all or none.
///
/// A file of a later version is used as it is: migrations only add what this version need not know.
fn migrate(conn: &Connection) -> Result<(), StoreError> {
    let apply = || -> Result<(), Fault> {
        let transaction = conn.unchecked_transaction()?;
        let version: usize = transaction
            .pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))
            .map(|version| usize::try_from(version).unwrap_or(0))?;
        for migration in MIGRATIONS.iter().skip(version) {
            transaction.execute_batch(migration)?;
        }
        if version < MIGRATIONS.len() {
            let newest = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
            transaction.pragma_update(None, "user_version", newest)?;
        }
        transaction.commit()?;
        Ok(())
    };
    apply().map_err(|fault| fault.named("bring its file up to this version"))
}

fn use_wal(conn: &Connection) -> Result<(), Fault> {
    let mode: String =
        conn.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if mode != "wal" {
        return Err(Fault::Refused(StoreError::Unusable {
            what: "the file system does not allow a write-ahead log. Use a local disk.".to_owned(),
        }));
    }
    conn.pragma_update(None, "wal_autocheckpoint", 1000)?;
    // After a burst of writes the log shrinks again.
    conn.pragma_update_and_check(None, "journal_size_limit", 64 << 20, |_| Ok(()))?;
    Ok(())
}

/// Takes the file from everybody but its owner. What cannot be done is said and does not stop the start.
fn restrict_access(path: &Path) {
    for suffix in ["", "-wal", "-shm"] {
        let file = with_suffix(path, suffix);
        let Ok(metadata) = fs::metadata(&file) else {
            continue;
        };
        let mut permissions = metadata.permissions();
        if permissions.mode() & 0o077 == 0 {
            continue;
        }
        permissions.set_mode(0o600);
        match fs::set_permissions(&file, permissions) {
            Ok(()) => {
                warn!(file = %file.display(), "the store was readable by others; it no longer is")
            }
            Err(error) => warn!(file = %file.display(), %error, "the store is readable by others"),
        }
    }
}

fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

fn draft_of(path: &Path) -> PathBuf {
    with_suffix(path, &format!("-new-{}", std::process::id()))
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn io_error(what: &'static str, error: io::Error) -> StoreError {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StoreError::Full { what },
        _ => StoreError::unavailable(what, error),
    }
}

/// `scig` in ASCII, in the file's header.
const APPLICATION_ID: i32 = 0x7363_6967;
/// 32 MiB of the usual pages.
const FULL_CHECK_PAGES: i64 = 8192;
/// In order; `user_version` counts how many a file has.
const MIGRATIONS: [&str; 2] = [
    include_str!("migrations/001_records_intents_keys.sql"),
    include_str!("migrations/002_held.sql"),
];
