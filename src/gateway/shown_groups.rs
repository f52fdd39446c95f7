//! Which of the groups that a user is in exist for the client: one that `GET /Groups/ID` would not find is not named.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use crate::{
    mapping::{
        expression::Expression,
        model::{MemberOnUser, Read, TypeMapping, UserGroups},
        read::{self, is_in_scope},
    },
    scim::Error,
    store::TargetId,
    target::ScanSource,
};

use super::{context::Context, get::id_value, join::match_name, members, visible::is_visible};

/// The groups of one tenant.
pub struct Shown<'c> {
    pub ctx: &'c Context,
    /// The type of groups.
    pub t: &'c TypeMapping,
    /// Whether the mapping says itself which of a user's groups are shown (`only`): then none is looked up for it.
    is_told: bool,
    /// How users' lists name groups, where what is looked for is such a name.
    names: Option<&'c MemberOnUser>,
}

/// A group that the client may see.
pub struct Known {
    pub id: TargetId,
    /// Its display name, if that is known without a call.
    pub name: Option<String>,
}

/// The groups that the client may see.
#[derive(Debug, Default)]
pub struct Listed {
    ids: HashSet<TargetId>,
    /// By what users' lists name them, as names are compared.
    names: HashMap<String, TargetId>,
}

impl<'c> Shown<'c> {
    pub fn new(ctx: &'c Context, t: &'c TypeMapping, groups: &UserGroups) -> Self {
        let on_user = t.members.as_ref().and_then(|m| m.on_user.as_ref());
        Self {
            ctx,
            t,
            is_told: groups.only().is_some(),
            names: on_user.filter(|on_user| are_names(groups, on_user)),
        }
    }

    /// What is known of a group that the client may see; absent if it may not, or if there is none.
    ///
    /// Fixed groups are known. Of others the conditions are worked out on the item, if it has all that they name; otherwise on
    /// the list of groups, which is read once a request. Where users' lists name groups by something else than their id, or in
    /// whatever letter case, the list is read as well.
    pub async fn find(&self, id: TargetId, item: &Value) -> Result<Option<Known>, Error> {
        let (ctx, t) = (self.ctx, self.t);
        if t.is_fixed() {
            let object = match self.fixed(|object| Ok(has_id(t, object, &id)))? {
                None => self.fixed(|object| self.is_named(object, &id))?,
                found => found,
            };
            let visible = object.filter(|object| is_visible(ctx, t, object));
            return Ok(visible.and_then(|object| {
                Some(Known {
                    id: TargetId::new(read::target_id(t, object)?),
                    name: match_name(ctx, t, object),
                })
            }));
        }
        let known = |id| Known { id, name: None };
        if let Some(on_user) = self.names.filter(|on_user| !on_user.names_are_ids(&t.id)) {
            let listed = self.listed().await?;
            let named = listed.names.get(on_user.compared(id.as_str()).as_ref());
            return Ok(named.cloned().map(known));
        }
        let conditions = [&t.scope, &t.hide];
        if conditions.iter().all(|condition| condition.is_none()) {
            return Ok(Some(known(id)));
        }
        let object = self.object_of(&id, item);
        let mut conditions = conditions.into_iter().flatten();
        let is_visible = match conditions.all(|condition| are_known(condition, &object)) {
            true => is_in_scope(t, &object, &ctx.mapping().settings),
            false if self.is_told || t.lists.is_empty() => true,
            false => self.listed().await?.ids.contains(&id),
        };
        Ok(is_visible.then(|| known(id)))
    }

    /// The first fixed group for which something holds.
    fn fixed(
        &self,
        holds: impl Fn(&Value) -> Result<bool, Error>,
    ) -> Result<Option<&'c Value>, Error> {
        for object in &self.t.fixed {
            if holds(object)? {
                return Ok(Some(object));
            }
        }
        Ok(None)
    }

    /// Whether users' lists may name a group so.
    fn is_named(&self, group: &Value, name: &TargetId) -> Result<bool, Error> {
        let Some((on_user, id)) = self.names.zip(read::target_id(self.t, group)) else {
            return Ok(false);
        };
        let own = members::name_of(self.ctx, on_user, &TargetId::new(id), group)?;
        Ok(on_user.compared(&own) == on_user.compared(name.as_str()))
    }

    /// What an item says of its group, with the group's id where groups have it.
    fn object_of(&self, id: &TargetId, item: &Value) -> Value {
        let mut object = match item {
            Value::Object(members) => Value::Object(members.clone()),
            _ => Value::Object(Map::new()),
        };
        if let Some(place) = self.t.id.from.as_place() {
            place.write(&mut object, id_value(self.t, id.as_str()));
        }
        object
    }

    async fn listed(&self) -> Result<&Listed, Error> {
        let (ctx, t) = (self.ctx, self.t);
        let read = || async {
            let names = ctx.names();
            let mut scan = ctx.driver().scan(ScanSource::Lists(&t.lists), &names);
            let mut listed = Listed::default();
            while let Some(page) = scan.next_page(&ctx.journey).await? {
                for row in page.items.iter().filter(|row| is_visible(ctx, t, row)) {
                    let Some(id) = read::target_id(t, row).map(TargetId::new) else {
                        continue;
                    };
                    if let Some(on_user) = self.names {
                        let name = members::name_of(ctx, on_user, &id, row)?;
                        let name = on_user.compared(&name).into_owned();
                        listed.names.insert(name, id.clone());
                    }
                    listed.ids.insert(id);
                }
            }
            Ok::<_, Error>(listed)
        };
        Box::pin(ctx.shown_groups.get_or_try_init(read)).await
    }
}

/// Whether what a user's groups are read from is what `on-user` compares: both take it from the same place of an element.
fn are_names(groups: &UserGroups, on_user: &MemberOnUser) -> bool {
    match (groups, &on_user.id) {
        (UserGroups::Field { id: None, .. }, None) => true,
        (
            UserGroups::Field {
                id: Some(Read::Path(id)),
                ..
            },
            Some(own),
        ) => id.source() == own.source(),
        _ => false,
    }
}

fn has_id(t: &TypeMapping, object: &Value, id: &TargetId) -> bool {
    read::target_id(t, object).as_deref() == Some(id.as_str())
}

/// Whether an object has all that a condition names.
fn are_known(condition: &Expression, object: &Value) -> bool {
    condition.names().iter().all(|name| {
        let first = name.names.first();
        first.is_some_and(|first| first == "settings" || object.get(first).is_some())
    })
}
