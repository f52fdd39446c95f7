//! Discovery (RFC 7644 §4): made from the tenant's mapping, and true.

use serde_json::Value;

use crate::mapping::served;
use crate::scim::{
    Error, ResourceType,
    discovery::{
        self, AuthScheme, BulkFeature, Features, FilterFeature, PaginationFeature, PaginationMethod,
    },
    list::ListResponse,
};

use super::{answer::Answer, context::Context};

/// `/ServiceProviderConfig`.
pub fn service_provider_config(ctx: &Context) -> Answer {
    Answer::document(discovery::service_provider_config(
        &features(ctx),
        &ctx.base_url,
    ))
}

/// `/ResourceTypes`, or one of them.
///
/// # Errors
///
/// 404 for an unknown id.
pub fn resource_types(ctx: &Context, id: Option<&str>) -> Result<Answer, Error> {
    pick(
        discovery::resource_types(&types(ctx).iter().collect::<Vec<_>>(), &ctx.base_url),
        id,
        "resource type",
    )
}

/// `/Schemas`, or one of them.
///
/// # Errors
///
/// 404 for an unknown id.
pub fn schemas(ctx: &Context, id: Option<&str>) -> Result<Answer, Error> {
    let types = types(ctx);
    let all = discovery::schemas(&types.iter().collect::<Vec<_>>(), &ctx.base_url);
    pick(all, id, "schema")
}

/// RFC 7644 §4: a filter on a discovery endpoint is refused with 403.
pub fn refuse_filter(query: Option<&str>) -> Result<(), Error> {
    let has_filter = query.is_some_and(|query| {
        query
            .split('&')
            .any(|pair| pair.to_ascii_lowercase().starts_with("filter="))
    });
    if has_filter {
        return Err(Error::new(403, "Discovery endpoints cannot be filtered."));
    }
    Ok(())
}

/// What the mapping serves, and nothing else.
fn types(ctx: &Context) -> Vec<ResourceType> {
    ctx.mapping()
        .types
        .iter()
        .map(served::resource_type)
        .collect()
}

fn pick(all: Vec<Value>, id: Option<&str>, what: &str) -> Result<Answer, Error> {
    let Some(id) = id else {
        let total = all.len() as u64;
        return Ok(Answer::document(
            ListResponse::indexed(total, 1).to_json(all),
        ));
    };
    let is_it = |document: &&Value| {
        document
            .get("id")
            .and_then(Value::as_str)
            .is_some_and(|own| own.eq_ignore_ascii_case(id))
    };
    match all.iter().find(is_it) {
        Some(document) => Ok(Answer::document(document.clone())),
        None => Err(Error::new(404, format!("There is no {what} with this id."))),
    }
}

fn features(ctx: &Context) -> Features {
    let limits = &ctx.limits;
    let can_set_password = ctx.mapping().types.iter().any(|t| {
        t.set_password.is_some()
            || t.attributes
                .iter()
                .any(|rule| rule.location.path.attribute == "password" && rule.write.is_some())
    });
    Features {
        patch: true,
        bulk: Some(BulkFeature {
            max_operations: limits.max_bulk_operations as u64,
            max_payload_bytes: limits.max_bulk_bytes as u64,
        }),
        filter: Some(FilterFeature {
            max_results: limits.max_page_size,
        }),
        change_password: can_set_password,
        sort: true,
        etag: true,
        pagination: PaginationFeature {
            cursor: true,
            index: true,
            default_pagination_method: Some(PaginationMethod::Index),
            default_page_size: Some(limits.default_page_size),
            max_page_size: Some(limits.max_page_size),
            cursor_timeout: Some(limits.cursor_life.as_secs()),
        },
        auth_schemes: vec![bearer_token()],
        documentation_uri: None,
    }
}

fn bearer_token() -> AuthScheme {
    AuthScheme {
        kind: "oauthbearertoken".into(),
        name: "OAuth Bearer Token".into(),
        description: "A key of the tenant in the Authorization header.".into(),
        spec_uri: Some("https://www.rfc-editor.org/rfc/rfc6750".into()),
        documentation_uri: None,
        is_primary: true,
    }
}
