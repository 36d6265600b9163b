//! An SMTP server on this machine that keeps what it is given, and answers what a test says.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A mail that came.
#[derive(Clone, Debug)]
pub(crate) struct ReceivedMail {
    pub(crate) from: String,
    pub(crate) to: String,
    /// Headers and body as they came.
    pub(crate) data: String,
}

impl ReceivedMail {
    /// The lines of the headers of the mail as a whole, unfolded.
    pub(crate) fn headers(&self) -> Vec<String> {
        let (head, _) = self.data.split_once("\r\n\r\n").unwrap();
        let unfolded = head.replace("\r\n ", " ").replace("\r\n\t", " ");
        unfolded.split("\r\n").map(String::from).collect()
    }

    /// The value of the one header of this name.
    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> String {
        let start = format!("{name}: ");
        let headers = self.headers();
        let mut values = headers.iter().filter_map(|line| line.strip_prefix(&start));
        let value = values
            .next()
            .unwrap_or_else(|| panic!("no header {name}: {headers:?}"));
        assert_eq!(values.next(), None, "{name} stands there once");
        value.into()
    }
}

pub(crate) struct MailSink {
    pub(crate) port: u16,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

struct Shared {
    /// What is answered to a command other than usual.
    answers: Mutex<HashMap<&'static str, &'static str>>,
    received: watch::Sender<Vec<ReceivedMail>>,
    commands: Mutex<Vec<String>>,
    held: watch::Sender<bool>,
}

impl MailSink {
    /// One that takes everything.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            answers: Mutex::default(),
            received: watch::Sender::new(Vec::new()),
            commands: Mutex::default(),
            held: watch::Sender::new(false),
        });
        let own = shared.clone();
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(converse(stream, own.clone()));
            }
        });
        Self { port, shared, task }
    }

    /// Answers this to a command from now on: `EHLO`, `AUTH`, `MAIL`, `RCPT`, `DATA`, or `.` for the end of a mail.
    pub(crate) fn answer(&self, command: &'static str, line: &'static str) {
        self.shared.answers.lock().unwrap().insert(command, line);
    }

    /// Keeps everybody waiting at the end of their mail, or lets them go.
    pub(crate) fn hold(&self, held: bool) {
        self.shared.held.send_replace(held);
    }

    /// Every mail that came so far.
    pub(crate) fn received(&self) -> Vec<ReceivedMail> {
        self.shared.received.borrow().clone()
    }

    /// Waits until a mail came.
    pub(crate) async fn is_used(&self) {
        let mut received = self.shared.received.subscribe();
        received.wait_for(|received| !received.is_empty()).await.unwrap();
    }

    /// Every command that came so far.
    pub(crate) fn commands(&self) -> Vec<String> {
        self.shared.commands.lock().unwrap().clone()
    }
}

impl Drop for MailSink {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn converse(stream: TcpStream, shared: Arc<Shared>) {
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::new(reader);
    // Whoever hangs up in the middle ends their conversation, and no other.
    let _ = answer_all(&mut reader, &mut writer, &shared).await;
}

async fn answer_all(
    reader: &mut BufReader<OwnedReadHalf>,
    writer: &mut OwnedWriteHalf,
    shared: &Shared,
) -> std::io::Result<()> {
    writer.write_all(b"220 sink\r\n").await?;
    let (mut from, mut to) = (String::new(), String::new());
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let line = line.trim_end();
        shared.commands.lock().unwrap().push(line.into());
        let command = line.split([' ', ':']).next().unwrap_or_default().to_uppercase();
        let told = shared.answers.lock().unwrap().get(command.as_str()).copied();
        let usual = match command.as_str() {
            "EHLO" => "250-sink\r\n250 AUTH PLAIN",
            "AUTH" => "235 welcome",
            "DATA" => "354 go on",
            "QUIT" => "221 bye",
            _ => "250 yes",
        };
        let answer = told.unwrap_or(usual);
        writer.write_all(format!("{answer}\r\n").as_bytes()).await?;
        match command.as_str() {
            "MAIL" => from = address(line),
            "RCPT" => to = address(line),
            "DATA" if answer.starts_with('3') => {
                let data = read_mail(reader).await?;
                let mail = ReceivedMail {
                    from: from.clone(),
                    to: to.clone(),
                    data,
                };
                shared.received.send_modify(|received| received.push(mail));
                let _ = shared.held.subscribe().wait_for(|held| !held).await;
                let told = shared.answers.lock().unwrap().get(".").copied();
                let answer = told.unwrap_or("250 taken");
                writer.write_all(format!("{answer}\r\n").as_bytes()).await?;
            }
            "QUIT" => return Ok(()),
            _ => {}
        }
    }
}

/// What stands between angle brackets.
fn address(line: &str) -> String {
    let (_, rest) = line.split_once('<').unwrap_or_default();
    rest.split('>').next().unwrap_or_default().into()
}

/// Everything up to the line with a dot alone, with dots at the beginnings of lines unstuffed.
async fn read_mail(reader: &mut BufReader<OwnedReadHalf>) -> std::io::Result<String> {
    let mut data = String::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).await? == 0 || line == ".\r\n" {
            return Ok(data);
        }
        data.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}
