//! The root of a file: what it is about, and its sections.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::{
    diagnostic::{Place, SourceFile, closest},
    mapping::model::{Mapping, Mode},
};

use super::{
    client::{self, CLIENT},
    context::Context,
    example::{self, EXAMPLE},
    look_up::{self, LOOK_UP},
    merge,
    policy::{self, POLICY},
    reader::Reader,
    rules,
    schema::{SCHEMA, Schemas},
    section::{self, GROUP, RESOURCE, USER},
    shape::{Key, Kind, Shape, key},
    syntax,
    target::{self, TARGET},
    tree::{Content, Entry, Node, Table},
    user_groups,
};

static APP_KEYS: &[Key] = &[
    key(
        "app",
        Kind::Text,
        "required",
        "The application's name: letters, digits, `-` and `_`. In a tenant file it names the file `apps/NAME.toml`.",
        "\"redmine\"",
    ),
    key(
        "settings",
        Kind::Named(&Kind::Any),
        "none",
        "Named values of the installation: `settings.NAME` in templates and expressions.",
        "{ default_role = 4 }",
    ),
    key(
        "target",
        Kind::Table(&TARGET),
        "required",
        "How to reach the application.",
        "",
    ),
    key(
        "values",
        Kind::Named(&Kind::Table(&LOOK_UP)),
        "none",
        "Value tables that are read from the application: role names and role ids.",
        "",
    ),
    key(
        "user",
        Kind::Table(&USER),
        "no users",
        "How users are kept.",
        "",
    ),
    key(
        "group",
        Kind::Table(&GROUP),
        "no groups",
        "How groups are kept.",
        "",
    ),
    key(
        "resource",
        Kind::Named(&Kind::Table(&RESOURCE)),
        "none",
        "Resource types of the operator's own.",
        "",
    ),
    key(
        "schema",
        Kind::Named(&Kind::Table(&SCHEMA)),
        "none",
        "Schemas of the operator's own, by URN.",
        "",
    ),
    key(
        "example",
        Kind::Tables(&EXAMPLE),
        "none",
        "Run by `scimgate check`. A tenant's own replace those of the application's file.",
        "",
    ),
];
static TENANT_KEYS: &[Key] = &[
    key(
        "tenant",
        Kind::Text,
        "required",
        "The tenant's name: lower-case letters, digits and `-`.",
        "\"acme\"",
    ),
    key(
        "mode",
        Kind::Choice(&["live", "shadow", "paused"]),
        "\"live\"",
        "Whether writes reach the application: they do; they are planned and logged only; or every request is answered 503.",
        "\"shadow\"",
    ),
    key(
        "client",
        Kind::Table(&CLIENT),
        "recognised, without a credential in the file",
        "Who calls.",
        "",
    ),
    key(
        "policy",
        Kind::Table(&POLICY),
        "the defaults",
        "What may happen to accounts.",
        "",
    ),
];

/// Whether a tenant's file says itself where the application is: then it may stand alone.
fn says_where(tenant: &Table) -> bool {
    let target = tenant.entry("target").map(|entry| &entry.node.content);
    matches!(target, Some(Content::Table(target)) if target.entry("base-url").is_some())
}

/// An application's file, `mappings/apps/<app>.toml`.
pub static APP_SHAPE: Shape = Shape {
    name: "an application's file",
    about: "One application: how to reach it and what its fields mean. `mappings/apps/<app>.toml`.",
    keys: APP_KEYS,
    base: None,
    others: None,
};

/// A tenant's file, `mappings/<tenant>.toml`.
pub static TENANT_SHAPE: Shape = Shape {
    name: "a tenant's file",
    about: "One customer: client, credentials, policy, and whatever differs from the application's file. \
            `mappings/<tenant>.toml`.",
    keys: TENANT_KEYS,
    base: Some(&APP_SHAPE),
    others: None,
};

/// Both files together.
static APP_OF_TENANT_SHAPE: Shape = Shape {
    name: "the application's file",
    about: "",
    keys: TENANT_KEYS,
    base: Some(&APP_SHAPE),
    others: None,
};

