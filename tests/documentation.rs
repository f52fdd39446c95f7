//! What the documentation shows is true: every configuration in it goes through `check`.

use std::{fs, path::Path};

use scimgate::cli::check_file;

/// The TOML blocks of a page that say in their first line which file they are.
fn files_in(page: &str) -> Vec<(String, String)> {
    let text = fs::read_to_string(page).unwrap();
    let blocks = text.split("```toml\n").skip(1);
    let blocks = blocks.filter_map(|block| Some(block.split_once("\n```")?.0.to_owned()));
    let named = blocks.filter_map(|block| {
        let name = block.lines().next()?.strip_prefix("# ")?;
        let name = name.split([':', ' ']).next()?.to_owned();
        name.ends_with(".toml").then_some((name, block))
    });
    named.collect()
}

#[test]
fn every_configuration_in_the_readme_passes_check() {
    let directory = tempfile::tempdir().unwrap();
    let files = files_in("README.md");
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "mappings/apps/library.toml",
            "mappings/acme.toml",
            "scimgate.toml"
        ]
    );
    for (name, text) in &files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    for (name, _) in &files {
        let complaints = check_file(&directory.path().join(name)).1;
        let errors: Vec<_> = complaints
            .iter()
            .filter(|complaint| complaint.is_error())
            .collect();
        assert!(errors.is_empty(), "{name}: {errors:#?}");
    }
}

#[test]
fn the_configuration_reference_names_every_key_and_parses() {
    let files = files_in("docs/operations.md");
    let (_, text) = files.first().expect("the reference has a whole file");
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("scimgate.toml");
    fs::write(&path, text).unwrap();
    let complaints = check_file(&path).1;
    assert!(complaints.is_empty(), "{complaints:#?}");
}

#[test]
fn every_shipped_mapping_passes_check() {
    for directory in ["mappings", "mappings/apps"] {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|end| end == "toml") {
                check_shipped(&path);
            }
        }
    }
}

fn check_shipped(path: &Path) {
    let complaints = check_file(path).1;
    let errors: Vec<_> = complaints
        .iter()
        .filter(|complaint| complaint.is_error())
        .collect();
    assert!(errors.is_empty(), "{}: {errors:#?}", path.display());
}

/// The names in backticks that begin as a promise's id does: `p3_h2_floods`.
fn proofs(text: &str) -> Vec<&str> {
    let is_proof = |word: &&str| {
        let id = word.split('_').next().unwrap_or_default();
        let number = id.strip_prefix(['s', 'p', 'r']).unwrap_or_default();
        word.contains('_') && !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())
    };
    text.split('`')
        .skip(1)
        .step_by(2)
        .filter(is_proof)
        .collect()
}

/// The source text of a directory, the directories in it included.
fn source(directory: &Path) -> String {
    let entries = fs::read_dir(directory).unwrap();
    let text = |entry: std::io::Result<fs::DirEntry>| {
        let path = entry.unwrap().path();
        match path.extension() {
            _ if path.is_dir() => source(&path),
            Some(extension) if extension == "rs" => fs::read_to_string(path).unwrap(),
            _ => String::new(),
        }
    };
    entries.map(text).collect()
}

#[test]
fn every_proof_that_the_threat_model_names_is_a_test() {
    let page = fs::read_to_string("THREAT_MODEL.md").unwrap();
    let tests = source(Path::new("src")) + &source(Path::new("tests"));
    let proofs = proofs(&page);
    assert!(proofs.len() > 40, "{}", proofs.len());
    for proof in proofs {
        let is_there = tests.contains(&format!("fn {proof}("));
        assert!(is_there, "no test is called `{proof}`");
    }
    // Every property is shown by something.
    let holds = page
        .split("\n## ")
        .find(|part| part.starts_with("What holds"));
    let rows = holds.unwrap().lines().filter(|line| line.starts_with("| "));
    for row in rows.filter(|row| !row.starts_with("| ---") && !row.starts_with("| property")) {
        let last = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        assert!(!self::proofs(last).is_empty(), "{row}");
    }
}
