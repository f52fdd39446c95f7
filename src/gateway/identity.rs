//! SCIM ids and the target's ids, both ways (`design.md` section 3).

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
};

use serde_json::Value;
use uuid::Uuid;

use crate::{
    mapping::{model::TypeMapping, read},
    scim::Error,
    store::{Record, ScimId, StoreError, TargetId},
};

use super::{
    context::Context,
    get::{Want, fetch_located},
    parallel::in_order,
    rekey::{self, Foreseen},
    visible::{DELETED_HERE, note_hidden},
};

/// A resource that a request names: where it is in the target, and what we know of it.
#[derive(Debug, Clone)]
pub struct Located {
    /// The client's name for it.
    pub scim_id: ScimId,
    /// The target's name for it.
    pub target_id: TargetId,
    /// What the store has; absent if nothing had to be kept so far.
    pub record: Option<Record>,
}

/// Finds what an id names, without asking the target, unless a call that gives another key was cut off.
///
/// # Errors
///
/// 404 if it can name nothing: a tombstone, an id we never gave, or text that is no id of the target's kind.
pub async fn locate(ctx: &Context, t: &TypeMapping, id: &str) -> Result<Located, Error> {
    let scim_id = ScimId::new(id);
    let own = own_target_id(ctx, t, id);
    let name = &t.resource_type.name;
    let record = match &own {
        Some(target_id) => {
            ctx.store
                .record_by_either(ctx.id(), name, &scim_id, target_id)
                .await?
        }
        None => ctx.store.record(ctx.id(), name, &scim_id).await?,
    };
    // A resource has one id: the target's own does not name what is known by another.
    let is_named =
        |record: &Record| !record.is_deleted && record.scim_id.as_str() == scim_id.as_str();
    if let Some(record) = record.as_ref().filter(|record| !is_named(record)) {
        if record.is_deleted && record.target_id.is_some() && ctx.journey.is_dry {
            note_hidden(ctx, t, Cow::Borrowed(DELETED_HERE), None);
        }
        return Err(unknown(t));
    }
    let target_id = match &record {
        Some(record) => rekey::current_key(ctx, t, record).await?,
        None => own,
    };
    Ok(Located {
        scim_id,
        target_id: target_id.ok_or_else(|| unknown(t))?,
        record,
    })
}

/// The target's id that an id is by itself, where ids serve in both worlds.
fn own_target_id(ctx: &Context, t: &TypeMapping, id: &str) -> Option<TargetId> {
    let own = t.id.from_scim(id).filter(|_| t.id.is_stable)?;
    may_be_target_id(ctx, t, &own).then(|| TargetId::new(own))
}

/// Whether a text could be an id of the target's: what does not look like one is unknown, and never sent.
fn may_be_target_id(ctx: &Context, t: &TypeMapping, id: &str) -> bool {
    let is_canonical_number = || {
        id == "0"
            || (!id.starts_with('0') && !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()))
    };
    has_form_of_id(ctx, t, id) && (!t.id.is_number || is_canonical_number())
}

/// Whether a text has the form that the mapping gives to ids.
pub fn has_form_of_id(ctx: &Context, t: &TypeMapping, id: &str) -> bool {
    let pattern = t.id.pattern.as_ref();
    pattern
        .unwrap_or(&ctx.mapping().target.id_pattern)
        .is_match(id)
}

/// 404, the same for what never was and for what is somebody else's.
pub fn unknown(t: &TypeMapping) -> Error {
    Error::new(
        404,
        format!("There is no {} with this id.", t.resource_type.name),
    )
}

/// The error for an object without an id where the mapping looks for it: left out, a list would be short, and an account would
/// look deleted.
pub fn unidentified(t: &TypeMapping) -> Error {
    Error::new(
        502,
        format!(
            "An object of the application has no id at `{}`, where the mapping of `{}` looks for it; its operator must look at it (`id` of the section, `id` beside `object` where it stands elsewhere in the reply, `rows = \"reference\"` where only the list has it).",
            t.id.from.source(),
            t.section
        ),
    )
}

/// The SCIM id of an object of the target; one is minted and kept if the target's own can change.
pub async fn scim_id_of(
    ctx: &Context,
    t: &TypeMapping,
    target_id: &TargetId,
) -> Result<ScimId, Error> {
    if t.id.is_stable {
        return Ok(ScimId::new(t.id.to_scim(target_id.as_str())));
    }
    let name = &t.resource_type.name;
    if let Some(record) = ctx
        .store
        .record_by_target(ctx.id(), name, target_id)
        .await?
    {
        return Ok(record.scim_id);
    }
    Ok(link(ctx, t, target_id, None).await?.scim_id)
}

