//! The store as its callers see it, over a real file.

mod authorization;
mod concurrency;
mod connected_apps;
mod durability;
mod faults;
mod logout_notifications;
mod migrations;
mod people;
mod purge;
mod second_factors;
mod status_lists;
mod tokens;

use tempfile::TempDir;
use wardgate_shared::claims::LaunchContext;
use wardgate_shared::pkce::CodeChallenge;
use wardgate_shared::scope::ScopeSet;
use wardgate_shared::time::Timestamp;

use super::{Approval, PresentedRefreshToken, Store};
use crate::config::DatabaseConfig;
use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::authentication_context::RequestedContext;
use crate::domain::authorization_code::AuthorizationCode;
use crate::domain::authorization_request::{AuthorizationRequest, ResponseMode};
use crate::domain::client::{Client, ClientAuthentication, GrantType};
use crate::domain::digest::SecretDigest;
use crate::domain::grant::{AccessTokenRecord, Grant, RefreshToken};
use crate::domain::launch::{LaunchParameters, LaunchedContext, RequestContext};
use crate::domain::person_claim::{AskedClaims, PersonClaim};
use crate::domain::session::{AuthenticationMethod, Session};
use crate::domain::status_list::StatusListEntry;
use crate::domain::user::User;
use crate::domain::user_agent::UserAgent;
use crate::testing::{self, AUDIENCE, START};
use crate::tokens::status_places::StatusPlaces;

const REDIRECT_URI: &str = "https://app.example.org/callback";

/// A store with one client (`app`) and one person.
struct TestStore {
    store: Store,
    client: Client,
    user: User,
    folder: TempDir,
}

impl TestStore {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&database(&folder), &testing::sealer(), START).unwrap();
        let client = testing::client(
            "app",
            ClientAuthentication::Public,
            &[GrantType::AuthorizationCode, GrantType::RefreshToken],
            &[REDIRECT_URI],
            "openid patient/*.rs offline_access online_access",
        );
        let user = testing::user("ada@example.org");
        let _ = store
            .insert_client(client.clone(), audit(AuditAction::ClientRegistration))
            .await
            .unwrap();
        let _ = store
            .insert_user(user.clone(), audit(AuditAction::UserCreation))
            .await
            .unwrap();
        Self {
            store,
            client,
            user,
            folder,
        }
    }

    fn grant(&self, id: &str) -> Grant {
        Grant {
            id: id.into(),
            client_id: self.client.client_id.clone(),
            user_id: self.user.id.clone(),
            subject: "sub-of-ada".into(),
            scope: ScopeSet::parse("openid patient/*.rs offline_access").unwrap(),
            claims: asked_claims(),
            audiences: vec![AUDIENCE.into()],
            launch_context: LaunchContext {
                patient_id: Some("p-1".into()),
                encounter_id: Some("e-1".into()),
            },
            launch_parameters: LaunchParameters {
                intent: Some("order-review".into()),
                ..LaunchParameters::default()
            },
            authenticated_at: START.minus(5),
            methods: vec![AuthenticationMethod::Password],
            nonce: Some("n-1".into()),
            session: Some(digest("session")),
            session_id: Some("session-1".into()),
            created_at: START,
            ended_at: None,
        }
    }

    fn request(&self, secret: &str) -> AuthorizationRequest {
        AuthorizationRequest {
            digest: digest(secret),
            client_id: self.client.client_id.clone(),
            redirect_target: self.client.redirect_target(Some(REDIRECT_URI)).unwrap(),
            response_mode: ResponseMode::FormPost,
            redirect_uri_given: true,
            scope: ScopeSet::parse("openid patient/*.rs").unwrap(),
            state: Some("state ü&=".into()),
            nonce: Some("n-1".into()),
            challenge: Some(challenge()),
            dpop_jkt: None,
            audiences: vec![AUDIENCE.into()],
            authenticated_after: Some(START.minus(1)),
            consent_forced: true,
            prompt_none: true,
            login_hint: Some("ada@example.org".into()),
            pushed_until: None,
            claims: asked_claims(),
            hinted_user_id: Some("user-ada".into()),
            requested_context: RequestedContext::of(["phr"], true),
            launch: None,
            context: RequestContext {
                launched: Some(LaunchedContext {
                    patient_id: Some("p-1".into()),
                    ..LaunchedContext::default()
                }),
                chosen: None,
            },
            expires_at: START.plus(600),
        }
    }

    fn session(&self, secret: &str) -> Session {
        Session {
            digest: digest(secret),
            id: format!("session-{secret}"),
            user_id: self.user.id.clone(),
            authenticated_at: START,
            methods: vec![AuthenticationMethod::Password],
            last_seen_at: START,
            request: None,
            user_agent: UserAgent::clean("A browser/1.0"),
            ip_address: Some([192, 0, 2, 7].into()),
            second_factor_at: None,
            factor_request: None,
            device_id: None,
            expires_at: START.plus(43_200),
        }
    }

    /// Stores a code of a new grant, as if its person had just agreed.
    async fn approve(&self, secret: &str, grant: Grant) {
        let request = digest(&format!("request for {secret}"));
        let waiting = AuthorizationRequest {
            digest: request,
            ..self.request("")
        };
        self.store.insert_authorization_request(waiting).await.unwrap();
        let code = authorization_code(secret, grant);
        let approved = self
            .store
            .approve_authorization(&request, code, None, Vec::new(), START)
            .await;
        assert_eq!(approved, Ok(Approval::Approved));
    }

    /// Stores a grant that was redeemed: refresh token `secret`, access token `at-{secret}`.
    async fn redeemed(&self, secret: &str, grant: Grant) {
        let grant_id = grant.id.clone();
        let code = format!("code for {secret}");
        self.approve(&code, grant).await;
        let access = access(&format!("at-{secret}"), Some(&grant_id));
        let redeemed = self
            .store
            .redeem_code(
                &digest(&code),
                Some(refresh(secret, &grant_id)),
                access,
                START,
                audit(AuditAction::TokenRequest),
            )
            .await;
        assert_eq!(
            redeemed.unwrap(),
            crate::domain::authorization_code::CodeRedemption::Redeemed
        );
    }

    async fn is_live(&self, token_id: &str) -> bool {
        self.store
            .is_access_token_live(token_id, START.plus(1))
            .await
            .unwrap()
    }

    /// Whether the refresh token of this name could be exchanged.
    async fn is_refreshable(&self, token: &str, seconds: i64) -> bool {
        self.store
            .is_refresh_token_live(&digest(token), later(seconds))
            .await
            .unwrap()
    }

    /// How many events of this action were recorded.
    async fn count(&self, action: AuditAction) -> usize {
        let events = self.store.audit_events(1000).await.unwrap();
        events.iter().filter(|event| event.action == action).count()
    }

    /// A second connection to the same file, as another process would have.
    fn connection(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(database(&self.folder).path).unwrap()
    }
}

