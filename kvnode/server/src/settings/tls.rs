//! The files of certificates and keys: each must be there, be what it is said to be, and fit the others, before
//! anything listens.

use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem};

use super::layers::{Given, Layers};
use super::{SettingsError, catalogue};
use crate::tls::Tls;

/// A chain or a set of authorities is a few kilobytes; a file of this size was named by mistake.
const PEM_BYTES_MAX: u64 = 1024 * 1024;

pub(super) fn read(layers: &Layers<'_>) -> Result<Option<Tls>, SettingsError> {
    let given = |setting| layers.given(setting);
    let demanded = layers.parsed(&catalogue::CLIENT_CERTIFICATES, demanded)?.unwrap_or(false);
    let authorities = given(&catalogue::TLS_CA)?;
    let (certificate, key) = match (given(&catalogue::TLS_CERT)?, given(&catalogue::TLS_KEY)?) {
        (Some(certificate), Some(key)) => (certificate, key),
        (Some(alone), None) => return Err(wrong(alone, "needs --tls-key with the private key of that certificate")),
        (None, Some(alone)) => return Err(wrong(alone, "needs --tls-cert with the certificate of that key")),
        (None, None) => match authorities.or(given(&catalogue::CLIENT_CERTIFICATES)?.filter(|_| demanded)) {
            Some(alone) => {
                return Err(wrong(alone, "needs --tls-cert and --tls-key: without them nothing is encrypted"));
            }
            None => return Ok(None),
        },
    };
    let authorities = match (authorities, demanded) {
        (Some(authorities), true) => Some(self::authorities(&authorities)?),
        (None, true) => {
            return Err(wrong(
                certificate,
                "needs --tls-ca, because auth.clientCertificates demands certificates of clients",
            ));
        }
        (Some(alone), false) => {
            let reason = "is of no use: clients need no certificate unless auth.clientCertificates is 'required'";
            return Err(wrong(alone, reason));
        }
        (None, false) => None,
    };
    let chain = certificates(&certificate, "certificate file")?;
    let key_path = PathBuf::from(&key.text);
    let secret = PrivateKeyDer::from_pem_slice(&bytes("key file", &key_path)?)
        .map_err(|error| unreadable("key file", &key_path, not_pem(&error, "private key")))?;
    Tls::new(chain, secret, authorities).map(Some).map_err(|reason| {
        let reason = format!("with the key in {} it cannot be used: {reason}", key_path.display());
        unreadable("certificate file", Path::new(&certificate.text), reason)
    })
}

fn demanded(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "required" => Ok(true),
        // What YAML makes of an `off` without quotes.
        "off" | "false" => Ok(false),
        _ => Err(format!("is '{text}'; it must be off or required")),
    }
}

fn authorities(given: &Given) -> Result<RootCertStore, SettingsError> {
    let mut store = RootCertStore::empty();
    for certificate in certificates(given, "file of authorities")? {
        store.add(certificate).map_err(|error| {
            unreadable("file of authorities", Path::new(&given.text), format!("one of them cannot be used: {error}"))
        })?;
    }
    Ok(store)
}

/// One at least.
fn certificates(given: &Given, what: &'static str) -> Result<Vec<CertificateDer<'static>>, SettingsError> {
    let path = Path::new(&given.text);
    let found: Result<Vec<_>, pem::Error> = CertificateDer::pem_slice_iter(&bytes(what, path)?).collect();
    match found {
        Ok(found) if found.is_empty() => Err(unreadable(what, path, not_pem(&pem::Error::NoItemsFound, "certificate"))),
        Ok(found) => Ok(found),
        Err(error) => Err(unreadable(what, path, not_pem(&error, "certificate"))),
    }
}

fn bytes(what: &'static str, path: &Path) -> Result<Vec<u8>, SettingsError> {
    let read = || {
        let size = std::fs::metadata(path)?.len();
        if size > PEM_BYTES_MAX {
            return Err(std::io::Error::other(format!("it has {size} bytes, more than {PEM_BYTES_MAX}")));
        }
        std::fs::read(path)
    };
    read().map_err(|error| unreadable(what, path, error.to_string()))
}

/// Says nothing of the content: the file may hold a key.
fn not_pem(error: &pem::Error, expected: &str) -> String {
    match error {
        pem::Error::NoItemsFound => format!("there is no {expected} in PEM form in it"),
        _ => format!("the {expected} in it is no well-formed PEM"),
    }
}

fn unreadable(what: &'static str, path: &Path, reason: String) -> SettingsError {
    SettingsError::Unreadable { what, path: path.to_owned(), reason }
}

fn wrong(given: Given, reason: &str) -> SettingsError {
    SettingsError::Invalid { source_of: given.source, reason: reason.to_owned() }
}
