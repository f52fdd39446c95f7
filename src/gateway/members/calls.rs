//! Members changed by calls of their own: one a member, many at once, or the whole list.

use std::borrow::Cow;

use futures_util::{StreamExt, stream::FuturesUnordered};
use serde_json::{Value, json};

use crate::{
    mapping::{
        model::{Call, Meaning, MemberCall, TypeMapping},
        reply::{CallClass, Verdict},
        write::member_element,
    },
    scim::Error,
    target::TargetError,
};

use super::super::{
    context::{Context, Lock},
    get::{id_value, object_of},
    identity::{Located, unknown},
};
use super::{
    change::{Change, Named, unknown_member},
    tally::{Doubt, Tally},
};

/// What a call does to members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Add,
    Remove,
    /// Sets the whole list.
    Replace,
}

impl Verb {
    fn name(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Remove => "remove",
            Self::Replace => "replace",
        }
    }

    fn class(self) -> CallClass {
        match self {
            Self::Add | Self::Replace => CallClass::MemberAdd,
            Self::Remove => CallClass::MemberRemove,
        }
    }
}

/// What a call came to.
enum Once {
    Taken,
    /// It was so already, the reply says, or its mapping.
    AlreadySo,
    /// What became of each member is somewhere in the reply (207), and no rule says it.
    Mixed,
    /// The mapping's conditions left out all that would change something.
    LeftOut,
}

/// The calls of one verb for one group.
#[derive(Clone, Copy)]
pub(super) struct Calls<'a> {
    pub ctx: &'a Context,
    pub t: &'a TypeMapping,
    pub group: &'a Located,
    pub call: &'a MemberCall,
    pub verb: Verb,
    /// The user whose lock the caller holds already.
    pub held: Option<&'a str>,
}