/// A tenant's mapping: its file on top of the application's.
pub(super) fn tenant(
    context: &Context<'_>,
    tenant: Table,
    file: &Arc<SourceFile>,
    app: Option<(Table, &Arc<SourceFile>)>,
) -> Option<Mapping> {
    let start = Place::new(file, 0..0);
    if is_no_mapping(context, &tenant, &start) {
        return None;
    }
    if let Some((app, app_file)) = &app {
        belongs_to_tenants(context, app);
        same_app(context, app, &tenant, app_file);
    } else if let Some(entry) = tenant.entry("app").filter(|_| !says_where(&tenant)) {
        if let Some(name) = entry.node.as_text().filter(|name| !is_name(name)) {
            bad_app_name(context, &entry.node.place, name);
            return None;
        }
        context.error(
            "mapping::missing-app",
            &entry.node.place,
            format!(
                "The application's file `apps/{}.toml` is not there.",
                entry.node.as_text().unwrap_or("NAME")
            ),
            "it is looked for beside the tenant's file",
        );
        // What the tenant's own tables say can be looked at all the same.
        let root = context.muted(|| Reader::of_table(context, &tenant, &start, &TENANT_SHAPE));
        client::client(&root);
        policy::policy(&root, &[]);
        return None;
    }
    let app_file = app.as_ref().map(|(_, file)| Arc::clone(file));
    let merged = match app {
        Some((app, _)) => merge::layer(app, tenant),
        None => tenant,
    };
    let root = Reader::of_table(context, &merged, &start, &TENANT_SHAPE);
    let name = root.required_text("tenant").unwrap_or_default();
    if !name.is_empty() && !is_tenant_name(&name) {
        context.error(
            "mapping::bad-name",
            root.node("tenant").map_or(&start, |node| &node.place),
            format!("`{name}` cannot be the name of a tenant."),
            "lower-case letters, digits and `-`, at most 63",
        );
    }
    let files: Vec<&SourceFile> = [Some(&**file), app_file.as_deref()]
        .into_iter()
        .flatten()
        .collect();
    unused_settings(context, context.muted(|| root.named("settings")), &files);
    // What neither file has is the application's to say.
    let lacking = app_file.map(|file| Place::new(&file, 0..0));
    let whole = lacking.as_ref().map(|place| {
        context.muted(|| Reader::of_table(context, &merged, place, &APP_OF_TENANT_SHAPE))
    });
    mapping(&whole.unwrap_or(root), name)
}

/// Says so, once, of a file that is neither a tenant's nor an application's.
fn is_no_mapping(context: &Context<'_>, table: &Table, start: &Place) -> bool {
    let has = |names: &[&str]| names.iter().any(|name| table.entry(name).is_some());
    let near = |entry: &Entry| {
        TENANT_SHAPE.key(&entry.key).is_some() || closest(&entry.key, ["app", "tenant"]).is_some()
    };
    let (sentence, mending) = if table.entries.is_empty() {
        (
            "The file has nothing in it.",
            "docs/mapping.md begins with a mapping; `scimgate draft` proposes one",
        )
    } else if !table.entries.iter().any(near) {
        (
            "This is no mapping: it has no key of one.",
            "is this the right file? An application's has `app`, `[target]` and `[user]`, a tenant's `tenant` and `app`",
        )
    } else if !has(&["app", "tenant"])
        && has(&["target", "user", "group"])
        && !has(&["client", "policy", "mode"])
        && !table
            .entries
            .iter()
            .any(|entry| closest(&entry.key, ["app", "tenant"]).is_some())
    {
        (
            "The file does not say what it is about.",
            "begin an application's file with `app = \"redmine\"`, a tenant's with that and `tenant = \"acme\"`",
        )
    } else {
        return false;
    };
    context.error("mapping::no-mapping", start, sentence.to_owned(), mending);
    true
}

/// The mapping of an application's file by itself.
pub(super) fn app_alone(
    context: &Context<'_>,
    app: Table,
    file: &Arc<SourceFile>,
) -> Option<Mapping> {
    let start = Place::new(file, 0..0);
    belongs_to_tenants(context, &app);
    let known: Table = Table {
        name: String::new(),
        entries: app
            .entries
            .into_iter()
            .filter(|entry| !TENANT_ONLY.contains(&entry.key.as_str()))
            .collect(),
    };
    Reader::of_table(context, &known, &start, &APP_SHAPE);
    let root = context.muted(|| Reader::of_table(context, &known, &start, &TENANT_SHAPE));
    mapping(&root, "none".to_owned())
}

/// Keys of tenant files alone.
const TENANT_ONLY: [&str; 4] = ["tenant", "mode", "client", "policy"];

fn belongs_to_tenants(context: &Context<'_>, app: &Table) {
    for entry in &app.entries {
        if TENANT_ONLY.contains(&entry.key.as_str()) {
            context.error(
                "mapping::tenant-key-in-app",
                &entry.place,
                format!(
                    "`{}` belongs to a tenant's file, not to an application's.",
                    entry.key
                ),
                "move it to `mappings/<tenant>.toml`",
            );
        }
    }
}

