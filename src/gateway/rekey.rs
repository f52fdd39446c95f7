//! Calls that give an object another key, where the key is a name that can change (`stable = false`).
//!
//! Between such a call and the writing of the new key the process may die: then the client's id would name nothing, and the
//! object would get another id as soon as a list shows it. So the key that the call is to give is written down before it,
//! twice: in what is kept of the resource, and as an intent under the key itself. Whoever meets one of them looks which
//! key the object has; who holds the resource's lock writes that down.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    mapping::model::TypeMapping,
    scim::{Error, ScimType},
    store::{Intent, IntentState, Record, ScimId, TargetId},
    target::TargetError,
};

use super::{
    context::Context,
    get::object_of,
    identity::Located,
    join::{Joined, folded, match_name},
};

/// Under which key an object is found.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// The key that is kept.
    Old,
    /// The key that a call was to give it.
    New,
    /// Neither: it was deleted, or the application takes its time.
    Nowhere,
}

/// A call that is to give an object another key.
pub struct Rekey<'a> {
    ctx: &'a Context,
    t: &'a TypeMapping,
    /// What is kept, without any mark.
    record: Record,
    key: TargetId,
}

impl<'a> Rekey<'a> {
    /// Writes down that the next call is to give this key; absent if it gives none that is not there already.
    ///
    /// What held the key before and is there no more is forgotten.
    pub async fn begin(
        ctx: &'a Context,
        t: &'a TypeMapping,
        old: &Joined,
        before: &TargetId,
        key: Option<&str>,
    ) -> Result<Option<Self>, Error> {
        let (Some(key), Some(kept)) = (key.map(TargetId::new), &old.record) else {
            return Ok(None);
        };
        if t.id.is_stable || key == *before || ctx.journey.is_dry {
            return Ok(None);
        }
        let name = &t.resource_type.name;
        // Not every application refuses a name that is taken: some answer success and do nothing, and the link would lead to
        // what is somebody else's. In another letter case it may be the object itself.
        let is_respelled = folded(key.as_str()) == folded(before.as_str());
        if !is_respelled && exists(ctx, t, &key).await? {
            return Err(taken(t));
        }
        let holder = ctx.store.record_by_target(ctx.id(), name, &key).await?;
        if let Some(holder) = holder.filter(|holder| holder.scim_id != kept.scim_id) {
            if is_respelled && exists(ctx, t, &key).await? {
                // The application has to refuse.
                return Ok(None);
            }
            ctx.store
                .delete(ctx.id(), name, &holder.scim_id, false)
                .await?;
        }
        let record = Record {
            target_id: Some(before.clone()),
            ..unmarked(kept)
        };
        let rekey = Self {
            ctx,
            t,
            record,
            key,
        };
        rekey.file().await?;
        rekey.mark().await?;
        Ok(Some(rekey))
    }

    /// Whoever meets the object under its new key learns whose it is.
    async fn file(&self) -> Result<(), Error> {
        let (ctx, name) = (self.ctx, &self.t.resource_type.name);
        let intent = Intent {
            match_key: match_key(&self.key),
            digest: [0; 32],
            scim_id: self.record.scim_id.clone(),
            state: IntentState::Prepared,
            prepared_at: ctx.now,
            target_id: None,
        };
        let filed = ctx.store.prepare(ctx.id(), name, &intent, ctx.now).await?;
        // Of a resource that did not get the key.
        if let crate::store::Prepared::Existing(other) = filed
            && other.scim_id != intent.scim_id
        {
            ctx.store
                .abandon(ctx.id(), name, &intent.match_key, &other.scim_id)
                .await?;
            ctx.store.prepare(ctx.id(), name, &intent, ctx.now).await?;
        }
        Ok(())
    }

    /// Whoever is asked for the resource learns where else it may be.
    async fn mark(&self) -> Result<(), Error> {
        let mut marked = self.record.clone();
        let mark = json!({ "key": self.key.as_str(), "at": self.ctx.now.to_string() });
        marked.shadow.insert(MARK.into(), mark);
        self.put(&marked).await
    }

    async fn put(&self, record: &Record) -> Result<(), Error> {
        let name = &self.t.resource_type.name;
        Ok(self.ctx.store.put(self.ctx.id(), name, record).await?)
    }

