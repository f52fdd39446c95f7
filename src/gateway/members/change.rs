//! Membership changed in the target, by the style the mapping names.

use std::{borrow::Cow, collections::HashSet};

use serde_json::{Value, json};

use crate::{
    mapping::{
        model::{Members, OnMissingReference, TypeMapping},
        names::Names,
    },
    scim::{Error, ScimType},
    store::{ScimId, TargetId},
};

use super::super::{
    context::Context,
    get::{id_value, object_of},
    identity::{Located, deleted_target_ids_of, target_ids_of, unknown},
};
use super::{
    calls::{Calls, Verb},
    exist::take_out_unknown,
    on_user,
    tally::Tally,
};

/// A change of a group's members.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Change {
    /// SCIM ids to add.
    pub add: Vec<String>,
    /// SCIM ids to remove.
    pub remove: Vec<String>,
    /// All SCIM ids afterwards, if they are known: needed where only the whole list can be set.
    pub all: Option<Vec<String>>,
    /// The user whose lock the caller holds already; absent: none.
    pub held: Option<String>,
}

impl Change {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.add.is_empty() && self.remove.is_empty()
    }
}

/// The members of a group that are a field of it, as the application calls them, for a write that sends the field.
#[derive(Debug, Default)]
pub struct InField {
    ids: Vec<Value>,
    /// `User` or `Group`, one for each id.
    types: Vec<Value>,
}

impl InField {
    /// Tells a write who the members are.
    pub fn name_in(self, names: &mut Names<'_>) {
        names.with("members", Cow::Owned(Value::Array(self.ids)));
        names.with("types", Cow::Owned(Value::Array(self.types)));
    }
}

impl<'c> FromIterator<(Value, &'c str)> for InField {
    fn from_iter<T: IntoIterator<Item = (Value, &'c str)>>(members: T) -> Self {
        let members = members.into_iter();
        let (ids, types) = members.map(|(id, of)| (id, json!(of))).unzip();
        Self { ids, types }
    }
}

/// What the replies to a change of members told of the group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// It is there, as far as the application looks at it.
    Something,
    /// All was so already, they say: the group may as well be missing.
    Nothing,
}

/// Makes the change. Removals first, so that limits on size are not met on the way.
///
/// # Errors
///
/// `invalidValue` for a member that does not exist, and for one that the mapping leaves out or that would be activated by it:
/// these are told once all others are done. 501 if the target cannot change members.
pub async fn apply(
    ctx: &Context,
    t: &TypeMapping,
    group: &Located,
    change: &Change,
) -> Result<(), Error> {
    Box::pin(make(ctx, t, group, change)).await.map(drop)
}

async fn make(
    ctx: &Context,
    t: &TypeMapping,
    group: &Located,
    change: &Change,
) -> Result<Told, Error> {
    let Some(members) = &t.members else {
        return Err(Error::new(
            501,
            "The application has no members in its groups.",
        ));
    };
    if change.is_empty() {
        return Ok(Told::Something);
    }
    ctx.memberships.forget().await;
    let mut tally = Tally::of(change);
    let outcome = match members.written_on_user() {
        Some(rule) => on_user::change(ctx, t, rule, group, change, &mut tally).await,
        None => by_calls(ctx, t, members, group, change, &mut tally).await,
    };
    tally.settle(ctx, t, group, outcome).await
}

/// As [`apply`], for a group that nobody has read: one that is missing is 404, also where the application's replies do not
/// say so. It is read only if the mapping wants it or nothing could be told from them.
///
/// # Errors
///
/// 404, and as for [`apply`].
pub async fn apply_unseen(
    ctx: &Context,
    t: &TypeMapping,
    group: &Located,
    change: &Change,
) -> Result<(), Error> {
    let gets_first = t.members.as_ref().is_some_and(|members| members.gets_first);
    if gets_first && object_of(ctx, t, group).await?.is_none() {
        return Err(unknown(t));
    }
    let told = Box::pin(make(ctx, t, group, change)).await?;
    let must_look = told == Told::Nothing && !gets_first && !ctx.journey.is_dry;
    match must_look && object_of(ctx, t, group).await?.is_none() {
        true => Err(unknown(t)),
        false => Ok(()),
    }
}

async fn by_calls(
    ctx: &Context,
    t: &TypeMapping,
    members: &Members,
    group: &Located,
    change: &Change,
    tally: &mut Tally,
) -> Result<(), Error> {
    let calls = |call, verb| Calls {
        ctx,
        t,
        group,
        call,
        verb,
        held: change.held.as_deref(),
    };
    let nobody = OnUnknown::Refuse { present: &[] };
    let added = || resolve(ctx, members, &change.add, nobody);
    match (&members.add, &members.remove, &members.replace, &change.all) {
        (Some(add), Some(remove), ..) => {
            let removed = resolve(ctx, members, &change.remove, OnUnknown::Skip).await?;
            let added = added().await?;
            calls(remove, Verb::Remove).run(&removed, tally).await?;
            calls(add, Verb::Add).run(&added, tally).await
        }
        (Some(add), None, None, _) if change.remove.is_empty() => {
            calls(add, Verb::Add).run(&added().await?, tally).await
        }
        (.., Some(replace), Some(all)) => {
            let added: HashSet<&String> = change.add.iter().collect();
            let others = all.iter().filter(|id| !added.contains(id));
            let present: Vec<String> = others.cloned().collect();
            let on_unknown = OnUnknown::Refuse { present: &present };
            let all = resolve(ctx, members, all, on_unknown).await?;
            calls(replace, Verb::Replace).set(&all, change, tally).await
        }
        _ if members.field.is_some() => Ok(()), // Written by the group's own update.
        _ => Err(Error::new(
            501,
            "The application cannot change the members of a group this way.",
        )),
    }
}

