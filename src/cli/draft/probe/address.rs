//! Where the list is, and what is below it: the API's root, the path of one object, the question's own parameters.

use url::Url;

/// The address of a list.
pub(super) struct Address {
    pub url: Url,
    /// Whether the address of one object ends with a slash, as the list's does.
    pub has_slash: bool,
}

impl Address {
    pub fn new(url: Url) -> Self {
        let has_slash = url.path().len() > 1 && url.path().ends_with('/');
        Self { url, has_slash }
    }

    /// The API's root and the list's path below it. The root is what stands before the version, or ends with a segment such
    /// as `api`; where there is neither, all but the last segment: the other lists are beside this one.
    pub fn parts(&self) -> (String, String) {
        let path = self.url.path();
        let bare = path.trim_end_matches('/');
        let mut end = bare.rfind('/').unwrap_or(0);
        let mut at = 0;
        for segment in bare.split('/') {
            let after = at + segment.len();
            if is_version(segment) && after < bare.len() {
                end = at.saturating_sub(1);
                break;
            }
            if ROOTS.contains(&segment.to_ascii_lowercase().as_str()) && after < bare.len() {
                end = after;
            }
            at = after + 1;
        }
        let (before, after) = path.split_at(end);
        (
            format!("{}{before}", self.url.origin().ascii_serialization()),
            after.to_owned(),
        )
    }

    /// The path of one object below the root: `/users/{id}`.
    pub fn item(&self) -> String {
        let (_, path) = self.parts();
        let slash = if self.has_slash { "/" } else { "" };
        format!("{}/{{id}}{slash}", path.trim_end_matches('/'))
    }

    /// Says how one object is asked.
    pub fn of_slash(&self) -> String {
        let with = if self.has_slash { "with" } else { "without" };
        format!("One object is asked {with} a slash at the end.")
    }

    /// The list's address with further parameters.
    pub fn with(&self, parameters: &[(&str, &str)]) -> Url {
        let mut url = self.url.clone();
        for (name, value) in parameters {
            let kept: Vec<(String, String)> = url
                .query_pairs()
                .filter(|(known, _)| known != name)
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .collect();
            url.query_pairs_mut()
                .clear()
                .extend_pairs(kept)
                .append_pair(name, value);
        }
        url
    }

    /// The address of one object, with the query that the list was asked with or without it.
    pub fn below(&self, id: &str, has_query: bool) -> Url {
        let mut url = self.url.clone();
        if !has_query {
            url.set_query(None);
        }
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push(id);
            if self.has_slash {
                segments.push("");
            }
        }
        url
    }

    /// The parameters of the URL that was given, as a call's line has them; absent if there are none.
    pub fn own_query(&self) -> Option<String> {
        let pairs = self.url.query_pairs();
        // What would end the text, the parameter, or begin a template.
        let is_plain = |text: &str| !text.contains(['"', '\\', '&', '#', '{', '}', '=']);
        let plain = pairs.filter(|(name, value)| is_plain(name) && is_plain(value));
        let pairs: Vec<String> = plain
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        (!pairs.is_empty()).then(|| pairs.join("&"))
    }
}

/// `v2`, `v1.1`, `2010-04-01`.
fn is_version(segment: &str) -> bool {
    let bare = segment.strip_prefix(['v', 'V']).unwrap_or(segment);
    bare.starts_with(|first: char| first.is_ascii_digit())
        && bare
            .chars()
            .all(|character| character.is_ascii_digit() || ".-".contains(character))
}

/// Segments that an API begins with.
const ROOTS: &[&str] = &["api", "rest", "restapi", "webapi", "wp-json", "services"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_what_other_lists_are_below_too() {
        for (url, root, path) in [
            (
                "https://app.example/api/users/users/",
                "/api",
                "/users/users/",
            ),
            (
                "https://app.example/api/v1/security/users/",
                "/api",
                "/v1/security/users/",
            ),
            (
                "https://app.example/_admin/v2/users",
                "/_admin",
                "/v2/users",
            ),
            ("https://app.example/data/user", "/data", "/user"),
            ("https://app.example/users", "", "/users"),
            ("https://app.example/v3", "", "/v3"),
            ("https://app.example/api", "", "/api"),
        ] {
            let address = Address::new(Url::parse(url).unwrap());
            let wanted = (format!("https://app.example{root}"), path.to_owned());
            assert_eq!(address.parts(), wanted, "{url}");
        }
    }

    #[test]
    fn one_object_has_the_slash_that_the_list_has() {
        let address = |url: &str| Address::new(Url::parse(url).unwrap());
        let slashed = address("https://app.example/api/users/?a=1");
        assert_eq!(slashed.item(), "/users/{id}/");
        assert_eq!(
            slashed.below("7", false).as_str(),
            "https://app.example/api/users/7/"
        );
        let bare = address("https://app.example/api/users?a=1");
        assert_eq!(
            bare.below("7", true).as_str(),
            "https://app.example/api/users/7?a=1"
        );
    }
}
