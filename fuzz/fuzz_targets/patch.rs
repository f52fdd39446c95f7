//! Any JSON as a PATCH request, strictly and as any client's: what comes out has the same id, and is valid.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scimgate::scim::{
    PatchRequest, Resource, ResourceType, builtin, intake, intake::JsonLimits, patch,
};
use serde_json::{Value, json};

fuzz_target!(|bytes: &[u8]| {
    let Ok(body) = intake::parse_json(bytes, &JsonLimits::default()) else {
        return;
    };
    // The operations alone, so that the fuzzer need not find the schema's name.
    let body = match body {
        Value::Array(_) => {
            json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": body })
        }
        body => body,
    };
    let user_type = ResourceType::user(vec![builtin::enterprise_user()]);
    let user = json!({
        "schemas": [builtin::USER], "id": "1", "userName": "a", "title": "t", "name": { "givenName": "g" },
        "emails": [{ "value": "a@example.com", "type": "work", "primary": true }, { "value": "b@example.com" }],
    });
    let (Ok(request), Value::Object(user)) = (PatchRequest::parse(body), user) else {
        return;
    };
    let _ = request.attributes(&user_type);
    if let Ok(after) = patch::apply(&request, &user_type, &Resource(user)) {
        assert_eq!(after.0.get("id"), Some(&json!("1")));
        let mut body = after.0;
        body.shift_remove("id");
        assert!(intake::resource(&user_type, Value::Object(body), true).is_ok());
    }
});
