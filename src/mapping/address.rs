//! E-mail addresses: their parts, and the domains a tenant may provision (promise S5).
//!
//! Only plain addresses are read: one `@`, nothing quoted, nothing that cannot be seen, a domain as people write it. An
//! odd spelling of an allowed domain is told as no plain address, never as allowed: what the application makes of it is
//! not known.

use std::sync::LazyLock;

use regex::Regex;

/// The domains a tenant may provision: `[client] domains`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Domains(Vec<Pattern>);

/// One domain, or all below it.
#[derive(Debug, Clone, PartialEq)]
struct Pattern {
    /// As it stands in the file, in lower case.
    text: String,
    /// In ASCII.
    domain: String,
    admits_subdomains: bool,
}

/// What the allow-list says of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Of one of the domains.
    Admitted,
    /// A plain address of another domain.
    Outside,
    /// No plain address.
    NotPlain,
}

impl Domains {
    /// Adds `acme.example`, or `*.acme.example` for every domain below it; `false` if the text is no domain.
    pub fn add(&mut self, text: &str) -> bool {
        let text = text.to_lowercase();
        let (bare, admits_subdomains) = match text.strip_prefix("*.") {
            Some(parent) => (parent, true),
            None => (text.as_str(), false),
        };
        let Some(domain) = canonical(bare) else {
            return false;
        };
        self.0.push(Pattern {
            text,
            domain,
            admits_subdomains,
        });
        true
    }

    /// Whether any address is allowed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first of the list as it stands in the file, with `*.`; absent if any is allowed.
    pub fn first(&self) -> Option<&str> {
        self.0.first().map(|pattern| pattern.text.as_str())
    }

    /// Judges an address. The local part may be anything plain, with or without a tag.
    pub fn judge(&self, address: &str) -> Verdict {
        let Some(domain) = domain_of(address) else {
            return Verdict::NotPlain;
        };
        let admits = |pattern: &Pattern| match pattern.admits_subdomains {
            true => domain
                .strip_suffix(&pattern.domain)
                .is_some_and(|rest| rest.ends_with('.')),
            false => domain == pattern.domain,
        };
        match self.0.iter().any(admits) {
            true => Verdict::Admitted,
            false => Verdict::Outside,
        }
    }
}

/// Whether a name is meant as an address: an application may read another character as its `@`.
pub fn is_address_like(name: &str) -> bool {
    name.contains(AT_SIGNS)
}

/// The domain of a plain address in ASCII and lower case (IDNA); absent if it is none.
pub fn domain_of(address: &str) -> Option<String> {
    let is_unfit = |c: char| c.is_control() || c.is_whitespace() || INVISIBLE.contains(&c);
    if address.len() > MAX_ADDRESS_BYTES || address.chars().any(is_unfit) {
        return None;
    }
    let (local, domain) = address.rsplit_once('@')?;
    if local.is_empty() || local.contains(AT_SIGNS) || local.contains('"') {
        return None;
    }
    canonical(domain)
}

/// What stands before the last `@`; the whole text if there is none.
pub fn local_of(address: &str) -> &str {
    address.rsplit_once('@').map_or(address, |(local, _)| local)
}

/// The address without the tag in its local part: `ada+crew@acme.example` is `ada@acme.example`. A local part that begins
/// with the plus has no tag.
pub fn untagged(address: &str) -> String {
    let local = local_of(address);
    let rest = address.get(local.len()..).unwrap_or_default();
    match local.split_once('+') {
        Some((name, _)) if !name.is_empty() => format!("{name}{rest}"),
        _ => address.to_owned(),
    }
}

