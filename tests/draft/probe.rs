//! What a probe sees of applications that page in other ways than the demo's, word by word.

use std::io::{Read, Write};

use serde_json::{Value, json};

use crate::{assert_passes_check, scimgate};

/// A question: method, path, and query parameters.
struct Asked {
    method: String,
    path: String,
    query: Vec<(String, String)>,
    base: String,
}

impl Asked {
    fn number(&self, name: &str) -> Option<usize> {
        self.text(name)?.parse().ok()
    }

    fn text(&self, name: &str) -> Option<&str> {
        let mut query = self.query.iter();
        let found = query.find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// Status, headers and body.
type Said = (u16, Vec<(&'static str, String)>, Value);

/// Serves until the test ends; the URL of its `/api/users`.
fn serve(answer: impl Fn(&Asked) -> Said + Send + 'static) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let url = format!("{base}/api/users");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut bytes = [0; 4096];
            let length = stream.read(&mut bytes).unwrap_or(0);
            let head = String::from_utf8_lossy(&bytes[..length]).into_owned();
            let mut words = head.split(' ');
            let (method, target) = (words.next().unwrap(), words.next().unwrap_or_default());
            let (path, query) = target.split_once('?').unwrap_or((target, ""));
            let query = form_urlencoded::parse(query.as_bytes()).into_owned();
            let (status, headers, body) = answer(&Asked {
                method: method.into(),
                path: path.into(),
                query: query.collect(),
                base: base.clone(),
            });
            let body = body.to_string();
            let mut reply = format!(
                "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n",
                body.len()
            );
            for (name, value) in headers {
                reply.push_str(&format!("{name}: {value}\r\n"));
            }
            let _ = write!(stream, "{reply}\r\n{body}");
        }
    });
    url
}

fn people() -> Vec<Value> {
    let names = ["ada", "bob", "cyd", "dov", "eve"].iter().enumerate();
    let person = |(id, name): (usize, &&str)| json!({"id": id + 1, "login": name, "active": true});
    names.map(person).collect()
}

/// The probe's draft, which passes `check`; it has all that is wanted and nothing that is not.
fn probed(url: &str, wanted: &[&str], unwanted: &[&str]) {
    let output = scimgate(&["draft", "--probe", url, "--app", "yard"]);
    for wanted in wanted {
        assert!(output.contains(wanted), "`{wanted}` is not in\n{output}");
    }
    for unwanted in unwanted {
        assert!(!output.contains(unwanted), "`{unwanted}` is in\n{output}");
    }
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("yard.toml");
    std::fs::write(&file, &output).unwrap();
    assert_passes_check(&file);
}

fn one(asked: &Asked) -> Option<Said> {
    let id = asked.path.strip_prefix("/api/users/")?;
    let found = people()
        .into_iter()
        .find(|person| person["id"].as_u64() == id.parse().ok());
    Some(match found {
        Some(person) => (200, Vec::new(), person),
        None => (404, Vec::new(), json!({"message": "no such person"})),
    })
}

#[test]
fn a_header_that_names_the_next_page_is_told_and_what_options_allow_is_drafted() {
    let url = serve(|asked| {
        if asked.method == "OPTIONS" {
            let below = asked.path != "/api/users";
            let methods = if below {
                "GET, PUT, DELETE, OPTIONS"
            } else {
                "GET,post"
            };
            return (200, vec![("Allow", methods.into())], Value::Null);
        }
        if let Some(said) = one(asked) {
            return said;
        }
        let size = asked.number("per_page").unwrap_or(30).min(50);
        let page = asked.number("page").unwrap_or(1).max(1);
        let rows: Vec<Value> = people()
            .into_iter()
            .skip((page - 1) * size)
            .take(size)
            .collect();
        let next = format!(
            "<{}/api/users?per_page={size}&page={}>; rel=\"next\"",
            asked.base,
            page + 1
        );
        let links = if page * size < 5 {
            vec![("Link", next)]
        } else {
            Vec::new()
        };
        (200, links, json!(rows))
    });
    probed(
        &url,
        &[
            "by GET and OPTIONS alone",
            "# - With one object a page the header `Link` names the next page.",
            "# - OPTIONS of the list names GET, POST.",
            "# - OPTIONS of one object names GET, PUT, DELETE, OPTIONS.",
            "# - That what is written looks like what is read is a guess: no call that writes was made.",
            "[user.list.page.link]",
            "call = \"POST /users\"",
            "= \"PUT /users/{id}\"",
            "call = \"DELETE /users/{id}\"",
            "= \"merged\"",
        ],
        &["PATCH", "TODO: no call"],
    );
}

#[test]
fn an_address_of_the_next_page_needs_no_parameter_for_the_size() {
    let url = serve(|asked| {
        if asked.method == "OPTIONS" {
            return (405, Vec::new(), Value::Null);
        }
        if let Some(said) = one(asked) {
            return said;
        }
        let start = asked.number("token").unwrap_or(0);
        let rows: Vec<Value> = people().into_iter().skip(start).take(2).collect();
        let next = (start + 2 < 5).then(|| format!("{}/api/users?token={}", asked.base, start + 2));
        (200, Vec::new(), json!({"results": rows, "next": next}))
    });
    probed(
        &url,
        &[
            "# - `$.next` is the next page's address.",
            "# - No parameter changes how many come in one reply.",
            "# - OPTIONS names no methods: what else can be done was not seen.",
            "[user.list.page.next-url]",
            "next = '$.next'",
            "# TODO: no call makes one: a client is answered 501.",
        ],
        &["size"],
    );
}

/// All of them come in one page: the way to the next one shows with one object a page only.
#[test]
fn a_way_on_that_shows_with_small_pages_only_is_found() {
    let url = serve(|asked| {
        if asked.method == "OPTIONS" {
            return (404, Vec::new(), Value::Null);
        }
        if let Some(said) = one(asked) {
            return said;
        }
        let size = asked.number("limit").unwrap_or(100);
        let start = asked.text("after").and_then(|text| text.strip_prefix('c'));
        let start: usize = start.map_or(0, |text| text.parse().unwrap());
        let rows: Vec<Value> = people().into_iter().skip(start).take(size).collect();
        let next = (start + size < 5).then(|| format!("c{}", start + size));
        (
            200,
            Vec::new(),
            json!({"data": rows, "meta": {"next_cursor": next}}),
        )
    });
    probed(
        &url,
        &[
            "# - `after` asks for the next page, with what `$.meta.next_cursor` says.",
            "[user.list.page.cursor]",
            "parameter = \"after\"",
            "next      = '$.meta.next_cursor'",
        ],
        &["page.limit"],
    );
}

/// The rows of an application that gives twenty at a time, whatever it is asked.
fn crowd(from: usize, count: usize) -> Vec<Value> {
    (from..from + count)
        .map(|number| json!({"id": number, "username": format!("u{number}"), "email": format!("u{number}@acme.example")}))
        .collect()
}

fn not_found() -> Said {
    (404, Vec::new(), json!({"error": "no such thing"}))
}

#[test]
fn a_number_larger_than_the_rows_is_no_whole_list() {
    let url = serve(|asked| match asked.path.as_str() {
        "/api/users" => (
            200,
            Vec::new(),
            json!({"count": 237, "result": crowd(1, 20)}),
        ),
        _ => not_found(),
    });
    probed(
        &url,
        &[
            "# - `$.count` has the number of all: 237, and 20 came: one reply does not hold all.",
            "# - Nothing that was tried reads on: 20 of 237 can be had.",
            "[user.list.page.limit]",
            "size  = { most = 20 }",
            "total = '$.count'",
        ],
        &["one reply holds all", "does not say how many"],
    );
}

/// Flask-AppBuilder's lists: the page is within one parameter that is JSON.
#[test]
fn a_page_within_a_json_parameter_is_found_and_so_is_its_filter() {
    let url = serve(|asked| {
        if asked.path != "/api/users" {
            return one_of_result(asked);
        }
        let within: Value = serde_json::from_str(asked.text("q").unwrap_or("{}")).unwrap();
        let size = within["page_size"].as_u64().unwrap_or(20).min(100) as usize;
        let page = within["page"].as_u64().unwrap_or(0) as usize;
        let wanted = within["filters"][0]["value"].as_str().map(str::to_owned);
        let all = crowd(1, 237).into_iter();
        let all: Vec<Value> = all
            .filter(|row| {
                wanted.is_none()
                    || row["username"].as_str() == wanted.as_deref()
                    || row["email"].as_str() == wanted.as_deref()
            })
            .collect();
        let rows: Vec<&Value> = all.iter().skip(page * size).take(size).collect();
        (
            200,
            Vec::new(),
            json!({"count": all.len(), "ids": [1], "result": rows}),
        )
    });
    probed(
        &url,
        &[
            "# - `q` is JSON and holds the page: `page`, from 0 on, and `page_size`",
            "query = { q = { page = \"{page.number}\", page_size = \"{page.size}\" } }",
            "first = 0",
            "total = '$.count'",
            "query  = { q = { filters = [{ col = \"username\", opr = \"eq\", value = \"{value}\" }], page = ",
            "object = '$.result'",
        ],
        &["one reply holds all"],
    );
}

fn one_of_result(asked: &Asked) -> Said {
    let id = asked
        .path
        .strip_prefix("/api/users/")
        .and_then(|id| id.parse().ok());
    match id.filter(|id| (1..=237).contains(id)) {
        Some(id) => (
            200,
            Vec::new(),
            json!({"id": id, "label_columns": {}, "result": crowd(id, 1)[0]}),
        ),
        None => not_found(),
    }
}

#[test]
fn a_way_on_is_found_without_a_size() {
    let url = serve(|asked| {
        if asked.path != "/api/users" {
            return not_found();
        }
        let page = asked.number("page").unwrap_or(1).max(1);
        let rows: Vec<Value> = crowd(1, 45)
            .into_iter()
            .skip((page - 1) * 20)
            .take(20)
            .collect();
        (200, Vec::new(), json!({"users": rows, "found": 45}))
    });
    probed(
        &url,
        &[
            "# - `$.found` has the number of all: 45, and 20 came: one reply does not hold all.",
            "# - `page` is the page's number, from 1 on.",
            "[user.list.page.number]\nnumber = \"page\"\ntotal  = '$.found'",
        ],
        &["page.limit", "one reply holds all"],
    );
}

/// Django's habits: slashes at the end, and `count` that is the number of all.
#[test]
fn slashes_are_followed_and_the_root_is_the_root_of_all_lists() {
    let url = serve(|asked| {
        if !asked.path.ends_with('/') {
            return (
                301,
                vec![("Location", format!("{}/", asked.path))],
                Value::Null,
            );
        }
        if asked.path != "/api/users/" {
            let bare = Asked {
                method: asked.method.clone(),
                path: asked.path.trim_end_matches('/').to_owned(),
                query: Vec::new(),
                base: String::new(),
            };
            return one(&bare).unwrap_or_else(not_found);
        }
        let (limit, offset) = (
            asked.number("limit").unwrap_or(50),
            asked.number("offset").unwrap_or(0),
        );
        let rows: Vec<Value> = people().into_iter().skip(offset).take(limit).collect();
        let next = (offset + limit < 5).then(|| {
            format!(
                "{}/api/users/?limit={limit}&offset={}",
                asked.base,
                offset + limit
            )
        });
        (
            200,
            Vec::new(),
            json!({"count": 5, "next": next, "previous": null, "results": rows}),
        )
    });
    let wanted = [
        "# - `/api/users` leads to `/api/users/`, which was asked instead.",
        "# - `$.count` has the number of all: 5.",
        "/api`; set the variable",
        "call  = \"GET /users/\"",
        "call = \"GET /users/{id}/\"",
        "total = '$.count'",
        "# [user.create]\n# call = \"POST /users/\"",
        "# [user.update]\n# call = \"PATCH /users/{id}/\"",
        "# [user.delete]\n# call = \"DELETE /users/{id}/\"",
        "detail = '$.message'",
    ];
    probed(
        &url,
        &wanted,
        &["does not say how many", "no call reads one"],
    );
}

/// Parse's habits: a key in two headers, ids of their own name, an error with a text.
#[test]
fn each_header_has_a_variable_and_an_unusual_id_is_tried() {
    let url = serve(|asked| {
        let rows: Vec<Value> = people()
            .into_iter()
            .map(|row| json!({"objectId": format!("k{}", row["id"]), "username": row["login"], "createdAt": "2026-01-01T00:00:00Z"}))
            .collect();
        match asked.path.strip_prefix("/api/users/") {
            None => (200, Vec::new(), json!({"results": rows})),
            Some(id) => match rows.iter().find(|row| row["objectId"] == id) {
                Some(row) => (200, Vec::new(), row.clone()),
                None => (
                    404,
                    Vec::new(),
                    json!({"code": 101, "error": "Object not found."}),
                ),
            },
        }
    });
    let output = scimgate(&[
        "draft",
        "--probe",
        &url,
        "--app",
        "parse",
        "--header",
        "X-Parse-Application-Id: app-one",
        "--header",
        "X-Parse-Master-Key: master-one",
    ]);
    for wanted in [
        "headers  = { X-Parse-Application-Id = \"${PARSE_APPLICATION_ID}\" }",
        "name  = \"X-Parse-Master-Key\"",
        "value = \"${PARSE_MASTER_KEY}\"",
        "id = '$.objectId'",
        "call = \"GET /users/{id}\"",
        "detail = '$.error'",
    ] {
        assert!(output.contains(wanted), "`{wanted}` is not in\n{output}");
    }
    assert!(
        !output.contains("app-one") && !output.contains("master-one"),
        "{output}"
    );
}

#[test]
fn an_object_without_its_id_is_not_drafted() {
    let url = serve(|asked| {
        if asked.path == "/api/users" {
            return (200, Vec::new(), json!(people()));
        }
        let said = one(asked).unwrap();
        let login = said.2["login"].clone();
        (
            said.0,
            said.1,
            json!({"profile": {"login": login, "active": true}}),
        )
    });
    probed(
        &url,
        &[
            "# - The reply to the read of one object does not hold its id",
            "# [user.get]",
        ],
        &["\n[user.get]"],
    );
}

#[test]
fn bare_ids_are_references_that_are_read_one_by_one() {
    let url = serve(|asked| match asked.path.as_str() {
        "/api/users" => (200, Vec::new(), json!(["ada", "bob"])),
        "/api/users/ada" => (
            200,
            Vec::new(),
            json!({"username": "ada", "email": "ada@acme.example"}),
        ),
        _ => not_found(),
    });
    probed(
        &url,
        &[
            "# - The list is at `$[*]`, ids alone, with 2 in the first reply.",
            "rows  = \"reference\"",
            "from = '$.username', stable = false",
            "call = \"GET /users/{id}\"",
        ],
        &[],
    );
}

#[test]
fn what_takes_no_get_is_told_what_to_do_and_a_post_that_reads_is_asked() {
    let url = serve(|asked| match asked.method.as_str() {
        "POST" => (200, Vec::new(), json!({"people": people()})),
        _ => (405, Vec::new(), json!({"message": "POST only"})),
    });
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_scimgate"))
        .args(["draft", "--probe", &url])
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    for wanted in ["answered 405", "POST only", "zabbix.toml", "--body"] {
        assert!(words.contains(wanted), "{words}");
    }
    let output = scimgate(&[
        "draft",
        "--probe",
        &url,
        "--app",
        "yard",
        "--body",
        "{\"host\": \"{a}\"}",
    ]);
    for wanted in [
        "call  = \"POST /users\"",
        "body  = { \"host\" = \"{{a}}\" }",
        "items = '$.people[*]'",
        "TODO: nothing could be seen about pages",
    ] {
        assert!(output.contains(wanted), "`{wanted}` is not in\n{output}");
    }
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("yard.toml");
    std::fs::write(&file, &output).unwrap();
    assert_passes_check(&file);
}

/// Plone's habits: a link named `@id` beside `id`, an unknown `page` repeated in a link, a trace beside the message.
#[test]
fn rows_are_told_apart_by_their_ids_and_a_trace_is_no_words() {
    let url = serve(|asked| {
        let rows = |query: &str| -> Vec<Value> {
            ["ada", "bob", "cyd"]
                .iter()
                .map(|id| {
                    json!({"@id": format!("u:{id}"), "id": id, "username": id, "groups": {"@id": format!("/users?{query}")}})
                })
                .collect()
        };
        match asked.path.strip_prefix("/api/users/") {
            None => {
                let query = asked
                    .query
                    .iter()
                    .map(|(name, value)| format!("{name}={value}"));
                let query = query.collect::<Vec<_>>().join("&");
                let size = asked.number("limit").unwrap_or(25);
                let rows = rows(&query).into_iter().take(size).collect::<Vec<_>>();
                (200, Vec::new(), json!({"items": rows, "items_total": 3}))
            }
            Some(id) => match rows("").into_iter().find(|row| row["id"] == id) {
                Some(row) => (200, Vec::new(), row),
                None => (
                    404,
                    Vec::new(),
                    json!({"traceback": ["File a, line 1", "File b"], "context": "u:x", "message": "No such user", "type": "NotFound"}),
                ),
            },
        }
    });
    probed(
        &url,
        &[
            "= '$.id'",
            "call = \"GET /users/{id}\"",
            "detail = '$.message'",
            "# - One that is not there is answered 404.",
        ],
        &["page.number", "the page's number", "traceback"],
    );
}

#[test]
fn what_is_no_credential_is_a_header_in_clear_and_basic_is_basic() {
    let url = serve(|asked| one(asked).unwrap_or_else(|| (200, Vec::new(), json!(people()))));
    let output = scimgate(&[
        "draft",
        "--probe",
        &url,
        "--app",
        "yard",
        "--header",
        "Authorization: Basic YWRhOnMzY3JldA==",
        "--header",
        "Accept: application/json",
        "--header",
        "X-Yard-Version: 7",
        "--header",
        "X-Requested-With: XMLHttpRequest",
    ]);
    for wanted in [
        "Accept = \"application/json\"",
        "X-Yard-Version = \"7\"",
        "X-Requested-With = \"XMLHttpRequest\"",
        "[target.auth.basic]",
        "password = \"${YARD_PASSWORD}\"",
    ] {
        assert!(output.contains(wanted), "`{wanted}` is not in\n{output}");
    }
    assert!(!output.contains("YWRhOnMzY3JldA"), "{output}");
    assert!(!output.contains("how calls are authenticated"), "{output}");
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("yard.toml");
    std::fs::write(&file, &output).unwrap();
    assert_passes_check(&file);
}

/// A list deep in the reply, with its total beside it and lists of other things on the way.
#[test]
fn a_list_deep_in_the_reply_is_found_by_what_its_rows_have() {
    let url = serve(|asked| match asked.path.as_str() {
        "/api/users" => (
            200,
            Vec::new(),
            json!({"data": {"sorts": [{"by": "x"}], "customers": {"totalItems": 5, "items": people()}}, "warnings": [{"id": 1, "name": "slow"}]}),
        ),
        _ => not_found(),
    });
    probed(
        &url,
        &[
            "# - The list is at `$.data.customers.items[*]`,",
            "items = '$.data.customers.items[*]'",
            "# - `$.data.customers.totalItems` has the number of all: 5.",
        ],
        &["sorts", "warnings[*]"],
    );
}

/// The words of a probe that fails.
fn refused(url: &str) -> String {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_scimgate"))
        .args(["draft", "--probe", url])
        .output()
        .unwrap();
    assert!(!output.status.success());
    assert!(output.stdout.is_empty());
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn complaints_are_no_people_whatever_the_status() {
    let forbidden = json!({"errors": [{"message": "You are not authorized", "path": ["users"], "extensions": {"code": "FORBIDDEN"}}], "data": null});
    let unasked = json!({"errors": [{"message": "GraphQL operations must contain a query"}]});
    let plain = json!({"error": {"message": "Key is wrong"}, "warnings": [{"id": 1}]});
    let cases = [
        (
            200,
            forbidden,
            &[
                "You are not authorized (FORBIDDEN)",
                "One URL, GraphQL",
                "--body",
            ][..],
        ),
        (
            400,
            unasked.clone(),
            &["answered 400", "One URL, GraphQL", "--body"],
        ),
        (
            405,
            unasked,
            &["answered 405", "One URL, GraphQL", "--body"],
        ),
        (200, plain, &["an error: Key is wrong"]),
        (
            200,
            json!({"data": {"count": 0, "name": "x"}, "messages": [{"id": 1}]}),
            &[
                "has no list",
                "`$.data.count` is a number",
                "`$.messages` is a list of complaints",
            ],
        ),
    ];
    for (status, body, wanted) in cases {
        let url = serve(move |_| (status, Vec::new(), body.clone()));
        let words = refused(&url);
        for wanted in wanted {
            assert!(words.contains(wanted), "`{wanted}` is not in {words}");
        }
    }
}

/// A store of plain tables: the number of all comes with pages only, and a filter regards the case of letters.
#[test]
fn what_only_pages_say_and_what_a_filter_misses_is_told() {
    let url = serve(|asked| {
        if let Some(one) = one(asked) {
            return one;
        }
        let is_named = |person: &&Value| {
            let login = asked.text("login");
            login.is_none_or(|login| person["login"] == login)
        };
        let all = people();
        let found: Vec<Value> = all.iter().filter(is_named).cloned().collect();
        let (page, size) = (asked.number("_page"), asked.number("_limit"));
        let total = vec![("X-Total-Count", found.len().to_string())];
        match (page, size) {
            (None, None) => (200, Vec::new(), json!(found)),
            (page, size) => {
                let size = size.unwrap_or(10);
                let from = size * page.unwrap_or(1).saturating_sub(1);
                let rows: Vec<_> = found.into_iter().skip(from).take(size).collect();
                (200, total, json!(rows))
            }
        }
    });
    probed(
        &url,
        &[
            "# - With one object a page the header `x-total-count` has the number of all.",
            "# - `login=` filters, in this case of letters only.",
            "total  = { header = \"x-total-count\" }",
            "# guess: it regards the case of letters: who is spelt otherwise there is not found.",
        ],
        &["does not say how many", "never too little"],
    );
}
