//! `[target]` and `[target.auth]`: where the application is and how calls are authenticated.

use serde_json::Value;

use super::{
    document::{Document, Endpoint},
    names::{normal, variable},
    operations::toml_key,
    sheet::{Row, Sheet, literal, quoted},
};

/// Writes `[target]` with its authentication. `call` is a call that needs it.
pub(super) fn write(
    sheet: &mut Sheet,
    document: &Document<'_>,
    app: &str,
    call: Option<&Endpoint<'_>>,
) {
    let prefix = variable(app);
    sheet.heading("target");
    match document.server() {
        Some(url) if url.starts_with("https://") && !url.contains('{') => {
            sheet.guess("the first of the document's servers.");
            let url = url.trim_end_matches('/');
            sheet.line(&format!("base-url = {}", quoted(url)));
        }
        // `//app.example/api`: whatever the page's own scheme is.
        Some(url) if url.starts_with("//") && !url.contains('{') => {
            sheet.guess("the first of the document's servers.");
            let url = url.trim_end_matches('/');
            sheet.line(&format!("base-url = {}", quoted(&format!("https:{url}"))));
        }
        Some(url) if url.starts_with('/') && !url.contains('{') => {
            sheet.todo("the document gives the path only: set the variable to the origin, such as https://app.example.");
            let path = url.trim_end_matches('/');
            sheet.line(&format!("base-url = \"${{{prefix}_URL}}{path}\""));
        }
        found => {
            sheet.todo(&match found {
                Some(url) => format!(
                    "the document says `{url}`; set the variable to where the application is."
                ),
                None => "the document has no server; set the variable to where the application is."
                    .to_owned(),
            });
            sheet.line(&format!("base-url = \"${{{prefix}_URL}}\""));
        }
    }
    let ways = document.security(call);
    let keys = ways
        .iter()
        .filter(|(_, scheme)| scheme.get(SHOWN).is_none());
    let first = keys.min_by_key(|(_, scheme)| rank(scheme)).copied();
    others(sheet, &ways, first, &prefix);
    match (first, call.and_then(Endpoint::credential)) {
        (Some((name, scheme)), _) => scheme_of(sheet, name, scheme, &prefix),
        (None, Some(header)) => {
            let scheme = serde_json::json!({"type": "apiKey", "in": "header", "name": header});
            scheme_of(sheet, header, &scheme, &prefix);
        }
        (None, None) => {
            sheet.blank();
            sheet.todo("the document does not say how calls are authenticated: add [target.auth.header], basic, bearer, oauth2 or login.");
        }
    }
    propose_login(sheet, document, first.map(|(_, scheme)| scheme), &prefix);
}

/// The headers of a key in several parts, but for the one that `[target.auth]` sends.
fn others(sheet: &mut Sheet, ways: &[(&str, &Value)], first: Option<(&str, &Value)>, prefix: &str) {
    let text = |scheme: &Value, key: &str| -> String {
        scheme.get(key).and_then(Value::as_str).unwrap_or("").into()
    };
    let mut pairs: Vec<String> = Vec::new();
    for (name, scheme) in ways {
        if first.is_some_and(|(known, _)| known == *name) || text(scheme, "in") != "header" {
            continue;
        }
        let header = text(scheme, "name");
        let value = match scheme.get(SHOWN).and_then(Value::as_str) {
            Some(shown) => quoted(shown),
            None => quoted(&format!("${{{}}}", secret_of(&header, prefix))),
        };
        pairs.push(format!("{} = {value}", toml_key(&header)));
    }
    if !pairs.is_empty() {
        sheet.line(&format!("headers  = {{ {} }}", pairs.join(", ")));
    }
}

/// Which of several keys is the secret one: 0 most probably.
fn rank(scheme: &Value) -> usize {
    let name = scheme.get("name").and_then(Value::as_str).unwrap_or("");
    let name = name.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| name.contains(word));
    match scheme.get("type").and_then(Value::as_str) {
        Some("http" | "oauth2") => 0,
        _ if name == "authorization" => 0,
        _ if says(&["secret", "password", "master"]) => 1,
        _ if says(&["token", "key", "auth"])
            && !says(&["application", "appkey", "app-key", "-id"]) =>
        {
            2
        }
        _ => 3,
    }
}

/// The variable of a header: `X-Api-Key` is `PREFIX_API_KEY`.
fn secret_of(header: &str, prefix: &str) -> String {
    if header.is_empty() || header.eq_ignore_ascii_case("authorization") {
        return format!("{prefix}_API_KEY");
    }
    let own = variable(header);
    let own = own.strip_prefix("X_").unwrap_or(&own);
    match own.strip_prefix(prefix) {
        Some(rest) if rest.starts_with('_') => own.to_owned(),
        _ => format!("{prefix}_{own}"),
    }
}

