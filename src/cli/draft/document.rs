//! An OpenAPI 3 document: references followed, schemas flattened.

use serde_json::{Map, Value};

use super::{DraftError, names::normal};

/// An OpenAPI 3 document.
pub(super) struct Document<'d> {
    root: &'d Value,
}

/// One property of a schema.
#[derive(Clone, Copy)]
pub(super) struct Property<'d> {
    pub name: &'d str,
    /// References followed.
    pub schema: &'d Value,
    pub is_required: bool,
}

/// A parameter that is JSON, and its members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Within<'d> {
    pub parameter: &'d str,
    /// For the page's number.
    pub number: &'d str,
    /// For its size.
    pub size: &'d str,
    /// Whether it takes `filters` of `col`, `opr` and `value`, as Flask-AppBuilder's does.
    pub has_filters: bool,
}

/// A call that signs in.
pub(super) struct Login<'d> {
    pub path: &'d str,
    /// Those of its body that are the name and the password.
    pub fields: Vec<&'d str>,
    /// Where the token is in its reply; absent: it is not said.
    pub token: Option<String>,
}

/// One operation: a method of a path.
#[derive(Clone, Copy)]
pub(super) struct Endpoint<'d> {
    document: &'d Document<'d>,
    pub path: &'d str,
    pub method: &'static str,
    item: &'d Value,
    operation: &'d Value,
}

impl<'d> Document<'d> {
    pub fn new(root: &'d Value) -> Result<Self, DraftError> {
        match root.get("openapi").and_then(Value::as_str) {
            Some(version) if version.starts_with("3.") => Ok(Self { root }),
            _ => Err(DraftError::NotOpenApi),
        }
    }

