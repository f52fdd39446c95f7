//! The quick way against the long one: the same bytes, the same version, for every shipped mapping and rows of all kinds.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::{
    diagnostic::SourceFile,
    mapping::{
        frame::Frame,
        load::{self, MissingValues, NoEnvironment},
        model::{ExampleKind, Mapping, Read, TypeMapping},
        read,
    },
    scim::{Filter, Projection, filter::Matcher},
};

use super::{Odd, Sift};

const FRAMES: [Frame<'_>; 2] = [
    Frame {
        id: "7",
        location: "https://scim.example/scim/v2/Users/7",
        external_id: None,
        created: None,
        modified: None,
        revision: None,
    },
    Frame {
        id: "g-\"é\"",
        location: "https://scim.example/scim/v2/Users/%22",
        external_id: Some("e\\1\""),
        created: Some("2026-11-22T10:00:00Z"),
        modified: Some("2026-11-22T11:00:00Z"),
        revision: Some(3),
    },
];

fn shipped() -> Vec<Mapping> {
    let mut files: Vec<_> = ["mappings/apps", "benches/mappings/apps"]
        .into_iter()
        .flat_map(|folder| std::fs::read_dir(folder).unwrap())
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
        .iter()
        .map(|path| app(&std::fs::read_to_string(path).unwrap()))
        .collect()
}

fn app(text: &str) -> Mapping {
    let file = Arc::new(SourceFile {
        path: "app.toml".into(),
        text: text.to_owned(),
    });
    load::app_alone(&file, &NoEnvironment, MissingValues::AreWarnings)
        .unwrap()
        .0
}

/// The resource as it is defined: through trees. Absent if the row is no object, or needs the gateway.
fn the_long_way(
    t: &TypeMapping,
    settings: &Map<String, Value>,
    row: &Value,
    frame: &Frame<'_>,
) -> Option<(Vec<u8>, String, Map<String, Value>)> {
    let read = read::read(t, row.is_object().then_some(row)?, settings, |_| true);
    if !read.references.is_empty() {
        return None;
    }
    let mut resource = read.resource;
    frame.put(t, &mut resource);
    let version = resource.0["meta"]["version"].as_str().unwrap().to_owned();
    let whole = resource.0.clone();
    let shown = Projection::usual(&t.resource_type).apply(&t.resource_type, resource.0);
    Some((serde_json::to_vec(&shown).unwrap(), version, whole))
}

/// Whether the row went the quick way. Panics if that led elsewhere.
fn agree(t: &TypeMapping, settings: &Map<String, Value>, row: &str, frame: &Frame<'_>) -> bool {
    let Some(splice) = &t.splice else {
        return false;
    };
    let Ok(tree) = serde_json::from_str::<Value>(row) else {
        return false;
    };
    let quick = splice.read(row).and_then(|fields| {
        let mut out = b"before".to_vec();
        let id = splice.target_id(&fields).map(|id| id.map(str::to_owned));
        let written = splice.write(t, settings, &fields, frame, &mut out);
        if written.is_err() {
            assert_eq!(out, b"before", "{row}");
        }
        Ok((id, written?.version, out))
    });
    let Ok((id, version, out)) = quick else {
        return false;
    };
    if let Ok(id) = id {
        assert_eq!(id, read::target_id(t, &tree), "{row}");
    }
    let (long, long_version, whole) =
        the_long_way(t, settings, &tree, frame).expect("what the long way cannot do");
    assert_eq!(
        std::str::from_utf8(&out[6..]),
        std::str::from_utf8(&long),
        "{}: {row}",
        t.section
    );
    assert_eq!(version, long_version, "{row}");
    if row.len().is_multiple_of(FILTERED) {
        filters_agree(t, &whole, &out[6..]);
    }
    true
}

/// One row in so many has filters tried on it.
const FILTERED: usize = 8;

/// Tries filters on everything that a resource has: the text must match when the tree does.
fn filters_agree(t: &TypeMapping, whole: &Map<String, Value>, text: &[u8]) {
    let mut filters = vec![
        "userName eq \"ada\"".to_owned(),
        "not (title pr)".to_owned(),
    ];
    for (name, value) in whole {
        let is_extension = t.resource_type.extension(name).is_some();
        for (path, value) in places(name, is_extension, value) {
            filters.push(format!("{path} pr"));
            filters.push(format!("{path} eq {value}"));
            filters.push(format!("{path} ne {value} or {path} co \"a\""));
        }
    }
    for text_of_filter in filters {
        let filter = Filter::parse(&text_of_filter);
        let matcher = filter.map(|filter| Matcher::compile(&filter, &t.resource_type));
        let Ok(Ok(matcher)) = matcher else {
            continue;
        };
        if let Some(sift) = Sift::of(t, &matcher) {
            let is_match = matcher.matches(whole);
            assert_eq!(sift.matches(text), Ok(is_match), "{text_of_filter}");
        }
    }
}

