//! How long a certificate is valid: just enough of DER (X.690) and RFC 5280 §4.1.
//!
//! rustls looks at the dates of other parties' certificates, never at our own.

use jiff::{civil::DateTime, tz::TimeZone};

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const VERSION: u8 = 0xa0;

/// Seconds since 1970 between which a certificate is valid, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Validity {
    pub not_before: i64,
    pub not_after: i64,
}

/// Reads the validity of a DER certificate; absent if it is not one.
pub(super) fn validity(certificate: &[u8]) -> Option<Validity> {
    let mut outer = Reader(certificate);
    let mut certificate = Reader(outer.expect(SEQUENCE)?);
    let mut fields = Reader(certificate.expect(SEQUENCE)?);
    if fields.0.first() == Some(&VERSION) {
        fields.expect(VERSION)?;
    }
    fields.expect(INTEGER)?; // serialNumber
    fields.expect(SEQUENCE)?; // signature
    fields.expect(SEQUENCE)?; // issuer
    let mut validity = Reader(fields.expect(SEQUENCE)?);
    Some(Validity {
        not_before: validity.time()?,
        not_after: validity.time()?,
    })
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Takes one element; its tag and its content.
    fn element(&mut self) -> Option<(u8, &'a [u8])> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, mut rest) = rest.split_first()?;
        let mut length = usize::from(first);
        if first & 0x80 != 0 {
            let count = usize::from(first & 0x7f);
            let (digits, after) = rest.split_at_checked(count)?;
            if digits.is_empty() || digits.len() > 4 {
                return None;
            }
            length = digits
                .iter()
                .fold(0, |sum, &digit| sum << 8 | usize::from(digit));
            rest = after;
        }
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((tag, content))
    }

    fn expect(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (found, content) = self.element()?;
        (found == tag).then_some(content)
    }

    /// `YYMMDDhhmmssZ` or `YYYYMMDDhhmmssZ` (RFC 5280 §4.1.2.5).
    fn time(&mut self) -> Option<i64> {
        let (tag, content) = self.element()?;
        let digits = content.strip_suffix(b"Z")?;
        let (year, rest) = match tag {
            UTC_TIME => {
                let (year, rest) = digits.split_at_checked(2)?;
                let year = number(year)?;
                (if year < 50 { 2000 + year } else { 1900 + year }, rest)
            }
            GENERALIZED_TIME => {
                let (year, rest) = digits.split_at_checked(4)?;
                (number(year)?, rest)
            }
            _ => return None,
        };
        let [month, day, hour, minute, second] = fields(rest)?;
        let time = DateTime::new(year, month, day, hour, minute, second, 0).ok()?;
        Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second())
    }
}

fn fields(digits: &[u8]) -> Option<[i8; 5]> {
    let mut fields = [0; 5];
    if digits.len() != 10 {
        return None;
    }
    for (field, pair) in fields.iter_mut().zip(digits.chunks(2)) {
        *field = i8::try_from(number(pair)?).ok()?;
    }
    Some(fields)
}

fn number(digits: &[u8]) -> Option<i16> {
    digits.iter().try_fold(0_i16, |sum, digit| {
        let digit = digit.is_ascii_digit().then(|| i16::from(digit - b'0'))?;
        sum.checked_mul(10)?.checked_add(digit)
    })
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    fn certificate(from: (i32, u8, u8), to: (i32, u8, u8)) -> Vec<u8> {
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        params.not_before = date_time_ymd(from.0, from.1, from.2);
        params.not_after = date_time_ymd(to.0, to.1, to.2);
        let key = KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().der().to_vec()
    }

    #[test]
    fn both_spellings_of_time_are_read() {
        // 2049 is the last year of UTCTime, 2050 the first of GeneralizedTime.
        for (from, to, not_before, not_after) in [
            ((1975, 1, 1), (2049, 12, 31), 157_766_400, 2_524_521_600),
            ((2026, 11, 22), (2050, 1, 1), 1_795_305_600, 2_524_608_000),
        ] {
            let got = validity(&certificate(from, to)).unwrap();
            assert_eq!(
                got,
                Validity {
                    not_before,
                    not_after
                }
            );
        }
    }

    #[test]
    fn a_damaged_certificate_has_no_validity_and_does_no_harm() {
        let whole = certificate((2026, 1, 1), (2027, 1, 1));
        for length in 0..whole.len() {
            assert_eq!(validity(&whole[..length]), None, "{length}");
        }
        for place in 0..whole.len().min(200) {
            let mut damaged = whole.clone();
            damaged[place] ^= 0xff;
            let _ = validity(&damaged);
        }
    }
}
