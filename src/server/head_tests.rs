use http::Request;

use super::*;

fn outcome(version: Version, method: &str, uri: &str, headers: &[(&str, &str)]) -> u16 {
    let mut request = Request::builder().method(method).uri(uri).version(version);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let Ok(request) = request.body(()) else {
        return 0;
    };
    match check(&request.into_parts().0, &Limits::default()) {
        Ok(_) => 200,
        Err(error) => error.status,
    }
}

#[test]
fn only_plain_paths_are_accepted() {
    // 0: the http crate itself refuses the URI, so that hyper never hands it to us.
    for (path, expected) in [
        ("/", 200),
        ("/scim/v2/Users", 200),
        ("/Users/a%20b", 200),
        ("/Users/%C3%A9", 200),
        ("/Users/100%25", 200),
        ("/Users/%252e%252e", 200),
        ("/Users/a..b", 200),
        ("/Users/...", 200),
        ("//Users", 200),
        ("/Users/..", 400),
        ("/Users/../Groups", 400),
        ("/./Users", 400),
        ("/Users/.", 400),
        ("/Users/..;x=1/Groups", 400),
        ("/Users/.;", 400),
        ("/Users/%2e%2e/Groups", 400),
        ("/Users/%2E.", 400),
        ("/Users/.%2e;x", 400),
        ("/Users/a%2fb", 400),
        ("/Users/a%2Fb", 400),
        ("/Users/a%5cb", 400),
        ("/Users/a%5Cb", 400),
        ("/Users/a\\b", 0),
        ("/Users/%00", 400),
        ("/Users/a%0d%0ab", 400),
        ("/Users/%7f", 400),
        ("/Users/%c2%85", 400),
        ("/Users/%c0%ae%c0%ae", 400),
        ("/Users/%ff", 400),
        ("/Users/%", 400),
        ("/Users/%2", 400),
        ("/Users/%zz", 400),
        ("/Users/é", 400),
        ("*", 400),
    ] {
        let got = outcome(Version::HTTP_11, "GET", path, &[("host", "a.example")]);
        if expected == 0 {
            assert!(got == 0 || got == 400, "{path}: {got}");
        } else {
            assert_eq!(got, expected, "{path}");
        }
    }
}

#[test]
fn queries_are_read_leniently_but_not_blindly() {
    for (query, expected) in [
        ("filter=userName%20eq%20%22a%22", 200),
        ("filter=userName+eq+'a'", 200),
        ("q=100%", 200),
        ("q=%0A", 200),
        ("q=../..", 200),
        ("q=%00", 400),
        ("q=é", 400),
    ] {
        let uri = format!("/Users?{query}");
        let got = outcome(Version::HTTP_11, "GET", &uri, &[("host", "a.example")]);
        assert_eq!(got, expected, "{query}");
    }
}

#[test]
fn p2_the_host_is_said_exactly_once_or_twice_alike() {
    const H1: Version = Version::HTTP_11;
    const H2: Version = Version::HTTP_2;
    for (version, uri, hosts, expected) in [
        (H1, "/", &["a.example"][..], 200),
        (H1, "/", &["A.example:8443"], 200),
        (H1, "/", &["[::1]:8443"], 200),
        (H1, "/", &["127.0.0.1"], 200),
        (H1, "/", &[], 400),
        (Version::HTTP_10, "/", &[], 200),
        (Version::HTTP_10, "/", &["a", "a"], 400),
        (H1, "/", &["a.example", "a.example"], 400),
        (H1, "/", &[""], 400),
        (H1, "/", &["user@a.example"], 400),
        (H1, "/", &["a.example/x"], 400),
        (H1, "/", &["a.example:"], 400),
        (H1, "/", &["a.example:99999"], 400),
        (H1, "/", &["a.example,b.example"], 400),
        (H1, "/", &["<script>"], 400),
        (H1, "http://a.example/", &["a.example"], 200),
        (H1, "http://a.example/", &["A.EXAMPLE"], 200),
        (H1, "http://a.example:80/", &["a.example"], 200),
        (H1, "http://b.example/", &["a.example"], 400),
        (H1, "http://a.example:81/", &["a.example"], 400),
        (H1, "http://a.example/", &[], 400),
        (H1, "http://user@a.example/", &["a.example"], 400),
        (H2, "https://a.example/", &[], 200),
        (H2, "https://a.example/", &["a.example"], 200),
        (H2, "https://a.example/", &["b.example"], 400),
        (H2, "/", &[], 400),
    ] {
        let headers: Vec<_> = hosts.iter().map(|host| ("host", *host)).collect();
        let got = outcome(version, "GET", uri, &headers);
        assert_eq!(got, expected, "{version:?} {uri} {hosts:?}");
    }
}

