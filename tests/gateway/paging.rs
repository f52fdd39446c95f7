//! How lists are read on: the styles' finer points, over the whole gateway.

use serde_json::{Value, json};

use crate::{
    fake_target::Answer,
    language::{app, say},
    stage::{Setup, Stage},
};

const USERS: &str = r#"
[user.attributes]
'userName' = 'login'
"#;

/// People 1 to 5, a list of them on these pages.
fn people(page: &str) -> Setup {
    app(&format!(
        "[user]\nid = '$.id'\n[user.list]\ncall = \"GET /people\"\nitems = '$.people[*]'\n{page}{USERS}"
    ))
}

fn rows(from: u64, to: u64) -> Value {
    let row = |id| json!({ "id": id, "login": format!("u{id}") });
    (from..=to).map(row).collect()
}

fn names(to: u64) -> Vec<String> {
    (1..=to).map(|id| format!("u{id}")).collect()
}

async fn is_listed(stage: &Stage, to: u64) {
    let list = stage.get("/Users").await.is(200);
    assert_eq!(list.each("userName"), names(to), "{:?}", stage.app.calls());
    assert_eq!(list.body["totalResults"], to);
    // A window in the middle, by the client's own pages.
    let second = stage.get("/Users?startIndex=3&count=2").await.is(200);
    assert_eq!(
        second.each("userName"),
        names(to)[2..4],
        "{:?}",
        stage.app.calls()
    );
}

/// The application's answer to a call, whenever it comes.
fn page(stage: &Stage, call: &str, body: Value) {
    say(stage, call, Answer::json(200, body));
}

#[tokio::test]
async fn a_mark_that_is_always_there_ends_with_the_word_that_there_is_no_more() {
    let style = "page.cursor = { next = '$.cursor', more = 'has_more', size = { parameter = \"limit\", most = 2 }, call = \"GET /more?after={page.cursor}\" }\n";
    let stage = people(style).start().await;
    let next = |from, to, cursor: &str, more: bool| json!({ "people": rows(from, to), "cursor": cursor, "has_more": more });
    page(&stage, "GET /people?limit=2", next(1, 2, "a", true));
    page(&stage, "GET /more?after=a&limit=2", next(3, 4, "b", true));
    page(&stage, "GET /more?after=b&limit=2", next(5, 5, "c", false));
    is_listed(&stage, 5).await;
    let calls = stage.app.calls();
    assert!(
        calls.iter().all(|call| !call.contains("after=c")),
        "{calls:?}"
    );
}

#[tokio::test]
async fn more_that_is_promised_and_not_to_be_had_is_no_short_list() {
    for style in [
        "page.cursor = { parameter = \"after\", next = '$.cursor', more = 'has_more' }\n",
        "page.limit = { size = { most = 3 }, more = 'has_more' }\n",
    ] {
        let stage = people(style).start().await;
        page(
            &stage,
            "GET /people",
            json!({ "people": rows(1, 2), "has_more": true }),
        );
        let refused = stage.get("/Users").await.is(502);
        assert!(
            refused.body["detail"]
                .as_str()
                .unwrap()
                .contains("before its total"),
            "{}",
            refused.body
        );
        let stage = people(style).start().await;
        // A full page that says of itself that it is the last.
        page(
            &stage,
            "GET /people",
            json!({ "people": rows(1, 3), "has_more": false }),
        );
        let list = stage.get("/Users").await.is(200);
        assert_eq!(list.each("userName"), names(3));
        assert_eq!(stage.app.calls().len(), 1);
    }
}

#[tokio::test]
async fn pages_that_are_counted_end_where_the_application_says_so() {
    // It gives fewer than it is asked for, and the last page is a full one.
    let style = "page.number = { number = \"page\", size = { parameter = \"limit\", most = 50 }, more = 'not meta.last' }\n";
    let stage = people(style).start().await;
    for number in 1..=2 {
        let body =
            json!({ "people": rows(number * 3 - 2, number * 3), "meta": { "last": number == 2 } });
        page(&stage, &format!("GET /people?page={number}"), body);
    }
    let list = stage.get("/Users").await.is(200);
    assert_eq!(list.each("userName"), names(6));
    assert_eq!(stage.app.calls().len(), 2, "{:?}", stage.app.calls());
}

