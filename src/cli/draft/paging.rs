//! How a list is read on: by the names of parameters and of the reply's members.

use serde_json::Value;

use super::{
    document::{Document, Endpoint, type_of},
    names::normal,
    operations::toml_key,
    sheet::{Row, Sheet, literal, quoted},
};

/// What is known of a list: where its rows are and how to read on.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Listing {
    /// `$.items[*]`.
    pub items: Option<String>,
    /// The key below `page`.
    pub style: Option<Style>,
    pub size: Option<Size>,
    /// As TOML: a path, or `{ header = … }`.
    pub total: Option<String>,
    /// A parameter that reads on from a place which the reply does not name.
    pub open: Option<String>,
    /// `query` of the call, where the page is within a parameter that is JSON.
    pub within: Option<WithinQuery>,
    /// How many one reply holds, where there are more and nothing is known that reads on.
    pub most: Option<u64>,
}

/// `query` of a call, where the page is within a parameter that is JSON. The texts are TOML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WithinQuery {
    parameter: String,
    page: String,
    pub has_filters: bool,
}

impl WithinQuery {
    /// The row, with a filter by a column if one is wanted.
    pub fn row(&self, column: Option<&str>) -> Row {
        let filters = column.map_or_else(String::new, |column| {
            let column = quoted(column);
            format!("filters = [{{ col = {column}, opr = \"eq\", value = \"{{value}}\" }}], ")
        });
        let (parameter, page) = (&self.parameter, &self.page);
        Row::new(
            "query",
            format!("{{ {parameter} = {{ {filters}{page} }} }}"),
        )
    }
}

/// How to read on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Style {
    Offset {
        start: String,
        first: u64,
    },
    Number {
        number: String,
        first: u64,
    },
    Cursor {
        parameter: String,
        next: String,
    },
    NextUrl {
        next: String,
    },
    Link,
    /// Number and size within a parameter that is JSON: the call names them.
    Within,
    /// A size and nothing else.
    Limit,
}

/// The parameter for a page's size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Size {
    pub parameter: String,
    pub most: u64,
    /// Whether somebody said so, or it is only usual.
    pub is_known: bool,
}