/// A domain in ASCII and lower case; absent if it is none, or none as people write it: a number, with a dot at its end,
/// escaped, of full-width signs, or with a label of mixed scripts.
fn canonical(domain: &str) -> Option<String> {
    let lower = domain.to_lowercase();
    let url::Host::Domain(ascii) = url::Host::parse(&lower).ok()? else {
        return None;
    };
    let (readable, outcome) = idna::domain_to_unicode(&ascii);
    outcome.ok()?;
    let is_plain = |((own, ascii), readable): ((&str, &str), &str)| {
        let is_sign = |c: char| !c.is_ascii() || c.is_ascii_alphanumeric() || c == '-' || c == '_';
        (own == ascii || own == readable)
            && !own.is_empty()
            && own.chars().all(is_sign)
            && is_of_one_script(readable)
    };
    let labels = lower.split('.').zip(ascii.split('.'));
    let labels = labels.zip(readable.split('.'));
    let count = lower.split('.').count();
    (count == ascii.split('.').count() && labels.into_iter().all(is_plain)).then_some(ascii)
}

/// Whether the letters of a label are of one script, or of those that are written together in Japan, Korea and China
/// (Unicode TS 39, "highly restrictive").
fn is_of_one_script(label: &str) -> bool {
    label.is_ascii() || ONE_SCRIPT.as_ref().is_some_and(|one| one.is_match(label))
}

static ONE_SCRIPT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let sets = SCRIPTS.iter().map(|scripts| {
        let scripts = scripts.split('+');
        let classes: String = scripts.map(|s| format!(r"\p{{scx={s}}}")).collect();
        format!(r"[\p{{Common}}\p{{Inherited}}{classes}]*")
    });
    let sets: Vec<String> = sets.collect();
    Regex::new(&format!("^(?:{})$", sets.join("|"))).ok()
});

/// The scripts of domain names (Unicode Annex 31, Table 5), and the usual mixtures.
const SCRIPTS: [&str; 31] = [
    "Latin",
    "Latin+Han+Hiragana+Katakana",
    "Latin+Han+Bopomofo",
    "Latin+Han+Hangul",
    "Arabic",
    "Armenian",
    "Bengali",
    "Cyrillic",
    "Devanagari",
    "Ethiopic",
    "Georgian",
    "Greek",
    "Gujarati",
    "Gurmukhi",
    "Hebrew",
    "Kannada",
    "Khmer",
    "Lao",
    "Malayalam",
    "Myanmar",
    "Oriya",
    "Sinhala",
    "Tamil",
    "Telugu",
    "Thaana",
    "Thai",
    "Tibetan",
    "Hangul",
    "Han",
    "Hiragana",
    "Katakana",
];

/// The commercial at, and the two that compatibility forms turn into it.
const AT_SIGNS: [char; 3] = ['@', '\u{ff20}', '\u{fe6b}'];

/// RFC 5321's limit of a path, with room for the brackets.
const MAX_ADDRESS_BYTES: usize = 256;

/// Characters that nobody sees: zero-width spaces and joiners, the byte order mark, direction marks, fillers.
const INVISIBLE: [char; 19] = [
    '\u{00ad}', '\u{034f}', '\u{061c}', '\u{115f}', '\u{180e}', '\u{200b}', '\u{200c}', '\u{200d}',
    '\u{200e}', '\u{200f}', '\u{202a}', '\u{202b}', '\u{202d}', '\u{202e}', '\u{2060}', '\u{2066}',
    '\u{2069}', '\u{3164}', '\u{feff}',
];

#[cfg(test)]
mod tests {
    use super::{Verdict::*, *};

    fn domains(texts: &[&str]) -> Domains {
        let mut domains = Domains::default();
        for text in texts {
            assert!(domains.add(text), "{text}");
        }
        domains
    }

