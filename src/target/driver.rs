//! Operations against one tenant's target.

use std::{borrow::Cow, sync::Arc};

use http::header::IF_MATCH;
use serde_json::{Map, Value};
use tokio::time::{Instant, sleep_until};

use super::{
    Connections, Done, Journey, TargetError,
    auth::Authenticator,
    conduct::{Answer, Ask},
    line::Line,
    memory::{Memory, Trail},
    pages::Pages,
    progress::{Progress, expect_object, object_in, taken},
    version::Versions,
};
use crate::{
    mapping::{
        call::spelled,
        model::{Budget, Call, Mapping, Meaning, Operation, TypeMapping},
        names::Names,
        page::PageRequest,
        reply::{CallClass, Cut, Reply, Row, Verdict, take},
    },
    scim::AttributePath,
};

/// What came of [`Driver::calls`].
#[derive(Debug)]
pub struct Called {
    /// What the last call means.
    pub verdict: Verdict,
    /// Whether a call that changes something was made, or planned in a dry run: false if conditions left all of them out.
    pub has_written: bool,
}

/// Drives one tenant's target: made once for each version of its mapping, used by all its requests.
#[derive(Debug)]
pub struct Driver {
    pub(super) mapping: Arc<Mapping>,
    pub(super) line: Line,
    pub(super) auth: Authenticator,
    pub(super) pages: Pages,
    pub(super) memory: Memory,
}

impl Driver {
    /// Prepares the way to the mapping's target; nothing is sent yet. Pools and breakers live on in `shared`.
    ///
    /// # Errors
    ///
    /// `File` or `Settings` for what can never work, `OriginChanged` (promise S21).
    pub fn new(mapping: Arc<Mapping>, shared: Arc<Connections>) -> Result<Self, TargetError> {
        let way = shared.way(&mapping)?;
        let remembered = mapping.target.budget.remembered;
        Ok(Self {
            auth: Authenticator::new(&mapping.target)?,
            line: Line::new(mapping.clone(), way)?,
            pages: Pages::default(),
            memory: Memory::new(remembered.unwrap_or(Budget::MOST_REMEMBERED)),
            mapping,
        })
    }

    /// The mapping it drives by.
    pub fn mapping(&self) -> &Arc<Mapping> {
        &self.mapping
    }

    /// Whether the target has failed so often that calls are refused at the moment.
    pub fn is_circuit_open(&self) -> bool {
        self.line.is_open()
    }

    /// Carries an operation out, all its steps in order.
    ///
    /// `fields` are the mapped fields: the body, in the operation's envelope, of every POST, PUT or PATCH that has none of its
    /// own, and the name `fields`. `changed` are the attributes that changed: the name `changed`, looked at by `when-changed`.
    /// What a step takes is a name for the next ones; the new object's id is the name `id` once it is known.
    ///
    /// With `if-match` the name `etag` is sent, or else the ETag of a fresh read; or what the mapping makes of the name `old`, or of
    /// what `get` took. A step after one that has changed something sends the version after that.
    /// With `get-first` the object is read first unless the name `old` is there.
    ///
    /// If a step is told that something is not there, and went by what was remembered, that is forgotten and the steps are
    /// made once more, unless one of them had an effect.
    ///
    /// # Errors
    ///
    /// `Refused` by the first step that is not done; the steps before it have had their effect, which `Halfway` says of a create.
    /// `Changed` if somebody else changed the object since it was read.
    pub async fn run(
        &self,
        journey: &Journey,
        operation: &Operation,
        class: CallClass,
        names: &Names<'_>,
        fields: Option<Value>,
        changed: &[AttributePath],
    ) -> Result<Done, TargetError> {
        let read = self.read_first(journey, operation, names).await?;
        let changed: Vec<Value> = changed.iter().map(|path| spelled(path).into()).collect();
        let changed = Value::Array(changed);
        let body = fields.as_ref().map(|fields| enveloped(operation, fields));
        let mut outer = names.child();
        if !changed.as_array().is_some_and(Vec::is_empty) {
            outer.with("changed", Cow::Borrowed(&changed));
        }
        if let Some(fields) = &fields {
            outer.with("fields", Cow::Borrowed(fields));
        }
        if let Some(old) = read.as_ref().and_then(|done| done.object.as_ref()) {
            outer.with("old", Cow::Borrowed(old));
        }
        let version = read.as_ref().map(Done::version);
        if let Some(version) = &version {
            version.name_in(operation, &mut outer);
        }

        let mut progress = Progress::default();
        let steps = Steps {
            operation,
            class,
            names: &outer,
            body: body.as_ref(),
        };
        let mut trail = Trail::default();
        let mut outcome = self.steps(journey, &steps, &mut progress, &mut trail).await;
        trail.end(outcome.as_ref().err());
        if trail.is_misled {
            self.memory.forget(&trail.recalled);
            (progress, trail) = Default::default();
            outcome = self.steps(journey, &steps, &mut progress, &mut trail).await;
        }
        match outcome {
            Ok(()) => {
                if class == CallClass::Get {
                    progress
                        .expect_object(operation)
                        .inspect_err(|error| journey.trouble(&operation.name, error))?;
                }
                Ok(self.done(operation, class, progress, &outer))
            }
            Err(cause) if class == CallClass::Create && trail.has_effect => {
                Err(TargetError::Halfway {
                    id: progress.id(),
                    cause: Box::new(cause),
                })
            }
            Err(TargetError::Changed { .. }) => Err(TargetError::Changed {
                is_halfway: trail.has_effect,
            }),
            Err(error) => Err(error),
        }
    }

