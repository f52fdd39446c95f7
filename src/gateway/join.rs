//! An object of the target becomes the resource that the client knows: translated, joined with what is kept here, and
//! given its common attributes (RFC 7643 §3.1).

use std::{borrow::Cow, collections::HashMap};

use serde_json::{Map, Value, json};

use crate::{
    mapping::{
        frame::Frame,
        model::{ActiveIs, TypeMapping},
        read::{self, Reading},
        write,
    },
    scim::{AttributePath, Error, Resource},
    store::{ExternalId, Record, ScimId, TargetId},
    target::Version,
};

use super::{
    context::Context,
    identity::{link, scim_id_of, unidentified},
    look_up,
    visible::{DELETED_HERE, is_protected, is_visible, note_hidden, shown},
};

/// A resource as the client knows it, and what it was made of.
#[derive(Debug, Clone)]
pub struct Joined {
    /// The resource, with `id`, `meta` and `externalId`; members and groups only once they are read.
    pub resource: Resource,
    /// What the store has.
    pub record: Option<Record>,
    /// The target's object.
    pub object: Value,
    /// What came with the object when it was read by itself: its `ETag`, and what the steps of `get` took.
    pub version: Version,
    /// Its id there.
    pub target_id: TargetId,
    /// Its id for the client.
    pub scim_id: ScimId,
    /// SCIM ids of accounts that were deleted through here and are members in the application still: known once members are
    /// read, and never shown.
    pub deleted_members: Vec<String>,
}

/// Joins objects of a list with their records, in one query; those the tenant may not see are left out.
pub async fn join_all(
    ctx: &Context,
    t: &TypeMapping,
    objects: Vec<Value>,
) -> Result<Vec<Joined>, Error> {
    let objects = shown(ctx, t, objects)?;
    look_up::before_reading(ctx, t, &objects).await?;
    let with_id = |object: Value| match read::target_id(t, &object) {
        Some(id) => Ok((TargetId::new(id), object)),
        None => Err(unidentified(t)),
    };
    let visible: Vec<(TargetId, Value)> = objects
        .into_iter()
        .filter(|object| !read::is_nobody(object))
        .map(with_id)
        .collect::<Result<_, _>>()?;
    let ids: Vec<TargetId> = visible.iter().map(|(id, _)| id.clone()).collect();
    let records = ctx
        .store
        .records_by_target(ctx.id(), &t.resource_type.name, &ids)
        .await?;
    let mut by_target: HashMap<String, Record> = records
        .into_iter()
        .filter_map(|record| Some((record.target_id.as_ref()?.as_str().to_owned(), record)))
        .collect();
    let reading = reading(ctx, t);
    let mut joined = Vec::with_capacity(visible.len());
    for (target_id, object) in visible {
        let record = by_target.remove(target_id.as_str());
        if record.as_ref().is_some_and(|record| record.is_deleted) {
            if ctx.journey.is_dry {
                note_hidden(ctx, t, Cow::Borrowed(DELETED_HERE), None);
            }
            continue;
        }
        joined.push(join(ctx, t, &reading, object, target_id, record).await?);
    }
    Ok(joined)
}

/// Joins one object; absent if the tenant may not see it. Without a record the store is asked for one.
pub async fn join_one(
    ctx: &Context,
    t: &TypeMapping,
    object: Value,
    record: Option<Record>,
) -> Result<Option<Joined>, Error> {
    let record = match (record, read::target_id(t, &object)) {
        (None, Some(target_id)) => {
            ctx.store
                .record_by_target(ctx.id(), &t.resource_type.name, &TargetId::new(target_id))
                .await?
        }
        (record, _) => record,
    };
    join_known(ctx, t, object, record).await
}

/// As [`join_one`], for an object whose record is known, or known not to be there.
pub async fn join_known(
    ctx: &Context,
    t: &TypeMapping,
    object: Value,
    record: Option<Record>,
) -> Result<Option<Joined>, Error> {
    let was_deleted = record.as_ref().is_some_and(|record| record.is_deleted);
    if was_deleted && ctx.journey.is_dry {
        note_hidden(ctx, t, Cow::Borrowed(DELETED_HERE), None);
    }
    match is_visible(ctx, t, &object) && !was_deleted {
        true => join_seen(ctx, t, object, record).await,
        false => Ok(None),
    }
}

/// As [`join_known`], for an object that may be gone: a create may bring it back.
pub async fn join_gone(
    ctx: &Context,
    t: &TypeMapping,
    object: Value,
    record: Option<Record>,
) -> Result<Option<Joined>, Error> {
    let settings = &ctx.mapping().settings;
    match read::is_in_scope(t, &object, settings) && !is_protected(ctx, t, &object) {
        true => join_seen(ctx, t, object, record).await,
        false => Ok(None),
    }
}

