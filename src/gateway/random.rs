//! Randomness from the system, at the edge: templates are given it, and ask for none themselves.

use aws_lc_rs::rand;

/// Fresh characters for one request's templates. Any 15 of them that follow each other hold a capital, a small letter, a
/// digit and a sign, so that rules for passwords are met not by luck alone.
///
/// Empty if the system has no randomness, in which case a template that needs some fails.
pub fn characters() -> String {
    let mut bytes = [0_u8; BLOCKS * BYTES];
    if rand::fill(&mut bytes).is_err() {
        return String::new();
    }
    bytes.chunks_exact(BYTES).flat_map(block).collect()
}

/// Eight characters, each of which is as likely to be the one of its class.
fn block(bytes: &[u8]) -> [char; BLOCK] {
    let (characters, choices) = bytes.split_at(BLOCK);
    let mut block = [' '; BLOCK];
    // 64 characters: each byte's low six bits choose one, without bias.
    for (place, byte) in block.iter_mut().zip(characters) {
        *place = char::from(ALPHABET[usize::from(byte & 63)]);
    }
    let mut places: [usize; BLOCK] = std::array::from_fn(|place| place);
    for (at, (class, choice)) in CLASSES.iter().zip(choices.chunks_exact(4)).enumerate() {
        let choice = choice
            .iter()
            .fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
        // Of 2^32 values: what one character or place has more than another cannot be seen.
        let (place, character) = (choice % (BLOCK - at) as u64, choice / BLOCK as u64);
        places.swap(at, at + place as usize);
        let class = &ALPHABET[class.clone()];
        block[places[at]] = char::from(class[character as usize % class.len()]);
    }
    block
}

/// One request's templates can use up so many times [`BLOCK`] characters.
const BLOCKS: usize = 24;
const BLOCK: usize = 8;
/// A byte for each character, and four for each class.
const BYTES: usize = BLOCK + 4 * CLASSES.len();

/// Letters, digits and two signs that most password rules take.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Where the classes are in it.
const CLASSES: [std::ops::Range<usize>; 4] = [0..26, 26..52, 52..62, 62..64];

#[cfg(test)]
mod tests {
    use super::*;

    const CHARACTERS: usize = BLOCKS * BLOCK;
    /// So many characters have a whole block among them, wherever they begin.
    const SURE: usize = 2 * BLOCK - 1;

    #[test]
    fn two_requests_get_different_characters() {
        let (one, other) = (characters(), characters());
        assert_eq!(one.len(), CHARACTERS);
        assert_ne!(one, other);
    }

    #[test]
    fn enough_of_them_have_every_class() {
        for _ in 0..200 {
            let text = characters().into_bytes();
            for window in text.windows(SURE) {
                for class in CLASSES {
                    let class = &ALPHABET[class];
                    assert!(window.iter().any(|byte| class.contains(byte)), "{window:?}");
                }
            }
        }
    }

    #[test]
    fn every_character_comes_in_every_place() {
        let mut seen = vec![std::collections::HashSet::new(); CHARACTERS];
        for _ in 0..3000 {
            for (seen, character) in seen.iter_mut().zip(characters().chars()) {
                seen.insert(character);
            }
        }
        assert!(seen.iter().all(|seen| seen.len() == ALPHABET.len()));
    }
}
