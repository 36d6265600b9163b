use wardgate_shared::secret::Secret;

use super::{ConnectionError, ConnectionRequest, Tools, WayIn};
use crate::administration::{Actor, sso_connections};
use crate::domain::audit_event::AuditOutcome;
use crate::domain::role::{BUILDER_ADMIN, PATIENT};
use crate::domain::single_sign_on::{ClientCredential, Connection, DomainVerification, RoleRule};
use crate::outbound::{Dns, OneRecord};
use crate::single_sign_on::discovery::DiscoveryFault;
use crate::store::Store;
use crate::testing::{FakeProvider, TestIssuer};

struct Office {
    issuer: TestIssuer,
    provider: FakeProvider,
}

impl Office {
    async fn open() -> Self {
        Self {
            issuer: TestIssuer::with_config(|config| config.outbound.allow_loopback_http = true).await,
            provider: FakeProvider::start().await,
        }
    }

    fn store(&self) -> &Store {
        self.issuer.store()
    }

    fn tools(&self) -> Tools<'_> {
        Tools::of(&self.issuer.state)
    }

    fn request(&self, name: &str) -> ConnectionRequest {
        ConnectionRequest {
            name: Some(name.into()),
            issuer: Some(self.provider.issuer.clone()),
            client_id: Some("wardgate".into()),
            client_secret: Some(Secret::new("secret".into())),
            ..ConnectionRequest::default()
        }
    }

    async fn create(&self, request: &ConnectionRequest) -> Result<Connection, ConnectionError> {
        sso_connections::create(self.tools(), &Actor::operator(), request, self.issuer.now()).await
    }

    async fn enable(&self, id: &str) -> Result<Connection, ConnectionError> {
        sso_connections::enable(self.store(), &Actor::operator(), id, self.issuer.now()).await
    }

    async fn attest(&self, id: &str) -> Connection {
        let now = self.issuer.now();
        sso_connections::attest_mfa(self.store(), &Actor::operator(), id, now)
            .await
            .unwrap()
    }

    async fn override_domain(&self, id: &str, domain: &str) -> Result<(), ConnectionError> {
        let (store, now, operator) = (self.store(), self.issuer.now(), Actor::operator());
        sso_connections::add_domain(store, &operator, id, domain, now).await?;
        sso_connections::override_domain(store, &operator, id, domain, now)
            .await
            .map(drop)
    }

    async fn last_reason(&self) -> (Option<String>, Option<String>) {
        let event = self.store().audit_events(1).await.unwrap().remove(0);
        (event.reason.map(Into::into), event.object_id)
    }
}

#[tokio::test]
async fn a_connection_is_made_disabled_and_cannot_be_enabled_before_it_is_attested() {
    let office = Office::open().await;
    let made = office.create(&office.request("Clinic")).await.unwrap();
    assert!(!made.enabled && made.mfa_attestation.is_none());
    assert!(matches!(
        office.enable(&made.id).await,
        Err(ConnectionError::NotAttested)
    ));
    assert!(!office.store().has_sso().await.unwrap());
    assert_eq!(office.attest(&made.id).await.mfa_attestation.unwrap().by, "cli");
    assert_eq!(
        office.last_reason().await,
        (Some("mfa_attested".into()), Some(made.id.clone()))
    );
    assert!(office.enable("Clinic").await.unwrap().enabled, "by its name too");
    assert!(office.store().has_sso().await.unwrap());
}

#[tokio::test]
async fn the_secret_is_sealed_for_its_connection() {
    let office = Office::open().await;
    let made = office.create(&office.request("Clinic")).await.unwrap();
    let ClientCredential::Basic(sealed) = &made.settings.credential else {
        panic!("{made:?}");
    };
    assert!(!sealed.windows(6).any(|window| window == b"secret"));
    let context = Connection::secret_context(&made.id);
    assert_eq!(
        office
            .issuer
            .state
            .sealer()
            .open(sealed, &context)
            .unwrap()
            .as_slice(),
        b"secret"
    );
    assert!(
        office
            .issuer
            .state
            .sealer()
            .open(sealed, "sso client secret other")
            .is_err()
    );
}

/// Whether a fault is the one that was meant.
type Check = fn(&DiscoveryFault) -> bool;

