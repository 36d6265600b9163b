//! How many files the process may have open: each connection is one.

/// What else is open: the database and its readers, calls to others, the log.
const OTHERS: usize = 256;

/// For how many connections there is room, at most `wanted`. The process first takes what it may have. It is said when that is not
/// enough.
pub fn room_for(wanted: usize) -> usize {
    let Some(limit) = raise() else { return wanted };
    let room = limit.saturating_sub(OTHERS.min(limit / 2)).max(1);
    if room < wanted {
        tracing::warn!(
            open_files = limit,
            connections = room,
            "the process may not have as many open files as connections.maximum asks for (LimitNOFILE= in a systemd unit)"
        );
    }
    wanted.min(room)
}

/// Raises the limit as far as the process may; none where there is no limit.
#[cfg(unix)]
fn raise() -> Option<usize> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let now = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: now.maximum,
        maximum: now.maximum,
    };
    let limit = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => now.maximum,
        Err(_) => now.current,
    };
    limit.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX))
}

#[cfg(not(unix))]
fn raise() -> Option<usize> {
    None
}
