//! Which of the groups that a user is in exist for the client: one that `GET /Groups/ID` would not find is not named.

use std::collections::HashSet;

use serde_json::{Map, Value};

use crate::{
    mapping::{
        expression::Expression,
        model::TypeMapping,
        read::{self, is_in_scope},
    },
    scim::Error,
    store::TargetId,
    target::ScanSource,
};

use super::{context::Context, get::id_value, join::match_name, visible::is_visible};

/// The groups of one tenant.
pub struct Shown<'c> {
    pub ctx: &'c Context,
    /// The type of groups.
    pub t: &'c TypeMapping,
    /// Whether the mapping says itself which of a user's groups are shown (`only`): then none is looked up for it.
    is_told: bool,
}

/// The display name of a group that is known without a call; absent: none is.
pub struct Known(pub Option<String>);

impl<'c> Shown<'c> {
    pub fn new(ctx: &'c Context, t: &'c TypeMapping, is_told: bool) -> Self {
        Self { ctx, t, is_told }
    }

    /// What is known of a group that the client may see; absent if it may not, or if there is none.
    ///
    /// Fixed groups are known. Of others the conditions are worked out on the item, if it has all that they name; otherwise on
    /// the list of groups, which is read once a request.
    pub async fn name_of(&self, id: &TargetId, item: &Value) -> Result<Option<Known>, Error> {
        let (ctx, t) = (self.ctx, self.t);
        if t.is_fixed() {
            let mut fixed = t.fixed.iter();
            let object = fixed.find(|o| read::target_id(t, o).as_deref() == Some(id.as_str()));
            let visible = object.filter(|object| is_visible(ctx, t, object));
            return Ok(visible.map(|object| Known(match_name(ctx, t, object))));
        }
        let conditions = [&t.scope, &t.hide];
        if conditions.iter().all(|condition| condition.is_none()) {
            return Ok(Some(Known(None)));
        }
        let object = self.object_of(id, item);
        let mut conditions = conditions.into_iter().flatten();
        let is_visible = match conditions.all(|condition| are_known(condition, &object)) {
            true => is_in_scope(t, &object, &ctx.mapping().settings),
            false if self.is_told || t.lists.is_empty() => true,
            false => self.listed().await?.contains(id),
        };
        Ok(is_visible.then_some(Known(None)))
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

    async fn listed(&self) -> Result<&HashSet<TargetId>, Error> {
        let (ctx, t) = (self.ctx, self.t);
        let read = || async {
            let names = ctx.names();
            let mut scan = ctx.driver().scan(ScanSource::Lists(&t.lists), &names);
            let mut ids = HashSet::new();
            while let Some(page) = scan.next_page(&ctx.journey).await? {
                let visible = page.items.iter().filter(|row| is_visible(ctx, t, row));
                ids.extend(
                    visible
                        .filter_map(|row| read::target_id(t, row))
                        .map(TargetId::new),
                );
            }
            Ok::<_, Error>(ids)
        };
        Box::pin(ctx.shown_groups.get_or_try_init(read)).await
    }
}

/// Whether an object has all that a condition names.
fn are_known(condition: &Expression, object: &Value) -> bool {
    condition.names().iter().all(|name| {
        let first = name.names.first();
        first.is_some_and(|first| first == "settings" || object.get(first).is_some())
    })
}
