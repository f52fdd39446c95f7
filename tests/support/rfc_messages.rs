//! The RFCs' examples of messages: what we make of the same content must be the message, key by key.

use scimgate::scim::bulk::{self, BulkMethod, BulkResult};
use scimgate::scim::discovery::{
    self, AuthScheme, BulkFeature, Features, FilterFeature, PaginationFeature, PaginationMethod,
};
use scimgate::scim::list::ListResponse;
use scimgate::scim::query::{Query, SortOrder};
use scimgate::scim::version::Precondition;
use scimgate::scim::{Error, PatchPath, ResourceType, ScimType, builtin};
use serde_json::{Map, Value, json};

/// An error as it is told.
pub fn check_error(name: &str, case: &Value) {
    let detail = text(case, "detail").unwrap_or_default();
    let error = match text(case, "scim_type") {
        Some(kind) => Error::of(scim_type(&kind), detail),
        None => Error::new(
            u16::try_from(number(case, "status").unwrap()).unwrap(),
            detail,
        ),
    };
    assert_eq!(
        Some(u64::from(error.status)),
        number(case, "status"),
        "{name}"
    );
    assert_eq!(error.to_json(), case["message"], "{name}");
}

/// A page of resources.
pub fn check_list(name: &str, case: &Value) {
    let list = ListResponse {
        total_results: number(case, "total_results"),
        start_index: number(case, "start_index"),
        next_cursor: text(case, "next_cursor"),
        previous_cursor: text(case, "previous_cursor"),
    };
    let resources = case["resources"].as_array().unwrap();
    assert_eq!(list.to_json(resources.clone()), case["message"], "{name}");
    let copied: Vec<String> = resources.iter().map(Value::to_string).collect();
    let bytes = list.around(copied.len(), copied.join(",").as_bytes());
    let read: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(read, case["message"], "{name}");
}

/// Queries, as parameters and as the body of a search.
pub fn check_queries(name: &str, case: &Value) {
    for wish in case["cases"].as_array().unwrap() {
        let query = match wish.get("search") {
            Some(body) => Query::from_search(body.clone()),
            None => Query::from_pairs(&pairs(wish["query"].as_str().unwrap())),
        };
        match (query, wish.get("error")) {
            (Ok(query), None) => assert_eq!(said(&query), wish["expect"], "{name}: {wish}"),
            (Err(error), Some(kind)) => assert_eq!(&error.to_json()["scimType"], kind, "{name}"),
            (query, _) => panic!("{name}: {wish}: {query:?}"),
        }
    }
}

/// Paths of PATCH, and what is none.
pub fn check_paths(name: &str, case: &Value) {
    for path in case["valid"].as_array().unwrap() {
        let path = path.as_str().unwrap();
        let parsed = PatchPath::parse(path).unwrap_or_else(|e| panic!("{name}: {path}: {e}"));
        assert_eq!(
            PatchPath::parse(&parsed.to_string()),
            Ok(parsed.clone()),
            "{name}: {path}"
        );
        assert_eq!(parsed.to_string(), path, "{name}");
    }
    for path in case["invalid"].as_array().unwrap() {
        let parsed = PatchPath::parse(path.as_str().unwrap());
        assert!(parsed.is_err(), "{name}: {path}: {parsed:?}");
    }
}

/// What a service provider can do; `beyond` is what the example does not say.
pub fn check_config(name: &str, case: &Value) {
    let wanted = case["config"].as_object().unwrap();
    let is_so = |feature: &str| case["config"][feature]["supported"] == true;
    let features = Features {
        patch: is_so("patch"),
        bulk: is_so("bulk").then(|| BulkFeature {
            max_operations: number(&wanted["bulk"], "maxOperations").unwrap(),
            max_payload_bytes: number(&wanted["bulk"], "maxPayloadSize").unwrap(),
        }),
        filter: is_so("filter").then(|| FilterFeature {
            max_results: number(&wanted["filter"], "maxResults").unwrap(),
        }),
        change_password: is_so("changePassword"),
        sort: is_so("sort"),
        etag: is_so("etag"),
        pagination: pagination(&case["config"]["pagination"]),
        auth_schemes: wanted
            .get("authenticationSchemes")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .map(auth_scheme)
            .collect(),
        documentation_uri: text(&case["config"], "documentationUri"),
    };
    let base_url = case["base_url"].as_str().unwrap();
    let Value::Object(mut config) = discovery::service_provider_config(&features, base_url) else {
        panic!("{name}: no object");
    };
    for beyond in case["beyond"].as_array().unwrap() {
        config.shift_remove(beyond.as_str().unwrap());
    }
    assert_eq!(&config, wanted, "{name}");
}

