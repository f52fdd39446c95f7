//! URLs of files.

use url::Url;

use super::reader::Reader;

/// A URL that may carry credentials: https, or http to this machine (a warning otherwise).
pub(super) fn url(reader: &Reader<'_>, key: &str) -> Option<Url> {
    let (node, text) = reader.raw_text(key)?;
    let had_unset = reader.context.has_unset();
    let text = reader.context.expand(node, text, false);
    // The parser mends what a person would rather hear of: `https:/host`, blanks around it.
    let is_whole = has_host(&text) && !text.contains([' ', '\t', '\n', '\\', '{', '}']);
    let parsed = Url::parse(&text)
        .ok()
        .filter(|url| is_whole && ["http", "https"].contains(&url.scheme()) && url.has_host());
    let Some(url) = parsed else {
        if reader.context.has_unset() && (!had_unset || text.contains("unset")) {
            return Url::parse("https://unset.invalid/").ok();
        }
        reader.context.error(
            "mapping::bad-url",
            &node.place,
            format!(
                "`{}` is not an http or https URL.",
                reader.table.full_name(key)
            ),
            &nearest_url(&text),
        );
        return None;
    };
    if !url.username().is_empty() || url.password().is_some() {
        reader.context.hide(&node.place);
        reader.context.error(
            "mapping::bad-url",
            &node.place,
            format!(
                "`{}` holds a user or a password.",
                reader.table.full_name(key)
            ),
            "use `[target.auth.basic]`",
        );
    }
    if url.scheme() == "http" && !is_loopback(&url) {
        reader.context.warning(
            "mapping::plain-http",
            &node.place,
            format!(
                "`{}` is http: credentials and personal data travel in clear.",
                reader.table.full_name(key)
            ),
            "use https, or a target on this machine",
        );
    }
    Some(url)
}

/// Whether two slashes and the host stand behind the scheme.
fn has_host(text: &str) -> bool {
    let rest = text.split_once("://").map_or("", |(_, rest)| rest);
    !rest.is_empty() && !rest.starts_with(['/', '?', '#'])
}

/// How a text that is no URL becomes one.
fn nearest_url(text: &str) -> String {
    if text.contains('{') {
        return "it is the same for all calls: only `${NAME}` is replaced in it, `{…}` belongs into the calls".to_owned();
    }
    // One slash or three where two belong, blanks around it.
    let trimmed = text.trim();
    let behind = ["https:", "http:"].iter().find_map(|scheme| {
        let rest = trimmed
            .strip_prefix(scheme)?
            .trim_start_matches(['/', '\\']);
        Some(format!("{scheme}//{rest}"))
    });
    if let Some(mended) = behind.filter(|mended| mended != text) {
        let is_usable = Url::parse(&mended).is_ok_and(|url| url.has_host());
        if is_usable && !mended.contains(['@', ' ', '\\']) {
            return format!("did you mean `{mended}`?");
        }
    }
    let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
    let is_usable = |text: &str| Url::parse(text).is_ok_and(|url| url.has_host());
    let whole = format!("https://{rest}");
    match scheme {
        _ if text.is_empty() || rest.contains(char::is_whitespace) => {}
        "http" | "https" => {
            let port = rest
                .split('/')
                .next()
                .and_then(|host| host.rsplit_once(':'));
            if port.is_some_and(|(_, port)| port.parse::<u16>().is_err()) {
                return "a port is a number of at most 65535".to_owned();
            }
        }
        _ if rest.contains(['.', ':']) && is_usable(&whole) => {
            return format!("did you mean `{whole}`?");
        }
        _ => {}
    }
    "write it as `https://host/path`".to_owned()
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}