impl Listing {
    /// What the document says about a list.
    pub fn of<'d>(
        document: &'d Document<'d>,
        endpoint: &Endpoint<'d>,
    ) -> (Self, Option<&'d Value>) {
        let reply = endpoint.reply();
        let rows = reply.and_then(|schema| rows(document, schema));
        let members = reply
            .map(|schema| flat(document, schema))
            .unwrap_or_default();
        let names: Vec<&str> = members.iter().map(|(path, _)| path.as_str()).collect();
        let parameters = endpoint.query();
        // `count` may be how many came: it is the number of all where the document says so, or beside the links of
        // Django REST framework.
        let is_all = |(path, schema): &&(String, &Value)| {
            let words = schema.get("description").and_then(Value::as_str);
            let says = words.is_some_and(|words| words.to_ascii_lowercase().contains("total"));
            let has_links = names.contains(&"next") && names.contains(&"previous");
            schema.get(IS_TOTAL).is_some() || normal(path) == "count" && (says || has_links)
        };
        let counted = members.iter().find(is_all).map(|(path, _)| path.as_str());
        let total = counted.or(named(&names, TOTALS));
        let total = total.map(|path| literal(&json_path(path)));
        let within = endpoint.page_within();
        let header = TOTAL_HEADERS
            .iter()
            .find_map(|name| endpoint.replies_with(name));
        let listing = Self {
            items: rows.as_ref().map(|(path, _)| path.clone()),
            style: within.map(|_| Style::Within).or_else(|| {
                style(
                    &parameters,
                    &members,
                    endpoint.replies_with("link").is_some(),
                )
            }),
            size: size(&parameters).filter(|_| within.is_none()),
            within: within.map(|within| {
                let (number, size) = (toml_key(within.number), toml_key(within.size));
                let page = format!("{number} = \"{{page.number}}\", {size} = \"{{page.size}}\"");
                WithinQuery {
                    parameter: toml_key(within.parameter),
                    page,
                    has_filters: within.has_filters,
                }
            }),
            most: endpoint.extension(MOST).and_then(Value::as_u64),
            open: parameter(&parameters, CURSORS).map(|(name, _)| name.to_owned()),
            total: total.or_else(|| header.map(|name| format!("{{ header = {} }}", quoted(name)))),
        };
        (listing, rows.map(|(_, schema)| schema))
    }

    /// Where the rows are, and what the call needs to be asked page by page.
    pub fn rows(&self) -> Vec<Row> {
        let items = self
            .items
            .as_deref()
            .map(|items| Row::new("items", literal(items)));
        let query = self.within.as_ref().map(|within| within.row(None));
        query.into_iter().chain(items).collect()
    }

    /// The rows of `page`, below a list's call. `section` is the list's own name: `user.list`.
    pub fn write_page(&self, sheet: &mut Sheet, section: &str) {
        let Some(style) = &self.style else {
            if let Some(most) = self.most {
                sheet.todo(&format!("one reply holds {most} and there are more: how to read on was not found. A longer list is refused, never cut."));
                sheet.line(&format!("[{section}.page.limit]"));
                let total = self
                    .total
                    .iter()
                    .map(|total| Row::new("total", total.clone()));
                let size = Row::new("size", format!("{{ most = {most} }}"));
                let rows: Vec<Row> = std::iter::once(size).chain(total).collect();
                sheet.table(&rows);
            }
            return;
        };
        let (name, mut rows) = style.rows();
        if let Some(open) = self.open.as_ref().filter(|_| *style == Style::Limit) {
            sheet.todo(&format!("`{open}` reads on, but the reply does not say with what: [{section}.page.cursor] if it is in a header, or the last object's id. Until then only one page is read."));
        }
        sheet.line(&format!("[{section}.page.{name}]"));
        if let Some(size) = &self.size {
            let value = format!(
                "{{ parameter = {}, most = {} }}",
                quoted(&size.parameter),
                size.most
            );
            let row = Row::new("size", value);
            rows.push(if size.is_known {
                row
            } else {
                row.guess("the most is not said; 100 is usual")
            });
        }
        if let Some(total) = &self.total {
            rows.push(Row::new("total", total.clone()));
        }
        sheet.table(&rows);
    }
}

impl Style {
    fn rows(&self) -> (&'static str, Vec<Row>) {
        let number = |key: &str, value: u64, usual: u64| {
            (value != usual).then(|| Row::new(key, value.to_string()))
        };
        match self {
            Self::Offset { start, first } => {
                let rows = [
                    Some(Row::new("start", quoted(start))),
                    number("first", *first, 0),
                ];
                ("offset", rows.into_iter().flatten().collect())
            }
            Self::Number {
                number: name,
                first,
            } => {
                let rows = [
                    Some(Row::new("number", quoted(name))),
                    number("first", *first, 1),
                ];
                ("number", rows.into_iter().flatten().collect())
            }
            Self::Cursor { parameter, next } => {
                let rows = vec![
                    Row::new("parameter", quoted(parameter)),
                    Row::new("next", literal(&json_path(next))),
                ];
                ("cursor", rows)
            }
            Self::NextUrl { next } => (
                "next-url",
                vec![Row::new("next", literal(&json_path(next)))],
            ),
            Self::Link => ("link", Vec::new()),
            Self::Within => {
                let size = Row::new("size", "{ most = 100 }");
                let rows = vec![
                    Row::new("first", "0").guess("pages count from 0"),
                    size.guess("the most is not said; 100 is usual"),
                ];
                ("number", rows)
            }
            Self::Limit => ("limit", Vec::new()),
        }
    }
}

/// The parameter for a page's size among parameters.
fn size(parameters: &[(&str, &Value)]) -> Option<Size> {
    let (name, schema) = parameter(parameters, SIZES)?;
    let said = schema.get("maximum").and_then(Value::as_u64);
    Some(Size {
        parameter: name.to_owned(),
        most: said.unwrap_or(100).clamp(1, 10_000),
        is_known: said.is_some(),
    })
}