/// Keeps a new link for an object that the client has not seen before; its own, where a call was cut off before the link to
/// what it made or renamed was kept.
pub async fn link(
    ctx: &Context,
    t: &TypeMapping,
    target_id: &TargetId,
    object: Option<&Value>,
) -> Result<Record, Error> {
    let name = &t.resource_type.name;
    let scim_id = match rekey::foreseen(ctx, t, target_id, object).await? {
        Some(Foreseen::Moved(record)) => return Ok(record),
        Some(Foreseen::Created(scim_id)) => scim_id,
        None => ScimId::new(Uuid::new_v4().to_string()),
    };
    let record = new_record(ctx, scim_id, Some(target_id.clone()));
    match ctx.store.put(ctx.id(), name, &record).await {
        Ok(()) => Ok(record),
        // Another request linked it in the meantime.
        Err(StoreError::Conflict { .. }) => match ctx
            .store
            .record_by_target(ctx.id(), name, target_id)
            .await?
        {
            Some(record) => Ok(record),
            None => Err(Error::new(
                500,
                "The link to an object of the application could not be kept.",
            )),
        },
        Err(error) => Err(error.into()),
    }
}

/// A record that keeps nothing yet, of what was not created through the gateway, and is known to it from now on.
pub fn new_record(ctx: &Context, scim_id: ScimId, target_id: Option<TargetId>) -> Record {
    Record {
        scim_id,
        target_id,
        external_id: None,
        shadow: serde_json::Map::new(),
        created: Record::UNKNOWN,
        modified: ctx.now,
        revision: 1,
        is_deleted: false,
    }
}

/// The target's ids of resources that members name, in their order; absent where there is none for this tenant. One look
/// at the store, unless some of the target's objects are not the tenant's: see [`target_id_of`].
pub async fn target_ids_of(
    ctx: &Context,
    t: &TypeMapping,
    scim_ids: &[String],
) -> Result<Vec<Option<TargetId>>, Error> {
    if hides_objects(ctx, t) {
        let looks = scim_ids.iter().map(|id| target_id_of(ctx, t, id)).collect();
        return Box::pin(in_order(looks, AT_ONCE)).await;
    }
    let ids: Vec<ScimId> = scim_ids.iter().map(ScimId::new).collect();
    let records = ctx
        .store
        .records(ctx.id(), &t.resource_type.name, &ids)
        .await?;
    if records.iter().any(rekey::is_open) {
        let looks = scim_ids.iter().map(|id| target_id_of(ctx, t, id)).collect();
        return Box::pin(in_order(looks, AT_ONCE)).await;
    }
    let known: HashMap<&str, &Record> = records
        .iter()
        .map(|record| (record.scim_id.as_str(), record))
        .collect();
    let target_id = |id: &String| match known.get(id.as_str()) {
        Some(record) if record.is_deleted => None,
        Some(record) => record.target_id.clone(),
        None => own_target_id(ctx, t, id),
    };
    Ok(scim_ids.iter().map(target_id).collect())
}

/// The target's ids of accounts that were deleted through here and go on in the application, in the order of the SCIM ids;
/// absent for any other id. Only what takes something from such an account may name it.
pub async fn deleted_target_ids_of(
    ctx: &Context,
    t: &TypeMapping,
    scim_ids: &[String],
) -> Result<Vec<Option<TargetId>>, Error> {
    let ids: Vec<ScimId> = scim_ids.iter().map(ScimId::new).collect();
    let records = ctx
        .store
        .records(ctx.id(), &t.resource_type.name, &ids)
        .await?;
    let target_id = |id: &String| {
        let record = records
            .iter()
            .find(|record| record.is_deleted && record.scim_id.as_str() == id);
        record?.target_id.clone()
    };
    Ok(scim_ids.iter().map(target_id).collect())
}

