use serde_json::json;

use super::*;
use crate::{
    diagnostic::render,
    mapping::model::{
        Auth, BodyFormat, Form, FormLists, OnDelete, OnUnknown, PageStyle, QueryValue, ReplyKind,
        Rows, Send, Source, Total, UserGroups, WhenRemoved,
    },
    mapping::names::Names,
};

struct Known;

impl Environment for Known {
    fn variable(&self, name: &str) -> Option<String> {
        (name == "KEY").then(|| "a{b}c".to_owned())
    }

    fn secret_file(&self, _path: &str) -> Option<String> {
        Some("from-file\n".to_owned())
    }
}

fn source(path: &str, text: &str) -> Arc<SourceFile> {
    Arc::new(SourceFile {
        path: path.into(),
        text: text.to_owned(),
    })
}

fn app(text: &str) -> Mapping {
    loaded(app_alone(
        &source("apps/x.toml", text),
        &Known,
        MissingValues::AreErrors,
    ))
}

fn loaded(loaded: Loaded) -> Mapping {
    loaded
        .map(|(mapping, _)| mapping)
        .unwrap_or_else(|complaints| panic!("{}", render(&complaints, false)))
}

fn on_top(app: &str, tenant_text: &str) -> Loaded {
    let sources = Sources {
        tenant: source("t.toml", tenant_text),
        app: Some(source("apps/x.toml", app)),
    };
    tenant(&sources, &Known, MissingValues::AreErrors)
}

const SMALL: &str = r#"
app = "x"
[target]
base-url = "https://x.example/api/"
[user]
id     = '$.id'
list   = { call = "GET /users", items = '$.users[*]', page.offset = { start = "o", size = "n" } }
get    = "GET /users/{id}"
create = "POST /users"
update = "PATCH /users/{id}"
delete = "DELETE /users/{id}"
[user.attributes]
'userName' = 'login'
'title'    = 'job'
'active'   = { field = 'on', values = { true = 1, false = 0 } }
"#;

#[test]
fn shipped_applications_load_without_errors() {
    for entry in std::fs::read_dir("mappings/apps").unwrap() {
        let path = entry.unwrap().path();
        let file = source(
            &path.display().to_string(),
            &std::fs::read_to_string(&path).unwrap(),
        );
        assert!(
            !loaded(app_alone(&file, &NoEnvironment, MissingValues::AreWarnings))
                .types
                .is_empty()
        );
    }
}

#[test]
fn defaults_are_those_of_the_reference() {
    let mapping = app(SMALL);
    let user = &mapping.types[0];
    assert_eq!(mapping.target.base_url.as_str(), "https://x.example/api");
    assert_eq!(mapping.target.deadline.as_secs(), 10);
    assert_eq!(mapping.target.format, BodyFormat::Json);
    assert!(matches!(mapping.target.auth, Auth::None));
    assert!(
        mapping.target.id_pattern.is_match("ada@example.com")
            && !mapping.target.id_pattern.is_match("a\nb")
    );
    assert_eq!(mapping.policy.on_delete, OnDelete::Delete);
    assert_eq!(
        mapping.policy.max_shrink.map(|shrink| shrink.percent),
        Some(50)
    );
    assert_eq!(user.match_attribute.to_string(), "userName");
    assert!(user.id.is_stable && !user.id.is_number);
    assert!(
        user.get.as_ref().unwrap().steps[0].is_safe()
            && !user.create.as_ref().unwrap().steps[0].is_safe()
    );
    let removed: Vec<_> = user
        .attributes
        .iter()
        .map(|line| line.when_removed.clone())
        .collect();
    assert_eq!(
        removed,
        [WhenRemoved::Null, WhenRemoved::Null, WhenRemoved::Skip]
    );
}

