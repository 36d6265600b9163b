//! What a service manager is told: that the issuer is ready, that it stops (sd_notify(3)).
//!
//! The protocol is a datagram to the socket that the environment names. Where none is named, nobody asked.

use std::ffi::OsString;

/// The one who started us, if they want to know.
#[derive(Clone, Debug, Default)]
pub struct ServiceManager(Option<OsString>);

impl ServiceManager {
    /// As the environment says it.
    pub fn of_environment() -> Self {
        Self(std::env::var_os("NOTIFY_SOCKET"))
    }

    /// Requests are answered from now on.
    pub fn ready(&self) {
        self.tell("READY=1");
    }

    /// The process is stopping.
    pub fn stopping(&self) {
        self.tell("STOPPING=1");
    }

    /// Tells; whoever does not listen is not told.
    #[cfg(target_os = "linux")]
    fn tell(&self, what: &str) {
        use std::os::linux::net::SocketAddrExt;
        use std::os::unix::ffi::OsStrExt;
        use std::os::unix::net::{SocketAddr, UnixDatagram};

        let Some(name) = &self.0 else { return };
        // A name that begins with @ is one outside the file system (unix(7)).
        let address = match name.as_bytes().split_first() {
            Some((b'@', rest)) => SocketAddr::from_abstract_name(rest),
            _ => SocketAddr::from_pathname(name),
        };
        let told = address.and_then(|address| {
            let socket = UnixDatagram::unbound()?;
            socket.set_nonblocking(true)?;
            socket.send_to_addr(what.as_bytes(), &address)
        });
        if let Err(error) = told {
            tracing::warn!(%error, "the service manager cannot be told");
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn tell(&self, _: &str) {}
}
