//! The root of a file: what it is about, and its sections.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::{
    diagnostic::{Place, SourceFile},
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
    schema::{SCHEMA, Schemas},
    section::{self, GROUP, RESOURCE, USER},
    shape::{Key, Kind, Shape, key},
    syntax,
    target::{self, TARGET},
    tree::{Content, Table},
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

/// A tenant's mapping: its file on top of the application's.
pub(super) fn tenant(
    context: &Context<'_>,
    tenant: Table,
    file: &Arc<SourceFile>,
    app: Option<(Table, &Arc<SourceFile>)>,
) -> Option<Mapping> {
    let start = Place::new(file, 0..0);
    if let Some((app, app_file)) = &app {
        belongs_to_tenants(context, app);
        same_app(context, app, &tenant, app_file);
    } else if let Some(entry) = tenant.entry("app").filter(|_| !says_where(&tenant)) {
        context.error(
            "mapping::missing-app",
            &entry.node.place,
            "The application's file is not there.".to_owned(),
            "it is looked for as `apps/NAME.toml` beside the tenant's file",
        );
        // What the tenant's own tables say can be looked at all the same.
        let root = context.muted(|| Reader::of_table(context, &tenant, &start, &TENANT_SHAPE));
        client::client(&root);
        policy::policy(&root, &[]);
        return None;
    }
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
    mapping(&root, name)
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
        root.context.error(
            "mapping::bad-name",
            root.node("app").map_or(root.place, |node| &node.place),
            format!("`{app}` cannot be the name of an application."),
            "letters, digits, `-` and `_`",
        );
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
    let types = section::sections(root, &schemas);
    if types.is_empty() && !root.has("user") && !root.has("group") && !root.has("resource") {
        root.missing("user");
    }
    let client = client::client(root);
    let policy = policy::policy(root, &types);
    Some(Mapping {
        tenant: tenant.into(),
        app,
        mode,
        client,
        policy,
        settings,
        target,
        types,
        look_ups,
        examples: example::examples(root),
    })
}

fn settings(root: &Reader<'_>) -> Map<String, Value> {
    root.named("settings")
        .iter()
        .map(|entry| (entry.key.clone(), syntax::data(root.context, &entry.node)))
        .collect()
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
