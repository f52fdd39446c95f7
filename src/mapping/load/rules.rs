//! Rules about what replies mean.

use crate::{
    diagnostic::closest,
    mapping::model::{AttributeRule, Meaning, ReplyRule, StatusRange, TypeMapping},
    scim::{AttributePath, PatchPath, ScimType, schema::builtin},
};

use super::{
    context::Context,
    reader::Reader,
    shape::{Kind, Shape, key},
    syntax,
    tree::{Content, Node},
};

static MEANING_WORDS: &[&str] = &[
    "ok",
    "created",
    "already-so",
    "not-found",
    "uniqueness",
    "changed",
    "invalid-value",
    "mutability",
    "forbidden",
    "not-logged-in",
    "too-many",
    "retry",
    "not-supported",
    "failed",
];

static HEADER: Shape = Shape {
    name: "a rule's `header`",
    about: "A header that the reply has.",
    keys: &[
        key(
            "name",
            Kind::Text,
            "required",
            "The header's name.",
            "\"X-Error\"",
        ),
        key(
            "matches",
            Kind::Pattern,
            "any value",
            "What its value looks like.",
            "\"duplicate\"",
        ),
    ],
    base: None,
    others: None,
};

pub(super) static RULE: Shape = Shape {
    name: "a reply rule",
    about: "Says what a reply means. All conditions that are given must hold; the first rule that holds decides. \
            A rule without conditions holds always.",
    keys: &[
        key(
            "status",
            STATUS_KIND,
            "any",
            "A status, a range, or several.",
            "[404, \"500-599\"]",
        ),
        key(
            "header",
            Kind::OneOf(&[Kind::Text, Kind::Table(&HEADER)]),
            "",
            "A header that is there.",
            "\"X-Error\"",
        ),
        key(
            "when",
            Kind::Expression,
            "",
            "Holds for the reply's members and `status`.",
            "'error.code == \"E17\"'",
        ),
        key(
            "contains",
            Kind::Text,
            "",
            "A text in what `detail` finds, or in the body; letter case does not count.",
            "\"already been taken\"",
        ),
        key(
            "matches",
            Kind::Pattern,
            "",
            "The same as a pattern.",
            "\"login .* exists\"",
        ),
        key(
            "is",
            Kind::Choice(MEANING_WORDS),
            "required",
            "What the reply means.",
            "\"uniqueness\"",
        ),
        key(
            "attribute",
            Kind::Text,
            "none",
            "The SCIM attribute the refusal is about.",
            "\"userName\"",
        ),
        key(
            "say",
            Kind::Template,
            "the application's own words",
            "Said to the client instead.",
            "\"The address is in use.\"",
        ),
    ],
    base: None,
    others: None,
};

const STATUS_KIND: Kind = Kind::OneOf(&[
    Kind::Count,
    Kind::Text,
    Kind::Many(&Kind::OneOf(&[Kind::Count, Kind::Text])),
]);

/// The rules under a key.
pub(super) fn rules(reader: &Reader<'_>, key: &str) -> Vec<ReplyRule> {
    let tables = reader.tables(key);
    let read: Vec<(&Reader<'_>, ReplyRule)> = tables
        .iter()
        .filter_map(|table| Some((table, rule(table)?)))
        .collect();
    for (at, (table, later)) in read.iter().enumerate() {
        let before = read
            .iter()
            .take(at)
            .find(|(_, earlier)| takes_all_of(earlier, later));
        if let Some((earlier, _)) = before {
            reader.context.warning(
                "mapping::unreachable-rule",
                table.place,
                "This rule never decides: one before it holds whenever it does.".to_owned(),
                &format!("put it before the one at {}", earlier.place),
            );
        }
    }
    read.into_iter().map(|(_, rule)| rule).collect()
}

/// Whether the earlier rule holds for every reply for which the later one does. Only plain conditions are compared.
fn takes_all_of(earlier: &ReplyRule, later: &ReplyRule) -> bool {
    let is_within = |range: &StatusRange| {
        earlier
            .status
            .iter()
            .any(|wide| wide.first <= range.first && range.last <= wide.last)
    };
    let statuses =
        earlier.status.is_empty() || !later.status.is_empty() && later.status.iter().all(is_within);
    let same_text = match (&earlier.contains, &later.contains) {
        (None, _) => true,
        (Some(short), Some(long)) => long.to_lowercase().contains(&short.to_lowercase()),
        _ => false,
    };
    let same_condition = match (&earlier.when, &later.when) {
        (None, _) => true,
        (Some(wide), Some(narrow)) => wide.is_implied_by(narrow),
        _ => false,
    };
    let no_more = earlier.header.is_none() && same_condition && earlier.matches.is_none();
    statuses && same_text && no_more
}

fn rule(reader: &Reader<'_>) -> Option<ReplyRule> {
    if !reader.has("is") {
        reader.missing("is");
    }
    let meaning = reader.choice("is", &MEANINGS);
    let rule = ReplyRule {
        status: statuses(reader, "status"),
        header: header(reader),
        when: syntax::expression_at(reader, "when"),
        contains: reader.text("contains"),
        matches: syntax::pattern_at(reader, "matches"),
        is: meaning?,
        attribute: attribute(reader),
        say: syntax::template_at(reader, "say"),
    };
    // A condition that could not be read must not count as none.
    let is_whole = [
        ("status", !rule.status.is_empty()),
        ("header", rule.header.is_some()),
        ("when", rule.when.is_some()),
        ("contains", rule.contains.is_some()),
        ("matches", rule.matches.is_some()),
    ]
    .iter()
    .all(|(key, is_read)| *is_read || !reader.has(key));
    is_whole.then_some(rule)
}

fn attribute(reader: &Reader<'_>) -> Option<String> {
    let name = reader.text("attribute")?;
    if let Some(node) = reader.node("attribute") {
        let mut named = reader.context.named_by_rules.borrow_mut();
        named.push((name.clone(), node.place.clone()));
    }
    Some(name)
}

/// Complains about rules that name an attribute which no type has.
pub(super) fn check_attributes(context: &Context<'_>, types: &[TypeMapping]) {
    for (name, place) in context.named_by_rules.take() {
        let path = PatchPath::parse(&name).ok().map(|path| path.path);
        let is_known = |path: &AttributePath| {
            let mut own = types.iter();
            let built_in = [
                builtin::user(),
                builtin::group(),
                builtin::enterprise_user(),
            ];
            own.any(|t| t.resource_type.resolve(path).is_some())
                || built_in
                    .iter()
                    .any(|s| s.attribute(&path.attribute).is_some())
        };
        if path.as_ref().is_some_and(is_known) {
            continue;
        }
        let lines = types.iter().flat_map(|t| &t.attributes);
        let written = |line: &&AttributeRule| {
            let write = line.write.as_ref();
            write.is_some_and(|write| write.place.to_string() == name)
        };
        let mending = match lines.clone().find(written) {
            Some(line) => format!("to the client it is `{}`", line.location.path),
            None => {
                let known: Vec<String> = lines.map(|line| line.location.path.to_string()).collect();
                match closest(&name, known.iter().map(String::as_str)) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => {
                        "the client's name for it, as in `[user.attributes]`: `userName`, `emails`"
                            .to_owned()
                    }
                }
            }
        };
        let sentence = format!("`{name}` is no attribute of what is mapped here.");
        context.error("mapping::unknown-attribute", &place, sentence, &mending);
    }
}

