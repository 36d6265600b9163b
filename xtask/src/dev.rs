//! `cargo xtask dev`: the whole system on this machine, from nothing to a guarded FHIR call.
//!
//! Order: ports, builds, dev data, services, health, then either the guide (and waiting for Ctrl-C) or the check.
//! Every service runs in a process group of its own, which is ended whatever happens here.

mod addresses;
mod check;
mod data;
mod guide;
mod http;
mod postman;
mod service;

use std::{fs, thread, time::Duration};

use crate::{
    command,
    fault::{Fault, OrFault as _, Outcome},
    session::Session,
    tools::{cache::Cache, curl, node, npm::NpmTools, test_clients},
    wasm,
};

use self::service::Service;

const POLL: Duration = Duration::from_millis(200);

/// Runs `dev`, or `dev --check` whose result it gives. `fresh` throws the dev data away first.
pub(crate) fn run(session: &Session<'_>, check: bool, fresh: bool) -> Outcome<bool> {
    addresses::refuse_taken_ports()?;
    curl::provide(session)?;
    let cache = Cache::of_user()?;
    wasm::build(session, false)?;
    build_programs(session)?;
    let npm = NpmTools::provide(session, &cache)?;
    let node = node::provide(&npm)?;
    let dev = data::load(session, fresh)?;
    postman::write_environment(session, &dev)?;

    let logs = session.workspace.dev().join("logs");
    fs::create_dir_all(&logs).or_fault(|| format!("create {}", logs.display()))?;
    let mut services = vec![
        service::sample_fhir(session)?,
        service::issuer(session)?,
        service::edge(session, &node, &npm.wrangler())?,
    ];
    for service in &mut services {
        service.wait_until_healthy(session)?;
    }
    if check {
        let told = check::run(session, &dev)?;
        let modules = test_clients::provide(session, &cache)?;
        let passed = postman::run(session, &node, &modules)? && told;
        stop(session, services);
        return Ok(passed);
    }
    session.screen.say(&guide::text(&dev, &logs));
    let ended = wait_for_the_end(session, &mut services);
    stop(session, services);
    ended.map(|()| true)
}

/// Builds the issuer and the sample API with cargo's `dev` profile.
pub(crate) fn build_programs(session: &Session<'_>) -> Outcome<()> {
    session.screen.step("building the issuer and the sample FHIR API");
    let mut build = session.workspace.cargo();
    build.args([
        "build",
        "--package",
        "wardgate-issuer",
        "--package",
        "wardgate-tests",
        "--bins",
    ]);
    command::run(session, "build-programs", &mut build, None)?
        .or_fault("the issuer or the sample FHIR API does not compile")
        .map(drop)
}

/// Returns when someone asks to stop; a service that ends by itself is a fault that names it.
fn wait_for_the_end(session: &Session<'_>, services: &mut [Service]) -> Outcome<()> {
    while !session.stop.is_asked() {
        for service in services.iter_mut() {
            service.see_that_it_lives()?;
        }
        thread::sleep(POLL);
    }
    Ok(())
}

fn stop(session: &Session<'_>, services: Vec<Service>) {
    session.screen.step("stopping");
    // The edge first, so that it does not see its upstream go.
    for service in services.into_iter().rev() {
        drop(service);
    }
    session.screen.step("stopped");
}

/// A fault that says where more is to be read.
fn with_log(sentence: &str, log: &std::path::Path) -> Fault {
    Fault::new(format!(
        "{sentence}; the last lines of {}:\n{}",
        log.display(),
        command::last_lines(log, 15)
    ))
}
