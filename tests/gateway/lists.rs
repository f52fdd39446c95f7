//! Queries: exact windows over a target that pages in its own way, honest totals, and no call that is not needed.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    application::Fault,
    fake_target::{Act, Answer},
    stage::{Reply, Setup, Stage},
};

async fn peopled(setup: Setup, users: u64) -> Stage {
    let stage = setup.start().await;
    stage.app.add_users(users);
    stage
}

fn names(reply: &Reply) -> Vec<String> {
    reply.each("userName")
}

fn users(numbers: impl IntoIterator<Item = u64>) -> Vec<String> {
    numbers
        .into_iter()
        .map(|number| format!("user{number}"))
        .collect()
}

#[tokio::test]
async fn any_window_is_exact_whatever_the_applications_pages_are() {
    let setup = Setup::default().with("most = 100", "most = 10");
    let stage = peopled(setup, 57).await;
    for (start, count) in [
        (1, 5),
        (1, 10),
        (7, 10),
        (10, 1),
        (11, 20),
        (8, 45),
        (50, 20),
        (57, 1),
        (1, 100),
        (3, 33),
    ] {
        let reply = stage
            .get(&format!("/Users?startIndex={start}&count={count}"))
            .await
            .is(200);
        let expected = users(start..=57.min(start + count - 1));
        assert_eq!(names(&reply), expected, "startIndex={start} count={count}");
        assert_eq!(reply.body["totalResults"], 57);
        assert_eq!(reply.body["startIndex"], start);
        assert_eq!(reply.body["itemsPerPage"], expected.len());
    }
}

#[tokio::test]
async fn odd_windows_are_answered_as_the_rfc_has_it() {
    let stage = peopled(Setup::default(), 7).await;
    for (query, expected) in [
        ("count=0", 0),
        ("count=-3", 0),
        ("startIndex=0", 7),
        ("startIndex=-5&count=2", 2),
        ("startIndex=8", 0),
        ("startIndex=1000000&count=5", 0),
        ("count=1000000", 7),
        ("", 7),
    ] {
        let reply = stage.get(&format!("/Users?{query}")).await.is(200);
        assert_eq!(names(&reply).len(), expected, "{query}: {}", reply.body);
        assert_eq!(reply.body["totalResults"], 7, "{query}");
    }
}

#[tokio::test]
async fn a_whole_import_reads_each_page_of_the_application_once() {
    let stage = peopled(Setup::default(), 1000).await;
    let mut seen = Vec::new();
    for page in 0..10 {
        let reply = stage
            .get(&format!("/Users?startIndex={}&count=100", page * 100 + 1))
            .await
            .is(200);
        seen.extend(names(&reply));
    }
    assert_eq!(seen, users(1..=1000));
    let calls = stage.app.calls();
    assert!(calls.len() <= 11, "{calls:#?}");
}

#[tokio::test]
async fn hidden_rows_are_neither_shown_nor_counted_nor_leave_holes() {
    let rules = [
        "[user]\nscope = \"org == 'ours'\"\n",
        "[user]\nhide = \"org != 'ours'\"\n",
        "[user]\ngone = \"org != 'ours'\"\n",
    ];
    for rule in rules {
        let stage = Setup::tenant(rule).start().await;
        for number in 1..=60 {
            let org = if number % 3 == 0 { "ours" } else { "theirs" };
            stage
                .app
                .add_user(json!({ "login": format!("user{number}"), "org": org, "state": 1 }));
        }
        let mut seen = Vec::new();
        for start in [1, 8, 15] {
            let reply = stage
                .get(&format!("/Users?startIndex={start}&count=7"))
                .await
                .is(200);
            assert_eq!(reply.body["totalResults"], 20, "{rule}");
            seen.extend(names(&reply));
        }
        assert_eq!(seen, users((1..=60).filter(|n| n % 3 == 0)), "{rule}");
        // Not by name, not by id, not for writing.
        let found = stage
            .get("/Users?filter=userName%20eq%20%22user1%22")
            .await
            .is(200);
        assert_eq!(found.body["totalResults"], 0, "{rule}");
        stage.get("/Users/1").await.is(404);
        let before = stage.app.user(1);
        let write = json!([{ "op": "replace", "path": "title", "value": "x" }]);
        stage.patch("/Users/1", write).await.is(404);
        stage
            .put("/Users/1", json!({ "userName": "x" }))
            .await
            .is(404);
        stage.delete("/Users/1").await.is(404);
        assert_eq!(stage.app.user(1), before);
        assert!(stage.app.writes().is_empty());
    }
}

