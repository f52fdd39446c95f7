//! `[target.auth.…]`: how calls are authenticated.

use std::time::Duration;

use url::Url;

use crate::{
    diagnostic::Place,
    mapping::model::{Auth, JwtAssertion, Login, OAuth2, RetryUnit},
    tenant::secret::Secret,
};

use super::{
    call::{self, CALL_KIND},
    context::Context,
    reader::Reader,
    shape::{Kind, Shape, key},
    syntax,
    tree::{Content, Node},
    url_key,
};

static HEADER: Shape = Shape {
    name: "`[target.auth.header]`",
    about: "A header with a fixed value.",
    keys: &[
        key(
            "name",
            Kind::Text,
            "required",
            "The header.",
            "\"X-API-Key\"",
        ),
        key(
            "value",
            Kind::Secret,
            "required",
            "Its value; text around the variable is kept.",
            "\"token ${TOKEN}\"",
        ),
    ],
    base: None,
    others: None,
};

static QUERY: Shape = Shape {
    name: "`[target.auth.query]`",
    about: "A query parameter with a fixed value. Records and logs show it as `***`.",
    keys: &[
        key("name", Kind::Text, "required", "The parameter.", "\"key\""),
        key(
            "value",
            Kind::Secret,
            "required",
            "Its value.",
            "\"${API_KEY}\"",
        ),
    ],
    base: None,
    others: None,
};

static BASIC: Shape = Shape {
    name: "`[target.auth.basic]`",
    about: "HTTP Basic (RFC 7617).",
    keys: &[
        key(
            "user",
            Kind::Text,
            "required",
            "The user's name.",
            "\"gateway\"",
        ),
        key(
            "password",
            Kind::Secret,
            "required",
            "The password.",
            "\"${APP_PASSWORD}\"",
        ),
    ],
    base: None,
    others: None,
};

static BEARER: Shape = Shape {
    name: "`[target.auth.bearer]`",
    about: "`Authorization: Bearer …` (RFC 6750).",
    keys: &[key(
        "token",
        Kind::Secret,
        "required",
        "The token.",
        "\"${TOKEN}\"",
    )],
    base: None,
    others: None,
};

static JWT: Shape = Shape {
    name: "`[target.auth.oauth2.jwt]`",
    about: "A signed assertion (RFC 7523) instead of a client secret.",
    keys: &[
        key(
            "key",
            Kind::Secret,
            "required",
            "The private key: PKCS#8 PEM, RSA (RS256) or P-256 (ES256).",
            "\"file:/run/secrets/key.pem\"",
        ),
        key(
            "key-id",
            Kind::Text,
            "none",
            "`kid` of the header.",
            "\"2026\"",
        ),
        key(
            "issuer",
            Kind::Text,
            "required",
            "`iss`.",
            "\"gateway@example\"",
        ),
        key(
            "subject",
            Kind::Text,
            "the issuer",
            "`sub`.",
            "\"admin@example\"",
        ),
        key(
            "audience",
            Kind::Text,
            "the token URL",
            "`aud`.",
            "\"https://app.example/token\"",
        ),
        key(
            "life",
            Kind::Duration,
            "5m",
            "How long an assertion is valid.",
            "\"5m\"",
        ),
        key(
            "grant",
            Kind::Flag,
            "true",
            "Whether it is the grant itself; `false`: it authenticates the client for client credentials.",
            "false",
        ),
    ],
    base: None,
    others: None,
};

