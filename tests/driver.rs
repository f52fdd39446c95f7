//! The way to an application, against a scripted one: what is sent, how often, and what every kind of failure comes to.

#[path = "support/fake_target.rs"]
mod fake_target;
#[path = "support/target_mapping.rs"]
mod target_mapping;

#[path = "driver/auth.rs"]
mod auth;
#[path = "driver/calls.rs"]
mod calls;
#[path = "driver/faults.rs"]
mod faults;
#[path = "driver/lists.rs"]
mod lists;
#[path = "driver/operations.rs"]
mod operations;
#[path = "driver/pace.rs"]
mod pace;
#[path = "driver/replies.rs"]
mod replies;
#[path = "driver/tls.rs"]
mod tls;

use std::{sync::Arc, time::Duration};

use scimgate::{
    mapping::{model::Target, names::Names},
    target::{Connections, Driver, Journey},
};
use serde_json::{Value, json};

use fake_target::FakeTarget;

/// A driver for a target at the application's URL, changed as told.
fn driver(application: &FakeTarget, change: impl FnOnce(&mut Target)) -> Arc<Driver> {
    let mut target = target_mapping::target(&application.url());
    change(&mut target);
    let mapping = target_mapping::mapping(target);
    Arc::new(Driver::new(Arc::new(mapping), Arc::new(Connections::new())).unwrap())
}

fn journey() -> Journey {
    target_mapping::journey(Duration::from_secs(10))
}

fn named<'n>(pairs: &[(&str, Value)]) -> Names<'n> {
    let mut names = Names::new();
    for (name, value) in pairs {
        names.with(name, std::borrow::Cow::Owned(value.clone()));
    }
    names
}

/// Rows with ids from `from` on.
fn rows(from: u64, count: u64) -> Vec<Value> {
    (from..from + count).map(|id| json!({"id": id})).collect()
}
