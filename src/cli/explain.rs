//! `scimgate explain`: what one SCIM request would do. Reads are made, writes are only planned.

use std::{
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use clap::Args;
use http::{HeaderMap, HeaderValue, Method, header};
use serde_json::Value;

use crate::{
    exchange::{CallRecord, Hidden},
    gateway::{Deadline, Writes},
    mapping::model::Mapping,
    observe::Finished,
    server::{Request, Response},
    tenant::SystemEnvironment,
};

use super::{
    ConfigArguments, Failure, Outcome, origin, process::Process, tenant_named::tenant_named,
};

/// Which request.
#[derive(Debug, Clone, Args)]
pub struct ExplainArguments {
    /// Whose client asks: the tenant's name, or its file.
    tenant: String,
    /// GET, POST, PUT, PATCH or DELETE.
    method: String,
    /// The path below the base URL, with the query: `/Users?filter=userName eq "ada"`.
    path: String,
    /// The body as JSON; `@FILE` reads a file, `-` standard input.
    body: Option<String>,
    /// The client's User-Agent, by which its provider is recognised.
    #[arg(long)]
    user_agent: Option<String>,
    /// Says which line of which file each call and attribute came from.
    #[arg(long)]
    origin: bool,
    #[command(flatten)]
    config: ConfigArguments,
}

/// Explains it.
pub async fn run(arguments: ExplainArguments) -> Outcome {
    let settings = super::serve::load(&arguments.config)?;
    let process = Process::open(&settings, Arc::new(SystemEnvironment), Vec::new()).await?;
    let tenant = tenant_named(&process.registry, &settings.mappings, &arguments.tenant)?;
    let request = request(&arguments)?;
    let mapping = Arc::clone(&tenant.mapping);
    let time = process.gateway.time_for(&tenant, &request);
    let (response, finished) = process
        .gateway
        .exchange(tenant, request, Writes::Planned)
        .await;
    crate::cli::print(&format!(
        "{}",
        Explanation {
            arguments: &arguments,
            mapping: &mapping,
            time,
            response: &response,
            finished: &finished
        }
    ));
    Ok(ExitCode::SUCCESS)
}

fn request(arguments: &ExplainArguments) -> Result<Request, Failure> {
    let method = Method::from_bytes(arguments.method.to_ascii_uppercase().as_bytes())?;
    let (path, query) = match arguments.path.split_once('?') {
        Some((path, query)) => (path, Some(query.replace(' ', "%20").replace('"', "%22"))),
        None => (arguments.path.as_str(), None),
    };
    let path = if path.starts_with('/') {
        path.to_owned()
    } else {
        format!("/{path}")
    };
    let mut headers = HeaderMap::new();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/scim+json"),
    );
    if let Some(agent) = &arguments.user_agent {
        headers.insert(header::USER_AGENT, HeaderValue::from_str(agent)?);
    }
    Ok(Request {
        method,
        path,
        query,
        headers,
        body: body(arguments.body.as_deref())?,
        peer: std::net::SocketAddr::from(([127, 0, 0, 1], 0)),
        scheme_host: Some("https://scimgate.example".into()),
        admitted: None,
        received: Instant::now(),
    })
}

fn body(text: Option<&str>) -> Result<Bytes, Failure> {
    Ok(match text {
        None => Bytes::new(),
        Some("-") => std::io::read_to_string(std::io::stdin())?.into(),
        Some(text) => match text.strip_prefix('@') {
            Some(path) => std::fs::read(path)
                .map_err(|error| Failure::new(format!("`{path}` cannot be read: {error}")))?
                .into(),
            None => Bytes::from(text.to_owned()),
        },
    })
}

/// The exchange as people read it.
struct Explanation<'a> {
    arguments: &'a ExplainArguments,
    mapping: &'a Mapping,
    time: Deadline,
    response: &'a Response,
    finished: &'a Finished,
}

impl std::fmt::Display for Explanation<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let exchange = &self.finished.exchange;
        writeln!(
            f,
            "request    {} {}",
            self.finished.method, self.arguments.path
        )?;
        write!(f, "time       {} at most", words(self.time.time))?;
        match self.time.patience {
            Some(patience) => writeln!(
                f,
                ", since the client waits {} ({})",
                words(patience.waits),
                patience.quirk
            )?,
            None => writeln!(f)?,
        }
        for note in &exchange.notes.0 {
            writeln!(f, "mended     {:<12} {}", note.quirk, note.message)?;
        }
        if !exchange.changed.is_empty() {
            writeln!(f, "changes    {}", exchange.changed.join(", "))?;
        }
        if self.arguments.origin {
            self.attributes(f)?;
        }
        if exchange.calls.is_empty() {
            writeln!(f, "calls      none")?;
        }
        for call in &exchange.calls {
            self.call(f, call)?;
        }
        if let Some(trouble) = &exchange.trouble {
            writeln!(f, "failed     {}: {}", trouble.operation, trouble.cause)?;
        }
        for hidden in &exchange.hidden {
            writeln!(f, "hidden     {}", why_hidden(hidden))?;
        }
        writeln!(f, "answer     {}", self.response.status)?;
        for name in [header::LOCATION, header::ETAG, header::RETRY_AFTER] {
            if let Some(value) = self
                .response
                .headers
                .get(&name)
                .and_then(|value| value.to_str().ok())
            {
                writeln!(f, "           {name}: {value}")?;
            }
        }
        if self.asks_for_an_unkept_id() {
            writeln!(
                f,
                "hint       the gateway makes the ids of these objects itself, and keeps one when `serve` first shows it: an id that `explain` showed is not kept. Let the client (or curl) list them once through `serve`, and take the id from there"
            )?;
        }
        match serde_json::from_slice::<Value>(&self.response.body) {
            Ok(body) => writeln!(f, "{}", indented(&format!("{body:#}"))),
            Err(_) => Ok(()),
        }
    }
}

