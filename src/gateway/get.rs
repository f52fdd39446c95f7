//! GET of one resource (RFC 7644 §3.4.1).

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use crate::{
    mapping::{
        model::TypeMapping,
        read,
        reply::{CallClass, Row},
    },
    scim::{
        Error, Projection,
        version::{self, Precondition},
    },
    target::{TargetError, Version},
};

use super::{
    answer::{Answer, Meta},
    context::Context,
    identity::{Located, locate, unidentified, unknown},
    join::{Joined, join_known},
    members,
    quick::{Quick, tree},
    rekey,
    taste::season,
    user_groups,
    visible::{expect_decided, is_visible},
};

/// Which parts of a resource cost further calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Want {
    /// `members` of a group.
    pub members: bool,
    /// `groups` of a user.
    pub groups: bool,
}

impl Want {
    /// Neither.
    pub const NEITHER: Self = Self {
        members: false,
        groups: false,
    };

    /// What a projection asks for, as far as the type has it at all.
    pub fn of(t: &TypeMapping, projection: &Projection) -> Self {
        Self {
            members: t.members.is_some() && projection.wants("members"),
            groups: t.groups.is_some() && projection.wants("groups"),
        }
    }
}

/// Answers a GET: 200, or 304 if the client has this version.
pub async fn get(
    ctx: &Context,
    t: &TypeMapping,
    id: &str,
    projection: &Projection,
    if_none_match: Option<&Precondition>,
) -> Result<Answer, Error> {
    let mut located = locate(ctx, t, id).await?;
    if located.record.as_ref().is_some_and(rekey::is_open) {
        let _lock = ctx.lock(format!("{}/{id}", t.resource_type.name)).await?;
        located = rekey::settle(ctx, t, locate(ctx, t, id).await?).await?;
    }
    let want = Want::of(t, projection);
    let quick = Quick::of(ctx, t, projection).filter(|_| want == Want::NEITHER);
    if let Some(quick) = &quick {
        let row = row_of(ctx, t, &located).await?;
        let row = row.ok_or_else(|| unknown(t))?;
        if let Some(answer) = spliced(ctx, t, quick, &row, &located, if_none_match) {
            return answer;
        }
        let object = tree(&row)?;
        return Box::pin(answered(ctx, t, object, located, projection, if_none_match)).await;
    }
    let object = Box::pin(object_of(ctx, t, &located)).await?;
    let object = object.ok_or_else(|| unknown(t))?;
    Box::pin(answered(ctx, t, object, located, projection, if_none_match)).await
}

/// Answers with an object by way of a tree.
async fn answered(
    ctx: &Context,
    t: &TypeMapping,
    object: Value,
    located: Located,
    projection: &Projection,
    if_none_match: Option<&Precondition>,
) -> Result<Answer, Error> {
    let want = Want::of(t, projection);
    let mut joined = as_located(ctx, t, (object, Version::default()), located, want).await?;
    season(ctx, t, &mut joined.resource);
    let meta = Meta::of(&joined.resource.0);
    if let Some(answer) = not_modified(&meta, if_none_match) {
        return Ok(answer);
    }
    let body = projection.apply(&t.resource_type, joined.resource.0);
    Ok(Answer::resource(200, body, meta))
}

/// Answers with a row as it is; absent if that takes more than the row.
fn spliced(
    ctx: &Context,
    t: &TypeMapping,
    quick: &Quick<'_>,
    row: &Row,
    located: &Located,
    if_none_match: Option<&Precondition>,
) -> Option<Result<Answer, Error>> {
    let (text, spliced, target_id) = quick.one(row, located.record.as_ref())?;
    if target_id.as_str() != located.target_id.as_str() {
        return Some(Err(unknown(t)));
    }
    let meta = Meta {
        location: Some(ctx.location(t, located.scim_id.as_str())),
        version: Some(spliced.version),
    };
    let answer = not_modified(&meta, if_none_match);
    Some(Ok(answer.unwrap_or_else(|| Answer::text(text, meta))))
}

/// 304 if the client has this version.
fn not_modified(meta: &Meta, if_none_match: Option<&Precondition>) -> Option<Answer> {
    if_none_match?
        .matches(meta.version.as_deref())
        .then(|| Answer {
            status: 304,
            version: meta.version.clone(),
            ..Answer::default()
        })
}

/// Reads a resource as the client knows it.
///
/// # Errors
///
/// 404 if it does not exist, or not for this tenant.
pub async fn fetch(ctx: &Context, t: &TypeMapping, id: &str, want: Want) -> Result<Joined, Error> {
    let located = locate(ctx, t, id).await?;
    fetch_located(ctx, t, located, want).await
}

/// Reads a resource that was located before.
pub async fn fetch_located(
    ctx: &Context,
    t: &TypeMapping,
    located: Located,
    want: Want,
) -> Result<Joined, Error> {
    let (object, version) = versioned_object_of(ctx, t, &located)
        .await?
        .ok_or_else(|| unknown(t))?;
    as_located(ctx, t, (object, version), located, want).await
}

/// The object that was read for what was located, and its version, with what is wanted besides.
async fn as_located(
    ctx: &Context,
    t: &TypeMapping,
    (object, version): (Value, Version),
    located: Located,
    want: Want,
) -> Result<Joined, Error> {
    // `007` and `7` may be one to the target; for us an id has one spelling.
    let own = read::target_id(t, &object);
    if own.is_none() && is_visible(ctx, t, &object) {
        return Err(unidentified(t));
    }
    if own.as_deref() != Some(located.target_id.as_str()) {
        return Err(unknown(t));
    }
    expect_decided(ctx, t, &object)?;
    let joined = join_known(ctx, t, object, located.record)
        .await?
        .ok_or_else(|| unknown(t))?;
    with_parts(ctx, t, Joined { version, ..joined }, want).await
}

