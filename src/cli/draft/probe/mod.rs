//! `scimgate draft --probe`: asks a running API harmless questions.
//!
//! In: the URL of a list and headers. Out: what was seen, in words, and the draft that follows from it. Sends GET and OPTIONS
//! only (with a body that was given: POST of that body, once), one question after the other, and knows nothing of the mapping
//! language: what it saw becomes an OpenAPI document.

mod address;
mod described;
mod filters;
mod list;
mod number;
mod one;
mod paging;
mod seen;
mod shape;
mod words;

use std::path::Path;

use serde_json::Value;
use url::Url;

use crate::{
    cli::{
        Failure,
        replay::{HttpTransport, Reply, Request, Transport},
    },
    target::ACCEPT_JSON,
};

use super::names;
use address::Address;
use seen::Seen;

/// What to ask.
pub(super) struct Asking<'a> {
    /// The URL of a list.
    pub url: &'a str,
    /// `Name: value`, in order.
    pub headers: &'a [String],
    /// A PEM file with the authority of the API's certificate.
    pub ca: Option<&'a Path>,
    /// The application's name in the draft; absent: its host's.
    pub app: Option<&'a str>,
    /// JSON: the list is asked for by a POST of it.
    pub body: Option<&'a str>,
}

/// The questions to one list.
pub(super) struct Questions {
    transport: HttpTransport,
    address: Address,
    /// As they were given.
    headers: Vec<(String, String)>,
    app: Option<String>,
    body: Option<Value>,
}

/// An answer: what of it matters.
pub(super) struct Answer {
    pub status: u16,
    /// `Link` has `rel="next"`.
    pub links_next: bool,
    pub headers: Vec<(String, String)>,
    /// Null if it is not JSON.
    pub body: Value,
}

impl Questions {
    /// Questions to the list at a URL, with headers such as `Authorization: Bearer …`.
    pub fn new(asking: &Asking<'_>) -> Result<Self, Failure> {
        let url = Url::parse(asking.url)
            .map_err(|error| Failure::new(format!("`{}` is no URL: {error}", asking.url)))?;
        let mut named: Vec<(String, String)> = Vec::new();
        for header in asking.headers {
            // The value is a credential most of the time: it is not repeated.
            let (name, value) = header
                .split_once(':')
                .ok_or_else(|| Failure::new("a header is `Name: value`"))?;
            named.retain(|(known, _)| !known.eq_ignore_ascii_case(name.trim()));
            named.push((name.trim().to_owned(), value.trim().to_owned()));
        }
        let body = asking.body.map(serde_json::from_str).transpose();
        let body = body.map_err(|error| Failure::new(format!("the body is not JSON: {error}")))?;
        Ok(Self {
            transport: HttpTransport::new(url.as_str(), asking.ca)?,
            address: Address::new(url),
            headers: named,
            app: asking.app.map(str::to_owned),
            body,
        })
    }

    /// Asks, and drafts.
    pub async fn ask(mut self) -> Result<String, Failure> {
        let mut moved = None;
        let mut plain = self.first().await?;
        if let Some(target) = self.redirect(&plain, &self.address.url) {
            moved = Some(format!(
                "`{}` leads to `{}`, which was asked instead.",
                self.address.url.path(),
                target.path()
            ));
            self.address = Address::new(target);
            plain = self.first().await?;
        }
        if plain.status != 200 {
            return Err(Failure::new(words::refused(
                self.address.url.path(),
                &plain,
            )));
        }
        if let Some((words, is_graphql)) = list::refusal(&plain.body) {
            let path = self.address.url.path();
            return Err(Failure::new(words::complained(path, &words, is_graphql)));
        }
        let mut seen = Seen::of(&plain).ok_or_else(|| Failure::new(list::none(&plain.body)))?;
        seen.sentences.splice(0..0, moved);
        if self.body.is_some() {
            seen.is_unasked = true;
            seen.say("With a body only this one question was asked: how to page, to filter and to read one is not known.".into());
            return self.draft(&seen);
        }
        filters::unknown_parameter(&self, &mut seen).await?;
        paging::ask(&self, &mut seen).await?;
        filters::ask(&self, &mut seen).await?;
        one::ask(&mut self, &mut seen).await?;
        self.allowed(&mut seen).await?;
        self.draft(&seen)
    }

    async fn first(&self) -> Result<Answer, Failure> {
        let method = if self.body.is_some() { "POST" } else { "GET" };
        self.send(method, &self.address.url).await
    }

    /// Where an answer leads, on the same host.
    fn redirect(&self, answer: &Answer, asked: &Url) -> Option<Url> {
        let is_redirect = [301, 302, 307, 308].contains(&answer.status);
        let mut named = answer.headers.iter();
        let (_, place) = named.find(|(name, _)| name.eq_ignore_ascii_case("location"))?;
        let target = asked.join(place).ok()?;
        let is_same = target.origin() == asked.origin() && target != *asked;
        (is_redirect && is_same).then_some(target)
    }

