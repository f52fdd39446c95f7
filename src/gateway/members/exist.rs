//! Whether those who are to be added exist: an application may take any text for a member.

use std::collections::HashSet;

use crate::{
    mapping::{
        model::{Members, TypeMapping},
        read,
    },
    scim::Error,
    store::{ScimId, TargetId},
};

use super::super::{
    context::Context,
    get::object_of,
    identity::{Located, hides_objects},
    parallel::in_order,
};

/// What a member is, and its id at the target; absent for one that does not exist.
pub(super) type Found<'c> = Option<(&'c TypeMapping, TargetId)>;

/// Takes out those who do not exist, and says whether there were any. `present` are members already.
///
/// Whoever has a record here was made or seen through the gateway: no call. A text with another type's prefix names nobody: no
/// call either. Others are read, several side by side, unless they have been or the application itself refuses them.
///
/// # Errors
///
/// What the calls fail with.
pub(super) async fn take_out_unknown(
    ctx: &Context,
    members: &Members,
    ids: &[String],
    present: &[String],
    found: &mut [Found<'_>],
) -> Result<bool, Error> {
    let present: HashSet<&str> = present.iter().map(String::as_str).collect();
    let mut open = Vec::new();
    for (place, (id, slot)) in ids.iter().zip(found.iter()).enumerate() {
        let Some((of, target_id)) = slot else {
            continue;
        };
        let is_foreign = has_prefix_of_another(ctx, of, id);
        // A name is made of the object, which is read for it.
        let is_read = members.name.is_some() || hides_objects(ctx, of) || !of.id.is_stable;
        if !present.contains(id.as_str()) && (is_foreign || !(is_read || members.refuses_unknown)) {
            open.push((place, *of, id, target_id.clone(), is_foreign));
        }
    }
    if open.is_empty() {
        return Ok(false);
    }
    let recorded = recorded(ctx, open.iter().map(|(_, of, id, ..)| (*of, id.as_str()))).await?;
    open.retain(|(_, of, id, ..)| !recorded.contains(&(of.section.clone(), (*id).clone())));
    let looks = open
        .into_iter()
        .map(async |(place, of, id, target_id, is_foreign)| {
            if is_foreign {
                return Ok(Some(place));
            }
            let located = Located {
                scim_id: ScimId::new(id),
                target_id,
                record: None,
            };
            let object = object_of(ctx, of, &located).await?;
            // An id has one spelling: an application may find somebody by an address, too.
            let own = object.and_then(|object| read::target_id(of, &object));
            let is_it = own.as_deref() == Some(located.target_id.as_str());
            Ok((!is_it).then_some(place))
        });
    let unknown = Box::pin(in_order(looks.collect(), AT_ONCE)).await?;
    let mut any = false;
    for place in unknown.into_iter().flatten() {
        any = true;
        if let Some(slot) = found.get_mut(place) {
            *slot = None;
        }
    }
    Ok(any)
}

/// Those of whom something is kept here, by section and SCIM id.
async fn recorded(
    ctx: &Context,
    asked: impl Iterator<Item = (&TypeMapping, &str)>,
) -> Result<HashSet<(String, String)>, Error> {
    let asked: Vec<(&TypeMapping, &str)> = asked.collect();
    let mut recorded = HashSet::new();
    for of in &ctx.mapping().types {
        let own = asked.iter().filter(|(one, _)| one.section == of.section);
        let ids: Vec<ScimId> = own.map(|(_, id)| ScimId::new(*id)).collect();
        if ids.is_empty() {
            continue;
        }
        let name = &of.resource_type.name;
        let records = ctx.store.records(ctx.id(), name, &ids).await?;
        let living = records.iter().filter(|record| !record.is_deleted);
        recorded.extend(living.map(|one| (of.section.clone(), one.scim_id.as_str().to_owned())));
    }
    Ok(recorded)
}

/// Whether an id says that it is another type's: it begins with a prefix that says more than this type's own.
fn has_prefix_of_another(ctx: &Context, of: &TypeMapping, id: &str) -> bool {
    ctx.mapping().types.iter().any(|other| {
        other.section != of.section
            && other.id.prefix.len() > of.id.prefix.len()
            && id.starts_with(other.id.prefix.as_str())
    })
}

/// Members read at the same time; the target's budget bounds the calls further.
const AT_ONCE: usize = 8;