#[tokio::test]
async fn a_filter_goes_down_where_the_file_says_so_and_is_checked_here_all_the_same() {
    let stage = peopled(Setup::default(), 300).await;
    stage.app.change_user(7, "title", json!("Boss"));
    let cases: [(&str, &[u64], usize, &str); 8] = [
        ("userName eq \"user7\"", &[7], 1, "GET /users?login=user7"),
        ("userName eq \"USER7\"", &[7], 1, "GET /users?login=USER7"),
        (
            "userName eq \"user7\" and title eq \"Boss\"",
            &[7],
            1,
            "GET /users?login=user7",
        ),
        (
            "userName eq \"user8\" and title eq \"Boss\"",
            &[],
            1,
            "GET /users?login=user8",
        ),
        ("id eq \"7\"", &[7], 1, "GET /users/7"),
        ("externalId eq \"x\"", &[], 0, ""),
        ("title eq \"Boss\"", &[7], 3, "GET /users?"),
        (
            "userName eq \"user7\" or userName eq \"user9\"",
            &[7, 9],
            3,
            "GET /users?",
        ),
    ];
    for (filter, expected, most, first) in cases {
        stage.app.forget_calls();
        let query: String = form_urlencoded::byte_serialize(filter.as_bytes()).collect();
        let reply = stage.get(&format!("/Users?filter={query}")).await.is(200);
        assert_eq!(names(&reply), users(expected.iter().copied()), "{filter}");
        assert_eq!(reply.body["totalResults"], expected.len(), "{filter}");
        let calls = stage.app.calls();
        assert!(calls.len() <= most, "{filter}: {calls:?}");
        assert!(
            calls.first().is_none_or(|call| call.starts_with(first)),
            "{filter}: {calls:?}"
        );
    }
}

#[tokio::test]
async fn an_application_that_ignores_the_search_does_not_make_everyone_match() {
    let setup = Setup::default().with("GET /users?login={value}", "GET /users?unknown={value}");
    let stage = peopled(setup, 50).await;
    let reply = stage
        .get("/Users?filter=userName%20eq%20%22user7%22")
        .await
        .is(200);
    assert_eq!(names(&reply), ["user7"]);
    stage
        .post("/Users", json!({ "userName": "nobody" }))
        .await
        .is(201);
}

#[tokio::test]
async fn a_filter_that_cannot_be_understood_is_refused_and_never_left_out() {
    let stage = peopled(Setup::default(), 3).await;
    for filter in [
        "userName",
        "userName eq",
        "noSuch eq 1",
        "userName like \"a\"",
        "(userName pr",
        "userName eq \"a\" and",
    ] {
        let query: String = form_urlencoded::byte_serialize(filter.as_bytes()).collect();
        let reply = stage.get(&format!("/Users?filter={query}")).await;
        reply.refused(400, "invalidFilter");
    }
    assert!(stage.app.calls().is_empty());
}

#[tokio::test]
async fn sorting_is_stable_over_pages() {
    let stage = peopled(Setup::default(), 23).await;
    let mut seen = Vec::new();
    for start in [1, 11, 21] {
        let query =
            format!("/Users?sortBy=userName&sortOrder=descending&startIndex={start}&count=10");
        let reply = stage.get(&query).await.is(200);
        assert_eq!(reply.body["totalResults"], 23);
        seen.extend(names(&reply));
    }
    let mut expected = users(1..=23);
    expected.sort();
    expected.reverse();
    assert_eq!(seen, expected);
}

/// Follows the cursors to the end.
async fn walk(stage: &Stage, query: &str) -> Vec<String> {
    let mut seen = Vec::new();
    let mut cursor = String::new();
    for _ in 0..100 {
        let reply = stage
            .get(&format!("/Users?{query}&cursor={cursor}"))
            .await
            .is(200);
        seen.extend(names(&reply));
        match reply.body["nextCursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => return seen,
        }
    }
    panic!("the cursors lead in circles");
}

#[tokio::test]
async fn cursors_lead_through_everything_once() {
    let stage = peopled(Setup::default(), 57).await;
    assert_eq!(walk(&stage, "count=10").await, users(1..=57));
    let filter = "filter=userName%20sw%20%22user1%22";
    let expected = users((1..=57).filter(|n| n.to_string().starts_with('1')));
    assert_eq!(walk(&stage, &format!("{filter}&count=4")).await, expected);
    assert_eq!(walk(&stage, "count=57").await.len(), 57);
    let first = stage.get("/Users?count=10&cursor").await.is(200);
    assert!(first.body["nextCursor"].is_string());
    assert!(first.body.get("previousCursor").is_none());
    // The way back.
    let next = first.body["nextCursor"].as_str().unwrap();
    let second = stage
        .get(&format!("/Users?count=10&cursor={next}"))
        .await
        .is(200);
    let back = second.body["previousCursor"].as_str().unwrap();
    let again = stage
        .get(&format!("/Users?count=10&cursor={back}"))
        .await
        .is(200);
    assert_eq!(names(&again), names(&first));
}

