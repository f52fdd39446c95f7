use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

use super::*;
use crate::mapping::model::PageSize;
use crate::mapping::{path::JsonPath, reply::ReplyForm};

fn base() -> Url {
    Url::parse("https://app.example/api/").unwrap()
}

fn path(text: &str) -> JsonPath {
    JsonPath::parse(text).unwrap()
}

fn size(most: u64) -> Option<PageSize> {
    let parameter = Some("limit".into());
    Some(PageSize { parameter, most })
}

fn reply(content: Value, headers: &[(&str, &str)]) -> Reply {
    let headers = headers.iter().map(|(name, value)| {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        (name, HeaderValue::from_str(value).unwrap())
    });
    Reply {
        status: 200,
        headers: HeaderMap::from_iter(headers),
        content,
        rows: None,
        whole: None,
        text: String::new(),
        form: ReplyForm::Data,
    }
}

fn numbers(from: u64, count: u64) -> Vec<Value> {
    (from..from + count).map(|n| json!({"id": n})).collect()
}

/// An application with `all` objects that never gives more than `cap` a page and may tell its total.
struct Application {
    all: u64,
    cap: u64,
    tells_total: bool,
}

impl Application {
    /// Answers a page by its `start` or `page` and `limit`, and checks that nothing else was asked.
    fn answer(&self, request: &PageRequest) -> (Reply, Vec<Value>) {
        let parameter = |name: &str| {
            let found = request.query.iter().find(|(n, _)| n == name);
            found.map(|(_, value)| value.parse::<u64>().unwrap())
        };
        let limit = parameter("limit").unwrap_or(self.cap).min(self.cap);
        let start = match parameter("page") {
            Some(page) => (page - 1) * limit,
            None => parameter("start").unwrap(),
        };
        let count = self.all.saturating_sub(start).min(limit);
        let total = if self.tells_total {
            json!({"total": self.all.to_string()})
        } else {
            json!({})
        };
        (reply(total, &[]), numbers(start, count))
    }
}

fn read_all(
    paging: &Paging,
    application: &Application,
    largest: u64,
) -> Result<(Vec<Value>, u64), PageError> {
    let base = base();
    let mut pager = Pager::new(paging, &base, None).knowing(largest);
    let mut all = Vec::new();
    loop {
        let (reply, items) = application.answer(&pager.request());
        let next = pager.absorb("/users", &reply, &items)?;
        all.extend(items);
        if next == Next::Done {
            return Ok((all, pager.pages));
        }
    }
}

fn offset(most: Option<PageSize>, has_total: bool) -> Paging {
    Paging::of(
        PageStyle::Offset {
            start: Some("start".into()),
            first: 0,
        },
        most,
        has_total.then(|| Total::Body(path("$.total"))),
    )
}

fn number(most: Option<PageSize>, has_total: bool) -> Paging {
    Paging::of(
        PageStyle::Number {
            number: Some("page".into()),
            first: 1,
        },
        most,
        has_total.then(|| Total::Body(path("$.total"))),
    )
}

