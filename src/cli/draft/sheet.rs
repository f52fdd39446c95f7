//! The draft as it grows: lines of TOML, guesses and gaps marked.

/// The draft's text.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    text: String,
}

impl Sheet {
    pub fn text(self) -> String {
        self.text
    }

    pub fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    pub fn blank(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    /// A comment for the reader.
    pub fn comment(&mut self, words: &str) {
        for line in words.lines() {
            self.line(format!("# {line}").trim_end());
        }
    }

    /// What was guessed, before the line it is about.
    pub fn guess(&mut self, words: &str) {
        self.comment(&format!("guess: {words}"));
    }

    /// What could not be found.
    pub fn todo(&mut self, words: &str) {
        self.comment(&format!("TODO: {words}"));
    }

    /// `[name]`, after an empty line.
    pub fn heading(&mut self, name: &str) {
        self.blank();
        self.line(&format!("[{name}]"));
    }

    /// Lines of keys and values with the equals signs below each other, and what is to be said about them.
    pub fn table(&mut self, rows: &[Row]) {
        let width = rows.iter().map(|row| row.key.len()).max().unwrap_or(0);
        for row in rows {
            let line = format!("{:width$} = {}", row.key, row.value);
            match &row.remark {
                Some(remark) => self.line(&format!("{line}  # {remark}")),
                None => self.line(&line),
            }
        }
    }
}

/// A line of a table.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub key: String,
    /// As TOML.
    pub value: String,
    /// `guess: …` or `TODO: …`; absent: nothing to say.
    pub remark: Option<String>,
}

impl Row {
    pub fn new(key: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            value: value.into(),
            remark: None,
        }
    }

    pub fn guess(mut self, words: impl std::fmt::Display) -> Self {
        self.remark = Some(format!("guess: {words}"));
        self
    }

    pub fn todo(mut self, words: &str) -> Self {
        self.remark = Some(format!("TODO: {words}"));
        self
    }
}

/// Text as TOML: `"…"`.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A path, place or attribute as TOML: `'…'` where it can be.
pub(super) fn literal(text: &str) -> String {
    if text.contains('\'') || text.chars().any(char::is_control) {
        quoted(text)
    } else {
        format!("'{text}'")
    }
}

/// A JSON value as TOML, if it is text, a number or a boolean.
pub(super) fn scalar(value: &serde_json::Value) -> Option<String> {
    match value {
        serde_json::Value::String(text) => Some(quoted(text)),
        serde_json::Value::Number(_) | serde_json::Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}
