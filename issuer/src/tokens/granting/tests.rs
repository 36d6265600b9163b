use wardgate_shared::redirect_uri::RegisteredRedirectUri;
use wardgate_shared::scope::ScopeSet;
use wardgate_shared::time::Timestamp;

use super::{for_client_itself, for_person, for_refresh, for_request};
use crate::domain::client::{Client, ClientAuthentication, ClientMetadata, GrantType};
use crate::domain::user::{Profile, User, UserType};
use crate::tokens::launch_context::KnownContext;

fn set(text: &str) -> ScopeSet {
    if text.is_empty() {
        ScopeSet::empty()
    } else {
        ScopeSet::parse(text).unwrap()
    }
}

fn client(scope: &str) -> Client {
    Client {
        client_id: "app".into(),
        name: "App".into(),
        authentication: ClientAuthentication::Public,
        grant_types: GrantType::ALL.to_vec(),
        redirect_uris: vec![RegisteredRedirectUri::parse("https://app.example/cb").unwrap()],
        post_logout_redirect_uris: Vec::new(),
        scope: set(scope),
        pkce_required: true,
        push_required: false,
        metadata: ClientMetadata::default(),
        registered_itself: false,
        created_at: Timestamp::from_seconds(0),
    }
}

fn user(fhir_user: Option<&str>) -> User {
    User {
        id: "user-1".into(),
        email: "a@example.org".into(),
        name: "A".into(),
        password_hash: None,
        user_type: UserType::Builder,
        role: None,
        fhir_user: fhir_user.map(String::from),
        practitioner_id: None,
        organization_id: None,
        profile: Profile::default(),
        created_at: Timestamp::from_seconds(0),
        deactivated_at: None,
    }
}

const EVERYTHING: &str = "openid fhirUser profile email address phone launch launch/patient launch/encounter \
                          patient/*.cruds user/*.cruds system/*.cruds observation.* offline_access online_access api:x";

#[track_caller]
fn person_gives(fhir_user: Option<&str>, requested: &str, expected: &str, patient: Option<&str>) {
    let user = user(fhir_user);
    let grantable = for_person(
        &for_request(&set(requested), &client(EVERYTHING)),
        &user,
        &KnownContext::own(&user),
    );
    assert_eq!(grantable.scope.to_string(), expected);
    assert_eq!(grantable.launch_context.patient_id.as_deref(), patient);
}

// SMART-21
#[test]
fn a_patient_gives_their_own_record() {
    let requested = "launch/patient openid fhirUser offline_access patient/*.read observation/*.read";
    person_gives(Some("Patient/7"), requested, requested, Some("7"));
}

// SMART-21
#[test]
fn somebody_else_has_no_patient_in_context() {
    person_gives(
        Some("Practitioner/3"),
        "launch/patient openid patient/*.read user/*.rs",
        "openid user/*.rs",
        None,
    );
    person_gives(Some("Practitioner/3"), "patient/*.read", "", None);
}

// SMART-55
#[test]
fn fhir_user_needs_a_fhir_resource() {
    person_gives(None, "openid fhirUser", "openid", None);
    person_gives(Some("Practitioner/3"), "openid fhirUser", "openid fhirUser", None);
}

#[test]
fn the_short_form_fixes_the_patient_where_there_is_one() {
    person_gives(
        Some("Patient/7"),
        "observation.read",
        "observation.read",
        Some("7"),
    );
    person_gives(
        Some("Practitioner/3"),
        "observation.read",
        "observation.read",
        None,
    );
}

#[test]
fn no_context_is_fixed_that_nobody_asked_for() {
    person_gives(Some("Patient/7"), "openid user/*.rs", "openid user/*.rs", None);
}

#[test]
fn scopes_with_nothing_behind_them_are_dropped() {
    person_gives(
        Some("Patient/7"),
        "openid profile email address phone launch launch/encounter",
        "openid profile email address phone",
        None,
    );
}

#[test]
fn a_person_cannot_give_system_scopes() {
    person_gives(
        Some("Patient/7"),
        "system/*.read user/Patient.rs",
        "user/Patient.rs",
        None,
    );
}

#[test]
fn nothing_beyond_the_registration_is_given() {
    let narrow_client = client("openid patient/Observation.rs");
    assert_eq!(
        for_request(
            &set("openid patient/*.read patient/Observation.read fhirUser"),
            &narrow_client
        )
        .to_string(),
        "openid patient/Observation.read"
    );
}

#[test]
fn a_client_itself_gets_no_person_s_scopes() {
    let granted = for_client_itself(Some(&set(EVERYTHING)), &client(EVERYTHING));
    assert_eq!(granted.to_string(), "system/*.cruds observation.* api:x");
}

#[test]
fn a_client_that_names_nothing_gets_what_it_is_registered_for() {
    assert_eq!(
        for_client_itself(None, &client("system/*.read openid")).to_string(),
        "system/*.read"
    );
    assert!(for_client_itself(None, &client("openid patient/*.read")).is_empty());
}

#[test]
fn a_refresh_may_narrow_and_never_widen() {
    let granted = set("openid patient/*.rs offline_access");
    assert_eq!(for_refresh(None, &granted), Some(granted.clone()));
    assert_eq!(for_refresh(Some(&granted), &granted), Some(granted.clone()));
    assert_eq!(
        for_refresh(Some(&set("patient/*.rs")), &granted),
        Some(set("patient/*.rs"))
    );
    assert_eq!(
        for_refresh(Some(&set("patient/Patient.r")), &granted),
        Some(set("patient/Patient.r"))
    );
    assert_eq!(for_refresh(Some(&set("patient/*.cruds")), &granted), None);
    assert_eq!(for_refresh(Some(&set("openid fhirUser")), &granted), None);
}

#[test]
fn access_beyond_the_first_token_needs_the_refresh_token_grant() {
    let mut client = client(EVERYTHING);
    let requested = set("openid offline_access online_access");
    assert_eq!(for_request(&requested, &client), requested);
    client.grant_types = vec![GrantType::AuthorizationCode];
    assert_eq!(for_request(&requested, &client), set("openid"));
}