#[test]
fn a_tenant_changes_line_by_line() {
    let tenant = r#"
tenant = "acme"
app = "x"
[target]
deadline = "5s"
[user]
delete = false
list.page.number = { number = "page" }
[user.update]
send = "all"
[user.create]
constants = { groups = [4], 'a.b' = "none" }
[user.attributes]
'title'       = { keep = true }
'active'      = false
'displayName' = 'name'
[policy]
on-delete = "refuse"
"#;
    let mapping = loaded(on_top(SMALL, tenant));
    let user = &mapping.types[0];
    assert_eq!(mapping.target.deadline.as_secs(), 5);
    assert_eq!(mapping.target.base_url.as_str(), "https://x.example/api");
    assert!(user.delete.is_none());
    assert!(
        matches!(&user.lists[0].page.style, PageStyle::Number { number, .. } if number.as_deref() == Some("page"))
    );
    assert_eq!(user.updates[0].send, Send::All);
    assert_eq!(user.updates[0].steps[0].path.source(), "/users/{id}");
    assert_eq!(user.constants.len(), 2);
    let constant = user.constants[0].1.render(&Names::new()).unwrap();
    assert_eq!(constant, Some(json!([4])));
    let lines: Vec<String> = user
        .attributes
        .iter()
        .map(|line| line.location.path.to_string())
        .collect();
    assert_eq!(lines, ["userName", "title", "displayName"]);
    assert!(user.attributes[1].is_kept && user.attributes[1].write.is_none());
    assert_eq!(
        user.attributes[0].place.file.path.to_str(),
        Some("apps/x.toml")
    );
    assert_eq!(user.attributes[2].place.file.path.to_str(), Some("t.toml"));
}