static MEANINGS: [(&str, Meaning); 14] = [
    ("ok", Meaning::Ok),
    ("created", Meaning::Created),
    ("already-so", Meaning::AlreadySo),
    ("not-found", Meaning::NotFound),
    ("uniqueness", Meaning::Uniqueness),
    ("changed", Meaning::Changed),
    ("invalid-value", Meaning::Refused(ScimType::InvalidValue)),
    ("mutability", Meaning::Refused(ScimType::Mutability)),
    ("forbidden", Meaning::Forbidden),
    ("not-logged-in", Meaning::NotLoggedIn),
    ("too-many", Meaning::TooMany),
    ("retry", Meaning::Retry),
    ("not-supported", Meaning::NotSupported),
    ("failed", Meaning::Failed),
];

fn header(reader: &Reader<'_>) -> Option<(String, Option<regex::Regex>)> {
    let node = reader.node("header")?;
    if let Some(name) = node.as_text() {
        return Some((syntax::header_name(reader.context, node, name)?, None));
    }
    let header = reader.table("header")?;
    let name = header.required_text("name")?;
    let name = syntax::header_name(reader.context, header.node("name")?, &name)?;
    Some((name, syntax::pattern_at(&header, "matches")))
}

/// Statuses: `422`, `[404, 410]`, `"500-599"`.
pub(super) fn statuses(reader: &Reader<'_>, key: &str) -> Vec<StatusRange> {
    let Some(node) = reader.node(key) else {
        return Vec::new();
    };
    let items = match &node.content {
        Content::List(items) => items.iter().collect(),
        _ => vec![node],
    };
    if items.is_empty() {
        bad_status(reader, node);
    }
    items
        .into_iter()
        .filter_map(|item| status(reader, key, item))
        .collect()
}

fn status(reader: &Reader<'_>, key: &str, node: &Node) -> Option<StatusRange> {
    let range = match &node.content {
        Content::Integer(number) => u16::try_from(*number).ok().map(|one| (one, one)),
        Content::Text(text) => {
            let (first, last) = text.split_once('-').unwrap_or((text, text));
            first.trim().parse().ok().zip(last.trim().parse().ok())
        }
        _ => {
            reader.wrong_type(key, node);
            return None;
        }
    };
    let range =
        range.filter(|(first, last)| (100..=599).contains(first) && first <= last && *last <= 599);
    if range.is_none() {
        bad_status(reader, node);
    }
    range.map(|(first, last)| StatusRange { first, last })
}

fn bad_status(reader: &Reader<'_>, node: &Node) {
    let of_class = |text: &str| {
        let class = text.strip_suffix(['x', 'X'])?.strip_suffix(['x', 'X'])?;
        let class = class
            .parse::<u16>()
            .ok()
            .filter(|class| (1..=5).contains(class))?;
        Some(format!("did you mean `\"{class}00-{class}99\"`?"))
    };
    reader.context.error(
        "mapping::bad-status",
        &node.place,
        "A status is a number from 100 to 599, or a range of them.".to_owned(),
        &node
            .as_text()
            .and_then(of_class)
            .unwrap_or_else(|| "write `422`, or `\"500-599\"`".to_owned()),
    );
}
