use wardgate_shared::secret::Secret;

use super::{Binding, PasskeyRefusal, Passkeys};
use crate::config::PublicUrl;
use crate::domain::passkey::CEREMONY_SECONDS;
use crate::testing::START;

fn passkeys(public_url: &str) -> Passkeys {
    Passkeys::new(&PublicUrl::parse(public_url).unwrap(), Secret::new([7; 32]))
}

#[test]
fn a_name_can_have_passkeys_and_an_address_cannot() {
    for url in [
        "https://id.example.org",
        "https://id.example.org:8443",
        "http://localhost:8788",
    ] {
        assert!(passkeys(url).are_possible(), "{url}");
    }
    for url in ["https://[2001:db8::1]", "http://127.0.0.1:8788"] {
        let none = passkeys(url);
        assert!(!none.are_possible(), "{url}");
        assert!(
            none.begin_use(&[], &Binding::SignIn("wgf_1"), START)
                .unwrap()
                .is_none()
        );
    }
}

#[test]
fn what_a_browser_is_asked_names_host_time_and_verification_and_nobody() {
    let offer = passkeys("https://id.example.org:8443")
        .begin_use(&[], &Binding::SignIn("wgf_1"), START)
        .unwrap()
        .unwrap();
    let options: serde_json::Value = serde_json::from_str(&offer.options).unwrap();
    assert_eq!(options["rpId"], "id.example.org");
    assert_eq!(options["timeout"], CEREMONY_SECONDS * 1000);
    assert_eq!(options["userVerification"], "required");
    assert_eq!(options["allowCredentials"], serde_json::json!([]));
}

#[test]
fn a_ceremony_opens_for_its_own_browser_purpose_and_time_only() {
    let passkeys = passkeys("https://id.example.org");
    let own = Binding::SignIn("wgf_1");
    let offer = passkeys.begin_use(&[], &own, START).unwrap().unwrap();
    let open = |text: &str, binding, seconds| {
        let opened = passkeys.open(text, &binding, START.plus(seconds));
        opened.map(|open| open.answered.expires_at)
    };
    let end = START.plus(CEREMONY_SECONDS);
    assert_eq!(open(&offer.ceremony, own, CEREMONY_SECONDS - 1), Ok(end));
    assert_eq!(
        open(&offer.ceremony, own, CEREMONY_SECONDS),
        Err(PasskeyRefusal::Expired)
    );
    for other in [
        Binding::SignIn("wgf_2"),
        Binding::SecondFactor("wgf_1"),
        Binding::Registration("wgf_1"),
    ] {
        assert_eq!(
            open(&offer.ceremony, other, 0),
            Err(PasskeyRefusal::Foreign),
            "{other:?}"
        );
    }
    let mut changed = offer.ceremony.clone();
    changed.replace_range(
        40..41,
        if changed.get(40..41) == Some("A") {
            "B"
        } else {
            "A"
        },
    );
    for text in ["", "AAAA", "!", &changed] {
        assert_eq!(open(text, own, 0), Err(PasskeyRefusal::Foreign), "{text}");
    }
    let others = Passkeys::new(
        &PublicUrl::parse("https://id.example.org").unwrap(),
        Secret::new([8; 32]),
    );
    assert!(others.open(&offer.ceremony, &own, START).is_err());
}
