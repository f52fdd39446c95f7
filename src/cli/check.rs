//! `scimgate check`: every complaint about the files, the examples run, what the mappings can do.

use std::{
    io::IsTerminal,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use clap::Args;

use crate::{
    diagnostic::{self, Diagnostic, SourceFile},
    mapping::{
        check,
        load::{self, MissingValues, Sources},
        model::Mapping,
    },
    tenant::SystemEnvironment,
};

use super::{ConfigArguments, Failure, Outcome, settings::Settings};

/// What to check.
#[derive(Debug, Clone, Args)]
pub struct CheckArguments {
    /// Mapping files of applications or tenants, directories of them, or `scimgate.toml`. None: the configuration and all
    /// its mappings.
    files: Vec<PathBuf>,
    #[command(flatten)]
    config: ConfigArguments,
    /// Print only complaints, not what the mappings can do.
    #[arg(long, short)]
    quiet: bool,
}

/// Checks, and prints.
pub fn run(arguments: &CheckArguments) -> Outcome {
    let files = if arguments.files.is_empty() {
        all_files(&arguments.config)?
    } else {
        let named = arguments.files.iter();
        named.flat_map(|path| files_of(path)).collect()
    };
    let mut check = Check {
        is_coloured: std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none(),
        is_quiet: arguments.quiet,
        ..Check::default()
    };
    for file in &files {
        crate::cli::print(&check.report(file));
    }
    Ok(match check.errors {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}

/// What was found in the files so far.
#[derive(Default)]
struct Check {
    is_coloured: bool,
    is_quiet: bool,
    errors: usize,
    told: Vec<Diagnostic>,
    /// The hashes of the clients' keys, and whose they are.
    keys: Vec<([u8; 32], PathBuf)>,
}

impl Check {
    /// Checks a file and says what is found: first about the file itself, then what matters of its application's.
    fn report(&mut self, file: &Path) -> String {
        let (mapping, mut complaints) = check_file(file);
        complaints.extend(
            mapping
                .iter()
                .flat_map(|mapping| self.shared_keys(mapping, file)),
        );
        let (again, complaints) = told_before(&self.told, file, complaints);
        if again.iter().any(Diagnostic::is_error) && complaints.is_empty() {
            return format!(
                "{}: cannot be served until what is said of {} is mended\n",
                file.display(),
                others(&again)
            );
        }
        self.told.extend(complaints.iter().cloned());
        self.errors += complaints.iter().filter(|one| one.is_error()).count();
        let (others, own): (Vec<_>, Vec<_>) = complaints
            .into_iter()
            .partition(|complaint| is_of_another(complaint, file));
        let all_others = others.len();
        let app = others.iter().find_map(path_of);
        let others = concerning(others);
        let mut text = diagnostic::render(&own, self.is_coloured);
        if others.is_empty() || !own.is_empty() {
            text.push_str(&format!("{}\n", diagnostic::summary(&own, file)));
        }
        if let Some(path) = others.iter().find_map(path_of) {
            text.push_str(&diagnostic::render(&others, self.is_coloured));
            let summary = diagnostic::summary(&others, &path);
            text.push_str(&format!(
                "{summary}, on which {} is built\n",
                file.display()
            ));
        }
        if let (Some(app), false) = (app, self.is_quiet)
            && let untold @ 1.. = all_others - others.len()
        {
            let (path, s) = (app.display(), if untold == 1 { "" } else { "s" });
            text.push_str(&format!(
                "{untold} warning{s} about {path}: `scimgate check {path}` shows more\n"
            ));
        }
        if let Some(mapping) = mapping.filter(|_| !self.is_quiet) {
            text.push_str(&format!("{}\n", check::capabilities(&mapping)));
        }
        text
    }

    /// Complaints about keys that another tenant has: whoever comes first gets the calls.
    fn shared_keys(&mut self, mapping: &Mapping, file: &Path) -> Vec<Diagnostic> {
        let mut complaints = Vec::new();
        for key in &mapping.client.keys {
            let mut keys = self.keys.iter();
            match keys.find(|(hash, path)| *hash == key.sha256 && path != file) {
                Some((_, other)) => {
                    let sentence = format!(
                        "The key `{}` is one of `{}` as well, and only one of the two is called with it.",
                        key.name,
                        other.display()
                    );
                    let complaint = Diagnostic::error("mapping::two-keys", sentence).at(&key.place);
                    complaints.push(
                        complaint
                            .mend("each tenant has keys of its own: `scimgate keys` makes them"),
                    );
                }
                None => self.keys.push((key.sha256, file.to_owned())),
            }
        }
        complaints
    }
}

/// What matters of the complaints about a tenant's application: errors, and warnings that its file by itself does not get.
/// The rest is told by checking that file.
fn concerning(mut complaints: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let is_warning = |one: &&Diagnostic| !one.is_error();
    let path = complaints.iter().find(is_warning).and_then(path_of);
    let Some((_, alone)) = path.map(|path| check_file(&path)) else {
        return complaints;
    };
    complaints.retain(|one| one.is_error() || !is_among(&alone, one));
    complaints
}

fn path_of(complaint: &Diagnostic) -> Option<PathBuf> {
    let place = complaint.place.as_ref()?;
    Some(place.file.path.clone())
}

/// What was said of an application's file when another tenant of it was checked, and what is new.
fn told_before(
    told: &[Diagnostic],
    file: &Path,
    complaints: Vec<Diagnostic>,
) -> (Vec<Diagnostic>, Vec<Diagnostic>) {
    complaints
        .into_iter()
        .partition(|complaint| is_of_another(complaint, file) && is_among(told, complaint))
}

/// Whether a complaint about a tenant's file is about its application's.
fn is_of_another(complaint: &Diagnostic, file: &Path) -> bool {
    let place = complaint.place.as_ref();
    place.is_some_and(|place| place.file.path != file)
}

fn is_among(told: &[Diagnostic], complaint: &Diagnostic) -> bool {
    told.iter().any(|one| {
        one.code == complaint.code
            && one.sentence == complaint.sentence
            && one.place.as_ref().map(ToString::to_string)
                == complaint.place.as_ref().map(ToString::to_string)
    })
}

/// The files that complaints are about, each once.
fn others(complaints: &[Diagnostic]) -> String {
    let places = complaints.iter().filter_map(|one| one.place.as_ref());
    let mut names: Vec<String> = places
        .map(|place| format!("`{}`", place.file.path.display()))
        .collect();
    names.dedup();
    names.join(", ")
}

/// The configuration, every tenant and every application below its mappings.
fn all_files(arguments: &ConfigArguments) -> Result<Vec<PathBuf>, Failure> {
    let settings = super::serve::load(arguments)?;
    let mut files = Vec::new();
    if arguments.config.exists() {
        files.push(arguments.config.clone());
    }
    for directory in [settings.mappings.join("apps"), settings.mappings.clone()] {
        files.extend(toml_files(&directory));
    }
    if files.is_empty() {
        let sentence = format!(
            "there is nothing to check: `{}` has no mapping files",
            settings.mappings.display()
        );
        return Err(Failure::configuration(sentence));
    }
    Ok(files)
}

/// The file that is named, or those of the directory and of its `apps`.
fn files_of(path: &Path) -> Vec<PathBuf> {
    if !path.is_dir() {
        return vec![path.to_owned()];
    }
    let mut files = toml_files(&path.join("apps"));
    files.extend(toml_files(path));
    if files.is_empty() {
        files.push(path.to_owned());
    }
    files
}

fn toml_files(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|end| end == "toml"))
        .collect();
    files.sort();
    files
}

/// Checks one file of whatever kind; gives the mapping if it can be used.
pub fn check_file(path: &Path) -> (Option<Mapping>, Vec<Diagnostic>) {
    let file = match read(path) {
        Ok(file) => file,
        Err(complaint) => return (None, vec![complaint]),
    };
    let slips = load::not_toml(&file);
    if !slips.is_empty() {
        return (None, slips);
    }
    if is_process_file(path, &file) {
        return (None, Settings::parse(&file).err().unwrap_or_default());
    }
    let environment = SystemEnvironment;
    let other_name = load::named_otherwise(&file);
    let result = if load::is_app_file(&file) {
        load::app_alone(&file, &environment, MissingValues::AreWarnings)
    } else {
        match sources(path, file) {
            Ok(sources) => load::tenant(&sources, &environment, MissingValues::AreWarnings),
            Err(complaint) => return (None, vec![complaint]),
        }
    };
    match result {
        Ok((mapping, mut complaints)) => {
            complaints.extend(check::examples(&mapping));
            complaints.extend(check::expired_keys(&mapping, jiff::Timestamp::now()));
            complaints.extend(other_name);
            (Some(mapping), complaints)
        }
        Err(mut complaints) => {
            complaints.extend(other_name);
            complaints.iter_mut().for_each(|one| name_apps(one, path));
            (None, complaints)
        }
    }
}

/// Says which applications there are, to a tenant that names another.
fn name_apps(complaint: &mut Diagnostic, tenant: &Path) {
    let wanted = complaint
        .place
        .as_ref()
        .map(|place| place.text().to_owned());
    let Some(wanted) = wanted.filter(|_| complaint.code == "mapping::missing-app") else {
        return;
    };
    let directory = tenant.parent().unwrap_or(Path::new("")).join("apps");
    let files = toml_files(&directory);
    let names: Vec<String> = files
        .iter()
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    let near = diagnostic::closest(
        wanted.trim_matches(['"', '\'']),
        names.iter().map(String::as_str),
    );
    let there = match (near, names.len()) {
        (Some(near), _) => format!("did you mean `{near}`?"),
        (None, 0) => format!("`{}` has no application's file", directory.display()),
        (None, ..=20) => format!("`{}` has `{}`", directory.display(), names.join("`, `")),
        _ => format!("it is looked for in `{}`", directory.display()),
    };
    complaint.mending = Some(there);
}

/// A tenant's file with its application's.
fn sources(path: &Path, tenant: Arc<SourceFile>) -> Result<Sources, Diagnostic> {
    let app = match load::app_name(&tenant) {
        None => None,
        Some(name) => {
            let directory = path.parent().unwrap_or(Path::new("."));
            let app = directory.join("apps").join(format!("{name}.toml"));
            if app.exists() {
                Some(read(&app)?)
            } else {
                None
            }
        }
    };
    Ok(Sources { tenant, app })
}

fn read(path: &Path) -> Result<Arc<SourceFile>, Diagnostic> {
    let bytes = std::fs::read(path).map_err(|error| SourceFile::unreadable(path, &error))?;
    SourceFile::from_bytes(path, bytes).map(Arc::new)
}

/// By its name, or because it has the process's tables and no mapping's.
fn is_process_file(path: &Path, file: &SourceFile) -> bool {
    let is_named_so = path.file_name().is_some_and(|name| name == "scimgate.toml");
    let table: Option<toml::Table> = file.text.parse().ok();
    let has = |names: &[&str]| {
        table
            .as_ref()
            .is_some_and(|table| names.iter().any(|name| table.contains_key(*name)))
    };
    is_named_so || (has(&["listen", "store", "mappings"]) && !has(&["app", "tenant"]))
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    const APP: &str = "app = \"x\"\n[target]\nbase-url = \"http://x.example\"\n[user]\nid = '$.id'\nget = \"GET /u/{id}\"\n\
        list = { call = \"GET /u\", items = '$.u' }\n[user.attributes]\n'userName' = { field = 'n', read-only = true }\n\
        'active' = { field = 'a', read-only = true }\n";

    fn write(directory: &TempDir, name: &str, text: &str) -> PathBuf {
        let path = directory.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    fn tenant(name: &str, hash: char) -> String {
        let hash = hash.to_string().repeat(64);
        format!(
            "tenant = \"{name}\"\napp = \"x\"\n[[client.key]]\nname = \"k\"\nsha256 = \"{hash}\"\nexpires = 2099-01-01\n"
        )
    }

    #[test]
    fn a_faulty_application_is_told_once_and_its_other_tenants_are_named() {
        let directory = tempfile::tempdir().unwrap();
        write(&directory, "apps/x.toml", "app = \"x\"\nnonsense = 1\n");
        let one = write(&directory, "one.toml", &tenant("one", '1'));
        let two = write(&directory, "two.toml", &tenant("two", '2'));
        let three = write(&directory, "three.toml", &tenant("three", 'x'));
        let mut check = Check::default();
        let text = check.report(&one);
        assert!(
            text.contains("nonsense") && text.contains("on which"),
            "{text}"
        );
        assert!(!text.contains("no complaints"), "{text}");
        let text = check.report(&two);
        assert!(
            !text.contains("nonsense") && text.contains("x.toml"),
            "{text}"
        );
        let text = check.report(&three);
        assert!(
            text.contains("bad-hash") && !text.contains("nonsense"),
            "{text}"
        );
    }

    #[test]
    fn a_tenant_is_not_told_the_warnings_of_its_application() {
        let directory = tempfile::tempdir().unwrap();
        let app = write(&directory, "apps/x.toml", APP);
        let one = write(&directory, "one.toml", &tenant("one", '1'));
        let text = Check::default().report(&one);
        assert!(text.contains("one.toml: no complaints"), "{text}");
        let where_to_look = format!("2 warnings about {0}: `scimgate check {0}`", app.display());
        assert!(text.contains(&where_to_look), "{text}");
        assert!(Check::default().report(&app).contains("plain-http"));
        let own = tenant("one", '1') + "[settings]\nunused = 1\n";
        let one = write(&directory, "one.toml", &own);
        let text = Check::default().report(&one);
        assert!(
            text.contains("unused-setting") && !text.contains("plain-http"),
            "{text}"
        );
    }

    #[test]
    fn a_missing_application_is_told_with_those_that_are_there() {
        let directory = tempfile::tempdir().unwrap();
        write(&directory, "apps/xylophone.toml", APP);
        for (name, expected) in [
            ("xylofone", "did you mean `xylophone`?"),
            ("y", "has `xylophone`"),
        ] {
            let text = tenant("one", '1').replace("\"x\"", &format!("\"{name}\""));
            let one = write(&directory, "one.toml", &text);
            let text = Check::default().report(&one);
            assert!(
                text.contains("missing-app") && text.contains(expected),
                "{text}"
            );
            assert!(text.contains("1 error in"), "{text}");
        }
    }

    #[test]
    fn a_directory_stands_for_its_files_and_shared_keys_are_found() {
        let directory = tempfile::tempdir().unwrap();
        write(&directory, "apps/x.toml", APP);
        write(&directory, "one.toml", &tenant("one", '1'));
        write(&directory, "two.toml", &tenant("two", '1'));
        write(
            &directory,
            "three.toml",
            &tenant("drei", '3').replace("2099", "2001"),
        );
        let files = files_of(directory.path());
        assert_eq!(files.len(), 4);
        let mut check = Check::default();
        let text: String = files.iter().map(|file| check.report(file)).collect();
        assert_eq!(text.matches("two-keys").count(), 1, "{text}");
        assert!(text.contains("expired-key"), "{text}");
        assert!(text.contains("other-name"), "{text}");
        let empty = tempfile::tempdir().unwrap();
        assert!(
            Check::default()
                .report(&files_of(empty.path())[0])
                .contains("unreadable")
        );
    }
}
