//! How the demo looks: one line for what is sent, mended, received, answered; a table in the end.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Result, Write};

use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::play::StepReport;
use crate::cli::replay::{Outcome, StepRecord, Summary};

/// Whether colours are wanted: standard output is a terminal and `NO_COLOR` is not set.
pub fn wants_colour() -> bool {
    std::io::stdout().is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Writes the demo, line by line.
pub(super) struct Screen<'w> {
    out: &'w mut dyn Write,
    is_coloured: bool,
    base_path: String,
    total: usize,
    shown: usize,
    received: usize,
    mended: BTreeMap<&'static str, usize>,
}

#[derive(Clone, Copy)]
enum Colour {
    Dim,
    Bold,
    Red,
    Green,
    Yellow,
    Cyan,
}

impl<'w> Screen<'w> {
    /// A screen for `total` steps; `base_path` is left out where requests are shown.
    pub fn new(out: &'w mut dyn Write, is_coloured: bool, base_path: String, total: usize) -> Self {
        Self {
            out,
            is_coloured,
            base_path,
            total,
            shown: 0,
            received: 0,
            mended: BTreeMap::new(),
        }
    }

    /// The heading of a session.
    pub fn session(&mut self, idp: &str, title: &str) -> Result<()> {
        let heading = self.paint(Colour::Bold, &format!("── {idp}: {title}"));
        writeln!(self.out, "\n{heading}\n")
    }

    /// One step: what was sent, mended, changed, received by the application, answered, and whether it held.
    pub fn step(
        &mut self,
        idp: &str,
        record: &StepRecord,
        report: &StepReport,
        calls: &[Value],
    ) -> Result<()> {
        self.shown += 1;
        self.received += calls.len();
        let digits = self.total.to_string().len();
        let progress = format!("[{:>digits$}/{}]", self.shown, self.total);
        let (mark, colour) = match record.outcome {
            Outcome::Passed => ("✓", Colour::Green),
            Outcome::Failed(_) => ("✗", Colour::Red),
            Outcome::Skipped(_) => ("–", Colour::Yellow),
        };
        let mark = self.paint(colour, mark);
        let name = self.paint(Colour::Bold, &record.name);
        writeln!(self.out, "{progress} {mark} {name}")?;
        if let Outcome::Skipped(reason) = &record.outcome {
            return self.line(Colour::Yellow, "skipped", reason);
        }
        let request = self.request(record);
        self.line(Colour::Cyan, idp, &format!("→ {request}"))?;
        for note in &report.notes {
            *self.mended.entry(note.quirk).or_default() += 1;
            self.line(
                Colour::Yellow,
                "mended",
                &format!("{} {}", note.quirk, note.message),
            )?;
        }
        if !report.changed.is_empty() {
            self.line(Colour::Dim, "changed", &report.changed.join(", "))?;
        }
        for call in calls {
            self.line(Colour::Green, "application", &format!("← {}", logged(call)))?;
        }
        if let Some(reply) = &record.reply {
            let body = serde_json::from_slice(&reply.body).unwrap_or(Value::Null);
            self.line(
                Colour::Cyan,
                idp,
                &format!("← {}{}", reply.status, body_text(&body)),
            )?;
        }
        if let Outcome::Failed(problems) = &record.outcome {
            for problem in problems {
                self.line(Colour::Red, "wrong", problem)?;
            }
        }
        Ok(())
    }

    /// What the application has: its users, its groups and who is in them.
    pub fn state(&mut self, state: &Value) -> Result<()> {
        let heading = self.paint(Colour::Bold, "── what the application has now");
        writeln!(self.out, "\n{heading}\n")?;
        let users = rows(state, "users", |user| {
            let name = [cell(user, "first"), cell(user, "last")].join(" ");
            let columns =
                ["id", "login", "mail", "job_title", "department"].map(|column| cell(user, column));
            let [id, login, mail, job_title, department] = columns;
            vec![
                id,
                login,
                name.trim().to_owned(),
                mail,
                job_title,
                department,
                state_word(user),
            ]
        });
        self.table(
            &[
                "id",
                "login",
                "name",
                "mail",
                "job_title",
                "department",
                "state",
            ],
            &users,
        )?;
        self.more(state, "users", users.len())?;
        writeln!(self.out)?;
        let groups = rows(state, "groups", |group| {
            vec![
                cell(group, "id"),
                cell(group, "name"),
                members(state, group),
            ]
        });
        self.table(&["id", "group", "members"], &groups)?;
        self.more(state, "groups", groups.len())
    }

    /// The last lines: what was mended how often, how many steps held.
    pub fn summary(&mut self, summary: &Summary) -> Result<()> {
        let mended: Vec<String> = self
            .mended
            .iter()
            .map(|(quirk, times)| match times {
                1 => (*quirk).to_owned(),
                times => format!("{quirk} ×{times}"),
            })
            .collect();
        writeln!(self.out)?;
        if !mended.is_empty() {
            writeln!(self.out, "mended: {}", mended.join(", "))?;
        }
        writeln!(
            self.out,
            "calls the application received: {}",
            self.received
        )?;
        let colour = if summary.all_held() {
            Colour::Green
        } else {
            Colour::Red
        };
        let verdict = self.paint(colour, &summary.to_string());
        writeln!(self.out, "{verdict}")
    }