    /// The key that the object has after a call that failed: perhaps only its answer was lost, or a later call of it failed.
    /// Absent if it kept its own, or if that cannot be known now.
    pub async fn after(self, error: &TargetError) -> Result<Option<TargetId>, Error> {
        if matches!(error, TargetError::Changed { is_halfway: false }) {
            self.end(None).await?;
            return Ok(None);
        }
        let before = self.record.target_id.clone();
        let place = match &before {
            Some(before) => place_of(self.ctx, self.t, &self.record.scim_id, before, &self.key),
            None => return Ok(None),
        };
        match place.await {
            Ok(Place::New) => {
                let key = self.key.clone();
                self.end(Some(&key)).await?;
                Ok(Some(key))
            }
            Ok(Place::Old) if !error.is_in_doubt() => {
                self.end(None).await?;
                Ok(None)
            }
            // Whoever asks for the resource next finds out.
            Ok(Place::Old | Place::Nowhere) | Err(_) => Ok(None),
        }
    }

    /// Writes the key down that the object has after a call that was answered with success: the one that the reply `shows`, or the
    /// new one. What a reply shows is not always done: the object is looked for.
    ///
    /// # Errors
    ///
    /// 502 if it has its old key still.
    pub async fn done(self, shows: Option<TargetId>) -> Result<TargetId, Error> {
        let before = self.record.target_id.clone();
        let other = shows.filter(|shown| Some(shown) != before.as_ref());
        let key = other.unwrap_or_else(|| self.key.clone());
        let (ctx, t) = (self.ctx, self.t);
        if !exists(ctx, t, &key).await?
            && let Some(before) = &before
            && exists(ctx, t, before).await?
        {
            let detail = format!(
                "The application took the call that renames a {}, and shows it under its old name still.",
                t.resource_type.name
            );
            self.end(None).await?;
            return Err(Error::new(502, detail));
        }
        self.end(Some(&key)).await?;
        Ok(key)
    }

    /// Writes the key down that the object has: a new one, or the one it had.
    pub async fn end(self, key: Option<&TargetId>) -> Result<(), Error> {
        let record = Record {
            target_id: key.or(self.record.target_id.as_ref()).cloned(),
            ..self.record.clone()
        };
        self.put(&record).await?;
        abandon(self.ctx, self.t, &self.key, &record.scim_id).await
    }
}

/// Where the object of a record is: under the key that is kept, or under the one that a call was to give it.
pub async fn current_key(
    ctx: &Context,
    t: &TypeMapping,
    record: &Record,
) -> Result<Option<TargetId>, Error> {
    let (Some((key, _)), Some(before)) = (marked(record), &record.target_id) else {
        return Ok(record.target_id.clone());
    };
    let place = place_of(ctx, t, &record.scim_id, before, &key).await?;
    Ok(Some(match place {
        Place::New => key,
        Place::Old | Place::Nowhere => before.clone(),
    }))
}

/// Whether nobody has written down yet how a call that was to give another key ended.
pub fn is_open(record: &Record) -> bool {
    marked(record).is_some()
}

/// Writes down under which key a resource was located. For who holds its lock: no such call of this gateway is under way then.
pub async fn settle(
    ctx: &Context,
    t: &TypeMapping,
    mut located: Located,
) -> Result<Located, Error> {
    let Some(record) = &located.record else {
        return Ok(located);
    };
    let Some((key, since)) = marked(record).filter(|_| !ctx.journey.is_dry) else {
        return Ok(located);
    };
    // The call of a replica that died a moment ago may take effect still; an object that is nowhere may appear.
    let is_old = ctx.now.duration_since(since) > SETTLES_WITHIN.try_into().unwrap_or_default();
    let is_over =
        key == located.target_id || (is_old && exists(ctx, t, &located.target_id).await?);
    if is_over {
        let record = Record {
            target_id: Some(located.target_id.clone()),
            ..unmarked(record)
        };
        let name = &t.resource_type.name;
        ctx.store.put(ctx.id(), name, &record).await?;
        abandon(ctx, t, &key, &record.scim_id).await?;
        located.record = Some(record);
    }
    Ok(located)
}

