//! A cluster's certificates and kubeconfigs. One authority per cluster, made afresh each time, gone with it.

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};

use crate::home;

/// The folder with a cluster's certificates and the authority that signs them.
#[derive(Debug)]
pub struct Pki {
    folder: PathBuf,
    issuer: Issuer<'static, KeyPair>,
}

impl Pki {
    pub fn create(folder: &Path) -> Result<Self> {
        home::made(folder.to_path_buf())?;
        let key = KeyPair::generate()?;
        let mut authority = CertificateParams::default();
        authority.distinguished_name = name("kvtenant-testbed", None);
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = authority.self_signed(&key)?;
        let pki = Self { folder: folder.to_path_buf(), issuer: Issuer::new(authority, key) };
        pki.write("ca.crt", &certificate.pem())?;
        pki.write("ca.key", &pki.issuer.key().serialize_pem())?;
        let accounts = KeyPair::generate()?;
        pki.write("service-accounts.key", &accounts.serialize_pem())?;
        pki.write("service-accounts.pub", &accounts.public_key_pem())?;
        Ok(pki)
    }

    /// A certificate for both ends of a connection, `<file>.crt` and `<file>.key`.
    pub fn issue(&self, file: &str, user: &str, group: Option<&str>, addresses: &[IpAddr]) -> Result<()> {
        let key = KeyPair::generate()?;
        let mut wanted = CertificateParams::new(SERVER_NAMES.map(String::from).to_vec())?;
        wanted.distinguished_name = name(user, group);
        wanted.subject_alt_names.extend(addresses.iter().copied().map(SanType::IpAddress));
        wanted.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        wanted.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = wanted.signed_by(&key, &self.issuer).with_context(|| format!("cannot sign {file}"))?;
        self.write(&format!("{file}.crt"), &certificate.pem())?;
        self.write(&format!("{file}.key"), &key.serialize_pem())
    }

    /// A kubeconfig for the certificate `file`, which needs no other file beside it.
    pub fn kubeconfig(&self, file: &str, server: &str) -> Result<PathBuf> {
        let read = |name: String| fs::read_to_string(self.folder.join(name));
        let config = kubeconfig(
            server,
            &read("ca.crt".into())?,
            &serde_json::json!({
                "client-certificate-data": base64(&read(format!("{file}.crt"))?),
                "client-key-data": base64(&read(format!("{file}.key"))?),
            }),
        );
        let path = self.folder.join(format!("{file}.kubeconfig"));
        home::write(&path, config)?;
        Ok(path)
    }

    fn write(&self, file: &str, content: &str) -> Result<()> {
        home::write(self.folder.join(file), content)
    }
}

/// A kubeconfig for one server and one user (certificate or token).
pub fn kubeconfig(server: &str, authority: &str, user: &serde_json::Value) -> String {
    serde_json::json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "testbed", "cluster": {
            "server": server, "certificate-authority-data": base64(authority)}}],
        "users": [{"name": "user", "user": user}],
        "contexts": [{"name": "testbed", "context": {"cluster": "testbed", "user": "user"}}],
        "current-context": "testbed",
    })
    .to_string()
}

/// The names under which pods reach the API server.
const SERVER_NAMES: [&str; 5] =
    ["localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"];

fn name(user: &str, group: Option<&str>) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, user);
    if let Some(group) = group {
        name.push(DnType::OrganizationName, group);
    }
    name
}

fn base64(text: &str) -> String {
    use k8s_openapi::ByteString;
    let value = serde_json::to_value(ByteString(text.as_bytes().to_vec())).expect("bytes are always valid");
    value.as_str().expect("bytes are written as text").to_owned()
}