/// The paths of the scalars in a member, with their values.
fn places<'v>(path: &str, is_extension: bool, value: &'v Value) -> Vec<(String, &'v Value)> {
    match value {
        Value::Object(members) => {
            let sign = if is_extension { ':' } else { '.' };
            let members = members.iter();
            let below = |(name, value)| places(&format!("{path}{sign}{name}"), false, value);
            members.flat_map(below).collect()
        }
        Value::Array(items) => items
            .iter()
            .flat_map(|item| places(path, false, item))
            .collect(),
        scalar => vec![(path.to_owned(), scalar)],
    }
}

#[test]
fn a_filter_on_what_is_not_always_answered_is_for_trees() {
    let mapping = app(include_str!("../../../benches/mappings/apps/stub.toml"));
    let user = &mapping.types[0];
    for (filter, is_possible) in [
        ("userName eq \"a\" and emails.value pr", true),
        ("id eq \"7\" or meta.lastModified pr", true),
        ("password pr", false),
        ("groups.value eq \"7\"", false),
        (
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User pr",
            false,
        ),
        (
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department pr",
            true,
        ),
    ] {
        let parsed = Filter::parse(filter).unwrap();
        let matcher = Matcher::compile(&parsed, &user.resource_type);
        let is_quick = matcher.is_ok_and(|matcher| Sift::of(user, &matcher).is_some());
        assert_eq!(is_quick, is_possible, "{filter}");
    }
}

/// A source of choices.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        // Knuth's; the upper bits are the better ones.
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit.max(1)
    }

    fn one_in(&mut self, limit: usize) -> bool {
        self.below(limit) == 0
    }
}

/// Texts of values, as applications write them and as none should.
const VALUES: [&str; 40] = [
    "null",
    "true",
    "false",
    "0",
    "1",
    "-0",
    "7",
    "-12",
    "1.0",
    "1e3",
    "-1.5E-2",
    "12345678901234567890",
    "123456789012345678901234567890",
    "\"\"",
    "\"ada\"",
    "\"Ada \\\"L\\\"\"",
    "\"\\u00e9\\n\"",
    "\"é😀\"",
    "\"\\/\"",
    "\" 1 \"",
    "\"0\"",
    "\"True\"",
    "\"active\"",
    "\"ACTIVE\"",
    "\"inactive\"",
    "\"locked\"",
    "\"2026-11-22T10:00:00Z\"",
    "\"2026-11-22T10:00:00.5Z\"",
    "\"2026-11-31T10:00:00Z\"",
    "\"2026-11-22 10:00\"",
    "\"a, b,c\"",
    "[]",
    "{}",
    "[null]",
    "[\"a\",{\"value\":\"b\"}]",
    "{\"value\":\"v\",\"type\":\"work\",\"primary\":true}",
    "[{\"id\":4,\"value\":\"x\"},{\"id\":\"2\",\"value\":null}]",
    "[{\"Value\":\"a@b\",\"Type\":\"work\",\"Primary\":true}]",
    "{\"given\":\"G\",\"first\":\"F\",\"value\":[1]}",
    "1700000000",
];

