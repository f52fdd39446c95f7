//! Tokens to a tree: recursive descent, the depth counted.
//!
//! ```text
//! expression = or ["if" or ["else" expression]]
//! or         = and {"or" and}
//! and        = not {"and" not}
//! not        = {"not"} comparison
//! comparison = sum [("==" | "!=" | "<" | "<=" | ">" | ">=" | "in" | "not" "in") sum]
//! sum        = chain {"+" chain}
//! chain      = value {"." name | "[" expression "]" | "|" filter}
//! ```

use serde_json::Value;

use crate::mapping::path::SyntaxError;

use super::{
    ast::{Comparison, Link, Node},
    lexer::{Kind, Token},
};

/// How deep parentheses, brackets, arguments, `not` and `else` may nest.
const MAX_DEPTH: usize = 32;

/// The most random characters one call may take.
const MAX_RANDOM: u64 = 256;

/// What a text says.
pub(super) struct Parsed {
    pub node: Node,
    /// Where the last operand of a sum begins that has a filter behind it, in no parentheses: `a + b | lower`.
    pub filtered_operand: Option<usize>,
}

/// Reads a whole expression; `start` and `end` are its place in the text.
pub(super) fn parse(tokens: &[Token<'_>], start: usize, end: usize) -> Result<Parsed, SyntaxError> {
    if tokens.is_empty() {
        let error = SyntaxError::new(
            start,
            end.saturating_sub(start),
            "An expression is missing.",
        );
        return Err(error.mend("write a name, such as `userName`"));
    }
    let mut parser = Parser {
        tokens,
        next: 0,
        end,
        depth: 0,
        filtered_operand: None,
    };
    let node = parser.expression()?;
    match parser.peek() {
        None => Ok(Parsed {
            node,
            filtered_operand: parser.filtered_operand,
        }),
        Some(token) => {
            let error = parser.unexpected("an operator, a filter or the end");
            Err(match token.kind {
                Kind::Sign("(") => error
                    .mend("values have no methods: a filter stands behind `|`, `{value | lower}`"),
                Kind::Word(word) => match operator_of_others(word) {
                    Some(mending) => error.mend(mending),
                    None => error,
                },
                _ => error,
            })
        }
    }
}

/// How an operator of other languages is said here.
fn operator_of_others(word: &str) -> Option<&'static str> {
    Some(match word.to_ascii_lowercase().as_str() {
        "contains" | "co" | "includes" | "has" => {
            "what is within another stands first: `\"part\" in text`"
        }
        "matches" | "startswith" | "endswith" | "sw" | "ew" | "like" => {
            "write `text | match(\"^part\")`, which is absent where nothing matches"
        }
        "eq" | "is" | "equals" => "a comparison is written `==`",
        "ne" => "a comparison is written `!=`",
        "gt" => "a comparison is written `>`",
        "ge" | "gte" => "a comparison is written `>=`",
        "lt" => "a comparison is written `<`",
        "le" | "lte" => "a comparison is written `<=`",
        _ => return None,
    })
}

pub(super) struct Parser<'p, 't> {
    tokens: &'p [Token<'t>],
    next: usize,
    end: usize,
    depth: usize,
    filtered_operand: Option<usize>,
}

