//! What became of a change of members that was not done as one call.

use std::collections::HashSet;

use crate::{
    mapping::model::TypeMapping,
    scim::{Error, ScimType},
};

use super::super::{
    context::Context,
    create,
    get::{Want, fetch_located},
    identity::Located,
    unfinished,
};
use super::change::{Change, Told};

/// How far a change of members has come.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Members to be added and removed.
    all: usize,
    /// Those of them that are as wished.
    pub done: usize,
    /// Whether more may be as wished: a call for several failed, and may have been done in part.
    pub is_least: bool,
    /// SCIM ids of those who may not be as wished although no call failed, and whether they were to be added.
    doubted: Vec<(String, bool, Doubt)>,
    /// Those who are deactivated, and would be activated by the group.
    pub inactive: usize,
    /// Those who are to be taken out of a group that whoever is in no other one has.
    pub in_default: usize,
    /// Those whom the application shows as before, although it took the change for done.
    pub not_taken: usize,
    /// Changes whose reply said that the application has taken them; others were so already.
    pub taken: usize,
}

/// Why a call that did not fail may not have done what it was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doubt {
    /// The mapping's conditions left it out.
    LeftOut,
    /// Its reply has a status for each member.
    Mixed,
}

impl Tally {
    pub(super) fn of(change: &Change) -> Self {
        Self {
            all: change.add.len() + change.remove.len(),
            ..Self::default()
        }
    }

    /// Counts members for whom a call may have done nothing.
    pub(super) fn doubted(
        &mut self,
        ids: impl Iterator<Item = String>,
        is_added: bool,
        doubt: Doubt,
    ) {
        self.doubted.extend(ids.map(|id| (id, is_added, doubt)));
    }

    /// The outcome in words: what failed and how much was done, or which members are not as they were wished.
    ///
    /// A condition that left a call out may have meant that there was nothing to do, and a mixed reply that all was done: the
    /// group is read to see it.
    pub(super) async fn settle(
        self,
        ctx: &Context,
        t: &TypeMapping,
        group: &Located,
        outcome: Result<(), Error>,
    ) -> Result<Told, Error> {
        if let Err(error) = outcome {
            if self.done >= MANY && !ctx.journey.is_dry {
                unfinished::mark_members(ctx, t, group).await?;
            }
            return Err(self.halfway(ctx, error));
        }
        if self.inactive > 0 {
            return Err(Error::of(
                ScimType::InvalidValue,
                format!(
                    "{} of these members are deactivated, and the group would open the application to them again; activate them first. {AS_ASKED}",
                    self.inactive
                ),
            ));
        }
        if self.in_default > 0 {
            return Err(Error::of(
                ScimType::InvalidValue,
                format!(
                    "{} of these members are in no other group, and the application gives this one to whoever is in none (`default` in `[{}.members.on-user]`): they are in it still. {AS_ASKED}",
                    self.in_default, t.section
                ),
            ));
        }
        if self.not_taken > 0 {
            return Err(Error::new(
                502,
                format!(
                    "The application took the change for done, and shows {} of these members as before: a group may not be taken from them there, or not be given. {AS_ASKED}",
                    self.not_taken
                ),
            ));
        }
        let told = match self.taken {
            0 => Told::Nothing,
            _ => Told::Something,
        };
        if self.doubted.is_empty() || ctx.journey.is_dry {
            return Ok(told);
        }
        let whole = Want {
            members: true,
            groups: false,
        };
        let read = Box::pin(fetch_located(ctx, t, group.clone(), whole)).await?;
        let present: HashSet<String> = create::member_ids(read.resource.0.get("members"))
            .into_iter()
            .collect();
        let others = self.doubted.iter();
        let others = others.filter(|(id, is_added, _)| present.contains(id.as_str()) != *is_added);
        let doubts: Vec<Doubt> = others.map(|(.., doubt)| *doubt).collect();
        let why = match doubts.as_slice() {
            [] => return Ok(Told::Something),
            doubts if doubts.contains(&Doubt::Mixed) => {
                "the application answered 207, and has not done so for them".to_owned()
            }
            _ => format!(
                "a condition in the mapping (`if` in `[{}.members]`) leaves their calls out",
                t.section
            ),
        };
        let count = doubts.len();
        Err(Error::of(
            ScimType::InvalidValue,
            format!("{count} of these members are not as asked for: {why}. {AS_ASKED}"),
        ))
    }

    /// What failed, and how much had been done: an administrator would take the failure for all of it.
    fn halfway(&self, ctx: &Context, error: Error) -> Error {
        if self.all < 2 || self.done == 0 {
            return error;
        }
        let (tenant, status, done, all) = (ctx.id().as_str(), error.status, self.done, self.all);
        tracing::warn!(
            tenant,
            status,
            done,
            all,
            "a change of members was done in part"
        );
        let at_least = if self.is_least { "At least " } else { "" };
        let detail = format!(
            "{} {at_least}{done} of {all} changes of members were made; the same request sent again makes the others.",
            error.detail
        );
        Error { detail, ..error }
    }
}

/// Members that a failed change has come past for which the next one reads who is in, rather than call for them again.
const MANY: usize = 25;

const AS_ASKED: &str = "All others are as asked for.";
