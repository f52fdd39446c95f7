//! How far an operation has come, and what it comes to.

use std::borrow::Cow;

use http::header::ETAG;
use serde_json::{Map, Value};

use super::{Done, Driver, TargetError, conduct::Answer, rows::put_in};
use crate::mapping::{
    body::scalar_text,
    model::{Call, FieldPlace, Meaning, Operation, ReplyKind, Source},
    names::Names,
    reply::{CallClass, Reply, says_nothing_at, source, take},
};

/// How far an operation has come.
#[derive(Default)]
pub(super) struct Progress {
    taken: Map<String, Value>,
    id: Option<Value>,
    last: Option<Answer>,
    is_planned_only: bool,
    /// Replies that are members of the object, and where.
    parts: Vec<(FieldPlace, Value)>,
    /// Whether any call was made, or planned.
    has_asked: bool,
}

impl Progress {
    /// The names for the next step.
    pub fn names<'n>(&'n self, outer: &'n Names<'n>) -> Names<'n> {
        let mut names = outer.child();
        if let Some(id) = &self.id {
            names.with("id", Cow::Borrowed(id));
        }
        for (name, value) in &self.taken {
            names.with(name, Cow::Borrowed(value));
        }
        names
    }

    /// Sees to it that the last reply can be the object's: see [`expect_object`].
    ///
    /// # Errors
    ///
    /// `BadReply` if conditions left out every step: nothing was asked, so nobody said that there is no object.
    pub fn expect_object(&self, operation: &Operation) -> Result<(), TargetError> {
        if !self.has_asked {
            return Err(TargetError::BadReply(
                "the `if` of every step left it out, so the application was not asked for the object",
            ));
        }
        let sent = self.last.as_ref().filter(|last| !last.is_planned_only);
        sent.map_or(Ok(()), |last| expect_object(operation, &last.reply))
    }

    /// The new object's id, as far as it is known.
    pub fn id(&self) -> Option<String> {
        self.id.as_ref().and_then(scalar_text)
    }

    /// Takes a step's outcome in.
    pub fn absorb(&mut self, answer: Answer, id: Option<Value>, taken: Map<String, Value>) {
        // The first reply that gives an id is the one that made the object.
        self.id = self.id.take().or(id);
        self.has_asked = true;
        self.taken.extend(taken);
        self.is_planned_only |= answer.is_planned_only;
        self.last = Some(answer);
    }

    /// Takes in that calls with many replies were planned only; of sent ones there is nothing to take.
    pub fn planned(&mut self, answers: &[Answer]) {
        self.is_planned_only |= answers.iter().any(|answer| answer.is_planned_only);
    }

    /// Takes in a reply that is a part of the object. One that was tolerated although it failed says nothing about it.
    pub fn add_part(&mut self, place: &FieldPlace, answer: Answer, taken: Map<String, Value>) {
        self.has_asked = true;
        self.taken.extend(taken);
        self.is_planned_only |= answer.is_planned_only;
        if answer.reply.status < 400 {
            self.parts.push((place.clone(), answer.reply.content));
        }
    }

    fn with_parts(&self, mut object: Value) -> Value {
        for (place, part) in &self.parts {
            place.write(&mut object, part.clone());
        }
        object
    }

    /// The object that parts alone make; absent if the operation has others, or none of its parts is there.
    fn of_parts(&self, operation: &Operation) -> Option<Value> {
        let is_there = operation.is_of_parts() && !self.parts.is_empty();
        is_there.then(|| self.with_parts(Value::Object(Map::new())))
    }
}

/// What a step takes. A step that was planned only takes each name itself, so that the steps after it can be planned.
pub(super) fn taken(
    step: &Call,
    answer: &Answer,
    names: &Names<'_>,
) -> Result<Map<String, Value>, TargetError> {
    let mut taken = Map::new();
    if answer.is_planned_only {
        for (name, from) in &step.take {
            let known = foreseen(from, names);
            let value = known.unwrap_or_else(|| Value::String(name.clone()));
            taken.insert(name.clone(), value);
        }
    } else {
        take(step, &answer.reply, names, &mut taken)?;
    }
    Ok(taken)
}

/// What is known of a value before anything was sent: one that is computed from what is sent.
fn foreseen(from: &Source, names: &Names<'_>) -> Option<Value> {
    match from {
        Source::Computed(_) => source(from, &Reply::planned(), names).ok().flatten(),
        _ => None,
    }
}

