//! Tokens to a filter: recursive descent with a counted depth.

use serde_json::{Number, Value};

use super::lexer::{Lexer, Token, is_typographic_quote};
use super::{CompareOp, Filter, FilterError, Tolerated, Toleration};
use crate::scim::path::{AttributePath, PathError, is_name};

/// The longest filter, in bytes. Real ones have less than 2 KiB.
pub const MAX_FILTER_BYTES: usize = 8 * 1024;
/// How deep parentheses and brackets may nest. Each level costs stack.
pub const MAX_FILTER_DEPTH: usize = 32;
/// How many comparisons a filter may have. Real ones have fewer than 20.
pub const MAX_FILTER_TERMS: usize = 256;

/// Reads a whole filter; reports what was read leniently, if that is allowed.
pub(super) fn parse(
    text: &str,
    is_tolerant: bool,
) -> Result<(Filter, Vec<Tolerated>), FilterError> {
    if text.len() > MAX_FILTER_BYTES {
        let message = format!("the filter is longer than {MAX_FILTER_BYTES} bytes");
        return Err(FilterError::new(MAX_FILTER_BYTES, message));
    }
    let mut parser = Parser::new(text, 0, is_tolerant);
    let filter = parser.read_or()?;
    let (token, position) = parser.take()?;
    if token != Token::End {
        let message = "`and`, `or` or the end of the filter is expected";
        return Err(FilterError::new(position, message));
    }
    Ok((filter, parser.tolerated))
}

