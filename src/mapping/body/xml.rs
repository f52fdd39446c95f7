//! XML as JSON and back: members are elements, `@name` are attributes, `#text` is text beside them.

use quick_xml::{
    Reader,
    events::{BytesRef, BytesStart, Event},
};
use serde_json::{Map, Value};

use super::{MAX_DEPTH, scalar_text};

/// The root element of a body that has not exactly one member.
const FALLBACK_ROOT: &str = "request";

/// Writes a document: the single member is the root element; lists repeat their element.
pub(super) fn encode(body: &Value) -> String {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
    match body {
        Value::Object(members) if members.len() == 1 => {
            for (name, value) in members {
                // A list at the top would be several roots: its items go below one.
                match value {
                    Value::Array(_) => element(FALLBACK_ROOT, body, &mut text),
                    _ => element(name, value, &mut text),
                }
            }
        }
        other => element(FALLBACK_ROOT, other, &mut text),
    }
    text
}

fn element(name: &str, value: &Value, text: &mut String) {
    let name = element_name(name);
    match value {
        Value::Array(items) => {
            for item in items {
                element(&name, item, text);
            }
        }
        Value::Object(members) => {
            text.push_str(&format!("<{name}"));
            for (attribute, value) in members {
                if let Some(attribute) = attribute.strip_prefix('@') {
                    let value = escaped(&scalar_text(value).unwrap_or_default());
                    text.push_str(&format!(" {}=\"{value}\"", element_name(attribute)));
                }
            }
            text.push('>');
            for (member, value) in members {
                match member.as_str() {
                    "#text" => text.push_str(&escaped(&scalar_text(value).unwrap_or_default())),
                    attribute if attribute.starts_with('@') => {}
                    member => element(member, value, text),
                }
            }
            text.push_str(&format!("</{name}>"));
        }
        Value::Null => text.push_str(&format!("<{name}/>")),
        scalar => {
            let content = escaped(&scalar_text(scalar).unwrap_or_default());
            text.push_str(&format!("<{name}>{content}</{name}>"));
        }
    }
}

/// A name that XML admits: other characters become `_`.
fn element_name(name: &str) -> String {
    let mut mended: String = name
        .chars()
        .map(|c| match c {
            '-' | '_' | '.' | ':' => c,
            c if c.is_alphanumeric() => c,
            _ => '_',
        })
        .collect();
    if !mended.starts_with(|c: char| c.is_alphabetic() || c == '_') {
        mended.insert(0, '_');
    }
    mended
}

/// Escapes mark-up and leaves out what XML 1.0 cannot hold at all (§2.2).
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            // As references, since an attribute's white space would be made blanks.
            '\t' | '\n' | '\r' => safe.push_str(&format!("&#{};", u32::from(c))),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => safe.push(c),
        }
    }
    safe
}

/// Reads a document; absent if it is not well-formed, is HTML, or is nested too deep.
///
/// Document types are skipped, entities other than the five of XML itself are dropped: nothing is fetched or expanded.
pub(super) fn decode(bytes: &[u8]) -> Option<Value> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Element> = Vec::new();
    loop {
        let closed = match reader.read_event().ok()? {
            Event::Start(start) => {
                if open.len() >= MAX_DEPTH {
                    return None;
                }
                open.push(Element::begin(&start)?);
                None
            }
            Event::Empty(start) => Some(Element::begin(&start)?),
            Event::End(_) => Some(open.pop()?),
            Event::Text(part) => {
                append(&mut open, &part);
                None
            }
            Event::CData(part) => {
                append(&mut open, &part);
                None
            }
            Event::GeneralRef(reference) => {
                append(&mut open, &resolved(&reference));
                None
            }
            Event::Eof => return None,
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => None,
        };
        if let Some(element) = closed {
            let (name, value) = element.finish();
            match open.last_mut() {
                Some(parent) => parent.add(name, value),
                None if name.eq_ignore_ascii_case("html") => return None,
                None => return Some(Value::Object(Map::from_iter([(name, value)]))),
            }
        }
    }
}

