//! Whether something must be built again: a stamp is a hash over all that a build depends on, kept
//! beside what was built. Cargo does this for its own builds; this is for what cargo does not see.

use crate::say::{OrSay, Outcome};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

/// A hash in the making.
#[derive(Debug)]
pub(crate) struct Stamp(Sha256);

impl Stamp {
    /// Of nothing yet.
    pub(crate) fn new() -> Self {
        Self(Sha256::new())
    }

    /// Takes a value into account.
    pub(crate) fn value(mut self, value: &str) -> Self {
        self.update(value.as_bytes());
        self
    }

    /// Takes a file, or every file below a folder, into account, names included. Folders named in
    /// `leaving_out`, at any depth, are passed over; what does not exist counts as absent.
    pub(crate) fn files(mut self, path: &Path, leaving_out: &[&str]) -> Outcome<Self> {
        let mut files = Vec::new();
        collect(path, leaving_out, &mut files)?;
        files.sort();
        for file in files {
            let bytes = fs::read(&file).or_say(|| format!("read {}", file.display()))?;
            self.update(file.to_string_lossy().as_bytes());
            self.update(&bytes);
        }
        Ok(self)
    }

    /// The finished stamp, as text.
    pub(crate) fn finish(self) -> String {
        hex(&self.0.finalize())
    }

    /// Each part with its length before it, so that no two lists of parts look alike.
    fn update(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
    }
}

/// Every file below a folder (or the file itself), without the folders in `leaving_out`.
pub(crate) fn collect(path: &Path, leaving_out: &[&str], into: &mut Vec<PathBuf>) -> Outcome {
    if path.is_file() {
        into.push(path.to_path_buf());
        return Ok(());
    }
    if !path.is_dir() {
        return Ok(());
    }
    let entries = fs::read_dir(path).or_say(|| format!("read the folder {}", path.display()))?;
    for entry in entries {
        let entry = entry.or_say(|| format!("read the folder {}", path.display()))?;
        let name = entry.file_name();
        if !leaving_out.contains(&name.to_string_lossy().as_ref()) {
            collect(&entry.path(), leaving_out, into)?;
        }
    }
    Ok(())
}

/// SHA-256 in hexadecimal.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing into a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("haggle-{name}-{}", std::process::id()));
        crate::cache::remove(&folder).unwrap();
        fs::create_dir_all(folder.join("src")).unwrap();
        fs::create_dir_all(folder.join("target")).unwrap();
        fs::write(folder.join("src/a.rs"), "one").unwrap();
        fs::write(folder.join("target/b"), "two").unwrap();
        folder
    }

    fn stamp(folder: &Path) -> String {
        Stamp::new().files(folder, &["target"]).unwrap().finish()
    }

    #[test]
    fn a_stamp_changes_with_each_file_and_each_name_but_not_with_what_is_left_out() {
        let folder = folder("stamp");
        let first = stamp(&folder);
        assert_eq!(first, stamp(&folder));

        fs::write(folder.join("target/b"), "changed").unwrap();
        assert_eq!(first, stamp(&folder));

        fs::write(folder.join("src/a.rs"), "changed").unwrap();
        let second = stamp(&folder);
        assert_ne!(first, second);

        fs::rename(folder.join("src/a.rs"), folder.join("src/c.rs")).unwrap();
        assert_ne!(second, stamp(&folder));
        crate::cache::remove(&folder).unwrap();
    }

    #[test]
    fn parts_of_a_stamp_do_not_run_together() {
        let one = Stamp::new().value("ab").value("c").finish();
        let other = Stamp::new().value("a").value("bc").finish();
        assert_ne!(one, other);
    }

    #[test]
    fn sha256_is_sha256() {
        // FIPS 180-4, the empty message.
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(sha256_hex(b""), empty);
    }
}
