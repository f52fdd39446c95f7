//! Every complaint, compared whole: `tests/diagnostics/NAME.toml` is a broken file, `NAME.txt` what is said about it.
//!
//! A file that names a tenant is loaded on top of `tests/diagnostics/apps/<app>.toml`, others as applications by
//! themselves. `UPDATE=1 cargo test --test diagnostics` writes the expected texts anew.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use proptest::prelude::*;
use scimgate::{
    diagnostic::{Diagnostic, SourceFile, render, summary},
    mapping::load::{self, Environment, MissingValues, NoEnvironment, Sources},
};

struct TestEnvironment;

impl Environment for TestEnvironment {
    fn variable(&self, name: &str) -> Option<String> {
        match name {
            "APP_URL" => Some("https://app.example".to_owned()),
            "APP_KEY" => Some("k{e}y".to_owned()),
            _ => None,
        }
    }

    fn secret_file(&self, path: &str) -> Option<String> {
        (path == "/run/secrets/app").then(|| "secret\n".to_owned())
    }
}

fn files() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir("tests/diagnostics")
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "toml")
        })
        .collect();
    files.sort();
    files
}

/// All complaints about a file, the warnings of a good one included.
fn complaints(
    path: &Path,
    bytes: Vec<u8>,
    environment: &dyn Environment,
    missing: MissingValues,
) -> Vec<Diagnostic> {
    let file = match SourceFile::from_bytes(path, bytes) {
        Ok(file) => Arc::new(file),
        Err(complaint) => return vec![complaint],
    };
    let loaded = if load::is_app_file(&file) {
        load::app_alone(&file, environment, missing)
    } else {
        let app = load::app_name(&file).and_then(|name| {
            let path = path.parent()?.join("apps").join(format!("{name}.toml"));
            let bytes = fs::read(&path).ok()?;
            Some(Arc::new(SourceFile::from_bytes(path, bytes).ok()?))
        });
        load::tenant(&Sources { tenant: file, app }, environment, missing)
    };
    match loaded {
        Ok((mapping, mut warnings)) => {
            warnings.extend(scimgate::mapping::check::examples(&mapping));
            warnings
        }
        Err(complaints) => complaints,
    }
}

#[test]
fn every_broken_file_is_told_what_is_wrong_with_it() {
    let update = std::env::var_os("UPDATE").is_some();
    let mut wrong = Vec::new();
    for path in files() {
        let bytes = fs::read(&path).unwrap();
        let found = complaints(&path, bytes, &TestEnvironment, MissingValues::AreErrors);
        let text = format!("{}\n{}\n", render(&found, false), summary(&found, &path));
        let expected = path.with_extension("txt");
        if update {
            fs::write(&expected, &text).unwrap();
        } else if fs::read_to_string(&expected).unwrap_or_default() != text {
            wrong.push(format!("{}:\n{text}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Files that are right, and that were once complained about.
#[test]
fn what_is_right_has_no_complaint() {
    for entry in fs::read_dir("tests/diagnostics/good").unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        let found = complaints(&path, bytes, &TestEnvironment, MissingValues::AreErrors);
        assert!(found.is_empty(), "{}", render(&found, false));
    }
}

#[test]
fn every_broken_file_has_a_complaint_and_there_are_many_kinds() {
    let mut codes = std::collections::BTreeSet::new();
    let paths = files();
    assert!(paths.len() >= 40, "{} files", paths.len());
    for path in paths {
        let bytes = fs::read(&path).unwrap();
        let found = complaints(&path, bytes, &TestEnvironment, MissingValues::AreErrors);
        assert!(!found.is_empty(), "{} has no complaint", path.display());
        codes.extend(found.iter().map(|one| one.code));
    }
    assert!(codes.len() >= 40, "{codes:?}");
}

/// The codes in the sources, and those with a heading in `docs/diagnostics.md`.
#[test]
fn every_code_has_an_entry_in_the_documentation() {
    let pattern = regex::Regex::new(r#""((?:mapping|file|toml|config)::[a-z0-9-]+)""#).unwrap();
    let mut codes = std::collections::BTreeSet::new();
    let mut folders = vec![
        PathBuf::from("src/mapping"),
        PathBuf::from("src/diagnostic"),
    ];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                // Tests may invent codes.
                let code = text.split("#[cfg(test)]").next().unwrap_or("");
                codes.extend(pattern.captures_iter(code).map(|found| found[1].to_owned()));
            }
        }
    }
    let page = fs::read_to_string("docs/diagnostics.md").unwrap();
    let documented: std::collections::BTreeSet<String> = page
        .lines()
        .filter_map(|line| {
            line.strip_prefix("### `")?
                .strip_suffix('`')
                .map(str::to_owned)
        })
        .collect();
    let missing: Vec<_> = codes.difference(&documented).collect();
    let stale: Vec<_> = documented
        .difference(&codes)
        .filter(|code| !code.starts_with("config::"))
        .collect();
    assert!(
        missing.is_empty(),
        "not in docs/diagnostics.md: {missing:?}"
    );
    assert!(
        stale.is_empty(),
        "in docs/diagnostics.md, but nowhere in the code: {stale:?}"
    );
}

fn shipped() -> Vec<(PathBuf, String)> {
    let apps = fs::read_dir("mappings/apps").unwrap();
    let tenants = fs::read_dir("mappings").unwrap();
    let mut shipped: Vec<(PathBuf, String)> = apps
        .chain(tenants)
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "toml")
        })
        .map(|path| (path.clone(), fs::read_to_string(&path).unwrap()))
        .collect();
    let tenant = PathBuf::from("tests/diagnostics/tenant_many.toml");
    shipped.push((tenant.clone(), fs::read_to_string(tenant).unwrap()));
    shipped
}