    /// What else can be done, as `Allow` says it.
    async fn allowed(&self, seen: &mut Seen) -> Result<(), Failure> {
        let mut list = self.address.url.clone();
        list.set_query(None);
        let of_list = self.options(&list).await?;
        let of_one = match &seen.id {
            Some((_, id)) => self.options(&self.address.below(id, false)).await?,
            None => Vec::new(),
        };
        if of_list.is_empty() && of_one.is_empty() {
            seen.say("OPTIONS names no methods: what else can be done was not seen.".to_owned());
            return Ok(());
        }
        for (whole, methods) in [("the list", &of_list), ("one object", &of_one)] {
            if !methods.is_empty() {
                let methods = methods.join(", ");
                seen.say(format!("OPTIONS of {whole} names {methods}."));
            }
        }
        seen.say(
            "That what is written looks like what is read is a guess: no call that writes was made."
                .to_owned(),
        );
        (seen.on_list, seen.on_one) = (of_list, of_one);
        Ok(())
    }

    /// The methods in `Allow`, upper case; none where there is no such header.
    async fn options(&self, url: &Url) -> Result<Vec<String>, Failure> {
        let answer = self.send("OPTIONS", url).await?;
        let allow = answer
            .headers
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case("allow"));
        let methods = allow.flat_map(|(_, value)| value.split(','));
        let methods = methods.map(|method| method.trim().to_ascii_uppercase());
        Ok(methods.filter(|method| !method.is_empty()).collect())
    }

    fn draft(&self, seen: &Seen) -> Result<String, Failure> {
        let (server, path) = self.address.parts();
        let item = self.address.item();
        // The parameter's name says which field the id is.
        let field = seen.id.as_ref().map_or("id", |(name, _)| name.as_str());
        let of_one = item.replace("{id}", &format!("{{{field}}}"));
        let document = seen.document(&server, &path, &of_one, &self.headers);
        let how = match self.body {
            Some(_) => "by one POST",
            None => "by GET and OPTIONS alone",
        };
        let mut text = format!("# Seen at {server}{path}, {how}:\n");
        for sentence in &seen.sentences {
            text.push_str(&format!("# - {sentence}\n"));
        }
        text.push_str("#\n");
        let app = self.app.as_deref();
        let draft = super::propose_at(&document, &path, self.kind(), app)?;
        let said = words::Said {
            seen,
            path: &path,
            item: &item,
            query: self.address.own_query(),
            body: self.body.as_ref(),
        };
        text.push_str(&said.completed(draft));
        Ok(text)
    }

    /// By the last segment: groups, or else users.
    fn kind(&self) -> &'static names::Kind {
        let path = self.address.url.path().trim_end_matches('/');
        let last = path.rsplit('/').next().unwrap_or("");
        let last = names::normal(last.strip_suffix(".json").unwrap_or(last));
        if names::GROUP.nouns.contains(&last.as_str()) {
            &names::GROUP
        } else {
            &names::USER
        }
    }

    /// GET of the list with further parameters.
    async fn get(&self, parameters: &[(&str, &str)]) -> Result<Answer, Failure> {
        self.send("GET", &self.address.with(parameters)).await
    }

    /// The gateway's own headers, and those that were given.
    fn sent(&self, has_body: bool) -> Vec<(String, String)> {
        let is_given = |name: &str| {
            let mut given = self.headers.iter();
            given.any(|(known, _)| known.eq_ignore_ascii_case(name))
        };
        let own = [
            ("Accept", ACCEPT_JSON, true),
            ("Content-Type", JSON, has_body),
        ];
        let own = own
            .into_iter()
            .filter(|(name, _, is_sent)| *is_sent && !is_given(name));
        own.map(|(name, value, _)| (name.to_owned(), value.to_owned()))
            .chain(self.headers.iter().cloned())
            .collect()
    }

    async fn send(&self, method: &str, url: &Url) -> Result<Answer, Failure> {
        let query = url
            .query()
            .map(|query| format!("?{query}"))
            .unwrap_or_default();
        let body = self.body.as_ref().filter(|_| method == "POST");
        let request = Request {
            method: method.into(),
            path_and_query: format!("{}{query}", url.path()),
            headers: self.sent(body.is_some()),
            body: body.map(|body| body.to_string().into_bytes()),
        };
        let reply: Reply = self.transport.send(request).await?;
        let link = reply.header("link").unwrap_or_default();
        Ok(Answer {
            status: reply.status,
            links_next: link.contains("rel=\"next\"") || link.contains("rel=next"),
            body: serde_json::from_slice(&reply.body).unwrap_or(Value::Null),
            headers: reply.headers,
        })
    }
}

const JSON: &str = "application/json";
