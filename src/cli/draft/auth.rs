//! `[target]` and `[target.auth]`: where the application is and how calls are authenticated.

use serde_json::Value;

use super::{
    document::{Document, Endpoint},
    names::variable,
    sheet::{Row, Sheet, quoted},
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
    match (document.security(), call.and_then(Endpoint::credential)) {
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
            Row::new("value", secret("API_KEY")),
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
