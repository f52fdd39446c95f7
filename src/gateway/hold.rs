//! References to resources that do not exist yet (`on-missing-reference = "hold"`).
//!
//! A client may name a manager or a member before it creates it: by the `externalId` or the name that it will have, or by
//! an id that was deleted and comes back. Such a reference is left out of what is written, kept, and set when a resource with
//! that id, `externalId` or name is created. A later wish about the same attribute takes its place.

use std::sync::atomic::Ordering;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::{
    mapping::model::{OnMissingReference, TypeMapping},
    scim::{AttributePath, Error, Resource},
    store::{Held, ScimId},
};

use super::{
    Call, Route,
    context::Context,
    dispatch,
    identity::{target_id_of, target_ids_of},
    join::{Joined, folded, reference_value},
};

/// How references are held, where they are.
#[derive(Debug, Clone, Copy)]
struct Rule {
    not_before: Timestamp,
    most: u64,
}

fn rule(ctx: &Context) -> Option<Rule> {
    match ctx.mapping().policy.on_missing_reference {
        OnMissingReference::Hold { life, most } => Some(Rule {
            not_before: SignedDuration::try_from(life)
                .ok()
                .and_then(|life| ctx.now.checked_sub(life).ok())
                .unwrap_or(Timestamp::MIN),
            most,
        }),
        OnMissingReference::Reject | OnMissingReference::Drop => None,
    }
}

/// What a request speaks of, as far as references are concerned.
#[derive(Debug, Clone, Default)]
pub struct Said {
    /// Attributes that it speaks of; absent: all.
    attributes: Option<Vec<AttributePath>>,
    /// Members that it takes out.
    removed: Vec<String>,
    /// Whether it says who all the members are.
    is_whole_list: bool,
}

impl Said {
    /// A request that says what the whole resource is to be.
    pub fn everything() -> Self {
        Self {
            is_whole_list: true,
            ..Self::default()
        }
    }

    /// A request that changes these attributes.
    pub fn of(attributes: Vec<AttributePath>, removed: Vec<String>, is_whole_list: bool) -> Self {
        Self {
            attributes: Some(attributes),
            removed,
            is_whole_list,
        }
    }

    fn speaks_of(&self, path: &AttributePath) -> bool {
        let said = self.attributes.as_ref();
        said.is_none_or(|said| said.iter().any(|one| one.is_same_attribute(path)))
    }
}

/// Whether references are held at all.
pub fn is_wanted(ctx: &Context) -> bool {
    rule(ctx).is_some()
}

/// Holds the references of a resource that name nothing, in place of what was held for what the request speaks of.
///
/// # Errors
///
/// Those of the store.
pub async fn keep(
    ctx: &Context,
    t: &TypeMapping,
    id: &ScimId,
    wished: &Resource,
    said: &Said,
) -> Result<(), Error> {
    let Some(rule) = rule(ctx) else { return Ok(()) };
    let mut wished = wished.clone();
    for line in &t.attributes {
        let path = &line.location.path;
        let of = line
            .reference
            .as_ref()
            .and_then(|name| ctx.type_named(name));
        let Some(of) = of.filter(|_| said.speaks_of(path)) else {
            continue;
        };
        let attribute = AttributePath {
            sub_attribute: None,
            ..path.clone()
        };
        let attribute = attribute.to_string();
        let own = &t.resource_type.name;
        ctx.store
            .let_go(ctx.id(), own, id, Some(&attribute), None)
            .await?;
        let value = reference_value(&mut wished, path).and_then(|value| value.as_str());
        if let Some(value) = value.map(str::to_owned)
            && target_id_of(ctx, of, &value).await?.is_none()
        {
            hold(ctx, t, id, of, &attribute, &value, rule).await?;
        }
    }
    if t.members.is_some() && said.speaks_of(&AttributePath::of(MEMBERS)) {
        let listed = wished.0.get(MEMBERS).and_then(Value::as_array);
        let values = listed.into_iter().flatten();
        let values = values.filter_map(|member| Some(member.get("value")?.as_str()?.to_owned()));
        let add = values.collect();
        members(ctx, t, id, add, &said.removed, said.is_whole_list).await?;
    }
    count(ctx, rule).await
}

/// Holds the members that do not exist, and lets go of those that are taken out, or of all there were.
///
/// # Errors
///
/// Those of the store.
pub async fn members(
    ctx: &Context,
    t: &TypeMapping,
    id: &ScimId,
    add: Vec<String>,
    removed: &[String],
    is_whole_list: bool,
) -> Result<(), Error> {
    let (Some(rule), Some(members)) = (rule(ctx), &t.members) else {
        return Ok(());
    };
    let gone: Vec<Option<String>> = match is_whole_list {
        true => vec![None],
        false => removed.iter().map(|value| Some(folded(value))).collect(),
    };
    for named in gone {
        let own = &t.resource_type.name;
        ctx.store
            .let_go(ctx.id(), own, id, Some(MEMBERS), named.as_deref())
            .await?;
    }
    let mut missing = add;
    for name in &members.types {
        let Some(of) = ctx.type_named(name) else {
            continue;
        };
        let found = target_ids_of(ctx, of, &missing).await?;
        let open = missing.into_iter().zip(found);
        let open = open.filter(|(_, found)| found.is_none());
        missing = open.map(|(value, _)| value).collect();
    }
    for value in &missing {
        for name in &members.types {
            if let Some(of) = ctx.type_named(name) {
                hold(ctx, t, id, of, MEMBERS, value, rule).await?;
            }
        }
    }
    count(ctx, rule).await
}

