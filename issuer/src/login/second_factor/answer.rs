//! What somebody answers who is asked for a second factor: whether it is right, and the sign-in that ends by it.
//!
//! Wrong answers are counted by account and network, and end the sign-in when there are too many. What is right is consumed with
//! the session that comes of it.

use std::sync::Arc;

use axum::response::Response;
use http::{HeaderValue, StatusCode, header};

use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::factor::{FactorKind, FactorUse};
use crate::domain::recovery_code;
use crate::domain::sent_code::CodeTrial;
use crate::domain::session::AuthenticationMethod;
use crate::domain::sign_in::Completed;
use crate::error::internal::InternalError;
use crate::error::page::PageError;
use crate::error::redirect;
use crate::login::completion::{self, Browser, Given};
use crate::login::passkey;
use crate::login::throttle::{SignInThrottle, Throttled};
use crate::passkeys::Binding;

use super::challenge::{Challenge, Way, network_of};
use super::ongoing::Ongoing;
use super::telephone::Telephone;
use super::totp::Seed;

const WRONG: &str = "This code is not right. Please type the one that is shown now.";
const USED: &str = "This code was used already. Please wait for the next one.";
const WRONG_RECOVERY: &str = "This is none of your recovery codes, or it was used already.";
const WRONG_SENT_CODE: &str =
    "This code is not right. Please type the one from the last message that we sent.";
const SENT_CODE_GONE: &str = "There is no code that still counts. Please have a new one sent.";
const TOO_MANY: &str = "There were too many wrong codes. Please wait a moment and try again.";

/// An answer that was sent.
pub(super) struct Answer<'a> {
    /// What was asked.
    pub(super) challenge: &'a Challenge<'a>,
    /// What is given.
    pub(super) way: Option<Way<'a>>,
    /// Whether the browser is to be remembered.
    pub(super) remember: bool,
    /// Of a passkey: the sealed ceremony.
    pub(super) ceremony: &'a str,
    /// Who gives it.
    pub(super) browser: Browser<'a>,
}

/// Why an answer is none: what the person reads, and what is recorded.
struct Refused {
    problem: &'static str,
    reason: &'static str,
    /// Whether somebody may have guessed.
    counts: bool,
}

