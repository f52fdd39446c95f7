//! Who is in which groups, where only the groups say it: worked out from the members of all of them, once a request.

use std::{collections::HashMap, sync::Arc};

use serde_json::Value;
use tokio::sync::Mutex;

use crate::{
    mapping::{model::TypeMapping, read},
    scim::{AttributePath, Error},
    store::TargetId,
    target::ScanSource,
};

use super::{
    context::Context,
    join::match_name,
    list::{PARALLEL_ROWS, must_read, whole_row},
    members,
    parallel::in_order,
    user_groups,
    visible::is_visible,
};

/// What a request knows of memberships so far.
#[derive(Default)]
pub struct Memberships {
    known: Mutex<Option<Arc<Known>>>,
}

/// Everybody's groups; nothing where there are too many groups to tell.
struct Known {
    by_member: Option<HashMap<TargetId, Vec<Arc<Group>>>>,
}

/// A group that the client may see.
struct Group {
    id: TargetId,
    name: Option<String>,
}

impl Memberships {
    /// A group is about to be changed: what is known is read again when it is asked for next.
    pub async fn forget(&self) {
        self.known.lock().await.take();
    }
}

/// The groups of a user, as values of `groups`; absent if there are more groups than are asked for their members.
///
/// # Errors
///
/// What the calls fail with: part of the groups would look like all of them.
pub async fn of(
    ctx: &Context,
    groups: &TypeMapping,
    most: usize,
    user: &TargetId,
) -> Result<Option<Vec<Value>>, Error> {
    let known = {
        // Others who ask meanwhile wait for the one reading.
        let mut known = ctx.memberships.known.lock().await;
        match known.as_ref() {
            Some(known) => Arc::clone(known),
            None => {
                let read = Box::pin(read_all(ctx, groups, most)).await?;
                Arc::clone(known.insert(Arc::new(read)))
            }
        }
    };
    let Some(by_member) = &known.by_member else {
        return Ok(None);
    };
    let mut values = Vec::new();
    for group in by_member.get(user).into_iter().flatten() {
        let name = group.name.clone();
        values.push(user_groups::value(ctx, groups, &group.id, name, "direct").await?);
    }
    Ok(Some(values))
}

async fn read_all(ctx: &Context, t: &TypeMapping, most: usize) -> Result<Known, Error> {
    let Some(objects) = visible_groups(ctx, t, most).await? else {
        tracing::info!(
            tenant = %ctx.id().as_str(),
            most,
            "users' groups are not shown: there are more groups than `most` in `[user.groups]`"
        );
        return Ok(Known { by_member: None });
    };
    let reads = objects.iter().map(|object| with_members(ctx, t, object));
    let mut by_member: HashMap<TargetId, Vec<Arc<Group>>> = HashMap::new();
    for (group, members) in in_order(reads.collect(), PARALLEL_ROWS)
        .await?
        .into_iter()
        .flatten()
    {
        let group = Arc::new(group);
        for member in members {
            by_member
                .entry(member)
                .or_default()
                .push(Arc::clone(&group));
        }
    }
    Ok(Known {
        by_member: Some(by_member),
    })
}

/// The groups that the client may see, as the list shows them; absent if there are more than so many.
async fn visible_groups(
    ctx: &Context,
    t: &TypeMapping,
    most: usize,
) -> Result<Option<Vec<Value>>, Error> {
    let mut found = Vec::new();
    if t.is_fixed() {
        found.extend(
            t.fixed
                .iter()
                .filter(|group| is_visible(ctx, t, group))
                .cloned(),
        );
    } else {
        let names = ctx.names();
        let mut scan = ctx.driver().scan(ScanSource::Lists(&t.lists), &names);
        while found.len() <= most
            && let Some(page) = scan.next_page(&ctx.journey).await?
        {
            found.extend(page.items.into_iter().filter(|row| is_visible(ctx, t, row)));
        }
    }
    Ok((found.len() <= most).then_some(found))
}

/// A group and its members; absent if it has gone meanwhile.
async fn with_members(
    ctx: &Context,
    t: &TypeMapping,
    row: &Value,
) -> Result<Option<(Group, Vec<TargetId>)>, Error> {
    let is_in_object = t
        .members
        .as_ref()
        .is_some_and(|members| members.field.is_some());
    let members = AttributePath::of("members");
    let needs = |path: &AttributePath| {
        is_in_object && path.is_same_attribute(&members)
            || path.is_same_attribute(&t.match_attribute)
    };
    let must_be_whole = t.lists.iter().any(|list| must_read(t, &list.rows, needs));
    let whole;
    let object = match must_be_whole {
        false => row,
        true => match whole_row(ctx, t, row).await? {
            Some(object) => {
                whole = object;
                &whole
            }
            None => return Ok(None),
        },
    };
    let Some(id) = read::target_id(t, object).map(TargetId::new) else {
        return Ok(None);
    };
    let members = match members::account_ids(ctx, t, (&id, object)).await {
        Err(error) if error.status == 404 => return Ok(None),
        members => members?,
    };
    let name = match_name(ctx, t, object);
    Ok(Some((Group { id, name }, members)))
}