#[tokio::test]
async fn a_cursor_serves_its_own_query_and_tenant_for_its_time_only() {
    let mut setup = Setup {
        tenants: vec![
            ("acme".into(), String::new()),
            ("globex".into(), String::new()),
        ],
        ..Setup::default()
    };
    setup.limits.cursor_life = Duration::from_secs(1);
    let stage = setup.start().await;
    stage.apps.iter().for_each(|app| app.add_users(30));
    let first = stage.get("/Users?count=10&cursor=").await.is(200);
    let cursor = first.body["nextCursor"].as_str().unwrap().to_owned();
    let path = format!("/Users?count=10&cursor={cursor}");
    stage.get(&path).await.is(200);
    stage
        .ask("GET", &path)
        .by("globex")
        .send()
        .await
        .refused(400, "invalidCursor");
    for other in [
        "/Groups?",
        "/Users?filter=title%20pr&",
        "/Users?sortBy=title&",
    ] {
        let path = format!("{other}count=10&cursor={cursor}");
        stage.get(&path).await.refused(400, "invalidCursor");
    }
    for index in 0..cursor.len() {
        let mut bytes = cursor.clone().into_bytes();
        bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
        let tampered = String::from_utf8(bytes).unwrap();
        let reply = stage
            .get(&format!("/Users?count=10&cursor={tampered}"))
            .await;
        assert!(
            reply.status == 400 || index + 1 == cursor.len(),
            "byte {index}: {}",
            reply.body
        );
    }
    for nonsense in ["x", "%00", "%F0%9F%98%80", &"A".repeat(5000)] {
        let reply = stage
            .get(&format!("/Users?count=10&cursor={nonsense}"))
            .await;
        assert_eq!(reply.status, 400, "{}", reply.body);
    }
    tokio::time::sleep(Duration::from_millis(2100)).await;
    stage.get(&path).await.refused(400, "expiredCursor");
}

/// RFC 9865 §2, §2.1: all but the cursor stays as it was from page to page.
#[tokio::test]
async fn a_cursor_keeps_the_count_it_was_given_out_with() {
    let mut setup = Setup::default();
    setup.limits.max_page_size = 20;
    let stage = peopled(setup, 57).await;
    let next = |reply: &Reply| reply.body["nextCursor"].as_str().unwrap().to_owned();
    let first = stage.get("/Users?count=10&cursor").await.is(200);
    let cursor = next(&first);
    for same in [
        "",
        "&count=10",
        "&count=10&startIndex=40",
        "&attributes=id&count=10",
    ] {
        let page = stage
            .get(&format!("/Users?cursor={cursor}{same}"))
            .await
            .is(200);
        assert_eq!(page.body["itemsPerPage"], 10, "{same}");
        assert!(page.body.get("startIndex").is_none());
    }
    for other in ["9", "11", "0", "-1", "1000"] {
        let path = format!("/Users?cursor={cursor}&count={other}");
        stage.get(&path).await.refused(400, "invalidCount");
    }
    // A count above the maximum is the maximum, and stays it.
    let first = stage.get("/Users?cursor=&count=100").await.is(200);
    assert_eq!(first.body["itemsPerPage"], 20);
    let cursor = next(&first);
    let second = stage
        .get(&format!("/Users?cursor={cursor}&count=100"))
        .await
        .is(200);
    assert_eq!(names(&second), users(21..=40));
    // None at all: how many there are, and no page to go on from.
    let none = stage.get("/Users?cursor=&count=0").await.is(200);
    assert_eq!(
        (&none.body["totalResults"], none.body.get("nextCursor")),
        (&json!(57), None)
    );
}

