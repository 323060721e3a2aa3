//! The origins whose web pages may use the HTTP interface.

use std::str::FromStr;

use http::HeaderValue;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origins {
    Any,
    /// As browsers name them; none by default.
    These(Vec<String>),
}

impl Default for Origins {
    fn default() -> Self {
        Self::These(Vec::new())
    }
}

impl Origins {
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What a browser is told of an origin that may come in.
    pub(crate) fn allow(&self, origin: &HeaderValue) -> Option<HeaderValue> {
        match self {
            Self::Any => Some(HeaderValue::from_static("*")),
            Self::These(origins) => origins.iter().any(|allowed| allowed == origin).then(|| origin.clone()),
        }
    }
}

impl FromStr for Origins {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let origins: Vec<&str> = text.split(',').map(str::trim).filter(|origin| !origin.is_empty()).collect();
        if origins == ["*"] {
            return Ok(Self::Any);
        }
        match origins.iter().find(|origin| !is_origin(origin)) {
            None => Ok(Self::These(origins.into_iter().map(str::to_owned).collect())),
            Some(wrong) => Err(format!(
                "has '{wrong}'; an origin is written as browsers do, https://example.org or http://localhost:8080, \
                 without a path; * alone stands for all"
            )),
        }
    }
}

/// A scheme and a host, perhaps a port, and nothing behind it.
fn is_origin(text: &str) -> bool {
    let Some((scheme, host)) = text.split_once("://") else { return false };
    let lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
    let visible = host.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'/' | b'?' | b'#' | b'@' | b'*'));
    lower && visible && !host.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// C127
    #[test]
    fn origins_are_all_none_or_named_exactly() {
        let origin = |text: &'static str| HeaderValue::from_static(text);
        let none: Origins = "".parse().expect("no origins");
        assert!(none.is_empty() && none.allow(&origin("https://a.example")).is_none());
        let any: Origins = "*".parse().expect("all origins");
        assert_eq!(any.allow(&origin("https://a.example")), Some(origin("*")));
        let some: Origins = "https://a.example, http://localhost:8080".parse().expect("two origins");
        assert_eq!(some.allow(&origin("http://localhost:8080")), Some(origin("http://localhost:8080")));
        for other in ["https://b.example", "http://a.example", "https://a.example.evil", "null"] {
            assert_eq!(some.allow(&origin(other)), None, "{other}");
        }
        for wrong in
            ["a.example", "https://a.example/", "https://*.example", "*, https://a.example", "https://A.example"]
        {
            assert!(wrong.parse::<Origins>().is_err(), "{wrong}");
        }
    }
}
