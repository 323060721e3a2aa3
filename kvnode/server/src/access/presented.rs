//! What a request says about who it is from, before anyone has looked whether it is true.

use std::fmt;

use http::{HeaderMap, header};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presented<'r> {
    Nothing,
    /// A token, an API key or the master key: which of them, only a look tells.
    Secret(&'r str),
    /// A header that should say it, in a form nobody understands.
    Unclear,
}

impl<'r> Presented<'r> {
    /// `X-API-Key` wins: whoever sets it means it, while `Authorization` may come from a proxy.
    pub(crate) fn of(headers: &'r HeaderMap) -> Self {
        if let Some(key) = headers.get("x-api-key") {
            return key.to_str().map_or(Self::Unclear, Self::Secret);
        }
        let Some(authorization) = headers.get(header::AUTHORIZATION) else { return Self::Nothing };
        let parts = authorization.to_str().ok().and_then(|text| text.split_once(' '));
        match parts {
            Some((scheme, secret)) if scheme.eq_ignore_ascii_case("bearer") => Self::Secret(secret.trim()),
            _ => Self::Unclear,
        }
    }
}

impl fmt::Debug for Presented<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Nothing => "Nothing",
            Self::Secret(_) => "Secret(…)",
            Self::Unclear => "Unclear",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// C32
    #[test]
    fn a_secret_comes_as_bearer_or_as_an_api_key_and_anything_else_is_unclear() {
        let cases: [(&[(&str, &str)], Presented<'_>); 9] = [
            (&[], Presented::Nothing),
            (&[("authorization", "Bearer abc")], Presented::Secret("abc")),
            (&[("authorization", "bearer  abc ")], Presented::Secret("abc")),
            (&[("x-api-key", "abc")], Presented::Secret("abc")),
            (&[("x-api-key", "abc"), ("authorization", "Bearer def")], Presented::Secret("abc")),
            (&[("authorization", "Basic YTpi")], Presented::Unclear),
            (&[("authorization", "abc")], Presented::Unclear),
            (&[("authorization", "Bearer")], Presented::Unclear),
            (&[("authorization", "Bearer é")], Presented::Unclear),
        ];
        for (lines, expected) in cases {
            let headers: HeaderMap = lines
                .iter()
                .map(|(name, value)| {
                    (name.parse().expect("a name"), http::HeaderValue::from_bytes(value.as_bytes()).expect("a value"))
                })
                .map(|(name, value): (http::HeaderName, http::HeaderValue)| (name, value))
                .collect();
            assert_eq!(Presented::of(&headers), expected, "{lines:?}");
        }
        assert_eq!(format!("{:?}", Presented::Secret("abc")), "Secret(…)");
    }
}