#[test]
fn p1_methods_and_headers_that_change_the_protocol_are_refused() {
    for (method, name, value, expected) in [
        ("GET", "accept", "*/*", 200),
        ("TRACE", "accept", "*/*", 400),
        ("POST", "upgrade", "h2c", 400),
        ("POST", "x_tenant", "b", 400),
        ("POST", "content-encoding", "identity", 200),
        ("POST", "content-encoding", "gzip", 415),
        ("POST", "content-encoding", "identity, gzip", 415),
        ("POST", "content-encoding", "", 415),
        ("POST", "transfer-encoding", "Chunked", 200),
        ("POST", "transfer-encoding", "gzip, chunked", 501),
        ("POST", "transfer-encoding", "chunked, chunked", 501),
        ("POST", "expect", "100-continue", 200),
        ("POST", "expect", "a-pony", 417),
        ("POST", "content-length", "12", 200),
        ("POST", "content-length", "12, 12", 400),
        ("POST", "content-length", "-1", 400),
    ] {
        let headers = [("host", "a.example"), (name, value)];
        let got = outcome(Version::HTTP_11, method, "/Users", &headers);
        assert_eq!(got, expected, "{method} {name}: {value}");
    }
    assert_eq!(
        outcome(
            Version::HTTP_11,
            "CONNECT",
            "a.example:443",
            &[("host", "a.example:443")]
        ),
        400
    );
    let both = [
        ("host", "a"),
        ("content-length", "1"),
        ("transfer-encoding", "chunked"),
    ];
    assert_eq!(outcome(Version::HTTP_11, "POST", "/", &both), 400);
}

#[test]
fn p5_the_sizes_of_a_head_are_limited_to_the_byte() {
    let limits = Limits::default();
    let uri = |bytes: usize| format!("/{}", "a".repeat(bytes - 1));
    let host = [("host", "a.example")];
    for (bytes, expected) in [
        (limits.max_uri_bytes - 1, 200),
        (limits.max_uri_bytes, 200),
        (limits.max_uri_bytes + 1, 414),
    ] {
        assert_eq!(
            outcome(Version::HTTP_11, "GET", &uri(bytes), &host),
            expected
        );
    }
    for (count, expected) in [(63, 200), (64, 200), (65, 431)] {
        let names: Vec<_> = (1..count).map(|n| format!("x-{n}")).collect();
        let mut headers = vec![("host", "a.example")];
        headers.extend(names.iter().map(|name| (name.as_str(), "1")));
        assert_eq!(
            outcome(Version::HTTP_11, "GET", "/", &headers),
            expected,
            "{count}"
        );
    }
}

proptest::proptest! {
    #[test]
    fn no_path_panics_and_what_passes_decodes_without_separators(path in "/[ -~]{0,40}") {
        if check_path(&path).is_ok() {
            for segment in path.split('/') {
                let decoded = decode(segment).unwrap();
                proptest::prop_assert!(decoded != b".." && decoded != b".");
                proptest::prop_assert!(!decoded.iter().any(|byte| b"/\\\0".contains(byte)));
            }
        }
    }
}
