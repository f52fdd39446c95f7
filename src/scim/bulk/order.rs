//! An order in which every reference finds what it refers to (RFC 7644 §3.7.1).

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap, HashSet};

use super::references::{Reference, bulk_ids, references};
use super::{BulkMethod, BulkOperation};

/// How to carry out the operations of a bulk request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Order {
    /// The operations, each once: as they came, but behind what they refer to.
    pub operations: Vec<usize>,
    /// References in circles: leave them out when the operation runs (see [`detach`](super::detach)), and send them when all is created.
    pub deferred: Vec<Reference>,
    /// References to what no operation creates: those operations must fail.
    pub unknown: Vec<Reference>,
}

/// Orders operations by their references.
///
/// Operations that do not refer to each other keep their order, and so do those on one resource.
pub fn order(operations: &[BulkOperation]) -> Order {
    let mut plan = Plan::of(operations);
    while plan.order.operations.len() < operations.len() {
        match plan.ready.pop() {
            Some(Reverse(operation)) => plan.carry_out(operation),
            None => plan.break_circle(operations),
        }
    }
    plan.order.deferred.sort_by_key(|r| r.operation);
    plan.order
}

/// The operations while they are ordered.
struct Plan {
    /// For each operation, those that must come first and are not done.
    waits_for: Vec<BTreeSet<usize>>,
    /// For each operation, those that wait for it.
    awaited_by: Vec<Vec<usize>>,
    /// For each operation, its references to others with the operation meant.
    refers: Vec<Vec<(Reference, usize)>>,
    /// What waits for nothing, the earliest first.
    ready: BinaryHeap<Reverse<usize>>,
    done: HashSet<usize>,
    order: Order,
}

impl Plan {
    fn of(operations: &[BulkOperation]) -> Self {
        let posts = operations.iter().enumerate();
        let creators: HashMap<&str, usize> = posts
            .filter(|(_, o)| o.method == BulkMethod::Post)
            .filter_map(|(index, o)| Some((o.bulk_id.as_deref()?, index)))
            .collect();
        let mut plan = Self {
            waits_for: vec![BTreeSet::new(); operations.len()],
            awaited_by: vec![Vec::new(); operations.len()],
            refers: vec![Vec::new(); operations.len()],
            ready: BinaryHeap::new(),
            done: HashSet::new(),
            order: Order::default(),
        };
        let mut last_on_path: HashMap<&str, usize> = HashMap::new();
        for (index, operation) in operations.iter().enumerate() {
            for reference in references_of(index, operation) {
                match creators.get(reference.bulk_id.as_str()) {
                    Some(creator) => plan.refers(reference, *creator),
                    None => plan.order.unknown.push(reference),
                }
            }
            if operation.method != BulkMethod::Post
                && let Some(before) = last_on_path.insert(&operation.path, index)
            {
                plan.waits(index, before);
            }
        }
        let ready = plan.waits_for.iter().enumerate();
        let ready = ready.filter(|(_, waits)| waits.is_empty());
        plan.ready = ready.map(|(index, _)| Reverse(index)).collect();
        plan
    }

    fn refers(&mut self, reference: Reference, creator: usize) {
        let operation = reference.operation;
        if let Some(refers) = self.refers.get_mut(operation) {
            refers.push((reference, creator));
        }
        self.waits(operation, creator);
    }

    fn waits(&mut self, operation: usize, before: usize) {
        if let (Some(waits_for), Some(awaited_by)) = (
            self.waits_for.get_mut(operation),
            self.awaited_by.get_mut(before),
        ) && waits_for.insert(before)
        {
            awaited_by.push(operation);
        }
    }

    fn carry_out(&mut self, operation: usize) {
        if !self.done.insert(operation) {
            return;
        }
        self.order.operations.push(operation);
        let awaiting = self.awaited_by.get_mut(operation).map(std::mem::take);
        for waiting in awaiting.unwrap_or_default() {
            if let Some(waits_for) = self.waits_for.get_mut(waiting) {
                waits_for.remove(&operation);
                if waits_for.is_empty() {
                    self.ready.push(Reverse(waiting));
                }
            }
        }
    }

    /// Carries out the earliest POST of a circle without its references to what is not created yet.
    fn break_circle(&mut self, operations: &[BulkOperation]) {
        let Some(start) = (0..operations.len()).find(|index| !self.done.contains(index)) else {
            return;
        };
        let circle = self.circle_from(start);
        let is_post = |index: &&usize| {
            let operation = operations.get(**index);
            operation.is_some_and(|o| o.method == BulkMethod::Post)
        };
        let chosen = circle.iter().filter(is_post).min().or(circle.iter().min());
        let chosen = chosen.copied().unwrap_or(start);
        let refers = self.refers.get(chosen).map(Vec::as_slice);
        let open = refers.unwrap_or_default().iter();
        let open = open.filter(|(_, creator)| !self.done.contains(creator));
        let open: Vec<Reference> = open.map(|(reference, _)| reference.clone()).collect();
        self.order.deferred.extend(open);
        self.carry_out(chosen);
    }

    /// The operations of the circle that is met when following what is waited for.
    fn circle_from(&self, start: usize) -> Vec<usize> {
        let mut walked = Vec::new();
        let mut places = HashMap::new();
        let mut here = start;
        loop {
            if let Some(place) = places.insert(here, walked.len()) {
                return walked.split_off(place);
            }
            walked.push(here);
            let waits_for = self.waits_for.get(here).and_then(BTreeSet::first);
            match waits_for {
                Some(next) => here = *next,
                None => return walked,
            }
        }
    }
}

/// Every reference of an operation, in its path and its data.
fn references_of(operation: usize, definition: &BulkOperation) -> Vec<Reference> {
    let in_path = bulk_ids(&definition.path)
        .into_iter()
        .map(|id| (None, id.to_owned()));
    let in_data = definition.data.iter().flat_map(references);
    let in_data = in_data.map(|(pointer, id)| (Some(pointer), id));
    in_path
        .chain(in_data)
        .map(|(pointer, bulk_id)| Reference {
            operation,
            pointer,
            bulk_id,
        })
        .collect()
}
