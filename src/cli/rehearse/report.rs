//! A rehearsal on the screen: what the provider does, and what its administrator would be told.

use std::{collections::BTreeMap, io::Write};

use serde_json::Value;

use crate::{
    cli::replay::{Outcome, Session, StepRecord},
    dialect::Idp,
    tenant::{Probed, Tenant},
};

use super::transport::{LeftBehind, Seen, detail};

/// Writes the report, line by line, and keeps the score.
pub struct Report<'w, W: Write> {
    out: &'w mut W,
    provider: String,
    is_coloured: bool,
    counts: BTreeMap<Mark, usize>,
    mended: BTreeMap<&'static str, usize>,
    trouble: Option<std::io::Error>,
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Mark {
    Held,
    Failed,
    Planned,
    NotPlayed,
    LeftOut,
}

impl<'w, W: Write> Report<'w, W> {
    /// An empty report.
    pub fn new(out: &'w mut W, provider: &str, is_coloured: bool) -> Self {
        Self {
            out,
            provider: Idp::from_name(provider)
                .map_or_else(|| provider.to_owned(), |idp| idp.title().to_owned()),
            is_coloured,
            counts: BTreeMap::new(),
            mended: BTreeMap::new(),
            trouble: None,
        }
    }

    /// Says what is going to happen.
    pub fn opening(
        &mut self,
        session: &Session,
        tenant: &Tenant,
        domain: &str,
        is_dry: bool,
    ) -> std::io::Result<()> {
        writeln!(
            self.out,
            "{}\ntenant `{}`, application `{}`, test accounts in {domain}",
            session.title, tenant.mapping.tenant, tenant.mapping.app
        )?;
        if is_dry {
            writeln!(
                self.out,
                "Nothing is written: reads are made, writes are planned."
            )?;
        }
        let configured = tenant.dialect.idp();
        let played = provider_of(session);
        if let Some(configured) = configured.filter(|idp| Some(*idp) != played) {
            writeln!(
                self.out,
                "The tenant reads its client as {}, whoever calls: `idp = \"{configured}\"`.",
                configured.title()
            )?;
        }
        if tenant.dialect.is_strict() {
            writeln!(self.out, "The tenant is strict: nothing is mended.")?;
        }
        writeln!(self.out)
    }

    /// Tells what the application's probe showed, and what to do about it.
    pub fn probe(&mut self, probed: Probed) -> std::io::Result<()> {
        let words = match probed {
            Probed::Accepted => "the application accepts the gateway's credential",
            Probed::Refused => {
                "the application does not accept the gateway's credential; nothing was played. Set the one in `[target.auth]` anew"
            }
            Probed::Failed => {
                "the application answers `[target] probe` with an error; nothing was played. See whether the call and `base-url` are right"
            }
            Probed::Unreachable => {
                "the application does not answer; nothing was played. See whether `base-url` is right and can be reached from here"
            }
        };
        writeln!(self.out, "probe    {words}\n")
    }

    /// Tells one step.
    pub fn step(&mut self, record: &StepRecord, seen: &Seen) {
        let mark = self.mark(record, seen);
        *self.counts.entry(mark).or_default() += 1;
        for note in &seen.exchange.notes.0 {
            *self.mended.entry(note.quirk).or_default() += 1;
        }
        if let Err(error) = self.tell(mark, record, seen) {
            self.trouble.get_or_insert(error);
        }
    }

    fn tell(&mut self, mark: Mark, record: &StepRecord, seen: &Seen) -> std::io::Result<()> {
        let label = format!("{:<8}", mark.label());
        let label = match self.is_coloured {
            true => format!("\x1b[{}m{label}\x1b[0m", mark.colour()),
            false => label,
        };
        writeln!(self.out, "{label} {}", record.name)?;
        for note in &seen.exchange.notes.0 {
            self.line("mended", &format!("{:<12} {}", note.quirk, note.message))?;
        }
        let calls = seen.exchange.calls.iter();
        for call in calls.filter(|call| call.is_planned_only) {
            let body = call.body.as_ref().map(Value::to_string);
            let body = body.unwrap_or_default();
            self.line(
                "planned",
                format!("{} {} {body}", call.method, call.path).trim_end(),
            )?;
        }
        match (mark, &record.outcome) {
            (Mark::Failed, Outcome::Failed(reasons)) => self.failure(record, reasons)?,
            (Mark::Planned, Outcome::Failed(_)) => {
                self.line("note", "not judged: earlier writes were only planned")?;
            }
            (Mark::LeftOut, _) => {
                let reason = seen.not_sent.as_deref();
                let reason = reason.unwrap_or("it needs what a step that was left out gives");
                self.line("because", reason)?;
            }
            (Mark::NotPlayed, Outcome::Skipped(reason)) => {
                let reason = format!("it needs what an earlier step did not give ({reason})");
                self.line("because", &reason)?;
            }
            _ => {}
        }
        self.out.flush()
    }