/// The target's id of a resource that a reference names (a member, a manager); absent if there is none for this tenant.
///
/// An id that serves in both worlds is not looked up: the target itself refuses what it does not know. Where some of its
/// objects are not the tenant's, it cannot know that, and the object is read (promise S2).
pub async fn target_id_of(
    ctx: &Context,
    t: &TypeMapping,
    scim_id: &str,
) -> Result<Option<TargetId>, Error> {
    let result = match locate(ctx, t, scim_id).await {
        Ok(located) if hides_objects(ctx, t) => fetch_located(ctx, t, located, Want::NEITHER)
            .await
            .map(|joined| joined.target_id),
        Ok(located) => Ok(located.target_id),
        Err(error) => Err(error),
    };
    match result {
        Ok(target_id) => Ok(Some(target_id)),
        Err(error) if error.status == 404 => Ok(None),
        Err(error) => Err(error),
    }
}

/// What somebody whom the application lists is to the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Somebody it may know.
    Known,
    /// Nobody: a protected account, or another tenant's.
    Hidden,
    /// Nobody any more: deleted through here under this id, and going on in the application.
    Deleted(ScimId),
}

/// Of the application's ids that a list names, in their order, what each is to the client.
///
/// What the mapping hides by a condition costs the reading of each object and is only left out where the list's own `only` says
/// so; what is out of the tenant's `scope` is never shown (promise S2).
pub async fn standings(
    ctx: &Context,
    t: &TypeMapping,
    target_ids: &[TargetId],
) -> Result<Vec<Standing>, Error> {
    let name = &t.resource_type.name;
    let records = ctx
        .store
        .records_by_target(ctx.id(), name, target_ids)
        .await?;
    let deleted: HashMap<&TargetId, &ScimId> = records
        .iter()
        .filter(|record| record.is_deleted)
        .filter_map(|record| Some((record.target_id.as_ref()?, &record.scim_id)))
        .collect();
    let protected = protected_ids(ctx, t).await?;
    let out_of_scope = out_of_scope(ctx, t, target_ids).await?;
    let standing = |id: &TargetId| match deleted.get(id) {
        _ if protected.contains(id) || out_of_scope.contains(id) => Standing::Hidden,
        Some(scim_id) => Standing::Deleted((*scim_id).clone()),
        None => Standing::Known,
    };
    Ok(target_ids.iter().map(standing).collect())
}

/// The application's ids of protected accounts, asked for once a request: in the list of all where it cannot find an account by its name.
async fn protected_ids<'c>(
    ctx: &'c Context,
    t: &TypeMapping,
) -> Result<Cow<'c, HashSet<TargetId>>, Error> {
    let names = &ctx.mapping().policy.protected;
    if names.is_empty() || t.resource_type.name != "User" {
        return Ok(Cow::Owned(HashSet::new()));
    }
    let ask = || async {
        let calls = names
            .iter()
            .map(|name| super::list::raw_with_name(ctx, t, name, None))
            .collect();
        let found = in_order(calls, AT_ONCE).await?;
        let ids = found
            .iter()
            .flatten()
            .filter_map(|object| read::target_id(t, object));
        Ok::<_, Error>(ids.map(TargetId::new).collect())
    };
    let ids = Box::pin(ctx.protected_ids.get_or_try_init(ask)).await?;
    Ok(Cow::Borrowed(ids))
}

/// Which of these objects are another tenant's; each has to be read for that.
async fn out_of_scope(
    ctx: &Context,
    t: &TypeMapping,
    target_ids: &[TargetId],
) -> Result<HashSet<TargetId>, Error> {
    if t.scope.is_none() {
        return Ok(HashSet::new());
    }
    let calls = target_ids.iter().map(|target_id| async move {
        let located = Located {
            scim_id: ScimId::new(t.id.to_scim(target_id.as_str())),
            target_id: target_id.clone(),
            record: None,
        };
        match fetch_located(ctx, t, located, Want::NEITHER).await {
            Ok(_) => Ok(None),
            Err(error) if error.status == 404 => Ok(Some(target_id.clone())),
            Err(error) => Err(error),
        }
    });
    let found = Box::pin(in_order(calls.collect(), AT_ONCE)).await?;
    Ok(found.into_iter().flatten().collect())
}

/// Whether the target has objects of the type that do not exist for the tenant.
pub fn hides_objects(ctx: &Context, t: &TypeMapping) -> bool {
    t.scope.is_some()
        || t.hide.is_some()
        || t.gone.is_some()
        || (t.resource_type.name == "User" && !ctx.mapping().policy.protected.is_empty())
}

/// Objects read at the same time; the target's budget bounds the calls further.
const AT_ONCE: usize = 8;
