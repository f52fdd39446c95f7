//! Where log lines go and what they look like.

use std::{io::IsTerminal, panic};

use tracing_subscriber::{
    EnvFilter, Layer, Registry, fmt, layer::SubscriberExt, util::SubscriberInitExt,
};

use super::json_line::JsonLine;

/// How a log line is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// For people; coloured on a terminal only.
    #[default]
    Human,
    /// One JSON object a line, fields on the top level.
    Json,
}

/// What is logged and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSettings {
    /// How a line is written.
    pub format: LogFormat,
    /// A level, or a filter such as `info,scimgate::target=debug`.
    pub level: String,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self {
            format: LogFormat::Human,
            level: "info".to_owned(),
        }
    }
}

/// Why logging cannot start.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The level is neither a level nor a filter.
    #[error("`{level}` is not a log level or filter.")]
    Level {
        /// As given.
        level: String,
    },
    /// Logging was started before.
    #[error("Logging has already been started.")]
    AlreadyStarted,
}

/// Sends the log to standard error from now on, and panics too: their place, not their message, which may quote data.
///
/// # Errors
///
/// If the level cannot be understood, or logging was started before.
pub fn init(settings: &LogSettings) -> Result<(), LogError> {
    let filter = EnvFilter::try_new(&settings.level).map_err(|_| LogError::Level {
        level: settings.level.clone(),
    })?;
    let is_coloured = std::io::stderr().is_terminal();
    tracing_subscriber::registry()
        .with(lines(settings.format, is_coloured, std::io::stderr))
        .with(filter)
        .try_init()
        .map_err(|_| LogError::AlreadyStarted)?;
    panic::set_hook(Box::new(log_panic));
    Ok(())
}

fn log_panic(info: &panic::PanicHookInfo<'_>) {
    let location = info.location().map(tracing::field::display);
    tracing::error!(location, "panicked");
}

fn lines<W>(
    format: LogFormat,
    is_coloured: bool,
    writer: W,
) -> Box<dyn Layer<Registry> + Send + Sync>
where
    W: for<'a> fmt::MakeWriter<'a> + Send + Sync + 'static,
{
    match format {
        LogFormat::Human => fmt::layer()
            .with_ansi(is_coloured)
            .with_writer(writer)
            .boxed(),
        LogFormat::Json => fmt::layer()
            .event_format(JsonLine)
            .with_ansi(false)
            .with_writer(writer)
            .boxed(),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use super::*;

    /// Collects what is logged.
    #[derive(Clone, Default)]
    pub(in crate::observe) struct Captured(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Captured {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What is logged while something runs, without the time.
    pub(in crate::observe) fn logged(format: LogFormat, run: impl FnOnce()) -> String {
        let captured = Captured::default();
        let writer = captured.clone();
        let layer = lines(format, false, move || writer.clone());
        let subscriber = tracing_subscriber::registry().with(layer);
        tracing::subscriber::with_default(subscriber, run);
        let bytes = captured.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_level_that_is_none_is_refused() {
        let settings = LogSettings {
            level: "scimgate=loud".to_owned(),
            ..LogSettings::default()
        };
        let error = init(&settings).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`scimgate=loud` is not a log level or filter."
        );
    }

    #[test]
    fn s19_json_lines_are_flat_objects_and_control_characters_are_escaped() {
        let text = logged(LogFormat::Json, || {
            tracing::warn!(tenant = "acme\u{1b}[31m\n", "something");
        });
        assert_eq!(text.lines().count(), 1);
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line["message"], "something");
        assert_eq!(line["tenant"], "acme\u{1b}[31m\n");
        assert!(!text.contains('\u{1b}'));
        let text = logged(LogFormat::Human, || {
            let hostile = "acme\u{1b}[31m";
            tracing::warn!("{hostile}");
        });
        assert!(!text.contains('\u{1b}'), "{text:?}");
    }
}
