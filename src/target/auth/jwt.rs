//! Signed assertions (RFC 7523). The time and a unique id are given.

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use rustls::pki_types::{PrivatePkcs8KeyDer, pem::PemObject};
use serde_json::{Value, json};

use super::LoginFailure;
use crate::{mapping::model::JwtAssertion, target::TargetError, tenant::secret::Secret};

/// A key that signs.
#[derive(Debug)]
pub(super) enum Key {
    Rs256(Box<RsaKeyPair>),
    Es256(Box<EcdsaKeyPair>),
}

impl Key {
    /// Reads a PKCS#8 PEM: RSA or P-256.
    ///
    /// # Errors
    ///
    /// Anything else; the text says nothing about the key.
    pub fn parse(pem: &Secret) -> Result<Self, TargetError> {
        let unfit = |what: &str| TargetError::Settings(format!("The key for assertions {what}."));
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem.expose().as_bytes())
            .map_err(|_| unfit("is not a PKCS#8 PEM (`BEGIN PRIVATE KEY`)"))?;
        let der = der.secret_pkcs8_der();
        if let Ok(key) = RsaKeyPair::from_pkcs8(der) {
            return Ok(Self::Rs256(Box::new(key)));
        }
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der)
            .map(|key| Self::Es256(Box::new(key)))
            .map_err(|_| unfit("is neither RSA of 2048 bits or more nor P-256"))
    }

    /// The assertion, compact.
    ///
    /// # Errors
    ///
    /// `LoginFailed` if signing fails, which needs a broken random source.
    pub fn sign(
        &self,
        assertion: &JwtAssertion,
        issued: i64,
        id: &str,
    ) -> Result<String, TargetError> {
        let mut header = json!({"alg": self.algorithm(), "typ": "JWT"});
        if let (Some(key_id), Value::Object(header)) = (&assertion.key_id, &mut header) {
            header.insert("kid".into(), key_id.as_str().into());
        }
        let life = i64::try_from(assertion.life.as_secs()).unwrap_or(i64::MAX);
        let claims = json!({
            "iss": assertion.issuer,
            "sub": assertion.subject,
            "aud": assertion.audience,
            "iat": issued,
            "exp": issued.saturating_add(life),
            "jti": id,
        });
        let encode = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", encode(&header), encode(&claims));
        let signature = self
            .signature(text.as_bytes())
            .ok_or(TargetError::LoginFailed(LoginFailure::Unsigned))?;
        Ok(format!(
            "{text}.{}",
            BASE64_URL_SAFE_NO_PAD.encode(signature)
        ))
    }

    fn algorithm(&self) -> &'static str {
        match self {
            Self::Rs256(_) => "RS256",
            Self::Es256(_) => "ES256",
        }
    }

    fn signature(&self, text: &[u8]) -> Option<Vec<u8>> {
        let random = SystemRandom::new();
        match self {
            Self::Rs256(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, text, &mut signature)
                    .ok()?;
                Some(signature)
            }
            Self::Es256(key) => Some(key.sign(&random, text).ok()?.as_ref().to_vec()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use aws_lc_rs::{
        encoding::AsDer,
        rsa,
        signature::{
            ECDSA_P256_SHA256_FIXED, KeyPair, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey,
        },
    };

    use super::*;

    fn assertion() -> JwtAssertion {
        JwtAssertion {
            key: Secret::new(String::new()),
            key_id: Some("k1".into()),
            issuer: "gateway".into(),
            subject: "svc".into(),
            audience: "https://token.example".into(),
            life: Duration::from_secs(300),
            is_grant: true,
        }
    }

    fn pem(der: &[u8]) -> Secret {
        let text = base64::prelude::BASE64_STANDARD.encode(der);
        Secret::new(format!(
            "-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n"
        ))
    }

    #[test]
    fn both_kinds_of_key_sign_what_their_public_half_verifies() {
        let p256 = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let rsa = rsa::KeyPair::generate(rsa::KeySize::Rsa2048).unwrap();
        let cases: [(
            Secret,
            &str,
            Vec<u8>,
            &'static dyn aws_lc_rs::signature::VerificationAlgorithm,
        ); 2] = [
            (
                pem(p256.to_pkcs8v1().unwrap().as_ref()),
                "ES256",
                p256.public_key().as_ref().to_vec(),
                &ECDSA_P256_SHA256_FIXED,
            ),
            (
                pem(rsa.as_der().unwrap().as_ref()),
                "RS256",
                rsa.public_key().as_ref().to_vec(),
                &RSA_PKCS1_2048_8192_SHA256,
            ),
        ];
        for (pem, algorithm, public, verification) in cases {
            let key = Key::parse(&pem).unwrap();
            let token = key.sign(&assertion(), 1_700_000_000, "id-1").unwrap();
            let parts: Vec<&str> = token.split('.').collect();
            let part = |index: usize| BASE64_URL_SAFE_NO_PAD.decode(parts[index]).unwrap();
            let signed = format!("{}.{}", parts[0], parts[1]);
            UnparsedPublicKey::new(verification, public)
                .verify(signed.as_bytes(), &part(2))
                .unwrap();
            let header: Value = serde_json::from_slice(&part(0)).unwrap();
            assert_eq!(header, json!({"alg": algorithm, "typ": "JWT", "kid": "k1"}));
            let claims: Value = serde_json::from_slice(&part(1)).unwrap();
            assert_eq!(
                claims,
                json!({"iss": "gateway", "sub": "svc", "aud": "https://token.example",
                       "iat": 1_700_000_000, "exp": 1_700_000_300, "jti": "id-1"})
            );
        }
    }

    #[test]
    fn what_is_no_key_is_refused_without_being_shown() {
        for text in [
            "",
            "secret",
            "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n",
        ] {
            let error = Key::parse(&Secret::new(text)).unwrap_err();
            assert!(!error.to_string().contains("c2VjcmV0"), "{error}");
        }
    }
}
