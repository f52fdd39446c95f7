//! A PostgreSQL of a test's own: in a temporary directory, on a free loopback port, gone with the test's process.
//!
//! `SCIMGATE_POSTGRES=postgresql://…` names a server to use instead (its role must be allowed to create databases; tests that stop the
//! server are then skipped). Without it the server's programs are looked for where Debian has them and in `PATH`; if there are
//! none the tests say that they were skipped. Where the tests run as root, the server runs as `postgres` or `nobody`.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tokio_postgres::NoTls;

/// A server that runs while this lives.
pub struct Server {
    url: String,
    own: Option<Own>,
}

struct Own {
    binaries: PathBuf,
    directory: PathBuf,
    user: Option<(u32, u32)>,
    port: u16,
    /// Ends with this process, and takes the server and its files along.
    keeper: Child,
    _until_closed: ChildStdin,
}

/// The server that the tests of one process share; absent, and said so, if there is none to be had.
pub fn shared() -> Option<&'static Server> {
    static SHARED: OnceLock<Option<Server>> = OnceLock::new();
    SHARED.get_or_init(Server::find).as_ref()
}

impl Server {
    /// The one that is named, or one of our own.
    fn find() -> Option<Self> {
        match std::env::var("SCIMGATE_POSTGRES") {
            Ok(url) => Some(Self { url, own: None }),
            Err(_) => Self::start(),
        }
    }