impl<'t> Parser<'_, 't> {
    pub(super) fn expression(&mut self) -> Result<Node, SyntaxError> {
        self.deeper()?;
        let then = self.or()?;
        let node = if self.eat_word("if") {
            let condition = Box::new(self.or()?);
            let otherwise = if self.eat_word("else") {
                Some(Box::new(self.expression()?))
            } else {
                None
            };
            Node::If {
                then: Box::new(then),
                condition,
                otherwise,
            }
        } else {
            then
        };
        self.depth -= 1;
        Ok(node)
    }

    fn or(&mut self) -> Result<Node, SyntaxError> {
        let first = self.and()?;
        let mut all = vec![first];
        while self.eat_word("or") {
            all.push(self.and()?);
        }
        Ok(flat(all, Node::Or))
    }

    fn and(&mut self) -> Result<Node, SyntaxError> {
        let first = self.not()?;
        let mut all = vec![first];
        while self.eat_word("and") {
            all.push(self.not()?);
        }
        Ok(flat(all, Node::And))
    }

    fn not(&mut self) -> Result<Node, SyntaxError> {
        if !self.eat_word("not") {
            return self.comparison();
        }
        self.deeper()?;
        let inner = self.not()?;
        self.depth -= 1;
        Ok(Node::Not(Box::new(inner)))
    }

    fn comparison(&mut self) -> Result<Node, SyntaxError> {
        let left = self.sum()?;
        let Some(comparison) = self.eat_comparison() else {
            return Ok(left);
        };
        let right = self.sum()?;
        let place = self.peek().map(|t| (t.position, t.length));
        if let (Some((position, length)), Some(_)) = (place, self.eat_comparison()) {
            let message = "A comparison cannot be compared again.";
            let error = SyntaxError::new(position, length, message);
            return Err(error.mend("join comparisons with `and`"));
        }
        Ok(Node::Compare(Box::new(left), comparison, Box::new(right)))
    }

    fn eat_comparison(&mut self) -> Option<Comparison> {
        let comparison = match &self.peek()?.kind {
            Kind::Sign("==") => Comparison::Equal,
            Kind::Sign("!=") => Comparison::Unequal,
            Kind::Sign("<") => Comparison::Less,
            Kind::Sign("<=") => Comparison::LessOrEqual,
            Kind::Sign(">") => Comparison::Greater,
            Kind::Sign(">=") => Comparison::GreaterOrEqual,
            Kind::Word("in") => Comparison::In,
            Kind::Word("not") if self.is_word_at(self.next + 1, "in") => {
                self.next += 1;
                Comparison::NotIn
            }
            _ => return None,
        };
        self.next += 1;
        Some(comparison)
    }

    fn sum(&mut self) -> Result<Node, SyntaxError> {
        let first = self.chain()?;
        let mut all = vec![first];
        let mut last = None;
        while self.eat("+") {
            last = self.peek().map(|token| token.position);
            let is_plain = !matches!(self.peek().map(|token| &token.kind), Some(Kind::Sign("(")));
            all.push(self.chain()?);
            last = last.filter(|_| is_plain);
        }
        if matches!(all.last(), Some(Node::Chain(_, links)) if matches!(links.last(), Some(Link::Filter(_))))
        {
            self.filtered_operand = self.filtered_operand.or(last);
        }
        Ok(flat(all, Node::Add))
    }

    fn chain(&mut self) -> Result<Node, SyntaxError> {
        let head = self.value()?;
        let mut links = Vec::new();
        loop {
            if self.eat(".") {
                links.push(Link::Member(self.member()?));
            } else if self.eat("[") {
                let inner = self.expression()?;
                self.expect("]")?;
                links.push(bracket(inner));
            } else if self.eat("|") {
                links.push(Link::Filter(Box::new(self.filter()?)));
            } else {
                break;
            }
        }
        Ok(match links.is_empty() {
            true => head,
            false => Node::Chain(Box::new(head), links),
        })
    }

    fn member(&mut self) -> Result<String, SyntaxError> {
        match self.peek().map(|t| &t.kind) {
            Some(Kind::Word(word)) => {
                let name = (*word).to_owned();
                self.next += 1;
                Ok(name)
            }
            _ => Err(self
                .unexpected("a name")
                .mend("an unusual name goes in brackets: `[\"first name\"]`")),
        }
    }

    fn value(&mut self) -> Result<Node, SyntaxError> {
        let Some(token) = self.peek() else {
            return Err(self.unexpected("a value"));
        };
        let position = token.position;
        match token.kind.clone() {
            Kind::Text(text) => self.constant(Value::String(text)),
            Kind::Number(number) => self.constant(Value::Number(number)),
            Kind::Word("true") => self.constant(Value::Bool(true)),
            Kind::Word("false") => self.constant(Value::Bool(false)),
            Kind::Word("null") => self.constant(Value::Null),
            Kind::Word("if" | "else" | "and" | "or" | "in") => Err(self.unexpected("a value")),
            Kind::Word(word) => {
                self.next += 1;
                if self.eat("(") {
                    return self.call(word, position);
                }
                let name = word.to_owned();
                Ok(Node::Name { name, position })
            }
            Kind::Sign("(") => {
                self.next += 1;
                let inner = self.expression()?;
                self.expect(")")?;
                Ok(inner)
            }
            Kind::Sign("[") => {
                self.next += 1;
                self.items("]").map(Node::List)
            }
            Kind::Sign("{") => {
                self.next += 1;
                self.object()
            }
            Kind::Sign(_) => Err(self.unexpected("a value")),
        }
    }

    fn constant(&mut self, value: Value) -> Result<Node, SyntaxError> {
        self.next += 1;
        Ok(Node::Constant(value))
    }

    /// A call of a function; its name and the parenthesis are read already.
    fn call(&mut self, name: &str, position: usize) -> Result<Node, SyntaxError> {
        let arguments = self.items(")")?;
        let error = |message: String| SyntaxError::new(position, name.len(), message);
        match (name, arguments.as_slice()) {
            ("coalesce", [_, ..]) => Ok(Node::Coalesce(arguments)),
            ("coalesce", []) => Err(error("`coalesce` needs a value.".to_owned())),
            ("random", [Node::Constant(Value::Number(count))]) => {
                let count = count.as_u64().filter(|n| (1..=MAX_RANDOM).contains(n));
                let count = count.and_then(|n| usize::try_from(n).ok());
                count
                    .map(Node::Random)
                    .ok_or_else(|| error(format!("`random` gives 1 to {MAX_RANDOM} characters.")))
            }
            ("random", _) => {
                let message = "`random` needs the number of characters.".to_owned();
                Err(error(message).mend("write `random(24)`"))
            }
            ("now", []) => Ok(Node::Now),
            ("now", _) => {
                let message = "`now` takes nothing.".to_owned();
                Err(error(message)
                    .mend("write `now()`, and `now() | date(\"%Y-%m-%d\")` for a day"))
            }
            _ if super::parser_filters::is_filter(name) => {
                let message = format!("`{name}` is a filter, not a function.");
                Err(error(message).mend(format!("write `value|{name}`")))
            }
            _ => {
                let message = format!("There is no function `{name}`.");
                Err(match super::parser_filters::filter_of_others(name) {
                    Some(filter) => error(message).mend(format!("write `value | {filter}`")),
                    None => error(message).mend("there are `now`, `random` and `coalesce`"),
                })
            }
        }
    }

    /// Expressions with commas in between, up to the closing sign.
    pub(super) fn items(&mut self, close: &str) -> Result<Vec<Node>, SyntaxError> {
        let mut items = Vec::new();
        while !self.eat(close) {
            if !items.is_empty() {
                self.expect(",")?;
                if self.eat(close) {
                    break;
                }
            }
            items.push(self.expression()?);
        }
        Ok(items)
    }

    /// `{"a": 1, b: 2}`; the opening brace is read already.
    fn object(&mut self) -> Result<Node, SyntaxError> {
        let mut members = Vec::new();
        while !self.eat("}") {
            if !members.is_empty() {
                self.expect(",")?;
            }
            let key = match self.peek().map(|t| &t.kind) {
                Some(Kind::Word(word)) => (*word).to_owned(),
                Some(Kind::Text(text)) => text.clone(),
                Some(Kind::Number(number)) => number.to_string(),
                _ => return Err(self.unexpected("a key or `}`")),
            };
            self.next += 1;
            self.expect(":")?;
            members.push((key, self.expression()?));
        }
        Ok(Node::Object(members))
    }

    pub(super) fn peek(&self) -> Option<&Token<'t>> {
        self.tokens.get(self.next)
    }

    pub(super) fn advance(&mut self) {
        self.next += 1;
    }

    pub(super) fn eat(&mut self, sign: &str) -> bool {
        let is_there = matches!(self.peek(), Some(t) if t.kind == Kind::Sign(sign));
        self.next += usize::from(is_there);
        is_there
    }

    fn eat_word(&mut self, word: &str) -> bool {
        let is_there = self.is_word_at(self.next, word);
        self.next += usize::from(is_there);
        is_there
    }

    fn is_word_at(&self, index: usize, word: &str) -> bool {
        matches!(self.tokens.get(index), Some(t) if t.kind == Kind::Word(word))
    }

    fn expect(&mut self, sign: &str) -> Result<(), SyntaxError> {
        match self.eat(sign) {
            true => Ok(()),
            false => Err(self.unexpected(&format!("`{sign}`"))),
        }
    }

    /// A complaint about the next token, or about the end.
    pub(super) fn unexpected(&self, wanted: &str) -> SyntaxError {
        match self.peek() {
            None => {
                let message = format!("The expression ends where {wanted} is needed.");
                SyntaxError::new(self.end, 0, message)
            }
            Some(token) => {
                let message = format!("Here {wanted} is needed.");
                SyntaxError::new(token.position, token.length, message)
            }
        }
    }

    /// The depth goes down again at the end of the caller; after an error nothing is read any more.
    fn deeper(&mut self) -> Result<(), SyntaxError> {
        self.depth += 1;
        if self.depth <= MAX_DEPTH {
            return Ok(());
        }
        let position = self.peek().map_or(self.end, |t| t.position);
        let message = format!("Expressions nest at most {MAX_DEPTH} deep.");
        Err(SyntaxError::new(position, 0, message))
    }
}

/// One node for a chain of equal operators.
fn flat(mut all: Vec<Node>, join: impl FnOnce(Vec<Node>) -> Node) -> Node {
    match all.len() {
        1 => all.pop().unwrap_or(Node::Constant(Value::Null)),
        _ => join(all),
    }
}

/// What brackets mean: a condition picks an element, anything else is an index or the name of a member.
fn bracket(inner: Node) -> Link {
    match inner {
        Node::Compare(..) | Node::And(_) | Node::Or(_) | Node::Not(_) => {
            Link::Find(Box::new(inner))
        }
        index => Link::Index(Box::new(index)),
    }
}
