//! Every page with hostile values: whatever a name holds, it stays text.

use askama::Template;
use wardgate_shared::redirect_uri::RegisteredRedirectUri;
use wardgate_shared::scope::ScopeSet;

use super::documentation::{ErrorCodePage, ErrorCodesPage, ErrorExplanation};
use super::form_post::FormPostPage;
use super::{
    AccountFrame, AccountPage, AddPasskeyPage, AppEntry, AppsPage, ClientCard, ConsentPage, DeviceCodePage,
    DeviceConsentPage, DeviceDonePage, DeviceEntry, DevicesPage, EndSessionPage, EnrolmentPage, ErrorPage,
    FactorEntry, FactorWay, FactorsPage, FormTargets, LandingPage, Moment, OnwardLink, OtherWay, PasskeyForm,
    ProblemField, ProviderProblemPage, RecordInContext, SecondFactorPage, SelectEncounterPage,
    SelectPatientPage, SentCodePage, SessionEntry, SessionsPage, SignInPage, SignOutForm, SignOutPage,
    TelephonePage, form_post, page, permissions,
};

use crate::domain::factor::FactorKind;
use crate::domain::session::AuthenticationMethod;
use crate::fhir::{PatientQuery, Summary};
use crate::passkeys::Offer;
use crate::testing::START;

const HOSTILE: &str = "\"><script>alert(1)</script><img src=x onerror='x'>&amp;\u{202e}";

/// Links as no validator lets them pass.
const HOSTILE_LINKS: ClientCard<'static> = ClientCard {
    logo: None,
    policy: Some(HOSTILE),
    terms: Some(HOSTILE),
    registered_itself: true,
};

#[track_caller]
fn is_harmless(template: &impl Template) {
    let html = template.render().unwrap();
    assert!(html.starts_with("<!doctype html>"));
    for forbidden in ["<script", "<img", "onerror='", "style=\"", "javascript:"] {
        assert!(!html.contains(forbidden), "{forbidden} in {html}");
    }
    for wanted in ["<html lang=\"en\">", "<meta name=\"viewport\"", "<h1>", "</main>"] {
        assert!(html.contains(wanted), "no {wanted} in {html}");
    }
    assert!(
        html.contains("&#62;&#60;script") || html.contains("&gt;&lt;script"),
        "{html}"
    );
}

#[test]
fn hostile_values_stay_text_on_every_page() {
    is_harmless(&SignInPage {
        client_name: Some(HOSTILE),
        card: HOSTILE_LINKS,
        carried: Some((HOSTILE, HOSTILE)),
        start: HOSTILE,
        asks_password: true,
        local: true,
        form_token: HOSTILE,
        email: HOSTILE,
        problem: Some(HOSTILE),
        passkey: None,
    });
    let permissions = permissions(
        &ScopeSet::parse("x><script>alert(1)</script> patient/*.rs").unwrap(),
        RecordInContext::OfPatient,
    );
    is_harmless(&ConsentPage {
        client_name: HOSTILE,
        card: HOSTILE_LINKS,
        permissions: &permissions,
        patient: Some(HOSTILE),
        encounter: Some(HOSTILE),
        chosen: true,
        resources: &[HOSTILE],
        destination: HOSTILE,
        request: HOSTILE,
        form_token: HOSTILE,
        user_name: HOSTILE,
        user_email: HOSTILE,
    });
    let query = PatientQuery {
        name: HOSTILE.into(),
        birthdate: HOSTILE.into(),
        identifier: HOSTILE.into(),
    };
    let found = [Summary {
        id: HOSTILE.into(),
        title: HOSTILE.into(),
        details: HOSTILE.into(),
    }];
    is_harmless(&SelectPatientPage {
        client_name: HOSTILE,
        query: &query,
        found: Some(&found),
        request: HOSTILE,
        form_token: HOSTILE,
        problem: Some(HOSTILE),
        user_name: HOSTILE,
        user_email: HOSTILE,
    });
    is_harmless(&SelectEncounterPage {
        client_name: HOSTILE,
        patient: Some(HOSTILE),
        found: Some(&found),
        request: HOSTILE,
        form_token: HOSTILE,
        problem: Some(HOSTILE),
        user_name: HOSTILE,
        user_email: HOSTILE,
    });
    is_harmless(&DeviceCodePage {
        user_code: HOSTILE,
        form_token: HOSTILE,
        problem: Some(HOSTILE),
        user_name: HOSTILE,
        user_email: HOSTILE,
    });
    is_harmless(&DeviceConsentPage {
        client_name: HOSTILE,
        card: HOSTILE_LINKS,
        permissions: &permissions,
        resources: &[HOSTILE],
        user_code: HOSTILE,
        form_token: HOSTILE,
        user_name: HOSTILE,
        user_email: HOSTILE,
    });
    for allowed in [true, false] {
        is_harmless(&DeviceDonePage {
            client_name: HOSTILE,
            allowed,
        });
    }
    is_harmless(&ErrorPage {
        happened: HOSTILE,
        advice: HOSTILE,
    });
    is_harmless(&LandingPage {
        issuer: HOSTILE,
        user_name: Some(HOSTILE),
        administers: true,
    });
    is_harmless(&SignOutPage {
        form: Some(SignOutForm {
            user_name: HOSTILE,
            form_token: HOSTILE,
        }),
        provider: None,
        onward: None,
    });
    is_harmless(&SignOutPage {
        form: None,
        provider: Some(HOSTILE),
        onward: Some(OnwardLink {
            client_name: HOSTILE,
            url: HOSTILE,
            sealed: HOSTILE,
        }),
    });
    is_harmless(&ProviderProblemPage {
        name: Some(HOSTILE),
        happened: HOSTILE,
        advice: HOSTILE,
        again: HOSTILE,
        local: Some(HOSTILE),
    });
    is_harmless(&EndSessionPage {
        client_name: Some(HOSTILE),
        user_name: HOSTILE,
        form_token: HOSTILE,
        fields: &[("state", HOSTILE)],
    });
    let frame = AccountFrame {
        user_name: HOSTILE,
        user_email: HOSTILE,
        path: HOSTILE,
    };
    let moment = Moment::at(START);
    is_harmless(&AccountPage {
        frame,
        signed_in: moment,
        methods: &AuthenticationMethod::ALL,
        has_password: true,
    });
    let session = SessionEntry {
        id: HOSTILE,
        is_this: false,
        browser: Some(HOSTILE),
        system: Some(HOSTILE),
        user_agent: Some(HOSTILE),
        address: None,
        signed_in: moment,
        methods: &AuthenticationMethod::ALL,
        last_seen: moment,
    };
    is_harmless(&SessionsPage {
        frame,
        done: Some(HOSTILE),
        sessions: &[session, session],
        form_token: HOSTILE,
    });
    let app = AppEntry {
        client_id: HOSTILE,
        name: HOSTILE,
        permissions: permissions.clone(),
        resources: vec![HOSTILE],
        allowed: Some(moment),
        is_at_work: true,
        works_offline: true,
    };
    is_harmless(&AppsPage {
        frame,
        done: Some(HOSTILE),
        apps: &[app],
        form_token: HOSTILE,
    });
    let entry = ErrorExplanation {
        code: HOSTILE,
        happened: HOSTILE,
        why: &[HOSTILE],
        next: &[HOSTILE],
        specification: HOSTILE,
    };
    is_harmless(&ErrorCodesPage { entries: &[entry] });
    is_harmless(&ErrorCodePage {
        entry: &entry,
        issuer: HOSTILE,
    });
}