    async fn steps(
        &self,
        journey: &Journey,
        steps: &Steps<'_>,
        progress: &mut Progress,
        trail: &mut Trail,
    ) -> Result<(), TargetError> {
        let (operation, class) = (steps.operation, steps.class);
        let mut versions = Versions::default();
        for step in &operation.steps {
            let names = progress.names(steps.names);
            let headers = self
                .if_match(journey, operation, step, &names, &mut versions)
                .await
                .inspect_err(|error| journey.trouble(&operation.name, error))?;
            let ask = Ask {
                operation: &operation.name,
                call: step,
                class,
                names: &names,
                body: steps.body.filter(|_| step.carries_fields()),
                page: &PageRequest::default(),
                headers: &headers,
                cut: None,
            };
            if let Some(each) = &step.each {
                let (answers, outcome) = Box::pin(self.each(journey, &ask, each)).await;
                for answer in &answers {
                    trail.pass(step, answer);
                    versions.pass(step, answer);
                }
                progress.planned(&answers);
                match (trail.is_misled, outcome) {
                    (true, _) => return Ok(()),
                    (false, outcome) => outcome?,
                }
                continue;
            }
            let Some(answer) = self.step(journey, &ask).await? else {
                continue;
            };
            trail.pass(step, &answer);
            versions.pass(step, &answer);
            if trail.is_misled {
                return Ok(());
            }
            let outcome = taken(step, &answer, &names).and_then(|taken| {
                let id = match step.into {
                    Some(_) => None,
                    None => {
                        let mut names = names.child();
                        for (name, value) in &taken {
                            names.with(name, Cow::Borrowed(value));
                        }
                        self.new_id(operation, class, &answer, &names)?
                    }
                };
                Ok((taken, id))
            });
            drop(names);
            let (taken, id) =
                outcome.inspect_err(|error| journey.trouble(&operation.name, error))?;
            match &step.into {
                Some(place) => progress.add_part(place, answer, taken),
                None => progress.absorb(answer, id, taken),
            }
        }
        Ok(())
    }

