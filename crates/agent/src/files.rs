//! Files of the machine that go with commands, and files of trades that go to the machine.
//!
//! A command names what it sends by a path, `{"path": "score.pdf"}`, instead of by its bytes: a line of ten million numbers
//! helps nobody. What has come is written where another command says.

use std::path::{Path, PathBuf};

use haggle_node::market::command::NewFile;
use haggle_node::market::{Command, Complaint};
use haggle_node::payments::ECASH_TYPE;
use haggle_node::wallet;
use haggle_protocol::FileId;
use haggle_protocol::limits::FILE_BYTES_MAX;
use serde::Deserialize;
use serde_json::Value;

/// What a line of standard input wants done.
pub(crate) enum Line {
    /// What the peer can do.
    Command(Command),
    /// Write a file that is here into the file system.
    Save(SaveFile),
    /// What the wallet can do.
    Wallet(wallet::Command),
    /// Write everything into an encrypted file.
    Backup(BackupFile),
    /// The words that bring this trader back.
    Phrase,
}

/// Where a backup is to be written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BackupFile {
    /// Where; an existing file there is an error.
    pub(crate) path: PathBuf,
    /// What opens it beside the phrase.
    #[serde(default)]
    pub(crate) passphrase: Option<String>,
}

/// Where a file is to be written.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SaveFile {
    /// Which one.
    pub(crate) file: FileId,
    /// Where; an existing file there is an error.
    pub(crate) path: PathBuf,
}

/// A file to be sent.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Named {
    path: PathBuf,
    /// As the path's last part if not said.
    #[serde(default)]
    name: Option<String>,
    /// As the name's ending says if not said.
    #[serde(default)]
    media_type: Option<String>,
}

/// Reads a line.
///
/// # Errors
/// `bad-command`, `no-file`.
pub(crate) fn read(text: &str) -> Result<Line, Complaint> {
    let mut value: Value = serde_json::from_str(text).map_err(|error| bad(&error))?;
    if let Some(save) = value.get_mut("save-file") {
        let save = serde_json::from_value(save.take()).map_err(|error| bad(&error))?;
        return Ok(Line::Save(save));
    }
    if value == "phrase" {
        return Ok(Line::Phrase);
    }
    if let Some(backup) = value.get_mut("backup") {
        let backup = serde_json::from_value(backup.take()).map_err(|error| bad(&error))?;
        return Ok(Line::Backup(backup));
    }
    if let Some(wallet) = value.get_mut("wallet") {
        let wallet = serde_json::from_value(wallet.take()).map_err(|error| bad(&error))?;
        return Ok(Line::Wallet(wallet));
    }
    let mut named = Vec::new();
    for of in ["say", "report"] {
        let files = value.get_mut(of).and_then(|it| it.get_mut("files"));
        if let Some(files) = files.filter(|files| files.is_array()) {
            named =
                serde_json::from_value::<Vec<Named>>(files.take()).map_err(|error| bad(&error))?;
            *files = Value::Array(Vec::new());
        }
    }
    let mut command = serde_json::from_value(value).map_err(|error| bad(&error))?;
    if let Command::Say { files, .. } | Command::Report { files, .. } = &mut command {
        *files = named.into_iter().map(load).collect::<Result<_, _>>()?;
    }
    Ok(Line::Command(command))
}

/// Writes a file, and nothing over another one.
///
/// # Errors
/// `no-file`.
pub(crate) fn save(bytes: &[u8], path: &Path) -> Result<(), Complaint> {
    use std::io::Write as _;
    let mut options = std::fs::OpenOptions::new();
    let written = options
        .write(true)
        .create_new(true)
        .open(path)
        .and_then(|mut to| to.write_all(bytes).and_then(|()| to.sync_all()));
    written.map_err(|why| unusable(path, &why))
}