#[test]
fn counted_lists_are_read_whole_whatever_the_application_caps() {
    for all in [0, 1, 9, 10, 11, 30, 31, 100] {
        for cap in [10, 30, 1000] {
            for tells_total in [false, true] {
                for style in [
                    offset(size(30), tells_total),
                    number(size(30), tells_total),
                    offset(None, tells_total),
                ] {
                    let application = Application {
                        all,
                        cap,
                        tells_total,
                    };
                    let (items, _) = read_all(&style, &application, 0).unwrap();
                    assert_eq!(
                        items,
                        numbers(0, all),
                        "{all} {cap} {tells_total} {style:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_short_page_ends_the_list_without_another_call_once_larger_ones_were_seen() {
    let application = Application {
        all: 5,
        cap: 100,
        tells_total: false,
    };
    assert_eq!(
        read_all(&offset(size(30), false), &application, 0)
            .unwrap()
            .1,
        2
    );
    assert_eq!(
        read_all(&offset(size(30), false), &application, 6)
            .unwrap()
            .1,
        1
    );
    let told = Application {
        tells_total: true,
        ..application
    };
    assert_eq!(read_all(&offset(size(30), true), &told, 0).unwrap().1, 1);
}

#[test]
fn a_silent_limit_is_noticed() {
    let base = base();
    let style = number(size(100), false);
    let application = Application {
        all: 75,
        cap: 30,
        tells_total: false,
    };
    let mut pager = Pager::new(&style, &base, None);
    loop {
        let (reply, items) = application.answer(&pager.request());
        if pager.absorb("/users", &reply, &items).unwrap() == Next::Done {
            break;
        }
    }
    assert_eq!(pager.cap(), Some(30));
    assert_eq!(pager.index(), 75);
}

#[test]
fn an_application_that_ignores_the_parameters_is_found_out() {
    let base = base();
    let style = offset(size(10), false);
    let mut pager = Pager::new(&style, &base, None);
    let everyone = numbers(0, 25);
    assert!(matches!(
        pager.absorb("/users", &reply(json!({}), &[]), &everyone),
        Ok(Next::More(_))
    ));
    assert_eq!(
        pager.absorb("/users", &reply(json!({}), &[]), &everyone),
        Err(PageError::Repeated)
    );
}

#[test]
fn a_list_that_ends_long_before_its_total_is_truncated() {
    let base = base();
    let style = offset(size(10), true);
    let mut pager = Pager::new(&style, &base, None);
    let told = reply(json!({"total": 100}), &[]);
    pager.absorb("/users", &told, &numbers(0, 10)).unwrap();
    assert_eq!(
        pager.absorb::<Value>("/users", &told, &[]),
        Err(PageError::Truncated)
    );
    // A few may have been deleted meanwhile.
    let mut pager = Pager::new(&style, &base, None).at(Position::Index(90), 90);
    pager.absorb("/users", &told, &numbers(90, 8)).unwrap();
    assert_eq!(pager.absorb::<Value>("/users", &told, &[]), Ok(Next::Done));
}

#[test]
fn the_first_so_many_must_be_all() {
    let base = base();
    let limit = |total: Option<Total>| Paging::of(PageStyle::Limit, size(10), total);
    let cases = [
        (limit(None), json!({}), 9, Ok(Next::Done)),
        (limit(None), json!({}), 10, Err(PageError::Truncated)),
        (
            limit(Some(Total::Body(path("$.total")))),
            json!({"total": 10}),
            10,
            Ok(Next::Done),
        ),
        (
            limit(Some(Total::Body(path("$.total")))),
            json!({"total": 11}),
            10,
            Err(PageError::Truncated),
        ),
    ];
    for (style, content, count, expected) in cases {
        let mut pager = Pager::new(&style, &base, None);
        assert_eq!(
            pager.request().query,
            [("limit".to_owned(), "10".to_owned())]
        );
        assert_eq!(
            pager.absorb("/users", &reply(content, &[]), &numbers(0, count)),
            expected
        );
    }
}

#[test]
fn cursors_and_continue_sets_are_followed_until_they_are_gone() {
    let base = base();
    let style = Paging::of(
        PageStyle::Cursor {
            parameter: Some("after".into()),
            next: Mark::Body(path("$.next")),
        },
        size(2),
        None,
    );
    for end in [
        json!({}),
        json!({"next": null}),
        json!({"next": ""}),
        json!({"next": false}),
    ] {
        let mut pager = Pager::new(&style, &base, Some(1));
        assert_eq!(
            pager.request().query,
            [("limit".to_owned(), "1".to_owned())]
        );
        pager
            .absorb("/u", &reply(json!({"next": 7}), &[]), &numbers(0, 1))
            .unwrap();
        assert_eq!(
            pager.request().query[0],
            ("after".to_owned(), "7".to_owned())
        );
        assert_eq!(
            pager.absorb("/u", &reply(end, &[]), &numbers(1, 1)),
            Ok(Next::Done)
        );
    }
    let style = Paging::of(
        PageStyle::Continue {
            from: path("$.continue"),
        },
        None,
        None,
    );
    let mut pager = Pager::new(&style, &base, None);
    let more = reply(
        json!({"continue": {"aufrom": "Bob", "continue": "-||"}}),
        &[],
    );
    pager.absorb("/u", &more, &numbers(0, 1)).unwrap();
    let expected = [("aufrom", "Bob"), ("continue", "-||")];
    assert_eq!(
        pager.request().query,
        expected.map(|(n, v)| (n.to_owned(), v.to_owned()))
    );
    assert_eq!(
        pager.absorb("/u", &reply(json!({}), &[]), &numbers(1, 1)),
        Ok(Next::Done)
    );
}

#[test]
fn cursors_that_go_in_circles_are_noticed() {
    let base = base();
    let style = Paging::of(
        PageStyle::Cursor {
            parameter: Some("c".into()),
            next: Mark::Body(path("$.n")),
        },
        None,
        None,
    );
    let mut pager = Pager::new(&style, &base, None);
    for (number, cursor) in [(0, "a"), (1, "b")] {
        pager
            .absorb("/u", &reply(json!({"n": cursor}), &[]), &numbers(number, 1))
            .unwrap();
    }
    assert_eq!(
        pager.absorb("/u", &reply(json!({"n": "a"}), &[]), &numbers(2, 1)),
        Err(PageError::Repeated)
    );
}

#[test]
fn p9_next_links_stay_below_the_base_url() {
    let base = base();
    let style = Paging::of(
        PageStyle::NextUrl {
            next: Mark::Body(path("$.next")),
        },
        None,
        None,
    );
    let cases = [
        (
            "https://app.example/api/users?page=2",
            Some("/users?page=2"),
        ),
        ("/api/users?page=2", Some("/users?page=2")),
        ("?page=2", Some("/users?page=2")),
        ("users/2", Some("/users/2")),
        ("http://app.example/api/users?page=2", None),
        ("https://app.example:444/api/users", None),
        ("https://evil.example/api/users", None),
        ("//evil.example/api/users", None),
        ("https://app.example@evil.example/api/users", None),
        ("https://u:p@app.example/api/users", None),
        ("/other/users", None),
        ("/apix/users", None),
        ("/api/../admin", None),
        ("/api/%2e%2e/admin", None),
        ("javascript:alert(1)", None),
        ("http://[", None),
    ];
    for (link, expected) in cases {
        let mut pager = Pager::new(&style, &base, None);
        let next = pager.absorb(
            "/users?page=1",
            &reply(json!({"next": link}), &[]),
            &numbers(0, 1),
        );
        let expected = match expected {
            Some(location) => Ok(Next::More(Position::Location(location.into()))),
            None => Err(PageError::Foreign),
        };
        assert_eq!(next, expected, "{link}");
    }
}

#[test]
fn the_link_header_is_read_as_rfc_8288_says() {
    let base = base();
    let style = Paging::of(PageStyle::Link, None, Some(Total::Header("X-Total".into())));
    let cases = [
        (
            "<https://app.example/api/u?p=2>; rel=\"next\"",
            Some("/u?p=2"),
        ),
        (
            "</api/u?p=1>; rel=prev, </api/u?p=3>; title=\"a, <b>\"; rel=next",
            Some("/u?p=3"),
        ),
        ("</api/u?a=1,2>; rel=\"last next\"", Some("/u?a=1,2")),
        ("</api/u?p=9>; rel=\"last\"", None),
        ("</api/u?p=9>; rel=\"nextish\"", None),
        ("<broken", None),
        ("", None),
    ];
    for (header, expected) in cases {
        let mut pager = Pager::new(&style, &base, None);
        let told = reply(json!([]), &[("link", header), ("x-total", "12")]);
        let next = pager.absorb("/u", &told, &numbers(0, 1)).unwrap();
        let expected = expected.map_or(Next::Done, |at| Next::More(Position::Location(at.into())));
        assert_eq!(next, expected, "{header}");
        assert_eq!(pager.total(), Some(12));
    }
}

#[test]
fn a_page_can_be_entered_in_the_middle() {
    let base = base();
    let style = number(size(30), true);
    let mut pager = Pager::new(&style, &base, Some(20)).at(Position::Page(3), 60);
    let expected = [("page", "4"), ("limit", "20")];
    assert_eq!(
        pager.request().query,
        expected.map(|(n, v)| (n.to_owned(), v.to_owned()))
    );
    let next = pager.absorb("/u", &reply(json!({"total": 70}), &[]), &numbers(60, 10));
    assert_eq!((next, pager.index()), (Ok(Next::Done), 70));
}
