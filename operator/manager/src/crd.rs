//! Prints the definition. The files in crds/ and in the chart are this output, byte for byte.

use std::io::{self, Write};

/// Why the definition could not be printed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CrdError {
    #[error("the definition could not be written to standard output: {0}")]
    Write(#[from] io::Error),
    #[error("the definition could not be written as YAML: {0}")]
    Yaml(#[from] serde_yaml::Error),
}

const HEAD: &str = "# Made from operator/api by crds/generate.sh; change the types there and run it again.\n";

pub(crate) fn print() -> Result<(), CrdError> {
    let yaml = serde_yaml::to_string(&kvtenant_api::crd())?;
    let mut out = io::stdout().lock();
    out.write_all(HEAD.as_bytes())?;
    out.write_all(yaml.as_bytes())?;
    Ok(out.flush()?)
}