/// The text of a row: a tree of it, with values exchanged, left out, repeated, and space where there may be some.
fn write_row(value: &Value, dice: &mut Dice, wildness: usize, out: &mut String) {
    if wildness > 0 && dice.one_in(wildness) {
        out.push_str(VALUES[dice.below(VALUES.len())]);
        return;
    }
    match value {
        Value::Object(members) => {
            out.push('{');
            let mut is_first = true;
            for (name, member) in members {
                let times = match dice.below(30) {
                    0 => 0,
                    1 => 2,
                    _ => 1,
                };
                for _ in 0..times {
                    out.push_str(if is_first { "" } else { "," });
                    out.push_str(if dice.one_in(9) { " \n" } else { "" });
                    out.push_str(&Value::from(name.as_str()).to_string());
                    out.push_str(if dice.one_in(9) { " :\t" } else { ":" });
                    write_row(member, dice, wildness, out);
                    out.push_str(if dice.one_in(9) { "\r " } else { "" });
                    is_first = false;
                }
            }
            out.push('}');
        }
        Value::Array(items) => {
            let texts = items.iter().map(|item| {
                let mut text = String::new();
                write_row(item, dice, wildness, &mut text);
                text
            });
            let texts: Vec<_> = texts.collect();
            out.push_str(&format!("[{}]", texts.join(", ")));
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}

/// Rows to begin with: the mapping's own examples, and one with a value wherever a line reads one.
fn rows_of(mapping: &Mapping, t: &TypeMapping, dice: &mut Dice) -> Vec<Value> {
    let examples = mapping
        .examples
        .iter()
        .filter(|example| example.section == t.section);
    let mut rows: Vec<Value> = examples
        .filter_map(|example| match &example.kind {
            ExampleKind::Reply { reply, .. } => Some(reply.clone()),
            _ => None,
        })
        .collect();
    let mut full = json!({ "id": 7, "unread": { "a": [1, { "b": "]}" }] } });
    for rule in &t.attributes {
        let pairs = rule
            .values
            .iter()
            .flat_map(|values| values.pairs.fixed().iter().map(|(_, field)| field.clone()));
        let mut choices: Vec<Value> = pairs.collect();
        choices.extend(
            (0..3).map(|_| serde_json::from_str(VALUES[dice.below(VALUES.len())]).unwrap()),
        );
        let choice = choices[dice.below(choices.len())].clone();
        if let Some(Read::Path(path)) = &rule.read
            && let Some(place) = path.as_place()
        {
            place.write(&mut full, choice);
        }
    }
    if let Some(place) = t.id.from.as_place() {
        place.write(&mut full, json!(7));
    }
    rows.push(full);
    rows
}

#[test]
fn ordinary_rows_of_every_shipped_mapping_go_the_quick_way() {
    for mapping in shipped() {
        for t in mapping.types.iter().filter(|t| !t.is_fixed()) {
            let mut dice = Dice(1);
            for row in rows_of(&mapping, t, &mut dice) {
                let needs_gateway = the_long_way(t, &mapping.settings, &row, &FRAMES[0]).is_none();
                let is_quick = agree(t, &mapping.settings, &row.to_string(), &FRAMES[0]);
                assert!(
                    is_quick || needs_gateway,
                    "{} {}: {row}",
                    mapping.app,
                    t.section
                );
            }
        }
    }
}

#[test]
fn a_page_is_spliced_as_it_is_written_down_here() {
    let mapping = app(include_str!("../../../benches/mappings/apps/stub.toml"));
    let user = &mapping.types[0];
    let splice = user.splice.as_ref().unwrap();
    let row = r#"{"id":77,"login":"ada","email":"ada@example.com","first_name":"Ada","last_name":"L\u00f6ve","status":"inactive","title":null,
        "department":"R&D","phone":"","external_ref":"x-1","created_at":"2024-01-01T00:00:00Z"}"#;
    let fields = splice.read(row).unwrap();
    assert_eq!(splice.target_id(&fields), Ok(Some("77")));
    let mut out = Vec::new();
    let spliced = splice
        .write(user, &mapping.settings, &fields, &FRAMES[0], &mut out)
        .unwrap();
    let expected = format!(
        r#"{{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"id":"7","externalId":"x-1","userName":"ada","name":{{"givenName":"Ada","familyName":"Löve"}},"active":false,"emails":[{{"type":"work","value":"ada@example.com"}}],"phoneNumbers":[{{"type":"work","value":""}}],"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{{"department":"R&D"}},"meta":{{"resourceType":"User","created":"2024-01-01T00:00:00Z","location":"https://scim.example/scim/v2/Users/7","version":{}}}}}"#,
        Value::from(spliced.version)
    );
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

#[test]
fn what_only_the_gateway_knows_is_odd() {
    let mapping = app(include_str!("../../../mappings/apps/demo.toml"));
    let user = &mapping.types[0];
    let splice = user.splice.as_ref().unwrap();
    let write = |row: &str| {
        let fields = splice.read(row)?;
        splice.write(
            user,
            &mapping.settings,
            &fields,
            &FRAMES[0],
            &mut Vec::new(),
        )
    };
    assert!(write(r#"{"id":1,"manager_id":null}"#).is_ok());
    assert_eq!(write(r#"{"id":1,"manager_id":7}"#), Err(Odd));
    assert_eq!(write("[1]"), Err(Odd));
    assert_eq!(write(r#"{"\u0069d":1}"#), Err(Odd));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn both_ways_lead_to_the_same_bytes(seed in any::<u64>(), wildness in 0usize..12) {
        thread_local! {
            static SHIPPED: Vec<Mapping> = shipped();
        }
        SHIPPED.with(|shipped| {
            let mut dice = Dice(seed);
            let mapping = &shipped[dice.below(shipped.len())];
            let t = &mapping.types[dice.below(mapping.types.len())];
            let rows = rows_of(mapping, t, &mut dice);
            let base = &rows[dice.below(rows.len())];
            let frame = &FRAMES[dice.below(2)];
            for _ in 0..20 {
                let mut row = String::new();
                write_row(base, &mut dice, wildness, &mut row);
                agree(t, &mapping.settings, &row, frame);
            }
        });
    }
}
