//! A PATCH that only adds and removes members by id: its cost does not depend on the size of the group, which is not
//! read at all.

use crate::{
    dialect::PatchAnswer,
    gateway::{
        answer::{Answer, Meta},
        apply,
        get::{Want, fetch_located, show_members},
        hold,
        identity::{Located, new_record},
        members, unfinished,
    },
    mapping::model::OnDelete,
    scim::{
        AttributePath, Error,
        patch::{MemberSplit, PatchRequest},
    },
    store::Record,
};

use super::Update;

impl Update<'_> {
    /// The members to add and remove, if that is all that the request wants and nothing must be read for it.
    pub(super) fn membership_only(
        &self,
        group: &Located,
        request: &PatchRequest,
    ) -> Option<MemberSplit> {
        let members = self.t.members.as_ref()?;
        let policy = &self.ctx.mapping().policy;
        let must_see_group = self.t.scope.is_some()
            || self.t.hide.is_some()
            || self.t.gone.is_some()
            || policy.on_delete == OnDelete::Deactivate;
        if must_see_group
            || self.if_match.is_some()
            || self.projection.is_explicit()
            || unfinished::has_marked_members(group)
            || members::needs_reading(members)
        {
            return None;
        }
        let split = request.split_members(&self.t.resource_type, "members")?;
        // A small removal is never too much; a large one must know how many there are.
        let is_small = policy
            .max_shrink
            .is_none_or(|guard| split.remove.len() <= guard.members);
        (is_small && split.rest.operations.is_empty()).then_some(split)
    }

    /// Makes the calls and counts the revision.
    pub(super) async fn change_membership(
        &self,
        group: Located,
        split: MemberSplit,
    ) -> Result<Answer, Error> {
        let (ctx, t) = (self.ctx, self.t);
        let add = split
            .add
            .iter()
            .filter_map(|member| Some(member.get("value")?.as_str()?.to_owned()))
            .collect();
        let change = members::Change {
            add,
            remove: split.remove,
            all: None,
            held: None,
        };
        if change.is_empty() {
            return self.answer_membership(group).await;
        }
        apply::record_changes(
            ctx,
            &[AttributePath {
                attribute: "members".into(),
                ..AttributePath::default()
            }],
        );
        members::apply_unseen(ctx, t, &group, &change).await?;
        hold::members(ctx, t, &group.scim_id, change.add, &change.remove, false).await?;
        let record = match &group.record {
            Some(record) => Record {
                revision: record.revision + 1,
                modified: ctx.now,
                ..record.clone()
            },
            None => Record {
                revision: 2,
                ..new_record(ctx, group.scim_id.clone(), Some(group.target_id.clone()))
            },
        };
        ctx.store
            .put(ctx.id(), &t.resource_type.name, &record)
            .await?;
        self.answer_membership(Located {
            record: Some(record),
            ..group
        })
        .await
    }

    /// 204, or the group; its members only if they fit on one page of the application's: a long list is not read for an
    /// answer (R8), so that its cost does not grow with the group.
    async fn answer_membership(&self, group: Located) -> Result<Answer, Error> {
        let (ctx, t) = (self.ctx, self.t);
        if ctx.dialect.answers(&t.resource_type).patch_answers == PatchAnswer::NoContent {
            return Ok(Answer::empty());
        }
        let mut group = fetch_located(ctx, t, group, Want::NEITHER).await?;
        if self.projection.wants("members") {
            let Some(members) = members::read_short(ctx, t, &group).await? else {
                // 200 would have to be the whole resource (RFC 7644 §3.5.2).
                return Ok(Answer::empty());
            };
            show_members(&mut group.resource.0, members);
        }
        let meta = Meta::of(&group.resource.0);
        Ok(Answer::resource(
            200,
            self.projection.apply(&t.resource_type, group.resource.0),
            meta,
        ))
    }
}