fn style(
    parameters: &[(&str, &Value)],
    members: &[(String, &Value)],
    has_link: bool,
) -> Option<Style> {
    let names: Vec<&str> = members.iter().map(|(path, _)| path.as_str()).collect();
    // `next` beside `previous` is an address, also where a parameter is a cursor: Django REST framework.
    let text = |path: &str| {
        let mut members = members.iter();
        members.any(|(known, schema)| known == path && type_of(schema) != "integer")
    };
    if names.contains(&"previous") && text("next") {
        return Some(Style::NextUrl {
            next: "next".to_owned(),
        });
    }
    let cursor = parameter(parameters, CURSORS).zip(named(&names, NEXTS));
    if let Some(((name, _), next)) = cursor {
        return Some(Style::Cursor {
            parameter: name.to_owned(),
            next: next.to_owned(),
        });
    }
    if has_link {
        return Some(Style::Link);
    }
    // A `next` that is text is a URL where no parameter takes it; a page's number where it is a number.
    let texts: Vec<&str> = members
        .iter()
        .filter(|(_, schema)| !["integer", "object"].contains(&type_of(schema)))
        .map(|(path, _)| path.as_str())
        .collect();
    if let Some(next) = named(&texts, NEXT_URLS) {
        return Some(Style::NextUrl {
            next: next.to_owned(),
        });
    }
    let first = |schema: &Value, usual: u64| {
        let said = schema.get("minimum").or_else(|| schema.get("default"));
        said.and_then(Value::as_u64)
            .filter(|first| *first <= 1)
            .unwrap_or(usual)
    };
    if let Some((name, schema)) = parameter(parameters, NUMBERS) {
        let (number, first) = (name.to_owned(), first(schema, 1));
        return Some(Style::Number { number, first });
    }
    if let Some((name, schema)) = parameter(parameters, OFFSETS) {
        let usual = u64::from(normal(name) == "startindex");
        let (start, first) = (name.to_owned(), first(schema, usual));
        return Some(Style::Offset { start, first });
    }
    size(parameters).map(|_| Style::Limit)
}

fn parameter<'p>(
    parameters: &[(&'p str, &'p Value)],
    usual: &[&str],
) -> Option<(&'p str, &'p Value)> {
    usual.iter().find_map(|wanted| {
        let mut parameters = parameters.iter();
        parameters
            .find(|(name, _)| normal(name) == *wanted)
            .copied()
    })
}

/// The path whose name, or whose whole path, is one of the usual ones.
pub(super) fn named<'p>(paths: &[&'p str], usual: &[&str]) -> Option<&'p str> {
    usual.iter().find_map(|wanted| {
        let fits = |path: &&&str| {
            let last = path.rsplit(['.', '[']).next().unwrap_or(path);
            normal(path) == *wanted || normal(last) == *wanted
        };
        paths.iter().find(fits).copied()
    })
}

/// Where the rows are and what one is.
fn rows<'d>(document: &'d Document<'d>, schema: &'d Value) -> Option<(String, &'d Value)> {
    if let Some(row) = document.elements(schema) {
        return Some(("$[*]".into(), row));
    }
    let top = document.properties(schema);
    let list = |schema: &'d Value| {
        let row = document.elements(schema)?;
        (!document.properties(row).is_empty()).then_some(row)
    };
    // Beside the rows there may be other lists, such as how they are sorted.
    let lists = top
        .iter()
        .filter_map(|property| Some((property.name, list(property.schema)?)));
    let likelihood = |(name, row): &(&str, &'d Value)| {
        let is_usual = ROWS.contains(&normal(name).as_str());
        let has_id = document
            .properties(row)
            .iter()
            .any(|property| normal(property.name).ends_with("id"));
        (!is_usual, !has_id)
    };
    if let Some((name, row)) = lists.min_by_key(likelihood) {
        return Some((format!("$.{name}[*]"), row));
    }
    for parent in &top {
        for property in document.properties(parent.schema) {
            if let Some(row) = list(property.schema) {
                return Some((format!("$.{}.{}[*]", parent.name, property.name), row));
            }
        }
    }
    None
}

/// Names as one dotted path; a dot within a name is another character there.
pub(super) fn joined(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| name.replace('.', DOT)).collect();
    names.join(".")
}

/// The names of a dotted path.
pub(super) fn parted(dotted: &str) -> Vec<String> {
    let names = dotted.split('.').filter(|name| !name.is_empty());
    names.map(|name| name.replace(DOT, ".")).collect()
}

