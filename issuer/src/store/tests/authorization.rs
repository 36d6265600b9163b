//! From the request that waits to the code that is redeemed.

use wardgate_shared::scope::ScopeSet;

use super::{TestStore, access, audit, authorization_code, digest, later, refresh};
use crate::domain::audit_event::{AuditAction, AuditOutcome};
use crate::domain::authorization_code::CodeRedemption;
use crate::domain::consent::Consent;
use crate::domain::person_claim::PersonClaim;
use crate::store::{Approval, StoreError};
use crate::testing::START;

#[tokio::test]
async fn a_request_comes_back_as_it_was_until_it_expires() {
    let test = TestStore::new().await;
    test.store
        .insert_authorization_request(test.request("r"))
        .await
        .unwrap();
    let found = test
        .store
        .authorization_request(&digest("r"), later(599))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(format!("{found:?}"), format!("{:?}", test.request("r")));
    assert!(
        test.store
            .authorization_request(&digest("r"), later(600))
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        test.store
            .authorization_request(&digest("x"), START)
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn a_request_is_approved_once() {
    let test = TestStore::new().await;
    test.store
        .insert_authorization_request(test.request("r"))
        .await
        .unwrap();
    let request = digest("r");
    let approve = |code: &str, grant: &str| {
        let code = authorization_code(code, test.grant(grant));
        let events = vec![audit(AuditAction::Consent), audit(AuditAction::Authorization)];
        test.store
            .approve_authorization(&request, code, None, events, START)
    };
    assert_eq!(approve("c1", "grant-1").await, Ok(Approval::Approved));
    assert_eq!(approve("c2", "grant-2").await, Ok(Approval::RequestGone));
    assert!(
        test.store
            .authorization_code(&digest("c1"))
            .await
            .unwrap()
            .is_some()
    );
    assert!(
        test.store
            .authorization_code(&digest("c2"))
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        test.store
            .authorization_request(&digest("r"), START)
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(
        (
            test.count(AuditAction::Consent).await,
            test.count(AuditAction::Authorization).await
        ),
        (1, 1)
    );
}

#[tokio::test]
async fn an_expired_request_is_neither_approved_nor_denied() {
    let test = TestStore::new().await;
    test.store
        .insert_authorization_request(test.request("r"))
        .await
        .unwrap();
    let code = authorization_code("c", test.grant("grant-1"));
    assert_eq!(
        test.store
            .approve_authorization(&digest("r"), code, None, Vec::new(), later(600))
            .await,
        Ok(Approval::RequestGone)
    );
    assert_eq!(
        test.store
            .deny_authorization(&digest("r"), audit(AuditAction::Consent), later(600))
            .await,
        Ok(false)
    );
    assert_eq!(test.count(AuditAction::Consent).await, 0);
}

#[tokio::test]
async fn a_denied_request_is_gone() {
    let test = TestStore::new().await;
    test.store
        .insert_authorization_request(test.request("r"))
        .await
        .unwrap();
    let request = digest("r");
    let deny = || {
        test.store
            .deny_authorization(&request, audit(AuditAction::Consent), START)
    };
    assert_eq!(deny().await, Ok(true));
    assert_eq!(deny().await, Ok(false));
    assert_eq!(test.count(AuditAction::Consent).await, 1);
}

#[tokio::test]
async fn an_approval_that_cannot_be_stored_leaves_the_request_waiting() {
    let test = TestStore::new().await;
    test.approve("c", test.grant("grant-1")).await;
    test.store
        .insert_authorization_request(test.request("r"))
        .await
        .unwrap();
    // The grant's id is taken.
    let code = authorization_code("c2", test.grant("grant-1"));
    let refused = test
        .store
        .approve_authorization(&digest("r"), code, None, Vec::new(), START)
        .await;
    assert_eq!(refused, Err(StoreError::Conflict));
    assert!(
        test.store
            .authorization_request(&digest("r"), START)
            .await
            .unwrap()
            .is_some()
    );
}

#[tokio::test]
async fn consents_add_up() {
    let test = TestStore::new().await;
    let consent = |scope: &str, claim, seconds| Consent {
        user_id: test.user.id.clone(),
        client_id: "app".into(),
        scope: ScopeSet::parse(scope).unwrap(),
        claims: [claim].into(),
        audiences: vec!["a".into()],
        granted_at: later(seconds),
    };
    let agreed = async |audience: &str| {
        let agreed = test.store.agreed_scope(&test.user.id, "app", audience).await;
        agreed.unwrap()
    };
    assert_eq!(agreed("a").await, None);
    for (number, consent) in [
        (1, consent("openid", PersonClaim::Name, 1)),
        (2, consent("patient/*.rs openid", PersonClaim::Email, 2)),
    ] {
        let request = format!("r{number}");
        test.store
            .insert_authorization_request(test.request(&request))
            .await
            .unwrap();
        let code = authorization_code(&format!("c{number}"), test.grant(&format!("grant-{number}")));
        let approved = test
            .store
            .approve_authorization(&digest(&request), code, Some(consent), Vec::new(), START)
            .await;
        assert_eq!(approved, Ok(Approval::Approved));
    }
    assert_eq!(
        agreed("a").await,
        Some(ScopeSet::parse("openid patient/*.rs").unwrap())
    );
    assert_eq!(agreed("b").await, None, "for one resource is not for another");
    let claims = async |audience: &str| {
        let agreed = test.store.agreed_claims(&test.user.id, "app", audience).await;
        agreed.unwrap()
    };
    assert_eq!(claims("a").await, [PersonClaim::Name, PersonClaim::Email].into());
    assert!(claims("b").await.is_empty());
}

#[tokio::test]
async fn a_code_says_what_it_is_worth_whatever_became_of_it() {
    let test = TestStore::new().await;
    test.redeemed("r", test.grant("grant-1")).await;
    let code = test
        .store
        .authorization_code(&digest("code for r"))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        format!("{code:?}"),
        format!("{:?}", authorization_code("code for r", test.grant("grant-1")))
    );
}

#[tokio::test]
async fn a_redeemed_code_brings_its_tokens_to_life() {
    let test = TestStore::new().await;
    assert!(!test.is_live("at-r").await);
    test.redeemed("r", test.grant("grant-1")).await;
    assert!(test.is_live("at-r").await);
    let (token, grant) = test.store.refresh_token(&digest("r")).await.unwrap().unwrap();
    assert_eq!(token.grant_id, "grant-1");
    assert_eq!(format!("{grant:?}"), format!("{:?}", test.grant("grant-1")));
    assert_eq!(test.count(AuditAction::TokenRequest).await, 1);
}

#[tokio::test]
async fn a_replayed_code_ends_everything_made_from_it() {
    let test = TestStore::new().await;
    test.redeemed("r", test.grant("grant-1")).await;
    // Even long after the code's own minute.
    let replay = test
        .store
        .redeem_code(
            &digest("code for r"),
            Some(refresh("r2", "grant-1")),
            access("at-2", Some("grant-1")),
            later(1000),
            audit(AuditAction::TokenRequest).with_client("app"),
        )
        .await;
    assert_eq!(replay, Ok(CodeRedemption::Replayed));
    assert!(!test.is_live("at-r").await);
    assert!(!test.is_live("at-2").await);
    let (_, grant) = test.store.refresh_token(&digest("r")).await.unwrap().unwrap();
    assert_eq!(grant.ended_at, Some(later(1000)));
    assert!(test.store.refresh_token(&digest("r2")).await.unwrap().is_none());

    let newest = test.store.audit_events(1).await.unwrap().remove(0);
    assert_eq!(
        (newest.action, newest.outcome),
        (AuditAction::Replay, AuditOutcome::Failure)
    );
    assert_eq!(newest.reason.as_deref(), Some("authorization_code_replayed"));
    assert_eq!(newest.client_id.as_deref(), Some("app"));
    assert_eq!(
        test.count(AuditAction::TokenRequest).await,
        1,
        "only the first was a success"
    );
}

#[tokio::test]
async fn an_expired_or_unknown_code_is_dead_and_records_nothing() {
    let test = TestStore::new().await;
    test.approve("c", test.grant("grant-1")).await;
    for (code, seconds) in [("c", 60), ("unknown", 0)] {
        let redemption = test
            .store
            .redeem_code(
                &digest(code),
                None,
                access("at-1", Some("grant-1")),
                later(seconds),
                audit(AuditAction::TokenRequest),
            )
            .await;
        assert_eq!(redemption, Ok(CodeRedemption::Dead), "{code}");
    }
    assert!(!test.is_live("at-1").await);
    assert_eq!(test.count(AuditAction::TokenRequest).await, 0);
}

#[tokio::test]
async fn a_code_is_good_to_the_last_second() {
    let test = TestStore::new().await;
    test.approve("c", test.grant("grant-1")).await;
    let event = audit(AuditAction::TokenRequest);
    let redemption = test
        .store
        .redeem_code(
            &digest("c"),
            None,
            access("at-1", Some("grant-1")),
            later(59),
            event,
        )
        .await;
    assert_eq!(redemption, Ok(CodeRedemption::Redeemed));
}

#[tokio::test]
async fn tokens_of_another_grant_are_refused_and_the_code_stays_good() {
    let test = TestStore::new().await;
    test.redeemed("other", test.grant("grant-other")).await;
    test.approve("c", test.grant("grant-1")).await;
    for (refresh_grant, access_grant) in [
        ("grant-other", Some("grant-1")),
        ("grant-1", Some("grant-other")),
        ("grant-1", None),
    ] {
        let refused = test
            .store
            .redeem_code(
                &digest("c"),
                Some(refresh("r", refresh_grant)),
                access("at-1", access_grant),
                START,
                audit(AuditAction::TokenRequest),
            )
            .await;
        assert_eq!(refused, Err(StoreError::Conflict));
    }
    let event = audit(AuditAction::TokenRequest);
    let redemption = test
        .store
        .redeem_code(&digest("c"), None, access("at-1", Some("grant-1")), START, event)
        .await;
    assert_eq!(redemption, Ok(CodeRedemption::Redeemed));
}

#[tokio::test]
async fn a_spent_code_is_worth_nothing() {
    let test = TestStore::new().await;
    test.approve("c", test.grant("grant-1")).await;
    test.store
        .spend_code(&digest("c"), START, audit(AuditAction::TokenRequest))
        .await
        .unwrap();
    let event = audit(AuditAction::TokenRequest);
    let redemption = test
        .store
        .redeem_code(&digest("c"), None, access("at-1", Some("grant-1")), START, event)
        .await;
    assert_eq!(redemption, Ok(CodeRedemption::Replayed));
    assert!(!test.is_live("at-1").await);
}

#[tokio::test]
async fn spending_a_redeemed_code_is_a_replay() {
    let test = TestStore::new().await;
    test.redeemed("r", test.grant("grant-1")).await;
    test.store
        .spend_code(&digest("code for r"), later(1), audit(AuditAction::TokenRequest))
        .await
        .unwrap();
    assert!(!test.is_live("at-r").await);
    assert_eq!(test.count(AuditAction::Replay).await, 1);
}

#[tokio::test]
async fn spending_an_unknown_code_only_records_the_attempt() {
    let test = TestStore::new().await;
    test.store
        .spend_code(&digest("unknown"), START, audit(AuditAction::TokenRequest))
        .await
        .unwrap();
    assert_eq!(
        (
            test.count(AuditAction::Replay).await,
            test.count(AuditAction::TokenRequest).await
        ),
        (0, 1)
    );
}

#[tokio::test]
async fn a_code_of_a_deactivated_person_is_dead() {
    let test = TestStore::new().await;
    test.approve("c", test.grant("grant-1")).await;
    test.connection()
        .execute("UPDATE users SET deactivated_at = 1", [])
        .unwrap();
    let event = audit(AuditAction::TokenRequest);
    let redemption = test
        .store
        .redeem_code(&digest("c"), None, access("at-1", Some("grant-1")), START, event)
        .await;
    assert_eq!(redemption, Ok(CodeRedemption::Dead));
    assert!(!test.is_live("at-1").await);
}
