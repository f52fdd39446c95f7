//! Any request head that hyper lets through: the edge's check decides, and what it accepts hides nothing.
#![no_main]

use http::{Method, Request, Uri};
use libfuzzer_sys::fuzz_target;
use scimgate::server::{Limits, check_head};

fuzz_target!(|text: &str| {
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default();
    let (method, target) = first.split_once(' ').unwrap_or(("GET", first));
    let (Ok(method), Ok(uri)) = (Method::from_bytes(method.as_bytes()), Uri::try_from(target)) else {
        return;
    };
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        request = request.header(name, value.trim());
    }
    let Ok(request) = request.body(()) else {
        return;
    };
    let (parts, ()) = request.into_parts();
    if check_head(&parts, &Limits::default()).is_ok() {
        let path = parts.uri.path();
        assert!(!path.split('/').any(|segment| segment == ".." || segment == "."));
        assert!(parts.headers.get_all("host").iter().count() < 2);
    }
});
