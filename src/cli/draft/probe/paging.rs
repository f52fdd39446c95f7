//! Questions about pages: which parameter is their size, which asks for the next, how large one may be.

use serde_json::{Value, json};

use crate::cli::Failure;

use super::{
    super::paging::{NEXT_URLS, NEXTS, json_path, parted},
    Questions, number,
    seen::{self, Seen},
};

/// Parameters of a question.
type Asked<'a> = Vec<(&'a str, &'a str)>;

/// Asks until the way to read on is known, or none is found.
pub(super) async fn ask(questions: &Questions, seen: &mut Seen) -> Result<(), Failure> {
    let count = seen.rows.len();
    number::find(seen);
    let total = seen.total.as_ref().map_or(0, |(_, total)| *total);
    let is_cut = total > count as u64;
    let is_told = address(seen);
    if count < 2 && !is_cut {
        seen.is_unasked = !is_told && !seen.has_link;
        seen.say(
            "With fewer than two objects nothing can be said about pages: try it with more.".into(),
        );
        return Ok(());
    }
    let size = size(questions, seen).await?;
    if !is_told && size.is_some() {
        address(seen);
    }
    let by: Asked<'_> = size.iter().map(|size| (size.as_str(), "1")).collect();
    let mut is_known = seen.has_link || seen.member(NEXT_URLS, is_url).is_some();
    is_known |= cursor(questions, seen, &by).await?;
    // Without a size only a reply that is cut has a second page.
    if size.is_some() || is_cut {
        is_known |= page_number(questions, seen, &by).await?;
        is_known |= offset(questions, seen, &by).await?;
    }
    if !is_known && size.is_none() {
        is_known = within(questions, seen).await?;
    }
    if !is_known && is_cut {
        seen.say(format!(
            "Nothing that was tried reads on: {count} of {total} can be had. More is refused by the draft, never left out."
        ));
        seen.most = Some(count);
    } else if !is_known && size.is_none() && PAGES.contains(&count) && seen.total.is_none() {
        seen.say(format!(
            "Exactly {count} came, which looks like one page of several."
        ));
        seen.is_unasked = true;
    }
    Ok(())
}

/// Says where the next page's address is, if it was seen.
fn address(seen: &mut Seen) -> bool {
    let Some((path, _)) = seen.member(NEXT_URLS, is_url) else {
        return false;
    };
    seen.say(format!(
        "`{}` is the next page's address.",
        json_path(&path)
    ));
    true
}

