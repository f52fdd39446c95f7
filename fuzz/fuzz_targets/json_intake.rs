//! Any bytes as a body: what is taken in once is taken in again unchanged, and can be projected and versioned.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scimgate::scim::{Projection, ResourceType, builtin, intake, intake::JsonLimits, version};
use serde_json::{Value, json};

fuzz_target!(|bytes: &[u8]| {
    let Ok(mut body) = intake::parse_json(bytes, &JsonLimits::default()) else {
        return;
    };
    if let Value::Object(body) = &mut body {
        body.entry("schemas").or_insert(json!([builtin::USER]));
        body.entry("userName").or_insert(json!("a"));
    }
    let user_type = ResourceType::user(vec![builtin::enterprise_user()]);
    let Ok(resource) = intake::resource(&user_type, body, true) else {
        return;
    };
    let again = intake::resource(&user_type, Value::Object(resource.0.clone()), true);
    assert_eq!(again.as_ref(), Ok(&resource));
    version::of(&resource.0);
    Projection::usual(&user_type).apply(&user_type, resource.0);
});
