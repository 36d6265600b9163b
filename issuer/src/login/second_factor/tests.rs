//! Signing in with a second factor, as browsers do.

mod asked_again;
mod enrolment;
mod forced;
mod refusals;
mod sign_in;
mod telephones;

use super::totp::Seed;
use crate::administration::{Actor, factors};
use crate::domain::digest::SecretDigest;
use crate::domain::recovery_code;
use crate::domain::session::{AuthenticationMethod, Session};
use crate::domain::user::User;
use crate::web::testing::{Answer, Browser, Clinic, PASSWORD, PATIENT};

pub(super) const SESSION: &str = "__Host-wardgate_session";
const SIGN_IN: &str = "__Host-wardgate_sign_in";
const DEVICE: &str = "__Host-wardgate_device";
const HOUR: i64 = 3600;

impl Clinic {
    async fn user(&self, email: &str) -> User {
        self.issuer.store().user_by_email(email).await.unwrap().unwrap()
    }

    /// Gives the person an authenticator app.
    async fn add_app(&self, email: &str) -> Seed {
        let seed = Seed::generate().unwrap();
        let (state, user) = (&self.issuer.state, self.user(email).await);
        let (actor, named) = (Actor::operator(), (&seed, "My telephone"));
        let added = factors::add_app(
            state.store(),
            state.notices(),
            state.sealer(),
            &actor,
            &user,
            named,
            self.issuer.now(),
        );
        assert!(added.await.unwrap());
        seed
    }

    /// Gives the person one recovery code.
    async fn add_recovery_code(&self, email: &str) -> String {
        let code = recovery_code::encode([7; 10]).expose().clone();
        let digest = recovery_code::digest(&code).unwrap();
        let event = crate::domain::audit_event::AuditEvent::new(
            self.issuer.now(),
            crate::domain::audit_event::AuditAction::RecoveryCodes,
            crate::domain::audit_event::AuditOutcome::Success,
        );
        let user_id = self.user(email).await.id;
        // Codes are made in a session.
        let now = self.issuer.now();
        let session = Session {
            digest: SecretDigest::of("a session for codes"),
            id: "session-for-codes".into(),
            user_id: user_id.clone(),
            authenticated_at: now,
            methods: vec![AuthenticationMethod::Password],
            last_seen_at: now,
            request: None,
            user_agent: None,
            ip_address: None,
            second_factor_at: None,
            factor_request: None,
            device_id: None,
            expires_at: now.plus(60),
        };
        let (of, recorded) = (session.digest, event.clone());
        let begun = self.issuer.store().begin_session(session, None, recorded);
        begun.await.unwrap();
        let stored = self.issuer.store();
        let replaced = stored.replace_recovery_codes(&user_id, vec![digest], of, None, event);
        assert!(replaced.await.unwrap());
        code
    }

    /// A browser in which the person has shown their password, and the page that asks for more.
    async fn half_way(&self, email: &str) -> (Browser, String) {
        let browser = self.browser();
        let answer = browser.sign_in("/login", email, PASSWORD).await;
        let page = String::from(answer.location());
        assert!(page.starts_with("/login/mfa"), "{answer:?}");
        (browser, page)
    }
}

impl Browser {
    /// Answers the page of the second factor.
    async fn give(&self, page: &str, code: &str, remember: bool) -> Answer {
        let page = self.get(page).await;
        assert_eq!(page.status, http::StatusCode::OK, "{page:?}");
        self.give_on(&page, code, remember).await
    }

    async fn give_on(&self, page: &Answer, code: &str, remember: bool) -> Answer {
        let (token, way) = (page.field("form_token"), page.field("use"));
        let mut fields = vec![
            ("form_token", token.as_str()),
            ("use", way.as_str()),
            ("code", code),
        ];
        let shown = |name| {
            page.body
                .contains(&format!("name=\"{name}\" value="))
                .then(|| page.field(name))
        };
        let (request, next) = (shown("request"), shown("next"));
        fields.extend(request.as_deref().map(|request| ("request", request)));
        fields.extend(next.as_deref().map(|next| ("next", next)));
        if remember {
            fields.push(("remember", "yes"));
        }
        self.post("/login/mfa", &fields).await
    }

    /// Signs in with password and app.
    async fn sign_in_with(&self, clinic: &Clinic, seed: &Seed, remember: bool) {
        let answer = self.sign_in("/login", PATIENT, PASSWORD).await;
        let code = seed.code(clinic.issuer.now());
        let answer = self.give(answer.location(), &code, remember).await;
        assert_eq!(answer.location(), "/", "{answer:?}");
    }

    /// Whether somebody is signed in.
    async fn is_signed_in(&self) -> bool {
        self.get("/").await.body.contains("Pat Patient")
    }
}

/// A code that is not the one of this instant or near it.
fn wrong_code(clinic: &Clinic, seed: &Seed) -> String {
    let now = clinic.issuer.now();
    let right: Vec<String> = (-1..=1).map(|step| seed.code(now.plus(step * 30))).collect();
    let wrong = ["000000", "111111", "222222", "333333"];
    let wrong = wrong.iter().find(|code| !right.contains(&String::from(**code)));
    String::from(*wrong.unwrap())
}
