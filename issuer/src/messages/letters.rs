//! What the mails say that the issuer sends: each as text and as HTML.

use askama::Template;
use wardgate_shared::secret::Secret;

use crate::config::PublicUrl;
use crate::domain::factor::FactorKind;
use crate::domain::user::User;
use crate::notices::News;

use super::{Mail, MailError};

const INVITATION: &str = "Your account";
const RESET: &str = "A new password";
const PASSWORD_CHANGED: &str = "Your password was changed";
const FACTORS_CHANGED: &str = "Your second factors were changed";
const RECOVERY_CODE_USED: &str = "A recovery code was used";
const NEW_RECOVERY_CODES: &str = "You have new recovery codes";

/// Where somebody asks for a new password.
const FORGOT: &str = "/password/forgot";

/// What is filled in.
#[derive(Debug)]
struct Words<'a> {
    subject: &'a str,
    name: &'a str,
    issuer: &'a str,
    link: &'a str,
    lifetime: String,
}

#[derive(Template)]
#[template(path = "mail/invitation.txt")]
struct InvitationText<'a> {
    words: &'a Words<'a>,
}

#[derive(Template)]
#[template(path = "mail/invitation.html")]
struct InvitationHtml<'a> {
    words: &'a Words<'a>,
}

#[derive(Template)]
#[template(path = "mail/reset.txt")]
struct ResetText<'a> {
    words: &'a Words<'a>,
}

#[derive(Template)]
#[template(path = "mail/reset.html")]
struct ResetHtml<'a> {
    words: &'a Words<'a>,
}

#[derive(Template)]
#[template(path = "mail/notice.txt")]
struct NoticeText<'a> {
    news: News,
    words: &'a Words<'a>,
}

#[derive(Template)]
#[template(path = "mail/notice.html")]
struct NoticeHtml<'a> {
    news: News,
    words: &'a Words<'a>,
}

