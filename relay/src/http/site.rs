//! Serves a folder of static files: the page.
//!
//! Only plain names are looked up (letters, digits, `.`, `-`, `_`, and none that begins with a dot), and what is found must
//! lie inside the folder after links are followed. If a file has a neighbour with `.br` at its end and the asker takes
//! Brotli, the neighbour is sent.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use bytes::Bytes;
use futures::stream;
use http_body_util::StreamBody;
use hyper::body::Frame;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Response, StatusCode};
use tokio::io::AsyncReadExt as _;

use super::{Body, csp, empty, respond};

/// The longest path that is looked up, in bytes.
const PATH_MAX: usize = 512;
/// What is read from a file at a time, in bytes.
const CHUNK: usize = 64 * 1_024;
/// The page in a folder.
const INDEX: &str = "index.html";

/// A folder that is served.
pub(crate) struct Site {
    root: PathBuf,
    /// The policy of the page, and which state of the page it was read from.
    policy: Mutex<Option<(SystemTime, HeaderValue)>>,
}

impl Site {
    /// Opens a folder.
    ///
    /// # Errors
    /// What the system says if it is none.
    pub(crate) fn open(folder: &Path) -> std::io::Result<Self> {
        let root = folder.canonicalize()?;
        std::fs::read_dir(&root)?;
        Ok(Self {
            root,
            policy: Mutex::new(None),
        })
    }

    /// The file of this path, or nothing.
    pub(crate) async fn serve(&self, path: &str, asked: &HeaderMap) -> Option<Response<Body>> {
        let path = self.find(path).await?;
        let mime = mime_of(&path);
        let brotli = path.with_file_name(format!("{}.br", path.file_name()?.to_str()?));
        let (served, encoding) = if takes_brotli(asked) && is_file(&brotli).await {
            (brotli, Some("br"))
        } else {
            (path.clone(), None)
        };
        let file = tokio::fs::File::open(&served).await.ok()?;
        let meta = file.metadata().await.ok()?;
        let modified = meta.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        let since = modified
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let tag = format!(
            "\"{:x}-{:x}{}\"",
            meta.len(),
            since.as_nanos(),
            encoding.map_or("", |_| "-br")
        );
        let tag = HeaderValue::from_str(&tag).ok()?;

        let mut response = if is_known(asked, &tag) {
            respond(StatusCode::NOT_MODIFIED, empty())
        } else {
            let mut response = respond(StatusCode::OK, body_of(file, meta.len()));
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_LENGTH, meta.len().into());
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(mime));
            if let Some(encoding) = encoding {
                headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
            }
            response
        };
        let policy = self.policy().await;
        let headers = response.headers_mut();
        headers.insert(header::ETAG, tag);
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        headers.insert(
            header::CACHE_CONTROL,
            HeaderValue::from_static(caching(&path)),
        );
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        Some(response)
    }

    async fn find(&self, path: &str) -> Option<PathBuf> {
        if path.len() > PATH_MAX {
            return None;
        }
        let mut found = self.root.clone();
        for name in path.split('/').filter(|name| !name.is_empty()) {
            let plain = name
                .bytes()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'-' | b'_'));
            if !plain || name.starts_with('.') {
                return None;
            }
            found.push(name);
        }
        if path.ends_with('/') {
            found.push(INDEX);
        }
        let found = tokio::fs::canonicalize(&found).await.ok()?;
        (found.starts_with(&self.root) && is_file(&found).await).then_some(found)
    }

    /// The policy that the page asks for; read again when the page was replaced.
    async fn policy(&self) -> HeaderValue {
        let index = self.root.join(INDEX);
        let modified = tokio::fs::metadata(&index)
            .await
            .and_then(|meta| meta.modified())
            .unwrap_or(SystemTime::UNIX_EPOCH);
        if let Some((at, policy)) = &*self.policy.lock().unwrap_or_else(PoisonError::into_inner)
            && *at == modified
        {
            return policy.clone();
        }
        let mut page = Vec::new();
        if let Ok(file) = tokio::fs::File::open(&index).await {
            // The policy stands at the beginning; what cannot be read has the default one.
            let _ = file.take(CHUNK as u64).read_to_end(&mut page).await;
        }
        let policy = csp::header(&page);
        *self.policy.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((modified, policy.clone()));
        policy
    }
}