/// Reads the value filter whose `[` stands at byte `open`; gives it with the place behind its `]`.
pub(crate) fn parse_bracketed(
    text: &str,
    open: usize,
    is_tolerant: bool,
) -> Result<(Filter, usize, Vec<Tolerated>), PathError> {
    let mut parser = Parser::new(text, open, is_tolerant);
    let filter = parser
        .read_value_filter()
        .map_err(|e| PathError::new(e.position, e.message))?;
    Ok((filter, parser.lexer.position(), parser.tolerated))
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    peeked: Option<(Token<'a>, usize)>,
    depth: usize,
    terms: usize,
    is_in_brackets: bool,
    is_tolerant: bool,
    tolerated: Vec<Tolerated>,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str, position: usize, is_tolerant: bool) -> Self {
        Self {
            lexer: Lexer::new(text, position),
            peeked: None,
            depth: 0,
            terms: 0,
            is_in_brackets: false,
            is_tolerant,
            tolerated: Vec::new(),
        }
    }

    fn read_or(&mut self) -> Result<Filter, FilterError> {
        let mut filters = vec![self.read_and()?];
        while self.takes_keyword("or")? {
            filters.push(self.read_and()?);
        }
        Ok(joined(filters, Filter::Or))
    }

    fn read_and(&mut self) -> Result<Filter, FilterError> {
        let mut filters = vec![self.read_term()?];
        while self.takes_keyword("and")? {
            filters.push(self.read_term()?);
        }
        Ok(joined(filters, Filter::And))
    }

    fn read_term(&mut self) -> Result<Filter, FilterError> {
        match self.take()? {
            (Token::Open, position) => self.read_group(position),
            (Token::Word(word), position) => {
                if word.eq_ignore_ascii_case("not") && *self.peek()? == Token::Open {
                    let (_, position) = self.take()?;
                    let inner = self.read_group(position)?;
                    return Ok(Filter::Not(Box::new(inner)));
                }
                self.read_attribute_term(word, position)
            }
            (_, position) => Err(FilterError::new(position, "an attribute is expected")),
        }
    }

    /// Reads the rest of a parenthesis that was opened at `position`.
    fn read_group(&mut self, position: usize) -> Result<Filter, FilterError> {
        self.descend(position)?;
        let filter = self.read_or()?;
        self.depth -= 1;
        match self.take()? {
            (Token::Close, _) => Ok(filter),
            (_, position) => Err(FilterError::new(
                position,
                "`and`, `or` or a closing parenthesis is expected",
            )),
        }
    }

    /// Reads what follows an attribute: `pr`, a comparison or a value filter.
    fn read_attribute_term(&mut self, word: &str, position: usize) -> Result<Filter, FilterError> {
        self.terms += 1;
        if self.terms > MAX_FILTER_TERMS {
            let message = format!("the filter has more than {MAX_FILTER_TERMS} comparisons");
            return Err(FilterError::new(position, message));
        }
        let word = self.without_sign(word, position);
        let path = AttributePath::parse(word)
            .map_err(|e| FilterError::new(position + e.position, e.message))?;
        if *self.peek()? == Token::OpenBracket {
            return self.read_value_path(path, position);
        }
        self.read_comparison(path)
    }

    fn read_comparison(&mut self, path: AttributePath) -> Result<Filter, FilterError> {
        let (token, position) = self.take()?;
        let Token::Word(word) = token else {
            return Err(FilterError::new(position, "an operator is expected"));
        };
        if word.eq_ignore_ascii_case("pr") {
            return Ok(Filter::Present(path));
        }
        if let Some(op) = self.sign(word, position) {
            return Ok(Filter::Compare(path, op, self.read_value()?));
        }
        let Some(op) = CompareOp::parse(word) else {
            let message = "an operator is expected: eq, ne, co, sw, ew, gt, ge, lt, le or pr";
            return Err(FilterError::new(position, message));
        };
        Ok(Filter::Compare(path, op, self.read_value()?))
    }

    /// The name in front of a sign that is written without a space: `userName==`.
    fn without_sign<'w>(&mut self, word: &'w str, position: usize) -> &'w str {
        match word.find(['=', '!']) {
            Some(at) if at > 0 && self.is_tolerant && self.peeked.is_none() => {
                self.lexer.go_back_to(position + at);
                word.get(..at).unwrap_or(word)
            }
            _ => word,
        }
    }

    /// The operator that a sign stands for; a value without a space behind it is read next.
    fn sign(&mut self, word: &str, position: usize) -> Option<CompareOp> {
        const SIGNS: [(&str, CompareOp); 3] = [
            ("==", CompareOp::Eq),
            ("!=", CompareOp::Ne),
            ("=", CompareOp::Eq),
        ];
        let (sign, op) = SIGNS
            .iter()
            .find(|(sign, _)| self.is_tolerant && word.starts_with(sign))?;
        self.lexer.go_back_to(position + sign.len());
        self.tolerate(Toleration::Sign, position);
        Some(*op)
    }

    fn read_value_path(
        &mut self,
        path: AttributePath,
        position: usize,
    ) -> Result<Filter, FilterError> {
        if self.is_in_brackets {
            return Err(FilterError::new(position, "value filters cannot be nested"));
        }
        if path.sub_attribute.is_some() {
            let message = "a value filter must follow an attribute, not a sub-attribute";
            return Err(FilterError::new(position, message));
        }
        let inner = self.read_value_filter()?;
        let end = self.lexer.position();
        let sub_attribute = match self.peek()? {
            Token::Word(word) => word.strip_prefix('.').filter(|name| is_name(name)),
            _ => None,
        };
        // Only directly behind the bracket: Entra writes `emails[type eq "work"].value eq "x"`.
        let (Some(name), true) = (sub_attribute.map(str::to_owned), self.is_tolerant) else {
            return Ok(Filter::ValuePath(path, Box::new(inner)));
        };
        self.take()?;
        self.tolerate(Toleration::SubAttributeBehindBrackets, end);
        let comparison = self.read_comparison(AttributePath::of(name))?;
        let both = joined(vec![inner, comparison], Filter::And);
        Ok(Filter::ValuePath(path, Box::new(both)))
    }

    /// Reads `[…]`.
    fn read_value_filter(&mut self) -> Result<Filter, FilterError> {
        let (_, position) = self.take()?;
        self.descend(position)?;
        self.is_in_brackets = true;
        let filter = self.read_or()?;
        self.is_in_brackets = false;
        self.depth -= 1;
        match self.take()? {
            (Token::CloseBracket, _) => Ok(filter),
            (_, position) => Err(FilterError::new(
                position,
                "`and`, `or` or a closing bracket is expected",
            )),
        }
    }

    fn read_value(&mut self) -> Result<Value, FilterError> {
        let (token, position) = self.take()?;
        match token {
            Token::Text(text) => Ok(Value::String(text)),
            Token::Word(word) => match literal(word) {
                Some(value) => Ok(value),
                None if self.is_tolerant => self.read_tolerated_value(word, position),
                None => Err(FilterError::new(position, VALUE_EXPECTED)),
            },
            _ => Err(FilterError::new(position, VALUE_EXPECTED)),
        }
    }

    /// Reads what is no JSON value, but whose meaning is clear.
    fn read_tolerated_value(&mut self, word: &str, position: usize) -> Result<Value, FilterError> {
        let kind = match word.chars().next() {
            Some('\'') => Some(Toleration::SingleQuotes),
            Some(quote) if is_typographic_quote(quote) => Some(Toleration::TypographicQuotes),
            _ => None,
        };
        if let Some(kind) = kind {
            let text = self.lexer.read_quoted(position)?;
            self.tolerate(kind, position);
            return Ok(Value::String(text));
        }
        if let Some(value) = literal(&word.to_ascii_lowercase()) {
            self.tolerate(Toleration::KeywordCase, position);
            return Ok(value);
        }
        if ["and", "or", "not"]
            .iter()
            .any(|k| word.eq_ignore_ascii_case(k))
        {
            return Err(FilterError::new(position, VALUE_EXPECTED));
        }
        self.tolerate(Toleration::BareWord, position);
        Ok(Value::String(word.to_owned()))
    }

    fn tolerate(&mut self, kind: Toleration, position: usize) {
        self.tolerated.push(Tolerated { kind, position });
    }

    fn descend(&mut self, position: usize) -> Result<(), FilterError> {
        self.depth += 1;
        if self.depth > MAX_FILTER_DEPTH {
            let message = format!("the filter is nested deeper than {MAX_FILTER_DEPTH} levels");
            return Err(FilterError::new(position, message));
        }
        Ok(())
    }

    fn takes_keyword(&mut self, keyword: &str) -> Result<bool, FilterError> {
        let sign = if keyword == "and" { "&&" } else { "||" };
        let is_tolerant = self.is_tolerant;
        let Token::Word(word) = self.peek()? else {
            return Ok(false);
        };
        let is_sign = is_tolerant && *word == sign;
        let is_next = is_sign || word.eq_ignore_ascii_case(keyword);
        if is_next
            && let Some((_, position)) = self.peeked.take()
            && is_sign
        {
            self.tolerate(Toleration::Sign, position);
        }
        Ok(is_next)
    }

    fn take(&mut self) -> Result<(Token<'a>, usize), FilterError> {
        match self.peeked.take() {
            Some(token) => Ok(token),
            None => self.lexer.read(),
        }
    }

    fn peek(&mut self) -> Result<&Token<'a>, FilterError> {
        let token = match self.peeked.take() {
            Some(token) => token,
            None => self.lexer.read()?,
        };
        Ok(&self.peeked.insert(token).0)
    }
}

