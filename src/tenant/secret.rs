//! A text that must not get out.

use std::fmt;

use zeroize::Zeroizing;

/// A secret: a client's token, a target's credential.
///
/// Shown as `***`, wiped from memory when dropped, neither compared with `==` (which leaks by its timing) nor serialized.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text over; no copy of it stays behind.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text itself, for the one place that needs it.
    ///
    /// ```
    /// # use scimgate::tenant::secret::Secret;
    /// let secret = Secret::new("hush");
    /// assert_eq!(format!("{secret:?} {}", secret.expose()), "*** hush");
    /// ```
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    trait Compared<Marker> {
        fn found() {}
    }

    impl<T> Compared<()> for T {}

    struct ByEquality;

    impl<T: PartialEq> Compared<ByEquality> for T {}

    #[test]
    fn s9_secrets_cannot_be_compared() {
        // Does not compile once there is a `==` for secrets: then two implementations are meant.
        <Secret as Compared<_>>::found();
    }
}