/// The resource types, with what the example's user needs.
pub fn check_resource_types(name: &str, case: &Value) {
    let mut user = ResourceType::user(vec![builtin::enterprise_user()]);
    user.extensions[0].is_required = true;
    let types = [user, ResourceType::group(Vec::new())];
    let types: Vec<&ResourceType> = types.iter().collect();
    let base_url = case["base_url"].as_str().unwrap();
    let described = discovery::resource_types(&types, base_url);
    for (ours, theirs) in described
        .iter()
        .zip(case["resource_types"].as_array().unwrap())
    {
        for (key, value) in theirs.as_object().unwrap() {
            // What a type is called for people is ours to choose.
            if key != "description" {
                assert_eq!(&ours[key], value, "{name}: {key}");
            }
        }
    }
}

/// The results of a bulk request.
pub fn check_bulk_response(name: &str, case: &Value) {
    let results: Vec<BulkResult> = case["message"]["Operations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|result| BulkResult {
            method: BulkMethod::parse(result["method"].as_str().unwrap()).unwrap(),
            bulk_id: text(result, "bulkId"),
            version: text(result, "version"),
            location: text(result, "location"),
            status: result["status"].as_str().unwrap().parse().unwrap(),
            response: result.get("response").cloned(),
        })
        .collect();
    assert_eq!(bulk::response(&results), case["message"], "{name}");
}

/// Headers that name versions.
pub fn check_preconditions(name: &str, case: &Value) {
    for wish in case["cases"].as_array().unwrap() {
        let header = wish["header"].as_str().unwrap();
        let condition = Precondition::parse(header).unwrap();
        let matches = condition.matches(case["version"].as_str());
        assert_eq!(json!(matches), wish["matches"], "{name}: {header}");
    }
}

fn said(query: &Query) -> Value {
    let mut said = Map::new();
    let mut say = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            said.insert(name.into(), value);
        }
    };
    let list = |names: &[String]| (!names.is_empty()).then(|| json!(names));
    say("filter", query.filter.clone().map(Value::from));
    say(
        "sortBy",
        query.sort_by.as_ref().map(|by| json!(by.to_string())),
    );
    say(
        "sortOrder",
        (query.sort_order == SortOrder::Descending).then(|| json!("descending")),
    );
    say("startIndex", query.start_index.map(Value::from));
    say("count", query.count.map(Value::from));
    say("cursor", query.cursor.clone().map(Value::from));
    say("attributes", list(&query.attributes));
    say("excludedAttributes", list(&query.excluded_attributes));
    Value::Object(said)
}

fn pairs(query: &str) -> Vec<(String, String)> {
    let pairs = query
        .split('&')
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs
        .map(|(name, value)| (name.into(), value.into()))
        .collect()
}

fn pagination(wanted: &Value) -> PaginationFeature {
    PaginationFeature {
        cursor: wanted["cursor"] == true,
        index: wanted["index"] == true,
        default_pagination_method: text(wanted, "defaultPaginationMethod").map(
            |method| match method.as_str() {
                "cursor" => PaginationMethod::Cursor,
                _ => PaginationMethod::Index,
            },
        ),
        default_page_size: number(wanted, "defaultPageSize"),
        max_page_size: number(wanted, "maxPageSize"),
        cursor_timeout: number(wanted, "cursorTimeout"),
    }
}

fn auth_scheme(wanted: &Value) -> AuthScheme {
    AuthScheme {
        kind: text(wanted, "type").unwrap(),
        name: text(wanted, "name").unwrap(),
        description: text(wanted, "description").unwrap(),
        spec_uri: text(wanted, "specUri"),
        documentation_uri: text(wanted, "documentationUri"),
        is_primary: wanted["primary"] == true,
    }
}

fn scim_type(name: &str) -> ScimType {
    let all = [
        ScimType::Uniqueness,
        ScimType::Mutability,
        ScimType::InvalidCursor,
        ScimType::ExpiredCursor,
        ScimType::InvalidCount,
    ];
    all.into_iter()
        .find(|kind| kind.as_str() == name)
        .expect(name)
}

fn text(value: &Value, key: &str) -> Option<String> {
    value.get(key)?.as_str().map(str::to_owned)
}

fn number(value: &Value, key: &str) -> Option<u64> {
    value.get(key)?.as_u64()
}
