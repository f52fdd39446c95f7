//! What a demo keeps on disk between a start and the next: so that a gateway that was killed finds its application, its
//! token and its store again.

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use crate::{
    cli::Failure,
    tenant::key::{self, MINT_RANDOM_BYTES},
};

/// A directory that belongs to one demo.
pub struct State {
    /// The directory, readable by the user only.
    pub directory: PathBuf,
    is_temporary: bool,
}

impl State {
    /// The directory asked for, or one that goes with the port; with a port of the system's choice one of its own,
    /// which is removed at the end.
    ///
    /// # Errors
    ///
    /// If it cannot be made, or belongs to somebody else.
    pub fn open(asked: Option<&Path>, port: u16) -> Result<Self, Failure> {
        let (directory, is_temporary) = match (asked, port) {
            (Some(directory), _) => (directory.to_owned(), false),
            (None, 0) => (
                std::env::temp_dir().join(format!("scimgate-demo-{}", uuid::Uuid::new_v4())),
                true,
            ),
            (None, port) => (
                std::env::temp_dir().join(format!("scimgate-demo-{}-{port}", own_uid()?)),
                false,
            ),
        };
        match fs::DirBuilder::new()
            .mode(0o700)
            .recursive(asked.is_some())
            .create(&directory)
        {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(unusable(&directory, &error));
            }
            _ => {}
        }
        let metadata = fs::metadata(&directory).map_err(|error| unusable(&directory, &error))?;
        if metadata.uid() != own_uid()? {
            return Err(Failure::new(format!(
                "`{}` belongs to somebody else",
                directory.display()
            )));
        }
        let directory = directory
            .canonicalize()
            .map_err(|error| unusable(&directory, &error))?;
        Ok(Self {
            directory,
            is_temporary,
        })
    }

    /// A path in the directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// The client's token: the one from before, or a new one.
    ///
    /// # Errors
    ///
    /// If it cannot be made or written.
    pub fn token(&self) -> Result<String, Failure> {
        let path = self.path("token");
        if let Ok(token) = fs::read_to_string(&path)
            && key::parse(token.trim()).is_some()
        {
            return Ok(token.trim().to_owned());
        }
        let mut random = [0_u8; MINT_RANDOM_BYTES];
        aws_lc_rs::rand::fill(&mut random)
            .map_err(|_| Failure::new("the system gives no randomness for a key"))?;
        let token = key::mint(&random).token.expose().to_owned();
        self.write("token", &token)?;
        Ok(token)
    }

    /// Writes a file that only the user can read.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn write(&self, name: &str, text: &str) -> Result<(), Failure> {
        let path = self.path(name);
        let write = || -> io::Result<()> {
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            let mut file = fs::OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&path)?;
            file.set_permissions(fs::Permissions::from_mode(0o600))?;
            io::Write::write_all(&mut file, text.as_bytes())
        };
        write().map_err(|error| unusable(&path, &error))
    }

    /// Forgets links and shadow attributes: the application they belong to is gone.
    pub fn forget_store(&self) {
        for name in ["store.sqlite", "store.sqlite-wal", "store.sqlite-shm"] {
            let _ = fs::remove_file(self.path(name));
        }
    }

    /// Removes the directory if nobody will look for it.
    pub fn clean_up(&self) {
        if self.is_temporary {
            let _ = fs::remove_dir_all(&self.directory);
        }
    }
}

fn own_uid() -> Result<u32, Failure> {
    Ok(fs::metadata("/proc/self")?.uid())
}

fn unusable(path: &Path, error: &io::Error) -> Failure {
    Failure::new(format!("`{}` cannot be used: {error}", path.display()))
}
