//! A clinic whose people sign in at providers that say whatever a test wants.

mod arrival;
mod departure;
mod faults;
mod people;
mod presets;
mod sign_out;
mod slow;

use serde_json::{Value, json};

use crate::config::Config;
use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::single_sign_on::{
    ClientCredential, Connection, ConnectionDomain, ConnectionSettings, DomainName, DomainVerification,
    MfaAttestation, Preset, UnknownPeople,
};
use crate::rng;
use crate::single_sign_on::discovery;
use crate::store::{ConnectionChange, Insertion};
use crate::testing::{FakeProvider, START};
use crate::web::testing::{Answer, Browser, Clinic};

/// Somebody with an account and a password here.
pub(super) const PATIENT: &str = crate::web::testing::PATIENT;
/// The domain of everybody in the clinic.
pub(super) const DOMAIN: &str = "example.org";
pub(super) const CLIENT_ID: &str = "wardgate-at-provider";
pub(super) const CLIENT_SECRET: &str = "s3cret / of+wardgate";
pub(super) const CODE: &str = "a-code";
pub(super) const CALLBACK: &str = "/login/sso/callback";

/// A clinic and its provider.
pub(super) struct Realm {
    pub(super) clinic: Clinic,
    pub(super) provider: FakeProvider,
    /// The connection's id.
    pub(super) id: String,
}

/// A browser that was sent to the provider.
pub(super) struct Traveller {
    pub(super) browser: Browser,
    /// Where it was sent.
    pub(super) sent: Answer,
    /// `state`.
    pub(super) state: String,
    /// `nonce`.
    pub(super) nonce: String,
}

impl Realm {
    /// A clinic whose domain has an enabled connection to a provider that behaves.
    pub(super) async fn open() -> Self {
        Self::with(|_| ()).await
    }

    /// The same, with changed settings.
    pub(super) async fn with(change: impl FnOnce(&mut ConnectionSettings)) -> Self {
        let clinic = Clinic::with_config(allow_loopback).await;
        let provider = FakeProvider::start().await;
        let mut settings = settings(&provider.issuer);
        change(&mut settings);
        let id = connect(&clinic, settings, DOMAIN).await;
        Self { clinic, provider, id }
    }

    pub(super) fn audit(&self, action: AuditAction) -> AuditEvent {
        AuditEvent::new(self.clinic.issuer.now(), action, AuditOutcome::Success)
    }

    /// A browser that typed this address at this page.
    pub(super) async fn typed(&self, browser: &Browser, page: &str, email: &str) -> Answer {
        let shown = browser.get(page).await;
        let token = shown.field("form_token");
        let mut fields = vec![("form_token", token.as_str()), ("email", email)];
        let hidden = |name: &str| {
            shown
                .body
                .contains(&format!("name=\"{name}\""))
                .then(|| shown.field(name))
        };
        let (request, next, local) = (hidden("request"), hidden("next"), hidden("local"));
        fields.extend(request.as_deref().map(|value| ("request", value)));
        fields.extend(next.as_deref().map(|value| ("next", value)));
        fields.extend(local.as_deref().map(|value| ("local", value)));
        browser.post("/login", &fields).await
    }

    /// A browser that is on its way to the provider.
    pub(super) async fn travel(&self, email: &str) -> Traveller {
        self.travel_from("/login", email).await
    }

    /// The same, from this page.
    pub(super) async fn travel_from(&self, page: &str, email: &str) -> Traveller {
        let browser = self.clinic.browser();
        let sent = self.typed(&browser, page, email).await;
        Traveller::of(browser, sent)
    }

    /// The claims of a good ID token for this traveller.
    pub(super) fn claims(&self, traveller: &Traveller, email: &str) -> Value {
        let now = self.clinic.issuer.now();
        let mut claims = self.provider.id_claims(CLIENT_ID, email, now);
        claims["nonce"] = traveller.nonce.as_str().into();
        claims["sub"] = format!("sub of {email}").into();
        claims
    }

    /// Lets the provider give this ID token for any code.
    pub(super) fn gives(&self, id_token: &str) {
        let body = json!({ "access_token": "x", "token_type": "Bearer", "id_token": id_token });
        self.provider.token(200, &body.to_string());
    }

    /// What follows when the traveller comes back with a code for which these claims are given.
    pub(super) async fn arrive(&self, traveller: &Traveller, claims: &Value) -> Answer {
        self.gives(&self.provider.sign(claims));
        self.come_back(traveller, &[]).await
    }

    /// What follows when the traveller comes back with a code; parameters are changed as [`crate::web::testing::changed`]
    /// does.
    pub(super) async fn come_back(&self, traveller: &Traveller, changes: &[(&str, Option<&str>)]) -> Answer {
        let parameters = vec![
            ("code", CODE),
            ("state", traveller.state.as_str()),
            ("iss", self.provider.issuer.as_str()),
        ];
        let query = crate::web::testing::form(&crate::web::testing::changed(parameters, changes));
        traveller.browser.get(&format!("{CALLBACK}?{query}")).await
    }

