//! `scimgate demo`: an application, the gateway in front of it, and two identity providers' life cycles.
//!
//! In: the addresses of a running gateway and of its application. Out: every step, line by line, and whether all held.
//! Knows nothing of how either of them is started.

pub mod application;
mod play;
mod show;

pub use play::{DemoError, LIFE_CYCLES, PlaySettings, StepReport, life_cycle, play};
pub use show::wants_colour;