    /// One of our own; absent, and said so, if PostgreSQL is not installed.
    pub fn start() -> Option<Self> {
        let Some(binaries) = binaries() else {
            skipped("PostgreSQL is not installed, and SCIMGATE_POSTGRES names none");
            return None;
        };
        let user = match is_root() {
            false => None,
            true => match ["postgres", "nobody"].into_iter().find_map(ids_of) {
                Some(ids) => Some(ids),
                None => {
                    skipped("PostgreSQL does not run as root, and there is no other user");
                    return None;
                }
            },
        };
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("scimgate-postgres-{}-{number}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        fs::create_dir(&directory).unwrap();
        if let Some((uid, gid)) = user {
            std::os::unix::fs::chown(&directory, Some(uid), Some(gid)).unwrap();
        }
        // Whatever becomes of this process, its end closes the pipe.
        let mut keeper = Command::new("sh");
        let script = "trap '' INT TERM; read -r line; [ -s \"$1/data/postmaster.pid\" ] && \
                      { p=$(head -n 1 \"$1/data/postmaster.pid\"); kill -CONT $p; kill -QUIT $p; sleep 1; }; rm -rf \"$1\"";
        keeper.args(["-c", script, "sh"]).arg(&directory);
        keeper
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut keeper = keeper.spawn().unwrap();
        let until_closed = keeper.stdin.take().unwrap();
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let own = Own {
            binaries,
            directory,
            user,
            port,
            keeper,
            _until_closed: until_closed,
        };
        own.initialise();
        own.run();
        Some(Self {
            url: format!("postgresql://owner@127.0.0.1:{port}/postgres"),
            own: Some(own),
        })
    }

    /// An empty database that belongs to a role without privileges, and the URL to it.
    pub async fn database(&self) -> String {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("scimgate_{}_{number}", std::process::id());
        let admin = connect(&self.url).await;
        admin
            .batch_execute(&format!("CREATE ROLE {name} LOGIN PASSWORD 'a:b/c@d'"))
            .await
            .unwrap();
        admin
            .batch_execute(&format!("CREATE DATABASE {name} OWNER {name}"))
            .await
            .unwrap();
        let (_, rest) = self.url.split_once("://").unwrap();
        let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
        let host = host.split('/').next().unwrap();
        format!("postgresql://{name}:a%3Ab%2Fc%40d@{host}/{name}")
    }

    /// A connection as the server's owner, whom no policy binds, to a database of [`Self::database`].
    pub async fn owner_of(&self, database: &str) -> tokio_postgres::Client {
        let (_, name) = database.rsplit_once('/').unwrap();
        let (server, _) = self.url.rsplit_once('/').unwrap();
        connect(&format!("{server}/{name}")).await
    }

    /// Whether it may be stopped: a named one is somebody else's.
    pub fn is_own(&self) -> bool {
        self.own.is_some()
    }

    /// Ends the server at once, as a crash does.
    pub fn crash(&self) {
        let own = self.own.as_ref().unwrap();
        let pid = own.postmaster();
        signal("-QUIT", &[pid]);
        let end = Instant::now() + Duration::from_secs(10);
        while Path::new(&format!("/proc/{pid}")).exists() {
            assert!(Instant::now() < end, "the server does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Starts it again after [`Self::crash`].
    pub fn restart(&self) {
        self.own.as_ref().unwrap().run();
    }

    /// Lets it offer TLS from now on, with a certificate and its key.
    pub fn offer_tls(&self, certificate: &Path, key: &Path) {
        let own = self.own.as_ref().unwrap();
        let data = own.directory.join("data");
        for (from, to) in [(certificate, "server.crt"), (key, "server.key")] {
            fs::copy(from, data.join(to)).unwrap();
            fs::set_permissions(data.join(to), fs::Permissions::from_mode(0o600)).unwrap();
            if let Some((uid, gid)) = own.user {
                std::os::unix::fs::chown(data.join(to), Some(uid), Some(gid)).unwrap();
            }
        }
        let settings = data.join("postgresql.conf");
        let text = fs::read_to_string(&settings).unwrap();
        fs::write(&settings, text + "\nssl = on\n").unwrap();
        signal("-HUP", &[own.postmaster()]);
    }

    /// The server and all its children stand still, and their connections stay open.
    pub fn freeze(&self) {
        signal("-STOP", &self.own.as_ref().unwrap().processes());
    }

    /// They go on.
    pub fn thaw(&self) {
        signal("-CONT", &self.own.as_ref().unwrap().processes());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(own) = &self.own
            && own.directory.join("data/postmaster.pid").exists()
        {
            signal("-CONT", &own.processes());
            signal("-QUIT", &[own.postmaster()]);
        }
    }
}

impl Own {
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.binaries.join(program));
        if let Some((uid, gid)) = self.user {
            command.uid(uid).gid(gid);
        }
        command
            .current_dir(&self.directory)
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::null());
        command.process_group(0);
        command
    }

    fn initialise(&self) {
        let mut initdb = self.command("initdb");
        initdb.args([
            "--username=owner",
            "--auth=trust",
            "--encoding=UTF8",
            "--no-sync",
            "--data-checksums",
        ]);
        let done = initdb
            .arg("--pgdata")
            .arg(self.directory.join("data"))
            .output()
            .unwrap();
        assert!(
            done.status.success(),
            "{}",
            String::from_utf8_lossy(&done.stderr)
        );
    }

    /// Starts it and waits until it takes connections.
    fn run(&self) {
        let log = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.directory.join("log"))
            .unwrap();
        let mut server = self.command("postgres");
        server.arg("-D").arg(self.directory.join("data"));
        let settings = [
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "fsync=off",
            "max_connections=80",
        ];
        settings.iter().for_each(|setting| {
            server.args(["-c", setting]);
        });
        server
            .arg("-p")
            .arg(self.port.to_string())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        let mut server = server.spawn().unwrap();
        let end = Instant::now() + Duration::from_secs(60);
        loop {
            let pid_file =
                fs::read_to_string(self.directory.join("data/postmaster.pid")).unwrap_or_default();
            if pid_file
                .lines()
                .last()
                .is_some_and(|line| line.trim() == "ready")
            {
                break;
            }
            let log = || fs::read_to_string(self.directory.join("log")).unwrap_or_default();
            assert!(
                Instant::now() < end && server.try_wait().unwrap().is_none(),
                "{}",
                log()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        // Its end is waited for, so that nothing is left of it.
        std::thread::spawn(move || server.wait());
    }

    fn postmaster(&self) -> u32 {
        let file =
            fs::read_to_string(self.directory.join("data/postmaster.pid")).unwrap_or_default();
        file.lines()
            .next()
            .and_then(|line| line.parse().ok())
            .expect("the server runs")
    }

    fn processes(&self) -> Vec<u32> {
        let postmaster = self.postmaster();
        let parent = |pid: u32| -> Option<u32> {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            stat.rsplit_once(')')?
                .1
                .split_whitespace()
                .nth(1)?
                .parse()
                .ok()
        };
        let all = fs::read_dir("/proc").unwrap();
        let all = all.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
        let children = all.filter(|pid| parent(*pid) == Some(postmaster));
        std::iter::once(postmaster).chain(children).collect()
    }
}

/// Says plainly, past the test's captured output, that something was not tested.
pub fn skipped(why: &str) {
    use std::io::Write;
    let line = format!("SKIPPED the tests with PostgreSQL: {why}\n");
    let _ = std::io::stderr().write_all(line.as_bytes());
}

async fn connect(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

fn signal(name: &str, pids: &[u32]) {
    let pids: Vec<String> = pids.iter().map(ToString::to_string).collect();
    Command::new("kill")
        .arg(name)
        .args(pids)
        .stderr(Stdio::null())
        .status()
        .unwrap();
}

fn binaries() -> Option<PathBuf> {
    let installed = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let mut candidates: Vec<PathBuf> = installed
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .collect();
    candidates.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    candidates.extend(std::env::split_paths(&path));
    candidates
        .into_iter()
        .rev()
        .find(|bin| bin.join("initdb").exists() && bin.join("postgres").exists())
}

fn is_root() -> bool {
    fs::read_to_string("/proc/self/status").is_ok_and(|status| status.contains("\nUid:\t0\t"))
}

fn ids_of(user: &str) -> Option<(u32, u32)> {
    let users = fs::read_to_string("/etc/passwd").ok()?;
    let line = users
        .lines()
        .find(|line| line.split(':').next() == Some(user))?;
    let mut numbers = line
        .split(':')
        .skip(2)
        .map_while(|number| number.parse().ok());
    Some((numbers.next()?, numbers.next()?))
}