    pub fn title(&self) -> &'d str {
        self.text("/info/title").unwrap_or("The application")
    }

    /// `OpenAPI document 1.4`.
    pub fn version(&self) -> String {
        match self.text("/info/version") {
            Some(version) => format!("its OpenAPI document, version {version}"),
            None => "its OpenAPI document".to_owned(),
        }
    }

    pub fn server(&self) -> Option<&'d str> {
        self.text("/servers/0/url")
    }

    /// Whether the document is what a probe saw: then what it lacks was not looked for.
    pub fn is_probed(&self) -> bool {
        self.root.get(PROBED).is_some()
    }

    /// The security schemes that fit a service best: those of one way to sign in, among the ways of a call, or else those
    /// of everywhere, or else all. Several at once are a key in two parts.
    pub fn security(&'d self, call: Option<&Endpoint<'d>>) -> Vec<(&'d str, &'d Value)> {
        let schemes = self.root.pointer("/components/securitySchemes");
        let Some(schemes) = schemes.and_then(Value::as_object) else {
            return Vec::new();
        };
        let known = |way: &'d Map<String, Value>| -> Vec<(&'d str, &'d Value)> {
            let named = way.keys().filter_map(|name| schemes.get_key_value(name));
            named
                .map(|(name, scheme)| (name.as_str(), self.resolve(scheme)))
                .collect()
        };
        let ways = |holder: &'d Value| -> Vec<Vec<(&'d str, &'d Value)>> {
            let ways = list(holder, "security").filter_map(Value::as_object);
            ways.map(known).filter(|way| !way.is_empty()).collect()
        };
        let unfit = |way: &Vec<(&str, &'d Value)>| {
            let schemes = way.iter().map(|(_, scheme)| unfitness(scheme));
            schemes.max().unwrap_or_default()
        };
        let mut wanted = call.map(|call| ways(call.operation)).unwrap_or_default();
        // A call for people that are signed in may say less than is so.
        if wanted.iter().all(|way| unfit(way) >= UNFIT) {
            wanted.extend(ways(self.root));
        }
        let alone =
            |(name, scheme): (&'d String, &'d Value)| vec![(name.as_str(), self.resolve(scheme))];
        let mut all = schemes.iter().map(alone);
        if wanted.is_empty() {
            wanted = all.collect();
            let is_header = |way: &Vec<(&str, &Value)>| {
                way.iter().all(|(_, scheme)| {
                    let is = |key: &str, value: &str| scheme.get(key).is_some_and(|v| v == value);
                    is("type", "apiKey") && is("in", "header")
                })
            };
            // Several keys in headers, and no word about which: they are parts of one.
            if wanted.len() > 1 && wanted.iter().all(is_header) {
                wanted = vec![wanted.into_iter().flatten().collect()];
            }
        } else if wanted.iter().all(|way| unfit(way) >= UNFIT) {
            wanted.extend(all.find(|way| unfit(way) < UNFIT));
        }
        wanted.into_iter().min_by_key(unfit).unwrap_or_default()
    }

    pub fn paths(&self) -> impl Iterator<Item = &'d str> + use<'d> {
        let paths = self.root.get("paths").and_then(Value::as_object);
        paths.into_iter().flat_map(Map::keys).map(String::as_str)
    }

    /// The operation at a path; where the path has none, at the same with or without a slash at its end.
    pub fn endpoint(&'d self, path: &'d str, method: &'static str) -> Option<Endpoint<'d>> {
        let same = |known: &&str| {
            *known != path && known.trim_end_matches('/') == path.trim_end_matches('/')
        };
        self.exactly(path, method)
            .or_else(|| self.exactly(self.paths().find(same)?, method))
    }

    fn exactly(&'d self, path: &'d str, method: &'static str) -> Option<Endpoint<'d>> {
        let item = self.resolve(self.root.get("paths")?.get(path)?);
        let operation = item.get(method)?;
        Some(Endpoint {
            document: self,
            path,
            method,
            item,
            operation,
        })
    }

    /// The call that signs in by a name and a password, if the document has one.
    pub fn login(&'d self) -> Option<Login<'d>> {
        self.paths().find_map(|path| {
            let last = normal(path.trim_end_matches('/').rsplit('/').next()?);
            let is_login = LOGINS.contains(&last.as_str()) && !path.contains('{');
            let endpoint = is_login.then(|| self.endpoint(path, "post")).flatten()?;
            let (_, body) = endpoint.request()?;
            let fields: Vec<&str> = self
                .properties(body)
                .iter()
                .map(|property| property.name)
                .filter(|name| {
                    let name = normal(name);
                    ["username", "user", "login", "email", "name"].contains(&name.as_str())
                        || name == "password"
                        || name == "passwd"
                })
                .collect();
            let has_password = fields.iter().any(|name| normal(name).starts_with("pass"));
            let token = endpoint.reply().and_then(|reply| {
                let properties = self.properties(reply);
                let is_token = |property: &&Property<'_>| {
                    ["accesstoken", "token", "jwt", "idtoken", "authtoken"]
                        .contains(&normal(property.name).as_str())
                };
                let found = properties.iter().find(is_token)?;
                Some(format!("$.{}", found.name))
            });
            (has_password && fields.len() == 2).then_some(Login {
                path,
                fields,
                token,
            })
        })
    }

    /// Follows `$ref` within the document, and what is wrapped only to say more about it. What cannot be followed stays
    /// what it is.
    pub fn resolve(&self, value: &'d Value) -> &'d Value {
        let mut value = value;
        for _ in 0..MOST_REFERENCES {
            let reference = value.get("$ref").and_then(Value::as_str);
            let pointer = reference.and_then(|reference| reference.strip_prefix('#'));
            let found = pointer.and_then(|pointer| self.root.pointer(pointer));
            match found.or_else(|| only_part(value)) {
                Some(found) => value = found,
                None => break,
            }
        }
        value
    }

    /// The properties of a schema, those of `allOf` among them; of `oneOf` and `anyOf` the first kind's.
    pub fn properties(&self, schema: &'d Value) -> Vec<Property<'d>> {
        let mut found = Vec::new();
        self.collect(schema, &mut found, 0);
        found
    }

    fn collect(&self, schema: &'d Value, found: &mut Vec<Property<'d>>, depth: usize) {
        if depth > DEEPEST {
            return;
        }
        let schema = self.resolve(schema);
        let required: Vec<&str> = list(schema, "required").filter_map(Value::as_str).collect();
        let properties = schema.get("properties").and_then(Value::as_object);
        for (name, property) in properties.into_iter().flatten() {
            if found.iter().any(|known| known.name == name) {
                continue;
            }
            found.push(Property {
                name,
                schema: self.resolve(property),
                is_required: required.contains(&name.as_str()),
            });
        }
        for part in list(schema, "allOf") {
            self.collect(part, found, depth + 1);
        }
        for part in list(schema, "oneOf").chain(list(schema, "anyOf")).take(1) {
            self.collect(part, found, depth + 1);
        }
        // `allOf` may require what another part describes.
        for property in found.iter_mut() {
            property.is_required |= required.contains(&property.name);
        }
    }

    /// The schema of a list's elements, if it is a list.
    pub fn elements(&self, schema: &'d Value) -> Option<&'d Value> {
        let schema = self.resolve(schema);
        (type_of(schema) == "array").then(|| self.resolve(schema.get("items").unwrap_or(schema)))
    }

    fn text(&self, pointer: &str) -> Option<&'d str> {
        self.root
            .pointer(pointer)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    }
}

impl<'d> Endpoint<'d> {
    /// Query parameters: name and schema. Those of the path come first.
    pub fn query(&self) -> Vec<(&'d str, &'d Value)> {
        self.parameters("query")
    }

    /// The header that a call's credential stands in, where it is described as a parameter.
    pub fn credential(&self) -> Option<&'d str> {
        let mut headers = self.parameters("header").into_iter().map(|(name, _)| name);
        headers.find(|name| {
            let name = name.to_ascii_lowercase().replace(['-', '_'], "");
            let is_secret = ["authorization", "apikey", "token", "accesskey"]
                .iter()
                .any(|word| name.ends_with(word));
            is_secret && !NO_CREDENTIALS.iter().any(|word| name.contains(word))
        })
    }

    fn parameters(&self, place: &str) -> Vec<(&'d str, &'d Value)> {
        list(self.item, "parameters")
            .chain(list(self.operation, "parameters"))
            .map(|parameter| self.document.resolve(parameter))
            .filter(|parameter| parameter.get("in").and_then(Value::as_str) == Some(place))
            .filter_map(|parameter| {
                let schema = parameter.get("schema").unwrap_or(&Value::Null);
                Some((
                    parameter.get("name")?.as_str()?,
                    self.document.resolve(schema),
                ))
            })
            .collect()
    }

    /// The media type and schema of the body, JSON before all others.
    pub fn request(&self) -> Option<(&'d str, &'d Value)> {
        let body = self.document.resolve(self.operation.get("requestBody")?);
        self.content(body)
    }

    /// The schema of the answer that means success.
    pub fn reply(&self) -> Option<&'d Value> {
        self.successes().find_map(|(_, answer)| {
            let (_, schema) = self.content(answer)?;
            Some(schema)
        })
    }

    /// A member of the operation that only a probe's document has.
    pub fn extension(&self, name: &str) -> Option<&'d Value> {
        self.operation.get(name)
    }

    /// A query parameter that is JSON and holds the page within.
    pub fn page_within(&self) -> Option<Within<'d>> {
        let all = list(self.item, "parameters").chain(list(self.operation, "parameters"));
        let mut all = all.map(|parameter| self.document.resolve(parameter));
        all.find_map(|parameter| {
            let schema = parameter.pointer("/content/application~1json/schema")?;
            let properties = self.document.properties(schema);
            let named = |wanted: &[&str]| {
                let mut properties = properties.iter();
                let found = properties.find(|p| wanted.contains(&normal(p.name).as_str()));
                found.map(|property| property.name)
            };
            let filters = properties.iter().find(|p| normal(p.name) == "filters");
            let filter = filters.and_then(|filters| self.document.elements(filters.schema));
            let parts = filter.map(|filter| self.document.properties(filter));
            let is_filter = |wanted: &str| parts.iter().flatten().any(|part| part.name == wanted);
            Some(Within {
                parameter: parameter.get("name")?.as_str()?,
                number: named(&["page"])?,
                size: named(&["pagesize", "perpage"])?,
                has_filters: ["col", "opr", "value"].iter().all(|part| is_filter(part)),
            })
        })
    }

    /// Whether a header comes with success.
    pub fn replies_with(&self, header: &str) -> Option<&'d str> {
        self.successes()
            .find_map(|(_, answer)| header_of(answer, header))
    }

    /// Whether a status is among the answers.
    pub fn has_status(&self, status: &str) -> bool {
        self.operation
            .get("responses")
            .is_some_and(|responses| responses.get(status).is_some())
    }

    /// The schema of a refusal.
    pub fn refusal(&self) -> Option<&'d Value> {
        let responses = self.operation.get("responses")?.as_object()?;
        let mut refusals = responses
            .iter()
            .filter(|(status, _)| status.starts_with('4') || *status == "default");
        refusals.find_map(|(_, answer)| {
            let (_, schema) = self.content(self.document.resolve(answer))?;
            Some(schema)
        })
    }

    fn successes(&self) -> impl Iterator<Item = (&'d str, &'d Value)> + use<'d> {
        let document = self.document;
        let responses = self.operation.get("responses").and_then(Value::as_object);
        responses
            .into_iter()
            .flatten()
            .filter(|(status, _)| status.starts_with('2'))
            .map(|(status, answer)| (status.as_str(), document.resolve(answer)))
    }

    fn content(&self, holder: &'d Value) -> Option<(&'d str, &'d Value)> {
        let content = holder.get("content")?.as_object()?;
        let is_json = |media: &str| media.contains("json") || media == "*/*";
        let chosen = content.iter().find(|(media, _)| is_json(media));
        let (media, holder) = chosen.or_else(|| content.iter().next())?;
        let schema = holder.get("schema")?;
        Some((media, self.document.resolve(schema)))
    }
}

