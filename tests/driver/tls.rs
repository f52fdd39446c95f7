//! TLS to targets: private roots, client certificates, names that do not match.

use std::{io::Write, sync::Arc};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{
    RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer},
    server::WebPkiClientVerifier,
};
use scimgate::{
    mapping::{model::Target, reply::CallClass},
    target::{Connections, Driver, TargetError},
};
use serde_json::json;
use tempfile::NamedTempFile;
use tokio_rustls::TlsAcceptor;

use crate::{
    fake_target::{Act, Answer, FakeTarget},
    journey, named,
    target_mapping::{call, mapping, target},
};

struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn issue(&self, name: &str) -> (CertificateDer<'static>, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.into()]).unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        (certificate.der().clone(), key)
    }

    fn file(&self) -> NamedTempFile {
        file(&self.0.pem())
    }
}

fn file(text: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

/// An application that shows a certificate for `name`, and wants one of `clients`.
async fn application(authority: &Authority, name: &str, clients: Option<&Authority>) -> FakeTarget {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let (certificate, key) = authority.issue(name);
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = match clients {
        Some(clients) => {
            let mut roots = RootCertStore::empty();
            roots.add(clients.0.der().clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                .build()
                .unwrap();
            builder.with_client_cert_verifier(verifier)
        }
        None => builder.with_no_client_auth(),
    };
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let mut config = builder.with_single_cert(vec![certificate], key).unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    FakeTarget::start_tls(TlsAcceptor::from(Arc::new(config)), |_, _| {
        Act::Say(Answer::json(200, json!({})))
    })
    .await
}

async fn get(
    application: &FakeTarget,
    change: impl FnOnce(&mut Target),
) -> Result<(), TargetError> {
    let mut target = target(&format!("https://localhost:{}", application.address.port()));
    change(&mut target);
    let driver = Driver::new(Arc::new(mapping(target)), Arc::new(Connections::new()))?;
    let names = named(&[]);
    driver
        .call(
            &journey(),
            "user.get",
            &call("GET /users"),
            CallClass::Get,
            &names,
            None,
        )
        .await?;
    Ok(())
}

#[tokio::test]
async fn a_private_root_is_trusted_if_the_mapping_names_it() {
    let authority = Authority::new();
    let application = application(&authority, "localhost", None).await;
    let ca = authority.file();
    get(&application, |target| {
        target.ca = Some(ca.path().to_owned())
    })
    .await
    .unwrap();
    let error = get(&application, |_| {}).await.unwrap_err();
    assert!(
        matches!(error, TargetError::Unreachable { sent: false, .. }),
        "{error:?}"
    );
    assert!(error.distrusts_certificate(), "{error:?}");
    let other = Authority::new().file();
    let error = get(&application, |target| {
        target.ca = Some(other.path().to_owned())
    })
    .await
    .unwrap_err();
    assert!(
        matches!(error, TargetError::Unreachable { sent: false, .. }),
        "{error:?}"
    );
    assert!(error.distrusts_certificate(), "{error:?}");
    assert_eq!(application.seen().len(), 1);
}

#[tokio::test]
async fn p12_a_certificate_for_another_name_is_refused() {
    let authority = Authority::new();
    let application = application(&authority, "other.example", None).await;
    let ca = authority.file();
    let error = get(&application, |target| {
        target.ca = Some(ca.path().to_owned())
    })
    .await
    .unwrap_err();
    assert!(
        matches!(error, TargetError::Unreachable { sent: false, .. }),
        "{error:?}"
    );
    assert!(error.distrusts_certificate(), "{error:?}");
    assert_eq!(application.seen().len(), 0);
}

#[tokio::test]
async fn a_client_certificate_is_shown() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let application = application(&authority, "localhost", Some(&clients)).await;
    let ca = authority.file();
    let (certificate, key) = clients.issue("scimgate");
    use base64::Engine;
    let text = base64::prelude::BASE64_STANDARD.encode(&certificate);
    let certificate = file(&format!(
        "-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n"
    ));
    let key = file(&key.serialize_pem());
    get(&application, |target| {
        target.ca = Some(ca.path().to_owned());
        target.client_certificate = Some((certificate.path().to_owned(), key.path().to_owned()));
    })
    .await
    .unwrap();
    assert!(
        get(&application, |target| target.ca =
            Some(ca.path().to_owned()))
        .await
        .is_err()
    );
    assert_eq!(application.seen().len(), 1);
}

#[tokio::test]
async fn files_that_are_missing_or_no_pem_are_named() {
    let application = application(&Authority::new(), "localhost", None).await;
    let (empty, text) = (file(""), file("no certificate"));
    for path in [
        empty.path(),
        text.path(),
        std::path::Path::new("/nonexistent/ca.pem"),
    ] {
        let error = get(&application, |target| target.ca = Some(path.to_owned()))
            .await
            .unwrap_err();
        assert!(
            error.to_string().contains(&path.display().to_string()),
            "{error}"
        );
    }
}
