//! What is built in: nothing that `deny.toml` bans, nothing older than the version with the mending, all from one registry.

use std::{fs, process::Command};

/// A crate that is built in.
#[derive(Debug, PartialEq, Eq)]
struct Package {
    name: String,
    version: [u64; 3],
}

/// An entry of `deny.toml`: a crate, or its versions below one.
#[derive(Debug)]
struct Ban {
    name: String,
    below: Option<[u64; 3]>,
}

fn version(text: &str) -> [u64; 3] {
    let core = text.split(['-', '+']).next().unwrap_or_default();
    let mut numbers = core.split('.').map(|number| number.parse().unwrap());
    [(); 3].map(|()| numbers.next().unwrap_or(0))
}

fn bans() -> Vec<Ban> {
    let text = fs::read_to_string("deny.toml").unwrap();
    let file: toml::Table = text.parse().unwrap();
    let entries = file["bans"]["deny"].as_array().unwrap();
    let ban = |entry: &toml::Value| {
        let name = entry["crate"].as_str().unwrap();
        let (name, range) = name.split_once('@').unwrap_or((name, ""));
        assert!(range.is_empty() || range.starts_with('<'), "{range}");
        Ban {
            name: name.to_owned(),
            below: range.strip_prefix('<').map(version),
        }
    };
    entries.iter().map(ban).collect()
}

/// The crates of this build, also those for tests: the lock file names some besides that no feature switches on.
fn built_in() -> Vec<Package> {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--offline", "--prefix", "none"])
        .args(["--edges", "normal,build,dev", "--format", "{p}"])
        .output()
        .unwrap();
    assert!(tree.status.success(), "{tree:?}");
    let text = String::from_utf8(tree.stdout).unwrap();
    let package = |line: &str| {
        let (name, rest) = line.split_once(" v")?;
        let (number, _) = rest.split_once(' ').unwrap_or((rest, ""));
        Some(Package {
            name: name.to_owned(),
            version: version(number),
        })
    };
    text.lines().filter_map(package).collect()
}

fn banned<'p>(bans: &[Ban], packages: &'p [Package]) -> Vec<&'p Package> {
    let is_banned = |package: &&Package| {
        bans.iter().any(|ban| {
            ban.name == package.name && ban.below.is_none_or(|floor| package.version < floor)
        })
    };
    packages.iter().filter(is_banned).collect()
}

#[test]
fn p17_nothing_banned_or_outdated_is_built_in() {
    let packages = built_in();
    assert!(packages.len() > 100, "{}", packages.len());
    assert!(packages.iter().any(|package| package.name == "h2"));
    assert_eq!(banned(&bans(), &packages), Vec::<&Package>::new());
}

#[test]
fn p17_an_old_version_is_found() {
    let old = |name: &str, number: &str| Package {
        name: name.to_owned(),
        version: version(number),
    };
    let packages = [
        old("h2", "0.4.15"),
        old("h2", "0.4.16"),
        old("ring", "99.0.0"),
        old("ringbuf", "0.1.0"),
        old("rustls", "0.23.17"),
        old("rustls", "0.24.0-dev.1"),
    ];
    let found = banned(&bans(), &packages);
    assert_eq!(found, [&packages[0], &packages[2], &packages[4]]);
}

#[test]
fn p17_everything_is_from_one_registry() {
    let lock: toml::Table = fs::read_to_string("Cargo.lock").unwrap().parse().unwrap();
    for package in lock["package"].as_array().unwrap() {
        let is_ours = package["name"].as_str() == Some("scimgate");
        let source = package.get("source").and_then(toml::Value::as_str);
        let registry = "registry+https://github.com/rust-lang/crates.io-index";
        assert_eq!(source, Some(registry).filter(|_| !is_ours), "{package}");
        assert_eq!(package.get("checksum").is_some(), !is_ours, "{package}");
    }
}
