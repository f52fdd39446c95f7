//! Questions about filters: parameters named like the fields that clients look people up by.

use crate::cli::Failure;

use super::{
    super::{
        names::{self, Usual},
        section::REGARDS_CASE,
    },
    Answer, Questions,
    seen::Seen,
};

/// Whether a parameter it does not know is ignored: then a filter it does not know gives everyone.
pub(super) async fn unknown_parameter(
    questions: &Questions,
    seen: &mut Seen,
) -> Result<(), Failure> {
    let answer = questions.get(&[("no-such-parameter", "1")]).await?;
    seen.say(match answer.status {
        200 => "A parameter it does not know is ignored: a filter that it does not know gives everyone.".to_owned(),
        status => format!("A parameter it does not know is answered {status}."),
    });
    Ok(())
}

/// Parameters named like the fields that clients filter by.
pub(super) async fn ask(questions: &Questions, seen: &mut Seen) -> Result<(), Failure> {
    let Some(row) = seen.rows.first().cloned() else {
        seen.say("The list is empty: nothing can be said about filters and one object.".to_owned());
        return Ok(());
    };
    let kind = questions.kind();
    let is_asked_for = |usual: &&Usual| kind.found_by.contains(&usual.attribute);
    let mut wanted: Vec<&str> = kind
        .fields
        .iter()
        .filter(is_asked_for)
        .flat_map(|usual| usual.fields)
        .copied()
        .collect();
    let has = |names: &[&str]| {
        let mut members = row.as_object().into_iter().flatten();
        members.any(|(name, _)| names.contains(&names::normal(name).as_str()))
    };
    let of_name = kind.fields.first().map_or(&[][..], |usual| usual.fields);
    if !has(of_name) {
        // Then it stands in for the user name.
        wanted.push("name");
    }
    for (name, value) in row.as_object().into_iter().flatten() {
        let is_wanted = wanted.contains(&names::normal(name).as_str());
        let Some(value) = value
            .as_str()
            .filter(|value| is_wanted && !value.is_empty())
        else {
            continue;
        };
        let found = questions.get(&[(name, value)]).await?;
        let nobody = questions.get(&[(name, "no-such-value-7f3a")]).await?;
        let rows = |answer: &Answer| seen.rows_in(&answer.body).map_or(usize::MAX, Vec::len);
        let is_found = rows(&found) >= 1
            && seen
                .rows_in(&found.body)
                .is_some_and(|rows| rows.iter().any(|found| found.get(name) == row.get(name)));
        if is_found
            && matches!(nobody.status, 200 | 404)
            && (nobody.status == 404 || rows(&nobody) == 0)
        {
            let upper = questions.get(&[(name, &value.to_uppercase())]).await?;
            let is_any_case = rows(&upper) >= 1 && rows(&upper) != usize::MAX;
            let case = match is_any_case {
                true => "in any case of letters",
                false => "in this case of letters only",
            };
            seen.say(format!("`{name}=` filters, {case}."));
            let schema = serde_json::json!({"type": "string", (REGARDS_CASE): !is_any_case});
            seen.parameter(name, schema);
        } else if found.status == 200 {
            seen.say(format!("`{name}=` does not filter."));
        } else {
            seen.say(format!(
                "`{name}=` does not filter: it is answered {}.",
                found.status
            ));
        }
    }
    Ok(())
}