impl Explanation<'_> {
    /// Whether the answer is 404 for one object of a type whose ids are made here: it may be an id that was never kept.
    fn asks_for_an_unkept_id(&self) -> bool {
        let path = format!("/{}", self.arguments.path.trim_start_matches('/'));
        let of_path = |endpoint: &str| {
            path.strip_prefix(endpoint)
                .is_some_and(|rest| rest.starts_with('/'))
        };
        let mut types = self.mapping.types.iter();
        self.response.status == http::StatusCode::NOT_FOUND
            && types.any(|t| !t.id.is_stable && of_path(&t.resource_type.endpoint))
    }

    /// The lines about the attributes that the request changed or showed.
    fn attributes(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let body = serde_json::from_slice::<Value>(&self.response.body).ok();
        let changed = &self.finished.exchange.changed;
        let lines =
            origin::of_attributes(self.mapping, &self.arguments.path, changed, body.as_ref());
        for line in lines {
            let place = origin::place(&line.place);
            writeln!(f, "line       {}\n  from     {place}", origin::words(line))?;
        }
        Ok(())
    }

    fn call(&self, f: &mut std::fmt::Formatter<'_>, call: &CallRecord) -> std::fmt::Result {
        let outcome = match (call.is_planned_only, call.status) {
            (true, _) => "planned, not sent".to_owned(),
            (false, Some(status)) => {
                format!("answered {status} in {} ms", call.duration.as_millis())
            }
            (false, None) => format!("no answer in {} ms", call.duration.as_millis()),
        };
        let apart = match call.apart.as_str() {
            "" => String::new(),
            apart => format!("{apart}; "),
        };
        writeln!(
            f,
            "call       {} {}   ({apart}{}; {outcome})",
            call.method, call.path, call.operation
        )?;
        if let Some(place) = call.origin.as_ref().filter(|_| self.arguments.origin) {
            writeln!(f, "  from     {}", origin::place(place))?;
        }
        for (name, value) in &call.headers {
            writeln!(f, "           {name}: {value}")?;
        }
        if let Some(body) = &call.body {
            writeln!(f, "{}", indented(&format!("{body:#}")))?;
        }
        if let Some(cause) = &call.cause {
            writeln!(f, "cause      {cause}")?;
        }
        match &call.judged {
            Some(judged) => writeln!(f, "means      {}: by {}", judged.meaning, judged.by),
            None => Ok(()),
        }
    }
}

/// What is in the application and was kept from the client, and which line of which file to look at.
fn why_hidden(hidden: &Hidden) -> String {
    let (of, by) = (&hidden.resource_type, &hidden.by);
    let what = match hidden.count {
        1 => format!("a {of} of the application"),
        count => format!("{count} {of}s of the application"),
    };
    match &hidden.at {
        Some(at) => format!(
            "{what}: `{by}` keeps it from the client, by {}: {}",
            origin::place(at),
            at.text()
        ),
        None => format!("{what}: {by}"),
    }
}

/// A time as the files have it: `4s`, `500ms`.
fn words(time: Duration) -> String {
    match time.subsec_millis() {
        0 => format!("{}s", time.as_secs()),
        _ => format!("{}ms", time.as_millis()),
    }
}

fn indented(text: &str) -> String {
    text.lines()
        .map(|line| format!("           {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use crate::diagnostic::{Place, SourceFile};

    use super::*;

    #[test]
    fn an_object_that_is_hidden_leads_to_the_line_that_hides_it() {
        let file = SourceFile {
            path: "acme.toml".into(),
            text: "[policy]\nprotected = [\"root\"]\n".into(),
        };
        let hidden = Hidden {
            resource_type: "User".into(),
            by: "protected".into(),
            at: Some(Place {
                file: Arc::new(file),
                span: 22..28,
            }),
            count: 1,
        };
        let expected = "a User of the application: `protected` keeps it from the client, by acme.toml:2: \"root\"";
        assert_eq!(why_hidden(&hidden), expected);
    }
}
