//! npm `oidc-provider` with its in-memory adapter, by the program `tests/bench/peer.mjs`.

use std::{fs, path::Path, process::Command};

use serde_json::Value;

use super::{
    Algorithm, Bench, FAMILIES,
    load::Load,
    served::{Served, free_port},
};
use crate::fault::{Fault, OrFault as _, Outcome};

/// Starts the peer, which makes its own clients and refresh tokens.
pub(super) fn start(
    bench: &Bench<'_>,
    algorithm: Algorithm,
    node: &Path,
    modules: &Path,
) -> Outcome<(Served, Load)> {
    let port = free_port()?;
    let mut peer = Command::new(node);
    peer.arg("--import")
        .arg(bench.session.workspace.root.join("tests/clients/modules.mjs"))
        .arg(bench.scripts.join("peer.mjs"))
        .args([&port.to_string(), algorithm.name(), &FAMILIES.to_string()])
        .env("NODE_ENV", "production")
        .env("WARDGATE_NODE_MODULES", modules);
    let path = "/.well-known/openid-configuration";
    let served = Served::start(bench.session, "bench-peer", &mut peer, port, path)?;
    let printed = fs::read_to_string(&served.log).or_fault(|| format!("read {}", served.log.display()))?;
    let line = printed
        .lines()
        .find(|line| line.starts_with("{\"refresh_tokens\""));
    let tokens: Value = line
        .and_then(|line| serde_json::from_str(line).ok())
        .ok_or_else(|| Fault::new(format!("the peer printed no refresh tokens:\n{printed}")))?;
    let tokens: Vec<&str> = tokens
        .get("refresh_tokens")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let refresh_tokens = bench.folder.join(format!("peer-{}", algorithm.name()));
    fs::write(&refresh_tokens, tokens.join("\n"))
        .or_fault(|| format!("write {}", refresh_tokens.display()))?;
    let load = Load {
        path: "/token",
        client_credentials: "grant_type=client_credentials&scope=system/*.read&client_id=service\
                             &client_secret=secret-of-the-service-0123456789abcdef"
            .to_owned(),
        refresh: "grant_type=refresh_token&client_id=app&refresh_token=".to_owned(),
        refresh_tokens,
    };
    Ok((served, load))
}