#[test]
fn values_of_the_environment_are_text_and_never_expressions() {
    let text = SMALL.replace(
        "[user]\n",
        "headers = { X = \"${KEY}-{settings.a}\" }\nauth.bearer.token = \"t ${KEY}\"\n[settings]\na = \"$${KEY}\"\n[user]\n",
    );
    let mapping = app(&text);
    assert_eq!(mapping.settings["a"], json!("${KEY}"));
    assert_eq!(mapping.target.headers[0].1.source(), "a{{b}}c-{settings.a}");
    match &mapping.target.auth {
        Auth::Bearer { token } => assert_eq!(token.expose(), "t a{b}c"),
        other => panic!("{other:?}"),
    }
    let text = SMALL.replace("[user]\n", "auth.bearer.token = \"file:/x\"\n[user]\n");
    match app(&text).target.auth {
        Auth::Bearer { token } => assert_eq!(token.expose(), "from-file"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn missing_values_are_warnings_only_where_asked() {
    let text = SMALL.replace("https://x.example/api/", "${NOWHERE}");
    let file = source("apps/x.toml", &text);
    let (_, warnings) = app_alone(&file, &Known, MissingValues::AreWarnings).unwrap();
    assert_eq!(warnings[0].code, "mapping::unset-variable");
    let errors = app_alone(&file, &Known, MissingValues::AreErrors).unwrap_err();
    assert!(errors[0].is_error());
}

#[test]
fn a_find_on_the_path_of_the_list_is_read_like_the_list() {
    let text = format!(
        "{SMALL}\n[[user.find]]\nfilter = \"userName eq\"\ncall = \"GET /users?q={{value}}&state=a%20b\"\n\
         [[user.find]]\nfilter = \"title co\"\ncall = \"GET /titles/{{value}}\"\nrows = \"reference\"\n"
    );
    let mapping = app(&text);
    let finds = &mapping.types[0].finds;
    assert_eq!(finds[0].items.as_ref().unwrap().source(), "$.users[*]");
    assert!(
        matches!(&finds[0].page.style, PageStyle::Offset { start, .. } if start.as_deref() == Some("o"))
    );
    let query: Vec<_> = finds[0]
        .call
        .query
        .iter()
        .map(|(name, value)| match value {
            QueryValue::Text(template) => (name.as_str(), template.source()),
            QueryValue::Json(_) => panic!("{name} is data"),
        })
        .collect();
    assert_eq!(query, [("q", "{value}"), ("state", "a b")]);
    assert!(finds[1].items.is_none() && matches!(finds[1].page.style, PageStyle::None));
    assert_eq!(finds[1].rows, Rows::Reference);
}

#[test]
fn the_name_of_the_application_is_found_without_loading() {
    assert_eq!(
        app_name(&source("t.toml", "tenant = \"a\"\napp = \"x\"")).as_deref(),
        Some("x")
    );
    for text in ["app = \"../x\"", "app = 5", "", "app = \"\""] {
        assert_eq!(app_name(&source("t.toml", text)), None, "{text}");
    }
    assert!(is_app_file(&source("x.toml", "app = \"x\"")));
    assert!(is_app_file(&source("apps/x.toml", "")));
    assert!(!is_app_file(&source(
        "x.toml",
        "app = \"x\"\ntenant = \"t\""
    )));
}

/// Every style of everything at least once: a key that is read must be in the shape of its table, which debug builds assert.
const LARGE: &str = r#"
app = "x"
[settings]
org = 7
[target]
base-url   = "https://x.example"
format     = "form"
form-lists = "brackets"
content    = '$.result'
max-reply  = "1MiB"
redact     = ['$.secret']
ca         = "/ca.pem"
query      = { v = 2 }
client-certificate = { certificate = "/c.pem", key = "/k.pem" }
[target.wrap]
jsonrpc = "2.0"
method  = "{method}"
params  = "{body}"
[target.auth.login]
steps   = [{ call = "POST /login", body = { key = "${KEY}" }, with = { method = "in" }, take = { token = '$.t', c = { cookie = "c" }, h = { header = "H" } } }]
headers = { Authorization = "{login.token}" }
cookies = true
life    = "20m"
[target.budget]
calls = "5/s"
[target.errors]
retry-after = { path = '$.ms', unit = "milliseconds" }
rules = [{ status = [404, "410-411"], header = { name = "X", matches = "a" }, when = 'error.code == 1', matches = "b", is = "not-found", say = "gone" }]
[user]
id    = { from = '$.id', stable = false, type = "number" }
match = "userName"
scope = 'org == settings.org'
gone  = 'deleted'
get   = { call = "GET /u/{id}", content-type = "a/b", object = '$.o', envelope = "" }
delete = { call = "DELETE /u/{id}", get-first = true, tolerate = [404] }
activate   = { call = "PUT /u/{id}/on?with={settings.org}", with = { method = "on" } }
deactivate = { call = "DELETE /u/{id}/on", if = 'old.on', repeatable = true }
rename     = "DELETE /u/{id}/name"
set-password = "DELETE /u/{id}/password"
fixed = [{ id = "1", login = "root" }]
[[user.list]]
call = "GET /u"
keyed-by = "id"
set = { on = true }
lacks = ["active"]
page.cursor = { parameter = "c", next = '$.n', total = { call = "GET /count", path = '$.n' } }
[[user.list]]
call = "GET /v"
page.link = { size = { parameter = "n", most = 5 }, total = { header = "X-Total" } }
[user.create]
steps = [
  { call = "POST /u", body = "{fields}", with = { method = "make" }, take = { at = { header-segment = "Location" }, x = "{settings.org}" } },
  { call = "GET /u/{at}", poll = { until = 'ready', every = "10ms", most = 5 } },
]
id    = "{at}"
reply = "none"
rules = [{ status = 409, is = "uniqueness" }]
[[user.update]]
call   = "PUT /u/{id}"
with   = { method = "mail" }
covers = ["emails"]
send   = "merged"
if-match = true
[[user.update]]
call      = "PATCH /u/{id}"
with      = { method = "rest" }
read-back = true
when-changed = ["title", "emails"]
[user.groups]
items   = '$.groups[*]'
id      = '$.id'
display = '$.name'
[user.attributes]
'userName'     = { field = 'login', pattern = '^[a-z]+$', max-length = 10, as = "lower" }
'emails'       = { items = 'mails', each = { value = '', type = { field = 'kind', values = { work = 1, home = 2 }, unknown = { read = { value = "other" }, write = "drop" } } }, if = 'kind', constants = { a = 1 } }
'title'        = { field = 't', as = { boolean-text = ["Y", "N"] }, when-removed = { value = "-" }, when-absent = "x" }
'locale'       = { field = 'l', as = { joined = ";" }, when-removed = "empty" }
'meta.created' = { field = 'c', as = { time = "%Y", zone = "Europe/Vienna" } }
'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager' = { field = 'boss', reference = "User" }
'urn:example:hr:1.0:User:tags' = 'tags'
[schema."urn:example:hr:1.0:User"]
attributes = [{ name = "tags", multi-valued = true }, { name = "c", type = "complex", sub-attributes = [{ name = "d" }] }]
[group]
id = { from = '$.id', prefix = "g-" }
list = "GET /g"
get = "GET /g/{id}"
[group.attributes]
'displayName' = 'name'
[group.members]
field = { field = 'm', id = '$.u', is-group = "g", element = { u = "{member}" } }
name  = "{login}"
types = ["User", "Group"]
[resource.role]
id = '$.id'
list = "GET /r"
get = "GET /r/{id}"
endpoint = "/Roles"
schema = "urn:okta:scim:schemas:core:1.0:Role"
[resource.role.attributes]
'displayName' = 'name'
"#;

#[test]
fn every_style_is_read() {
    let mapping = app(LARGE);
    let user = &mapping.types[0];
    assert_eq!(mapping.target.format, BodyFormat::Form(FormLists::Brackets));
    match &mapping.target.auth {
        Auth::Login(login) => assert!(login.keeps_cookies && login.steps[0].take.len() == 3),
        other => panic!("{other:?}"),
    }
    assert_eq!(mapping.target.rules[0].status.len(), 2);
    assert!(!user.id.is_stable && user.id.is_number);
    assert!(matches!(
        (&user.lists[0].page.style, &user.lists[0].page.total),
        (PageStyle::Cursor { .. }, Some(Total::Call(..)))
    ));
    assert!(matches!(
        (&user.lists[1].page.style, &user.lists[1].page.total),
        (PageStyle::Link, Some(Total::Header(_)))
    ));
    let create = user.create.as_ref().unwrap();
    assert_eq!((create.steps.len(), create.reply), (2, ReplyKind::Nothing));
    assert!(matches!(create.id, Some(Source::Computed(_))));
    assert!(
        create.steps.iter().all(|step| step.rules.len() == 1),
        "rules beside steps are about all of them"
    );
    assert!(matches!(user.groups, Some(UserGroups::Field { .. })));
    let each = user.attributes[1].each.as_ref().unwrap();
    assert!(each.parts[0].place.is_whole());
    assert_eq!(
        each.parts[1].values.as_ref().unwrap().unknown_read,
        OnUnknown::Value(json!("other"))
    );
    assert_eq!(user.attributes[3].form, Form::Joined(";".to_owned()));
    assert_eq!(
        user.attributes[5].location.path.sub_attribute.as_deref(),
        Some("value")
    );
    assert_eq!(user.resource_type.extensions.len(), 2);
    assert_eq!(
        mapping.types[1].members.as_ref().unwrap().types,
        ["User", "Group"]
    );
    assert_eq!(mapping.types[2].resource_type.endpoint, "/Roles");
}

#[test]
fn every_way_to_authenticate_is_read() {
    for (table, is_it) in [
        (
            "header = { name = \"X\", value = \"${KEY}\" }",
            (|auth| matches!(auth, Auth::Header { .. })) as fn(&Auth) -> bool,
        ),
        ("query = { name = \"k\", value = \"${KEY}\" }", |auth| {
            matches!(auth, Auth::Query { .. })
        }),
        ("basic = { user = \"u\", password = \"${KEY}\" }", |auth| {
            matches!(auth, Auth::Basic { .. })
        }),
        ("bearer = { token = \"${KEY}\" }", |auth| {
            matches!(auth, Auth::Bearer { .. })
        }),
        (
            "oauth2 = { token-url = \"https://x.example/t\", client-id = \"c\", client-secret = \"${KEY}\", scope = \"s\", parameters = { a = \"b\" }, in-body = true }",
            |auth| matches!(auth, Auth::OAuth2(oauth2) if oauth2.is_in_body && oauth2.parameters.len() == 1),
        ),
        (
            "oauth2 = { token-url = \"https://x.example/t\", client-id = \"c\", jwt = { key = \"file:/k\", issuer = \"i\" } }",
            |auth| matches!(auth, Auth::OAuth2(oauth2) if oauth2.jwt.as_ref().is_some_and(|jwt| jwt.subject == "i" && jwt.audience == "https://x.example/t")),
        ),
        (
            "aws-sigv4 = { access-key = \"a\", secret-key = \"${KEY}\", region = \"r\", service = \"s\" }",
            |auth| matches!(auth, Auth::AwsSigV4 { .. }),
        ),
    ] {
        let mapping = app(&SMALL.replace("[user]\n", &format!("auth.{table}\n[user]\n")));
        assert!(is_it(&mapping.target.auth), "{table}");
    }
}

#[test]
fn names_in_the_reference_are_told_apart_by_their_anchors() {
    let page = reference_markdown();
    let mut anchors: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("<a id=\""))
        .collect();
    let count = anchors.len();
    anchors.sort_unstable();
    anchors.dedup();
    assert_eq!(anchors.len(), count);
    assert!(count > 40);
}
