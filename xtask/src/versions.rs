//! Every version that the set-up pins, in one place. The npm tools are pinned beside this by `npm/package.json` and
//! its lock file, the Python client libraries by `tests/clients/requirements.txt`.

/// Writes the Worker's JavaScript bindings; must be the version of the `wasm-bindgen` crate in `Cargo.toml` exactly,
/// since it refuses another one's schema.
pub(crate) const WASM_BINDGEN: &str = "0.2.129";
/// Checks licences, advisories, bans and sources.
pub(crate) const CARGO_DENY: &str = "0.20.2";
/// Runs the fuzz targets.
pub(crate) const CARGO_FUZZ: &str = "0.13.2";

/// The oldest Node that runs wrangler and, without a flag, TypeScript: major, minor.
pub(crate) const OLDEST_NODE: (u32, u32) = (22, 18);
/// The first of the next line of Nodes that does; earlier ones of that line do not.
pub(crate) const OLDEST_NODE_23: (u32, u32) = (23, 6);

/// The Debian packages that bring a compiler, its sources, the linker and the lints for the wasm target, where rustup
/// cannot fetch it. They do not disturb rustup's own toolchains.
pub(crate) const DEBIAN_WASM_PACKAGES: [&str; 4] =
    ["rustc-web", "rust-web-src", "rust-web-llvm", "rust-web-clippy"];
/// The oldest of these compilers that builds the project: `rust-version` of the workspace, major and minor.
pub(crate) const OLDEST_RUST: (u32, u32) = (1, 95);

/// The largest Worker that passes, in bytes after gzip: what is loaded at an edge location before the first answer.
pub(crate) const LARGEST_WORKER_GZIPPED: u64 = 200_000;

#[cfg(test)]
mod tests {
    use super::{OLDEST_RUST, WASM_BINDGEN};

    const MANIFEST: &str = include_str!("../../Cargo.toml");

    #[test]
    fn tools_pair_with_the_workspaces_own_versions() {
        assert!(MANIFEST.contains(&format!("wasm-bindgen = \"={WASM_BINDGEN}\"")));
        assert!(MANIFEST.contains(&format!("rust-version = \"{}.{}\"", OLDEST_RUST.0, OLDEST_RUST.1)));
    }
}
