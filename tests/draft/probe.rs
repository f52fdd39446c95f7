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
            "call = \"PUT /users/{id}\"",
            "call = \"DELETE /users/{id}\"",
            "send = \"merged\"",
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