/// A resource that is gone holds nothing.
///
/// # Errors
///
/// Those of the store.
pub async fn forget(ctx: &Context, t: &TypeMapping, id: &ScimId) -> Result<(), Error> {
    let Some(rule) = rule(ctx) else { return Ok(()) };
    let own = &t.resource_type.name;
    ctx.store.let_go(ctx.id(), own, id, None, None).await?;
    count(ctx, rule).await
}

/// Sets the references that waited for a resource which is there now. One that cannot be set stays held and is told in the
/// log: the create has succeeded all the same.
pub async fn appeared(ctx: &Context, t: &TypeMapping, joined: &Joined) {
    let Some(rule) = rule(ctx).filter(|_| !ctx.journey.is_dry) else {
        return;
    };
    let name = &t.resource_type.name;
    let resource = &joined.resource.0;
    let names: Vec<String> = [
        Some(joined.scim_id.as_str()),
        resource.get("externalId").and_then(Value::as_str),
        resource
            .get(&t.match_attribute.attribute)
            .and_then(Value::as_str),
    ]
    .into_iter()
    .flatten()
    .map(folded)
    .collect();
    let held = match ctx
        .store
        .held(ctx.id(), name, &names, rule.not_before)
        .await
    {
        Ok(held) => held,
        Err(error) => {
            let tenant = ctx.id().as_str();
            tracing::warn!(tenant, error = %error, "held references could not be read");
            return;
        }
    };
    for one in held.iter().take(MOST_SET) {
        let set = set(ctx, one, joined).await;
        let is_settled = match &set {
            Ok(()) => true,
            // Who referred is gone, or may not refer to it any more.
            Err(error) => error.status < 500 && error.status != 429,
        };
        if let Err(error) = set {
            let (tenant, status) = (ctx.id().as_str(), error.status);
            tracing::warn!(tenant, status, attribute = %one.attribute, "a held reference could not be set");
        }
        if is_settled {
            let (attribute, named) = (Some(one.attribute.as_str()), Some(one.named.as_str()));
            let let_go = ctx
                .store
                .let_go(ctx.id(), &one.from_type, &one.from_id, attribute, named);
            if let Err(error) = let_go.await {
                let tenant = ctx.id().as_str();
                tracing::warn!(tenant, error = %error, "a held reference that was set is still kept");
            }
        }
    }
    if !held.is_empty() {
        let _ = count(ctx, rule).await;
    }
}

/// One reference, set as a client would set it.
async fn set(ctx: &Context, held: &Held, joined: &Joined) -> Result<(), Error> {
    let types = &ctx.mapping().types;
    let at = types
        .iter()
        .position(|t| t.resource_type.name == held.from_type);
    let Some(at) = at else { return Ok(()) };
    let id = joined.scim_id.as_str();
    let value = match held.attribute.as_str() {
        MEMBERS => json!([{ "value": id }]),
        _ => json!({ "value": id }),
    };
    let body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{ "op": "add", "path": held.attribute, "value": value }],
    });
    let call = Call {
        method: http::Method::PATCH,
        route: Route::Resource(at, held.from_id.as_str().to_owned()),
        query: None,
        body: Some(body),
        if_match: None,
        if_none_match: None,
    };
    Box::pin(dispatch(ctx, call)).await.map(drop)
}

async fn hold(
    ctx: &Context,
    t: &TypeMapping,
    id: &ScimId,
    of: &TypeMapping,
    attribute: &str,
    value: &str,
    rule: Rule,
) -> Result<(), Error> {
    let held = Held {
        from_type: t.resource_type.name.clone(),
        from_id: id.clone(),
        attribute: attribute.to_owned(),
        named: folded(value),
        since: ctx.now,
    };
    let name = &of.resource_type.name;
    let is_held = ctx
        .store
        .hold(ctx.id(), name, &held, rule.most, rule.not_before)
        .await?;
    let words = match is_held {
        true => "is held until what it names appears",
        false => "names nothing and is left out: too many are held already",
    };
    ctx.note("N11", format!("a reference in `{attribute}` {words}"));
    if !is_held {
        let (tenant, most) = (ctx.id().as_str(), rule.most);
        tracing::warn!(
            tenant,
            most,
            "a reference is left out: as many as allowed are held"
        );
    }
    Ok(())
}

/// Keeps the number for `/status`.
async fn count(ctx: &Context, rule: Rule) -> Result<(), Error> {
    let count = ctx.store.held_count(ctx.id(), rule.not_before).await?;
    ctx.tenant.held.store(count, Ordering::Relaxed);
    Ok(())
}

const MEMBERS: &str = "members";

/// References set by one create; what is more stays held for another resource of that name, or until it is too old.
const MOST_SET: usize = 100;