static OAUTH2: Shape = Shape {
    name: "`[target.auth.oauth2]`",
    about: "OAuth 2 client credentials (RFC 6749 §4.4), or a JWT bearer (RFC 7523). Renewed before it expires.",
    keys: &[
        key(
            "token-url",
            Kind::Url,
            "required",
            "Where tokens are had.",
            "\"https://app.example/oauth/token\"",
        ),
        key(
            "client-id",
            Kind::Text,
            "required",
            "The client's id.",
            "\"${CLIENT_ID}\"",
        ),
        key(
            "client-secret",
            Kind::Secret,
            "none: a public client, or `jwt`",
            "The client's secret.",
            "\"${CLIENT_SECRET}\"",
        ),
        key(
            "scope",
            Kind::Text,
            "none",
            "The scopes asked for, separated by spaces.",
            "\"users:write\"",
        ),
        key(
            "parameters",
            Kind::Named(&Kind::Text),
            "none",
            "Further parameters of the token request.",
            "{ audience = \"https://app.example\" }",
        ),
        key(
            "in-body",
            Kind::Flag,
            "false",
            "Sends id and secret in the body instead of a Basic header.",
            "true",
        ),
        key(
            "jwt",
            Kind::Table(&JWT),
            "none",
            "A signed assertion instead of a secret.",
            "",
        ),
    ],
    base: None,
    others: None,
};

static LIFE: Shape = Shape {
    name: "`life`",
    about: "A session lasts as long as the login's answer says.",
    keys: &[
        key(
            "from",
            Kind::Text,
            "required",
            "The name of a value that a step takes.",
            "\"expires\"",
        ),
        key(
            "unit",
            Kind::Choice(&["seconds", "milliseconds", "time"]),
            "\"seconds\"",
            "What the value means; `time` is an RFC 3339 time.",
            "\"milliseconds\"",
        ),
    ],
    base: None,
    others: None,
};

static LOGIN: Shape = Shape {
    name: "`[target.auth.login]`",
    about: "Calls that give a token or cookies. What their `take` names is `login.NAME` in every template.",
    keys: &[
        key(
            "steps",
            Kind::Many(&CALL_KIND),
            "required",
            "The calls, in order. `${NAME}` in them is text: the secrets come from the environment.",
            "[{ call = \"POST /login\", body = { user = \"gw\", password = \"${PASSWORD}\" }, take = { token = '$.token' } }]",
        ),
        key(
            "headers",
            Kind::Named(&Kind::Template),
            "none",
            "Sent with every call once logged in.",
            "{ Authorization = \"Bearer {login.token}\" }",
        ),
        key(
            "query",
            Kind::Named(&Kind::Template),
            "none",
            "Added to every call's query once logged in.",
            "{ sid = \"{login.sid}\" }",
        ),
        key(
            "cookies",
            Kind::Flag,
            "false",
            "Sends cookies of the login's replies back.",
            "true",
        ),
        key(
            "life",
            Kind::OneOf(&[Kind::Duration, Kind::Table(&LIFE)]),
            "what a step takes as `expires_in` says, in seconds; else until told \"not logged in\"",
            "Logged in again after this time, or after what the login's answer says.",
            "\"20m\"",
        ),
    ],
    base: None,
    others: None,
};

static AWS: Shape = Shape {
    name: "`[target.auth.aws-sigv4]`",
    about: "AWS Signature Version 4.",
    keys: &[
        key(
            "access-key",
            Kind::Text,
            "required",
            "The access key's id.",
            "\"${AWS_ACCESS_KEY_ID}\"",
        ),
        key(
            "secret-key",
            Kind::Secret,
            "required",
            "The secret key.",
            "\"${AWS_SECRET_ACCESS_KEY}\"",
        ),
        key(
            "session-token",
            Kind::Secret,
            "none",
            "The session token of temporary credentials.",
            "\"${AWS_SESSION_TOKEN}\"",
        ),
        key(
            "region",
            Kind::Text,
            "required",
            "The region.",
            "\"eu-central-1\"",
        ),
        key(
            "service",
            Kind::Text,
            "required",
            "The service's signing name.",
            "\"identitystore\"",
        ),
    ],
    base: None,
    others: None,
};

