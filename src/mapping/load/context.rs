//! What every part of loading shares: complaints, and what the outside knows.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    ops::Range,
    sync::Arc,
};

use regex::Regex;
use serde_json::{Map, Value};

use crate::{
    diagnostic::{Diagnostic, Diagnostics, Place, SourceFile},
    mapping::model::{FormLists, LookUp, With, is_secret_name, is_secret_variable},
};

use super::{Environment, MissingValues, mendings, quiet, tree::Node};

/// Complaints so far, and the environment.
pub(super) struct Context<'e> {
    complaints: RefCell<Diagnostics>,
    /// Places of secrets written in clear: blanked before a line is shown.
    clear_secrets: RefCell<Vec<Place>>,
    /// Values of variables that are secrets by their names.
    pub secrets: RefCell<Vec<String>>,
    environment: &'e dyn Environment,
    missing: MissingValues,
    is_muted: Cell<bool>,
    has_unset: Cell<bool>,
    /// Something could not be read: what is missing then may be what could not be read.
    is_broken: Cell<bool>,
    /// Tables that were written under another name or in another place: `user`, `target.auth`. They lack nothing for sure.
    misplaced: RefCell<Vec<String>>,
    /// Regular expressions compiled so far, by their text: compiling takes a millisecond, and lines share them.
    pub patterns: RefCell<HashMap<String, Regex>>,
    /// How forms write lists, once `[target]` has been read.
    pub form_lists: Cell<FormLists>,
    /// Whether replies are XML (`[target] format`), once `[target]` has been read.
    pub is_xml: Cell<bool>,
    /// `[settings]`, once they have been read.
    pub settings: RefCell<Map<String, Value>>,
    /// What every call of the section that is being read is given (`[user] with`).
    pub with: RefCell<Vec<With>>,
    /// The attributes that rules name, and where: what types there are is known later.
    pub named_by_rules: RefCell<Vec<(String, Place)>>,
    /// `[values.NAME]`, once they have been read.
    pub look_ups: RefCell<Vec<Arc<LookUp>>>,
}

impl<'e> Context<'e> {
    pub fn new(environment: &'e dyn Environment, missing: MissingValues) -> Self {
        Self {
            complaints: RefCell::default(),
            clear_secrets: RefCell::default(),
            secrets: RefCell::default(),
            environment,
            missing,
            is_muted: Cell::new(false),
            has_unset: Cell::new(false),
            is_broken: Cell::new(false),
            misplaced: RefCell::default(),
            patterns: RefCell::default(),
            form_lists: Cell::new(FormLists::Repeat),
            is_xml: Cell::new(false),
            settings: RefCell::default(),
            with: RefCell::default(),
            named_by_rules: RefCell::default(),
            look_ups: RefCell::default(),
        }
    }

    /// Adds a complaint.
    pub fn add(&self, diagnostic: Diagnostic) {
        if !self.is_muted.get() {
            self.complaints.borrow_mut().add(diagnostic);
        }
    }

    /// Adds an error at a place.
    pub fn error(&self, code: &'static str, place: &Place, sentence: String, mending: &str) {
        // What is looked at a second time, or tried only, was told the first time if it is wrong.
        if !self.is_muted.get() {
            self.is_broken.set(true);
        }
        self.gap(code, place, sentence, mending);
    }

    /// Adds an error about what was read, but does not go together or is not enough.
    pub fn gap(&self, code: &'static str, place: &Place, sentence: String, mending: &str) {
        let diagnostic = Diagnostic::error(code, sentence).at(place);
        self.add(with_mending(diagnostic, mending));
    }

    /// Adds a warning at a place.
    pub fn warning(&self, code: &'static str, place: &Place, sentence: String, mending: &str) {
        let diagnostic = Diagnostic::warning(code, sentence).at(place);
        self.add(with_mending(diagnostic, mending));
    }

    /// Does something whose complaints were made already.
    pub fn muted<T>(&self, work: impl FnOnce() -> T) -> T {
        let before = self.is_muted.replace(true);
        let result = work();
        self.is_muted.set(before);
        result
    }

    /// Remembers that a table, by its whole name, was probably meant by what stands elsewhere.
    pub fn misplaced(&self, name: &str) {
        self.misplaced.borrow_mut().push(name.to_owned());
    }

