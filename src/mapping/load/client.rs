//! `[client]`: who calls, with which habits and credentials.

use std::collections::BTreeSet;

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use crate::{
    diagnostic::closest,
    dialect::{self, Idp},
    mapping::{
        address::Domains,
        model::{Client, FileKey},
    },
};

use super::{
    reader::Reader,
    shape::{Kind, Shape, key},
    tree::Content,
};

static KEY: Shape = Shape {
    name: "`[[client.key]]`",
    about: "A credential of the client. Several are valid at once, so that one can be replaced without a pause. Only the \
            hash is here; `scimgate keys` makes them.",
    keys: &[
        key(
            "name",
            Kind::Text,
            "required",
            "Shown in logs and audit.",
            "\"okta-2026\"",
        ),
        key(
            "sha256",
            Kind::Text,
            "required",
            "SHA-256 of the whole token, 64 hexadecimal digits.",
            "\"9f2c…\"",
        ),
        key(
            "expires",
            Kind::Time,
            "never, with a warning",
            "Not accepted from then on; a date begins at midnight UTC.",
            "2027-11-01",
        ),
    ],
    base: None,
    others: None,
};

/// `[client]`.
pub(super) static CLIENT: Shape = Shape {
    name: "`[client]`",
    about: "Who calls, and which of its habits are evened out.",
    keys: &[
        key(
            "idp",
            Kind::Text,
            "\"auto\": recognised by its `User-Agent`",
            "The identity provider: `okta`, `entra`, … as `docs/dialects.md` lists them.",
            "\"okta\"",
        ),
        key(
            "strict",
            Kind::Flag,
            "false",
            "Nothing is evened out: what the RFCs do not allow is refused.",
            "true",
        ),
        key(
            "quirks",
            Kind::Named(&Kind::Choice(&["on", "off"])),
            "all on",
            "Single quirks that are switched off, by their name in `docs/dialects.md`.",
            "{ ENTRA-17 = \"off\" }",
        ),
        key(
            "domains",
            Kind::Many(&Kind::Text),
            "any",
            "Domains that addresses in userName and emails may have; `*.` in front admits sub-domains.",
            "[\"acme.example\"]",
        ),
        key(
            "me",
            Kind::Text,
            "`/Me` is answered 501",
            "The userName of the account that `/Me` stands for.",
            "\"provisioning@acme.example\"",
        ),
        key(
            "key",
            Kind::Tables(&KEY),
            "none: the client cannot call",
            "The client's credentials.",
            "",
        ),
    ],
    base: None,
    others: None,
};

/// The client of a tenant; without `[client]` one that is recognised and has no credential in the file.
pub(super) fn client(root: &Reader<'_>) -> Client {
    let Some(reader) = root.table("client") else {
        return Client {
            dialect: dialect::Settings::default(),
            domains: Domains::default(),
            me: None,
            keys: Vec::new(),
        };
    };
    let settings = dialect::Settings {
        idp: idp(&reader),
        is_strict: reader.flag("strict").unwrap_or(false),
        off: quirks(&reader),
    };
    Client {
        dialect: settings,
        domains: domains(&reader),
        me: reader.text("me"),
        keys: keys(&reader),
    }
}

fn idp(reader: &Reader<'_>) -> Option<Idp> {
    let (node, text) = reader.raw_text("idp")?;
    if text == "auto" {
        return None;
    }
    let found = Idp::from_name(text);
    if found.is_none() {
        let mut words = vec!["auto"];
        words.extend(Idp::ALL.iter().map(|idp| idp.name()));
        reader.unknown_word("idp", node, text, &words);
    }
    found
}

