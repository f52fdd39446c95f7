//! A log line as one JSON object, written straight into the line: fields on the top level, in the order they were given.

use std::{
    fmt::{self, Write as _},
    io::Write as _,
};

use jiff::Timestamp;
use serde::Serialize;
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
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
        let mut text = Vec::with_capacity(LINE_BYTES);
        write!(text, "{{\"timestamp\":\"{:.6}\"", Timestamp::now()).map_err(|_| fmt::Error)?;
        let metadata = event.metadata();
        let mut fields = Fields {
            line: &mut text,
            scratch: String::new(),
            target: None,
        };
        fields.add("level", metadata.level().as_str());
        event.record(&mut fields);
        let target = fields.target.take();
        fields.add("target", target.as_deref().unwrap_or(metadata.target()));
        text.extend_from_slice(b"}\n");
        line.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

/// The fields of one event on their way into its line.
struct Fields<'l> {
    line: &'l mut Vec<u8>,
    scratch: String,
    /// Where the event is really from, if the `log` crate passed it on.
    target: Option<String>,
}

impl Fields<'_> {
    fn add<V: Serialize + ?Sized>(&mut self, name: &str, value: &V) {
        // Names stand in our code and that of libraries: words, with dots at most.
        self.line.extend_from_slice(b",\"");
        let name = name.strip_prefix("r#").unwrap_or(name);
        self.line.extend_from_slice(name.as_bytes());
        self.line.extend_from_slice(b"\":");
        // Writing to a vector cannot fail.
        let _ = serde_json::to_writer(&mut *self.line, value);
    }

    fn number<V: Serialize>(&mut self, field: &Field, value: V) {
        // What the `log` crate says about its own records: a line number.
        if !field.name().starts_with("log.") {
            self.add(field.name(), &value);
        }
    }

    fn text(&mut self, name: &str, text: &str) {
        // What the `log` crate says about its own records.
        match name.strip_prefix("log.") {
            Some("target") => self.target = Some(text.to_owned()),
            Some(_) => {}
            None => self.add(name, text),
        }
    }
}

impl Visit for Fields<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field.name(), value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.number(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.number(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.number(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        // `null` if it is no number.
        self.number(field, value);
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
