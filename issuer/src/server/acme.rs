//! What proves to a certificate authority that a name is ours, by http (RFC 8555 section 8.3): small files that an ACME client puts into a
//! folder, served as they are.
//!
//! Only names that a challenge can have are looked for, so nothing else of the machine can be asked for. Left out: being an ACME client.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};

use crate::error::problem::problem;

/// Where they are asked for.
pub(super) const PATH: &str = "/.well-known/acme-challenge/{token}";
/// Where they are, in the folder.
const FOLDER: &str = ".well-known/acme-challenge";
/// The longest name that is looked for; authorities choose 43 characters.
const LONGEST_NAME: usize = 256;
/// The longest content: a token, a dot and a thumbprint are less than 100 bytes.
const LARGEST_FILE: u64 = 1024;

/// The file of this token, or 404.
pub(super) async fn serve(webroot: PathBuf, token: String) -> Response {
    let found = tokio::task::spawn_blocking(move || find(&webroot, &token)).await;
    let no_store = (header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let mut answer = if let Ok(Some(content)) = found {
        let octets = HeaderValue::from_static("application/octet-stream");
        ([(header::CONTENT_TYPE, octets)], content).into_response()
    } else {
        problem(StatusCode::NOT_FOUND, "There is no such challenge", None)
    };
    answer.headers_mut().insert(no_store.0, no_store.1);
    answer
}

/// The content of the file, if the token is the name of one (base64url, RFC 8555 section 8.3).
fn find(webroot: &Path, token: &str) -> Option<Vec<u8>> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if token.is_empty() || token.len() > LONGEST_NAME || !token.bytes().all(is_name) {
        return None;
    }
    let file = std::fs::File::open(webroot.join(FOLDER).join(token)).ok()?;
    let mut content = Vec::new();
    file.take(LARGEST_FILE + 1).read_to_end(&mut content).ok()?;
    (u64::try_from(content.len()).ok()? <= LARGEST_FILE).then_some(content)
}

#[cfg(test)]
mod tests {
    use super::{FOLDER, find};

    #[test]
    fn files_of_challenges_are_found_and_nothing_else() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join(FOLDER);
        std::fs::create_dir_all(folder.join("folder")).unwrap();
        std::fs::write(folder.join("a-Token_1"), "a-Token_1.thumbprint").unwrap();
        std::fs::write(folder.join("dotted.name"), "x").unwrap();
        std::fs::write(folder.join("large"), vec![b'x'; 1025]).unwrap();
        std::fs::write(root.path().join("secret"), "x").unwrap();
        assert_eq!(
            find(root.path(), "a-Token_1").as_deref(),
            Some(&b"a-Token_1.thumbprint"[..])
        );
        let long = "a".repeat(257);
        for name in [
            "",
            ".",
            "..",
            "../../secret",
            "..%2f..%2fsecret",
            "dotted.name",
            "folder",
            "folder/x",
            "large",
            "missing",
            "a-Token_1\0",
            "\u{e9}",
            &long,
        ] {
            assert_eq!(find(root.path(), name), None, "{name:?}");
        }
    }
}
