use std::path::Path;

use super::{MailTls, SmsConfig, SmsSender};
use crate::config::{Config, ConfigFaults};

const LEAST: &str = "keys.master_key_file = \"master.key\"\nresources = [{ identifier = \"https://api.example.org/fhir\" }]\n";

fn read_in(folder: &Path, more: &str) -> Result<Config, ConfigFaults> {
    let text = format!("{LEAST}{more}");
    Config::from_sources(Some((&folder.join("wardgate.toml"), &text)), [])
}

fn read(more: &str) -> Result<Config, ConfigFaults> {
    read_in(Path::new("/etc/wardgate"), more)
}

/// The one fault.
#[track_caller]
fn fault(more: &str) -> String {
    let faults = read(more).map(|_| ()).unwrap_err().0;
    assert_eq!(faults.len(), 1, "{faults:?}");
    faults[0].to_string()
}

#[test]
fn nothing_is_sent_by_default() {
    let config = read("").unwrap();
    assert!(config.mail.is_none() && config.sms.is_none());
    assert!(!config.development.outbox);
    assert_eq!(
        (config.links.invitation_seconds, config.links.reset_seconds),
        (604_800, 3600)
    );
}

#[test]
fn mail_travels_encrypted_unless_it_stays_on_this_machine() {
    let mail = |more: &str| {
        let text =
            format!("[mail]\nhost = \"mail.example\"\nfrom = \"Clinic <no-reply@example.org>\"\n{more}");
        read(&text).unwrap().mail.unwrap()
    };
    let implicit = mail("");
    assert_eq!((implicit.tls, implicit.port), (MailTls::Implicit, 465));
    assert_eq!(implicit.from.email.to_string(), "no-reply@example.org");
    let start = mail("tls = \"starttls\"");
    assert_eq!((start.tls, start.port), (MailTls::StartTls, 587));
    let named = mail("tls = \"none\"\nplaintext_host = \"mail.example\"");
    assert_eq!((named.tls, named.port), (MailTls::None, 25));
    for host in ["localhost", "127.0.0.1", "::1"] {
        let text =
            format!("[mail]\nhost = \"{host}\"\nfrom = \"a@example.org\"\ntls = \"none\"\nport = 2525\n");
        assert_eq!(read(&text).unwrap().mail.unwrap().port, 2525);
    }
    let start = "[mail]\nhost = \"mail.example\"\nfrom = \"a@example.org\"\ntls = \"none\"\n";
    assert!(fault(start).contains("mail.plaintext_host"));
    assert!(fault(&format!("{start}plaintext_host = \"other.example\"")).contains("mail.tls"));
    let with_password =
        format!("{start}plaintext_host = \"mail.example\"\nusername = \"clinic\"\npassword = \"sesame\"");
    assert!(fault(&with_password).contains("unencrypted"));
}

#[test]
fn secrets_come_as_a_value_or_as_a_file() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("secret"), "open sesame\n").unwrap();
    let start = "[mail]\nhost = \"mail.example\"\nfrom = \"a@example.org\"\n";
    let of_file = format!("{start}username = \"clinic\"\npassword_file = \"secret\"");
    let mail = read_in(folder.path(), &of_file).unwrap().mail.unwrap();
    let (name, password) = mail.credentials.unwrap();
    assert_eq!(
        (name.as_str(), password.expose().as_str()),
        ("clinic", "open sesame")
    );
    for (more, said) in [
        ("username = \"clinic\"", "mail.password"),
        ("password = \"x\"", "mail.username"),
        (
            "username = \"clinic\"\npassword = \"x\"\npassword_file = \"secret\"",
            "together",
        ),
        (
            "username = \"clinic\"\npassword_file = \"absent\"",
            "cannot be read",
        ),
        ("ca_file = \"secret\"", "PEM"),
    ] {
        let text = format!("{start}{more}");
        let faults = read_in(folder.path(), &text).map(|_| ()).unwrap_err();
        assert!(faults.to_string().contains(said), "{faults}");
        assert!(!faults.to_string().contains("sesame"));
    }
}

#[test]
fn what_has_no_effect_is_refused() {
    assert!(fault("[mail]\nfrom = \"a@example.org\"").contains("without mail.host"));
    assert!(fault("[sms]\nfrom = \"+15550100\"").contains("without sms.provider"));
    assert!(fault("[mail]\nhost = \"mail.example\"").contains("mail.from must be set"));
    assert!(fault("[mail]\nhost = \"mail.example\"\nfrom = \"nobody\"").contains("must be an address"));
    let webhook =
        "[sms]\nprovider = \"webhook\"\nurl = \"https://sms.example/\"\nsecret = \"sixteen letters!\"\n";
    assert!(fault(&format!("{webhook}from = \"+15550100\"")).contains("webhook"));
}

#[test]
fn short_messages_go_by_the_provider_that_is_named() {
    let twilio = "[sms]\nprovider = \"twilio\"\nurl = \"https://sms.example/api/\"\naccount_sid = \"AC1\"\nsecret = \"token\"\n";
    let config = read(&format!("{twilio}from = \"+15550100\"")).unwrap();
    let Some(SmsConfig::Twilio { url, sender, .. }) = config.sms else {
        panic!("{:?}", config.sms);
    };
    assert_eq!(url, "https://sms.example/api");
    assert_eq!(sender, SmsSender::From("+15550100".into()));
    let service = read(&format!("{twilio}messaging_service_sid = \"MG1\"")).unwrap();
    assert!(matches!(
        service.sms,
        Some(SmsConfig::Twilio {
            sender: SmsSender::MessagingService(_),
            ..
        })
    ));
    assert!(fault(twilio).contains("sms.from must be set"));
    assert!(fault(&format!("{twilio}from = \"0155 5\"")).contains("telephone number"));
    assert!(
        fault("[sms]\nprovider = \"webhook\"\nurl = \"https://sms.example\"\nsecret = \"short\"")
            .contains("16")
    );
    assert!(
        fault("[sms]\nprovider = \"pigeon\"\nurl = \"https://sms.example\"\nsecret = \"x\"")
            .contains("twilio")
    );
    let inside =
        "[sms]\nprovider = \"webhook\"\nurl = \"http://127.0.0.1:1/\"\nsecret = \"sixteen letters!\"\n";
    assert!(fault(inside).contains("https"));
    assert!(read(&format!("{inside}[outbound]\nallow_loopback_http = true")).is_ok());
}

#[test]
fn the_outbox_is_for_this_machine_alone() {
    let text = "[development]\noutbox = true\n";
    assert!(read(text).unwrap().development.outbox);
    let public = "[server]\npublic_url = \"https://id.example.org\"\ntrusted_proxies = []\n";
    assert!(fault(&format!("{text}{public}")).contains("everybody could read"));
}
