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

/// What the parts of a mapping in its documentation are parts of, besides the tutorial's whole file.
const AROUND: &str = r#"
[settings]
org = 4
realm = "north"
[group]
id = '$.id'
get = "GET /groups/{id}"
list = { call = "GET /groups", items = '$.groups[*]' }
update = "PATCH /groups/{id}"
[group.attributes]
'displayName' = 'name'
[group.members]
read = { call = "GET /groups/{group}", items = '$.members[*].id' }
replace = { call = "PUT /groups/{group}/members", body = { ids = "{members}" }, batch = 10000 }
"#;

/// Puts a part into a file: an operation, a list and a line take the place of the one that is there.
fn put_in(file: &mut toml::Table, part: toml::Table, depth: usize) {
    for (name, value) in part {
        let goes_deeper = match depth {
            0 => true,
            // Another style of membership takes the place of the one before.
            1 => name == "attributes" || (name == "members" && value.get("on-user").is_none()),
            _ => false,
        };
        match (file.get_mut(&name), value) {
            (Some(toml::Value::Table(there)), toml::Value::Table(new)) if goes_deeper => {
                put_in(there, new, depth + 1);
            }
            (_, value) => {
                file.insert(name, value);
            }
        }
    }
}

/// The parts that a block of the page holds: itself; or where it is a choice of lines for one attribute, each of them.
fn parts_of(block: &str) -> Vec<String> {
    match block.lines().find(|line| !line.starts_with('#')) {
        Some(line) if line.starts_with('\'') => block
            .lines()
            .filter(|line| line.starts_with('\''))
            .map(|line| format!("[user.attributes]\n{line}\n"))
            .collect(),
        _ => vec![block.to_owned()],
    }
}

#[test]
fn every_part_of_a_mapping_in_its_documentation_passes_check() {
    let page = fs::read_to_string("docs/mapping.md").unwrap();
    let blocks = page.split("```toml\n").skip(1);
    let blocks: Vec<&str> = blocks
        .filter_map(|b| Some(b.split_once("```")?.0))
        .collect();
    let whole = blocks
        .iter()
        .position(|block| block.starts_with("# mappings/apps/library.toml: complete"))
        .unwrap();
    let mut base: toml::Table = blocks[whole].parse().unwrap();
    base.remove("example");
    put_in(&mut base, AROUND.parse().unwrap(), 0);
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir_all(directory.path().join("apps")).unwrap();
    let path = directory.path().join("apps/library.toml");
    let (parts, of_a_tenant) = blocks[whole + 1..].split_at(blocks.len() - whole - 2);
    let mut before = base.clone();
    let mut count = 0;
    for part in parts.iter().flat_map(|block| parts_of(block)) {
        // An example is one of the part in front of it.
        let mut file = match part.starts_with("[[example]]") {
            true => before.clone(),
            false => base.clone(),
        };
        let table: toml::Table = part
            .parse()
            .unwrap_or_else(|error| panic!("{error}\n{part}"));
        // With one URL for all, every call says which operation it is.
        let has_one_url = table.get("target").is_some_and(|t| t.get("wrap").is_some());
        if has_one_url && let Some(toml::Value::Table(user)) = file.get_mut("user") {
            user.retain(|name, _| ["id", "attributes"].contains(&name));
            file.remove("group");
        }
        put_in(&mut file, table, 0);
        fs::write(&path, file.to_string()).unwrap();
        let complaints = check_file(&path).1;
        let errors: Vec<_> = complaints.iter().filter(|one| one.is_error()).collect();
        assert!(errors.is_empty(), "{part}\n{errors:#?}");
        before = file;
        count += 1;
    }
    assert!(count >= 25, "{count}");
    fs::write(&path, base.to_string()).unwrap();
    let path = directory.path().join("acme.toml");
    let tenant = format!("tenant = \"acme\"\napp = \"library\"\n{}", of_a_tenant[0]);
    fs::write(&path, tenant).unwrap();
    let complaints = check_file(&path).1;
    let errors: Vec<_> = complaints.iter().filter(|one| one.is_error()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}
