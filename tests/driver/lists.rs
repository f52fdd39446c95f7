//! Lists of every page style, whole and by window.

use std::sync::Arc;

use scimgate::{
    mapping::{
        model::{
            Call, Find, Form, ListOperation, Mark, MemberRead, PageSize, PageStyle, Paging, Rows,
            Total, UserGroups,
        },
        names::Names,
        page::PageError,
        reply::Row,
    },
    scim::CompareOp,
    target::{Driver, Scan, ScanSource, Span, TargetError},
};
use serde_json::{Value, json};

use crate::{
    driver,
    fake_target::{Act, Answer, FakeTarget, Seen},
    journey, named, rows,
    target_mapping::{attribute, call, list, path, tree},
};

const ALL: u64 = 57;
/// The most the application gives.
const CAP: u64 = 10;

/// An application that knows every page style: `/STYLE?from=N&size=M` with what the style answers besides.
fn answer(seen: &Seen, all: u64, cap: u64) -> Answer {
    let number = |name: &str| {
        seen.parameter(name)
            .and_then(|text| text.parse::<u64>().ok())
    };
    let (style, _) = seen.path.split_once('?').unwrap_or((&seen.path, ""));
    let cap = if style == "/limited" { 1000 } else { cap };
    let size = number("size").unwrap_or(cap).min(cap);
    let start = match style {
        "/number" => (number("page").unwrap() - 1) * size,
        "/all" => 0,
        _ => number("from").unwrap_or(0),
    };
    let size = if style == "/all" { all } else { size };
    let count = all.saturating_sub(start).min(size);
    let items = rows(start, count);
    let next = (start + count < all).then_some(start + count);
    let url = next.map(|next| format!("{style}?from={next}&size={size}"));
    let mut body = json!({"items": items, "total": all, "next": next, "url": url});
    body["continue"] = next.map_or(json!({}), |next| json!({"from": next, "x": "-||"}));
    let reply = Answer::json(200, body);
    match url {
        Some(url) => reply.header("Link", &format!("<{url}>; rel=\"next\"")),
        None => reply,
    }
}

fn size(most: u64) -> Option<PageSize> {
    let parameter = Some("size".into());
    Some(PageSize { parameter, most })
}

/// Every style, with and without a size, with and without a total.
fn styles() -> Vec<(&'static str, Paging)> {
    let limit = |total| Paging::of(PageStyle::Limit, size(1000), total);
    let mut all = vec![
        ("GET /all", Paging::default()),
        ("GET /limited", limit(None)),
        ("GET /limited", limit(Some(Total::Body(path("$.total"))))),
    ];
    for has_total in [false, true] {
        let total = || has_total.then(|| Total::Body(path("$.total")));
        for size in [size(CAP), size(4 * CAP), None] {
            let size = || size.clone();
            all.push((
                "GET /offset",
                Paging::of(
                    PageStyle::Offset {
                        start: Some("from".into()),
                        first: 0,
                    },
                    size(),
                    total(),
                ),
            ));
            all.push((
                "GET /number",
                Paging::of(
                    PageStyle::Number {
                        number: Some("page".into()),
                        first: 1,
                    },
                    size(),
                    total(),
                ),
            ));
            all.push((
                "GET /cursor",
                Paging::of(
                    PageStyle::Cursor {
                        parameter: Some("from".into()),
                        next: Mark::Body(path("$.next")),
                    },
                    size(),
                    total(),
                ),
            ));
            all.push((
                "GET /continue",
                Paging::of(
                    PageStyle::Continue {
                        from: path("$.continue"),
                    },
                    size(),
                    total(),
                ),
            ));
            all.push((
                "GET /url",
                Paging::of(
                    PageStyle::NextUrl {
                        next: Mark::Body(path("$.url")),
                    },
                    size(),
                    total(),
                ),
            ));
            all.push(("GET /link", Paging::of(PageStyle::Link, size(), total())));
        }
    }
    all
}