/// Why a letter was not written.
#[derive(Debug, thiserror::Error)]
pub enum LetterError {
    /// No mail can be sent to the person's address.
    #[error(transparent)]
    Mail(#[from] MailError),
    /// A text could not be rendered.
    #[error("a text could not be rendered")]
    Text(#[from] askama::Error),
}

/// The mail that brings somebody the link of an invitation, which may be used for `seconds`.
///
/// # Errors
/// [`LetterError`].
pub fn invitation(
    issuer: &PublicUrl,
    user: &User,
    link: &Secret<String>,
    seconds: i64,
) -> Result<Mail, LetterError> {
    let words = Words {
        subject: INVITATION,
        name: &user.name,
        issuer: issuer.as_str(),
        link: link.expose(),
        lifetime: lifetime(seconds),
    };
    letter(
        user,
        &words,
        &InvitationText { words: &words },
        &InvitationHtml { words: &words },
    )
}

/// The mail that brings somebody the link for a new password, which may be used for `seconds`.
///
/// # Errors
/// [`LetterError`].
pub fn reset(
    issuer: &PublicUrl,
    user: &User,
    link: &Secret<String>,
    seconds: i64,
) -> Result<Mail, LetterError> {
    let words = Words {
        subject: RESET,
        name: &user.name,
        issuer: issuer.as_str(),
        link: link.expose(),
        lifetime: lifetime(seconds),
    };
    letter(
        user,
        &words,
        &ResetText { words: &words },
        &ResetHtml { words: &words },
    )
}

/// The mail that brings somebody news of their account.
///
/// # Errors
/// [`LetterError`].
pub fn notice(issuer: &PublicUrl, user: &User, news: News) -> Result<Mail, LetterError> {
    let link = issuer.join(FORGOT);
    let words = Words {
        subject: match news {
            News::PasswordChanged => PASSWORD_CHANGED,
            News::FactorAdded(_) | News::FactorRemoved(_) | News::FactorsReset => FACTORS_CHANGED,
            News::RecoveryCodeUsed => RECOVERY_CODE_USED,
            News::NewRecoveryCodes => NEW_RECOVERY_CODES,
        },
        name: &user.name,
        issuer: issuer.as_str(),
        link: &link,
        lifetime: String::new(),
    };
    letter(
        user,
        &words,
        &NoticeText { news, words: &words },
        &NoticeHtml { news, words: &words },
    )
}

fn letter(
    user: &User,
    words: &Words<'_>,
    text: &impl Template,
    html: &impl Template,
) -> Result<Mail, LetterError> {
    let (text, html) = (text.render()?, html.render()?);
    Ok(Mail::new(
        &user.email,
        &user.name,
        words.subject.into(),
        text,
        html,
    )?)
}

/// A length of time in words: in days or hours where it is whole ones, else in minutes.
fn lifetime(seconds: i64) -> String {
    let (count, unit) = match seconds {
        _ if seconds % 86_400 == 0 => (seconds / 86_400, "day"),
        _ if seconds % 3600 == 0 => (seconds / 3600, "hour"),
        _ => (seconds / 60, "minute"),
    };
    let end = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{end}")
}

#[cfg(test)]
mod tests {
    use wardgate_shared::secret::Secret;

    use super::{invitation, lifetime, notice, reset};
    use crate::config::PublicUrl;
    use crate::domain::factor::FactorKind;
    use crate::domain::user::User;
    use crate::notices::News;
    use crate::testing::user;

    #[test]
    fn text_and_html_say_the_same_and_load_nothing() {
        let issuer = PublicUrl::parse("https://id.example.org").unwrap();
        let link = Secret::new(String::from("https://id.example.org/password/reset?token=wgp_x"));
        let ada = User {
            name: String::from("Ada <b>Ito</b> & Co"),
            ..user("ada@example.org")
        };
        let mails = [
            (invitation(&issuer, &ada, &link, 604_800).unwrap(), "7 days"),
            (reset(&issuer, &ada, &link, 3600).unwrap(), "1 hour"),
            (
                notice(&issuer, &ada, News::PasswordChanged).unwrap(),
                "every app, was signed out",
            ),
            (
                notice(&issuer, &ada, News::FactorAdded(FactorKind::Totp)).unwrap(),
                "an authenticator app was added",
            ),
            (
                notice(&issuer, &ada, News::FactorAdded(FactorKind::Passkey)).unwrap(),
                "a passkey was added",
            ),
            (
                notice(&issuer, &ada, News::FactorRemoved(FactorKind::Sms)).unwrap(),
                "a telephone was removed",
            ),
            (
                notice(&issuer, &ada, News::FactorsReset).unwrap(),
                "removed every second factor",
            ),
            (
                notice(&issuer, &ada, News::RecoveryCodeUsed).unwrap(),
                "one of your recovery codes",
            ),
            (
                notice(&issuer, &ada, News::NewRecoveryCodes).unwrap(),
                "new recovery codes were made",
            ),
        ];
        for (mail, said) in mails {
            assert!(mail.text.contains("Ada <b>Ito</b> & Co") && mail.text.contains(said));
            assert!(mail.html.contains("Ada &#60;b&#62;Ito") && mail.html.contains(said));
            assert!(!mail.html.contains("<b>Ito"));
            for loading in ["src=", "<link", "<img", "<script", "url("] {
                assert!(!mail.html.contains(loading), "{loading}");
            }
            assert!(mail.html.contains("<html lang=\"en\">") && mail.html.contains("<h1"));
            assert!(mail.text.contains("https://id.example.org/password/"));
            assert!(mail.html.contains("<a href=\"https://id.example.org/password/"));
        }
    }

    #[test]
    fn times_are_told_in_the_largest_whole_unit() {
        for (seconds, words) in [
            (604_800, "7 days"),
            (86_400, "1 day"),
            (7200, "2 hours"),
            (3600, "1 hour"),
            (5400, "90 minutes"),
            (300, "5 minutes"),
        ] {
            assert_eq!(lifetime(seconds), words);
        }
    }
}
