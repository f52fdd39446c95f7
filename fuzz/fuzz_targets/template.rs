//! Any text as a template, a URL's template, a place and a JSONPath of a mapping.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scimgate::mapping::{
    names::Names,
    path::{FieldPlace, JsonPath},
    template::{Template, escape},
};

fuzz_target!(|text: &str| {
    if let Ok(template) = Template::parse(text) {
        assert_eq!(template.source(), text);
        let _ = template.render(&Names::default());
        let _ = template.value(&Names::default());
    }
    let literal = Template::parse(&escape(text));
    assert_eq!(literal.ok().as_ref().and_then(Template::constant), Some(text));
    let _ = JsonPath::parse(text);
    let _ = FieldPlace::parse(text);
});