impl Answer<'_> {
    /// Ends the sign-in by the answer `code`, or says why not.
    ///
    /// # Errors
    /// When the store cannot answer, or a page cannot be rendered.
    pub(super) async fn take(
        &self,
        throttle: &Arc<SignInThrottle>,
        code: &str,
    ) -> Result<Response, PageError> {
        let state = self.challenge.state;
        let user = self.challenge.ongoing.user();
        let network = network_of(state, self.browser.address);
        let attempt = match throttle.begin_factor(&user.id, network, state.now()) {
            Ok(attempt) => attempt,
            Err(throttled) => return self.wait(throttled).await,
        };
        let refused = match self.check(code).await? {
            Ok(proof) => {
                let given = Given {
                    used: proof,
                    method: self.way.map_or(AuthenticationMethod::RecoveryCode, Way::method),
                    enrols: false,
                    recovery_codes: Vec::new(),
                    remember: self.remember,
                };
                let destination = self.challenge.destination;
                let completed =
                    completion::complete(state, self.browser, self.challenge.ongoing, given, destination)
                        .await?;
                match completed {
                    Ok(begun) => {
                        attempt.matched();
                        let mut response = redirect::to_own_page(&destination.path())?;
                        begun.attach(&mut response);
                        return Ok(response);
                    }
                    Err(Completed::SignInGone) => {
                        return Ok(redirect::to_own_page(&destination.path_to("/login"))?);
                    }
                    Err(Completed::FactorSpent | Completed::Begun) => Refused {
                        problem: match self.way {
                            Some(Way::Factor(factor)) if factor.kind == FactorKind::Sms => SENT_CODE_GONE,
                            Some(Way::Factor(_)) => USED,
                            Some(Way::Recovery) | None => WRONG_RECOVERY,
                        },
                        reason: "code_used",
                        counts: true,
                    },
                }
            }
            Err(refused) => refused,
        };
        if !refused.counts {
            drop(attempt);
            self.record(refused.reason).await?;
            return self.show(refused.problem, StatusCode::BAD_REQUEST).await;
        }
        attempt.mismatched(state.now());
        if let Ongoing::SignIn { sign_in, .. } = self.challenge.ongoing {
            let counted = state.store().count_wrong_answer(&sign_in.digest).await;
            counted.map_err(InternalError::from)?;
        }
        self.record(refused.reason).await?;
        self.show(refused.problem, StatusCode::BAD_REQUEST).await
    }

    /// What the code is good for.
    async fn check(&self, code: &str) -> Result<Result<FactorUse, Refused>, InternalError> {
        let (state, user) = (self.challenge.state, self.challenge.ongoing.user());
        let wrong = |problem| {
            Err(Refused {
                problem,
                reason: "wrong_code",
                counts: true,
            })
        };
        match self.way {
            Some(Way::Factor(factor)) if factor.kind == FactorKind::Passkey => {
                let binding = Binding::SecondFactor(self.challenge.ongoing.secret());
                let answer = (self.ceremony, code);
                let verified = passkey::verify(state, &binding, Some(&user.id), answer, state.now());
                Ok(match verified.await? {
                    Ok((_, passkey)) => Ok(FactorUse::Checked {
                        factor_id: passkey.factor_id,
                    }),
                    Err(refused) => Err(Refused {
                        problem: refused.words().0,
                        reason: refused.reason(),
                        counts: !refused.is_stale(),
                    }),
                })
            }
            Some(Way::Factor(factor)) if factor.kind == FactorKind::Sms => {
                let telephone = Telephone::open(state, self.challenge.ongoing, factor)?;
                Ok(match telephone.check(code).await? {
                    Ok(right) => Ok(right),
                    Err(CodeTrial::Gone) => Err(Refused {
                        problem: SENT_CODE_GONE,
                        reason: "code_gone",
                        counts: true,
                    }),
                    Err(CodeTrial::Wrong | CodeTrial::Right) => wrong(WRONG_SENT_CODE),
                })
            }
            Some(Way::Factor(factor)) => {
                let seed = Seed::open(state.sealer(), factor)?;
                Ok(match seed.step_of(code, state.now()) {
                    Some(step) => Ok(FactorUse::OneTimePassword {
                        factor_id: factor.id.clone(),
                        step,
                    }),
                    None => wrong(WRONG),
                })
            }
            Some(Way::Recovery) | None => {
                let Some(digest) = recovery_code::digest(code) else {
                    return Ok(wrong(WRONG_RECOVERY));
                };
                Ok(if state.store().has_recovery_code(&user.id, &digest).await? {
                    Ok(FactorUse::RecoveryCode { digest })
                } else {
                    wrong(WRONG_RECOVERY)
                })
            }
        }
    }

    async fn wait(&self, throttled: Throttled) -> Result<Response, PageError> {
        if throttled.is_news {
            self.record("throttled").await?;
        }
        let mut response = self.show(TOO_MANY, StatusCode::TOO_MANY_REQUESTS).await?;
        let seconds = HeaderValue::from(throttled.retry_after_seconds);
        response.headers_mut().insert(header::RETRY_AFTER, seconds);
        Ok(response)
    }

    async fn show(&self, problem: &str, status: StatusCode) -> Result<Response, PageError> {
        self.challenge
            .show(self.way, self.remember, Some(problem), status)
            .await
    }

    async fn record(&self, reason: &'static str) -> Result<(), InternalError> {
        let state = self.challenge.state;
        let mut event = AuditEvent::new(state.now(), AuditAction::SecondFactor, AuditOutcome::Failure)
            .with_user(&*self.challenge.ongoing.user().id)
            .with_ip_address(self.browser.address)
            .with_reason(reason);
        if let Some(way) = self.way {
            event = event.with_method(way.method().as_str());
        }
        if let Some(pending) = self.challenge.destination.pending() {
            event = event.with_client(&*pending.client.client_id);
        }
        Ok(state.store().record(event).await?)
    }
}