fn append(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

fn resolved(reference: &BytesRef<'_>) -> String {
    if let Ok(Some(character)) = reference.resolve_char_ref() {
        return character.to_string();
    }
    quick_xml::escape::resolve_predefined_entity(reference)
        .unwrap_or_default()
        .to_owned()
}

/// An element that is being read.
struct Element {
    name: String,
    members: Map<String, Value>,
    text: String,
    /// Rails marks lists with `type="array"`: one child is then a list of one.
    is_list: bool,
}

impl Element {
    fn begin(start: &BytesStart<'_>) -> Option<Self> {
        let mut members = Map::new();
        for attribute in start.attributes() {
            let attribute = attribute.ok()?;
            let value = quick_xml::escape::unescape(&attribute.value).ok()?;
            let name = format!("@{}", attribute.key.as_ref());
            members.insert(name, Value::String(value.into_owned()));
        }
        let is_list = members.get("@type").is_some_and(|kind| kind == "array");
        Some(Self {
            name: start.name().as_ref().to_owned(),
            members,
            text: String::new(),
            is_list,
        })
    }

    fn add(&mut self, name: String, value: Value) {
        match self.members.get_mut(&name) {
            Some(Value::Array(items)) => items.push(value),
            Some(one) => {
                let first = one.take();
                *one = Value::Array(vec![first, value]);
            }
            None if self.is_list => {
                self.members.insert(name, Value::Array(vec![value]));
            }
            None => {
                self.members.insert(name, value);
            }
        }
    }

    /// Text alone is a string, nothing at all is null.
    fn finish(mut self) -> (String, Value) {
        let text = self.text.trim();
        let value = match (self.members.is_empty(), text.is_empty()) {
            (true, true) => Value::Null,
            (true, false) => Value::String(self.text),
            (false, true) => Value::Object(self.members),
            (false, false) => {
                self.members
                    .insert("#text".into(), Value::String(text.to_owned()));
                Value::Object(self.members)
            }
        };
        (self.name, value)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_body_is_written_with_one_root() {
        let cases = [
            (
                json!({"user": {"login": "ada", "n": 3, "x": null}}),
                "<user><login>ada</login><n>3</n><x/></user>",
            ),
            (
                json!({"ids": {"@type": "array", "id": [1, 2]}}),
                "<ids type=\"array\"><id>1</id><id>2</id></ids>",
            ),
            (
                json!({"a": 1, "b": 2}),
                "<request><a>1</a><b>2</b></request>",
            ),
            (json!({"a": [1, 2]}), "<request><a>1</a><a>2</a></request>"),
            (json!({"a": {"#text": "t", "@k": "v"}}), "<a k=\"v\">t</a>"),
            (json!({"a b": "x"}), "<a_b>x</a_b>"),
            (json!({"1": "x"}), "<_1>x</_1>"),
        ];
        for (body, expected) in cases {
            let text = encode(&body);
            assert_eq!(text.split_once("?>").unwrap().1, expected);
        }
    }

    #[test]
    fn a_document_reads_as_the_same_data_json_would_give() {
        let cases = [
            (
                "<?xml version=\"1.0\"?><user><id>3</id><mail/></user>",
                json!({"user": {"id": "3", "mail": null}}),
            ),
            ("<u><a>1</a><a>2</a></u>", json!({"u": {"a": ["1", "2"]}})),
            (
                "<users type=\"array\"><user><id>1</id></user></users>",
                json!({"users": {"@type": "array", "user": [{"id": "1"}]}}),
            ),
            (
                "<a k=\"x &amp; y\">t</a>",
                json!({"a": {"@k": "x & y", "#text": "t"}}),
            ),
            ("<a>x &lt; y &#65;&unknown;</a>", json!({"a": "x < y A"})),
            ("<a><![CDATA[<b>]]></a>", json!({"a": "<b>"})),
        ];
        for (text, expected) in cases {
            assert_eq!(decode(text.as_bytes()), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_not_well_formed_or_too_deep_is_refused() {
        let bomb = "<a>".repeat(MAX_DEPTH + 1);
        for text in [
            "<a>",
            "<a></b>",
            "<html><body/></html>",
            "",
            "<a b></a",
            bomb.as_str(),
        ] {
            assert_eq!(decode(text.as_bytes()), None, "{text:.20}");
        }
    }

    #[test]
    fn entities_are_never_expanded() {
        let text = "<!DOCTYPE a [<!ENTITY x \"xxxxxxxx\"><!ENTITY f SYSTEM \"file:///etc/passwd\">]><a>&x;&f;</a>";
        assert_eq!(decode(text.as_bytes()), Some(json!({"a": null})));
    }

    #[test]
    fn any_text_comes_back_as_it_was_written() {
        for text in ["a<b>&\"'", "x\ty\nz", "ж€😀", "]]>"] {
            let written = encode(&json!({"a": {"b": text, "@c": text}}));
            let read = decode(written.as_bytes()).unwrap();
            assert_eq!(read, json!({"a": {"@c": text, "b": text}}), "{written}");
        }
    }
}