    /// Asserts that nobody was signed in, that a page says so, and why the trail says it was.
    #[track_caller]
    pub(super) fn is_refused(
        &self,
        traveller: &Traveller,
        answer: &Answer,
        event: &AuditEvent,
        reason: &str,
    ) {
        assert!(
            answer.status.is_client_error() || answer.status.is_server_error(),
            "{answer:?}"
        );
        assert!(answer.body.contains("You are not signed in"), "{answer:?}");
        assert!(
            answer.body.contains("role=\"alert\"") && answer.body.contains("href=\"/login"),
            "{answer:?}"
        );
        assert_eq!(traveller.browser.cookie("__Host-wardgate_session"), None);
        let about = (reason != "sso_attempt_unknown").then_some(self.id.as_str());
        assert_eq!(event.object_id.as_deref(), about);
        assert_eq!(
            (event.action, event.outcome, event.reason.as_deref()),
            (AuditAction::SignIn, AuditOutcome::Failure, Some(reason)),
            "{answer:?}"
        );
    }

    /// Comes back with these claims, and asserts that it is refused for this reason.
    pub(super) async fn refuses(&self, claims: impl FnOnce(&mut Value), reason: &str) {
        let traveller = self.travel(PATIENT).await;
        let mut said = self.claims(&traveller, PATIENT);
        claims(&mut said);
        let answer = self.arrive(&traveller, &said).await;
        self.is_refused(&traveller, &answer, &self.clinic.last_audit().await, reason);
    }
}

impl Traveller {
    #[track_caller]
    pub(super) fn of(browser: Browser, sent: Answer) -> Self {
        Self {
            state: sent.sent("state").unwrap(),
            nonce: sent.sent("nonce").unwrap(),
            browser,
            sent,
        }
    }
}

pub(super) fn allow_loopback(config: &mut Config) {
    config.outbound.allow_loopback_http = true;
}

pub(crate) fn settings(issuer: &str) -> ConnectionSettings {
    ConnectionSettings {
        name: "Example Clinic".into(),
        preset: Preset::Generic,
        issuer: issuer.into(),
        client_id: CLIENT_ID.into(),
        credential: ClientCredential::Basic(Vec::new()),
        scopes: ["openid", "email", "profile"].map(String::from).into(),
        required_amr: Vec::new(),
        required_acr: Vec::new(),
        unknown_people: UnknownPeople::Refuse,
        default_role: None,
        role_rules: Vec::new(),
        grants_administration: false,
    }
}

/// Makes an enabled connection with this verified domain, its secret sealed, and gives its id.
pub(crate) async fn connect(clinic: &Clinic, mut settings: ConnectionSettings, domain: &str) -> String {
    let (state, now) = (&clinic.issuer.state, clinic.issuer.now());
    let id = rng::identifier("sso-").unwrap();
    let sealed = state
        .sealer()
        .seal(CLIENT_SECRET.as_bytes(), &Connection::secret_context(&id))
        .unwrap();
    settings.credential = match settings.credential {
        ClientCredential::None => ClientCredential::None,
        ClientCredential::Basic(_) => ClientCredential::Basic(sealed),
        ClientCredential::Post(_) => ClientCredential::Post(sealed),
    };
    // The presets' own issuers cannot be had here: a provider on this machine stands for them.
    let asked = ConnectionSettings {
        preset: Preset::Generic,
        ..settings.clone()
    };
    let provider = discovery::discover(state.outbound(), &state.config().outbound, &asked)
        .await
        .unwrap();
    let connection = Connection {
        id: id.clone(),
        settings,
        provider,
        checked_at: now,
        refresh_at: now.plus(3600),
        mfa_attestation: Some(MfaAttestation {
            at: now,
            by: "cli".into(),
        }),
        enabled: true,
        created_at: now,
    };
    let audit = |action| AuditEvent::new(START, action, AuditOutcome::Success);
    let inserted = state
        .store()
        .insert_sso_connection(connection, audit(AuditAction::SsoConnectionCreation))
        .await;
    assert_eq!(inserted, Ok(Insertion::Inserted));
    add_domain(clinic, &id, domain).await;
    id
}

/// Claims and verifies a domain for a connection.
pub(super) async fn add_domain(clinic: &Clinic, id: &str, domain: &str) {
    let (store, now) = (clinic.issuer.store(), clinic.issuer.now());
    let domain = DomainName::parse(domain).unwrap();
    let claimed = ConnectionDomain {
        connection_id: id.into(),
        domain: domain.clone(),
        token: "token".into(),
        verified: None,
        created_at: now,
    };
    let audit = AuditEvent::new(now, AuditAction::SsoDomainChange, AuditOutcome::Success);
    assert_eq!(
        store.insert_sso_domain(claimed, audit.clone()).await,
        Ok(Insertion::Inserted)
    );
    let verified = store
        .verify_sso_domain(id, &domain, DomainVerification::Administrator, audit)
        .await;
    assert_eq!(verified, Ok(ConnectionChange::Done));
}
