//! `scimgate demo`: an application, the gateway in front of it, and two identity providers' life cycles.
//!
//! In: the command's arguments. Out: every step, line by line, and whether all held. `play` and `show` are a client and
//! know nothing of how gateway and application are started; `run` starts them.

pub mod application;
mod play;
mod run;
mod show;
mod staffbook;
mod state;

pub use play::{DemoError, LIFE_CYCLES, PlaySettings, StepReport, life_cycle, play};
pub use run::{ApplicationArguments, DemoArguments, run, run_application};
pub use show::wants_colour;
