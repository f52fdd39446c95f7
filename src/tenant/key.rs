//! Keys of clients: what a token looks like, and whether one is right.
//!
//! In: random bytes, or the token a client presented and the hash that is kept. Out: a new token with its hash, or yes or no. Knows
//! nothing of stores, tenants, expiry or HTTP.
//!
//! A token is `sg_<key id>_<secret>_<checksum>`: 12 characters of base32, 43 and 6 of base62, so that a double click selects all of it,
//! scanners for leaked secrets recognise it, and a typing error is told from a wrong key without asking the store. Operators may bring
//! tokens of their own in any form; those have a hash and no key id.

use std::fmt;

use aws_lc_rs::digest;
use subtle::ConstantTimeEq;

use super::secret::Secret;

/// How many random bytes [`mint`] takes: 8 for the key id, 32 for the secret.
pub const MINT_RANDOM_BYTES: usize = KEY_ID_BYTES + SECRET_BYTES;

/// The public part of a token: names the key in lists, logs and the audit.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(String);

impl KeyId {
    /// The text, 12 characters of `a-z2-7`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A key just made. The token is shown once and then forgotten; id and hash are kept.
#[derive(Debug)]
pub struct NewKey {
    /// What the client sends as its bearer token.
    pub token: Secret,
    /// The public part of it.
    pub id: KeyId,
    /// SHA-256 of the whole token.
    pub sha256: [u8; 32],
}

/// Makes a key of random bytes, which must come from the system's generator and be used once.
pub fn mint(random: &[u8; MINT_RANDOM_BYTES]) -> NewKey {
    let mut id_bytes = [0; KEY_ID_BYTES];
    let mut secret_bytes = [0; SECRET_BYTES];
    let bytes = id_bytes.iter_mut().chain(&mut secret_bytes);
    bytes.zip(random).for_each(|(to, from)| *to = *from);

    let id = base32(u64::from_be_bytes(id_bytes));
    let mut token = String::with_capacity(TOKEN_CHARS);
    token.push_str(PREFIX);
    token.push_str(&id);
    token.push('_');
    push_base62(&mut token, &mut secret_bytes, SECRET_CHARS);
    let checksum = checksum(&token);
    token.push('_');
    token.push_str(&checksum);
    NewKey {
        sha256: sha256(&token),
        token: Secret::new(token),
        id: KeyId(id),
    }
}

/// The id of a token of ours; absent if it has another form or its checksum is wrong. Says nothing about whether the key opens anything.
pub fn parse(token: &str) -> Option<KeyId> {
    let (body, checksum) = token.rsplit_once('_')?;
    let (id, secret) = body.strip_prefix(PREFIX)?.split_once('_')?;
    let is_well_formed = id.len() == KEY_ID_CHARS
        && id.bytes().all(|byte| BASE32.contains(&byte))
        && secret.len() == SECRET_CHARS
        && secret.bytes().all(|byte| BASE62.contains(&byte));
    (is_well_formed && checksum == self::checksum(body)).then(|| KeyId(id.to_owned()))
}

/// The hash under which a token is kept and found, whatever its form.
///
/// Finding a key by this hash leaks nothing by its timing: who knows the hash of a token cannot make the token. [`verify`] still has the
/// last word.
pub fn sha256(token: &str) -> [u8; 32] {
    let mut hash = [0; 32];
    let digest = digest::digest(&digest::SHA256, token.as_bytes());
    hash.iter_mut()
        .zip(digest.as_ref())
        .for_each(|(to, from)| *to = *from);
    hash
}

/// Whether the token is the one with this hash, in a time that does not depend on where they differ.
pub fn verify(token: &str, expected: &[u8; 32]) -> bool {
    sha256(token).ct_eq(expected).into()
}

/// As [`verify`]; without a hash to compare with (an unknown key id) the same work is done and the answer is no.
pub fn verify_known(token: &str, expected: Option<&[u8; 32]>) -> bool {
    let is_equal = verify(token, expected.unwrap_or(&[0; 32]));
    is_equal & expected.is_some()
}

/// Six characters over what stands before them: not a secret, only against typing errors and cut tokens.
fn checksum(body: &str) -> String {
    let mut first = [0; 4];
    let hash = sha256(body);
    first.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
    let mut text = String::with_capacity(CHECKSUM_CHARS);
    push_base62(&mut text, &mut first, CHECKSUM_CHARS);
    text
}

/// The lowest 60 bits, five to a character.
fn base32(bits: u64) -> String {
    (0..KEY_ID_CHARS)
        .map(|position| {
            let index = (bits >> (5 * position)) & 31;
            digit(BASE32, u32::try_from(index).unwrap_or_default())
        })
        .collect()
}

/// Writes a big-endian number in `digits` characters of base 62, the least significant first; the number is used up.
fn push_base62(text: &mut String, number: &mut [u8], digits: usize) {
    for _ in 0..digits {
        let mut remainder: u32 = 0;
        for byte in number.iter_mut() {
            let dividend = remainder * 256 + u32::from(*byte);
            *byte = u8::try_from(dividend / 62).unwrap_or_default();
            remainder = dividend % 62;
        }
        text.push(digit(BASE62, remainder));
    }
}

fn digit(alphabet: &[u8], index: u32) -> char {
    let index = usize::try_from(index).unwrap_or_default();
    alphabet.get(index).copied().map_or('0', char::from)
}

const PREFIX: &str = "sg_";
const BASE32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const KEY_ID_BYTES: usize = 8;
const KEY_ID_CHARS: usize = 12;
const SECRET_BYTES: usize = 32;
/// 62^43 is just above 2^256.
const SECRET_CHARS: usize = 43;
/// 62^6 is above 2^32.
const CHECKSUM_CHARS: usize = 6;
const TOKEN_CHARS: usize = PREFIX.len() + KEY_ID_CHARS + 1 + SECRET_CHARS + 1 + CHECKSUM_CHARS;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn counting() -> [u8; MINT_RANDOM_BYTES] {
        std::array::from_fn(|index| u8::try_from(index * 6).unwrap())
    }