fn load(named: Named) -> Result<NewFile, Complaint> {
    use std::io::Read as _;
    let unusable = |why| unusable(&named.path, &why);
    let found = std::fs::metadata(&named.path).map_err(unusable)?;
    if !found.is_file() {
        let why = std::io::Error::other("it is no ordinary file");
        return Err(unusable(why));
    }
    let most = u64::from(FILE_BYTES_MAX);
    let mut bytes = Vec::new();
    let read = std::fs::File::open(&named.path)
        .and_then(|file| file.take(most + 1).read_to_end(&mut bytes));
    if read.map_err(unusable)? as u64 > most {
        return Err(Complaint {
            code: "file-too-large".to_owned(),
            field: Some("files".to_owned()),
            sentence: format!("{} has more than 8 MB.", named.path.display()),
        });
    }
    let last = named.path.file_name().unwrap_or_default();
    let name = named
        .name
        .unwrap_or_else(|| last.to_string_lossy().into_owned());
    let media_type = named
        .media_type
        .unwrap_or_else(|| usual_type(&name).to_owned());
    Ok(NewFile {
        name,
        media_type,
        bytes,
    })
}

/// What a file is by the ending of its name.
fn usual_type(name: &str) -> &'static str {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    match ending.to_ascii_lowercase().as_str() {
        "jpg" | "jpeg" => "image/jpeg",
        "png" => "image/png",
        "webp" => "image/webp",
        "gif" => "image/gif",
        "pdf" => "application/pdf",
        "txt" => "text/plain",
        "csv" => "text/csv",
        "epub" => "application/epub+zip",
        "zip" => "application/zip",
        "mp3" => "audio/mpeg",
        "flac" => "audio/flac",
        "cashu" => ECASH_TYPE,
        _ => "application/octet-stream",
    }
}

fn bad(error: &serde_json::Error) -> Complaint {
    Complaint {
        code: "bad-command".to_owned(),
        field: None,
        sentence: format!("This is no command: {error}."),
    }
}

fn unusable(path: &Path, why: &std::io::Error) -> Complaint {
    Complaint {
        code: "no-file".to_owned(),
        field: Some("path".to_owned()),
        sentence: format!("{} cannot be used: {why}.", path.display()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use haggle_node::payments::TIP_NAME;

    #[test]
    fn a_file_is_sent_by_its_path_and_written_where_nothing_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("score.PDF");
        std::fs::write(&path, b"notes").unwrap();
        let thread = "07".repeat(32);
        let line = serde_json::json!({"report": {
            "thread": thread, "step": "dispatched", "note": null, "files": [{"path": path}],
        }});
        let Ok(Line::Command(Command::Report { files, .. })) = read(&line.to_string()) else {
            panic!("a report");
        };
        assert_eq!(files.len(), 1);
        assert_eq!(
            (&*files[0].name, &*files[0].media_type),
            ("score.PDF", "application/pdf")
        );
        assert_eq!(files[0].bytes, b"notes");

        let to = folder.path().join("copy.pdf");
        save(&files[0].bytes, &to).unwrap();
        assert_eq!(std::fs::read(&to).unwrap(), b"notes");
        assert_eq!(save(&files[0].bytes, &to).unwrap_err().code, "no-file");
        let save = serde_json::json!({"save-file": {"file": thread, "path": to}});
        assert!(matches!(read(&save.to_string()), Ok(Line::Save(_))));
    }

    #[test]
    fn a_tip_is_the_file_that_a_page_takes_for_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(TIP_NAME);
        std::fs::write(&path, b"cashuB").unwrap();
        let tip = load(Named {
            path,
            name: None,
            media_type: None,
        });
        let tip = tip.unwrap();
        assert_eq!((&*tip.name, &*tip.media_type), (TIP_NAME, ECASH_TYPE));
    }

    #[test]
    fn what_is_no_command_and_no_file_is_said() {
        let thread = "07".repeat(32);
        let say = |files: Value| {
            let line = serde_json::json!({"say": {"thread": thread, "text": "", "files": files}});
            read(&line.to_string())
                .map(drop)
                .map_err(|complaint| complaint.code)
        };
        let missing = serde_json::json!([{"path": "/nowhere/a.jpg"}]);
        assert_eq!(say(missing), Err("no-file".to_owned()));
        assert_eq!(
            say(serde_json::json!([{"name": "a"}])),
            Err("bad-command".to_owned())
        );
        assert_eq!(say(serde_json::json!([])), Ok(()));
        // What never ends, and what waits for somebody to write, is no file.
        assert_eq!(
            say(serde_json::json!([{"path": "/dev/null"}])),
            Err("no-file".to_owned())
        );
        let plain = read("{\"fly\": 1}").map(drop).unwrap_err();
        assert_eq!(plain.code, "bad-command");
    }
}
