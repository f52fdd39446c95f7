//! Randomness from the system, at the edge: templates are given it, and ask for none themselves.

use aws_lc_rs::rand;

/// Fresh characters for one request's templates: letters and digits that nobody confuses.
///
/// Empty if the system has no randomness, in which case a template that needs some fails.
pub fn characters() -> String {
    let mut bytes = [0_u8; CHARACTERS];
    if rand::fill(&mut bytes).is_err() {
        return String::new();
    }
    // 64 characters: each byte's low six bits choose one, without bias.
    bytes
        .iter()
        .map(|byte| char::from(ALPHABET[usize::from(byte & 63)]))
        .collect()
}

/// How many characters one request's templates can use up.
const CHARACTERS: usize = 192;

/// Letters, digits and two signs that most password rules take.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_requests_get_different_characters() {
        let (one, other) = (characters(), characters());
        assert_eq!(one.len(), CHARACTERS);
        assert_ne!(one, other);
    }
}