#[test]
fn hostile_names_of_factors_and_devices_stay_text() {
    let frame = AccountFrame {
        user_name: HOSTILE,
        user_email: HOSTILE,
        path: "/account/factors",
    };
    let factors = FactorKind::ALL.map(|kind| FactorEntry {
        id: HOSTILE,
        kind,
        name: HOSTILE,
        added: Moment::at(START),
        last_used: Some(Moment::at(START)),
    });
    is_harmless(&FactorsPage {
        frame,
        done: Some(HOSTILE),
        problem: Some(HOSTILE),
        factors: &factors,
        needs_one: false,
        recovery_codes: 2,
        offers: &FactorKind::ALL,
        form_token: HOSTILE,
    });
    is_harmless(&EnrolmentPage {
        offers: &FactorKind::ALL,
        client_name: Some(HOSTILE),
        card: HOSTILE_LINKS,
        carried: Some((HOSTILE, HOSTILE)),
        form_token: HOSTILE,
        user_email: HOSTILE,
        may_skip: true,
        has_one: true,
        problem: Some(HOSTILE),
    });
    is_harmless(&TelephonePage {
        carried: Some((HOSTILE, HOSTILE)),
        form_token: HOSTILE,
        phone: HOSTILE,
        back: HOSTILE,
        problem: Some(HOSTILE),
    });
    is_harmless(&SentCodePage {
        carried: Some((HOSTILE, HOSTILE)),
        form_token: HOSTILE,
        factor: HOSTILE,
        hint: HOSTILE,
        minutes: 10,
        name: HOSTILE,
        remember: true,
        other_number: HOSTILE,
        problem: Some(HOSTILE),
        about: ProblemField::Form,
    });
    for awaits_code in [false, true] {
        is_harmless(&SecondFactorPage {
            client_name: Some(HOSTILE),
            card: HOSTILE_LINKS,
            carried: Some((HOSTILE, HOSTILE)),
            start: HOSTILE,
            form_token: HOSTILE,
            user_email: HOSTILE,
            way: FactorWay::Telephone {
                hint: HOSTILE,
                awaits_code,
            },
            way_id: HOSTILE,
            others: &[OtherWay {
                name: Some(HOSTILE),
                path: HOSTILE.into(),
            }],
            remember: true,
            problem: Some(HOSTILE),
        });
    }
    is_harmless(&DevicesPage {
        frame,
        done: Some(HOSTILE),
        devices: &[DeviceEntry {
            id: HOSTILE,
            label: HOSTILE,
            is_this: true,
            last_factor: Moment::at(START),
            last_seen: Moment::at(START),
        }],
        form_token: HOSTILE,
    });
}

