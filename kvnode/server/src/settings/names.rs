//! Names that end up in URLs, headers and log lines, checked once at the start.

use std::fmt;
use std::str::FromStr;

/// First path segments that mean something by themselves; a tenant of that name could not be told from them.
const RESERVED_TENANTS: [&str; 11] =
    ["kv", "health", "livez", "readyz", "peers", "metrics", "docs", "redoc", "diag", "admin", "internal"];

/// A label of the domain name system, because the tenant's name becomes part of host names.
const TENANT_CHARS_MAX: usize = 63;

/// Much of the longest path is the key.
const PREFIX_CHARS_MAX: usize = 64;

/// A full host name.
const NODE_CHARS_MAX: usize = 253;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantName(String);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeName(String);

/// Where the versioned paths stand: `/api/v1`, or what was set in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiPrefix(String);

impl Default for ApiPrefix {
    fn default() -> Self {
        Self("/api/v1".to_owned())
    }
}

impl ApiPrefix {
    /// A prefix must not hide other paths, those of the tenant among them.
    pub(super) fn new(text: &str, tenant: &TenantName) -> Result<Self, String> {
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        let segments: Vec<&str> = text.strip_prefix('/').into_iter().flat_map(|rest| rest.split('/')).collect();
        let shaped = |segment: &&str| !segment.is_empty() && segment.bytes().all(inner);
        if segments.is_empty() || text.len() > PREFIX_CHARS_MAX || !segments.iter().all(shaped) {
            return Err(format!(
                "is '{text}'; it must begin with '/', and have words of letters, digits, '-', '.' and '_' \
                 between slashes, {PREFIX_CHARS_MAX} characters in all"
            ));
        }
        if let Some(taken) = segments.iter().find(|segment| RESERVED_TENANTS.contains(segment)) {
            return Err(format!("is '{text}'; '{taken}' in it is reserved, because it has a meaning in paths"));
        }
        if segments == [tenant.as_str()] {
            return Err(format!("is '{text}'; that is where the tenant's own paths stand"));
        }
        Ok(Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A name or an address under which others reach this node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostName(String);

impl TenantName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl NodeName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TenantName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if RESERVED_TENANTS.contains(&text) {
            return Err(format!("is '{text}'; that name is reserved, because /{text} is a path of every node"));
        }
        let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let shaped = text.bytes().all(inner)
            && text.starts_with(|first: char| first.is_ascii_lowercase())
            && !text.ends_with('-')
            && text.len() <= TENANT_CHARS_MAX;
        if !shaped {
            return Err(format!(
                "is '{text}'; a tenant's name has 1 to {TENANT_CHARS_MAX} lower-case letters, digits and '-', \
                 begins with a letter and does not end with '-'"
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

impl FromStr for NodeName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        if text.is_empty() || text.len() > NODE_CHARS_MAX || !text.bytes().all(allowed) {
            return Err(format!(
                "is '{text}'; a node's name has 1 to {NODE_CHARS_MAX} letters, digits, '-', '.' and '_'"
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

impl FromStr for HostName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b':');
        if text.is_empty() || text.len() > NODE_CHARS_MAX || !text.bytes().all(allowed) {
            return Err(format!("is '{text}'; it must be a host name or an IP address, without a port"));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl fmt::Display for TenantName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl fmt::Display for NodeName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// C58
    #[test]
    fn a_prefix_hides_no_other_path() {
        let tenant: TenantName = "dev".parse().expect("a good name");
        for good in ["/api/v1", "/api/v3", "/v1", "/dev/v1", "/a.b/c_d/e-f", "/API"] {
            assert_eq!(ApiPrefix::new(good, &tenant).expect("a good prefix").as_str(), good);
        }
        for wrong in ["", "/", "api/v1", "/api/", "//v1", "/api/{v}", "/kv", "/x/kv", "/health", "/dev", "/é"] {
            assert!(ApiPrefix::new(wrong, &tenant).is_err(), "{wrong}");
        }
    }

    /// K36, K43
    #[test]
    fn bare_paths_are_no_tenants_but_api_is_one() {
        for reserved in RESERVED_TENANTS {
            assert!(reserved.parse::<TenantName>().expect_err("reserved").contains("reserved"), "{reserved}");
        }
        for good in ["api", "dev", "a", "team-7", &"a".repeat(63)] {
            assert!(good.parse::<TenantName>().is_ok(), "{good}");
        }
        for wrong in ["", "Dev", "7up", "-a", "a-", "a_b", "a.b", "a/b", "é", &"a".repeat(64)] {
            assert!(wrong.parse::<TenantName>().is_err(), "{wrong}");
        }
    }
}