/// What is kept of an object that no link leads to, where that is known from a call whose end nobody wrote down: one that was
/// to give it this key, or a create of its name. Absent for any other.
pub async fn foreseen(
    ctx: &Context,
    t: &TypeMapping,
    target_id: &TargetId,
    object: Option<&Value>,
) -> Result<Option<Foreseen>, Error> {
    let name = &t.resource_type.name;
    let by_key = prepared(ctx, t, &match_key(target_id)).await?;
    if let Some(intent) = by_key
        && let Some(record) = ctx.store.record(ctx.id(), name, &intent.scim_id).await?
        && marked(&record).is_some_and(|(key, _)| key == *target_id)
        && Box::pin(current_key(ctx, t, &record)).await?.as_ref() == Some(target_id)
    {
        return Ok(Some(Foreseen::Moved(Record {
            target_id: Some(target_id.clone()),
            ..record
        })));
    }
    let Some(own) = object.and_then(|object| match_name(ctx, t, object)) else {
        return Ok(None);
    };
    let by_name = prepared(ctx, t, &folded(&own)).await?;
    let Some(intent) = by_name.filter(|intent| !intent.scim_id.as_str().is_empty()) else {
        return Ok(None);
    };
    let holder = ctx.store.record(ctx.id(), name, &intent.scim_id).await?;
    Ok(holder
        .is_none()
        .then_some(Foreseen::Created(intent.scim_id)))
}

/// What is known of an object before there is a link to it.
pub enum Foreseen {
    /// It is the object of this resource.
    Moved(Record),
    /// It is to get this id.
    Created(ScimId),
}

async fn prepared(
    ctx: &Context,
    t: &TypeMapping,
    match_key: &str,
) -> Result<Option<Intent>, Error> {
    let name = &t.resource_type.name;
    let found = ctx.store.intent(ctx.id(), name, match_key).await?;
    Ok(found.filter(|intent| intent.state == IntentState::Prepared))
}

async fn abandon(ctx: &Context, t: &TypeMapping, key: &TargetId, id: &ScimId) -> Result<(), Error> {
    let name = &t.resource_type.name;
    let match_key = match_key(key);
    Ok(ctx.store.abandon(ctx.id(), name, &match_key, id).await?)
}

/// Whether the object has gone from its old key and is found under the new one, which is no other resource's.
async fn place_of(
    ctx: &Context,
    t: &TypeMapping,
    id: &ScimId,
    before: &TargetId,
    key: &TargetId,
) -> Result<Place, Error> {
    if exists(ctx, t, before).await? {
        return Ok(Place::Old);
    }
    if !exists(ctx, t, key).await? {
        return Ok(Place::Nowhere);
    }
    let name = &t.resource_type.name;
    let holder = ctx.store.record_by_target(ctx.id(), name, key).await?;
    match holder.is_some_and(|holder| holder.scim_id != *id) {
        true => Ok(Place::Nowhere),
        false => Ok(Place::New),
    }
}

async fn exists(ctx: &Context, t: &TypeMapping, key: &TargetId) -> Result<bool, Error> {
    let located = Located {
        scim_id: ScimId::new(key.as_str()),
        target_id: key.clone(),
        record: None,
    };
    Ok(Box::pin(object_of(ctx, t, &located)).await?.is_some())
}

fn taken(t: &TypeMapping) -> Error {
    let (name, attribute) = (&t.resource_type.name, &t.match_attribute);
    let detail = format!("A {name} with this `{attribute}` exists already.");
    Error::of(ScimType::Uniqueness, detail)
}

/// The key that a call was to give, and when it was begun.
fn marked(record: &Record) -> Option<(TargetId, Timestamp)> {
    let mark = record.shadow.get(MARK)?;
    let at = mark.get("at")?.as_str()?.parse().ok()?;
    Some((TargetId::new(mark.get("key")?.as_str()?), at))
}

fn unmarked(record: &Record) -> Record {
    let mut record = record.clone();
    record.shadow.shift_remove(MARK);
    record
}

/// Names of resources are folded before they become match keys: no name has capitals there.
fn match_key(key: &TargetId) -> String {
    ["KEY/", key.as_str()].concat()
}

/// No attribute's name: it has a character that names cannot have.
const MARK: &str = "$key";

/// How long the call of a replica that died may still take effect in the application. No bound is certain: applications that
/// refuse a second account of a name need none.
pub const SETTLES_WITHIN: Duration = Duration::from_secs(2);