async fn join_seen(
    ctx: &Context,
    t: &TypeMapping,
    object: Value,
    record: Option<Record>,
) -> Result<Option<Joined>, Error> {
    let Some(target_id) = read::target_id(t, &object).map(TargetId::new) else {
        return Ok(None);
    };
    look_up::before_reading(ctx, t, std::slice::from_ref(&object)).await?;
    join(ctx, t, &reading(ctx, t), object, target_id, record)
        .await
        .map(Some)
}

fn reading<'c>(ctx: &'c Context, t: &'c TypeMapping) -> Reading<'c> {
    Reading::new(t, &ctx.mapping().settings, |_| true)
}

async fn join(
    ctx: &Context,
    t: &TypeMapping,
    reading: &Reading<'_>,
    object: Value,
    target_id: TargetId,
    record: Option<Record>,
) -> Result<Joined, Error> {
    let record = match record {
        None if !t.id.is_stable => Some(Box::pin(link(ctx, t, &target_id, Some(&object))).await?),
        record => record,
    };
    let scim_id = match &record {
        Some(record) => record.scim_id.clone(),
        None => ScimId::new(t.id.to_scim(target_id.as_str())),
    };
    let translated = reading.read(&object);
    let mut resource = translated.resource;
    let made = match t.id.as_object(&object) {
        Cow::Owned(made) => Some(made),
        Cow::Borrowed(_) => None,
    };
    let object = made.unwrap_or(object);
    for reference in translated.references {
        Box::pin(resolve_reference(ctx, &mut resource, &reference)).await?;
    }
    if let Some(record) = &record {
        write::join_kept(t, &mut resource, &record.shadow, &object);
        withheld(&mut resource, &record.shadow);
        show_wished_state(ctx, t, &mut resource, &record.shadow);
    }
    complete(ctx, t, &mut resource, &scim_id, record.as_ref());
    Ok(Joined {
        resource,
        record,
        object,
        version: Version::default(),
        target_id,
        scim_id,
        deleted_members: Vec::new(),
    })
}

/// What an object reads as before anything that is kept here is joined with it.
pub fn shown_by_application(ctx: &Context, t: &TypeMapping, object: &Value) -> Resource {
    reading(ctx, t).read(object).resource
}

/// Puts what the application shows after a write beside what is kept, so that a kept value gives way once somebody changes
/// it there. Says whether anything is new.
pub fn guard(ctx: &Context, t: &TypeMapping, record: &mut Record, object: &Value) -> bool {
    let keeps_any = t.attributes.iter().any(|rule| rule.is_kept);
    keeps_any && write::guard(t, &mut record.shadow, &shown_by_application(ctx, t, object))
}

/// Puts the common attributes and the version into a resource that has all others: what is kept here has been joined, or
/// it is the resource as it was wished.
pub fn complete(
    ctx: &Context,
    t: &TypeMapping,
    resource: &mut Resource,
    scim_id: &ScimId,
    record: Option<&Record>,
) {
    let kept = Kept::of(t, record);
    let location = ctx.location(t, scim_id.as_str());
    kept.frame(scim_id.as_str(), &location).put(t, resource);
}

/// What a record says about a resource's common attributes.
#[derive(Debug, Default)]
pub struct Kept<'r> {
    external_id: Option<&'r str>,
    created: Option<String>,
    modified: Option<String>,
    revision: Option<u64>,
}

impl<'r> Kept<'r> {
    /// Nothing, if there is no record.
    pub fn of(t: &TypeMapping, record: Option<&'r Record>) -> Self {
        record.map_or_else(Self::default, |record| Self {
            external_id: record
                .external_id
                .as_ref()
                .filter(|_| write::keeps_external_id(t))
                .map(ExternalId::as_str),
            created: (record.created != Record::UNKNOWN).then(|| record.created.to_string()),
            modified: Some(record.modified.to_string()),
            revision: Some(record.revision),
        })
    }

    /// The common attributes of the resource with this id.
    pub fn frame<'f>(&'f self, id: &'f str, location: &'f str) -> Frame<'f> {
        Frame {
            id,
            location,
            external_id: self.external_id,
            created: self.created.as_deref(),
            modified: self.modified.as_deref(),
            revision: self.revision,
        }
    }
}

/// With `active-is = "client"` the client sees what it wished last: a suspension in the application stays hidden, and is
/// not lifted by an unrelated write (TRESORIT-04).
fn show_wished_state(
    ctx: &Context,
    t: &TypeMapping,
    resource: &mut Resource,
    shadow: &Map<String, Value>,
) {
    if keeps_wished_state(ctx, t)
        && let Some(active) = shadow.get("active").filter(|active| active.is_boolean())
    {
        resource.0.insert("active".into(), active.clone());
    }
}

