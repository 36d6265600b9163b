//! Codes that were sent to telephones, and how many lately.

use rusqlite::{Connection, params};
use wardgate_shared::time::Timestamp;

use crate::domain::audit_event::AuditEvent;
use crate::domain::digest::SecretDigest;
use crate::domain::factor::Factor;
use crate::domain::message::NewMessage;
use crate::domain::sent_code::{
    CODE_SECONDS, COUNTED_SECONDS, CodeSending, CodeTrial, MOST_ANSWERS, PAUSE_SECONDS, SentCode,
};

use super::{Store, StoreError, audit_events, factors, messages, sql};

impl Store {
    /// Sends a code by `message`, at most `per_hour` to one person and to one number, all or nothing. The one sent before in the
    /// same sign-in or session counts no more. The telephone `new`, which is to be confirmed by it, is kept only if it is sent; it takes
    /// the place of another that was not confirmed. `audit` is recorded only if it is sent.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::Conflict`] when there is no such telephone.
    pub async fn send_code(
        &self,
        code: SentCode,
        new: Option<Factor>,
        message: NewMessage,
        per_hour: u32,
        audit: AuditEvent,
    ) -> Result<CodeSending, StoreError> {
        let sending = self
            .write(move |connection| {
                if let Some(refused) = refusal(connection, &code, per_hour)? {
                    return Ok(refused);
                }
                if let Some(factor) = &new
                    && !factors::insert_unconfirmed(connection, factor)?
                {
                    return Ok(CodeSending::NoRoom);
                }
                sql::change(
                    connection,
                    "INSERT INTO sent_codes (binding, factor_id, digest, tries, sent_at, expires_at)
                     VALUES (?1, ?2, ?3, 0, ?4, ?5)
                     ON CONFLICT (binding) DO UPDATE SET factor_id = ?2, digest = ?3, tries = 0, sent_at = ?4,
                                                         expires_at = ?5",
                    params![
                        code.binding.as_bytes(),
                        code.factor_id,
                        code.digest.as_bytes(),
                        code.at.seconds(),
                        code.at.plus(CODE_SECONDS).seconds(),
                    ],
                )?;
                sql::change(
                    connection,
                    "INSERT INTO sent_messages (id, user_id, recipient, sent_at) VALUES (?1, ?2, ?3, ?4)",
                    params![
                        message.id,
                        code.user_id,
                        code.recipient.as_bytes(),
                        code.at.seconds()
                    ],
                )?;
                messages::queue(connection, &message)?;
                audit_events::insert(connection, &audit)?;
                Ok(CodeSending::Sent)
            })
            .await?;
        if sending == CodeSending::Sent {
            self.ring_message_bell();
        }
        Ok(sending)
    }

    /// Whether a code that was sent to this telephone in this sign-in or session can still be answered at `now`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn awaits_code(
        &self,
        binding: &SecretDigest,
        factor_id: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (binding, factor_id) = (*binding, String::from(factor_id));
        self.look_up(move |connection| {
            let query = "SELECT 1 FROM sent_codes
                         WHERE binding = ?1 AND factor_id = ?2 AND expires_at > ?3 AND tries < ?4";
            let parameters = params![binding.as_bytes(), factor_id, now.seconds(), MOST_ANSWERS];
            Ok(sql::first(connection, query, parameters, |_| Ok(()))?.is_some())
        })
        .await
    }

    /// Compares an answer with the code, and counts it. The code is consumed by [`Store::complete_sign_in`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn try_code(
        &self,
        binding: &SecretDigest,
        factor_id: &str,
        answer: &SecretDigest,
        now: Timestamp,
    ) -> Result<CodeTrial, StoreError> {
        let (binding, factor_id, answer) = (*binding, String::from(factor_id), *answer);
        self.write(move |connection| {
            let count = "UPDATE sent_codes SET tries = tries + 1
                         WHERE binding = ?1 AND factor_id = ?2 AND expires_at > ?3 AND tries < ?4
                         RETURNING digest";
            let parameters = params![binding.as_bytes(), factor_id, now.seconds(), MOST_ANSWERS];
            let code = sql::first(connection, count, parameters, |row| sql::digest(row, "digest"))?;
            Ok(match code {
                None => CodeTrial::Gone,
                Some(code) if code == answer => CodeTrial::Right,
                Some(_) => CodeTrial::Wrong,
            })
        })
        .await
    }
}

/// Why no code may be sent now.
fn refusal(
    connection: &Connection,
    code: &SentCode,
    per_hour: u32,
) -> Result<Option<CodeSending>, StoreError> {
    let last = "SELECT sent_at FROM sent_codes WHERE binding = ?1";
    let last = sql::first(connection, last, params![code.binding.as_bytes()], |row| {
        sql::instant(row, "sent_at")
    })?;
    if let Some(last) = last
        && let Some(seconds) = left(last, PAUSE_SECONDS, code.at)
    {
        return Ok(Some(CodeSending::TooSoon { seconds }));
    }
    let since = code.at.plus(COUNTED_SECONDS.saturating_neg()).seconds();
    let per_hour = per_hour.saturating_sub(1);
    // The one of which, when it counts no more, another may be sent.
    let of_person = "SELECT sent_at FROM sent_messages WHERE user_id = ?1 AND sent_at > ?2
                     ORDER BY sent_at DESC LIMIT 1 OFFSET ?3";
    let of_person = sql::first(
        connection,
        of_person,
        params![code.user_id, since, per_hour],
        |row| sql::instant(row, "sent_at"),
    )?;
    let of_number = "SELECT sent_at FROM sent_messages WHERE recipient = ?1 AND sent_at > ?2
                     ORDER BY sent_at DESC LIMIT 1 OFFSET ?3";
    let parameters = params![code.recipient.as_bytes(), since, per_hour];
    let of_number = sql::first(connection, of_number, parameters, |row| {
        sql::instant(row, "sent_at")
    })?;
    let wait = [of_person, of_number]
        .into_iter()
        .flatten()
        .filter_map(|at| left(at, COUNTED_SECONDS, code.at))
        .max();
    Ok(wait.map(|seconds| CodeSending::TooMany { seconds }))
}

/// What is left at `now` of `span` seconds since `at`, if anything. A clock that went back shortens no wait beyond the span.
fn left(at: Timestamp, span: i64, now: Timestamp) -> Option<i64> {
    let left = span.saturating_sub(now.since(at)).min(span);
    (left > 0).then_some(left)
}

/// Consumes a code that was found right. Says whether it still counted.
pub(super) fn consume(
    connection: &Connection,
    binding: &SecretDigest,
    factor_id: &str,
    digest: &SecretDigest,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let delete =
        "DELETE FROM sent_codes WHERE binding = ?1 AND factor_id = ?2 AND digest = ?3 AND expires_at > ?4";
    let parameters = params![binding.as_bytes(), factor_id, digest.as_bytes(), now.seconds()];
    Ok(sql::change(connection, delete, parameters)? > 0)
}
