//! Certificates for trying things out on one machine.
//!
//! A development authority signs one certificate for `localhost`; its key is thrown away at once, so trusting
//! `ca.pem` trusts this one certificate and nothing else.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use jiff::{Span, Timestamp, ToSpan, civil::Date, tz::TimeZone};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, pem::PemObject};

use super::{
    certificate::validity,
    settings::TlsSettings,
    tls::{Certificates, TlsError},
};

const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// Where the development certificates are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DevCertificate {
    /// The authority, for clients to trust.
    pub ca: PathBuf,
    /// What the server needs.
    pub tls: TlsSettings,
    /// Whether they were made now.
    pub is_new: bool,
}

/// Why there are no development certificates.
#[derive(Debug, thiserror::Error)]
pub enum DevCertificateError {
    /// The directory or a file in it cannot be written.
    #[error("Development certificates cannot be written to `{}`.", path.display())]
    Unwritable {
        /// Which one.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// They could not be made.
    #[error("Development certificates could not be made.")]
    Make {
        /// What the library says.
        #[from]
        source: rcgen::Error,
    },
}

/// Finds usable development certificates in a directory, or makes them there: `ca.pem`, `server.pem`, `server-key.pem`.
///
/// They are made again only when a file is missing or unreadable, the two do not match, or they have expired or will within
/// a day. Several processes may do this at the same time.
///
/// # Errors
///
/// If they cannot be made or written.
pub fn ensure(directory: &Path) -> Result<DevCertificate, DevCertificateError> {
    let unwritable = |path: &Path, source| DevCertificateError::Unwritable {
        path: path.to_owned(),
        source,
    };
    fs::create_dir_all(directory).map_err(|source| unwritable(directory, source))?;
    let lock_path = directory.join(".lock");
    let lock = lock(&lock_path).map_err(|source| unwritable(&lock_path, source))?;
    let mut found = DevCertificate {
        ca: directory.join("ca.pem"),
        tls: TlsSettings {
            certificate: directory.join("server.pem"),
            key: directory.join("server-key.pem"),
        },
        is_new: false,
    };
    if !is_usable(&found, Timestamp::now()) {
        let made = make(Timestamp::now())?;
        // The key first: whoever sees the new certificate finds its key.
        for (path, text, is_secret) in [
            (&found.tls.key, &made.key, true),
            (&found.tls.certificate, &made.certificate, false),
            (&found.ca, &made.ca, false),
        ] {
            replace(path, text, is_secret).map_err(|source| unwritable(path, source))?;
        }
        found.is_new = true;
    }
    drop(lock);
    Ok(found)
}

/// Held by whoever looks or writes; released when dropped, also by a crash.
fn lock(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)?;
    file.lock()?;
    Ok(file)
}

fn is_usable(found: &DevCertificate, now: Timestamp) -> bool {
    let is_valid_tomorrow = |path: &Path| {
        let certificate = CertificateDer::from_pem_file(path).ok();
        certificate
            .and_then(|certificate| validity(&certificate))
            .is_some_and(|validity| validity.not_after > now.as_second() + 86_400)
    };
    let is_pair =
        |tls: &TlsSettings| -> Result<(), TlsError> { Certificates::load(tls.clone()).map(drop) };
    is_valid_tomorrow(&found.ca)
        && is_valid_tomorrow(&found.tls.certificate)
        && is_pair(&found.tls).is_ok()
}

/// PEM texts.
struct Made {
    ca: String,
    certificate: String,
    key: String,
}

fn make(now: Timestamp) -> Result<Made, rcgen::Error> {
    let today = now.to_zoned(TimeZone::UTC).date();
    let ca_key = KeyPair::generate()?;
    let mut ca = params(Vec::new(), "scimgate development authority", today)?;
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let ca_certificate = ca.self_signed(&ca_key)?;

    let key = KeyPair::generate()?;
    let names = NAMES.map(str::to_owned).to_vec();
    let mut server = params(names, "scimgate development server", today)?;
    server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    server.use_authority_key_identifier_extension = true;
    let certificate = server.signed_by(&key, &Issuer::new(ca, ca_key))?;
    Ok(Made {
        ca: ca_certificate.pem(),
        certificate: certificate.pem(),
        key: key.serialize_pem(),
    })
}

/// Valid from yesterday, for clocks that are a little behind, for about a year: clients refuse longer ones.
fn params(
    names: Vec<String>,
    common_name: &str,
    today: Date,
) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(names)?;
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common_name);
    params.distinguished_name = name;
    let at = |span: Span| {
        let date = today.checked_add(span).unwrap_or(today);
        let (month, day) = (date.month().unsigned_abs(), date.day().unsigned_abs());
        date_time_ymd(date.year().into(), month, day)
    };
    params.not_before = at(-1.days());
    params.not_after = at(365.days());
    Ok(params)
}

/// Writes beside the file and renames, so that nobody ever reads half of it.
fn replace(path: &Path, text: &str, is_secret: bool) -> io::Result<()> {
    let draft = path.with_extension(format!("pem.{}", std::process::id()));
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(if is_secret { 0o600 } else { 0o644 });
    }
    let written = options.open(&draft).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    let outcome = written.and_then(|()| fs::rename(&draft, path));
    if outcome.is_err() {
        let _ = fs::remove_file(&draft);
    }
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_are_made_once_and_kept() {
        let directory = tempfile::tempdir().unwrap();
        let first = ensure(directory.path()).unwrap();
        let text = fs::read(&first.tls.certificate).unwrap();
        let second = ensure(directory.path()).unwrap();
        assert!(first.is_new && !second.is_new);
        assert_eq!(fs::read(&second.tls.certificate).unwrap(), text);
    }

    #[test]
    #[cfg(unix)]
    fn only_the_owner_may_read_the_key() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let made = ensure(directory.path()).unwrap();
        let mode = fs::metadata(&made.tls.key).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn damaged_missing_or_mixed_files_are_made_again() {
        let directory = tempfile::tempdir().unwrap();
        let made = ensure(directory.path()).unwrap();
        fs::write(&made.tls.certificate, "garbage").unwrap();
        assert!(ensure(directory.path()).unwrap().is_new);
        fs::remove_file(&made.ca).unwrap();
        assert!(ensure(directory.path()).unwrap().is_new);
        fs::write(&made.tls.key, KeyPair::generate().unwrap().serialize_pem()).unwrap();
        assert!(ensure(directory.path()).unwrap().is_new);
        assert!(!ensure(directory.path()).unwrap().is_new);
    }

    #[test]
    fn certificates_that_expire_within_a_day_are_not_usable() {
        let directory = tempfile::tempdir().unwrap();
        let made = ensure(directory.path()).unwrap();
        let now = Timestamp::now();
        assert!(is_usable(&made, now + 360.days_as_hours()));
        assert!(!is_usable(&made, now + 364.days_as_hours()));
    }

    trait DaysAsHours {
        fn days_as_hours(self) -> Span;
    }

    impl DaysAsHours for i64 {
        fn days_as_hours(self) -> Span {
            (self * 24).hours()
        }
    }

    #[test]
    fn processes_that_start_together_agree_on_one_pair() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        let made: Vec<_> = std::thread::scope(|scope| {
            let starters: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| ensure(path).unwrap()))
                .collect();
            starters
                .into_iter()
                .map(|starter| starter.join().unwrap())
                .collect()
        });
        assert_eq!(made.iter().filter(|made| made.is_new).count(), 1);
        assert!(is_usable(&made[0], Timestamp::now()));
    }
}
