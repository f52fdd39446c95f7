//! Reads the members of a request body and collects what is wrong with them.

use serde_json::{Map, Value, json};

/// One member of a partial update: not sent, sent as `null`, or sent with a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change<T> {
    Absent,
    Clear,
    Set(T),
}

impl<T> Change<T> {
    /// The value, if there is one.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Absent | Self::Clear => None,
        }
    }

    /// Makes a field what the request says.
    pub fn apply<U: From<T>>(self, field: &mut Option<U>) {
        match self {
            Self::Absent => {}
            Self::Clear => *field = None,
            Self::Set(value) => *field = Some(value.into()),
        }
    }

    /// Makes a field that always has a value what the request says.
    pub fn apply_required<U: From<T>>(self, field: &mut U) {
        if let Self::Set(value) = self {
            *field = value.into();
        }
    }
}

/// What is wrong with a request, field by field: the body of a 422.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Complaints(Vec<(&'static str, String)>);

impl Complaints {
    /// Adds a complaint.
    pub fn add(&mut self, field: &'static str, message: impl Into<String>) {
        self.0.push((field, message.into()));
    }

    /// `Ok` if there is none.
    pub fn into_result(self) -> Result<(), Self> {
        if self.0.is_empty() { Ok(()) } else { Err(self) }
    }

    /// As the API shows them.
    pub fn to_json(&self) -> Value {
        let errors: Vec<Value> = self
            .0
            .iter()
            .map(|(field, message)| json!({"field": field, "message": message}))
            .collect();
        json!({ "errors": errors })
    }
}

/// The members of a body, read one by one; members nobody asks for are ignored.
pub(super) struct Fields<'b> {
    members: &'b Map<String, Value>,
    pub complaints: Complaints,
}

impl<'b> Fields<'b> {
    pub fn new(members: &'b Map<String, Value>) -> Self {
        Self {
            members,
            complaints: Complaints::default(),
        }
    }

    /// A text of at most `longest` characters; an empty one counts as `null`.
    pub fn text(&mut self, name: &'static str, longest: usize) -> Change<String> {
        match self.members.get(name) {
            None => Change::Absent,
            Some(Value::Null) => Change::Clear,
            Some(Value::String(text)) if text.trim().is_empty() => Change::Clear,
            Some(Value::String(text)) if text.chars().count() <= longest => {
                Change::Set(text.clone())
            }
            Some(Value::String(_)) => self.refuse(
                name,
                format!("is too long (maximum is {longest} characters)"),
            ),
            Some(_) => self.refuse(name, "must be a string"),
        }
    }

    /// A text that cannot be taken away.
    pub fn required_text(&mut self, name: &'static str, longest: usize) -> Change<String> {
        match self.text(name, longest) {
            Change::Clear => self.refuse(name, "cannot be blank"),
            change => change,
        }
    }

    /// A whole number, such as an id.
    pub fn number(&mut self, name: &'static str) -> Change<u64> {
        match self.members.get(name) {
            None => Change::Absent,
            Some(Value::Null) => Change::Clear,
            Some(value) => match value.as_u64() {
                Some(number) => Change::Set(number),
                None => self.refuse(name, "must be an integer"),
            },
        }
    }

    /// A list of whole numbers; the complaint is made if it is missing.
    pub fn numbers(&mut self, name: &'static str) -> Vec<u64> {
        let items = self.members.get(name).and_then(Value::as_array);
        let numbers: Option<Vec<u64>> =
            items.and_then(|items| items.iter().map(Value::as_u64).collect());
        numbers.unwrap_or_else(|| {
            self.complaints.add(name, "must be a list of integers");
            Vec::new()
        })
    }

    /// Complains if a member that a new object needs was not sent.
    pub fn require<T: PartialEq>(&mut self, name: &'static str, change: &Change<T>) {
        // A member that was sent and refused has its complaint already.
        if *change == Change::Absent && !self.members.contains_key(name) {
            self.complaints.add(name, "cannot be blank");
        }
    }

    fn refuse<T>(&mut self, name: &'static str, message: impl Into<String>) -> Change<T> {
        self.complaints.add(name, message);
        Change::Absent
    }
}