/// A text in the reply that asks for the next page.
async fn cursor(questions: &Questions, seen: &mut Seen, by: &Asked<'_>) -> Result<bool, Failure> {
    let one = questions.get(by).await?;
    seen.learn(&one.body);
    let is_mark = |value: &Value| {
        let text = value.as_str();
        text.is_some_and(|text| !text.is_empty()) && !is_url(value)
    };
    let found = seen.member(NEXTS, is_mark).map(|(path, _)| path);
    let mark = found.as_ref().and_then(|path| {
        let text = seen::at(&one.body, &parted(path))?.as_str()?;
        Some(text.to_owned())
    });
    let (Some(path), Some(text)) = (found, mark) else {
        return Ok(false);
    };
    let keys = seen.keys();
    let own = parted(&path).pop().unwrap_or_default();
    for name in std::iter::once(own.as_str()).chain(CURSORS.iter().copied()) {
        let asked: Asked<'_> = by.iter().copied().chain([(name, text.as_str())]).collect();
        let next = first(questions, seen, &asked).await?;
        let is_next = match keys.get(by.len()).filter(|_| !by.is_empty()) {
            Some(second) => next.as_ref() == Some(second),
            None => next.is_some_and(|next| !keys.contains(&next)),
        };
        if !is_next {
            continue;
        }
        seen.say(format!(
            "`{name}` asks for the next page, with what `{}` says.",
            json_path(&path)
        ));
        seen.parameter(name, json!({"type": "string"}));
        return Ok(true);
    }
    Ok(false)
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
        if seen
            .rows_in(&answer.body)
            .is_none_or(|rows| rows.len() != 1)
            || seen.rows.len() < 2
        {
            continue;
        }
        if answer.links_next {
            seen.links();
        }
        seen.learn(&answer.body);
        seen.learn_total(&answer);
        number::confirm(seen, &answer.body);
        let all = questions.get(&[(name, "10000")]).await?;
        let most = match (all.status, seen.rows_in(&all.body)) {
            (200, Some(rows)) => largest(name, &all.body, rows.len(), seen),
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
    let total = seen.total.as_ref().map(|(_, total)| *total);
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
async fn page_number(
    questions: &Questions,
    seen: &mut Seen,
    by: &Asked<'_>,
) -> Result<bool, Failure> {
    for name in NUMBERS {
        let page = |page: &'static str| -> Asked<'_> {
            by.iter().copied().chain([(*name, page)]).collect()
        };
        let (zero, one, two) = (
            first(questions, seen, &page("0")).await?,
            first(questions, seen, &page("1")).await?,
            first(questions, seen, &page("2")).await?,
        );
        let begin = seen.rows.first().map(|row| seen.key(row));
        let goes_on = one.is_some() && two.is_some() && one != two;
        let is_from_zero = zero == begin && one.is_some() && one != zero;
        if !goes_on && !is_from_zero {
            continue;
        }
        // Where 0 is an error or the same as 1, pages count from 1.
        let begins_at = u64::from(zero.is_none() || zero == one || one == begin);
        seen.say(format!(
            "`{name}` is the page's number, from {begins_at} on."
        ));
        seen.parameter(name, json!({"type": "integer", "minimum": begins_at}));
        return Ok(true);
    }
    Ok(false)
}

/// Offsets: 1 begins with the second object.
async fn offset(questions: &Questions, seen: &mut Seen, by: &Asked<'_>) -> Result<bool, Failure> {
    let keys = seen.keys();
    let [begin, next, ..] = keys.as_slice() else {
        return Ok(false);
    };
    for name in OFFSETS {
        let from = |index: &'static str| -> Asked<'_> {
            by.iter().copied().chain([(*name, index)]).collect()
        };
        let (one, two) = (
            first(questions, seen, &from("1")).await?,
            first(questions, seen, &from("2")).await?,
        );
        let begins_at = match (one, two) {
            (Some(one), _) if one == *next => 0,
            (Some(one), Some(two)) if one == *begin && two == *next => 1,
            _ => continue,
        };
        seen.say(format!(
            "`{name}` is the first object's index, from {begins_at} on."
        ));
        seen.parameter(name, json!({"type": "integer", "minimum": begins_at}));
        return Ok(true);
    }
    Ok(false)
}

/// Number and size within one parameter that is JSON, as Flask-AppBuilder has them.
async fn within(questions: &Questions, seen: &mut Seen) -> Result<bool, Failure> {
    let keys = seen.keys();
    let [begin, next, ..] = keys.as_slice() else {
        return Ok(false);
    };
    let page = |number: u64| json!({"page": number, "page_size": 1}).to_string();
    for (number, wanted) in [(0, begin), (1, next)] {
        let answer = questions.get(&[("q", &page(number))]).await?;
        let rows = seen.rows_in(&answer.body).filter(|_| answer.status == 200);
        if rows.is_none_or(|rows| {
            rows.len() != 1 || rows.first().map(|row| seen.key(row)).as_ref() != Some(wanted)
        }) {
            return Ok(false);
        }
        number::confirm(seen, &answer.body);
    }
    seen.say(
        "`q` is JSON and holds the page: `page`, from 0 on, and `page_size`, whose most was not asked for."
            .into(),
    );
    let integer = json!({"type": "integer"});
    let mut properties = json!({"page": integer, "page_size": integer});
    let row = seen.rows.first().and_then(Value::as_object);
    let text = row.into_iter().flatten().find_map(|(name, value)| {
        let text = value.as_str().filter(|text| !text.is_empty())?;
        Some((name.clone(), text.to_owned()))
    });
    if let Some((name, text)) = text {
        let filters = json!({"filters": [{"col": name, "opr": "eq", "value": text}]});
        let answer = questions.get(&[("q", &filters.to_string())]).await?;
        let rows = seen.rows_in(&answer.body).filter(|_| answer.status == 200);
        let is_found = rows.is_some_and(|rows| {
            !rows.is_empty()
                && rows
                    .iter()
                    .all(|row| row.get(&name).and_then(Value::as_str) == Some(&text))
        });
        if is_found && let Some(properties) = properties.as_object_mut() {
            seen.say("`filters` in it finds by a column's exact value.".into());
            let text = json!({"type": "string"});
            let filter = json!({"properties": {"col": text, "opr": text, "value": {}}});
            properties.insert("filters".into(), json!({"type": "array", "items": filter}));
        }
    }
    let content = json!({"application/json": {"schema": {"properties": properties}}});
    seen.parameters
        .push(json!({"in": "query", "name": "q", "content": content}));
    Ok(true)
}

/// What tells the first row of an answer from the others; absent if there is none.
async fn first(
    questions: &Questions,
    seen: &Seen,
    parameters: &[(&str, &str)],
) -> Result<Option<Value>, Failure> {
    let answer = questions.get(parameters).await?;
    let rows = seen.rows_in(&answer.body).filter(|_| answer.status == 200);
    Ok(rows.and_then(|rows| rows.first()).map(|row| seen.key(row)))
}

/// As they are usually spelled.
const SIZES: &[&str] = &[
    "per_page",
    "limit",
    "page_size",
    "pageSize",
    "perPage",
    "pagesize",
    "size",
    "count",
    "maxResults",
    "max",
    "max_results",
    "top",
    "$top",
    "first",
    "page[size]",
    "page[limit]",
    "@page_size",
    "itemsPerPage",
    "_limit",
    "rows",
];
const CURSORS: &[&str] = &[
    "cursor",
    "page_token",
    "pageToken",
    "after",
    "starting_after",
    "marker",
    "next_token",
    "nextToken",
    "page[after]",
    "from",
];
const NUMBERS: &[&str] = &[
    "page",
    "page_number",
    "pageNumber",
    "p",
    "page[number]",
    "@page_index",
    "_page",
];
const OFFSETS: &[&str] = &[
    "offset",
    "skip",
    "start",
    "startIndex",
    "startAt",
    "from",
    "page[offset]",
    "$skip",
    "_start",
];
/// How many a reply has where pages are usual.
const PAGES: &[usize] = &[10, 20, 25, 30, 50, 100, 200, 250, 500, 1000];
