//! `cargo xtask release`: one archive with all that a server needs to run the issuer.
//!
//! The program is linked statically against musl, so it runs on any Linux of its kind, also where there is nothing else. The same
//! sources, compiler and `SOURCE_DATE_EPOCH` give the same bytes: no path, no time and no user of this machine is in them.
//!
//! Trusts: rustup and the C compiler of the machine. Left out: signatures, uploads.

use std::{
    env,
    fs::{self, File},
    io::{self, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use clap::Args;
use sha2::{Digest as _, Sha256};

use crate::{
    clock::Stopwatch,
    command,
    digest::hex,
    fault::{Fault, OrFault as _, Outcome},
    process_group::ProcessGroup,
    session::Session,
    tools::rust,
    workspace::which,
};

pub(crate) const ABOUT: &str = "\
Build the issuer as one program that needs nothing else (static, musl), and put it into an archive with a systemd unit, a \
configuration to begin with, the licences, and checksums: target/release-archive/wardgate-VERSION-TARGET.tar.gz.

The program is tried where there is no other file: in an empty root it makes its database, serves and answers. Needed beside \
rustup: musl-gcc (apt install musl-tools). SOURCE_DATE_EPOCH sets the times in the archive; without it they are those of the last commit.";

/// The arguments of `release`.
#[derive(Args, Debug)]
pub(crate) struct ReleaseArguments {
    /// The kind of machine
    #[arg(long, default_value = "x86_64-unknown-linux-musl")]
    target: String,
}

/// How long the program may take to answer, and how often it is asked.
const LONGEST_START: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(100);

/// Everything but the program: where it comes from, and its name in the archive.
const FILES: [(&str, &str); 4] = [
    ("deploy/wardgate.service", "wardgate.service"),
    ("deploy/wardgate.toml", "wardgate.toml"),
    ("LICENSE-APACHE", "LICENSE-APACHE"),
    ("LICENSE-MIT", "LICENSE-MIT"),
];

/// Builds the archive.
pub(crate) fn run(session: &Session<'_>, arguments: &ReleaseArguments) -> Outcome<bool> {
    let target = &arguments.target;
    if !rust::has_target(session, target) && !rust::add_target(session, target)? {
        return Err(Fault::new(format!(
            "rustup cannot install the target {target}: `rustup target add {target}` says why"
        )));
    }
    let program = build(session, target)?;
    let name = format!("wardgate-{}-{target}", version(session)?);
    let out = session.workspace.target.join("release-archive");
    let folder = out.join(&name);
    let what = || format!("write {}", folder.display());
    if folder.exists() {
        fs::remove_dir_all(&folder).or_fault(what)?;
    }
    fs::create_dir_all(&folder).or_fault(what)?;
    fs::copy(&program, folder.join("wardgate")).or_fault(what)?;
    for (from, to) in FILES {
        fs::copy(session.workspace.root.join(from), folder.join(to)).or_fault(what)?;
    }
    fs::write(folder.join("THIRD-PARTY.txt"), third_parties(session, target)?).or_fault(what)?;
    check(session, &folder.join("wardgate"))?;
    let archive = pack(session, &out, &name)?;
    let digest = hex(&Sha256::digest(
        fs::read(&archive).or_fault(|| format!("read {}", archive.display()))?,
    ));
    let sum = archive.with_extension("gz.sha256");
    let line = format!("{digest}  {name}.tar.gz\n");
    fs::write(&sum, &line).or_fault(|| format!("write {}", sum.display()))?;
    session.screen.say(&format!("\n{}\n{line}", archive.display()));
    Ok(true)
}

/// The static program.
fn build(session: &Session<'_>, target: &str) -> Outcome<PathBuf> {
    if target.ends_with("-musl") && which("musl-gcc").is_none() {
        return Err(Fault::new(
            "musl-gcc is missing: `apt install musl-tools` brings it",
        ));
    }
    session.screen.step(&format!("building the issuer for {target}"));
    let root = session.workspace.root.display().to_string();
    let home = env::var("CARGO_HOME").or_else(|_| env::var("HOME").map(|home| format!("{home}/.cargo")));
    let mut flags = format!("-C strip=symbols --remap-path-prefix={root}=/wardgate");
    if let Ok(home) = home {
        flags = format!("{flags} --remap-path-prefix={home}=/cargo");
    }
    let mut cargo = session.workspace.cargo();
    cargo
        .args([
            "build",
            "--release",
            "--locked",
            "--package",
            "wardgate-issuer",
            "--bin",
            "wardgate",
            "--target",
            target,
        ])
        .env("RUSTFLAGS", flags)
        .env("SOURCE_DATE_EPOCH", epoch(session)?)
        // Paths of this machine are left out of what C brings, too.
        .env("CFLAGS", format!("-ffile-prefix-map={root}=/wardgate"));
    if target.ends_with("-musl") {
        cargo.env(format!("CC_{}", target.replace('-', "_")), "musl-gcc");
    }
    command::run(session, "release-build", &mut cargo, None)?.or_fault("the issuer could not be built")?;
    Ok(session.workspace.target.join(target).join("release/wardgate"))
}

/// Tries the program in a folder that holds nothing but it, as the root of its world.
fn check(session: &Session<'_>, program: &Path) -> Outcome<()> {
    let root = session.workspace.target.join("release-archive/empty-root");
    let what = || format!("write {}", root.display());
    if root.exists() {
        fs::remove_dir_all(&root).or_fault(what)?;
    }
    fs::create_dir_all(&root).or_fault(what)?;
    fs::copy(program, root.join("wardgate")).or_fault(what)?;
    let configuration = "keys.master_key_file = \"/master.key\"\nresources = [{ identifier = \"https://api.example.com/fhir\" }]\n";
    fs::write(root.join("wardgate.toml"), configuration).or_fault(what)?;
    for (name, arguments) in [
        ("version", &["--version"][..]),
        ("init", &["--config", "/wardgate.toml", "init"]),
    ] {
        let mut command = in_empty_root(&root);
        command::run(session, &format!("release-{name}"), command.args(arguments), None)?
            .or_fault("the program does not run where there is nothing else")?;
    }
    let answers = answers(session, &root)?;
    fs::remove_dir_all(&root).or_fault(what)?;
    if !answers {
        return Err(Fault::new(format!(
            "the program answers nothing where there is nothing else: {} says why",
            session.log("release-serve").display()
        )));
    }
    session
        .screen
        .step("the program answers where there is nothing else");
    Ok(())
}

/// The program in the folder, which is the root of its world.
fn in_empty_root(root: &Path) -> Command {
    let mut unshare = Command::new("unshare");
    unshare
        .args(["--map-root-user", "--root"])
        .arg(root)
        .arg("/wardgate")
        .env_clear()
        .env("PATH", env::var_os("PATH").unwrap_or_default())
        .stdin(Stdio::null());
    unshare
}

/// Whether the program there serves.
fn answers(session: &Session<'_>, root: &Path) -> Outcome<bool> {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let address = free.or_fault(|| "find a free port".into())?;
    let log = session.log("release-serve");
    let output = File::create(&log).or_fault(|| format!("write {}", log.display()))?;
    let mut command = in_empty_root(root);
    command
        .args(["--config", "/wardgate.toml", "serve"])
        .env("WARDGATE_SERVER__LISTEN", address.to_string())
        .stdout(Stdio::null())
        .stderr(output);
    let mut server = ProcessGroup::start(&mut command)?;
    let watch = Stopwatch::start();
    let mut is_ready = false;
    while !is_ready && watch.elapsed() < LONGEST_START && server.poll()?.is_none() {
        session.stop.check()?;
        is_ready = ready(address).unwrap_or(false);
        if !is_ready {
            thread::sleep(POLL);
        }
    }
    server.end();
    Ok(is_ready)
}

/// Whether the issuer there says that it is ready.
fn ready(address: SocketAddr) -> io::Result<bool> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(b"GET /health/ready HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer.starts_with("HTTP/1.1 200"))
}

/// The archive: the same bytes for the same files and times.
fn pack(session: &Session<'_>, out: &Path, name: &str) -> Outcome<PathBuf> {
    let archive = out.join(format!("{name}.tar.gz"));
    let plain = out.join(format!("{name}.tar"));
    let mut tar = Command::new("tar");
    tar.current_dir(out)
        .args([
            "--sort=name",
            "--owner=0",
            "--group=0",
            "--numeric-owner",
            "--format=ustar",
            "--mode=u=rwX,go=rX",
        ])
        .arg(format!("--mtime=@{}", epoch(session)?))
        .args(["--create", "--file"])
        .arg(&plain)
        .arg(name);
    command::run(session, "release-tar", &mut tar, None)?.or_fault("the archive could not be written")?;
    let mut gzip = Command::new("gzip");
    gzip.args(["--no-name", "--best", "--force"]).arg(&plain);
    command::run(session, "release-gzip", &mut gzip, None)?.or_fault("the archive could not be packed")?;
    Ok(archive)
}

/// Seconds since 1970 that stand for this release.
fn epoch(session: &Session<'_>) -> Outcome<String> {
    if let Ok(epoch) = env::var("SOURCE_DATE_EPOCH") {
        return Ok(epoch);
    }
    said_by(
        Command::new("git")
            .current_dir(&session.workspace.root)
            .args(["log", "-1", "--format=%ct"]),
    )
}

fn version(session: &Session<'_>) -> Outcome<String> {
    let said = said_by(
        session
            .workspace
            .cargo()
            .args(["pkgid", "--package", "wardgate-issuer"]),
    )?;
    let version = said.rsplit(['#', '@']).next().unwrap_or_default();
    Ok(version.into())
}

/// Every crate in the program, with its licence.
fn third_parties(session: &Session<'_>, target: &str) -> Outcome<String> {
    let said = said_by(session.workspace.cargo().args([
        "tree",
        "--package",
        "wardgate-issuer",
        "--edges",
        "normal",
        "--prefix",
        "none",
        "--format",
        "{p} ({l})",
        "--target",
        target,
    ]))?;
    let mut lines: Vec<&str> = said
        .lines()
        .filter(|line| !line.starts_with("wardgate-"))
        .collect();
    lines.sort_unstable();
    lines.dedup();
    let mut text = Vec::new();
    let written = writeln!(
        text,
        "What `wardgate` is made of beside its own code, and under which licences:\n"
    )
    .and_then(|()| {
        lines
            .iter()
            .try_for_each(|line| writeln!(text, "{}", line.replace(" (*)", "")))
    });
    written.or_fault(|| "list the crates".into())?;
    String::from_utf8(text).or_fault(|| "list the crates".into())
}

/// What a command says, in one line or many.
fn said_by(command: &mut Command) -> Outcome<String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .or_fault(|| format!("run {command:?}"))?;
    if !output.status.success() {
        return Err(Fault::new(format!("{command:?} failed")));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().into())
}

#[cfg(test)]
mod tests {
    const DOCUMENT: &str = include_str!("../../docs/deploying-the-issuer.md");
    const UNIT: &str = include_str!("../../deploy/wardgate.service");

    #[test]
    fn the_document_shows_the_unit_as_it_is() {
        assert!(DOCUMENT.contains(UNIT.trim_end()));
    }
}
