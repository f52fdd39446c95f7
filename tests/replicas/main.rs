//! Several replicas on one PostgreSQL behave as one (promises R21, R22, S8). Skipped, and said so, where it is not installed.

#![cfg(feature = "postgres")]

mod application;
#[path = "../support/fake_target.rs"]
#[allow(dead_code, reason = "each test uses a part of it")]
mod fake_target;
mod outage;
#[path = "../support/postgres.rs"]
mod postgres;
mod process;
mod revocation;
mod together;