async fn paged(all: u64, cap: u64) -> (FakeTarget, Arc<Driver>) {
    let application = FakeTarget::start(move |_, seen| Act::Say(answer(seen, all, cap))).await;
    let driver = driver(&application, |_| {});
    (application, driver)
}

async fn read(mut scan: Scan<'_>) -> Result<Vec<Value>, TargetError> {
    let mut all = Vec::new();
    while let Some(page) = scan.next_page(&journey()).await? {
        all.extend(page.items);
    }
    Ok(all)
}

#[tokio::test]
async fn a_scan_gives_every_object_once_in_every_style() {
    let (_application, driver) = paged(ALL, CAP).await;
    for (text, style) in styles() {
        let shown = format!("{style:?}");
        let lists = [list(text, "$.items[*]", style)];
        let names = Names::new();
        let all = read(driver.scan(ScanSource::Lists(&lists), &names))
            .await
            .unwrap();
        assert_eq!(all, rows(0, ALL), "{shown}");
    }
}

#[tokio::test]
async fn windows_of_any_alignment_are_exact_in_every_style() {
    for (text, style) in styles() {
        let shown = format!("{style:?}");
        // A driver of its own for each style, and one for each window too: with and without what was remembered.
        let (_application, warm) = paged(ALL, CAP).await;
        let lists = [list(text, "$.items[*]", style)];
        for (skip, take) in [
            (0, 7),
            (7, 7),
            (14, 20),
            (0, 10),
            (10, 10),
            (20, 10),
            (3, 1),
            (55, 10),
            (56, 1),
            (0, 100),
            (33, 0),
        ] {
            let expected = rows(skip, take.min(ALL.saturating_sub(skip)));
            let (_other, cold) = paged(ALL, CAP).await;
            for (driver, is_text) in [(&warm, true), (&cold, false), (&cold, true)] {
                let window = driver
                    .window(
                        &journey(),
                        &lists,
                        "user",
                        &named(&[]),
                        Span {
                            skip,
                            take,
                            is_text,
                        },
                    )
                    .await
                    .unwrap();
                assert_eq!(
                    trees(window.items.clone()),
                    expected,
                    "{skip} {take} {shown}"
                );
                assert!(
                    window.total.is_none_or(|total| total == ALL),
                    "{window:?} {shown}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_window_beyond_the_end_is_empty() {
    for (text, style) in styles() {
        let shown = format!("{style:?}");
        let (_application, driver) = paged(ALL, CAP).await;
        let lists = [list(text, "$.items[*]", style)];
        let window = driver
            .window(&journey(), &lists, "user", &named(&[]), span(1000, 10))
            .await
            .unwrap();
        assert!(window.items.is_empty(), "{shown}");
        assert!(
            window.total.is_none_or(|total| total == ALL),
            "{window:?} {shown}"
        );
    }
}

#[tokio::test]
async fn an_import_by_pages_costs_the_target_each_page_once() {
    for (text, style) in styles() {
        for step in [10, 7] {
            let shown = format!("{step} {style:?}");
            let (application, driver) = paged(ALL, CAP).await;
            let lists = [list(text, "$.items[*]", clone_of(&style))];
            let mut all = Vec::new();
            loop {
                let skip = all.len() as u64;
                let window = driver
                    .window(&journey(), &lists, "user", &named(&[]), span(skip, step))
                    .await
                    .unwrap();
                let is_end =
                    window.items.len() < step as usize || window.total == Some(skip + step);
                all.extend(window.items);
                if is_end {
                    break;
                }
            }
            assert_eq!(trees(all), rows(0, ALL), "{shown}");
            // Windows of seven fit into pages of ten: never more calls than windows, and one to be sure of the end.
            let windows = ALL.div_ceil(step) as usize;
            let calls = application.seen().len();
            let is_counted = text == "GET /number" || text == "GET /offset";
            let most = if is_counted { windows + 4 } else { windows };
            assert!(
                calls <= most,
                "{calls} calls for {windows} windows: {shown}"
            );
        }
    }
}

/// Objects as text where that is possible.
fn span(skip: u64, take: u64) -> Span {
    Span {
        skip,
        take,
        is_text: true,
    }
}

fn trees(rows: Vec<Row>) -> Vec<Value> {
    rows.into_iter()
        .map(|row| row.into_tree().unwrap())
        .collect()
}

fn clone_of(paging: &Paging) -> Paging {
    let shown = format!("{paging:?}");
    styles()
        .into_iter()
        .map(|(_, style)| style)
        .find(|other| format!("{other:?}") == shown)
        .unwrap()
}

#[tokio::test]
async fn numbered_pages_smaller_than_asked_for_are_noticed() {
    for has_total in [true, false] {
        let (_application, driver) = paged(ALL, CAP).await;
        let total = has_total.then(|| Total::Body(path("$.total")));
        let style = Paging::of(
            PageStyle::Number {
                number: Some("page".into()),
                first: 1,
            },
            size(40),
            total,
        );
        let lists = [list("GET /number", "$.items[*]", style)];
        // Straight into the middle, without having seen a page before.
        let window = driver
            .window(&journey(), &lists, "user", &named(&[]), span(40, 15))
            .await
            .unwrap();
        assert_eq!(trees(window.items), rows(40, 15), "{has_total}");
    }
}

#[tokio::test]
async fn several_lists_are_one_and_each_row_gets_its_constants() {
    let application = FakeTarget::start(|_, seen| {
        let all = if seen.parameter("status").as_deref() == Some("1") {
            12
        } else {
            8
        };
        Act::Say(answer(seen, all, 5))
    })
    .await;
    let driver = driver(&application, |_| {});
    for has_total in [true, false] {
        let lists: Vec<ListOperation> = ["1", "3"]
            .into_iter()
            .map(|status| {
                let total = has_total.then(|| Total::Body(path("$.total")));
                let style = Paging::of(
                    PageStyle::Offset {
                        start: Some("from".into()),
                        first: 0,
                    },
                    size(5),
                    total,
                );
                let mut list = list(&format!("GET /offset?status={status}"), "$.items[*]", style);
                let place = scimgate::mapping::model::FieldPlace::parse("status").unwrap();
                list.set = vec![(place, tree(json!(status)))];
                list
            })
            .collect();
        let of = |status: &str, from, count| {
            let rows = rows(from, count).into_iter();
            rows.map(|row| json!({"id": row["id"], "status": status}))
                .collect::<Vec<_>>()
        };
        let everything = [of("1", 0, 12), of("3", 0, 8)].concat();
        let names = named(&[]);
        assert_eq!(
            read(driver.scan(ScanSource::Lists(&lists), &names))
                .await
                .unwrap(),
            everything
        );
        for skip in 0..22 {
            for take in [0, 1, 4, 9, 30] {
                let key = format!("user-{has_total}");
                let window = driver
                    .window(&journey(), &lists, &key, &names, span(skip, take))
                    .await
                    .unwrap();
                let start = everything.len().min(skip as usize);
                let end = everything.len().min((skip + take) as usize);
                assert_eq!(trees(window.items), everything[start..end], "{skip} {take}");
                if has_total {
                    assert_eq!(window.total, Some(20), "{skip} {take}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_write_makes_kept_rows_be_read_again() {
    let (application, driver) = paged(ALL, CAP).await;
    let lists = [list("GET /all", "$.items[*]", Paging::default())];
    let window = async |skip| {
        driver
            .window(&journey(), &lists, "user", &named(&[]), span(skip, 10))
            .await
            .unwrap()
    };
    window(0).await;
    assert_eq!(trees(window(10).await.items), rows(10, 10));
    assert_eq!(application.seen().len(), 1);
    let names = named(&[]);
    let delete = call("DELETE /users/1");
    let _ = driver
        .call(
            &journey(),
            "user.delete",
            &delete,
            scimgate::mapping::reply::CallClass::Delete,
            &names,
            None,
        )
        .await;
    assert_eq!(trees(window(20).await.items), rows(20, 10));
    assert_eq!(application.seen().len(), 3);
    // A window at the beginning is always fresh.
    window(0).await;
    assert_eq!(application.seen().len(), 4);
}

#[tokio::test]
async fn the_total_can_be_a_header_or_a_call_of_its_own() {
    let application = FakeTarget::start(|_, seen| {
        Act::Say(match seen.path.as_str() {
            "/count" => Answer::json(200, json!({"result": "57"})),
            _ => answer(seen, ALL, CAP).header("X-Total", "57"),
        })
    })
    .await;
    let driver = driver(&application, |_| {});
    let counted = Total::Call(Box::new(call("GET /count")), path("$.result"));
    for (number, total) in [Total::Header("x-total".into()), counted]
        .into_iter()
        .enumerate()
    {
        let style = Paging::of(
            PageStyle::Offset {
                start: Some("from".into()),
                first: 0,
            },
            size(CAP),
            Some(total),
        );
        let lists = [list("GET /offset", "$.items[*]", style)];
        for take in [0, 5] {
            let key = number.to_string();
            let window = driver
                .window(&journey(), &lists, &key, &named(&[]), span(10, take))
                .await
                .unwrap();
            assert_eq!(
                (trees(window.items), window.total),
                (rows(10, take), Some(57))
            );
        }
    }
}

#[tokio::test]
async fn a_list_that_cannot_be_trusted_is_an_error_and_never_short() {
    let application = FakeTarget::start(|_, seen| {
        Act::Say(match seen.path.split('?').next().unwrap() {
            "/same" => Answer::json(200, json!({"items": rows(0, 10)})),
            "/foreign" => Answer::json(
                200,
                json!({"items": rows(0, 1), "url": "http://127.0.0.1:1/x"}),
            ),
            "/ends" if seen.parameter("from").as_deref() == Some("0") => {
                Answer::json(200, json!({"items": rows(0, 10), "total": 100}))
            }
            "/ends" => Answer::json(200, json!({"items": [], "total": 100})),
            "/limit" => Answer::json(200, json!({"items": rows(0, 10)})),
            "/gone" => Answer::json(404, json!({})),
            _ => Answer::empty(500),
        })
    })
    .await;
    let driver = driver(&application, |_| {});
    let offset = |total| {
        Paging::of(
            PageStyle::Offset {
                start: Some("from".into()),
                first: 0,
            },
            size(10),
            total,
        )
    };
    let total = || Some(Total::Body(path("$.total")));
    let foreign = Paging::of(
        PageStyle::NextUrl {
            next: Mark::Body(path("$.url")),
        },
        None,
        None,
    );
    let limit = Paging::of(PageStyle::Limit, size(10), None);
    let cases = [
        ("GET /same", offset(None), Some(PageError::Repeated)),
        ("GET /foreign", foreign, Some(PageError::Foreign)),
        ("GET /ends", offset(total()), Some(PageError::Truncated)),
        ("GET /limit", limit, Some(PageError::Truncated)),
        ("GET /gone", offset(None), None),
        ("GET /broken", offset(None), None),
    ];
    for (text, style, expected) in cases {
        let lists = [list(text, "$.items[*]", style)];
        let names = named(&[]);
        let scanned = read(driver.scan(ScanSource::Lists(&lists), &names)).await;
        let window = driver
            .window(&journey(), &lists, text, &names, span(0, 100))
            .await
            .map(|window| trees(window.items));
        for result in [scanned, window] {
            match (result, expected) {
                (Err(TargetError::Page(error)), Some(expected)) => {
                    assert_eq!(error, expected, "{text}")
                }
                (Err(TargetError::Refused { .. }), None) => {}
                (other, _) => panic!("{text}: {other:?}"),
            }
        }
    }
}

fn find(call: Call, items: Option<&str>) -> Find {
    Find {
        else_list: false,
        name: "user.find".into(),
        attribute: attribute("userName"),
        operator: CompareOp::Eq,
        before: Vec::new(),
        call,
        items: items.map(path),
        page: Paging::default(),
        set: Vec::new(),
        rows: Rows::Complete,
    }
}

#[tokio::test]
async fn r8_a_find_that_is_answered_404_has_found_nobody() {
    let application = FakeTarget::start(|_, seen| {
        Act::Say(match seen.path.as_str() {
            "/users?name=ada%26x" => Answer::json(200, json!({"items": [{"id": 1}]})),
            "/users/ada%26x" => Answer::json(200, json!({"id": 1})),
            _ => Answer::json(404, json!({"message": "not found"})),
        })
    })
    .await;
    let driver = driver(&application, |target| {
        target.id_pattern = regex::Regex::new(".*").unwrap()
    });
    let finds = [
        find(call("GET /users?name={value}"), Some("$.items[*]")),
        find(call("GET /users/{value}"), None),
    ];
    for find in &finds {
        for (value, expected) in [("ada&x", vec![json!({"id": 1})]), ("bob", vec![])] {
            let names = named(&[("value", json!(value))]);
            assert_eq!(
                read(driver.scan(ScanSource::Find(find), &names))
                    .await
                    .unwrap(),
                expected
            );
        }
    }
}

#[tokio::test]
async fn members_and_groups_are_read_page_by_page() {
    let (application, driver) = paged(25, 10).await;
    let style = || {
        Paging::of(
            PageStyle::Number {
                number: Some("page".into()),
                first: 1,
            },
            size(10),
            None,
        )
    };
    let members = MemberRead {
        only: None,
        call: call("GET /number?group={group}"),
        items: path("$.items[*].id"),
        id: None,
        display: None,
        page: style(),
        is_group: None,
        is_read_before_add: false,
    };
    let names = named(&[("group", json!("g1"))]);
    let ids: Vec<Value> = (0..25).map(Value::from).collect();
    assert_eq!(
        read(driver.scan(ScanSource::Members(&members), &names))
            .await
            .unwrap(),
        ids
    );
    assert_eq!(
        application.seen()[0].parameter("group").as_deref(),
        Some("g1")
    );
    let groups = UserGroups::Call {
        only: None,
        call: Box::new(call("GET /number")),
        items: path("$.items"),
        id: None,
        display: None,
        page: Box::new(style()),
        is_indirect: None,
    };
    assert_eq!(
        read(driver.scan(ScanSource::Groups(&groups), &names))
            .await
            .unwrap(),
        rows(0, 25)
    );
    let field = UserGroups::Field {
        form: Form::Same,
        only: None,
        items: path("$.groups"),
        id: None,
        display: None,
        is_indirect: None,
    };
    assert!(
        read(driver.scan(ScanSource::Groups(&field), &names))
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn a_scan_stops_for_good_after_an_error() {
    let application = FakeTarget::start(|number, seen| match number {
        0 => Act::Say(answer(seen, ALL, CAP)),
        _ => Act::Say(Answer::empty(500)),
    })
    .await;
    let driver = driver(&application, |_| {});
    let style = || {
        Paging::of(
            PageStyle::Offset {
                start: Some("from".into()),
                first: 0,
            },
            size(CAP),
            None,
        )
    };
    let lists = [
        list("GET /offset", "$.items[*]", style()),
        list("GET /offset", "$.items[*]", style()),
    ];
    let names = named(&[]);
    let mut scan = driver.scan(ScanSource::Lists(&lists), &names);
    assert!(scan.next_page(&journey()).await.unwrap().is_some());
    assert!(scan.next_page(&journey()).await.is_err());
    assert_eq!(scan.next_page(&journey()).await.unwrap(), None);
}