    /// Reads one object, as text where its reply holds nothing else to be looked at; absent if the reply holds none.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub async fn row(
        &self,
        journey: &Journey,
        operation: &Operation,
        names: &Names<'_>,
    ) -> Result<Option<Row>, TargetError> {
        let class = CallClass::Get;
        let Some((step, cut)) = in_one_call(operation) else {
            let done = Box::pin(self.run(journey, operation, class, names, None, &[])).await?;
            return Ok(done.object.map(Row::Tree));
        };
        let ask = Ask {
            operation: &operation.name,
            call: step,
            class,
            names,
            body: None,
            page: &PageRequest::default(),
            headers: &[],
            cut: Some(&cut),
        };
        let Some(answer) = self.step(journey, &ask).await? else {
            return Ok(None);
        };
        if let Some(text) = answer.reply.rows.as_ref().and_then(|rows| rows.first()) {
            return Ok(Some(Row::Text(text.clone())));
        }
        let object = object_in(operation, &answer.reply);
        if !answer.is_planned_only {
            expect_object(operation, &answer.reply)
                .inspect_err(|error| journey.trouble(&operation.name, error))?;
        }
        Ok(object.cloned().map(Row::Tree))
    }

    /// Makes calls one after the other, as [`call`](Self::call) makes one; what one takes is a name for those after it.
    /// The first that is not done is the outcome. What was remembered wrongly is asked again, as by [`run`](Self::run).
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call).
    pub async fn calls(
        &self,
        journey: &Journey,
        name: &str,
        calls: &[&Call],
        class: CallClass,
        names: &Names<'_>,
    ) -> Result<Called, TargetError> {
        let mut trail = Trail::default();
        let made = self.pass(journey, name, calls, class, names, &mut trail);
        let outcome = Box::pin(made).await?;
        if !trail.is_misled {
            return Ok(outcome);
        }
        self.memory.forget(&trail.recalled);
        let again = &mut Trail::default();
        Box::pin(self.pass(journey, name, calls, class, names, again)).await
    }

    async fn pass(
        &self,
        journey: &Journey,
        name: &str,
        calls: &[&Call],
        class: CallClass,
        names: &Names<'_>,
        trail: &mut Trail,
    ) -> Result<Called, TargetError> {
        let mut known = Map::new();
        let mut called = Called {
            verdict: Verdict::of(Meaning::AlreadySo),
            has_written: false,
        };
        for call in calls {
            let mut names = names.child();
            for (name, value) in &known {
                names.with(name, Cow::Borrowed(value));
            }
            let Some(answer) = self.asked(journey, name, call, class, &names, None).await? else {
                called.verdict = Verdict::of(Meaning::AlreadySo);
                continue;
            };
            trail.pass(call, &answer);
            called.has_written |= !call.is_safe();
            let (reply, verdict) = (answer.reply, answer.verdict);
            called.verdict = verdict;
            if trail.is_misled || !called.verdict.meaning.is_done() {
                break;
            }
            let mut found = Map::new();
            take(call, &reply, &names, &mut found)?;
            // Where nothing was sent, a name stands for itself, so that the calls after it can be planned.
            if journey.is_dry && found.is_empty() {
                let planned = call.take.iter();
                found.extend(planned.map(|(name, _)| (name.clone(), Value::from(name.as_str()))));
            }
            known.extend(found);
        }
        Ok(called)
    }

    /// Makes one call: a member call, a look-up.
    ///
    /// What the target says about the wish (not found, a duplicate, a refusal with a SCIM type) is an answer. A call whose
    /// condition says no is done.
    ///
    /// # Errors
    ///
    /// `Refused` for what the client cannot help: forbidden, not logged in, not supported, failed.
    pub async fn call(
        &self,
        journey: &Journey,
        name: &str,
        call: &Call,
        class: CallClass,
        names: &Names<'_>,
        body: Option<Value>,
    ) -> Result<(Reply, Verdict), TargetError> {
        let answer = self
            .asked(journey, name, call, class, names, body.as_ref())
            .await?;
        Ok(match answer {
            Some(answer) => (answer.reply, answer.verdict),
            None => (Reply::planned(), Verdict::of(Meaning::AlreadySo)),
        })
    }

    /// As [`call`](Self::call); absent if the call's condition says no.
    async fn asked(
        &self,
        journey: &Journey,
        name: &str,
        call: &Call,
        class: CallClass,
        names: &Names<'_>,
        body: Option<&Value>,
    ) -> Result<Option<Answer>, TargetError> {
        let ask = Ask {
            operation: name,
            call,
            class,
            names,
            body,
            page: &PageRequest::default(),
            headers: &[],
            cut: None,
        };
        let Some(answer) = self.conduct(journey, &ask).await? else {
            return Ok(None);
        };
        let answer = Box::pin(self.polled(journey, &ask, answer)).await?;
        match answer.verdict.meaning {
            Meaning::NotFound | Meaning::Uniqueness | Meaning::Refused(_) => {}
            meaning if meaning.is_done() => {}
            _ => return Err(answer.verdict.into()),
        }
        Ok(Some(answer))
    }

    /// One step, polled until its condition holds; absent if it is not wanted.
    pub(super) async fn step(
        &self,
        journey: &Journey,
        ask: &Ask<'_>,
    ) -> Result<Option<Answer>, TargetError> {
        let Some(answer) = self.conduct(journey, ask).await? else {
            return Ok(None);
        };
        let answer = match ask.call.poll {
            Some(_) => Box::pin(self.polled(journey, ask, answer)).await?,
            None => answer,
        };
        if answer.verdict.meaning.is_done() {
            return Ok(Some(answer));
        }
        let is_conditional = ask.headers.iter().any(|(name, _)| name == IF_MATCH);
        match answer.reply.status {
            412 if is_conditional => Err(TargetError::Changed { is_halfway: false }),
            _ => Err(answer.verdict.into()),
        }
    }

    /// Asks again until the call's `poll` holds.
    async fn polled(
        &self,
        journey: &Journey,
        ask: &Ask<'_>,
        first: Answer,
    ) -> Result<Answer, TargetError> {
        let mut answer = first;
        let Some(poll) = ask.call.poll.as_ref().filter(|_| !answer.is_planned_only) else {
            return Ok(answer);
        };
        for _ in 0..poll.most.max(1) {
            if !answer.verdict.meaning.is_done() || self.holds(&poll.until, &answer.reply)? {
                return Ok(answer);
            }
            let then = Instant::now() + poll.every;
            if then >= journey.deadline {
                break;
            }
            sleep_until(then).await;
            match self.conduct(journey, ask).await? {
                Some(next) => answer = next,
                None => return Ok(answer),
            }
        }
        match !answer.verdict.meaning.is_done() || self.holds(&poll.until, &answer.reply)? {
            true => Ok(answer),
            false => Err(TargetError::TimedOut { sent: true }),
        }
    }

    fn holds(
        &self,
        until: &crate::mapping::expression::Expression,
        reply: &Reply,
    ) -> Result<bool, TargetError> {
        let status = Value::from(reply.status);
        let mut names = Names::new();
        names
            .settings(&self.mapping.settings)
            .object(&reply.content)
            .with("body", Cow::Borrowed(reply.whole()))
            .with("status", Cow::Borrowed(&status));
        Ok(until.holds(&names)?)
    }

    /// The type an operation belongs to, by its name's section.
    pub(super) fn type_of(&self, operation: &str) -> Option<&TypeMapping> {
        let belongs = |kind: &&TypeMapping| {
            let rest = operation.strip_prefix(kind.section.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let types = self.mapping.types.iter().filter(belongs);
        types.max_by_key(|kind| kind.section.len())
    }
}

/// The call and the place of the object, where an operation is one call of which nothing but the object is wanted.
fn in_one_call(operation: &Operation) -> Option<(&Call, Cut<'_>)> {
    let [step] = operation.steps.as_slice() else {
        return None;
    };
    let is_all = step.take.is_empty() && step.into.is_none() && step.poll.is_none();
    let is_first = operation.if_match.is_none() && !operation.gets_first;
    let cut = Cut {
        names: operation.envelope.as_deref().into_iter().collect(),
        is_list: false,
    };
    let is_plain = operation.object.is_none() && operation.id.is_none() && operation.set.is_empty();
    (is_all && is_first && is_plain && !step.carries_fields()).then_some((step, cut))
}

/// An operation's steps, and what all of them are made with.
struct Steps<'s> {
    operation: &'s Operation,
    class: CallClass,
    names: &'s Names<'s>,
    body: Option<&'s Value>,
}

fn enveloped(operation: &Operation, fields: &Value) -> Value {
    match &operation.envelope {
        Some(envelope) => Value::Object(Map::from_iter([(envelope.clone(), fields.clone())])),
        None => fields.clone(),
    }
}