/// Reads members and groups in, as far as they are wanted.
pub async fn with_parts(
    ctx: &Context,
    t: &TypeMapping,
    mut joined: Joined,
    want: Want,
) -> Result<Joined, Error> {
    if want.members && t.members.is_some() {
        let listed = Box::pin(members::read(ctx, t, &joined)).await?;
        show_members(&mut joined.resource.0, listed.values);
        joined.deleted_members = listed.deleted;
    }
    if want.groups && t.groups.is_some() {
        let list = Box::pin(user_groups::read(ctx, t, &joined)).await?;
        insert_list(&mut joined.resource.0, "groups", list.unwrap_or_default());
    }
    Ok(joined)
}

/// Shows a group with its members; its version says who they are.
pub fn show_members(group: &mut Map<String, Value>, members: Vec<Value>) {
    if let Some(Value::String(version)) = group.get_mut("meta").and_then(|m| m.get_mut("version")) {
        let ids = members
            .iter()
            .filter_map(|member| member.get("value")?.as_str());
        *version = version::with_members(version, ids);
    }
    insert_list(group, "members", members);
}

/// Puts a list in front of `meta`; an empty one is left out, as RFC 7643 §2.5 has it.
fn insert_list(resource: &mut Map<String, Value>, name: &str, list: Vec<Value>) {
    let meta = resource.shift_remove("meta");
    resource.shift_remove(name);
    if !list.is_empty() {
        resource.insert(name.to_owned(), Value::Array(list));
    }
    if let Some(meta) = meta {
        resource.insert("meta".into(), meta);
    }
}

/// The target's object; absent if it has none.
pub async fn object_of(
    ctx: &Context,
    t: &TypeMapping,
    located: &Located,
) -> Result<Option<Value>, Error> {
    let found = versioned_object_of(ctx, t, located).await?;
    Ok(found.map(|(object, _)| object))
}

/// The target's object with its version, where it tells one.
pub async fn versioned_object_of(
    ctx: &Context,
    t: &TypeMapping,
    located: &Located,
) -> Result<Option<(Value, Version)>, Error> {
    if t.is_fixed() {
        let is_it = |object: &&Value| {
            read::target_id(t, object).as_deref() == Some(located.target_id.as_str())
        };
        return Ok(t
            .fixed
            .iter()
            .find(is_it)
            .map(|o| (o.clone(), Version::default())));
    }
    let Some(get) = &t.get else {
        let found = Box::pin(super::list::object_with_id(ctx, t, &located.target_id)).await?;
        return Ok(found.map(|object| (object, Version::default())));
    };
    let mut names = ctx.names();
    names.with("id", Cow::Owned(id_value(t, located.target_id.as_str())));
    let done = ctx
        .driver()
        .run(&ctx.journey, get, CallClass::Get, &names, None, &[])
        .await;
    let asked = |object| read::known_by(t, object, id_value(t, located.target_id.as_str()));
    found(
        ctx,
        t,
        done.map(|done| {
            let version = Version {
                etag: done.etag,
                taken: done.taken,
            };
            Some((asked(done.object?), version))
        }),
    )
}

/// As [`object_of`], as text where that is possible.
async fn row_of(ctx: &Context, t: &TypeMapping, located: &Located) -> Result<Option<Row>, Error> {
    let Some(get) = t
        .get
        .as_ref()
        .filter(|_| !t.is_fixed() && !t.knows_id_beforehand())
    else {
        let object = Box::pin(object_of(ctx, t, located)).await?;
        return Ok(object.map(Row::Tree));
    };
    let mut names = ctx.names();
    names.with("id", Cow::Owned(id_value(t, located.target_id.as_str())));
    found(ctx, t, ctx.driver().row(&ctx.journey, get, &names).await)
}

/// An object that the target does not find is absent.
fn found<T>(
    ctx: &Context,
    t: &TypeMapping,
    read: Result<Option<T>, TargetError>,
) -> Result<Option<T>, Error> {
    match read {
        Ok(object) => Ok(object),
        Err(TargetError::Refused {
            meaning: crate::mapping::model::Meaning::NotFound,
            ..
        }) => Ok(None),
        Err(error) => {
            let error = Error::from(error);
            Err(match error.status == 502 && last_status(ctx) == Some(400) {
                true => for_malformed_id(t, error),
                false => error,
            })
        }
    }
}

/// The status of the last call's reply.
fn last_status(ctx: &Context) -> Option<u16> {
    let mut status = None;
    ctx.record(|exchange| status = exchange.calls.last().and_then(|call| call.status));
    status
}

/// A 400 says nothing about whether the object is there: a call that lacks a parameter gets one as well, and an account must
/// not look deleted for that. So the operator is told what makes a 404 of it.
fn for_malformed_id(t: &TypeMapping, error: Error) -> Error {
    let detail = format!(
        "{} It answered 400 to the reading of one {} by its id. If it does so for what cannot be an id of its own, `id = {{ pattern = '^…$' }}` in its mapping says what one looks like, and any other is 404.",
        error.detail, t.resource_type.name
    );
    Error { detail, ..error }
}

/// A target id as it is written into bodies: a number where the application has numbers.
pub fn id_value(t: &TypeMapping, id: &str) -> Value {
    match id.parse::<i64>() {
        Ok(number) if t.id.is_number => json!(number),
        _ => json!(id),
    }
}