/// Joins filters into one; what is joined the same way already becomes part of it, so that long
/// chains stay flat however they are bracketed.
pub(super) fn joined(mut filters: Vec<Filter>, join: fn(Vec<Filter>) -> Filter) -> Filter {
    if filters.len() == 1
        && let Some(only) = filters.pop()
    {
        return only;
    }
    let is_and = matches!(join(Vec::new()), Filter::And(_));
    let mut flat = Vec::with_capacity(filters.len());
    for filter in filters {
        match filter {
            Filter::And(inner) if is_and => flat.extend(inner),
            Filter::Or(inner) if !is_and => flat.extend(inner),
            other => flat.push(other),
        }
    }
    join(flat)
}

/// A JSON number, boolean or null.
fn literal(word: &str) -> Option<Value> {
    match serde_json::from_str(word).ok()? {
        // serde_json rounds some decimals to a neighbour; the standard library never does.
        Value::Number(n) if n.is_f64() => {
            let exact = word.parse().ok()?;
            Number::from_f64(exact).map(Value::Number)
        }
        value @ (Value::Number(_) | Value::Bool(_) | Value::Null) => Some(value),
        _ => None,
    }
}

const VALUE_EXPECTED: &str =
    "a value is expected: a text in double quotes, a number, true, false or null";

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use crate::scim::{Filter, Matcher, ResourceType};

    #[test]
    fn filters_are_printed_as_they_mean() {
        let cases = [
            (r#"userName Eq "b\"j""#, r#"userName eq "b\"j""#),
            ("a eq 1 or b eq 2 and c eq 3", "a eq 1 or b eq 2 and c eq 3"),
            ("(a eq 1 or b eq 2) and c pr", "(a eq 1 or b eq 2) and c pr"),
            ("a pr and (b pr and (c pr))", "a pr and b pr and c pr"),
            (
                "NOT(a pr) AND not (b eq null)",
                "not (a pr) and not (b eq null)",
            ),
            (
                r#"emails[type eq "work" and value co "@example.com"]"#,
                r#"emails[type eq "work" and value co "@example.com"]"#,
            ),
            (
                r#"urn:a:b:2.0:User:manager.displayName sw "J""#,
                r#"urn:a:b:2.0:User:manager.displayName sw "J""#,
            ),
            ("a eq -1.50e1", "a eq -15.0"),
        ];
        for (text, printed) in cases {
            let filter = Filter::parse(text).unwrap();
            assert_eq!(filter.to_string(), printed, "{text}");
            assert_eq!(Filter::parse(printed).unwrap(), filter, "{text}");
        }
    }

    #[test]
    fn errors_point_at_the_place() {
        let cases = [
            ("", 0),
            ("userName", 8),
            ("userName eq", 11),
            ("userName is 1", 9),
            ("userName eq bjensen", 12),
            ("userName eq True", 12),
            ("userName eq \"x", 12),
            ("userName eq \"\\ud800\"", 12),
            ("(a pr", 5),
            ("a pr)", 4),
            ("a pr b pr", 5),
            ("a pr and", 8),
            ("1a pr", 0),
            ("a.b.c pr", 2),
            ("a[b[c pr]]", 2),
            ("a[b pr", 6),
            ("a.b[c pr]", 0),
            ("emails[type pr].value eq 1", 15),
        ];
        for (text, position) in cases {
            let error = Filter::parse(text).unwrap_err();
            assert_eq!(error.position, position, "{text}: {error}");
        }
    }

    #[test]
    fn lenient_reading_reports_what_it_tolerated() {
        let cases = [
            (
                r#"emails[type eq "work"].value eq "x""#,
                r#"emails[type eq "work" and value eq "x"]"#,
                1,
            ),
            ("active eq True", "active eq true", 1),
            ("userName eq a@b.example", r#"userName eq "a@b.example""#, 1),
            ("title eq 'a b' or x pr", r#"title eq "a b" or x pr"#, 1),
            (r#"title eq "a""#, r#"title eq "a""#, 0),
        ];
        for (text, meaning, tolerated) in cases {
            let (filter, notes) = Filter::parse_tolerant(text).unwrap();
            assert_eq!(filter.to_string(), meaning);
            assert_eq!(notes.len(), tolerated, "{text}");
        }
        assert!(Filter::parse_tolerant("a eq and").is_err());
        assert!(Filter::parse_tolerant("a eq 'x").is_err());
    }

    #[test]
    fn s15_limits_hold_exactly() {
        let nested = |depth: usize| format!("{}a pr{}", "(".repeat(depth), ")".repeat(depth));
        assert!(Filter::parse(&nested(32)).is_ok());
        assert!(Filter::parse(&nested(33)).is_err());
        let terms = |count: usize| vec!["a pr"; count].join(" or ");
        assert!(Filter::parse(&terms(256)).is_ok());
        assert!(Filter::parse(&terms(257)).is_err());
        let long = |bytes: usize| format!("{:<bytes$}", "a pr");
        assert!(Filter::parse(&long(8 * 1024)).is_ok());
        assert!(Filter::parse(&long(8 * 1024 + 1)).is_err());
    }

    #[test]
    fn s15_the_deepest_filter_is_used_on_a_small_stack() {
        let thread = std::thread::Builder::new().stack_size(256 * 1024);
        let used = thread.spawn(|| {
            let text = format!("{}title pr{}", "not (".repeat(32), ")".repeat(32));
            let filter = Filter::parse(&text).unwrap();
            let user_type = ResourceType::user(Vec::new());
            let matcher = Matcher::compile(&filter, &user_type).unwrap();
            filter.to_string() == text && filter.clone() == filter && !matcher.matches(&Map::new())
        });
        assert!(used.unwrap().join().unwrap());
    }

    #[test]
    fn s15_depth_bombs_are_refused_on_a_small_stack() {
        let bombs = ["not (", "(", "[", "a[", "a.", "a["].map(|s| s.repeat(20_000));
        let thread = std::thread::Builder::new().stack_size(256 * 1024);
        let refused = thread.spawn(move || {
            bombs.iter().all(|bomb| {
                let short = bomb.get(..8_000).unwrap();
                [bomb.as_str(), short].into_iter().all(|text| {
                    Filter::parse(text).is_err()
                        && Filter::parse_tolerant(text).is_err()
                        && crate::scim::PatchPath::parse(text).is_err()
                        && crate::scim::PatchPath::parse(text.get(..1000).unwrap()).is_err()
                })
            })
        });
        assert!(refused.unwrap().join().unwrap());
    }
}