#[test]
fn the_page_that_posts_itself_runs_its_own_script_and_no_other() {
    let html = FormPostPage::new(HOSTILE, &[("state", HOSTILE)])
        .render()
        .unwrap();
    assert_eq!(html.matches("<script").count(), 1, "{html}");
    assert!(html.contains("<script>document.forms[0].submit();</script>"));
    assert!(!html.contains("<img") && html.contains("<button type=\"submit\">"));
    let target = RegisteredRedirectUri::parse("https://app.example/cb")
        .unwrap()
        .as_target();
    let response = form_post(&target, &[("state", HOSTILE)]).unwrap();
    // The digest as browsers compute it: printf document.forms[0].submit\(\)\; | openssl dgst -sha256 -binary | base64
    assert_eq!(
        response.headers()[http::header::CONTENT_SECURITY_POLICY],
        "default-src 'none'; style-src 'self'; script-src 'sha256-8lDeP0UDwCO6/RhblgeH/ctdBzjVpJxrXizsnIk3cEQ='; \
         form-action 'self' https://app.example; base-uri 'none'; frame-ancestors 'none'"
    );
}

#[test]
fn a_logo_is_one_picture_whatever_its_address_holds() {
    let html = SignInPage {
        client_name: Some(HOSTILE),
        card: ClientCard {
            logo: Some(HOSTILE),
            ..ClientCard::default()
        },
        carried: None,
        start: "/login",
        asks_password: false,
        local: false,
        form_token: "t",
        email: "",
        problem: None,
        passkey: None,
    }
    .render()
    .unwrap();
    assert_eq!(html.matches("<img").count(), 1, "{html}");
    assert!(!html.contains("<script") && !html.contains("onerror='"), "{html}");
    assert!(html.contains("referrerpolicy=\"no-referrer\""));
}

#[test]
fn pages_with_passkeys_run_the_issuers_script_and_no_other() {
    let offer = Offer {
        options: HOSTILE.into(),
        ceremony: HOSTILE.into(),
    };
    let add = AddPasskeyPage {
        carried: Some((HOSTILE, HOSTILE)),
        remember: true,
        back: HOSTILE,
        passkey: Some(&offer),
        name: HOSTILE,
        form_token: HOSTILE,
        problem: Some(HOSTILE),
    };
    let sign_in = SignInPage {
        client_name: Some(HOSTILE),
        card: HOSTILE_LINKS,
        carried: Some((HOSTILE, HOSTILE)),
        start: HOSTILE,
        asks_password: false,
        local: false,
        form_token: HOSTILE,
        email: HOSTILE,
        problem: Some(HOSTILE),
        passkey: Some(PasskeyForm {
            action: HOSTILE,
            button: HOSTILE,
            options: HOSTILE,
            ceremony: HOSTILE,
            conditional: true,
        }),
    };
    for html in [add.render().unwrap(), sign_in.render().unwrap()] {
        assert_eq!(html.matches("<script").count(), 1, "{html}");
        assert!(html.contains("<script src=\"/static/passkeys.js\" defer></script>"));
        assert!(!html.contains("<img") && !html.contains("onerror='"), "{html}");
        let form = html.split("class=\"passkey\"").nth(1).unwrap();
        assert!(
            form.split('>').next().unwrap().ends_with(" hidden"),
            "shown by the script: {html}"
        );
    }
}

#[test]
fn every_input_has_a_label() {
    let html = SignInPage {
        client_name: None,
        card: ClientCard::default(),
        carried: None,
        start: "/login",
        asks_password: true,
        local: true,
        form_token: "t",
        email: "",
        problem: None,
        passkey: None,
    }
    .render()
    .unwrap();
    for input in ["email", "password"] {
        assert!(
            html.contains(&format!("<label for=\"{input}\">")) && html.contains(&format!("id=\"{input}\""))
        );
    }
    assert!(!html.contains("role=\"alert\""));
}

#[test]
fn a_page_carries_its_policy() {
    let response = page(
        &ErrorPage {
            happened: "x",
            advice: "y",
        },
        &FormTargets::none(),
    )
    .unwrap();
    let policy = response.headers()[http::header::CONTENT_SECURITY_POLICY]
        .to_str()
        .unwrap();
    assert_eq!(
        policy,
        "default-src 'none'; style-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    );
}

#[test]
fn a_passkey_that_is_refused_marks_no_field_of_the_sign_in_page() {
    let shown = |problem| {
        SignInPage {
            client_name: None,
            card: ClientCard::default(),
            carried: None,
            start: "/login",
            asks_password: false,
            local: false,
            form_token: "t",
            email: "",
            problem: Some(problem),
            passkey: None,
        }
        .render()
        .unwrap()
    };
    assert!(!shown(crate::login::passkey::REFUSED).contains("aria-invalid"));
    assert!(shown("Please fill in your e-mail address.").contains("aria-invalid=\"true\""));
}