/// A call that gives a token for a name and a password, as a proposal: the token of the draft is one made by hand.
fn propose_login(sheet: &mut Sheet, document: &Document<'_>, scheme: Option<&Value>, prefix: &str) {
    let text = |key: &str| {
        scheme
            .and_then(|scheme| scheme.get(key)?.as_str())
            .unwrap_or("")
    };
    let is_session = text("in") == "cookie";
    if !is_session && !text("scheme").eq_ignore_ascii_case("bearer") {
        return;
    }
    let Some(login) = document.login() else {
        return;
    };
    let mut body = Vec::new();
    for field in &login.fields {
        let value = match normal(field).as_str() {
            name if name.contains("pass") => format!("${{{prefix}_PASSWORD}}"),
            _ => format!("${{{prefix}_USER}}"),
        };
        body.push(format!("{} = {}", toml_key(field), quoted(&value)));
    }
    sheet.blank();
    let path = login.path;
    sheet.guess(&format!("`POST {path}` signs in. To use it instead:"));
    sheet.comment("[target.auth.login]");
    let (take, send) = match &login.token {
        Some(token) if !is_session => (
            format!(", take = {{ token = {} }}", literal(token)),
            "headers = { Authorization = \"Bearer {login.token}\" }",
        ),
        _ => (String::new(), "cookies = true"),
    };
    sheet.comment(&format!(
        "steps   = [{{ call = {}, body = {{ {} }}{take} }}]",
        quoted(&format!("POST {path}")),
        body.join(", ")
    ));
    sheet.comment(send);
}

fn scheme_of(sheet: &mut Sheet, name: &str, scheme: &Value, prefix: &str) {
    let text = |key: &str| scheme.get(key).and_then(Value::as_str).unwrap_or("");
    let is = |kind: &str, place: &str| text("type") == kind && text("in") == place;
    let secret = |what: &str| quoted(&format!("${{{prefix}_{what}}}"));
    if is("apiKey", "header") || is("apiKey", "query") {
        sheet.heading(&format!("target.auth.{}", text("in")));
        if text("name").eq_ignore_ascii_case("authorization") {
            sheet.guess("the bare key; some applications want a word before it, such as `Token `.");
        }
        sheet.table(&[
            Row::new("name", quoted(text("name"))),
            Row::new(
                "value",
                quoted(&format!("${{{}}}", secret_of(text("name"), prefix))),
            ),
        ]);
    } else if text("type") == "http" && text("scheme").eq_ignore_ascii_case("basic") {
        sheet.heading("target.auth.basic");
        sheet.table(&[
            Row::new("user", secret("USER")),
            Row::new("password", secret("PASSWORD")),
        ]);
    } else if text("type") == "http" && text("scheme").eq_ignore_ascii_case("bearer") {
        sheet.heading("target.auth.bearer");
        sheet.line(&format!("token = {}", secret("TOKEN")));
    } else if let Some(flow) = scheme.pointer("/flows/clientCredentials") {
        client_credentials(sheet, flow, prefix);
    } else {
        sheet.blank();
        sheet.todo(&format!(
            "`{name}` ({}) is no way for a service to sign in by itself, or needs calls of its own: see [target.auth.login]; a token made by hand is [target.auth.bearer].",
            text("type")
        ));
        sheet.heading("target.auth.bearer");
        sheet.line(&format!("token = {}", secret("TOKEN")));
    }
}

fn client_credentials(sheet: &mut Sheet, flow: &Value, prefix: &str) {
    let url = flow.get("tokenUrl").and_then(Value::as_str).unwrap_or("");
    sheet.heading("target.auth.oauth2");
    let mut rows = Vec::new();
    if url.starts_with("https://") {
        rows.push(Row::new("token-url", quoted(url)));
    } else {
        sheet.todo(&format!("the document says `{url}`: give the whole URL."));
        rows.push(Row::new(
            "token-url",
            quoted(&format!("${{{prefix}_TOKEN_URL}}")),
        ));
    }
    rows.push(Row::new(
        "client-id",
        quoted(&format!("${{{prefix}_CLIENT_ID}}")),
    ));
    rows.push(Row::new(
        "client-secret",
        quoted(&format!("${{{prefix}_CLIENT_SECRET}}")),
    ));
    let scopes = flow.get("scopes").and_then(Value::as_object);
    let wanted: Vec<&str> = scopes
        .into_iter()
        .flat_map(|scopes| scopes.keys())
        .map(String::as_str)
        .filter(|scope| {
            ["user", "group", "member", "team", "people"]
                .iter()
                .any(|word| scope.contains(word))
        })
        .collect();
    if !wanted.is_empty() {
        rows.push(
            Row::new("scope", quoted(&wanted.join(" ")))
                .guess("all that speak of users and groups"),
        );
    }
    sheet.table(&rows);
}

/// The value of a header that is no secret, in a probe's document.
pub(super) const SHOWN: &str = "x-value";
