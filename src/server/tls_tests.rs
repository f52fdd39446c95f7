use std::fs;

use rcgen::{CertificateParams, KeyPair, date_time_ymd};

use super::*;

struct Files {
    _directory: tempfile::TempDir,
    settings: TlsSettings,
}

fn pair(last_year: i32) -> (String, String) {
    let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    params.not_after = date_time_ymd(last_year, 1, 1);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    (certificate.pem(), key.serialize_pem())
}

fn files(certificate: &str, key: &str) -> Files {
    let directory = tempfile::tempdir().unwrap();
    let settings = TlsSettings {
        certificate: directory.path().join("server.pem"),
        key: directory.path().join("server-key.pem"),
    };
    fs::write(&settings.certificate, certificate).unwrap();
    fs::write(&settings.key, key).unwrap();
    Files {
        _directory: directory,
        settings,
    }
}

#[test]
fn what_is_wrong_with_a_pair_is_said_precisely() {
    let (certificate, key) = pair(2040);
    let (_, other_key) = pair(2040);
    let cut = &certificate[..certificate.len() / 2];
    for (certificate, key, expected) in [
        (certificate.as_str(), other_key.as_str(), "does not belong"),
        ("", key.as_str(), "server.pem` has no certificate"),
        (key.as_str(), key.as_str(), "server.pem` has no certificate"),
        (
            certificate.as_str(),
            "",
            "server-key.pem` has no private key",
        ),
        (
            certificate.as_str(),
            certificate.as_str(),
            "has no private key",
        ),
        (cut, key.as_str(), "server.pem` is not valid PEM"),
        (
            certificate.as_str(),
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
            "private key in",
        ),
    ] {
        let files = files(certificate, key);
        let error = Certificates::load(files.settings.clone()).unwrap_err();
        assert!(error.to_string().contains(expected), "{expected}: {error}");
    }
    let files = files(&certificate, &key);
    fs::remove_file(&files.settings.key).unwrap();
    let error = Certificates::load(files.settings.clone()).unwrap_err();
    assert!(error.to_string().contains("cannot be read"), "{error}");
}

#[test]
fn an_expired_certificate_is_used_and_its_date_is_known() {
    let (certificate, key) = pair(2020);
    let files = files(&certificate, &key);
    let loaded = Certificates::load(files.settings.clone()).unwrap();
    assert_eq!(loaded.not_after(), Some(1_577_836_800));
}

#[test]
fn a_bad_pair_never_replaces_a_good_one() {
    let (certificate, key) = pair(2040);
    let files = files(&certificate, &key);
    let certificates = Certificates::load(files.settings.clone()).unwrap();
    let date = certificates.not_after();
    assert_eq!(certificates.reload().unwrap(), Reloaded::Unchanged);

    let (new_certificate, new_key) = pair(2041);
    fs::write(&files.settings.certificate, &new_certificate).unwrap();
    assert!(matches!(
        certificates.reload(),
        Err(TlsError::Mismatch { .. })
    ));
    assert_eq!(certificates.not_after(), date);
    fs::write(&files.settings.key, &new_key).unwrap();
    assert_eq!(certificates.reload().unwrap(), Reloaded::Replaced);
    assert_ne!(certificates.not_after(), date);

    fs::write(&files.settings.key, "garbage").unwrap();
    assert!(matches!(certificates.reload(), Err(TlsError::NoKey { .. })));
    fs::write(&files.settings.key, &new_key).unwrap();
    assert!(certificates.reload().is_ok());
}

#[test]
fn a_changed_file_is_noticed_by_a_look() {
    let (certificate, key) = pair(2040);
    let files = files(&certificate, &key);
    let certificates = Certificates::load(files.settings.clone()).unwrap();
    let (new_certificate, new_key) = pair(2041);
    fs::write(&files.settings.certificate, format!("{new_certificate}\n")).unwrap();
    fs::write(&files.settings.key, format!("{new_key}\n")).unwrap();
    certificates.look();
    assert_eq!(certificates.not_after(), Some(2_240_611_200));
}
