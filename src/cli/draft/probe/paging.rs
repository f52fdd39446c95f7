//! Questions about pages: which parameter is their size, which asks for the next, how large one may be.

use serde_json::{Value, json};

use crate::cli::Failure;

use super::{
    super::paging::{NEXT_URLS, NEXTS, TOTALS, json_path},
    Questions,
    seen::{self, Seen},
};

/// Asks until the way to read on is known, or none is found.
pub(super) async fn ask(questions: &Questions, seen: &mut Seen) -> Result<(), Failure> {
    let count = seen.rows.len();
    match seen.member(TOTALS).filter(|(_, value)| value.is_u64()) {
        Some((path, value)) => {
            let sentence = format!("`{}` has the number of all: {value}.", json_path(&path));
            seen.say(sentence);
        }
        // Said already.
        None if seen.has_total_header() => {}
        None => seen.say("The reply does not say how many there are.".into()),
    }
    let is_told = address(seen);
    if count < 2 {
        seen.say(
            "With fewer than two objects nothing can be said about pages: try it with more.".into(),
        );
        return Ok(());
    }
    let Some(size) = size(questions, seen).await? else {
        return Ok(());
    };
    if !is_told {
        address(seen);
    }
    cursor(questions, seen, &size).await?;
    number(questions, seen, &size).await?;
    offset(questions, seen, &size).await
}

/// Says where the next page's address is, if it was seen.
fn address(seen: &mut Seen) -> bool {
    let found = seen.member(NEXT_URLS).filter(|(_, value)| is_url(value));
    let Some((path, _)) = found else {
        return false;
    };
    seen.say(format!(
        "`{}` is the next page's address.",
        json_path(&path)
    ));
    true
}

/// A text in the reply that asks for the next page.
async fn cursor(questions: &Questions, seen: &mut Seen, size: &str) -> Result<(), Failure> {
    let one = questions.get(&[(size, "1")]).await?;
    seen.learn(&one.body);
    let found = seen.member(NEXTS).and_then(|(path, _)| {
        let pointer = format!("/{}", path.replace('.', "/"));
        let value = one.body.pointer(&pointer)?;
        let text = value
            .as_str()
            .filter(|text| !text.is_empty() && !is_url(value))?;
        Some((path.clone(), text.to_owned()))
    });
    let (Some((path, text)), Some(second)) = (found, seen.rows.get(1).cloned()) else {
        return Ok(());
    };
    let own = path.rsplit('.').next().unwrap_or(&path).to_owned();
    for name in std::iter::once(own.as_str()).chain(CURSORS.iter().copied()) {
        if first(questions, &[(size, "1"), (name, &text)]).await? != Some(second.clone()) {
            continue;
        }
        seen.say(format!(
            "`{name}` asks for the next page, with what `{}` says.",
            json_path(&path)
        ));
        seen.parameter(name, json!({"type": "string"}));
        return Ok(());
    }
    Ok(())
}

fn is_url(value: &Value) -> bool {
    value
        .as_str()
        .is_some_and(|text| text.starts_with("http") || text.starts_with('/'))
}

/// The parameter for the size: with 1 there is one object.
async fn size(questions: &Questions, seen: &mut Seen) -> Result<Option<String>, Failure> {
    for name in SIZES {
        let answer = questions.get(&[(name, "1")]).await?;
        if seen::rows(&answer.body).is_none_or(|(_, rows)| rows.len() != 1) {
            continue;
        }
        if answer.links_next {
            seen.links();
        }
        seen.learn(&answer.body);
        let all = questions.get(&[(name, "10000")]).await?;
        let most = match (all.status, seen::rows(&all.body)) {
            (200, Some((_, rows))) => largest(name, &all.body, rows.len(), seen),
            (status, _) => {
                seen.say(format!(
                    "`{name}=10000` is answered {status}: the most is less, and not known."
                ));
                None
            }
        };
        let schema = match most {
            Some(most) => json!({"type": "integer", "maximum": most}),
            None => json!({"type": "integer"}),
        };
        seen.parameter(name, schema);
        return Ok(Some((*name).to_owned()));
    }
    seen.say("No parameter changes how many come in one reply.".into());
    Ok(None)
}

/// The most that come in one reply, if that can be seen: fewer than there are, or said in the reply.
fn largest(name: &str, body: &Value, got: usize, seen: &mut Seen) -> Option<usize> {
    let total = seen.member(TOTALS).and_then(|(_, value)| value.as_u64());
    let said = body
        .get(name)
        .and_then(Value::as_u64)
        .filter(|said| *said < 10_000);
    let cut = total
        .filter(|total| *total > got as u64)
        .map(|_| got as u64);
    let most = said.or(cut).and_then(|most| usize::try_from(most).ok());
    seen.say(match most {
        Some(most) => format!("`{name}` is the size of a page, {most} at most."),
        None => format!(
            "`{name}` is the size of a page; `{name}=10000` gave {got}, so the most was not seen."
        ),
    });
    most
}

/// Page numbers: page 2 begins with another object than page 1.
async fn number(questions: &Questions, seen: &mut Seen, size: &str) -> Result<(), Failure> {
    for name in NUMBERS {
        let (zero, one, two) = (
            first(questions, &[(size, "1"), (name, "0")]).await?,
            first(questions, &[(size, "1"), (name, "1")]).await?,
            first(questions, &[(size, "1"), (name, "2")]).await?,
        );
        if one.is_none() || one == two {
            continue;
        }
        // Where 0 is an error or the same as 1, pages count from 1.
        let begins_at =
            u64::from(zero.is_none() || zero == one || one.as_ref() == seen.rows.first());
        seen.say(format!(
            "`{name}` is the page's number, from {begins_at} on."
        ));
        seen.parameter(name, json!({"type": "integer", "minimum": begins_at}));
        return Ok(());
    }
    Ok(())
}

/// Offsets: 1 begins with the second object.
async fn offset(questions: &Questions, seen: &mut Seen, size: &str) -> Result<(), Failure> {
    let Some((begin, next)) = seen.rows.first().cloned().zip(seen.rows.get(1).cloned()) else {
        return Ok(());
    };
    for name in OFFSETS {
        let (one, two) = (
            first(questions, &[(size, "1"), (name, "1")]).await?,
            first(questions, &[(size, "1"), (name, "2")]).await?,
        );
        let begins_at = match (one, two) {
            (Some(one), _) if one == next => 0,
            (Some(one), Some(two)) if one == begin && two == next => 1,
            _ => continue,
        };
        seen.say(format!(
            "`{name}` is the first object's index, from {begins_at} on."
        ));
        seen.parameter(name, json!({"type": "integer", "minimum": begins_at}));
        return Ok(());
    }
    Ok(())
}

async fn first(
    questions: &Questions,
    parameters: &[(&str, &str)],
) -> Result<Option<Value>, Failure> {
    let answer = questions.get(parameters).await?;
    let rows = seen::rows(&answer.body).filter(|_| answer.status == 200);
    Ok(rows.and_then(|(_, rows)| rows.first().cloned()))
}

/// As they are usually spelled.
const SIZES: &[&str] = &[
    "per_page",
    "limit",
    "page_size",
    "pageSize",
    "perPage",
    "size",
    "count",
    "maxResults",
    "max",
    "top",
    "$top",
];
const CURSORS: &[&str] = &[
    "cursor",
    "page_token",
    "pageToken",
    "after",
    "starting_after",
    "marker",
];
const NUMBERS: &[&str] = &["page", "page_number", "pageNumber", "p"];
const OFFSETS: &[&str] = &["offset", "skip", "start", "startIndex", "startAt", "from"];