#[tokio::test]
async fn the_mark_may_be_in_a_header() {
    for (style, mark) in [
        (
            "page.cursor = { parameter = \"after\", next = { header = \"X-Next\" } }\n",
            "a b",
        ),
        (
            "page.next-url = { next = { header = \"X-Next\" } }\n",
            "/people?after=a+b",
        ),
    ] {
        let stage = people(style).start().await;
        let mut last = Answer::json(200, json!({ "people": rows(3, 5) }));
        say(&stage, "GET /people?after=a+b", last.clone());
        say(&stage, "GET /people?after=a%20b", last.clone());
        last = Answer::json(200, json!({ "people": rows(1, 2) }));
        last.headers.push(("X-Next".into(), mark.into()));
        say(&stage, "GET /people", last);
        is_listed(&stage, 5).await;
    }
}

#[tokio::test]
async fn an_application_behind_a_proxy_links_to_its_public_address() {
    let style = "page.next-url = { next = '$.links.next' }\n";
    for (public, link, status) in [
        (
            "public-url = \"https://people.example/api\"\n",
            "https://people.example/api/people?after=2",
            200,
        ),
        (
            "public-url = \"https://people.example/api\"\n",
            "/people?after=2",
            200,
        ),
        (
            "public-url = \"https://people.example/api\"\n",
            "https://people.example/other/people?after=2",
            502,
        ),
        (
            "public-url = \"https://people.example/api\"\n",
            "https://elsewhere.example/api/people?after=2",
            502,
        ),
        ("", "https://people.example/api/people?after=2", 502),
    ] {
        let stage = people(style)
            .with("[user]\n", &format!("{public}[user]\n"))
            .start()
            .await;
        page(
            &stage,
            "GET /people?after=2",
            json!({ "people": rows(3, 5) }),
        );
        page(
            &stage,
            "GET /people",
            json!({ "people": rows(1, 2), "links": { "next": link } }),
        );
        match status {
            200 => is_listed(&stage, 5).await,
            status => {
                let refused = stage.get("/Users").await.is(status);
                assert!(
                    refused.body["detail"]
                        .as_str()
                        .unwrap()
                        .contains("`public-url`"),
                    "{}",
                    refused.body
                );
            }
        }
    }
}

#[tokio::test]
async fn what_stands_in_front_of_the_content_is_no_part_of_it() {
    let guarded = Answer {
        status: 200,
        headers: vec![("Content-Type".into(), "application/json".into())],
        body: format!(")]}}'\n{}", json!({ "people": rows(1, 2) })).into_bytes(),
    };
    let stage = people("")
        .with("[user]\n", "reply-prefix = \")]}'\"\n[user]\n")
        .start()
        .await;
    say(&stage, "GET /people", guarded.clone());
    assert_eq!(stage.get("/Users").await.is(200).each("userName"), names(2));

    let stage = people("").start().await;
    say(&stage, "GET /people", guarded);
    let refused = stage.get("/Users").await.is(502);
    assert!(
        refused.body["detail"]
            .as_str()
            .unwrap()
            .contains("`[target] reply-prefix`"),
        "{}",
        refused.body
    );
}

#[tokio::test]
async fn a_search_that_is_not_paged_says_so() {
    let style = "page.offset = { start = \"from\", size = { parameter = \"limit\", most = 2 } }\n[[user.find]]\nfilter = \"userName eq\"\ncall = \"GET /people?login={value}\"\n";
    for (page_of_find, status) in [("", 502), ("page = false\n", 200)] {
        let stage = people(&format!("{style}{page_of_find}")).start().await;
        page(&stage, "GET /people", json!({ "people": rows(1, 1) }));
        let path = "/Users?filter=userName%20eq%20%22u1%22";
        let found = stage.get(path).await.is(status);
        match status {
            200 => assert_eq!(found.each("userName"), ["u1"]),
            _ => {
                let detail = found.body["detail"].as_str().unwrap();
                assert!(detail.contains("`page = false`"), "{detail}");
            }
        }
    }
}

/// Some databases count by an estimate.
#[tokio::test]
async fn a_total_that_is_less_than_what_came_is_believed_no_more() {
    let style = "page.offset = { start = \"skip\", size = { parameter = \"limit\", most = 2 }, total = '$.count' }\n";
    let stage = people(style).start().await;
    let some = |from, to| json!({ "people": rows(from, to), "count": 1 });
    page(&stage, "GET /people?skip=0&limit=2", some(1, 2));
    page(&stage, "GET /people?skip=2&limit=2", some(3, 4));
    page(&stage, "GET /people?skip=4&limit=2", some(5, 5));
    page(
        &stage,
        "GET /people?skip=5&limit=2",
        json!({ "people": [], "count": 1 }),
    );
    is_listed(&stage, 5).await;
}
