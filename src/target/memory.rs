//! What look-ups were answered a short while ago: the memory behind a step's `remember`.
//!
//! Only answers that hold what the step takes are kept, so that nobody is "not found" from memory. A write that may change
//! what was looked up forgets all; who is told that something is not there forgets what led there.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::{TargetError, conduct::Answer};
use crate::mapping::{
    call::PlannedCall,
    model::{Call, Meaning},
    reply::Reply,
};

/// The memory of one tenant's look-ups.
#[derive(Debug)]
pub(super) struct Memory {
    most: usize,
    known: Mutex<Known>,
}

/// A write that is under way.
#[must_use]
pub(super) struct Forgetting<'m>(&'m Memory);

impl Drop for Forgetting<'_> {
    fn drop(&mut self) {
        self.0.forget_all();
    }
}

/// The way through an operation's calls, as far as it went by memory.
#[derive(Debug, Default)]
pub(super) struct Trail {
    /// What was not asked but remembered.
    pub recalled: Vec<Key>,
    /// Whether a call was made that may have changed something.
    pub has_effect: bool,
    /// Whether memory led to something that is not there, and the way can be gone again.
    pub is_misled: bool,
}

impl Trail {
    /// Takes in what a call was answered, refusals included.
    pub fn pass(&mut self, call: &Call, answer: &Answer) {
        if let Some(key) = &answer.recalled {
            self.recalled.push(Arc::clone(key));
            return;
        }
        // A "not there" that is tolerated says the same: the address that was remembered, say, is somebody's old one.
        let is_gone = matches!(answer.reply.status, 404 | 410);
        self.doubt(is_gone || is_refusal(answer.verdict.meaning));
        let is_look_up = call.is_safe() || call.remember.is_some();
        let is_sent = !answer.is_planned_only && !self.is_misled;
        self.has_effect |= is_sent && !is_look_up;
    }

    /// Takes in what ended the way.
    pub fn end(&mut self, error: Option<&TargetError>) {
        if let Some(TargetError::Refused { meaning, .. }) = error {
            self.doubt(is_refusal(*meaning));
        }
    }

    fn doubt(&mut self, is_told: bool) {
        self.is_misled |= is_told && !self.recalled.is_empty() && !self.has_effect;
    }
}

fn is_refusal(meaning: Meaning) -> bool {
    matches!(meaning, Meaning::NotFound | Meaning::Refused(_))
}

/// What is asked: two calls with the same key get the same answer.
pub(super) type Key = Arc<str>;

#[derive(Debug, Default)]
struct Known {
    replies: HashMap<Key, (Reply, Instant)>,
    /// The keys, the oldest first; some may be gone or newer.
    order: VecDeque<Key>,
    /// Counts what was forgotten.
    generation: u64,
}

impl Memory {
    /// An empty one for so many answers.
    pub fn new(most: usize) -> Self {
        Self {
            most,
            known: Mutex::default(),
        }
    }

    /// The answer, if it is not too old.
    pub fn recall(&self, key: &str) -> Option<Reply> {
        let known = self.known();
        let (reply, until) = known.replies.get(key)?;
        (Instant::now() < *until).then(|| reply.clone())
    }

    /// The moment before asking, for [`keep`](Self::keep).
    pub fn generation(&self) -> u64 {
        self.known().generation
    }

    /// Keeps an answer for a time, unless something was forgotten since `generation` or it is larger than 16 KiB. The oldest
    /// makes room.
    pub fn keep(&self, key: Key, reply: &Reply, life: Duration, generation: u64) {
        let size = reply.whole().to_string().len();
        let mut known = self.known();
        if known.generation != generation || size > LARGEST_ANSWER_BYTES {
            return;
        }
        let slim = Reply {
            text: String::new(),
            ..reply.clone()
        };
        let until = Instant::now() + life;
        known.replies.insert(Arc::clone(&key), (slim, until));
        known.order.push_back(key);
        while known.order.len() > self.most {
            if let Some(oldest) = known.order.pop_front()
                && !known.order.contains(&oldest)
            {
                known.replies.remove(&oldest);
            }
        }
    }

    /// Forgets all: something was written that may have been looked up.
    fn forget_all(&self) {
        let mut known = self.known();
        known.replies.clear();
        known.order.clear();
        known.generation += 1;
    }

    /// Forgets all now, and once more when the write is over: what is asked in between may be of either side of it.
    pub fn forgetting(&self) -> Forgetting<'_> {
        self.forget_all();
        Forgetting(self)
    }

    /// Forgets some answers.
    pub fn forget(&self, keys: &[Key]) {
        let mut known = self.known();
        for key in keys {
            known.replies.remove(key);
        }
        known.order.retain(|key| !keys.contains(key));
        known.generation += 1;
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The key of a call: all of it that the mapping made.
pub(super) fn key_of(planned: &PlannedCall) -> Key {
    let mut key = format!("{} {}", planned.method, planned.path_and_query);
    for (name, value) in &planned.headers {
        key.push_str(&format!("\n{name}: {value:?}"));
    }
    if let Some((_, body)) = &planned.body {
        key.push_str(&format!("\n\n{body}"));
    }
    key.into()
}

/// Larger answers are not kept.
const LARGEST_ANSWER_BYTES: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn reply(content: serde_json::Value) -> Reply {
        Reply {
            content,
            ..Reply::planned()
        }
    }

    const LIFE: Duration = Duration::from_secs(30);

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_known_for_its_time() {
        let memory = Memory::new(2);
        memory.keep("a".into(), &reply(json!(1)), LIFE, 0);
        assert_eq!(memory.recall("a").unwrap().content, 1);
        assert!(memory.recall("b").is_none());
        tokio::time::advance(LIFE).await;
        assert!(memory.recall("a").is_none());
    }

    #[tokio::test]
    async fn the_oldest_makes_room_and_one_kept_again_is_young() {
        let memory = Memory::new(2);
        for key in ["a", "b", "a", "c"] {
            memory.keep(key.into(), &reply(json!(key)), LIFE, 0);
        }
        let known = |key| memory.recall(key).is_some();
        assert!(known("a") && !known("b") && known("c"));
    }

    #[tokio::test]
    async fn what_was_asked_before_something_was_forgotten_is_not_kept() {
        let memory = Memory::new(2);
        let generation = memory.generation();
        memory.forget_all();
        memory.keep("a".into(), &reply(json!(1)), LIFE, generation);
        assert!(memory.recall("a").is_none());

        memory.keep("a".into(), &reply(json!(1)), LIFE, memory.generation());
        memory.keep("b".into(), &reply(json!(2)), LIFE, memory.generation());
        memory.forget(&["a".into()]);
        assert!(memory.recall("a").is_none());
        assert!(memory.recall("b").is_some());
    }

    #[tokio::test]
    async fn a_large_answer_is_not_kept() {
        let memory = Memory::new(2);
        let large = "x".repeat(LARGEST_ANSWER_BYTES);
        memory.keep("a".into(), &reply(json!(large)), LIFE, 0);
        assert!(memory.recall("a").is_none());
    }
}