/// `[target.auth]`.
pub static AUTH: Shape = Shape {
    name: "`[target.auth]`",
    about: "How calls are authenticated: one of these. Absent: not at all.",
    keys: &[
        key(
            "header",
            Kind::Table(&HEADER),
            "",
            "A header with a fixed value.",
            "",
        ),
        key(
            "query",
            Kind::Table(&QUERY),
            "",
            "A query parameter with a fixed value.",
            "",
        ),
        key("basic", Kind::Table(&BASIC), "", "HTTP Basic.", ""),
        key("bearer", Kind::Table(&BEARER), "", "A bearer token.", ""),
        key("oauth2", Kind::Table(&OAUTH2), "", "OAuth 2.", ""),
        key("login", Kind::Table(&LOGIN), "", "A login call.", ""),
        key("aws-sigv4", Kind::Table(&AWS), "", "AWS Signature 4.", ""),
    ],
    base: None,
    others: None,
};

/// The authentication of a target.
pub(super) fn auth(target: &Reader<'_>) -> Auth {
    let Some(auth) = target.table("auth") else {
        return Auth::None;
    };
    if let Some(second) = auth.second() {
        auth.context.error(
            "mapping::conflicting-keys",
            &second.place,
            "`target.auth` has more than one way to authenticate.".to_owned(),
            "keep one of them",
        );
    }
    if auth.table.entries.is_empty() {
        auth.context.gap(
            "mapping::missing-key",
            auth.place,
            "`target.auth` names no way to authenticate.".to_owned(),
            "add one, such as `[target.auth.bearer]`; an application that wants none has no `[target.auth]`",
        );
    }
    chosen(&auth).unwrap_or(Auth::None)
}

fn chosen(auth: &Reader<'_>) -> Option<Auth> {
    if let Some(header) = auth.table("header") {
        let name = header.required_text("name")?;
        return Some(Auth::Header {
            name: syntax::header_name(auth.context, header.node("name")?, &name)?,
            value: required_secret(&header, "value")?,
        });
    }
    if let Some(query) = auth.table("query") {
        return Some(Auth::Query {
            name: query.required_text("name")?,
            value: required_secret(&query, "value")?,
        });
    }
    if let Some(basic) = auth.table("basic") {
        let (user, password) = (
            basic.required_text("user"),
            required_secret(&basic, "password"),
        );
        return Some(Auth::Basic {
            user: user?,
            password: password?,
        });
    }
    if let Some(bearer) = auth.table("bearer") {
        return Some(Auth::Bearer {
            token: required_secret(&bearer, "token")?,
        });
    }
    if let Some(oauth2) = auth.table("oauth2") {
        return self::oauth2(&oauth2).map(Auth::OAuth2);
    }
    if let Some(login) = auth.table("login") {
        return self::login(&login).map(|login| Auth::Login(Box::new(login)));
    }
    aws(&auth.table("aws-sigv4")?)
}

fn aws(aws: &Reader<'_>) -> Option<Auth> {
    let (access_key, secret_key) = (
        aws.required_text("access-key"),
        required_secret(aws, "secret-key"),
    );
    let (region, service) = (aws.required_text("region"), aws.required_text("service"));
    Some(Auth::AwsSigV4 {
        access_key: access_key?,
        secret_key: secret_key?,
        session_token: secret(aws, "session-token"),
        region: region?,
        service: service?,
    })
}

fn oauth2(reader: &Reader<'_>) -> Option<OAuth2> {
    if !reader.has("token-url") {
        reader.missing("token-url");
    }
    let token_url = url_key::url(reader, "token-url");
    let client_id = reader.required_text("client-id");
    let jwt = reader
        .table("jwt")
        .and_then(|jwt| assertion(&jwt, token_url.as_ref()));
    Some(OAuth2 {
        token_url: token_url?,
        client_id: client_id?,
        client_secret: secret(reader, "client-secret"),
        scope: reader.text("scope"),
        parameters: reader
            .named("parameters")
            .iter()
            .filter_map(|entry| {
                let text = entry.node.as_text()?;
                Some((
                    entry.key.clone(),
                    reader.context.expand(&entry.node, text, false),
                ))
            })
            .collect(),
        is_in_body: reader.flag("in-body").unwrap_or(false),
        jwt,
    })
}

