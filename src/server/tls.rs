//! The listener's certificate: loaded, checked, and replaced while serving.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use arc_swap::ArcSwap;
use rustls::{
    ServerConfig,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, NoServerSessionStorage, ResolvesServerCert},
    sign::CertifiedKey,
    version::{TLS12, TLS13},
};
use zeroize::Zeroizing;

use super::{
    certificate,
    connection::{ALPN_HTTP1, ALPN_HTTP2},
    settings::TlsSettings,
};

const WATCH_INTERVAL: Duration = Duration::from_secs(2);

/// The certificate and key in use, and the files they come from.
pub struct Certificates {
    settings: TlsSettings,
    provider: Arc<CryptoProvider>,
    current: ArcSwap<Loaded>,
    // The contents that were looked at last, usable or not, so that bad files are complained about once.
    seen: Mutex<Seen>,
}

struct Loaded {
    key: Arc<CertifiedKey>,
    /// Earliest end of validity in the chain, in seconds since 1970; absent if a date cannot be read.
    not_after: Option<i64>,
}

#[derive(Default)]
struct Seen {
    files: [Option<FileMark>; 2],
    digest: Option<[u8; 32]>,
}

/// What changes when a file is written or replaced. A symbolic link is followed.
#[derive(Clone, Copy, PartialEq, Eq)]
struct FileMark {
    modified: Option<SystemTime>,
    bytes: u64,
}

/// What [`Certificates::reload`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reloaded {
    /// The files have the same content as before.
    Unchanged,
    /// New connections get the new certificate.
    Replaced,
}

/// Why certificate and key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file is missing or may not be read.
    #[error("The file `{}` cannot be read.", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file is no PEM, or a section of it is damaged.
    #[error("The file `{}` is not valid PEM.", path.display())]
    NotPem {
        /// Which file.
        path: PathBuf,
        /// Where the reader gave up.
        source: rustls::pki_types::pem::Error,
    },
    /// The certificate file has no `CERTIFICATE` section.
    #[error("The file `{}` has no certificate in it.", path.display())]
    NoCertificate {
        /// Which file.
        path: PathBuf,
    },
    /// The key file has no private key section.
    #[error("The file `{}` has no private key in it.", path.display())]
    NoKey {
        /// Which file.
        path: PathBuf,
    },
    /// The key is damaged, or of a kind that TLS does not use.
    #[error("The private key in `{}` cannot be used.", path.display())]
    UnusableKey {
        /// Which file.
        path: PathBuf,
        /// What the TLS library says.
        source: rustls::Error,
    },
    /// Certificate and key do not belong together.
    #[error("The private key in `{}` does not belong to the certificate in `{}`.", key.display(), certificate.display())]
    Mismatch {
        /// The certificate file.
        certificate: PathBuf,
        /// The key file.
        key: PathBuf,
        /// What the TLS library says.
        source: rustls::Error,
    },
    /// The cryptographic library refused its own settings.
    #[error("TLS could not be set up.")]
    Setup {
        /// What the TLS library says.
        #[from]
        source: rustls::Error,
    },
}

impl Certificates {
    /// Loads the pair. A certificate that has expired is used, with a warning: refusing to start helps nobody.
    ///
    /// # Errors
    ///
    /// If a file cannot be read or the two cannot be used together.
    pub fn load(settings: TlsSettings) -> Result<Arc<Self>, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let files = FileMark::of_both(&settings);
        let contents = Contents::read(&settings)?;
        let loaded = contents.check(&settings, &provider)?;
        loaded.warn_if_not_valid(&settings.certificate);
        let seen = Seen {
            files,
            digest: Some(contents.digest()),
        };
        Ok(Arc::new(Self {
            settings,
            provider,
            current: ArcSwap::from_pointee(loaded),
            seen: Mutex::new(seen),
        }))
    }

    /// Reads the files again and uses them for new connections if they changed.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load); the old pair stays in use.
    pub fn reload(&self) -> Result<Reloaded, TlsError> {
        let mut seen = self.lock_seen();
        seen.files = FileMark::of_both(&self.settings);
        let contents = Contents::read(&self.settings)?;
        let digest = contents.digest();
        let outcome = contents.check(&self.settings, &self.provider);
        let is_new = seen.digest.replace(digest) != Some(digest);
        let loaded = outcome?;
        if !is_new {
            return Ok(Reloaded::Unchanged);
        }
        loaded.warn_if_not_valid(&self.settings.certificate);
        self.current.store(Arc::new(loaded));
        Ok(Reloaded::Replaced)
    }

    /// The end of validity of the certificate in use, in seconds since 1970, for the metric that warns in time.
    /// Absent if the certificate has no readable date.
    pub fn not_after(&self) -> Option<i64> {
        self.current.load().not_after
    }

    /// Reloads the files whenever they change, for ever.
    ///
    /// Looks every two seconds: that also notices replaced symbolic links and network file systems, which file
    /// notifications miss. Certificate and key cannot be replaced in one step, so a pair that does not match may
    /// be complete at the next look.
    pub(super) async fn watch(self: Arc<Self>) {
        loop {
            tokio::time::sleep(WATCH_INTERVAL).await;
            let certificates = Arc::clone(&self);
            // Reading may block on a network file system. It fails only if the runtime is stopping.
            let _ = tokio::task::spawn_blocking(move || certificates.look()).await;
        }
    }

    fn look(&self) {
        if self.lock_seen().files == FileMark::of_both(&self.settings) {
            return;
        }
        let certificate = self.settings.certificate.display();
        match self.reload() {
            Ok(Reloaded::Replaced) => tracing::info!(%certificate, "certificate replaced"),
            Ok(Reloaded::Unchanged) => {}
            Err(error) => tracing::error!(
                %certificate,
                %error,
                cause = std::error::Error::source(&error).map(tracing::field::display),
                "new certificate files cannot be used, the old certificate stays"
            ),
        }
    }

    fn lock_seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A configuration for TLS 1.2 and 1.3 with tickets, HTTP/2 and HTTP/1.1.
    pub(super) fn server_config(self: &Arc<Self>) -> Result<ServerConfig, TlsError> {
        let mut config = ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_protocol_versions(&[&TLS13, &TLS12])?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(self) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![ALPN_HTTP2.to_vec(), ALPN_HTTP1.to_vec()];
        config.ticketer = aws_lc_rs::Ticketer::new()?;
        // Sessions are in the tickets; nothing is kept here for clients that come back.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        Ok(config)
    }
}