    #[test]
    fn s5_domains() {
        let allowed = domains(&["Victim.com", "*.corp.example", "bücher.example", "例え.jp"]);
        let long = format!("{}@victim.com", "a".repeat(309));
        assert_eq!(long.len(), 320);
        let cases = [
            ("a@victim.com", Admitted),
            ("A@VICTIM.COM", Admitted),
            ("a+b@victim.com", Admitted),
            ("o'neil!x%y@victim.com", Admitted),
            ("a@x.corp.example", Admitted),
            ("a@x.Y.corp.example", Admitted),
            ("a@bücher.example", Admitted),
            ("a@BÜCHER.example", Admitted),
            ("a@xn--bcher-kva.example", Admitted),
            ("a@XN--BCHER-KVA.example", Admitted),
            ("a@例え.jp", Admitted),
            ("a@日本カタかな한.corp.example", NotPlain),
            ("a@日本カタかな.corp.example", Admitted),
            ("a@victim.com.evil.com", Outside),
            ("a@evilvictim.com", Outside),
            ("a@sub.victim.com", Outside),
            ("a@corp.example", Outside),
            ("a@xcorp.example", Outside),
            ("a@bucher.example", Outside),
            ("a@x.corp.example.evil.com", Outside),
            // Cyrillic alone is another domain; mixed with Latin it is a look-alike.
            ("a@пример.corp.example", Admitted),
            ("a@p\u{0430}ypal.corp.example", NotPlain),
            ("a@xn--pypal-4ve.corp.example", NotPlain),
            ("a@vi\u{0441}tim.com", NotPlain),
            ("a@evil.com@victim.com", NotPlain),
            ("a\u{ff20}evil.com@victim.com", NotPlain),
            ("a\u{ff20}evil.com", NotPlain),
            ("a\u{fe6b}evil.com", NotPlain),
            ("\"a@victim.com\"@evil.com", NotPlain),
            ("\"a\"@victim.com", NotPlain),
            ("a@victim.com.", NotPlain),
            ("a@victim\u{3002}com", NotPlain),
            ("a@victim\u{ff0e}com", NotPlain),
            ("a@\u{ff56}ictim.com", NotPlain),
            ("a@vic%74im.com", NotPlain),
            ("a@victim.com:25", NotPlain),
            ("a@victim..com", NotPlain),
            ("a@.victim.com", NotPlain),
            ("a@[127.0.0.1]", NotPlain),
            ("a@127.0.0.1", NotPlain),
            ("a@0x7f.1", NotPlain),
            ("a@victim.com\n", NotPlain),
            ("a@victim.com\r\nX: y", NotPlain),
            ("a @victim.com", NotPlain),
            ("a@victim\u{200b}.com", NotPlain),
            ("a\u{200b}@victim.com", NotPlain),
            ("a\u{202e}b@victim.com", NotPlain),
            ("a\u{ad}@victim.com", NotPlain),
            ("a@xn--zz--.victim.com", NotPlain),
            ("@victim.com", NotPlain),
            ("a@", NotPlain),
            ("victim.com", NotPlain),
            ("", NotPlain),
            (&long, NotPlain),
        ];
        for (address, expected) in cases {
            assert_eq!(allowed.judge(address), expected, "{address:?}");
        }
        let ascii = domains(&["xn--bcher-kva.example"]);
        assert_eq!(ascii.judge("a@bücher.example"), Admitted);
    }

    #[test]
    fn what_is_no_domain_is_no_pattern() {
        for text in [
            "",
            "*.",
            "*",
            "*.*.com",
            "a.*.com",
            "@victim.com",
            "https://victim.com",
            "victim.com.",
            "victim .com",
            "victim\u{3002}com",
            "vi\u{0441}tim.com",
            "10.0.0.1",
        ] {
            assert!(!Domains::default().add(text), "{text:?}");
        }
        assert_eq!(domains(&["*.A.example"]).first(), Some("*.a.example"));
    }

    #[test]
    fn an_address_has_parts() {
        for (address, local, domain, bare) in [
            (
                "Ada@Acme.example",
                "Ada",
                Some("acme.example"),
                "Ada@Acme.example",
            ),
            (
                "ada+x+y@acme.example",
                "ada+x+y",
                Some("acme.example"),
                "ada@acme.example",
            ),
            (
                "+x@acme.example",
                "+x",
                Some("acme.example"),
                "+x@acme.example",
            ),
            (
                "a@bücher.example",
                "a",
                Some("xn--bcher-kva.example"),
                "a@bücher.example",
            ),
            ("ada", "ada", None, "ada"),
            ("ada+x", "ada+x", None, "ada"),
            ("", "", None, ""),
        ] {
            assert_eq!(local_of(address), local);
            assert_eq!(domain_of(address).as_deref(), domain);
            assert_eq!(untagged(address), bare);
        }
    }
}
