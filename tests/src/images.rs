//! Images without a Docker engine: docker or podman where one works, else buildah with no daemon, no storage driver
//! that needs the kernel and no isolation beyond a chroot. The result is an archive that any node can be given.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::digest::Digest;
use crate::{home, packages, shell};

/// What an image is made of. The Dockerfile copies the named files and nothing else.
#[derive(Debug, Clone)]
pub struct Image {
    /// The whole name under which nodes find it, host and tag included.
    pub reference: String,
    pub dockerfile: PathBuf,
    /// The stage of the Dockerfile, when it has several.
    pub target: Option<String>,
    /// Name in the Dockerfile's folder, and where the file really is.
    pub files: Vec<(String, PathBuf)>,
}

impl Image {
    /// Gives the image as an archive; builds it only if it is not there already.
    pub fn archive(&self) -> Result<PathBuf> {
        let file = self.reference.rsplit('/').next().unwrap_or_default().replace(':', "-");
        let archive = home::images()?.join(format!("{file}-{}.tar", self.digest()?));
        if !archive.exists() {
            self.build(&archive)?;
        }
        Ok(archive)
    }

    fn build(&self, archive: &Path) -> Result<()> {
        let builder = packages::builder()?;
        let context = tempfile::tempdir()?;
        for (name, source) in &self.files {
            fs::copy(source, context.path().join(name)).with_context(|| format!("cannot read {}", source.display()))?;
        }
        let unfinished = archive.with_extension("unfinished");
        drop(fs::remove_file(&unfinished));
        let mut build = Command::new(builder);
        match builder {
            "buildah" => build.args(["--storage-driver", "vfs", "bud", "--isolation", "chroot"]),
            _ => build.arg("build"),
        };
        build.arg("--tag").arg(&self.reference).arg("--file").arg(&self.dockerfile);
        if let Some(target) = &self.target {
            build.args(["--target", target]);
        }
        shell::output(build.arg(context.path())).with_context(|| format!("cannot build {}", self.reference))?;
        shell::output(&mut self.save(builder, &unfinished))?;
        fs::rename(&unfinished, archive)?;
        self.forget(builder);
        Ok(())
    }

    fn save(&self, builder: &str, to: &Path) -> Command {
        let mut save = Command::new(builder);
        match builder {
            // Uncompressed: every node unpacks it, and it never crosses a real network.
            "buildah" => save
                .args(["--storage-driver", "vfs", "push", "--disable-compression"])
                .arg(&self.reference)
                .arg(format!("oci-archive:{}:{}", to.display(), self.reference)),
            "podman" => save.args(["save", "--format", "oci-archive", "--output"]).arg(to).arg(&self.reference),
            _ => save.args(["save", "--output"]).arg(to).arg(&self.reference),
        };
        save
    }

    /// buildah's store keeps a full copy of each image; the archive is what we keep.
    fn forget(&self, builder: &str) {
        if builder == "buildah" {
            drop(shell::run("buildah", &["--storage-driver", "vfs", "rmi", "--force", &self.reference]));
        }
    }

    fn digest(&self) -> Result<String> {
        let mut digest = Digest::default();
        digest.add(&self.reference);
        digest.add(fs::read(&self.dockerfile).with_context(|| format!("cannot read {}", self.dockerfile.display()))?);
        for (name, source) in &self.files {
            digest.add(name);
            let mut file = fs::File::open(source).with_context(|| format!("cannot read {}", source.display()))?;
            std::io::copy(&mut file, &mut digest)?;
        }
        Ok(digest.word())
    }
}