impl ResolvesServerCert for Certificates {
    // The same certificate for every name: unknown names are answered too.
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.load().key))
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificates")
            .field("certificate", &self.settings.certificate)
            .finish_non_exhaustive()
    }
}

impl FileMark {
    fn of_both(settings: &TlsSettings) -> [Option<Self>; 2] {
        [&settings.certificate, &settings.key].map(|path| Self::of(path))
    }

    fn of(path: &Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        Some(Self {
            modified: metadata.modified().ok(),
            bytes: metadata.len(),
        })
    }
}

/// The bytes of both files.
struct Contents {
    certificate: Vec<u8>,
    key: Zeroizing<Vec<u8>>,
}

impl Contents {
    fn read(settings: &TlsSettings) -> Result<Self, TlsError> {
        let read = |path: &PathBuf| {
            fs::read(path).map_err(|source| TlsError::Unreadable {
                path: path.clone(),
                source,
            })
        };
        Ok(Self {
            certificate: read(&settings.certificate)?,
            key: Zeroizing::new(read(&settings.key)?),
        })
    }

    fn digest(&self) -> [u8; 32] {
        use ::aws_lc_rs::digest::{Context, SHA256};

        let mut context = Context::new(&SHA256);
        context.update(&(self.certificate.len() as u64).to_be_bytes());
        context.update(&self.certificate);
        context.update(&self.key);
        let mut digest = [0; 32];
        digest.copy_from_slice(context.finish().as_ref());
        digest
    }

    fn check(&self, settings: &TlsSettings, provider: &CryptoProvider) -> Result<Loaded, TlsError> {
        let chain = self.chain(&settings.certificate)?;
        let key = self.private_key(&settings.key)?;
        let signing_key = provider
            .key_provider
            .load_private_key(key)
            .map_err(|source| TlsError::UnusableKey {
                path: settings.key.clone(),
                source,
            })?;
        let not_after = chain
            .iter()
            .map(|one| certificate::validity(one).map(|validity| validity.not_after))
            .min()
            .flatten();
        let key = CertifiedKey::new(chain, signing_key);
        key.keys_match().map_err(|source| TlsError::Mismatch {
            certificate: settings.certificate.clone(),
            key: settings.key.clone(),
            source,
        })?;
        Ok(Loaded {
            key: Arc::new(key),
            not_after,
        })
    }

    fn chain(&self, path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&self.certificate).collect();
        let chain = chain.map_err(|source| TlsError::NotPem {
            path: path.to_owned(),
            source,
        })?;
        if chain.is_empty() {
            return Err(TlsError::NoCertificate {
                path: path.to_owned(),
            });
        }
        Ok(chain)
    }

    fn private_key(&self, path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
        use rustls::pki_types::pem::Error::NoItemsFound;

        let path = path.to_owned();
        PrivateKeyDer::from_pem_slice(&self.key).map_err(|source| match source {
            NoItemsFound => TlsError::NoKey { path },
            source => TlsError::NotPem { path, source },
        })
    }
}

impl Loaded {
    fn warn_if_not_valid(&self, certificate: &Path) {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        let certificate = certificate.display();
        match self.not_after.map(u64::try_from) {
            Some(Ok(not_after)) if not_after >= now => {}
            Some(_) => tracing::warn!(%certificate, "certificate has expired"),
            None => tracing::warn!(%certificate, "certificate has no readable date of expiry"),
        }
    }
}

#[cfg(test)]
#[path = "tls_tests.rs"]
mod tests;