/// In the example of RFC 9865 §2 the second request writes `username`.
#[tokio::test]
async fn a_cursor_minds_values_and_not_how_names_are_written() {
    let stage = peopled(Setup::default(), 30).await;
    let ask = |filter: &str, by: &str, cursor: &str| {
        let filter = filter
            .replace(' ', "%20")
            .replace('"', "%22")
            .replace('\\', "%5C");
        format!("/Users?filter={filter}&sortBy={by}&cursor={cursor}&count=5")
    };
    let first = stage
        .get(&ask(r#"userName sw "user""#, "userName", ""))
        .await
        .is(200);
    let cursor = first.body["nextCursor"].as_str().unwrap();
    let same = stage
        .get(&ask(r#"username  SW "user""#, "USERNAME", cursor))
        .await
        .is(200);
    assert_eq!(same.body["totalResults"], 30);
    assert_ne!(names(&same), names(&first));
    for (filter, by) in [
        (r#"userName sw "User""#, "userName"),
        (r#"userName sw "user1""#, "userName"),
        (r#"userName sw "us\"er""#, "userName"),
        (r#"userName sw "user""#, "title"),
    ] {
        stage
            .get(&ask(filter, by, cursor))
            .await
            .refused(400, "invalidCursor");
    }
}

/// RFC 9865 §2: only letters that need no escape in a URL. §5: what it says cannot be read.
#[tokio::test]
async fn a_cursor_is_safe_in_a_url_and_says_nothing() {
    let stage = peopled(Setup::default(), 30).await;
    let mut seen = std::collections::BTreeSet::new();
    let first = stage.get("/Users?count=1&cursor").await.is(200);
    let mut cursor = first.body["nextCursor"].as_str().unwrap().to_owned();
    for _ in 0..20 {
        let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        assert!(cursor.bytes().all(is_safe), "{cursor}");
        assert!(
            seen.insert(cursor[..20].to_owned()),
            "a cursor shows what it has of the one before"
        );
        let page = stage
            .get(&format!("/Users?count=1&cursor={cursor}"))
            .await
            .is(200);
        cursor = page.body["nextCursor"].as_str().unwrap().to_owned();
    }
}

#[tokio::test]
async fn the_root_lists_all_types_and_search_is_the_same_by_post() {
    let stage = peopled(Setup::default(), 5).await;
    stage.app.add_group(json!({ "name": "staff" }), []);
    let all = stage.get("/").await.is(200);
    assert_eq!(all.body["totalResults"], 6);
    let search = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
        "filter": "userName eq \"user3\"",
        "attributes": ["userName"],
        "startIndex": 1,
        "count": 10,
    });
    for path in ["/.search", "/Users/.search"] {
        let found = stage.post(path, search.clone()).await.is(200);
        assert_eq!(names(&found), ["user3"], "{path}");
        assert!(found.body["Resources"][0].get("emails").is_none());
    }
    let window = stage.get("/?startIndex=5&count=2").await.is(200);
    assert_eq!(window.each("id"), ["5", "g-6"]);
    assert_eq!(window.body["totalResults"], 6);
}

#[tokio::test]
async fn attributes_that_nobody_asks_for_cost_no_calls() {
    let stage = peopled(Setup::default(), 3).await;
    let group = stage.app.add_group(json!({ "name": "staff" }), [1, 2]);
    let cases: [(String, usize); 6] = [
        (format!("/Groups/g-{group}"), 2),
        (format!("/Groups/g-{group}?excludedAttributes=members"), 1),
        (format!("/Groups/g-{group}?attributes=displayName"), 1),
        ("/Groups".into(), 2),
        ("/Groups?excludedAttributes=members".into(), 1),
        ("/Users/1?attributes=userName".into(), 1),
    ];
    for (path, expected) in cases {
        stage.app.forget_calls();
        let reply = stage.get(&path).await.is(200);
        assert_eq!(
            stage.app.calls().len(),
            expected,
            "{path}: {:?}",
            stage.app.calls()
        );
        let resource = match &reply.body["Resources"] {
            Value::Array(resources) => resources[0].clone(),
            _ => reply.body,
        };
        assert_eq!(resource.get("members").is_some(), expected == 2, "{path}");
    }
}

#[tokio::test]
async fn the_users_of_a_group_are_asked_of_the_group() {
    let stage = peopled(Setup::default(), 200).await;
    let group = stage.app.add_group(json!({ "name": "staff" }), [3, 5]);
    stage.app.forget_calls();
    let reply = stage
        .get(&format!(
            "/Users?filter=groups.value%20eq%20%22g-{group}%22"
        ))
        .await
        .is(200);
    assert_eq!(names(&reply), ["user3", "user5"]);
    // The group, its page of members, and each of them: never the two hundred.
    assert!(stage.app.calls().len() <= 6, "{:?}", stage.app.calls());
}

#[tokio::test]
async fn more_rows_than_may_be_looked_at_are_too_many_and_never_a_short_list() {
    let mut setup = Setup::default();
    setup.limits.max_scanned_rows = 50;
    let stage = peopled(setup, 60).await;
    stage
        .get("/Users?filter=title%20pr")
        .await
        .refused(400, "tooMany");
    stage.get("/Users?count=60").await.is(200);
    let found = stage
        .get("/Users?filter=userName%20eq%20%22user60%22")
        .await
        .is(200);
    assert_eq!(names(&found), ["user60"]);
}

#[tokio::test]
async fn at_the_root_an_attribute_of_another_type_has_no_value() {
    let stage = peopled(Setup::default(), 2).await;
    stage.app.add_group(json!({ "name": "staff" }), []);
    let cases = [
        ("userName eq \"user1\" or displayName eq \"staff\"", 2),
        ("userName eq \"user1\" or members pr", 1),
        ("displayName eq \"staff\" and not (userName pr)", 1),
        ("displayName eq \"staff\" and userName eq null", 1),
        ("displayName eq \"staff\" and userName ne \"user1\"", 1),
        ("userName pr", 2),
        ("emails[type eq \"work\"] or displayName pr", 3),
        ("userName lt \"\"", 0),
    ];
    for (filter, count) in cases {
        let search = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": filter });
        let found = stage.post("/.search", search).await.is(200);
        assert_eq!(found.body["totalResults"], count, "{filter}");
    }
    for filter in [
        "nosuch pr",
        "userName pr or nosuch pr",
        "active gt true or displayName pr",
    ] {
        let search = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": filter });
        stage
            .post("/.search", search)
            .await
            .refused(400, "invalidFilter");
    }
    // A type that cannot match is not asked.
    stage.app.forget_calls();
    stage
        .get("/?filter=userName%20eq%20%22user1%22")
        .await
        .is(200);
    assert!(
        stage
            .app
            .calls()
            .iter()
            .all(|call| call.starts_with("GET /users?login=user1"))
    );
}

#[tokio::test]
async fn a_wrong_place_in_the_mapping_makes_nobody_disappear() {
    let wrong_id = "[user]\nid = { from = '$.nothing', type = \"number\" }\n";
    let wrong_object = "[user.get]\nobject = '$.data.user'\n";
    for (text, path, says) in [
        (wrong_id, "/Users", "$.nothing"),
        (wrong_id, "/Users/1", "$.nothing"),
        (wrong_id, "/Users?attributes=userName", "$.nothing"),
        (wrong_object, "/Users/1", "$.data.user"),
    ] {
        let stage = Setup::tenant(text).start().await;
        stage.app.add_users(2);
        let reply = stage.get(path).await.is(502);
        let detail = reply.body["detail"].as_str().unwrap();
        assert!(detail.contains(says), "{path}: {detail}");
        stage.get("/Users/99").await;
    }
    let stage = Setup::tenant(wrong_object).start().await;
    stage.get("/Users/99").await.is(404);
}

#[tokio::test]
async fn where_a_search_may_not_know_all_the_list_is_read_for_what_it_does_not_find() {
    let stage = Setup::default()
        .with(
            "filter = \"userName eq\"",
            "filter = \"userName eq\"\nelse   = \"list\"",
        )
        .with(
            "rules  = [{ status = 422, contains = \"has been taken\", is = \"uniqueness\" }]",
            "rules  = []",
        )
        .start()
        .await;
    stage.app.add_users(3);
    let by_name = "/Users?filter=userName%20eq%20%22user2%22";
    let searches = "GET /users?login=";
    let nobody = || Answer::json(200, json!({ "items": [], "total": 0 }));
    // Found at once: nothing else is read.
    let found = stage.get(by_name).await.is(200);
    assert_eq!(found.each("userName"), ["user2"]);
    let lists = |stage: &Stage| {
        let calls = stage.app.calls();
        calls
            .iter()
            .filter(|call| call.starts_with("GET /users?p"))
            .count()
    };
    assert_eq!(lists(&stage), 0, "{:?}", stage.app.calls());
    stage
        .app
        .plan(searches, 9, Fault::Before(Act::Say(nobody())));
    for excluded in ["", "&excludedAttributes=groups"] {
        let found = stage.get(&format!("{by_name}{excluded}")).await.is(200);
        assert_eq!(found.each("userName"), ["user2"], "{excluded}");
    }
    // No second account of a name that the search does not know yet.
    let reply = stage.post("/Users", json!({ "userName": "user2" })).await;
    reply.refused(409, "uniqueness");
    assert_eq!(stage.app.writes(), []);
    stage
        .post("/Users", json!({ "userName": "user4" }))
        .await
        .is(201);
    let nobody_there = "/Users?filter=userName%20eq%20%22nobody%22";
    assert_eq!(
        stage.get(nobody_there).await.is(200).body["totalResults"],
        0
    );
}