/// What the application calls the members of a group that are a field of it: those that are wished, of whom some are `present`
/// already.
///
/// # Errors
///
/// `invalidValue` for a member that does not exist.
pub async fn field_ids(
    ctx: &Context,
    members: &Members,
    wished: &[String],
    present: &[String],
) -> Result<InField, Error> {
    let members = resolve(ctx, members, wished, OnUnknown::Refuse { present }).await?;
    Ok(members
        .into_iter()
        .map(|member| (member.name, member.of))
        .collect())
}

/// What to do with a member that does not exist: one that is to be removed is passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OnUnknown<'a> {
    Skip,
    /// Those who are `present` are members already, and exist.
    Refuse {
        present: &'a [String],
    },
}

/// A member as the target is told of it.
pub(super) struct Named<'c> {
    /// Its SCIM id.
    pub id: String,
    /// What the target calls it.
    pub name: Value,
    /// `User` or `Group`.
    pub of: &'c str,
}

/// The members' names at the target.
async fn resolve<'c>(
    ctx: &'c Context,
    members: &Members,
    ids: &[String],
    on_unknown: OnUnknown<'_>,
) -> Result<Vec<Named<'c>>, Error> {
    let mut names = Vec::with_capacity(ids.len());
    let mut all = located_members(ctx, members, ids).await?;
    if on_unknown == OnUnknown::Skip && all.iter().any(Option::is_none) {
        // Who was deleted through here is nobody to be added, and may well be there to be removed.
        for of in members.types.iter().filter_map(|name| ctx.type_named(name)) {
            let deleted = deleted_target_ids_of(ctx, of, ids).await?;
            for (slot, target_id) in all.iter_mut().zip(deleted) {
                *slot = slot.take().or_else(|| Some((of, target_id?)));
            }
        }
    }
    let mut is_looked_up = false;
    if let OnUnknown::Refuse { present } = on_unknown {
        is_looked_up = take_out_unknown(ctx, members, ids, present, &mut all).await?;
    }
    for (id, located) in ids.iter().zip(all) {
        let Some((of, target_id)) = located else {
            ctx.leave_out(id, on_unknown != OnUnknown::Skip);
            continue;
        };
        let name = member_name(ctx, members, of, id, target_id).await?;
        ctx.leave_out(id, name.is_none() && on_unknown != OnUnknown::Skip);
        names.extend(name.map(|name| Named {
            id: id.clone(),
            name,
            of: of.resource_type.name.as_str(),
        }));
    }
    let is_refused = match ctx.mapping().policy.on_missing_reference {
        OnMissingReference::Reject => on_unknown != OnUnknown::Skip,
        // What looks like an id of the application is not held.
        OnMissingReference::Hold { .. } => is_looked_up,
        OnMissingReference::Drop => false,
    };
    if is_refused && names.len() < ids.len() {
        return Err(unknown_member());
    }
    Ok(names)
}

/// What members are, and their ids at the target; absent for one that does not exist.
pub(super) async fn located_members<'c>(
    ctx: &'c Context,
    members: &Members,
    ids: &[String],
) -> Result<Vec<Option<(&'c TypeMapping, TargetId)>>, Error> {
    let mut located = vec![None; ids.len()];
    let types = members.types.iter();
    let mut types: Vec<&TypeMapping> = types.filter_map(|name| ctx.type_named(name)).collect();
    // Without a prefix any text may be an id: a prefix says more.
    types.sort_by_key(|of| std::cmp::Reverse(of.id.prefix.len()));
    for of in types {
        let open: Vec<usize> = (0..ids.len())
            .filter(|place| located.get(*place).is_some_and(Option::is_none))
            .collect();
        if open.is_empty() {
            break;
        }
        let asked: Vec<String> = open
            .iter()
            .filter_map(|place| ids.get(*place).cloned())
            .collect();
        let found = target_ids_of(ctx, of, &asked).await?;
        for (place, target_id) in open.into_iter().zip(found) {
            if let Some(slot) = located.get_mut(place) {
                *slot = target_id.map(|target_id| (of, target_id));
            }
        }
    }
    Ok(located)
}

pub(super) fn unknown_member() -> Error {
    Error::of(
        ScimType::InvalidValue,
        "A member names a resource that does not exist, or has no `value`: it must be the `id` of a resource.",
    )
}

/// How the target names a member: by its id, or by what the mapping makes of the object.
async fn member_name(
    ctx: &Context,
    members: &Members,
    of: &TypeMapping,
    id: &str,
    target_id: TargetId,
) -> Result<Option<Value>, Error> {
    let Some(template) = &members.name else {
        return Ok(Some(id_value(of, target_id.as_str())));
    };
    let located = Located {
        scim_id: ScimId::new(id),
        target_id,
        record: None,
    };
    let Some(object) = object_of(ctx, of, &located).await? else {
        return Ok(None);
    };
    let mut names = ctx.names();
    names.with("id", Cow::Owned(id_value(of, located.target_id.as_str())));
    names.object(&object);
    Ok(template.value(&names)?)
}