fn quirks(reader: &Reader<'_>) -> BTreeSet<String> {
    let mut off = BTreeSet::new();
    for entry in reader.named("quirks") {
        if !dialect::is_known(&entry.key) {
            let known = dialect::catalogue()
                .iter()
                .flat_map(|quirk| [Some(quirk.id), quirk.rule]);
            let mending = match closest(&entry.key, known.flatten()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "the names are in `docs/dialects.md`".to_owned(),
            };
            reader.context.error(
                "mapping::unknown-quirk",
                &entry.place,
                format!("`{}` is not a quirk.", entry.key),
                &mending,
            );
        }
        match &entry.node.content {
            Content::Text(text) if text == "off" => {
                off.insert(entry.key.clone());
            }
            Content::Text(text) if text == "on" => {}
            Content::Flag(false) => {
                off.insert(entry.key.clone());
            }
            Content::Flag(true) => {}
            Content::Text(text) => reader.unknown_word("quirks", &entry.node, text, &["on", "off"]),
            _ => reader.wrong_type("quirks", &entry.node),
        }
    }
    off
}

fn domains(reader: &Reader<'_>) -> Domains {
    let mut domains = Domains::default();
    for (node, text) in reader.texts("domains") {
        if !domains.add(&text) {
            reader.context.error(
                "mapping::bad-domain",
                &node.place,
                format!("`{text}` is not a domain."),
                "`acme.example`, or `*.acme.example` for its sub-domains; no label mixes scripts",
            );
        }
    }
    domains
}

fn keys(reader: &Reader<'_>) -> Vec<FileKey> {
    let mut keys: Vec<FileKey> = Vec::new();
    for table in reader.tables("key") {
        let Some(key) = file_key(&table) else {
            continue;
        };
        if keys
            .iter()
            .any(|other| other.name == key.name || other.sha256 == key.sha256)
        {
            table.context.error(
                "mapping::two-keys",
                table.place,
                format!(
                    "The key `{}` has the name or the hash of another.",
                    key.name
                ),
                "every key has a name and a token of its own",
            );
        }
        keys.push(key);
    }
    keys
}

fn file_key(reader: &Reader<'_>) -> Option<FileKey> {
    let name = reader.required_text("name");
    if let (false, Some(token)) = (reader.has("sha256"), reader.table.entry("token")) {
        // The unknown key was told. What stands there opens the tenant.
        reader.context.in_clear(
            &token.node,
            "write the token's hash, `sha256 = \"…\"`: `scimgate keys` makes both",
        );
        return None;
    }
    let text = reader.required_text("sha256")?;
    let sha256 = hash(&text);
    if sha256.is_none() {
        let bare = text
            .trim()
            .trim_start_matches("sha256:")
            .trim_start_matches("0x");
        let mending = match hash(bare) {
            Some(_) => "the digits alone, nothing in front of them",
            None => "the hash of the token, not the token: `scimgate keys` makes both",
        };
        reader.context.error(
            "mapping::bad-hash",
            reader
                .node("sha256")
                .map_or(reader.place, |node| &node.place),
            "`sha256` is not 64 hexadecimal digits.".to_owned(),
            mending,
        );
    }
    let expires = expires(reader);
    Some(FileKey {
        place: reader.place.clone(),
        name: name?,
        sha256: sha256?,
        expires,
    })
}

fn hash(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let mut hash = [0; 32];
    for (at, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(at * 2..at * 2 + 2)?, 16).ok()?;
    }
    Some(hash)
}

fn expires(reader: &Reader<'_>) -> Option<Timestamp> {
    let Some(node) = reader.node("expires") else {
        reader.context.warning(
            "mapping::key-without-end",
            reader.place,
            "A key has no `expires` and stays valid for ever.".to_owned(),
            "add `expires = 2027-11-01`",
        );
        return None;
    };
    let (Content::Time(text) | Content::Text(text)) = &node.content else {
        reader.wrong_type("expires", node);
        return None;
    };
    let found = text.parse::<Timestamp>().ok().or_else(|| {
        let date: Date = text.parse().ok()?;
        date.to_zoned(TimeZone::UTC)
            .ok()
            .map(|zoned| zoned.timestamp())
    });
    if found.is_none() {
        reader.context.error(
            "mapping::bad-time",
            &node.place,
            format!("`{text}` is not a date, or a date with time and zone."),
            "`2027-11-01`, or `2027-11-01T00:00:00Z`",
        );
    }
    found
}