/// How badly a scheme fits a service that signs in by itself: 0 fits.
fn unfitness(scheme: &Value) -> usize {
    let text = |name: &str| scheme.get(name).and_then(Value::as_str).unwrap_or("");
    let name = text("name").to_ascii_lowercase();
    let is_second = NO_CREDENTIALS.iter().any(|word| name.contains(word));
    match (text("type"), text("in"), text("scheme")) {
        ("apiKey", "header", _) if !is_second => 0,
        ("http", _, scheme) if scheme.eq_ignore_ascii_case("bearer") => 0,
        ("oauth2", ..) if scheme.pointer("/flows/clientCredentials").is_some() => 0,
        ("http", _, scheme) if scheme.eq_ignore_ascii_case("basic") => 1,
        ("apiKey", "query", _) => 2,
        _ => UNFIT,
    }
}

/// A scheme by which no service signs in: for people, or one that is not known.
const UNFIT: usize = 3;

/// Words of headers that are no credential, or one beside another.
const NO_CREDENTIALS: &[&str] = &[
    "sudo",
    "otp",
    "csrf",
    "xsrf",
    "cookie",
    "idempotency",
    "page",
];

/// The one part that says what a value is: `allOf` of one schema and remarks, `anyOf` of one schema and `null`.
fn only_part(schema: &Value) -> Option<&Value> {
    let says = |schema: &&Value| {
        let is_null = schema.get("type").and_then(Value::as_str) == Some("null");
        let meant = [
            "$ref",
            "type",
            "properties",
            "allOf",
            "oneOf",
            "anyOf",
            "enum",
            "items",
        ];
        !is_null && meant.iter().any(|name| schema.get(name).is_some())
    };
    if schema.get("properties").is_some() || schema.get("enum").is_some() {
        return None;
    }
    ["allOf", "anyOf", "oneOf"].iter().find_map(|name| {
        let mut parts = list(schema, name).filter(says);
        parts.next().filter(|_| parts.next().is_none())
    })
}

