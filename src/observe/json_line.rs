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
        line.write_str("{\"timestamp\":\"")?;
        SystemTime.format_time(&mut line)?;
        let metadata = event.metadata();
        line.write_str("\",\"level\":\"")?;
        line.write_str(metadata.level().as_str())?;
        line.write_char('"')?;
        let mut fields = Fields {
            line: &mut line,
            scratch: String::new(),
            target: None,
            outcome: Ok(()),
        };
        event.record(&mut fields);
        fields.outcome?;
        let target = fields.target.take();
        line.write_str(",\"target\":")?;
        write_text(&mut line, target.as_deref().unwrap_or(metadata.target()))?;
        line.write_str("}\n")
    }
}

/// The fields of one event on their way into its line.
struct Fields<'l, 'w> {
    line: &'l mut Writer<'w>,
    scratch: String,
    /// Where the event is really from, if the `log` crate passed it on.
    target: Option<String>,
    outcome: fmt::Result,
}

impl Fields<'_, '_> {
    fn name(&mut self, name: &str) -> fmt::Result {
        self.line.write_char(',')?;
        write_text(self.line, name.strip_prefix("r#").unwrap_or(name))?;
        self.line.write_char(':')
    }

    /// Of a value that is JSON as it prints.
    fn plain(&mut self, field: &Field, value: impl fmt::Display) {
        // What the `log` crate says about its own records: a line number.
        if field.name().starts_with("log.") {
            return;
        }
        let written = self
            .name(field.name())
            .and_then(|()| write!(self.line, "{value}"));
        self.outcome = self.outcome.and(written);
    }

    fn text(&mut self, name: &str, text: &str) {
        // What the `log` crate says about its own records.
        if let Some(about) = name.strip_prefix("log.") {
            if about == "target" {
                self.target = Some(text.to_owned());
            }
            return;
        }
        let written = self.name(name).and_then(|()| write_text(self.line, text));
        self.outcome = self.outcome.and(written);
    }
}

impl Visit for Fields<'_, '_> {
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
        let written = write!(text, "{value:?}");
        self.outcome = self.outcome.and(written);
        self.text(field.name(), &text);
        self.scratch = text;
    }
}

/// A text in quotes, whatever is in it.
fn write_text(line: &mut Writer<'_>, text: &str) -> fmt::Result {
    let is_plain = text
        .bytes()
        .all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\');
    if is_plain {
        line.write_char('"')?;
        line.write_str(text)?;
        return line.write_char('"');
    }
    let quoted = serde_json::to_string(text).map_err(|_| fmt::Error)?;
    line.write_str(&quoted)
}

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
