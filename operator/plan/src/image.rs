//! Which image a node runs. A tenant keeps the image it was made with: a new operator version must not replace the
//! pods of every tenant at once, since each pod holds its data in memory.

use std::fmt;
use std::str::FromStr;

/// An image with its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageRef {
    repository: String,
    /// With its separator: `:0.1.0`, or `@sha256:…`.
    version: String,
}

/// Why a text names no image.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    #[error("the image {0:?} has no tag; write it as repository:tag, so that it says which version runs")]
    NoTag(String),
    #[error("the image {0:?} has no repository; write it as repository:tag")]
    NoRepository(String),
}

impl ImageRef {
    /// Fills what `wish` leaves open from `fallback`.
    pub fn fill(repository: Option<&str>, tag: Option<&str>, fallback: &Self) -> Self {
        Self {
            repository: repository.map_or_else(|| fallback.repository.clone(), str::to_owned),
            version: tag.map_or_else(|| fallback.version.clone(), |tag| format!(":{tag}")),
        }
    }
}

impl FromStr for ImageRef {
    type Err = ImageError;

    fn from_str(text: &str) -> Result<Self, ImageError> {
        // A colon before the last slash belongs to the registry's port.
        let name_start = text.rfind('/').map_or(0, |slash| slash + 1);
        let version_start = text[name_start..].find(['@', ':']).map(|at| name_start + at);
        let Some(at) = version_start.filter(|at| *at + 1 < text.len()) else {
            return Err(ImageError::NoTag(text.to_owned()));
        };
        if at == name_start {
            return Err(ImageError::NoRepository(text.to_owned()));
        }
        Ok(Self { repository: text[..at].to_owned(), version: text[at..].to_owned() })
    }
}

impl fmt::Display for ImageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.repository, self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(text: &str) -> ImageRef {
        text.parse().expect("an image")
    }

    #[test]
    fn an_image_survives_being_read_and_written() {
        for text in ["kvnode:1", "docker.io/kvtenant/kvnode:0.1.0", "localhost:5000/kvnode:1", "a/b@sha256:00ff"] {
            assert_eq!(image(text).to_string(), text);
        }
    }

    #[test]
    fn an_image_without_a_version_is_refused() {
        for text in ["", "kvnode", "localhost:5000/kvnode", "kvnode:"] {
            assert_eq!(text.parse::<ImageRef>(), Err(ImageError::NoTag(text.to_owned())));
        }
        assert_eq!("a/:1".parse::<ImageRef>(), Err(ImageError::NoRepository("a/:1".to_owned())));
    }

    /// F25, F26: each half can be chosen without the other.
    #[test]
    fn what_is_left_open_comes_from_the_fallback() {
        let fallback = image("docker.io/kvtenant/kvnode:0.1.0");
        assert_eq!(ImageRef::fill(None, None, &fallback), fallback);
        assert_eq!(ImageRef::fill(Some("mirror:5000/kvnode"), None, &fallback), image("mirror:5000/kvnode:0.1.0"));
        assert_eq!(ImageRef::fill(None, Some("2"), &fallback), image("docker.io/kvtenant/kvnode:2"));
        assert_eq!(ImageRef::fill(Some("a"), Some("b"), &fallback), image("a:b"));
    }
}