fn same_app(context: &Context<'_>, app: &Table, tenant: &Table, app_file: &Arc<SourceFile>) {
    let name = |table: &Table| {
        table
            .entry("app")
            .and_then(|e| e.node.as_text().map(str::to_owned))
    };
    let (Some(inner), Some(outer)) = (name(app), name(tenant)) else {
        return;
    };
    if inner != outer {
        let place = app.entry("app").map(|entry| entry.node.place.clone());
        context.error(
            "mapping::other-app",
            &place.unwrap_or_else(|| Place::new(app_file, 0..0)),
            format!("The tenant's file names the application `{outer}`, this file says `{inner}`."),
            "the file's name and its `app` are the same",
        );
    }
}

fn mapping(root: &Reader<'_>, tenant: String) -> Option<Mapping> {
    let app = root.required_text("app").unwrap_or_default();
    if !app.is_empty() && !is_name(&app) {
        let place = root.node("app").map_or(root.place, |node| &node.place);
        bad_app_name(root.context, place, &app);
    }
    let modes = [
        ("live", Mode::Live),
        ("shadow", Mode::Shadow),
        ("paused", Mode::Paused),
    ];
    let mode = root.choice("mode", &modes).unwrap_or(Mode::Live);
    let settings = settings(root);
    root.context.settings.replace(settings.clone());
    let target = target::target(root).or_else(target::nowhere)?;
    let look_ups = look_up::look_ups(root);
    let schemas = Schemas::read(root);
    let mut types = section::sections(root, &schemas);
    user_groups::settle(root, &mut types);
    // What could not be read may have attributes of its own.
    if !root.context.is_broken() || !(root.has("schema") || root.has("resource")) {
        rules::check_attributes(root.context, &types);
    }
    if types.is_empty() && !root.has("user") && !root.has("group") && !root.has("resource") {
        root.missing("user");
    }
    let client = client::client(root);
    let policy = policy::policy(root, &types);
    let examples = example::examples(root, &settings);
    Some(Mapping {
        secrets: root.context.secrets.take(),
        tenant: tenant.into(),
        app,
        mode,
        client,
        policy,
        settings,
        target,
        types,
        look_ups,
        examples,
    })
}

fn bad_app_name(context: &Context<'_>, place: &Place, name: &str) {
    let stem = name.rsplit('/').next().unwrap_or_default();
    let stem = stem.strip_suffix(".toml").unwrap_or(stem);
    let stem = stem.replace(' ', "-");
    let mending = match is_name(&stem) {
        true => format!("did you mean `{stem}`? Letters, digits, `-` and `_`"),
        false => "letters, digits, `-` and `_`".to_owned(),
    };
    let sentence = format!("`{name}` cannot be the name of an application.");
    context.error("mapping::bad-name", place, sentence, &mending);
}

/// Warns of the tenant's settings that no text of the files names. Those of its application may be for other tenants.
fn unused_settings(context: &Context<'_>, entries: &[Entry], files: &[&SourceFile]) {
    let texts = || files.iter().map(|file| file.text.as_str());
    if texts().any(|text| text.contains("settings[")) {
        return;
    }
    let is_own = |entry: &&Entry| files.first().is_some_and(|own| *entry.place.file == **own);
    for entry in entries.iter().filter(is_own) {
        if texts().any(|text| text.contains(&format!("settings.{}", entry.key))) {
            continue;
        }
        let others = entries.iter().map(|entry| entry.key.as_str());
        let mending = match closest(&entry.key, others.filter(|other| *other != entry.key)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("use it, `{{settings.{}}}`, or take it out", entry.key),
        };
        let sentence = format!("Nothing uses `settings.{}`.", entry.key);
        context.warning("mapping::unused-setting", &entry.place, sentence, &mending);
    }
}

fn settings(root: &Reader<'_>) -> Map<String, Value> {
    let settings = root.named("settings");
    for entry in settings {
        doubled_braces(root.context, &entry.node);
    }
    settings
        .iter()
        .map(|entry| (entry.key.clone(), syntax::data(root.context, &entry.node)))
        .collect()
}

/// A setting is put into templates as it is, and is none itself.
fn doubled_braces(context: &Context<'_>, node: &Node) {
    if node.as_text().is_some_and(|text| text.contains("{{")) {
        context.warning(
            "mapping::braces-in-setting",
            &node.place,
            "A setting is no template: its braces stay as they are, doubled ones too.".to_owned(),
            "write one brace, `{`, where one is to be sent",
        );
    }
}

/// Whether a text can name an application, and so a file.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 63
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

fn is_tenant_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 63
        && !text.starts_with('-')
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}