fn header_of<'d>(answer: &'d Value, wanted: &str) -> Option<&'d str> {
    let headers = answer.get("headers")?.as_object()?;
    headers
        .keys()
        .find(|name| name.eq_ignore_ascii_case(wanted))
        .map(String::as_str)
}

/// The members of a list; none if it is not there.
pub(super) fn list<'v>(value: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> + use<'v> {
    value
        .get(name)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

/// The type of a schema: `"object"` where properties give it away, `""` if unknown. Of several (OpenAPI 3.1) the first
/// that is not `null`.
pub(super) fn type_of(schema: &Value) -> &str {
    match schema.get("type") {
        Some(Value::String(one)) => one,
        Some(Value::Array(several)) => several
            .iter()
            .filter_map(Value::as_str)
            .find(|one| *one != "null")
            .unwrap_or(""),
        _ if schema.get("properties").is_some() || schema.get("allOf").is_some() => "object",
        _ if schema.get("items").is_some() => "array",
        _ => "",
    }
}

/// Last words of paths that sign in.
const LOGINS: &[&str] = &[
    "login",
    "signin",
    "token",
    "tokens",
    "auth",
    "authenticate",
    "session",
    "sessions",
];

/// The member that a probe's document has at its top.
pub(super) const PROBED: &str = "x-probed";

/// A document that refers in circles ends here.
const MOST_REFERENCES: usize = 16;
const DEEPEST: usize = 8;
