//! One log line for each exchange.

use std::{fmt, sync::Arc, time::Duration};

use http::{Method, StatusCode};
use tracing::{info, warn};

use crate::exchange::{CallRecord, Exchange};

/// Names listed in one line; a replaced resource can change many.
const MAX_NAMES: usize = 32;

/// A request that was answered, for logs and metrics.
#[derive(Debug, Clone)]
pub struct Finished {
    /// The tenant's name, or `-` if the credential told none.
    pub tenant: Arc<str>,
    /// Route template of a closed set, such as `/Users/{id}`; never the path itself.
    pub route: &'static str,
    /// The method of the request.
    pub method: Method,
    /// The status of the answer.
    pub status: StatusCode,
    /// The `scimType` of the answer, if it is an error that has one.
    pub scim_type: Option<&'static str>,
    /// From the complete head to the answer.
    pub duration: Duration,
    /// What happened.
    pub exchange: Exchange,
    /// Ours, and told to the client.
    pub request_id: String,
}

impl Finished {
    /// Calls that were really sent, and how long the target took for all of them.
    fn target_calls(&self) -> (usize, Duration) {
        let sent = self
            .exchange
            .calls
            .iter()
            .filter(|call| !call.is_planned_only);
        sent.fold((0, Duration::ZERO), |(count, time), call| {
            (count + 1, time.saturating_add(call.duration))
        })
    }
}

/// What went wrong towards the target, for the line of an answer of 500 and above. Holds no values.
#[derive(Default)]
struct Fault<'f> {
    /// The mapping's name of the operation.
    operation: Option<&'f str>,
    /// The call that failed, as the mapping writes it: `GET /users/{id}`.
    call: Option<&'f str>,
    /// What it was answered; absent if it was not.
    status: Option<u16>,
    /// What the answer was taken to mean, and why; or what happened instead.
    error: Option<String>,
}

impl<'f> Fault<'f> {
    fn of(exchange: &'f Exchange) -> Self {
        let is_bad = |call: &&CallRecord| {
            call.cause.is_some() || call.judged.as_ref().is_some_and(|judged| !judged.is_done)
        };
        let call = exchange.calls.iter().rev().find(is_bad);
        let judged = call.and_then(|call| call.judged.as_ref());
        let trouble = exchange.trouble.as_ref();
        let operation = trouble.map(|trouble| trouble.operation.as_str());
        Self {
            operation: operation.or(call.map(|call| call.operation.as_str())),
            call: call.map(|call| call.template.as_str()),
            status: call.and_then(|call| call.status),
            error: trouble
                .map(|trouble| trouble.cause.clone())
                .or(judged.map(|judged| format!("{}: by {}", judged.meaning, judged.by))),
        }
    }
}

/// Writes the line of an exchange: names and numbers only, nothing that a person or a credential could be known by.
///
/// Answers of 500 and above are warnings, and say which call to the target failed.
pub fn log_exchange(finished: &Finished) {
    let (calls, call_time) = finished.target_calls();
    let fault = match finished.status.is_server_error() {
        true => Fault::of(&finished.exchange),
        false => Fault::default(),
    };
    let quirks = List(|| finished.exchange.notes.0.iter().map(|note| note.quirk));
    let changed = List(|| finished.exchange.changed.iter().map(String::as_str));
    macro_rules! line {
        ($level:ident) => {
            $level!(
                target: "scimgate::exchange",
                tenant = &*finished.tenant,
                method = method_name(&finished.method),
                route = finished.route,
                status = finished.status.as_u16(),
                scim_type = finished.scim_type,
                duration_ms = milliseconds(finished.duration),
                quirks = %quirks,
                changed = %changed,
                target_calls = calls,
                target_ms = milliseconds(call_time),
                operation = fault.operation,
                call = fault.call,
                call_status = fault.status,
                error = fault.error,
                request_id = finished.request_id,
                "exchange"
            )
        };
    }
    if finished.status.is_server_error() {
        line!(warn);
    } else {
        line!(info);
    }
}

/// The method if it is one that SCIM knows; clients can make up any other.
pub fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1_000_000.0).round() / 1000.0
}

/// Names with commas between them, written only if the line is.
struct List<F>(F);

impl<'a, F, I> fmt::Display for List<F>
where
    F: Fn() -> I,
    I: Iterator<Item = &'a str>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, name) in (self.0)().enumerate() {
            if place == MAX_NAMES {
                return f.write_str(",…");
            }
            if place > 0 {
                f.write_str(",")?;
            }
            write_name(name, f)?;
        }
        Ok(())
    }
}

/// An attribute path without its value filter, which may quote a value: `emails[type eq "work"].value` is
/// written `emails[].value`. A bracket inside a quoted value does not end the filter.
fn write_name(path: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut is_in_filter = false;
    let mut is_quoted = false;
    let mut is_escaped = false;
    for c in path.chars() {
        if !is_in_filter {
            if c == '[' {
                is_in_filter = true;
                f.write_str("[]")?;
            } else if !c.is_control() {
                fmt::Write::write_char(f, c)?;
            }
        } else if is_escaped {
            is_escaped = false;
        } else if is_quoted {
            is_escaped = c == '\\';
            is_quoted = c != '"';
        } else {
            is_quoted = c == '"';
            is_in_filter = c != ']';
        }
    }
    Ok(())
}

