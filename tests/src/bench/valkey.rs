//! Valkey as Debian's next release has it, beside whatever this system is: fetched by an apt with folders of its own,
//! checked by the archive's keyring, unpacked, and started by the C library it was made with. The system is not changed.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use kvtenant_tests::progress::Step;
use kvtenant_tests::{home, shell};

use super::versions::{self, Version};

/// The release that has the version the goals speak of.
const SUITE: &str = "trixie";

/// The beginning of that version. Others are as fast or slow as they are, and figures beside them are other figures.
const VERSION: &str = "8.1.";

const ARCHIVE: &str = "http://deb.debian.org/debian";

/// Who may have signed the archive: Debian alone, whatever else this system trusts.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// The server and every library it is linked with, so that none of this system's are loaded.
const PACKAGES: [&str; 13] = [
    "valkey-server",
    "valkey-tools",
    "libatomic1",
    "libc6",
    "libcap2",
    "libgcc-s1",
    "libjemalloc2",
    "liblzf1",
    "libssl3t64",
    "libstdc++6",
    "libsystemd0",
    "libzstd1",
    "zlib1g",
];

/// An archive that does not answer must not hold up for minutes those who can do without Valkey.
const NETWORK_TIMEOUT_SECONDS: u32 = 20;

/// An unpacked Valkey.
#[derive(Debug)]
pub(crate) struct Valkey {
    loader: PathBuf,
    libraries: PathBuf,
    server: PathBuf,
}

impl Valkey {
    /// Fetches it unless that has been done before.
    pub(crate) fn fetch() -> Result<Self> {
        let folder = home::home()?.join("valkey");
        let root = folder.join(SUITE);
        if !root.is_dir() {
            let step = Step::start(format!("fetching Valkey from Debian {SUITE}"));
            unpack(&folder, &root).context("Valkey could not be fetched")?;
            step.done("");
        }
        let found = Self::in_folder(&root)?;
        let (_, version) = found.version()?;
        ensure!(version.starts_with(VERSION), "this is Valkey {version}, not {VERSION}x; remove {}", root.display());
        Ok(found)
    }

    fn in_folder(root: &Path) -> Result<Self> {
        // Named after the architecture, as is the loader.
        let libraries = folders(&root.join("usr/lib"))?.into_iter().find(|folder| folder.join("libc.so.6").exists());
        let libraries = libraries.with_context(|| format!("no C library below {}", root.display()))?;
        let loader = entries(&libraries)?.into_iter().find(|file| is_loader(file));
        let loader = loader.with_context(|| format!("no ld-linux in {}", libraries.display()))?;
        Ok(Self { loader, libraries, server: root.join("usr/bin/valkey-server") })
    }

    /// The program to start.
    pub(crate) fn loader(&self) -> &Path {
        &self.loader
    }

    /// What comes before the server's own arguments.
    pub(crate) fn arguments(&self) -> Vec<OsString> {
        vec!["--library-path".into(), self.libraries.clone().into(), self.server.clone().into()]
    }

    pub(crate) fn version(&self) -> Result<Version> {
        versions::valkey(Command::new(&self.loader).args(self.arguments()))
    }
}

/// Fills `root`, which is there only when all of it is.
fn unpack(folder: &Path, root: &Path) -> Result<()> {
    ensure!(
        shell::found("apt-get") && shell::found("dpkg-deb"),
        "it comes as Debian packages, and this system has no apt-get and dpkg-deb"
    );
    ensure!(
        Path::new(KEYRING).exists(),
        "the package debian-archive-keyring, by which it is checked, is not installed"
    );
    home::made(folder.to_path_buf())?;
    let work = tempfile::Builder::new().prefix("fetching-").tempdir_in(folder)?;
    for part in ["etc/apt.conf.d", "etc/preferences.d", "lists/partial", "cache/archives/partial", "packages", "root"] {
        home::made(work.path().join(part))?;
    }
    home::write(work.path().join("status"), "")?;
    home::write(work.path().join("etc/sources.list"), sources())?;
    let settings = work.path().join("apt.conf");
    home::write(&settings, apt_settings(work.path()))?;
    let packages = work.path().join("packages");
    let apt = |arguments: &[&str]| {
        shell::output(Command::new("apt-get").env("APT_CONFIG", &settings).current_dir(&packages).args(arguments))
    };
    apt(&["-qq", "update"])?;
    apt(&[&["-qq", "download"], PACKAGES.as_slice()].concat())?;
    let unpacked = work.path().join("root");
    for package in entries(&packages)? {
        shell::output(Command::new("dpkg-deb").arg("-x").arg(&package).arg(&unpacked))?;
    }
    fs::rename(&unpacked, root).with_context(|| format!("cannot make {}", root.display()))
}

fn sources() -> String {
    format!("deb [signed-by={KEYRING}] {ARCHIVE} {SUITE} main\n")
}

/// Nothing of the system's apt is read or written. `Sandbox::User`: the folder is the caller's and so is apt's work.
fn apt_settings(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "Dir \"{folder}\";
Dir::Etc \"etc\";
Dir::State \"{folder}\";
Dir::State::lists \"lists\";
Dir::State::status \"{folder}/status\";
Dir::Cache \"cache\";
Acquire::Languages \"none\";
Acquire::http::Timeout \"{NETWORK_TIMEOUT_SECONDS}\";
APT::Sandbox::User \"root\";
APT::Update::Error-Mode \"any\";
"
    )
}

fn is_loader(file: &Path) -> bool {
    file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("ld-linux"))
}

fn folders(of: &Path) -> Result<Vec<PathBuf>> {
    Ok(entries(of)?.into_iter().filter(|path| path.is_dir()).collect())
}

fn entries(of: &Path) -> Result<Vec<PathBuf>> {
    let read = fs::read_dir(of).with_context(|| format!("cannot read {}", of.display()))?;
    read.map(|entry| Ok(entry?.path())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loader_and_its_libraries_are_found_whatever_the_architecture_is_called() {
        let root = tempfile::tempdir().unwrap();
        let libraries = root.path().join("usr/lib/some-linux-gnu");
        home::write(libraries.join("libc.so.6"), "").unwrap();
        home::write(libraries.join("ld-linux-some.so.1"), "").unwrap();
        home::made(root.path().join("usr/lib/systemd")).unwrap();
        let valkey = Valkey::in_folder(root.path()).unwrap();
        assert_eq!(valkey.loader(), libraries.join("ld-linux-some.so.1"));
        assert_eq!(valkey.arguments()[1], libraries.into_os_string());
    }

    #[test]
    fn a_folder_without_a_c_library_is_refused() {
        let root = tempfile::tempdir().unwrap();
        home::made(root.path().join("usr/lib")).unwrap();
        assert!(Valkey::in_folder(root.path()).unwrap_err().to_string().contains("no C library"));
    }

    #[test]
    fn only_debians_own_keys_are_asked() {
        assert_eq!(sources().matches("signed-by=/usr/share/keyrings/debian-archive-keyring.gpg").count(), 1);
    }
}
