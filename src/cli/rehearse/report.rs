//! A rehearsal on the screen: what the provider does, and what its administrator would be told.

use std::{collections::BTreeMap, io::Write};

use serde_json::Value;

use crate::{
    cli::replay::{Outcome, Session, StepRecord},
    dialect::Idp,
    exchange::CallRecord,
    tenant::{ProbeReply, Probed, Tenant},
};

use super::{
    Played, further,
    ledger::Account,
    transport::{LeftBehind, Seen, detail},
};

/// Writes the report, line by line, and keeps the score.
pub struct Report<'w, W: Write> {
    out: &'w mut W,
    provider: String,
    is_coloured: bool,
    counts: BTreeMap<Mark, usize>,
    mended: BTreeMap<&'static str, usize>,
    givers: Vec<Giver>,
    trouble: Option<std::io::Error>,
    /// Whether the application has answered any call; absent: none was made.
    answered: Option<bool>,
}

/// A step that others need something of.
struct Giver {
    variable: String,
    step: String,
    /// How it ended; absent: it was not played yet.
    mark: Option<Mark>,
}

/// What stays in the application by the tenant's own policy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    /// Deleted accounts, which stay deactivated: `on-delete`; absent if that leaves none.
    pub deleted: Option<Vec<Account>>,
    /// Accounts that were left behind by renames: `on-rename = "recreate"`.
    pub renamed: Vec<Account>,
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Mark {
    Held,
    Failed,
    Planned,
    NotPlayed,
    NotOffered,
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
            givers: Vec::new(),
            trouble: None,
            answered: None,
        }
    }

    /// Learns which step gives which value to those after it.
    pub fn expects(&mut self, session: &Session) {
        for step in &session.steps {
            let given = step.capture.iter().map(|(name, _)| Giver {
                variable: name.clone(),
                step: step.name.clone(),
                mark: None,
            });
            self.givers.extend(given);
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
        if tenant.mapping.client.dialect.idp.is_none()
            && let Some(played) = configured.filter(|_| !tenant.dialect.is_strict())
        {
            writeln!(
                self.out,
                "The tenant leaves open who its client is (`idp = \"auto\"`); here it is read as {} from the first step on.",
                played.title()
            )?;
        }
        if tenant.dialect.is_strict() {
            writeln!(self.out, "The tenant is strict: nothing is mended.")?;
        }
        writeln!(self.out)
    }

    /// Tells what the application's probe showed, in its own words too, and what to do about it.
    pub fn probe(&mut self, probed: Probed, reply: Option<&ProbeReply>) -> std::io::Result<()> {
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
            Probed::Untrusted => {
                "the certificate that the application shows is not trusted; nothing was played. See whether `[target] ca` names the file of the authority that has signed it, and whether `base-url` has the name that it is for"
            }
        };
        let words = match reply.and_then(|reply| reply.login) {
            None => words.to_owned(),
            Some(failure) => {
                let mending = failure.mending();
                format!(
                    "the gateway cannot log in to the application: {failure}; nothing was played. Mending: {mending}"
                )
            }
        };
        writeln!(self.out, "probe    {words}")?;
        if let Some(reply) = reply {
            self.line("seen", &reply.to_string())?;
        }
        writeln!(self.out)
    }

    /// Tells one step.
    pub fn step(&mut self, record: &StepRecord, seen: &Seen) {
        let mark = self.mark(record, seen);
        *self.counts.entry(mark).or_default() += 1;
        for giver in self.givers.iter_mut().filter(|g| g.step == record.name) {
            giver.mark = Some(mark);
        }
        for note in &seen.exchange.notes.0 {
            *self.mended.entry(note.quirk).or_default() += 1;
        }
        let sent = seen.exchange.calls.iter();
        for call in sent.filter(|call| !call.is_planned_only) {
            self.answered.get_or_insert(false);
            if call.status.is_some() {
                self.answered = Some(true);
            }
        }
        if let Err(error) = self.tell(mark, record, seen) {
            self.trouble.get_or_insert(error);
        }
    }

    /// Whether calls were sent and none of them was answered.
    pub fn is_unreachable(&self) -> bool {
        self.answered == Some(false)
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
            (Mark::Failed, Outcome::Failed(reasons)) => {
                self.calls(&seen.exchange.calls)?;
                self.failure(record, reasons)?;
            }
            (Mark::Failed, Outcome::Passed) => {
                self.calls(&seen.exchange.calls)?;
                let names = seen.unasked.join("`, `");
                self.line(
                    "expected",
                    &format!("no change of `{names}`: no step has named it"),
                )?;
                self.line("mend", UNASKED)?;
            }
            (Mark::Planned, Outcome::Failed(_)) => {
                self.line("note", "not judged: earlier writes were only planned")?;
            }
            (Mark::NotOffered, _) => {
                let said = record.reply.as_ref().and_then(detail).unwrap_or_default();
                self.line(
                    "because",
                    &format!("the application, by its mapping, cannot do this: {said}"),
                )?;
                self.line(
                    "see",
                    "`scimgate check` lists what the mapping can do; docs/mapping.md",
                )?;
            }
            (Mark::LeftOut, Outcome::Passed | Outcome::Failed(_)) => {
                let reason = seen.not_sent.as_deref().or(seen.why_unjudged.as_deref());
                let reason = reason.unwrap_or("it needs what a step that was left out gives");
                self.line("because", reason)?;
            }
            (Mark::LeftOut | Mark::NotPlayed, Outcome::Skipped(reason)) => {
                let needed = self.giver(reason).map(|giver| giver.step.as_str());
                let needed = needed.unwrap_or("an earlier step");
                let reason = match seen.not_sent.as_deref() {
                    Some(reason) => reason.to_owned(),
                    None => format!("it needs what this one would have given: {needed}"),
                };
                self.line("because", &reason)?;
            }
            _ => {}
        }
        self.out.flush()
    }

    /// What the application was asked and answered: which call to look at. The last ones, where there are many.
    fn calls(&mut self, calls: &[CallRecord]) -> std::io::Result<()> {
        let sent: Vec<&CallRecord> = calls.iter().filter(|call| !call.is_planned_only).collect();
        let shown = sent.len().saturating_sub(MOST_CALLS);
        if shown > 0 {
            self.line("call", &format!("({shown} before these)"))?;
        }
        for call in sent.into_iter().skip(shown) {
            let apart = match call.apart.as_str() {
                "" => String::new(),
                apart => format!(" ({apart})"),
            };
            let outcome = match (call.status, &call.judged) {
                (Some(status), Some(judged)) => {
                    format!(
                        "answered {status}, means {}: by {}",
                        judged.meaning, judged.by
                    )
                }
                (Some(status), None) => format!("answered {status}"),
                (None, _) => match &call.cause {
                    Some(cause) => format!("no answer: {cause}"),
                    None => "no answer".to_owned(),
                },
            };
            let asked = format!(
                "{} {}{apart} ({}): {outcome}",
                call.method, call.path, call.operation
            );
            self.line("call", &asked)?;
        }
        Ok(())
    }

    fn failure(&mut self, record: &StepRecord, reasons: &[String]) -> std::io::Result<()> {
        let refusal = record.reply.as_ref().filter(|reply| reply.status >= 400);
        if let Some(reply) = refusal {
            let said = detail(reply).unwrap_or_default();
            let told = format!("{} is told {}: {said}", self.provider, reply.status);
            self.line("seen", &told)?;
        }
        self.line("expected", &reasons.join("; "))?;
        if let Some(mending) = further::mending(&record.name) {
            return self.line("mend", mending);
        }
        if reasons.iter().any(|reason| reason.contains(NO_STATE)) {
            self.line("mend", ALWAYS_ACTIVE)?;
        }
        let lacking = match refusal {
            Some(_) => Vec::new(),
            None => lacking(reasons),
        };
        if lacking.is_empty() {
            return Ok(());
        }
        let lines: Vec<String> = lacking
            .iter()
            .map(|name| format!("`'{name}' = {{ keep = true }}`"))
            .collect();
        self.line("mend", &format!("{KEEP} {}", lines.join(", ")))
    }

    /// The step that gives what a skipped one needs.
    fn giver(&self, reason: &str) -> Option<&Giver> {
        let name = reason.strip_prefix("no value for {{")?.strip_suffix("}}")?;
        self.givers.iter().find(|giver| giver.variable == name)
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
        played: Played,
        left: &[LeftBehind],
        kept: &Kept,
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
        match played {
            Played::All => {}
            Played::Stopped => writeln!(self.out, "stopped before the end")?,
            Played::Unreachable => writeln!(
                self.out,
                "the application does not answer: the other steps were not played. See whether `base-url` is right and can be reached from here, and for a certificate of a private authority whether `[target] ca` names its file; the call's line says what happened"
            )?,
        }
        let deleted = kept.deleted.as_deref().unwrap_or_default();
        if !kept.renamed.is_empty() {
            writeln!(
                self.out,
                "renamed accounts stay in the application under the old name, locked (`on-rename = \"recreate\"` of the tenant's policy):"
            )?;
            self.accounts(&kept.renamed)?;
        }
        if !deleted.is_empty() {
            writeln!(
                self.out,
                "deleted accounts stay in the application, deactivated (`on-delete` of the tenant's policy); remove them there by hand:"
            )?;
            self.accounts(deleted)?;
        }
        if left.is_empty() {
            let else_ = match deleted.len() + kept.renamed.len() {
                0 => "",
                _ => " else",
            };
            return writeln!(self.out, "nothing{else_} is left behind in the application");
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

    fn accounts(&mut self, accounts: &[Account]) -> std::io::Result<()> {
        for account in accounts {
            writeln!(self.out, "  {account}")?;
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
            Outcome::Passed if !seen.unasked.is_empty() => Mark::Failed,
            Outcome::Passed if has_planned => Mark::Planned,
            Outcome::Passed => Mark::Held,
            Outcome::Failed(_) if (seen.follows_plans || has_planned) && !is_refused => {
                Mark::Planned
            }
            Outcome::Failed(_) if seen.is_not_offered => Mark::NotOffered,
            Outcome::Failed(_) if seen.why_unjudged.is_some() => Mark::LeftOut,
            Outcome::Failed(_) => Mark::Failed,
            // What it needs was to come from a step that failed, or from one that was left out.
            Outcome::Skipped(reason) => match self.giver(reason).and_then(|giver| giver.mark) {
                Some(Mark::Failed | Mark::NotPlayed) => Mark::NotPlayed,
                Some(Mark::NotOffered | Mark::LeftOut | Mark::Planned) => Mark::LeftOut,
                _ if self.counts.contains_key(&Mark::Failed) => Mark::NotPlayed,
                _ => Mark::LeftOut,
            },
        }
    }
}

/// How a reason ends when an answer lacks what was expected.
const NOTHING_THERE: &str = "got []";

/// Calls of a failed step that are shown: most have one to four.
const MOST_CALLS: usize = 8;

/// What an operator can do about a change that no step asked for.
const UNASKED: &str = "a line that clients must not change says `read-only = true`; `scimgate explain` shows the call with its body";

/// What an operator can do about it.
const KEEP: &str = "what the application has no place for is kept here if the tenant's `[user.attributes]` say so:";

/// The attributes of a user that an answer lacks, by the paths of what was expected.
fn lacking(reasons: &[String]) -> Vec<String> {
    let mut names = Vec::new();
    for reason in reasons
        .iter()
        .filter(|reason| reason.ends_with(NOTHING_THERE))
    {
        let path = reason.split(": expected").next().unwrap_or_default();
        let path = path.strip_prefix("$.Resources[0]").unwrap_or(path);
        let path = path.strip_prefix('$').unwrap_or(path);
        let name = match path.strip_prefix("['") {
            // An extension's attribute: its URN, a colon, its name.
            Some(rest) => rest
                .split_once("']")
                .map(|(urn, rest)| format!("{urn}:{}", first_name(rest)))
                .filter(|name| !name.ends_with(':')),
            None => Some(first_name(path)).filter(|name| !name.is_empty()),
        };
        let is_the_gateways = |name: &str| GIVEN.contains(&name);
        if let Some(name) = name.filter(|name| !is_the_gateways(name) && !names.contains(name)) {
            names.push(name);
        }
    }
    names
}

fn first_name(path: &str) -> String {
    let path = path.trim_start_matches('.');
    let end = path.find(['.', '[']).unwrap_or(path.len());
    path.get(..end).unwrap_or_default().to_owned()
}

/// An account that is shown without `active`, as a step says it.
const NO_STATE: &str = "active: expected true, got []";

const ALWAYS_ACTIVE: &str = "say where the application has the state: `'active' = …`. Where everybody is active: `'active' = { read = \"{true}\" }`, and `deactivate = false` in `[user]`";

/// What no line of `[user.attributes]` can bring.
const GIVEN: [&str; 7] = [
    "id",
    "meta",
    "schemas",
    "members",
    "groups",
    "Resources",
    "active",
];

/// Whose session it is. Google's are kept under the name of its product.
pub fn provider_of(session: &Session) -> Option<Idp> {
    Idp::from_name(session.idp.trim_end_matches("-workspace"))
}

impl Mark {
    fn label(self) -> &'static str {
        match self {
            Self::Held => "ok",
            Self::Failed => "FAILED",
            Self::Planned => "planned",
            Self::NotPlayed => "skipped",
            Self::NotOffered => "no",
            Self::LeftOut => "left out",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Held => "steps held",
            Self::Failed => "failed",
            Self::Planned => "planned",
            Self::NotPlayed => "skipped for a failure",
            Self::NotOffered => "not offered by the application",
            Self::LeftOut => "left out",
        }
    }

    fn colour(self) -> &'static str {
        match self {
            Self::Held => "32",
            Self::Failed => "31",
            Self::Planned => "36",
            Self::NotPlayed | Self::NotOffered | Self::LeftOut => "33",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mending_names_what_is_lacking_and_nothing_else() {
        let reasons = [
            r#"$.phoneNumbers[?(@.type=="work")].value: expected "1", got []"#,
            r#"$['urn:x:User'].department: expected "R&D", got []"#,
            "$.Resources[0].title: expected \"x\", got []",
            "$.title: expected \"x\", got []",
            "$.members: expected 1 item(s), got 0: []",
            r#"$.userName: expected "a", got ["b"]"#,
        ];
        let reasons = reasons.map(str::to_owned);
        assert_eq!(
            lacking(&reasons),
            ["phoneNumbers", "urn:x:User:department", "title"]
        );
    }
}