impl Calls<'_> {
    /// Adds or removes members, several calls side by side. After a failure none is begun, and those under way come to their end.
    pub(super) async fn run(&self, members: &[Named<'_>], tally: &mut Tally) -> Result<(), Error> {
        // One call is about users or about groups: its template may have to say which.
        let (groups, others): (Vec<&Named<'_>>, Vec<&Named<'_>>) =
            members.iter().partition(|member| member.of == "Group");
        let size = self.call.batch.unwrap_or(1).max(1);
        let chunks = others.chunks(size).chain(groups.chunks(size));
        let mut waiting = chunks.map(|chunk| async move { (chunk, self.once(chunk).await) });
        let mut under_way: FuturesUnordered<_> = waiting.by_ref().take(PARALLEL_CALLS).collect();
        let mut failure = None;
        while let Some((chunk, outcome)) = under_way.next().await {
            let ids = chunk.iter().map(|member| member.id.clone());
            match outcome {
                Ok(Once::Taken) => {
                    tally.done += chunk.len();
                    tally.taken += 1;
                }
                Ok(Once::AlreadySo) => tally.done += chunk.len(),
                Ok(Once::Mixed) => {
                    tally.taken += 1;
                    tally.doubted(ids, self.verb == Verb::Add, Doubt::Mixed);
                }
                Ok(Once::LeftOut) => tally.doubted(ids, self.verb == Verb::Add, Doubt::LeftOut),
                Err(error) => {
                    tally.is_least |= chunk.len() > 1;
                    failure.get_or_insert(error);
                }
            }
            if failure.is_none()
                && let Some(next) = waiting.next()
            {
                under_way.push(next);
            }
        }
        failure.map_or(Ok(()), Err)
    }

    /// Sets the whole list in one call.
    pub(super) async fn set(
        &self,
        all: &[Named<'_>],
        change: &Change,
        tally: &mut Tally,
    ) -> Result<(), Error> {
        let all: Vec<&Named<'_>> = all.iter().collect();
        let doubt = match self.once(&all).await? {
            Once::Taken => {
                tally.taken += 1;
                return Ok(());
            }
            Once::AlreadySo => return Ok(()),
            Once::Mixed => {
                tally.taken += 1;
                Doubt::Mixed
            }
            Once::LeftOut => Doubt::LeftOut,
        };
        tally.doubted(change.add.iter().cloned(), true, doubt);
        tally.doubted(change.remove.iter().cloned(), false, doubt);
        Ok(())
    }

    /// One call, or one row of steps.
    async fn once(&self, members: &[&Named<'_>]) -> Result<Once, Error> {
        let (ctx, t) = (self.ctx, self.t);
        let _lock = self.turn_of(members).await?;
        let id = id_value(t, self.group.target_id.as_str());
        let mut names = ctx.names();
        names.with("group", Cow::Owned(id.clone()));
        names.with("id", Cow::Owned(id));
        let mut all = Vec::with_capacity(members.len());
        for member in members {
            let element = self.call.element.as_ref();
            all.extend(member_element(
                element,
                &member.name,
                &json!(member.of),
                &names,
            )?);
        }
        names.with("members", Cow::Owned(Value::Array(all)));
        if let [member] = members {
            names.with("member", Cow::Borrowed(&member.name));
        }
        if let Some(of) = members.first().map(|member| member.of)
            && members.iter().all(|member| member.of == of)
        {
            names.with("type", Cow::Owned(json!(of)));
        }
        let operation = format!("{}.members.{}", t.section, self.verb.name());
        let steps: Vec<&Call> = self.call.before.iter().chain([&self.call.call]).collect();
        let outcome = ctx
            .driver()
            .calls(&ctx.journey, &operation, &steps, self.verb.class(), &names)
            .await;
        match outcome {
            Ok(called) => {
                let was_so = called.verdict.meaning == Meaning::AlreadySo;
                let is_mixed =
                    called.verdict.status.is_some() && called.verdict.meaning == Meaning::Ok;
                self.settle(called.verdict).await?;
                Ok(match called.has_written {
                    false => Once::LeftOut,
                    true if was_so => Once::AlreadySo,
                    true if is_mixed => Once::Mixed,
                    true => Once::Taken,
                })
            }
            Err(TargetError::Refused {
                meaning,
                detail,
                attribute,
                status,
            }) => {
                let verdict = Verdict {
                    detail,
                    attribute,
                    status,
                    ..Verdict::of(meaning)
                };
                self.settle(verdict).await?;
                // Where the group could be missing, it was read.
                Ok(Once::Taken)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Waits until nobody else reads and writes the same member: steps that read its own object and write it back would undo
    /// what another group's change wrote in between. These locks are the last that anybody takes, so none waits in a circle.
    async fn turn_of(&self, members: &[&Named<'_>]) -> Result<Option<Lock>, Error> {
        let [member] = members else { return Ok(None) };
        let reads = self.call.before.iter().any(|step| step.is_safe());
        if !reads || self.held == Some(member.id.as_str()) {
            return Ok(None);
        }
        // A nested group's own lock is held by those who change its members, who may wait for this group's.
        let name = match member.of {
            "User" => format!("User/{}", member.id),
            of => format!("Member/{of}/{}", member.id),
        };
        self.ctx.lock(name).await.map(Some)
    }

    /// What a member call's outcome means: a present one added and an absent one removed are as wished.
    async fn settle(&self, verdict: Verdict) -> Result<(), Error> {
        let (ctx, t, group) = (self.ctx, self.t, self.group);
        match (self.verb.class(), verdict.meaning) {
            (_, Meaning::Ok | Meaning::Created | Meaning::AlreadySo) => Ok(()),
            (_, Meaning::NotFound) if object_of(ctx, t, group).await?.is_none() => Err(unknown(t)),
            (CallClass::MemberRemove, Meaning::NotFound)
            | (CallClass::MemberAdd, Meaning::Uniqueness) => Ok(()),
            (_, Meaning::NotFound) => Err(unknown_member()),
            (_, meaning) => Err(TargetError::Refused {
                meaning,
                detail: verdict.detail.or_else(|| said_by(verdict.status)),
                attribute: verdict.attribute.or(Some("members".into())),
                status: verdict.status,
            }
            .into()),
        }
    }
}

/// What an answer without words says: a group's members may be many calls, and their operator must know what to look for.
fn said_by(status: Option<u16>) -> Option<String> {
    let status = status.filter(|status| *status >= 400)?;
    Some(format!("it answered with status {status}."))
}

/// Member calls at the same time; the target's budget bounds them further.
const PARALLEL_CALLS: usize = 8;