    /// Whether what seems to be missing, by its whole name, may stand elsewhere.
    pub fn is_misplaced(&self, key: &str) -> bool {
        let misplaced = self.misplaced.borrow();
        misplaced.iter().any(|name| {
            let below = key.strip_prefix(name.as_str());
            below.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }

    /// Whether something could not be read.
    pub fn is_broken(&self) -> bool {
        self.is_broken.get()
    }

    pub fn has_errors(&self) -> bool {
        self.complaints.borrow().has_errors()
    }

    /// Whether a value from outside was missing, so that texts are not what they will be.
    pub fn has_unset(&self) -> bool {
        self.has_unset.get()
    }

    /// All complaints, ordered, secrets blanked.
    pub fn finish(self) -> Vec<Diagnostic> {
        let mut all = self.complaints.into_inner().into_sorted();
        all.iter_mut().for_each(mendings::complete);
        let mut secrets = self.clear_secrets.into_inner();
        let shown = all.iter().filter_map(|one| one.place.as_ref());
        secrets.extend(shown.flat_map(quiet::in_line_of));
        if !secrets.is_empty() {
            blank(&mut all, &secrets);
        }
        all
    }

    /// A text with `${NAME}` replaced by the environment's values; `$${` stands for `${`.
    ///
    /// With `in_template`, braces in the values are doubled: they are text, never an expression.
    pub fn expand(&self, node: &Node, text: &str, in_template: bool) -> String {
        let mut expanded = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find("${") {
            let (before, behind) = rest.split_at(at);
            if let Some(before) = before.strip_suffix('$') {
                expanded.push_str(before);
                expanded.push_str(if in_template { "${{" } else { "${" });
                rest = behind.get(2..).unwrap_or("");
                continue;
            }
            expanded.push_str(before);
            let behind = behind.get(2..).unwrap_or("");
            let Some((name, after)) = behind.split_once('}').filter(|(n, _)| is_variable(n)) else {
                self.error(
                    "mapping::bad-variable",
                    &node.place,
                    "`${` is not followed by the name of an environment variable and `}`."
                        .to_owned(),
                    match behind.split_once('}') {
                        Some((inside, _)) if inside.contains([':', '-']) => {
                            "write `${NAME}`: a variable has no default here, set it where the gateway runs"
                        }
                        _ => "write `${NAME}`, or `$${` for the two characters themselves",
                    },
                );
                return expanded;
            };
            if in_template
                && PLACEHOLDERS.contains(&name)
                && self.environment.variable(name).is_none()
            {
                self.error(
                    "mapping::bad-variable",
                    &self.within(node, text, expanded.len()..expanded.len() + name.len() + 3),
                    format!("`${{{name}}}` is an environment variable, and it is not set."),
                    &format!("did you mean `{{{name}}}`, without `$`?"),
                );
                // Read as meant, so that nothing else is said about it.
                expanded.push_str(&format!("{{{name}}}"));
                rest = after;
                continue;
            }
            let value = self.variable(node, name);
            if in_template {
                expanded.push_str(&value.replace('{', "{{").replace('}', "}}"));
            } else {
                expanded.push_str(&value);
            }
            rest = after;
        }
        expanded.push_str(rest);
        expanded
    }

    /// A secret: `file:…`, or a text with `${NAME}` in it.
    pub fn secret(&self, node: &Node, text: &str) -> String {
        if let Some(path) = text.strip_prefix("file:") {
            let path = self.expand(node, path, false);
            return match self.environment.secret_file(&path) {
                Some(content) => content.trim_end_matches(['\r', '\n']).to_owned(),
                None => {
                    self.unset(
                        node,
                        "mapping::missing-secret",
                        format!("The file `{path}` cannot be read, or is empty."),
                    );
                    UNSET.to_owned()
                }
            };
        }
        if !text.contains("${") {
            // Never shown: what looks like a name may be the secret.
            let mending = match is_foreign_reference(text) {
                true => {
                    "if it is the name of a variable, write `${NAME}`, nothing else is replaced; a file is `file:/run/secrets/name`"
                }
                false => {
                    "write `${NAME}` and set it in the environment, or `file:/run/secrets/name`"
                }
            };
            self.in_clear(node, mending);
        }
        self.expand(node, text, false)
    }

    /// Warns of a secret that stands in the file as it is, and sees to it that it is not shown.
    pub fn in_clear(&self, node: &Node, mending: &str) {
        self.hide(&node.place);
        let sentence = "A secret is written in the file itself.".to_owned();
        self.warning("mapping::secret-in-clear", &node.place, sentence, mending);
    }

    /// Warns of a header's or a parameter's value that is a secret by its name and stands in the file as it is.
    pub fn doubt_clear(&self, name: &str, text: &str, place: &Place) {
        if is_clear_secret(name, text) {
            self.hide(place);
            self.warning(
                "mapping::secret-in-clear",
                place,
                format!("`{name}` is a secret by its name, and is written in the file itself."),
                "write `${NAME}` and set it in the environment, or say it in `[target.auth]`",
            );
        }
    }

    /// Sees to it that what stands in a place is shown in no complaint.
    pub fn hide(&self, place: &Place) {
        self.clear_secrets.borrow_mut().push(place.clone());
    }

    /// The place of a part of a text value. Falls back to the whole value where the text was changed by escapes or variables.
    pub fn within(&self, node: &Node, value: &str, part: Range<usize>) -> Place {
        let written = node.place.text();
        match written.find(value).filter(|_| !value.is_empty()) {
            Some(offset) => {
                let start = node.place.span.start + offset;
                let end = (start + part.end).min(start + value.len());
                let start = (start + part.start).min(end);
                Place::new(&node.place.file, start..end.max(start + 1))
            }
            None => node.place.clone(),
        }
    }

    fn variable(&self, node: &Node, name: &str) -> String {
        let value = self.environment.variable(name);
        if let Some(value) = value.as_ref().filter(|_| is_secret_variable(name)) {
            let mut secrets = self.secrets.borrow_mut();
            if !secrets.contains(value) {
                secrets.push(value.clone());
            }
        }
        value.unwrap_or_else(|| {
            self.unset(
                node,
                "mapping::unset-variable",
                format!("The environment variable `{name}` is not set."),
            );
            UNSET.to_owned()
        })
    }

    fn unset(&self, node: &Node, code: &'static str, sentence: String) {
        self.has_unset.set(true);
        let diagnostic = match self.missing {
            MissingValues::AreErrors => Diagnostic::error(code, sentence),
            MissingValues::AreWarnings => Diagnostic::warning(code, sentence),
        };
        self.add(diagnostic.at(&node.place));
    }
}

/// Stands for a value from outside that is not there while a file is only checked.
const UNSET: &str = "unset";

/// Names of calls that nobody gives to an environment variable.
const PLACEHOLDERS: [&str; 6] = ["id", "value", "group", "member", "members", "fields"];

fn with_mending(diagnostic: Diagnostic, mending: &str) -> Diagnostic {
    if mending.is_empty() {
        diagnostic
    } else {
        diagnostic.mend(mending)
    }
}

/// Whether a literal value is a secret: by its name alone, or where a name of this kind may be harmless (`X-Atlassian-Token:
/// no-check`) by a digit in it as well.
fn is_clear_secret(name: &str, text: &str) -> bool {
    if text.is_empty() || text.contains(['{', '$']) {
        return false;
    }
    let name = name.to_ascii_lowercase();
    if name == "authorization" || name == "proxy-authorization" {
        return true;
    }
    let has_digit = text.contains(|c: char| c.is_ascii_digit());
    is_secret_name(&name) && (!name.ends_with("token") || has_digit)
}

/// `$NAME`, `{NAME}`, `env:NAME`: how other tools name a variable.
fn is_foreign_reference(text: &str) -> bool {
    let name = text
        .trim_start_matches("env:")
        .trim_matches(['$', '{', '}', '%']);
    name != text && is_variable(name)
}

fn is_variable(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Lets complaints point into copies of the files in which secrets are stars.
fn blank(diagnostics: &mut [Diagnostic], secrets: &[Place]) {
    let mut copies: Vec<(Arc<SourceFile>, Arc<SourceFile>)> = Vec::new();
    for secret in secrets {
        if copies
            .iter()
            .any(|(original, _)| Arc::ptr_eq(original, &secret.file))
        {
            continue;
        }
        let mut text = secret.file.text.clone();
        for place in secrets
            .iter()
            .filter(|p| Arc::ptr_eq(&p.file, &secret.file))
        {
            let stars: String = place.text().bytes().map(|_| '*').collect();
            text.replace_range(place.span.clone(), &stars);
        }
        let path = secret.file.path.clone();
        copies.push((
            Arc::clone(&secret.file),
            Arc::new(SourceFile { path, text }),
        ));
    }
    for place in diagnostics.iter_mut().filter_map(|one| one.place.as_mut()) {
        if let Some((_, copy)) = copies
            .iter()
            .find(|(file, _)| Arc::ptr_eq(file, &place.file))
        {
            place.file = Arc::clone(copy);
        }
    }
}
