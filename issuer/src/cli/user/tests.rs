//! What may become an account.

use clap::Parser;

use super::AddUser;
use crate::administration::Actor;
use crate::cli::Failure;
use crate::domain::user::{User, UserType};
use crate::testing::{START, full_profile};

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    add: AddUser,
}

impl AddUser {
    /// The account that would be made, or what is said about the arguments.
    fn checked(&self) -> Result<User, String> {
        let new = self.account(START).map_err(|failure| failure.to_string())?;
        let checked = new.check(&Actor::operator(), START);
        checked.map_err(|error| Failure::from(error).to_string())
    }
}

fn user(arguments: &[&str]) -> Result<User, String> {
    let fixed = ["", "--email", "Ada@Example.org ", "--name", " Ada Ito "];
    Line::try_parse_from(fixed.iter().chain(arguments))
        .map_err(|error| error.to_string())?
        .add
        .checked()
}

#[test]
fn makes_an_account_with_a_normalised_address() {
    let user = user(&["--user-type", "patient", "--organization-id", "org-1"]).unwrap();
    assert_eq!(
        (user.email.as_str(), user.name.as_str()),
        ("ada@example.org", "Ada Ito")
    );
    assert!(user.id.starts_with("user-") && user.id.len() == 27);
    assert_eq!(
        (user.user_type, user.organization_id.as_deref()),
        (UserType::Patient, Some("org-1"))
    );
    assert!(user.password_hash.is_none() && user.is_active());
}

#[test]
fn the_practitioner_id_follows_from_the_fhir_user_unless_it_is_given() {
    let practitioner = |arguments: &[&str]| user(arguments).unwrap().practitioner_id;
    assert_eq!(
        practitioner(&["--fhir-user", "Practitioner/12"]).as_deref(),
        Some("12")
    );
    assert_eq!(
        practitioner(&["--fhir-user", "Practitioner/12", "--practitioner-id", "x"]).as_deref(),
        Some("x")
    );
    assert_eq!(practitioner(&["--fhir-user", "Patient/12"]), None);
    assert_eq!(practitioner(&[]), None);
}

#[test]
fn a_profile_comes_from_a_file_and_is_checked() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("profile.json");
    let read = |text: &str| {
        std::fs::write(&path, text).unwrap();
        user(&["--profile", path.to_str().unwrap()]).map(|user| user.profile)
    };
    let whole = full_profile();
    assert_eq!(
        serde_json::to_value(read(&whole.to_string()).unwrap()).unwrap(),
        whole
    );
    // Without a time of its own it was last changed now, like an account without a profile.
    assert_eq!(
        read(r#"{"gender":"female"}"#).unwrap().updated_at,
        Some(START.seconds())
    );
    assert_eq!(user(&[]).unwrap().profile.updated_at, Some(START.seconds()));
    for (text, member) in [
        ("x", "JSON object"),
        (r#"{"birthdate":"tomorrow"}"#, "birthdate"),
        (r#"{"shoe_size":43}"#, "shoe_size"),
    ] {
        let refused = read(text).unwrap_err();
        assert!(
            refused.starts_with("--profile") && refused.contains(member),
            "{refused}"
        );
    }
    let missing = user(&["--profile", "/nonexistent/profile.json"]).unwrap_err();
    assert!(missing.contains("cannot be read"), "{missing}");
}

#[test]
fn refuses_what_cannot_be() {
    for (arguments, flag) in [
        (["--email", "ada"], "--email"),
        (["--email", "@example.org"], "--email"),
        (["--email", "ada@"], "--email"),
        (["--email", "a@b@c"], "--email"),
        (["--email", "a b@example.org"], "--email"),
        (["--name", " "], "--name"),
        (["--name", "a\u{1b}b"], "--name"),
        (["--fhir-user", "Device/1"], "--fhir-user"),
        (["--fhir-user", "Patient/"], "--fhir-user"),
        (["--fhir-user", "Patient/1/_history/2"], "--fhir-user"),
        (["--practitioner-id", "a/b"], "--practitioner-id"),
        (["--organization-id", ""], "--organization-id"),
        (["--user-type", "Patient"], "--user-type"),
    ] {
        // A later value replaces an earlier one only where the flag may repeat, so the fixed arguments are replaced.
        let mut line = vec!["", "--email", "ada@example.org", "--name", "Ada"];
        match line.iter().position(|word| *word == arguments[0]) {
            Some(position) => line[position + 1] = arguments[1],
            None => line.extend(arguments),
        }
        let refused = Line::try_parse_from(line)
            .ok()
            .unwrap()
            .add
            .checked()
            .unwrap_err();
        assert!(refused.starts_with(flag), "{arguments:?}: {refused}");
    }
}
