//! The calls a find makes before the one that answers it.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::{
    gateway::context::Context,
    mapping::{
        model::{Find, Meaning},
        names::Names,
        reply::{CallClass, take},
    },
    scim::Error,
    target::TargetError,
};

/// Makes all calls of a find but the last. Gives what they took, names for the last; absent if one of them is answered
/// "not found": then nothing is found, and the last is not made.
pub async fn first_steps(
    ctx: &Context,
    find: &Find,
    names: &Names<'_>,
) -> Result<Option<Map<String, Value>>, Error> {
    let mut known = Map::new();
    for call in &find.before {
        let mut names = names.child();
        for (name, value) in &known {
            names.with(name, Cow::Borrowed(value));
        }
        let made = ctx
            .driver()
            .call(
                &ctx.journey,
                &find.name,
                call,
                CallClass::Find,
                &names,
                None,
            )
            .await;
        let (reply, verdict) = match made {
            // No object has a name that cannot be sent.
            Err(error) if error.is_unfit_for_path() => return Ok(None),
            made => made?,
        };
        if verdict.meaning == Meaning::NotFound {
            return Ok(None);
        }
        if !verdict.meaning.is_done() {
            return Err(TargetError::from(verdict).into());
        }
        let mut taken = Map::new();
        take(call, &reply, &names, &mut taken)?;
        drop(names);
        known.extend(taken);
    }
    Ok(Some(known))
}

/// Gives what was taken to the names of the last call.
pub fn give(names: &mut Names<'_>, known: Map<String, Value>) {
    for (name, value) in known {
        names.with(&name, Cow::Owned(value));
    }
}