#[cfg(test)]
pub(super) mod tests {
    use crate::{
        exchange::{Judged, Note, Notes, Trouble},
        observe::{LogFormat, log::tests::logged},
    };

    use super::*;

    pub(in crate::observe) fn finished(status: u16) -> Finished {
        let call = CallRecord {
            operation: "user.update".to_owned(),
            method: "PUT".to_owned(),
            path: "/users/9.json?mail=ada@secret.example".to_owned(),
            body: Some(serde_json::json!({ "mail": "ada@secret.example" })),
            headers: Vec::new(),
            template: "PUT /users/{id}.json".to_owned(),
            status: Some(200),
            cause: None,
            judged: None,
            duration: Duration::from_millis(12),
            is_planned_only: false,
            origin: None,
        };
        let planned = CallRecord {
            is_planned_only: true,
            status: None,
            ..call.clone()
        };
        Finished {
            tenant: "acme".into(),
            route: "/Users/{id}",
            method: Method::PATCH,
            status: StatusCode::from_u16(status).unwrap(),
            scim_type: None,
            duration: Duration::from_micros(15_250),
            exchange: Exchange {
                notes: Notes(vec![Note {
                    quirk: "ENTRA-10",
                    message: "`active` was text".to_owned(),
                }]),
                changed: vec![
                    "active".to_owned(),
                    "emails[value eq \"ada]@secret.example\"].type".to_owned(),
                ],
                calls: vec![call.clone(), call, planned],
                hidden: Vec::new(),
                trouble: None,
                may_have_written: true,
            },
            request_id: "r-1".to_owned(),
        }
    }

    #[test]
    fn a_line_has_names_and_numbers_but_no_values() {
        let text = logged(LogFormat::Json, || log_exchange(&finished(200)));
        let mut line: serde_json::Value = serde_json::from_str(&text).unwrap();
        line.as_object_mut().unwrap().remove("timestamp");
        assert_eq!(
            line,
            serde_json::json!({
                "level": "INFO",
                "target": "scimgate::exchange",
                "message": "exchange",
                "tenant": "acme",
                "method": "PATCH",
                "route": "/Users/{id}",
                "status": 200,
                "duration_ms": 15.25,
                "quirks": "ENTRA-10",
                "changed": "active,emails[].type",
                "target_calls": 2,
                "target_ms": 24.0,
                "request_id": "r-1",
            })
        );
        let human = logged(LogFormat::Human, || log_exchange(&finished(200)));
        assert!(!human.contains("secret"), "{human}");
    }

    #[test]
    fn failures_of_ours_are_warnings_and_refusals_are_not() {
        for (status, level) in [(404, "INFO"), (500, "WARN"), (503, "WARN")] {
            let text = logged(LogFormat::Json, || log_exchange(&finished(status)));
            let line: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(line["level"], level, "{status}");
        }
    }

    #[test]
    fn a_failure_says_which_call_failed_and_why_and_a_refusal_does_not() {
        let mut failed = finished(502);
        let call = failed.exchange.calls.first_mut().unwrap();
        call.status = Some(401);
        call.judged = Some(Judged {
            meaning: "not-logged-in",
            by: "its status, no rule fits".into(),
            is_done: false,
        });
        let line = |finished: &Finished| -> serde_json::Value {
            let text = logged(LogFormat::Json, || log_exchange(finished));
            serde_json::from_str(&text).unwrap()
        };
        let told = line(&failed);
        assert_eq!(told["operation"], "user.update");
        assert_eq!(told["call"], "PUT /users/{id}.json");
        assert_eq!(told["call_status"], 401);
        assert_eq!(told["error"], "not-logged-in: by its status, no rule fits");
        assert!(!told.to_string().contains("secret"), "{told}");
        failed.exchange.trouble = Some(Trouble {
            operation: "user.get".to_owned(),
            cause: "The application cannot be reached: Connection refused".to_owned(),
        });
        let told = line(&failed);
        assert_eq!(told["operation"], "user.get");
        assert_eq!(
            told["error"],
            "The application cannot be reached: Connection refused"
        );
        failed.status = StatusCode::NOT_FOUND;
        assert!(line(&failed).get("call").is_none());
    }

    #[test]
    fn a_value_filter_leaves_no_trace_however_it_is_quoted() {
        struct Name(&'static str);
        impl fmt::Display for Name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_name(self.0, f)
            }
        }
        for (path, expected) in [
            ("name.givenName", "name.givenName"),
            (r#"emails[type eq "work"].value"#, "emails[].value"),
            (r#"emails[value eq "a]b"].value"#, "emails[].value"),
            (r#"emails[value eq "a\"]b"].value"#, "emails[].value"),
            (r#"emails[value eq "a"#, "emails[]"),
            ("a\nb\u{1b}", "ab"),
        ] {
            assert_eq!(Name(path).to_string(), expected, "{path}");
        }
    }

    #[test]
    fn long_lists_of_names_are_cut() {
        let names: Vec<_> = (0..40).map(|n| n.to_string()).collect();
        let text = List(|| names.iter().map(String::as_str)).to_string();
        assert_eq!(text.matches(',').count(), MAX_NAMES);
        assert!(text.ends_with(",…"));
    }
}