#[tokio::test]
async fn a_provider_that_contradicts_the_connection_is_not_stored() {
    let office = Office::open().await;
    let good = office.provider.document();
    let cases: [(&str, serde_json::Value, Check); 9] = [
        ("issuer", "https://evil.example".into(), |fault| {
            matches!(fault, DiscoveryFault::AnotherIssuer(_))
        }),
        ("authorization_endpoint", "http://idp.example/a".into(), |fault| {
            matches!(fault, DiscoveryFault::Endpoint("authorization_endpoint", _))
        }),
        ("token_endpoint", "https://10.0.0.1/t".into(), |fault| {
            matches!(fault, DiscoveryFault::Endpoint("token_endpoint", _))
        }),
        ("jwks_uri", "javascript:alert(1)".into(), |fault| {
            matches!(fault, DiscoveryFault::Endpoint("jwks_uri", _))
        }),
        (
            "end_session_endpoint",
            "https://u:p@idp.example/".into(),
            |fault| matches!(fault, DiscoveryFault::Endpoint("end_session_endpoint", _)),
        ),
        ("response_types_supported", vec!["id_token"].into(), |fault| {
            matches!(fault, DiscoveryFault::ResponseType)
        }),
        (
            "code_challenge_methods_supported",
            vec!["plain"].into(),
            |fault| matches!(fault, DiscoveryFault::Pkce),
        ),
        (
            "token_endpoint_auth_methods_supported",
            vec!["private_key_jwt"].into(),
            |fault| {
                matches!(
                    fault,
                    DiscoveryFault::ClientAuthentication("client_secret_basic", _)
                )
            },
        ),
        (
            "id_token_signing_alg_values_supported",
            vec!["HS256"].into(),
            |fault| matches!(fault, DiscoveryFault::Algorithm(_)),
        ),
    ];
    for (member, value, is_expected) in cases {
        let mut document = good.clone();
        document[member] = value;
        office.provider.discovery(200, &[], &document.to_string());
        let refused = office.create(&office.request("Clinic")).await.unwrap_err();
        assert!(
            matches!(&refused, ConnectionError::Provider(fault) if is_expected(fault)),
            "{member}: {refused}"
        );
    }
    for (status, body) in [(200, "<html>"), (200, "{}"), (404, ""), (500, "")] {
        office.provider.discovery(status, &[], body);
        let refused = office.create(&office.request("Clinic")).await.unwrap_err();
        assert!(matches!(refused, ConnectionError::Provider(_)), "{refused}");
    }
    assert!(office.store().sso_connections().await.unwrap().is_empty());
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_by_name() {
    let office = Office::open().await;
    let request = || office.request("Clinic");
    let with = |change: fn(&mut ConnectionRequest)| {
        let mut request = request();
        change(&mut request);
        request
    };
    for (request, wanted) in [
        (with(|request| request.name = None), "name"),
        (with(|request| request.name = Some(" ".into())), "name"),
        (with(|request| request.issuer = None), "issuer"),
        (with(|request| request.preset = Some("azure".into())), "preset"),
        (with(|request| request.preset = Some("google".into())), "issuer"),
        (with(|request| request.preset = Some("entra_id".into())), "issuer"),
        (with(|request| request.tenant_id = Some("x".into())), "tenantId"),
        (with(|request| request.client_id = None), "clientId"),
        (
            with(|request| request.client_authentication = Some("none".into())),
            "clientAuthentication",
        ),
        (
            with(|request| request.scopes = Some(vec!["email".into()])),
            "scopes",
        ),
        (
            with(|request| request.scopes = Some(vec!["openid email".into()])),
            "scopes",
        ),
        (
            with(|request| request.required_amr = Some(vec!["m f a".into()])),
            "requiredAmr",
        ),
        (
            with(|request| request.unknown_people = Some("ask".into())),
            "unknownPeople",
        ),
        (
            with(|request| request.default_role = Some(Some("role-none".into()))),
            "defaultRoleId",
        ),
        (
            with(|request| request.default_role = Some(Some(BUILDER_ADMIN.into()))),
            "defaultRoleId",
        ),
        (
            with(|request| {
                request.role_rules = Some(vec![RoleRule {
                    claim: "groups".into(),
                    value: "admins".into(),
                    role: BUILDER_ADMIN.into(),
                }]);
            }),
            "roleRules",
        ),
    ] {
        let refused = office.create(&request).await.unwrap_err();
        assert!(
            matches!(&refused, ConnectionError::Invalid { field, .. } if *field == wanted),
            "{wanted}: {refused}"
        );
    }
    let may = with(|request| {
        request.default_role = Some(Some(BUILDER_ADMIN.into()));
        request.grants_administration = Some(true);
    });
    assert!(office.create(&may).await.is_ok());
    let again = office.create(&request()).await.unwrap_err();
    assert!(matches!(again, ConnectionError::Taken("name")), "{again}");
}

#[tokio::test]
async fn a_change_keeps_what_it_does_not_name_and_another_issuer_begins_anew() {
    let office = Office::open().await;
    let made = office.create(&office.request("Clinic")).await.unwrap();
    office.attest(&made.id).await;
    office.enable(&made.id).await.unwrap();
    let (operator, now) = (Actor::operator(), office.issuer.now());
    let change = |request: ConnectionRequest| {
        let (tools, operator, id) = (office.tools(), operator.clone(), made.id.clone());
        async move {
            sso_connections::change(tools, &operator, &id, &request, now)
                .await
                .unwrap()
        }
    };
    let changed = change(ConnectionRequest {
        unknown_people: Some("create".into()),
        default_role: Some(Some(PATIENT.into())),
        ..ConnectionRequest::default()
    })
    .await;
    assert!(changed.enabled);
    assert_eq!(changed.settings.credential, made.settings.credential);
    assert_eq!(changed.settings.default_role.as_deref(), Some(PATIENT));
    let second = FakeProvider::start().await;
    let moved = change(ConnectionRequest {
        issuer: Some(second.issuer.clone()),
        ..ConnectionRequest::default()
    })
    .await;
    assert!(!moved.enabled && moved.mfa_attestation.is_none());
    assert!(moved.provider.token_endpoint.starts_with(&second.issuer));
}

#[tokio::test]
async fn a_domain_is_verified_by_the_record_of_its_owner() {
    let office = Office::open().await;
    let made = office.create(&office.request("Clinic")).await.unwrap();
    let (store, operator, now) = (office.store(), Actor::operator(), office.issuer.now());
    let claimed = sso_connections::add_domain(store, &operator, &made.id, "Clinic.Example", now)
        .await
        .unwrap();
    assert_eq!(claimed.record_name(), "_wardgate.clinic.example");
    let verify = async |dns: &OneRecord| {
        sso_connections::verify_domain(
            store,
            &Dns::at(dns.address),
            &operator,
            &made.id,
            "clinic.example",
            now,
        )
        .await
    };
    for (name, text) in [
        ("_wardgate.clinic.example", "wardgate-domain-verification=another"),
        ("clinic.example", claimed.token.as_str()),
    ] {
        let wrong = OneRecord::start(name, &[text]).await;
        let refused = verify(&wrong).await.unwrap_err();
        assert!(matches!(refused, ConnectionError::NoRecord { .. }), "{refused}");
        let event = store.audit_events(1).await.unwrap().remove(0);
        assert_eq!(
            (event.outcome, event.reason.as_deref()),
            (AuditOutcome::Failure, Some("no_record"))
        );
    }
    let dead = OneRecord::start("x.example", &["x"]).await;
    let address = dead.address;
    drop(dead);
    let silent = sso_connections::verify_domain(
        store,
        &Dns::at(address),
        &operator,
        &made.id,
        "clinic.example",
        now,
    )
    .await;
    assert!(matches!(silent, Err(ConnectionError::Dns(_))));
    let right = OneRecord::start("_wardgate.clinic.example", &[&claimed.token]).await;
    let verified = verify(&right).await.unwrap();
    assert_eq!(verified.verified, Some((now, DomainVerification::Dns)));
    assert_eq!(office.last_reason().await.0.as_deref(), Some("verified_by_dns"));
}

#[tokio::test]
async fn two_connections_cannot_both_have_a_domain() {
    let office = Office::open().await;
    let first = office.create(&office.request("First")).await.unwrap();
    let second = office.create(&office.request("Second")).await.unwrap();
    office.override_domain(&first.id, "clinic.example").await.unwrap();
    assert_eq!(
        office.last_reason().await.0.as_deref(),
        Some("verified_by_administrator")
    );
    let refused = office
        .override_domain(&second.id, "clinic.example")
        .await
        .unwrap_err();
    assert!(matches!(refused, ConnectionError::Taken("domain")), "{refused}");
    let (operator, now) = (Actor::operator(), office.issuer.now());
    sso_connections::remove_domain(office.store(), &operator, &first.id, "clinic.example", now)
        .await
        .unwrap();
    sso_connections::override_domain(office.store(), &operator, &second.id, "clinic.example", now)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_connections_that_verify_a_domain_at_once_one_gets_it() {
    let office = Office::open().await;
    let (now, operator) = (office.issuer.now(), Actor::operator());
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..8 {
        let made = office
            .create(&office.request(&format!("Clinic {number}")))
            .await
            .unwrap();
        sso_connections::add_domain(office.store(), &operator, &made.id, "clinic.example", now)
            .await
            .unwrap();
        let (store, operator) = (office.store().clone(), operator.clone());
        tasks.spawn(async move {
            sso_connections::override_domain(&store, &operator, &made.id, "clinic.example", now)
                .await
                .is_ok()
        });
    }
    let won = tasks.join_all().await.into_iter().filter(|won| *won).count();
    assert_eq!(won, 1);
}

#[tokio::test]
async fn explains_step_by_step_what_would_happen() {
    let office = Office::open().await;
    let store = office.store();
    let steps = async |email: &str| {
        let explanation = sso_connections::explain(store, email).await.unwrap();
        (explanation.way_in, explanation.steps.join("\n"))
    };
    let (way_in, text) = steps("ada@clinic.example").await;
    assert_eq!(way_in, WayIn::Password);
    assert!(text.contains("No connection claims it"), "{text}");
    let made = office.create(&office.request("Clinic")).await.unwrap();
    let (operator, now) = (Actor::operator(), office.issuer.now());
    sso_connections::add_domain(store, &operator, &made.id, "clinic.example", now)
        .await
        .unwrap();
    assert!(steps("ada@clinic.example").await.1.contains("not verified"));
    sso_connections::override_domain(store, &operator, &made.id, "clinic.example", now)
        .await
        .unwrap();
    assert!(
        steps("ada@clinic.example")
            .await
            .1
            .contains("nobody has attested")
    );
    office.attest(&made.id).await;
    assert!(
        steps("ada@clinic.example")
            .await
            .1
            .contains("has not enabled it yet")
    );
    office.enable(&made.id).await.unwrap();
    let (way_in, text) = steps("Ada@Clinic.example").await;
    assert_eq!(way_in, WayIn::Provider);
    assert!(
        text.contains("/authorize") && text.contains("turned away"),
        "{text}"
    );
    office
        .issuer
        .add_user("ada@clinic.example", "correct horse battery")
        .await;
    assert!(
        steps("ada@clinic.example")
            .await
            .1
            .contains("is linked with the subject that comes")
    );
    assert!(steps("nobody").await.1.contains("no address"));
}

#[tokio::test]
async fn what_a_former_provider_says_late_is_not_kept() {
    let office = Office::open().await;
    let made = office.create(&office.request("Clinic")).await.unwrap();
    let second = FakeProvider::start().await;
    let request = ConnectionRequest {
        issuer: Some(second.issuer.clone()),
        ..ConnectionRequest::default()
    };
    let now = office.issuer.now();
    let moved = sso_connections::change(office.tools(), &Actor::operator(), &made.id, &request, now).await;
    let moved = moved.unwrap();
    let (store, later) = (office.store(), now.plus(7200));
    let present = async || store.sso_connection(&made.id).await.unwrap().unwrap();
    let before = present().await;
    for said in [Some(made.provider.clone()), None] {
        let former = (&*made.id, &*made.settings.issuer);
        store
            .refresh_sso_provider(former, said, later, later)
            .await
            .unwrap();
        assert_eq!(present().await, before);
    }
    let asked = (&*made.id, &*second.issuer);
    store
        .refresh_sso_provider(asked, Some(moved.provider), later, later)
        .await
        .unwrap();
    assert_eq!(
        (present().await.checked_at, present().await.refresh_at),
        (later, later)
    );
}