fn database(folder: &TempDir) -> DatabaseConfig {
    DatabaseConfig {
        path: folder.path().join("wardgate.db"),
        readers: 2,
    }
}

/// A code that is good for a minute.
fn authorization_code(secret: &str, grant: Grant) -> AuthorizationCode {
    AuthorizationCode {
        digest: digest(secret),
        grant,
        redirect_uri: REDIRECT_URI.into(),
        redirect_uri_given: true,
        challenge: Some(challenge()),
        dpop_jkt: None,
        expires_at: START.plus(60),
    }
}

fn digest(secret: &str) -> SecretDigest {
    SecretDigest::of(secret)
}

fn asked_claims() -> AskedClaims {
    AskedClaims {
        userinfo: [PersonClaim::Name, PersonClaim::FhirUser].into(),
        id_token: [PersonClaim::Email].into(),
    }
}

/// RFC 7636 appendix B.
fn challenge() -> CodeChallenge {
    CodeChallenge::from_encoded("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM").unwrap()
}

fn audit(action: AuditAction) -> AuditEvent {
    AuditEvent::new(START, action, AuditOutcome::Success)
}

fn refresh(secret: &str, grant_id: &str) -> RefreshToken {
    RefreshToken {
        digest: digest(secret),
        grant_id: grant_id.into(),
        issued_at: START,
        expires_at: START.plus(2_592_000),
        rotated_at: None,
        replaced_at: None,
        dpop_jkt: None,
    }
}

/// The refresh token of this name, as a client with this grace presents it.
fn presented(secret: &str, grace_seconds: i64) -> PresentedRefreshToken {
    PresentedRefreshToken {
        digest: digest(secret),
        grace_seconds,
    }
}

fn access(token_id: &str, grant_id: Option<&str>) -> AccessTokenRecord {
    AccessTokenRecord {
        token_id: token_id.into(),
        client_id: "app".into(),
        grant_id: grant_id.map(String::from),
        user_id: None,
        status: place(),
        expires_at: START.plus(3600),
        revoked_at: None,
        proof: None,
    }
}

/// A place that no other token of the process has.
fn place() -> StatusListEntry {
    static PLACES: StatusPlaces = StatusPlaces::new(3600);
    PLACES.next(START.plus(3600), START).unwrap()
}

/// An instant after [`START`].
fn later(seconds: i64) -> Timestamp {
    START.plus(seconds)
}
