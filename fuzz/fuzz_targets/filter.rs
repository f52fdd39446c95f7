//! Any text as a filter: what is read prints as itself, and can be asked of any resource.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scimgate::scim::{Filter, Matcher, ResourceType, builtin, filter::MAX_FILTER_BYTES};

fuzz_target!(|text: &str| {
    let Ok((filter, _)) = Filter::parse_tolerant(text) else {
        return;
    };
    let printed = filter.to_string();
    if printed.len() <= MAX_FILTER_BYTES {
        assert_eq!(Filter::parse(&printed).as_ref(), Ok(&filter), "{printed}");
    }
    let user_type = ResourceType::user(vec![builtin::enterprise_user()]);
    if let Ok(matcher) = Matcher::compile(&filter, &user_type) {
        let user = serde_json::json!({ "id": "1", "userName": "a", "active": true, "emails": [{ "value": "a@example.com", "type": "work" }] });
        if let serde_json::Value::Object(user) = user {
            matcher.matches(&user);
        }
    }
});
