//! Whether the built Worker is that of the present sources: hashes of all that goes in and of what came out.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use crate::{
    digest::PartsDigest,
    fault::{OrFault as _, Outcome},
    session::Session,
    tools::rust::Compiler,
    versions::WASM_BINDGEN,
    wasm::Worker,
};

/// What the Worker is made of and by, besides the tools. Folders count with everything in them.
const SOURCES: [&str; 9] = [
    "Cargo.toml",
    "Cargo.lock",
    "edge/Cargo.toml",
    "edge/src",
    "shared/Cargo.toml",
    "shared/src",
    "xtask/npm/package-lock.json",
    "xtask/src/wasm.rs",
    "xtask/src/wasm",
];
const PRODUCTS: [&str; 2] = ["index.js", "index_bg.wasm"];

/// The state of the sources, to compare with that of the last build.
#[derive(Debug)]
pub(super) struct Stamp {
    file: PathBuf,
    inputs: String,
    products: PathBuf,
}

impl Stamp {
    /// Hashes the sources as they are now.
    pub(super) fn of(session: &Session<'_>, compiler: &Compiler, worker: &Worker) -> Outcome<Self> {
        let root = &session.workspace.root;
        let mut hash = PartsDigest::default();
        for part in [WASM_BINDGEN, &compiler.release, &compiler.commit] {
            hash.add(part.as_bytes());
        }
        for source in SOURCES {
            add_tree(&mut hash, root, &root.join(source))?;
        }
        Ok(Self {
            file: root.join("target/xtask/worker.json"),
            inputs: hash.hex(),
            products: worker.folder.clone(),
        })
    }

    /// True when the last build was made of these sources and its products have not been touched since.
    pub(super) fn matches(&self) -> bool {
        let Some(last) = fs::read(&self.file)
            .ok()
            .and_then(|text| serde_json::from_slice::<Value>(&text).ok())
        else {
            return false;
        };
        let member = |name: &str| last.get(name).and_then(Value::as_str).map(str::to_owned);
        member("inputs").is_some_and(|inputs| inputs == self.inputs)
            && self
                .products()
                .is_ok_and(|products| member("products").is_some_and(|last| last == products))
    }

    /// Remembers that the products are those of these sources.
    pub(super) fn write(&self) -> Outcome<()> {
        let text = json!({ "inputs": self.inputs, "products": self.products()? }).to_string();
        fs::write(&self.file, text).or_fault(|| format!("write {}", self.file.display()))
    }

    fn products(&self) -> Outcome<String> {
        let mut hash = PartsDigest::default();
        for product in PRODUCTS {
            add_tree(&mut hash, &self.products, &self.products.join(product))?;
        }
        Ok(hash.hex())
    }
}

/// Adds a file, or everything in a folder in a fixed order, with the paths from `root`.
fn add_tree(hash: &mut PartsDigest, root: &Path, path: &Path) -> Outcome<()> {
    if path.is_dir() {
        let entries = fs::read_dir(path).or_fault(|| format!("read {}", path.display()))?;
        let mut inside: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        inside.sort();
        return inside.iter().try_for_each(|entry| add_tree(hash, root, entry));
    }
    let bytes = fs::read(path).or_fault(|| format!("read {}", path.display()))?;
    hash.add(
        path.strip_prefix(root)
            .unwrap_or(path)
            .as_os_str()
            .as_encoded_bytes(),
    );
    hash.add(&bytes);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::Stamp;

    fn stamp(folder: &std::path::Path, inputs: &str) -> Stamp {
        Stamp {
            file: folder.join("stamp.json"),
            inputs: inputs.to_owned(),
            products: folder.to_owned(),
        }
    }

    #[test]
    fn other_sources_or_touched_products_call_for_a_build() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        assert!(!stamp(path, "a").matches(), "nothing has been built");
        for product in super::PRODUCTS {
            fs::write(path.join(product), "built").unwrap();
        }
        stamp(path, "a").write().unwrap();
        assert!(stamp(path, "a").matches());
        assert!(!stamp(path, "b").matches(), "the sources have changed");
        fs::write(path.join("index.js"), "edited").unwrap();
        assert!(!stamp(path, "a").matches(), "the product has changed");
    }
}