    fn line(&mut self, colour: Colour, label: &str, text: &str) -> Result<()> {
        let indent = 2 * self.total.to_string().len() + 4;
        let label = self.paint(colour, &format!("{label:<11}"));
        writeln!(self.out, "{:indent$}{label} {}", "", shortened(text))
    }

    fn table(&mut self, titles: &[&str], rows: &[Vec<String>]) -> Result<()> {
        let widths: Vec<usize> = titles
            .iter()
            .enumerate()
            .map(|(column, title)| {
                let cells = rows.iter().filter_map(|row| row.get(column));
                cells
                    .map(|cell| cell.chars().count())
                    .fold(title.len(), usize::max)
            })
            .collect();
        let titles: Vec<String> = titles.iter().map(|title| (*title).to_owned()).collect();
        let titles = self.paint(Colour::Dim, &aligned(&titles, &widths));
        writeln!(self.out, "  {titles}")?;
        for row in rows {
            writeln!(self.out, "  {}", aligned(row, &widths))?;
        }
        Ok(())
    }

    fn more(&mut self, state: &Value, list: &str, shown: usize) -> Result<()> {
        let total = state
            .get(format!("{list}_total"))
            .and_then(Value::as_u64)
            .unwrap_or(0);
        match total.checked_sub(shown as u64) {
            Some(0) | None => Ok(()),
            Some(more) => writeln!(self.out, "  … and {more} more"),
        }
    }

    fn request(&self, record: &StepRecord) -> String {
        let sent = &record.request;
        let path = sent.path_and_query.strip_prefix(&self.base_path);
        let path = percent_decode_str(path.unwrap_or(&sent.path_and_query)).decode_utf8_lossy();
        let body = sent
            .body
            .as_deref()
            .and_then(|body| serde_json::from_slice(body).ok());
        format!(
            "{} {path}{}",
            sent.method,
            body_text(&body.unwrap_or(Value::Null))
        )
    }

    fn paint(&self, colour: Colour, text: &str) -> String {
        let code = match colour {
            _ if !self.is_coloured => return text.to_owned(),
            Colour::Dim => 2,
            Colour::Bold => 1,
            Colour::Red => 31,
            Colour::Green => 32,
            Colour::Yellow => 33,
            Colour::Cyan => 36,
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

fn logged(call: &Value) -> String {
    let path = cell(call, "path");
    let path = percent_decode_str(&path).decode_utf8_lossy();
    let body = body_text(call.get("body").unwrap_or(&Value::Null));
    format!(
        "{} {path}{body}  {}",
        cell(call, "method"),
        cell(call, "status")
    )
}

/// A body behind a space, without what says little; nothing if there is none.
fn body_text(body: &Value) -> String {
    match body {
        Value::Null => String::new(),
        Value::String(text) => format!(" {text}"),
        body => format!(" {}", without_noise(body)),
    }
}

/// Leaves out `schemas` and `meta`, and blanks passwords, wherever they stand.
fn without_noise(value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "schemas" | "meta"))
            .map(|(name, member)| match name.as_str() {
                "password" => (name.clone(), Value::from("***")),
                _ => (name.clone(), without_noise(member)),
            })
            .collect(),
        Value::Array(items) => items.iter().map(without_noise).collect(),
        other => other.clone(),
    }
}

/// Cut to one readable line; control characters would move the cursor.
fn shortened(text: &str) -> String {
    let text: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    match text.char_indices().nth(LONGEST_LINE) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

fn aligned(cells: &[String], widths: &[usize]) -> String {
    let cells = cells.iter().zip(widths);
    let cells: Vec<String> = cells
        .map(|(cell, width)| format!("{cell:<width$}"))
        .collect();
    cells.join("  ").trim_end().to_owned()
}

fn rows(state: &Value, list: &str, row: impl Fn(&Value) -> Vec<String>) -> Vec<Vec<String>> {
    let items = state.get(list).and_then(Value::as_array);
    items
        .into_iter()
        .flatten()
        .take(MOST_ROWS)
        .map(row)
        .collect()
}

fn cell(object: &Value, member: &str) -> String {
    match object.get(member) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

fn state_word(user: &Value) -> String {
    let word = match user.get("state").and_then(Value::as_u64) {
        Some(1) => "1 active",
        Some(2) => "2 invited",
        Some(3) => "3 locked",
        _ => "?",
    };
    word.to_owned()
}

fn members(state: &Value, group: &Value) -> String {
    let users = state.get("users").and_then(Value::as_array);
    let login = |id: &Value| {
        let user = users
            .into_iter()
            .flatten()
            .find(|user| user.get("id") == Some(id));
        user.map_or_else(|| id.to_string(), |user| cell(user, "login"))
    };
    let ids: &[Value] = group
        .get("members")
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice);
    let mut logins: Vec<String> = ids.iter().take(MOST_MEMBERS).map(login).collect();
    if let Some(more) = ids.len().checked_sub(MOST_MEMBERS).filter(|more| *more > 0) {
        logins.push(format!("and {more} more"));
    }
    logins.join(", ")
}

const LONGEST_LINE: usize = 160;
const MOST_ROWS: usize = 20;
const MOST_MEMBERS: usize = 5;

#[cfg(test)]
#[path = "show_tests.rs"]
mod tests;