/// Whether the client's own `active` is kept.
pub fn keeps_wished_state(ctx: &Context, t: &TypeMapping) -> bool {
    ctx.mapping().policy.active_is == ActiveIs::Client && t.resource_type.name == "User"
}

/// Attributes that the client removed although the application cannot be without them (a state, say): kept as null, and
/// not shown until the client gives them a value again.
fn withheld(resource: &mut Resource, shadow: &Map<String, Value>) {
    for name in shadow
        .iter()
        .filter(|(_, value)| value.is_null())
        .map(|(name, _)| name)
    {
        resource.0.shift_remove(name);
    }
}

async fn resolve_reference(
    ctx: &Context,
    resource: &mut Resource,
    reference: &read::ReferenceValue,
) -> Result<(), Error> {
    let Some(of) = ctx.type_named(&reference.resource_type) else {
        return Ok(());
    };
    let id = scim_id_of(ctx, of, &TargetId::new(&reference.target_id)).await?;
    let location = ctx.location(of, id.as_str());
    let holder = match &reference.path.schema {
        Some(schema) => resource.0.get_mut(schema).and_then(Value::as_object_mut),
        None => Some(&mut resource.0),
    };
    if let Some(Value::Object(value)) =
        holder.and_then(|holder| holder.get_mut(&reference.path.attribute))
    {
        value.insert("value".into(), json!(id.as_str()));
        value.insert("$ref".into(), json!(location));
    }
    Ok(())
}

/// The same resource with the target's ids in its references: what is written. A copy only if it has references.
///
/// # Errors
///
/// `invalidValue` if a reference names a resource that does not exist and the policy is to refuse.
pub async fn outbound<'r>(
    ctx: &Context,
    t: &TypeMapping,
    resource: &'r Resource,
) -> Result<Cow<'r, Resource>, Error> {
    if t.attributes.iter().all(|rule| rule.reference.is_none()) {
        return Ok(Cow::Borrowed(resource));
    }
    let mut out = resource.clone();
    for rule in &t.attributes {
        let (Some(type_name), path) = (&rule.reference, &rule.location.path) else {
            continue;
        };
        let Some(of) = ctx.type_named(type_name) else {
            continue;
        };
        let Some(value) = reference_value(&mut out, path) else {
            continue;
        };
        let Some(id) = value.as_str().map(str::to_owned) else {
            continue;
        };
        match super::identity::target_id_of(ctx, of, &id).await? {
            Some(target_id) => *value = json!(target_id.as_str()),
            None => missing_reference(ctx, &mut out, path)?,
        }
    }
    Ok(Cow::Owned(out))
}

/// The place of a reference's value in a resource; absent if it has none.
pub fn reference_value<'r>(
    resource: &'r mut Resource,
    path: &AttributePath,
) -> Option<&'r mut Value> {
    let holder = match &path.schema {
        Some(schema) => resource.0.get_mut(schema)?.as_object_mut()?,
        None => &mut resource.0,
    };
    match holder.get_mut(&path.attribute)? {
        Value::Object(value) => value.get_mut(path.sub_attribute.as_deref().unwrap_or("value")),
        value => Some(value),
    }
}

fn missing_reference(
    ctx: &Context,
    resource: &mut Resource,
    path: &AttributePath,
) -> Result<(), Error> {
    use crate::{mapping::model::OnMissingReference, scim::ScimType};
    if ctx.mapping().policy.on_missing_reference == OnMissingReference::Reject {
        let detail = format!("`{}` names a resource that does not exist.", path.attribute);
        return Err(Error::of(ScimType::InvalidValue, detail));
    }
    let holder = match &path.schema {
        Some(schema) => resource.0.get_mut(schema).and_then(Value::as_object_mut),
        None => Some(&mut resource.0),
    };
    if let Some(holder) = holder {
        holder.shift_remove(&path.attribute);
    }
    Ok(())
}

/// The match attribute of an object: a userName, a group's displayName.
pub fn match_name(ctx: &Context, t: &TypeMapping, object: &Value) -> Option<String> {
    let own = &t.match_attribute.attribute;
    let wanted = |path: &AttributePath| path.attribute == *own;
    let read = read::read(t, object, &ctx.mapping().settings, wanted);
    Some(read.resource.0.get(own)?.as_str()?.to_owned())
}

/// A name as it is compared where case does not matter.
pub fn folded(name: &str) -> String {
    name.to_lowercase()
}

/// The `externalId` of a resource, as far as it is kept here.
pub fn external_id(t: &TypeMapping, resource: &Resource) -> Option<ExternalId> {
    if !write::keeps_external_id(t) {
        return None;
    }
    resource
        .0
        .get("externalId")
        .and_then(Value::as_str)
        .map(ExternalId::new)
}