    fn failure(&mut self, record: &StepRecord, reasons: &[String]) -> std::io::Result<()> {
        let refusal = record.reply.as_ref().filter(|reply| reply.status >= 400);
        if let Some(reply) = refusal {
            let said = detail(reply).unwrap_or_default();
            let told = format!("{} is told {}: {said}", self.provider, reply.status);
            self.line("seen", &told)?;
        }
        self.line("expected", &reasons.join("; "))?;
        match refusal.is_none() && reasons.iter().any(|reason| reason.ends_with(NOTHING_THERE)) {
            true => self.line("mend", KEEP),
            false => Ok(()),
        }
    }

    fn line(&mut self, what: &str, text: &str) -> std::io::Result<()> {
        writeln!(self.out, "         {what:<9}{text}")
    }

    /// The score, what was mended, and what is left in the application.
    ///
    /// # Errors
    ///
    /// The output is closed, now or earlier.
    pub fn closing(
        &mut self,
        is_stopped: bool,
        left: &[LeftBehind],
        keeps_accounts: bool,
    ) -> std::io::Result<()> {
        if let Some(trouble) = self.trouble.take() {
            return Err(trouble);
        }
        let counts: Vec<String> = self
            .counts
            .iter()
            .map(|(mark, count)| format!("{count} {}", mark.words()))
            .collect();
        writeln!(self.out, "\n{}", counts.join(", "))?;
        if !self.mended.is_empty() {
            let mended = self.mended.iter();
            let mended: Vec<String> = mended.map(|(quirk, n)| format!("{quirk} ({n})")).collect();
            writeln!(self.out, "mended: {}", mended.join(", "))?;
        }
        if is_stopped {
            writeln!(self.out, "stopped before the end")?;
        }
        if keeps_accounts {
            writeln!(
                self.out,
                "deleted accounts stay in the application, deactivated: `on-delete` of the tenant's policy"
            )?;
        } else if left.is_empty() {
            return writeln!(self.out, "nothing is left behind in the application");
        }
        writeln!(
            self.out,
            "left behind in the application, to be removed by hand:"
        )?;
        for LeftBehind { what, why } in left {
            writeln!(self.out, "  {what}: {why}")?;
        }
        Ok(())
    }

    /// Whether nothing failed and nothing had to be skipped for a failure.
    pub fn is_success(&self) -> bool {
        !self.counts.contains_key(&Mark::Failed) && !self.counts.contains_key(&Mark::NotPlayed)
    }

    /// A step in a dry run is judged by its refusal only: what it reads is what was there before.
    fn mark(&self, record: &StepRecord, seen: &Seen) -> Mark {
        if seen.not_sent.is_some() {
            return Mark::LeftOut;
        }
        let is_refused = record
            .reply
            .as_ref()
            .is_none_or(|reply| reply.status >= 400);
        let has_planned = seen.exchange.calls.iter().any(|call| call.is_planned_only);
        match &record.outcome {
            Outcome::Passed if has_planned => Mark::Planned,
            Outcome::Passed => Mark::Held,
            Outcome::Failed(_) if (seen.follows_plans || has_planned) && !is_refused => {
                Mark::Planned
            }
            Outcome::Failed(_) => Mark::Failed,
            // What it needs was to come from a step that failed, or from one that was left out.
            Outcome::Skipped(_) if self.counts.contains_key(&Mark::Failed) => Mark::NotPlayed,
            Outcome::Skipped(_) => Mark::LeftOut,
        }
    }
}

/// How a reason ends when an answer lacks what was expected.
const NOTHING_THERE: &str = "got []";

/// What an operator can do about it.
const KEEP: &str = "what the application has no place for is kept here if the tenant's `[user.attributes]` say so: `'title' = { keep = true }`";

/// Whose session it is. Google's are kept under the name of its product.
fn provider_of(session: &Session) -> Option<Idp> {
    Idp::from_name(session.idp.trim_end_matches("-workspace"))
}

impl Mark {
    fn label(self) -> &'static str {
        match self {
            Self::Held => "ok",
            Self::Failed => "FAILED",
            Self::Planned => "planned",
            Self::NotPlayed => "skipped",
            Self::LeftOut => "left out",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Held => "steps held",
            Self::Failed => "failed",
            Self::Planned => "planned",
            Self::NotPlayed => "skipped for a failure",
            Self::LeftOut => "left out",
        }
    }

    fn colour(self) -> &'static str {
        match self {
            Self::Held => "32",
            Self::Failed => "31",
            Self::Planned => "36",
            Self::NotPlayed | Self::LeftOut => "33",
        }
    }
}
