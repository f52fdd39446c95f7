//! The recorded-form sessions of `tests/sessions`, made handy for integration tests.

use std::collections::BTreeMap;
use std::path::Path;

use scimgate::cli::replay::{
    Class, Outcome, Session, Settings, StepRecord, Summary, Transport, load_all, play,
};

/// A session with the name of its file, such as `okta/group-push-put.json`.
pub struct Named {
    pub file: String,
    pub session: Session,
}

/// Every session, or those whose file name starts with one of `folders`.
pub fn sessions(folders: &[&str]) -> Vec<Named> {
    sessions_below("tests/sessions", folders)
}

/// The same of another folder of the package.
pub fn sessions_below(folder: &str, folders: &[&str]) -> Vec<Named> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let sessions = load_all(&root).expect("the sessions can be read");
    sessions
        .into_iter()
        .map(|(path, session)| Named {
            file: path
                .strip_prefix(&root)
                .expect("below the root")
                .display()
                .to_string(),
            session,
        })
        .filter(|named| {
            folders.is_empty() || folders.iter().any(|folder| named.file.starts_with(folder))
        })
        .collect()
}

/// What came of the sessions: a summary for each class, and a paragraph for each step that did not hold.
#[derive(Default)]
pub struct Report {
    pub by_class: BTreeMap<Class, Summary>,
    pub complaints: Vec<String>,
    pub steps: Vec<(String, StepRecord)>,
}

impl Report {
    /// Plays sessions one after the other.
    pub async fn of(sessions: &[Named], settings: &Settings, transport: &dyn Transport) -> Self {
        let mut report = Self::default();
        for named in sessions {
            let mut on_step = |record: &StepRecord| report.add(&named.file, record);
            play(&named.session, settings, transport, &mut on_step).await;
        }
        report
    }

    pub fn summary(&self) -> Summary {
        let mut summary = Summary::default();
        self.by_class
            .values()
            .for_each(|class| summary.merge(*class));
        summary
    }

    fn add(&mut self, file: &str, record: &StepRecord) {
        self.by_class
            .entry(record.class)
            .or_default()
            .add(&record.outcome);
        if record.outcome != Outcome::Passed {
            self.complaints.push(complaint(file, record));
        }
        self.steps.push((file.to_owned(), record.clone()));
    }
}

fn complaint(file: &str, record: &StepRecord) -> String {
    let text = |bytes: &[u8]| {
        String::from_utf8_lossy(bytes)
            .chars()
            .take(900)
            .collect::<String>()
    };
    let request = &record.request;
    let sent = request.body.as_deref().map(text).unwrap_or_default();
    let got = record.reply.as_ref().map_or("nothing".to_owned(), |reply| {
        format!("{} {}", reply.status, text(&reply.body))
    });
    format!(
        "{file} #{} [{:?}] {} ({})\n  sent {} {} {sent}\n  got  {got}\n  {:?}",
        record.number,
        record.class,
        record.name,
        record.quirks.join(", "),
        request.method,
        request.path_and_query,
        record.outcome,
    )
}
