//! Any text as an attribute path, a PATCH path and a precondition.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scimgate::scim::{AttributePath, PatchPath, path::MAX_PATH_BYTES, version::Precondition};

fuzz_target!(|text: &str| {
    if let Ok(path) = AttributePath::parse(text) {
        assert_eq!(AttributePath::parse(&path.to_string()), Ok(path));
    }
    if let Ok(path) = PatchPath::parse(text) {
        let printed = path.to_string();
        if printed.len() <= MAX_PATH_BYTES {
            assert_eq!(PatchPath::parse(&printed), Ok(path));
        }
    }
    let _ = PatchPath::parse_tolerant(text);
    if let Some(condition) = Precondition::parse(text) {
        assert!(!condition.matches(None));
    }
});