/// `$.data["@total_size"]` for `data.@total_size`: a name that is no word stands in brackets.
pub(super) fn json_path(dotted: &str) -> String {
    let mut path = String::from("$");
    for name in dotted.split('.') {
        let name = &name.replace(DOT, ".");
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.chars().all(is_word) && !name.starts_with(|c: char| c.is_ascii_digit()) {
            path.push('.');
            path.push_str(name);
        } else {
            path.push_str(&format!("[{}]", Value::from(name.as_str())));
        }
    }
    path
}

/// Members of a reply, two levels deep, lists left out.
fn flat<'d>(document: &'d Document<'d>, schema: &'d Value) -> Vec<(String, &'d Value)> {
    let mut found = Vec::new();
    if document.elements(schema).is_some() {
        return found;
    }
    for property in document.properties(schema) {
        match type_of(property.schema) {
            "array" => {}
            "object" => found.extend(
                document
                    .properties(property.schema)
                    .into_iter()
                    .filter(|inner| type_of(inner.schema) != "array")
                    .flat_map(|inner| {
                        let path = joined(&[property.name, inner.name]);
                        let href = document
                            .properties(inner.schema)
                            .into_iter()
                            .find(|deepest| deepest.name == "href")
                            .map(|deepest| (format!("{path}.href"), deepest.schema));
                        [Some((path, inner.schema)), href]
                    })
                    .flatten(),
            ),
            _ => found.push((joined(&[property.name]), property.schema)),
        }
    }
    found
}

/// Of the schema of a number, in a probe's document: it is the number of all.
pub(super) const IS_TOTAL: &str = "x-is-total";
/// Of a list, in a probe's document: how many one reply holds, where nothing that was tried reads on.
pub(super) const MOST: &str = "x-most";
/// Stands for a dot within a name, where names are joined by dots: `@odata.nextLink`.
const DOT: &str = "\u{1f}";
/// Names of the member with the rows.
const ROWS: &[&str] = &[
    "data",
    "items",
    "entries",
    "results",
    "records",
    "rows",
    "values",
    "value",
    "content",
    "elements",
    "list",
    "resources",
    "objects",
    "users",
    "members",
    "groups",
    "teams",
    "roles",
];
/// Names of the parameter for a page's size.
const SIZES: &[&str] = &[
    "perpage",
    "pagesize",
    "limit",
    "size",
    "count",
    "maxresults",
    "max",
    "top",
    "itemsperpage",
    "pagelimit",
    "rowcount",
    "pagelength",
    "length",
];
/// Names of the parameter for a page's number.
const NUMBERS: &[&str] = &["page", "pagenumber", "pageno", "pageindex", "p"];
/// Names of the parameter for the first row's index.
const OFFSETS: &[&str] = &[
    "offset",
    "skip",
    "start",
    "startindex",
    "startat",
    "from",
    "pageoffset",
];
const CURSORS: &[&str] = &[
    "cursor",
    "pagetoken",
    "nexttoken",
    "after",
    "startingafter",
    "marker",
    "continuationtoken",
    "pagecursor",
    "pageafter",
];
/// Names of the member with what the next page is asked by.
pub(super) const NEXTS: &[&str] = &[
    "nextcursor",
    "nextpagetoken",
    "nexttoken",
    "pagingcursorsafter",
    "continuationtoken",
    "nextmarker",
    "endcursor",
    "cursor",
    "next",
    "after",
];
/// Names of the member with the next page's URL.
pub(super) const NEXT_URLS: &[&str] = &[
    "nextlink",
    "odatanextlink",
    "linksnext",
    "linksnexthref",
    "nexthref",
    "pagingnext",
    "nexturl",
    "nextpageurl",
    "next",
];
/// Names of the member with the number of all rows.
pub(super) const TOTALS: &[&str] = &[
    "totalcount",
    "total",
    "totalresults",
    "totalitems",
    "totalrecords",
    "totalelements",
    "totalsize",
    "recordcount",
    "totalentries",
    "totalrows",
    "totalhits",
];
const TOTAL_HEADERS: &[&str] = &["x-total-count", "x-total", "x-wp-total", "total-count"];
