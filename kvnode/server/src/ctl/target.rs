//! Which node is meant, and the key it is shown.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use http::Uri;
use http::uri::{Authority, Scheme};
use rustls::ClientConfig;

use super::failure::Failure;
use super::trust;

/// Where a pod has the master key; a command run inside it needs no flag then.
const KEY_FILE_OF_A_POD: &str = "/etc/kvnode/secrets/api-key";

/// A key is a line; a file of this size was named by mistake.
const KEY_BYTES_MAX: u64 = 4096;

#[derive(Clone, Debug, Args)]
pub(super) struct Target {
    /// The node
    #[arg(
        long,
        global = true,
        env = "KVNODE_URL",
        hide_env_values = true,
        value_name = "URL",
        default_value = "http://127.0.0.1:3000"
    )]
    url: String,

    #[arg(
        long,
        global = true,
        env = "ADMIN_KEY_FILE",
        hide_env = true,
        value_name = "FILE",
        help = "File with the master API key [env: ADMIN_KEY_FILE; the key itself: ADMIN_KEY]"
    )]
    key_file: Option<PathBuf>,

    /// File with the certificates of those who sign the node's, for https
    #[arg(long, global = true, env = "TLS_CA", hide_env_values = true, value_name = "FILE")]
    tls_ca: Option<PathBuf>,
}

/// The node's address, taken apart.
#[derive(Clone, Debug)]
pub(super) struct NodeUrl {
    pub(super) authority: Authority,
    /// What stands before every path, without a slash at its end.
    pub(super) prefix: String,
    /// Whom to trust, where TLS is spoken.
    pub(super) tls: Option<Arc<ClientConfig>>,
    text: String,
}

impl Target {
    pub(super) fn node(&self) -> Result<NodeUrl, Failure> {
        let wrong = |reason: &str| {
            Failure::wrong_use(format!(
                "The --url '{}' {reason}; write it as http://host:port, for example http://127.0.0.1:3000.",
                self.url
            ))
        };
        let uri: Uri = self.url.parse().map_err(|_| wrong("is no URL"))?;
        let tls = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTP => None,
            Some(scheme) if *scheme == Scheme::HTTPS => Some(self.trust()?),
            Some(_) => return Err(wrong("has a scheme that is not spoken here")),
            None => return Err(wrong("has no scheme")),
        };
        let authority = uri.authority().cloned().ok_or_else(|| wrong("names no host"))?;
        let prefix = uri.path().trim_end_matches('/').to_owned();
        Ok(NodeUrl { authority, prefix, tls, text: self.url.clone() })
    }

    fn trust(&self) -> Result<Arc<ClientConfig>, Failure> {
        let Some(authorities) = &self.tls_ca else {
            return Err(Failure::wrong_use(format!(
                "The --url '{}' needs --tls-ca, the file with the certificates of those who sign the node's.",
                self.url
            )));
        };
        trust::in_authorities_of(authorities)
    }

    /// The key, if there is one. The file that is named beats the variable with the key itself.
    pub(super) fn key(&self) -> Result<Option<String>, Failure> {
        if let Some(file) = &self.key_file {
            return read_key(file).map(Some);
        }
        if let Some(key) = std::env::var_os("ADMIN_KEY") {
            let key = key.into_string().map_err(|_| Failure::wrong_use("The variable ADMIN_KEY is not UTF-8."))?;
            return Ok(Some(key.trim_end().to_owned()));
        }
        let pod = Path::new(KEY_FILE_OF_A_POD);
        if pod.exists() { read_key(pod).map(Some) } else { Ok(None) }
    }
}

fn read_key(path: &Path) -> Result<String, Failure> {
    let unreadable =
        |reason: String| Failure::wrong_use(format!("The key file {} cannot be read: {reason}.", path.display()));
    let metadata = std::fs::metadata(path).map_err(|error| unreadable(error.to_string()))?;
    if metadata.len() > KEY_BYTES_MAX {
        return Err(unreadable(format!("it has more than {KEY_BYTES_MAX} bytes")));
    }
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
    Ok(text.trim_end().to_owned())
}

impl NodeUrl {
    /// Where to connect to.
    pub(super) fn address(&self) -> (&str, u16) {
        let usual = if self.tls.is_some() { 443 } else { 80 };
        let host = self.authority.host();
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        (host, self.authority.port_u16().unwrap_or(usual))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(url: &str) -> Result<NodeUrl, Failure> {
        Target { url: url.to_owned(), key_file: None, tls_ca: None }.node()
    }

    #[test]
    fn a_url_names_a_host_a_port_and_perhaps_a_prefix() {
        for (url, host, port, prefix) in [
            ("http://127.0.0.1:3000", "127.0.0.1", 3000, ""),
            ("http://kv.example/", "kv.example", 80, ""),
            ("http://[::1]:3001/base/path/", "::1", 3001, "/base/path"),
        ] {
            let node = node(url).expect("a good URL");
            assert_eq!((node.address(), node.prefix.as_str()), ((host, port), prefix));
        }
        for url in ["", "127.0.0.1:3000", "/path", "ftp://host", "http://", "https://host"] {
            assert!(node(url).is_err_and(|failure| failure.to_string().contains("--url")), "{url:?}");
        }
    }
}