async fn is_file(path: &Path) -> bool {
    tokio::fs::metadata(path)
        .await
        .is_ok_and(|meta| meta.is_file())
}

/// Sends exactly `len` bytes, chunk by chunk, so that a slow reader holds one chunk and not the file.
fn body_of(file: tokio::fs::File, len: u64) -> Body {
    let chunks = stream::try_unfold((file, len), |(mut file, left)| async move {
        if left == 0 {
            return Ok(None);
        }
        let mut chunk = vec![0; usize::try_from(left).unwrap_or(CHUNK).min(CHUNK)];
        let read = file.read(&mut chunk).await?;
        if read == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        chunk.truncate(read);
        Ok(Some((
            Frame::data(Bytes::from(chunk)),
            (file, left - read as u64),
        )))
    });
    Body::new(StreamBody::new(chunks))
}

fn is_known(asked: &HeaderMap, tag: &HeaderValue) -> bool {
    asked
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|known| known.trim().trim_start_matches("W/"))
        .any(|known| known == "*" || known.as_bytes() == tag.as_bytes())
}

fn takes_brotli(asked: &HeaderMap) -> bool {
    asked
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|item| {
            let mut parts = item.split(';').map(str::trim);
            let is_brotli = parts.next() == Some("br");
            let is_refused = parts.any(|part| {
                part.strip_prefix("q=")
                    .and_then(|q| q.parse::<f32>().ok())
                    .is_some_and(|q| q <= 0.0)
            });
            is_brotli && !is_refused
        })
}

/// A file whose name holds a hash never changes; every other is asked for again.
fn caching(path: &Path) -> &'static str {
    let hashed = path
        .file_name()
        .and_then(|name| name.to_str())
        .is_some_and(|name| {
            name.split(['-', '_', '.'])
                .any(|part| part.len() >= 16 && part.bytes().all(|c| c.is_ascii_hexdigit()))
        });
    if hashed {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    }
}

fn mime_of(path: &Path) -> &'static str {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json" | "map") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("wasm") => "application/wasm",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("webp") => "image/webp",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("txt" | "md" | "toml") => "text/plain; charset=utf-8",
        Some("xml") => "application/xml",
        Some(_) | None => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brotli_is_taken_only_from_those_who_want_it() {
        let asked = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(text));
            takes_brotli(&headers)
        };
        assert!(asked("gzip, deflate, br"));
        assert!(asked("br;q=0.5"));
        assert!(!asked("br;q=0"));
        assert!(!asked("gzip, brotli"));
        assert!(!takes_brotli(&HeaderMap::new()));
    }

    #[test]
    fn only_names_with_a_hash_are_kept_for_ever() {
        let of = |name: &str| caching(Path::new(name));
        assert!(of("haggle-web-0945f10d6afae09b_bg.wasm").contains("immutable"));
        assert_eq!(of("index.html"), "no-cache");
        assert_eq!(of("relays.json"), "no-cache");
    }

    #[tokio::test]
    async fn nothing_outside_the_folder_is_found() {
        let root = std::env::temp_dir().join(format!("haggle-site-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&root);
        std::fs::create_dir_all(root.join("site/sub")).unwrap();
        std::fs::write(root.join("secret.txt"), "s").unwrap();
        std::fs::write(root.join("site/index.html"), "i").unwrap();
        std::fs::write(root.join("site/.hidden"), "h").unwrap();
        std::fs::write(root.join("site/sub/index.html"), "j").unwrap();
        std::os::unix::fs::symlink(root.join("secret.txt"), root.join("site/link.txt")).unwrap();
        let site = Site::open(&root.join("site")).unwrap();
        for good in [
            "/",
            "/index.html",
            "/sub/",
            "//index.html",
            "/sub/index.html",
        ] {
            assert!(site.find(good).await.is_some(), "{good}");
        }
        let long = format!("/{}", "a/".repeat(PATH_MAX));
        for bad in [
            "/../secret.txt",
            "/sub/../../secret.txt",
            "/%2e%2e/secret.txt",
            "/link.txt",
            "/.hidden",
            "/sub",
            "/none",
            "/index.html\0",
            &long,
        ] {
            assert!(site.find(bad).await.is_none(), "{bad}");
        }
        std::fs::remove_dir_all(&root).unwrap();
    }
}
