//! What the owner of a domain published in DNS: TXT records (RFC 1035 section 3.3.14).
//!
//! Asked is the resolver that the machine is set up with, within a time limit, and nothing is kept: somebody who has just
//! published a record wants it found. Its answer is as trustworthy as the network between; there is no DNSSEC here.

use std::net::SocketAddr;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::RData;

/// How long a look-up may take.
const LONGEST_LOOK_UP: Duration = Duration::from_secs(5);

/// Why nothing is known of a name. Texts are for administrators.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DnsError {
    /// The machine's resolver is not set up.
    #[error("this machine has no usable DNS resolver: {0}")]
    Resolver(String),
    /// No answer in time.
    #[error("DNS did not answer in time")]
    Late,
    /// Another failure.
    #[error("DNS failed: {0}")]
    Failed(String),
}

/// The way to DNS.
#[derive(Clone, Debug, Default)]
pub struct Dns {
    /// Asked instead of the machine's resolver.
    server: Option<SocketAddr>,
}

impl Dns {
    /// By the machine's resolver.
    pub const fn of_machine() -> Self {
        Self { server: None }
    }

    /// By this server alone.
    #[cfg(test)]
    pub(crate) const fn at(server: SocketAddr) -> Self {
        Self { server: Some(server) }
    }

    /// The texts of the TXT records of `name`, each with its strings put together; none when there is no such name. What is
    /// not UTF-8 is left out.
    ///
    /// # Errors
    /// [`DnsError`].
    pub async fn texts(&self, name: &str) -> Result<Vec<String>, DnsError> {
        let resolver = self.resolver()?;
        // A dot at the end: no search list of this machine is tried.
        let looked_up = tokio::time::timeout(LONGEST_LOOK_UP, resolver.txt_lookup(format!("{name}."))).await;
        let found = match looked_up.map_err(|_| DnsError::Late)? {
            Ok(found) => found,
            Err(error) if error.is_no_records_found() => return Ok(Vec::new()),
            Err(error) => return Err(DnsError::Failed(error.to_string())),
        };
        let texts = found.answers().iter().filter_map(|record| match &record.data {
            RData::TXT(text) => String::from_utf8(text.txt_data.concat()).ok(),
            _ => None,
        });
        Ok(texts.collect())
    }

    fn resolver(&self) -> Result<TokioResolver, DnsError> {
        let failed = |error: hickory_resolver::net::NetError| DnsError::Resolver(error.to_string());
        let mut builder = match self.server {
            None => TokioResolver::builder_tokio().map_err(failed)?,
            Some(server) => {
                let mut connection = ConnectionConfig::udp();
                connection.port = server.port();
                let server = NameServerConfig::new(server.ip(), true, vec![connection]);
                let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
                TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
            }
        };
        let options = builder.options_mut();
        options.cache_size = 0;
        options.timeout = LONGEST_LOOK_UP / 2;
        options.attempts = 1;
        builder.build().map_err(failed)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::net::SocketAddr;

    use tokio::net::UdpSocket;
    use tokio::task::JoinHandle;

    use super::Dns;

    /// A DNS server on this machine that knows one TXT record.
    pub(crate) struct OneRecord {
        pub(crate) address: SocketAddr,
        task: JoinHandle<()>,
    }

    impl OneRecord {
        pub(crate) async fn start(name: &str, strings: &[&str]) -> Self {
            let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            let address = socket.local_addr().unwrap();
            let mut wanted = Vec::new();
            for label in name.split('.') {
                wanted.push(u8::try_from(label.len()).unwrap());
                wanted.extend_from_slice(label.as_bytes());
            }
            wanted.push(0);
            let mut data = Vec::new();
            for string in strings {
                data.push(u8::try_from(string.len()).unwrap());
                data.extend_from_slice(string.as_bytes());
            }
            let task = tokio::spawn(async move {
                let mut packet = [0; 512];
                loop {
                    let (_, from) = socket.recv_from(&mut packet).await.unwrap();
                    let end = 12 + packet[12..].iter().position(|byte| *byte == 0).unwrap() + 1;
                    let is_known = packet[12..end].eq_ignore_ascii_case(&wanted);
                    // The header: an answer, recursion available, NXDOMAIN unless the name is known.
                    let mut answer = packet[..2].to_vec();
                    answer.extend_from_slice(&[0x81, if is_known { 0x80 } else { 0x83 }]);
                    answer.extend_from_slice(&[0, 1, 0, u8::from(is_known), 0, 0, 0, 0]);
                    answer.extend_from_slice(&packet[12..end + 4]);
                    if is_known {
                        // A pointer to the name, TXT, IN, one minute.
                        answer.extend_from_slice(&[0xC0, 12, 0, 16, 0, 1, 0, 0, 0, 60]);
                        answer.extend_from_slice(&u16::try_from(data.len()).unwrap().to_be_bytes());
                        answer.extend_from_slice(&data);
                    }
                    socket.send_to(&answer, from).await.unwrap();
                }
            });
            Self { address, task }
        }
    }

    impl Drop for OneRecord {
        fn drop(&mut self) {
            self.task.abort();
        }
    }

    #[tokio::test]
    async fn reads_the_texts_of_a_name_and_none_of_a_name_that_is_not_there() {
        let server = OneRecord::start("_wardgate.clinic.example", &["wardgate-", "1"]).await;
        let dns = Dns::at(server.address);
        assert_eq!(
            dns.texts("_wardgate.clinic.example").await.unwrap(),
            ["wardgate-1"]
        );
        assert!(dns.texts("_wardgate.other.example").await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_is_an_error_and_no_answer() {
        let server = OneRecord::start("a.example", &["x"]).await;
        let address = server.address;
        drop(server);
        assert!(Dns::at(address).texts("a.example").await.is_err());
    }
}