impl Driver {
    /// The id a step's reply gives: by the operation's own source, or for a create by the type's rule on the object.
    pub(super) fn new_id(
        &self,
        operation: &Operation,
        class: CallClass,
        answer: &Answer,
        names: &Names<'_>,
    ) -> Result<Option<Value>, TargetError> {
        if answer.is_planned_only {
            // The steps after it can be planned with a name in the new id's place.
            let is_new = class == CallClass::Create && names.get("id").is_none();
            let known = operation.id.as_ref().filter(|_| is_new);
            let known = known.and_then(|from| foreseen(from, names));
            return Ok(known.or(is_new.then(|| Value::String("id".into()))));
        }
        if let Some(from) = &operation.id {
            return Ok(source(from, &answer.reply, names)?);
        }
        if !matches!(class, CallClass::Create | CallClass::Get) {
            return Ok(None);
        }
        let object = object_in(operation, &answer.reply);
        let rule = self.type_of(&operation.name).map(|kind| &kind.id.from);
        let id = rule
            .zip(object)
            .and_then(|(rule, object)| rule.first(object));
        Ok(id.filter(|id| scalar_text(id).is_some()).cloned())
    }

    /// What the operation comes to.
    pub(super) fn done(
        &self,
        operation: &Operation,
        class: CallClass,
        mut progress: Progress,
        names: &Names<'_>,
    ) -> Done {
        let has_object = operation.reply == ReplyKind::Object || class == CallClass::Get;
        let last = progress.last.as_mut().filter(|_| has_object);
        let object = last.and_then(|answer| take_object(operation, &mut answer.reply));
        let object = object.map(|object| progress.with_parts(object));
        let mut object = object.or_else(|| progress.of_parts(operation).filter(|_| has_object));
        if let (Some(object), Some(_), Some(id)) = (&mut object, &operation.id, &progress.id)
            && let Some(kind) = self.type_of(&operation.name)
        {
            kind.id.put_into(object, id.clone());
        }
        if let Some(object) = object.as_mut().filter(|_| !operation.set.is_empty()) {
            put_in(&operation.set, object, &progress.names(names));
        }
        let reply = progress.last.as_ref().map(|answer| &answer.reply);
        let meanings = progress.last.as_ref().map(|answer| answer.verdict.meaning);
        let id = progress.id().filter(|_| !progress.is_planned_only);
        Done {
            object,
            id,
            etag: reply
                .and_then(|reply| reply.header(ETAG.as_str()))
                .map(str::to_owned),
            taken: progress.taken,
            // Without a call there was nothing to do.
            meaning: meanings.unwrap_or(Meaning::AlreadySo),
            is_planned_only: progress.is_planned_only,
        }
    }
}

/// Sees to it that a reply without the object says so itself: by nothing, an empty list or object, or null on the way there.
///
/// # Errors
///
/// `NoObject` if the reply holds other things, in which the place does not occur: then the mapping is wrong, and an account must
/// not look deleted for that.
pub(super) fn expect_object(operation: &Operation, reply: &Reply) -> Result<(), TargetError> {
    let (names, place) = match (&operation.object, &operation.envelope) {
        (Some(path), _) => match path.names() {
            Some((names, _)) => (names, path.source()),
            None => return Ok(()),
        },
        (None, Some(envelope)) => (vec![envelope.as_str()], envelope.as_str()),
        (None, None) => return Ok(()),
    };
    match says_nothing_at(&names, &reply.content) {
        true => Ok(()),
        false => Err(TargetError::NoObject {
            place: place.to_owned(),
        }),
    }
}

/// The object in a reply, moved out of it where its place is plain.
fn take_object(operation: &Operation, reply: &mut Reply) -> Option<Value> {
    let place = match (&operation.object, &operation.envelope) {
        (Some(_), _) => return object_in(operation, reply).cloned(),
        (None, Some(envelope)) => reply.content.get_mut(envelope)?,
        (None, None) => &mut reply.content,
    };
    place.is_object().then(|| place.take())
}

/// The object in a reply; absent if there is none.
pub(super) fn object_in<'r>(operation: &Operation, reply: &'r Reply) -> Option<&'r Value> {
    let object = match (&operation.object, &operation.envelope) {
        (Some(path), _) => reply.find(path),
        (None, Some(envelope)) => reply.content.get(envelope),
        (None, None) => Some(&reply.content),
    };
    object.filter(|object| object.is_object())
}
