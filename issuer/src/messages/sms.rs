//! Short messages, by the HTTP API of a provider: Twilio's Messages resource and those made like it, or a webhook.
//!
//! A webhook gets `{"id", "to", "text"}` with `Wardgate-Signature: t=…,v1=…`: the time in seconds since 1970, and HMAC-SHA-256 under
//! the shared secret over that time, a dot and the body, in hexadecimal. The id is the same when a message comes again.

use std::fmt::Write;

use aws_lc_rs::hmac;
use base64ct::{Base64, Encoding};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde_json::json;
use wardgate_shared::secret::Secret;
use wardgate_shared::time::Timestamp;
use zeroize::Zeroizing;

use crate::config::{SmsConfig, SmsSender};
use crate::outbound::{FetchError, Outbound};

use super::DeliveryError;

const SIGNATURE: HeaderName = HeaderName::from_static("wardgate-signature");

/// The way to the provider.
#[derive(Debug)]
pub(super) struct SmsTransport {
    config: SmsConfig,
    outbound: Outbound,
}

impl SmsTransport {
    pub(super) const fn new(config: SmsConfig, outbound: Outbound) -> Self {
        Self { config, outbound }
    }

    /// Hands a message over to the provider.
    pub(super) async fn send(
        &self,
        id: &str,
        to: &str,
        text: &str,
        now: Timestamp,
    ) -> Result<(), DeliveryError> {
        let sent = match &self.config {
            SmsConfig::Twilio {
                url,
                account_sid,
                auth_token,
                sender,
            } => {
                let url = format!("{url}/2010-04-01/Accounts/{account_sid}/Messages.json");
                let sender = match sender {
                    SmsSender::From(from) => ("From", from.as_str()),
                    SmsSender::MessagingService(service) => ("MessagingServiceSid", service.as_str()),
                };
                let form = form_urlencoded::Serializer::new(String::new())
                    .extend_pairs([("To", to), sender, ("Body", text)])
                    .finish();
                let headers = headers(header::AUTHORIZATION, &basic(account_sid, auth_token))?;
                let form_type = "application/x-www-form-urlencoded";
                self.outbound.post(&url, form_type, headers, form).await
            }
            SmsConfig::Webhook { url, secret } => {
                let body = json!({ "id": id, "to": to, "text": text }).to_string();
                let headers = headers(SIGNATURE, &signature(secret, now, &body))?;
                self.outbound.post(url, "application/json", headers, body).await
            }
        };
        sent.map_err(|error| failure(&error))
    }
}

fn headers(name: HeaderName, value: &str) -> Result<HeaderMap, DeliveryError> {
    let mut value = HeaderValue::from_str(value)
        .map_err(|_| DeliveryError::Temporary("sms.secret cannot be a header".into()))?;
    value.set_sensitive(true);
    Ok(HeaderMap::from_iter([(name, value)]))
}

fn basic(account_sid: &str, auth_token: &Secret<String>) -> Zeroizing<String> {
    let pair = Zeroizing::new(format!("{account_sid}:{}", auth_token.expose()));
    Zeroizing::new(format!("Basic {}", Base64::encode_string(pair.as_bytes())))
}

/// The signature of a document sent at `now`.
pub(super) fn signature(secret: &Secret<String>, now: Timestamp, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
    let time = now.seconds();
    let tag = hmac::sign(&key, format!("{time}.{body}").as_bytes());
    let mut signature = format!("t={time},v1=");
    for byte in tag.as_ref() {
        // Writing to a `String` cannot fail.
        let _ = write!(signature, "{byte:02x}");
    }
    signature
}

/// What the provider says of the request itself is final; what it says of its caller or of its own state may change.
fn failure(error: &FetchError) -> DeliveryError {
    let text = error.to_string();
    match error {
        FetchError::Status(
            StatusCode::UNAUTHORIZED
            | StatusCode::FORBIDDEN
            | StatusCode::REQUEST_TIMEOUT
            | StatusCode::TOO_MANY_REQUESTS,
        ) => DeliveryError::Temporary(text),
        FetchError::Status(status) if status.is_client_error() => DeliveryError::Refused(text),
        FetchError::Status(_)
        | FetchError::Url(_)
        | FetchError::Client(_)
        | FetchError::Unreachable(_)
        | FetchError::TooLarge => DeliveryError::Temporary(text),
    }
}
