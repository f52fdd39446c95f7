//! Any text as an application's file: a mapping, or complaints that can be shown.
#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use scimgate::{
    diagnostic::{SourceFile, render},
    mapping::load::{self, MissingValues, NoEnvironment},
};

fuzz_target!(|bytes: &[u8]| {
    let Ok(source) = SourceFile::from_bytes("app.toml", bytes.to_vec()) else {
        return;
    };
    let complaints = match load::app_alone(&Arc::new(source), &NoEnvironment, MissingValues::AreWarnings) {
        Ok((_, warnings)) => warnings,
        Err(complaints) => {
            assert!(!complaints.is_empty());
            complaints
        }
    };
    let _ = render(&complaints, false);
});
