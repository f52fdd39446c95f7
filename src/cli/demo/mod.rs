//! `scimgate demo`: an application, the gateway in front of it, and two identity providers' life cycles.
//!
//! In: the addresses of a running gateway and its application. Out: every step, line by line, and whether all held.
//! Knows nothing of how either is started.

pub mod application;
