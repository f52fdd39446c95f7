//! A step over a list: one call for every element.

use std::borrow::Cow;

use futures_util::{StreamExt, stream::FuturesUnordered};

use super::{
    Driver, Journey, TargetError,
    conduct::{Answer, Ask},
};
use crate::mapping::{call::elements_of, template::Template};

/// Calls of one step at the same time; the target's budget bounds them further.
const PARALLEL_CALLS: usize = 8;

impl Driver {
    /// Makes a step's call for every element of its list, the name `item`, several side by side. After a failure none is begun,
    /// and those under way come to their end.
    ///
    /// # Errors
    ///
    /// The first failure, beside what was answered all the same; before any call, a list that is too long.
    pub(super) async fn each(
        &self,
        journey: &Journey,
        ask: &Ask<'_>,
        each: &Template,
    ) -> (Vec<Answer>, Result<(), TargetError>) {
        let items = match elements_of(each, ask.names) {
            Ok(items) => items,
            Err(error) => return (Vec::new(), Err(error.into())),
        };
        let mut waiting = items.into_iter().map(|item| async move {
            let mut names = ask.names.child();
            names.with("item", Cow::Owned(item));
            let of_item = Ask {
                names: &names,
                ..*ask
            };
            self.step(journey, &of_item).await
        });
        let mut under_way: FuturesUnordered<_> = waiting.by_ref().take(PARALLEL_CALLS).collect();
        let (mut answers, mut failure) = (Vec::new(), None);
        while let Some(outcome) = under_way.next().await {
            match outcome {
                Ok(answer) => answers.extend(answer),
                Err(error) => drop(failure.get_or_insert(error)),
            }
            if failure.is_none()
                && let Some(next) = waiting.next()
            {
                under_way.push(next);
            }
        }
        (answers, failure.map_or(Ok(()), Err))
    }
}
