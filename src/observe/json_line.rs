//! A log line as one JSON object, written straight into the line: fields on the top level, in the order they were given.

use std::fmt::{self, Write};

use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::Writer,
        time::{FormatTime, SystemTime},
    },
    registry::LookupSpan,
};

/// Writes events as JSON.
pub(super) struct JsonLine;

impl<S, N> FormatEvent<S, N> for JsonLine
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut line: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut text = String::with_capacity(LINE_BYTES);
        text.push_str("{\"timestamp\":\"");
        SystemTime.format_time(&mut Writer::new(&mut text))?;
        let metadata = event.metadata();
        text.push_str("\",\"level\":\"");
        text.push_str(metadata.level().as_str());
        text.push('"');
        let mut fields = Fields {
            line: &mut text,
            scratch: String::new(),
            target: None,
        };
        event.record(&mut fields);
        let target = fields.target.take();
        text.push_str(",\"target\":");
        push_text(&mut text, target.as_deref().unwrap_or(metadata.target()));
        text.push_str("}\n");
        line.write_str(&text)
    }
}

/// The fields of one event on their way into its line.
struct Fields<'l> {
    line: &'l mut String,
    scratch: String,
    /// Where the event is really from, if the `log` crate passed it on.
    target: Option<String>,
}

impl Fields<'_> {
    fn name(&mut self, name: &str) {
        self.line.push(',');
        push_text(self.line, name.strip_prefix("r#").unwrap_or(name));
        self.line.push(':');
    }

    /// Of a value that is JSON as it prints.
    fn plain(&mut self, field: &Field, value: impl fmt::Display) {
        // What the `log` crate says about its own records: a line number.
        if field.name().starts_with("log.") {
            return;
        }
        self.name(field.name());
        // Writing to a string cannot fail.
        let _ = write!(self.line, "{value}");
    }

    fn text(&mut self, name: &str, text: &str) {
        // What the `log` crate says about its own records.
        if let Some(about) = name.strip_prefix("log.") {
            if about == "target" {
                self.target = Some(text.to_owned());
            }
            return;
        }
        self.name(name);
        push_text(self.line, text);
    }
}

impl Visit for Fields<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field.name(), value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.plain(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.plain(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.plain(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        match value.is_finite() {
            // As JSON writes a number that need not be whole.
            true => self.plain(field, format_args!("{value:?}")),
            false => self.plain(field, "null"),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let mut text = std::mem::take(&mut self.scratch);
        text.clear();
        // A value that cannot be printed is logged as far as it was.
        let _ = write!(text, "{value:?}");
        self.text(field.name(), &text);
        self.scratch = text;
    }
}

/// Adds a text in quotes, whatever is in it.
fn push_text(line: &mut String, text: &str) {
    let is_plain = text
        .bytes()
        .all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\');
    if is_plain {
        line.push('"');
        line.push_str(text);
        line.push('"');
    } else {
        line.push_str(&serde_json::to_string(text).unwrap_or_default());
    }
}

/// Room for the line of an exchange.
const LINE_BYTES: usize = 512;

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::observe::{LogFormat, log::tests::logged};

    #[test]
    fn every_kind_of_field_is_json() {
        let text = logged(LogFormat::Json, || {
            tracing::info!(
                text = "a\"b\\c\u{7f}é",
                flag = true,
                small = -7_i64,
                large = u64::MAX,
                whole = 3.0,
                part = 0.125,
                tiny = 1e-9,
                none = f64::NAN,
                absent = None::<u64>,
                shown = %"x\ny",
                debugged = ?Some(1),
                r#type = "t",
                "said {}", 1
            );
        });
        let mut line: Value = serde_json::from_str(&text).unwrap();
        let time = line.as_object_mut().unwrap().remove("timestamp").unwrap();
        assert!(
            time.as_str().unwrap().parse::<jiff::Timestamp>().is_ok(),
            "{time}"
        );
        assert_eq!(
            line,
            json!({
                "level": "INFO", "target": "scimgate::observe::json_line::tests", "message": "said 1",
                "text": "a\"b\\c\u{7f}é", "flag": true, "small": -7, "large": u64::MAX, "whole": 3.0, "part": 0.125, "tiny": 1e-9,
                "none": null, "shown": "x\ny", "debugged": "Some(1)", "type": "t",
            })
        );
    }
}