#[test]
fn every_shipped_mapping_is_checked_and_its_examples_hold() {
    for (path, text) in shipped() {
        if path.starts_with("mappings") {
            let found = complaints(
                &path,
                text.into_bytes(),
                &NoEnvironment,
                MissingValues::AreWarnings,
            );
            let bad: Vec<_> = found
                .into_iter()
                .filter(|one| one.code != "mapping::unset-variable")
                .collect();
            assert!(bad.is_empty(), "{}", render(&bad, false));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn no_truncation_and_no_edit_of_a_file_panics(
        choice in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        length in 0_usize..40,
        put in "[ -~]{0,12}|[\\[\\]{}='\"\\n.]{1,6}|\\PC{0,4}",
        truncate in prop::bool::weighted(0.3),
    ) {
        let files = shipped();
        let (path, text) = choice.get(&files);
        let mut characters: Vec<char> = text.chars().collect();
        let at = at.index(characters.len() + 1);
        if truncate {
            characters.truncate(at);
        } else {
            let end = (at + length).min(characters.len());
            characters.splice(at..end, put.chars());
        }
        let edited: String = characters.into_iter().collect();
        let found = complaints(path, edited.into_bytes(), &TestEnvironment, MissingValues::AreWarnings);
        let text = render(&found, false);
        prop_assert!(found.is_empty() || !text.is_empty());
    }

    #[test]
    fn arbitrary_text_never_panics(text in "\\PC{0,200}") {
        let path = Path::new("tests/diagnostics/arbitrary.toml");
        let found = complaints(path, text.into_bytes(), &TestEnvironment, MissingValues::AreErrors);
        prop_assert!(!found.is_empty());
    }
}

#[test]
fn hostile_files_are_read_to_a_complaint() {
    // Many lines, deep nesting, and a long template: none overflows the stack. How long they take is benches' matter.
    let many: String = (0..20_000).map(|n| format!("key{n} = {n}\n")).collect();
    let deep = format!("a = {}{}", "[".repeat(20_000), "]".repeat(20_000));
    let braces = format!(
        "[user.create]\nbody = {{ a = \"{}\" }}\n",
        "{a | ".repeat(5_000)
    );
    for text in [many, deep, braces] {
        let found = complaints(
            Path::new("x.toml"),
            text.into_bytes(),
            &TestEnvironment,
            MissingValues::AreErrors,
        );
        assert!(!found.is_empty());
    }
}

/// The TOML blocks of a page that begin with a file's name.
fn blocks(page: &str) -> Vec<String> {
    let text = fs::read_to_string(page).unwrap();
    text.split("```toml\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap_or("").to_owned())
        .collect()
}

#[test]
fn the_tutorial_leads_to_files_without_complaints() {
    let blocks = blocks("docs/mapping.md");
    let app = blocks
        .iter()
        .find(|block| block.starts_with("# mappings/apps/library.toml: complete"))
        .unwrap();
    let tenant = blocks
        .iter()
        .find(|block| block.starts_with("# mappings/acme.toml"))
        .unwrap();
    let file = |path: &str, text: &str| {
        Arc::new(SourceFile {
            path: path.into(),
            text: text.to_owned(),
        })
    };
    let app = file("mappings/apps/library.toml", app);
    let sources = Sources {
        tenant: file("mappings/acme.toml", tenant),
        app: Some(app.clone()),
    };
    for loaded in [
        load::app_alone(&app, &NoEnvironment, MissingValues::AreWarnings),
        load::tenant(&sources, &NoEnvironment, MissingValues::AreWarnings),
    ] {
        let (mapping, mut found) =
            loaded.unwrap_or_else(|found| panic!("{}", render(&found, false)));
        found.extend(scimgate::mapping::check::examples(&mapping));
        found.retain(|one| one.code != "mapping::unset-variable");
        assert!(found.is_empty(), "{}", render(&found, false));
    }
}

#[test]
fn the_steps_of_the_tutorial_are_parts_of_its_whole_file() {
    let blocks = blocks("docs/mapping.md");
    let whole = blocks
        .iter()
        .find(|block| block.contains(": complete"))
        .unwrap();
    let steps = blocks
        .iter()
        .take_while(|block| !block.starts_with("# mappings/acme.toml"));
    for line in steps
        .flat_map(|block| block.lines())
        .filter(|line| !line.trim().is_empty())
    {
        let squeezed = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        let is_there =
            line.starts_with('#') || whole.lines().any(|other| squeezed(other) == squeezed(line));
        assert!(is_there, "not in the whole file: {line}");
    }
}

#[test]
fn the_reference_in_the_documentation_is_that_of_the_loader() {
    let page = fs::read_to_string("docs/mapping.md").unwrap();
    let (before, rest) = page.split_once("<!-- reference: begin -->\n").unwrap();
    let (found, after) = rest.split_once("<!-- reference: end -->").unwrap();
    let reference = format!("\n{}", load::reference_markdown());
    if std::env::var_os("UPDATE").is_some() {
        let page =
            format!("{before}<!-- reference: begin -->\n{reference}<!-- reference: end -->{after}");
        fs::write("docs/mapping.md", page).unwrap();
    } else {
        assert!(
            found == reference,
            "run `UPDATE=1 cargo test --test diagnostics`"
        );
    }
}

#[test]
fn the_page_of_an_application_shows_what_its_mapping_can_do() {
    let pages = fs::read_dir("docs/apps").unwrap();
    for path in pages.map(|entry| entry.unwrap().path()) {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let mapping = format!("mappings/apps/{name}.toml");
        let file = Arc::new(SourceFile {
            text: fs::read_to_string(&mapping).unwrap(),
            path: mapping.into(),
        });
        let (mapping, _) =
            load::app_alone(&file, &NoEnvironment, MissingValues::AreWarnings).unwrap();
        let table = scimgate::mapping::check::capabilities(&mapping).to_string();
        let page = fs::read_to_string(&path).unwrap();
        let (before, rest) = page.split_once("```text capabilities\n").unwrap();
        let (found, after) = rest.split_once("```").unwrap();
        if std::env::var_os("UPDATE").is_some() {
            let page = format!("{before}```text capabilities\n{table}```{after}");
            fs::write(&path, page).unwrap();
        } else {
            assert_eq!(found, table, "{name}");
        }
    }
}

#[test]
fn json_schemas_refer_to_nothing_that_is_not_there() {
    fn references(value: &serde_json::Value, found: &mut Vec<String>) {
        match value {
            serde_json::Value::Object(members) => {
                for (name, value) in members {
                    if name == "$ref" {
                        found.extend(value.as_str().map(str::to_owned));
                    }
                    references(value, found);
                }
            }
            serde_json::Value::Array(items) => {
                items.iter().for_each(|item| references(item, found))
            }
            _ => {}
        }
    }
    for schema in [load::json_schema_app(), load::json_schema_tenant()] {
        let mut found = Vec::new();
        references(&schema, &mut found);
        assert!(found.len() > 50);
        for reference in found {
            let pointer = reference.trim_start_matches('#');
            let target = schema.pointer(pointer);
            assert!(
                target.is_some_and(serde_json::Value::is_object),
                "{reference}"
            );
        }
    }
}