    #[test]
    fn a_new_token_has_the_documented_form() {
        let key = mint(&counting());
        let token = key.token.expose();
        assert_eq!(token.len(), TOKEN_CHARS);
        let parts: Vec<&str> = token.split('_').collect();
        let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
        assert_eq!(lengths, [2, 12, 43, 6]);
        assert_eq!(parts[0], "sg");
        assert_eq!(parts[1], key.id.as_str());
        assert_eq!(parse(token), Some(key.id));
    }

    #[test]
    fn the_form_of_a_token_stays_the_same_over_versions() {
        let key = mint(&counting());
        insta::assert_snapshot!(key.token.expose(), @"sg_kbj4bmicmqba_wGY9jiNHFzK4uw1U9c1b1RBcidUv6xzaABMR7diaoQB_s9a6Z1");
    }

    #[test]
    fn the_extremes_of_the_random_bytes_make_whole_tokens() {
        for byte in [0, 255] {
            let key = mint(&[byte; MINT_RANDOM_BYTES]);
            assert_eq!(key.token.expose().len(), TOKEN_CHARS);
            assert_eq!(parse(key.token.expose()), Some(key.id));
        }
    }

    #[test]
    fn s7_every_bit_of_the_secret_changes_the_token() {
        let token = |random: [u8; MINT_RANDOM_BYTES]| mint(&random).token.expose().to_owned();
        let mut seen = std::collections::HashSet::from([token(counting())]);
        for bit in 64..MINT_RANDOM_BYTES * 8 {
            let mut random = counting();
            random[bit / 8] ^= 1 << (bit % 8);
            assert!(seen.insert(token(random)), "bit {bit} is lost");
        }
    }

    #[test]
    fn s19_a_debug_print_shows_neither_token_nor_secret() {
        let key = mint(&counting());
        let shown = format!("{key:?}");
        assert!(shown.contains("***"));
        assert!(!shown.contains(key.token.expose()));
        assert!(!shown.contains(key.token.expose().split('_').nth(2).unwrap()));
    }

    #[test]
    fn one_wrong_character_is_told_from_a_wrong_key_offline() {
        let key = mint(&counting());
        let token = key.token.expose();
        for position in 0..token.len() {
            let mut typed: Vec<u8> = token.bytes().collect();
            typed[position] = if typed[position] == b'x' { b'y' } else { b'x' };
            let typed = String::from_utf8(typed).unwrap();
            assert_eq!(parse(&typed), None, "{typed}");
        }
        let cut = &token[..token.len() - 1];
        for other in [
            cut,
            "",
            "_",
            "___",
            "sg_",
            "sg___",
            "Bearer",
            " sg_a_b_c",
            "sg_ä_b_c",
        ] {
            assert_eq!(parse(other), None, "{other:?}");
        }
    }

    #[test]
    fn s7_only_the_token_itself_verifies_against_its_hash() {
        let key = mint(&counting());
        assert!(verify(key.token.expose(), &key.sha256));
        assert!(verify_known(key.token.expose(), Some(&key.sha256)));
        assert!(!verify_known(key.token.expose(), None));
        let other = mint(&[7; MINT_RANDOM_BYTES]);
        assert!(!verify(other.token.expose(), &key.sha256));
        assert!(!verify("", &key.sha256));
        for byte in [0, 31] {
            let mut almost = key.sha256;
            almost[byte] ^= 1;
            assert!(!verify(key.token.expose(), &almost));
        }
    }

    #[test]
    fn an_operators_own_token_verifies_by_its_hash() {
        // FIPS 180-4's example: SHA-256 of "abc".
        let mut expected = [0; 32];
        let hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        for (byte, pair) in expected.iter_mut().zip(hex.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        }
        assert_eq!(parse("abc"), None);
        assert_eq!(sha256("abc"), expected);
        assert!(verify("abc", &expected));
    }

    proptest! {
        #[test]
        fn every_minted_token_parses_and_verifies(id: [u8; 8], secret: [u8; 32]) {
            let random: Vec<u8> = id.into_iter().chain(secret).collect();
            let key = mint(&random.try_into().unwrap());
            prop_assert_eq!(parse(key.token.expose()), Some(key.id));
            prop_assert!(verify(key.token.expose(), &key.sha256));
        }

        #[test]
        fn no_text_breaks_the_parser(text in "\\PC*|sg_[a-z2-7_]{0,80}") {
            prop_assert_eq!(parse(&text), None);
        }
    }
}