fn assertion(jwt: &Reader<'_>, token_url: Option<&Url>) -> Option<JwtAssertion> {
    let (key, issuer) = (required_secret(jwt, "key"), jwt.required_text("issuer"));
    let issuer = issuer?;
    Some(JwtAssertion {
        key: key?,
        key_id: jwt.text("key-id"),
        subject: jwt.text("subject").unwrap_or_else(|| issuer.clone()),
        issuer,
        audience: jwt
            .text("audience")
            .unwrap_or_else(|| token_url.map(Url::to_string).unwrap_or_default()),
        life: jwt.duration("life").unwrap_or(Duration::from_secs(300)),
        is_grant: jwt.flag("grant").unwrap_or(true),
    })
}

fn login(reader: &Reader<'_>) -> Option<Login> {
    let Some(node) = reader.node("steps") else {
        reader.missing("steps");
        return None;
    };
    let Content::List(items) = &node.content else {
        reader.wrong_type("steps", node);
        return None;
    };
    if items.is_empty() {
        reader.missing("steps");
    }
    items
        .iter()
        .for_each(|item| clear_secrets(reader.context, item));
    Some(Login {
        steps: items
            .iter()
            .filter_map(|item| call::call(reader.context, item, None))
            .collect(),
        headers: syntax::headers(reader, "headers"),
        query: syntax::named_templates(reader, "query"),
        keeps_cookies: reader.flag("cookies").unwrap_or(false),
        life: reader
            .node("life")
            .filter(|node| node.as_table().is_none())
            .and_then(|_| reader.duration("life")),
        life_in_answer: life_in_answer(reader),
        sent_at: sent_at(reader),
        life_at: Some(
            reader
                .node("life")
                .map_or(reader.place, |node| &node.place)
                .clone(),
        ),
    })
}

/// The places of the values of headers and parameters. One that could not be read has none, and then nothing is said of
/// any: names are looked at in whole files only.
fn sent_at(reader: &Reader<'_>) -> Vec<Place> {
    let entries = ["headers", "query"].map(|key| reader.context.muted(|| reader.named(key)));
    let entries = entries.iter().copied().flatten();
    entries.map(|entry| entry.node.place.clone()).collect()
}

/// `life = { from = "expires", unit = "milliseconds" }`.
fn life_in_answer(reader: &Reader<'_>) -> Option<(String, RetryUnit)> {
    reader
        .node("life")
        .filter(|node| node.as_table().is_some())?;
    let life = reader.table("life")?;
    let units = [
        ("seconds", RetryUnit::Seconds),
        ("milliseconds", RetryUnit::Milliseconds),
        ("time", RetryUnit::Time),
    ];
    let unit = life.choice("unit", &units).unwrap_or(RetryUnit::Seconds);
    Some((life.required_text("from")?, unit))
}

/// Complains about passwords and the like that stand in a login call as they are.
fn clear_secrets(context: &Context<'_>, node: &Node) {
    match &node.content {
        Content::List(items) => items.iter().for_each(|item| clear_secrets(context, item)),
        Content::Table(table) => {
            for entry in &table.entries {
                let name = entry.key.to_lowercase();
                let is_secret = [
                    "password", "passwd", "secret", "api_key", "apikey", "api-key",
                ]
                .iter()
                .any(|word| name.contains(word));
                match entry.node.as_text() {
                    Some(text) if is_secret && !text.contains('{') && !text.starts_with('$') => {
                        context
                            .in_clear(&entry.node, "write `${NAME}` and set it in the environment");
                    }
                    _ => clear_secrets(context, &entry.node),
                }
            }
        }
        _ => {}
    }
}

fn required_secret(reader: &Reader<'_>, key: &str) -> Option<Secret> {
    if !reader.has(key) {
        reader.missing(key);
    }
    secret(reader, key)
}

fn secret(reader: &Reader<'_>, key: &str) -> Option<Secret> {
    let (node, text) = reader.raw_text(key)?;
    Some(Secret::new(reader.context.secret(node, text)))
}
