//! The pages of the second factor: asking for it, and setting it up.

use askama::Template;

use crate::domain::factor::FactorKind;

use super::{ClientCard, ProblemField};

/// What the page asks for.
#[derive(Clone, Copy, Debug)]
pub enum FactorWay<'a> {
    /// The code of an authenticator app.
    App {
        /// What its person calls it.
        name: &'a str,
    },
    /// A code that is sent to a telephone.
    Telephone {
        /// By what its person knows the number.
        hint: &'a str,
        /// Whether one was sent that can be answered.
        awaits_code: bool,
    },
    /// A passkey, whichever the browser finds.
    Passkey {
        /// What the browser is asked.
        options: &'a str,
        /// The sealed state of the ceremony.
        ceremony: &'a str,
    },
    /// A recovery code.
    Recovery,
    /// Nothing: the person has nothing that works here.
    None,
}

/// Another way to prove who one is.
#[derive(Clone, Debug)]
pub struct OtherWay<'a> {
    /// The factor; none for a recovery code.
    pub name: Option<&'a str>,
    /// Where it is asked for.
    pub path: String,
}

/// The question for a second factor.
#[derive(Debug, Template)]
#[template(path = "second_factor.html")]
pub struct SecondFactorPage<'a> {
    /// The app that asked, when one did.
    pub client_name: Option<&'a str>,
    /// What else is shown of it.
    pub card: ClientCard<'a>,
    /// What the person signs in for: the field that carries it on, name and value.
    pub carried: Option<(&'a str, &'a str)>,
    /// Where to begin anew as somebody else.
    pub start: &'a str,
    /// Ties the form to the browser.
    pub form_token: &'a str,
    /// Who is signing in.
    pub user_email: &'a str,
    /// What is asked for.
    pub way: FactorWay<'a>,
    /// The value of the field that names it.
    pub way_id: &'a str,
    /// What else could be given.
    pub others: &'a [OtherWay<'a>],
    /// Whether the box is ticked by which the browser is remembered.
    pub remember: bool,
    /// Why the last answer was none.
    pub problem: Option<&'a str>,
}

/// The choice of a second factor to set up.
#[derive(Debug, Template)]
#[template(path = "enrolment.html")]
pub struct EnrolmentPage<'a> {
    /// What can be set up.
    pub offers: &'a [FactorKind],
    /// The app that asked, when one did.
    pub client_name: Option<&'a str>,
    /// What else is shown of it.
    pub card: ClientCard<'a>,
    /// What the person signs in for: the field that carries it on, name and value.
    pub carried: Option<(&'a str, &'a str)>,
    /// Ties the form to the browser.
    pub form_token: &'a str,
    /// Whose factor it will be.
    pub user_email: &'a str,
    /// Whether the person may go on without one.
    pub may_skip: bool,
    /// Whether they have one already.
    pub has_one: bool,
    /// Why nothing was set up.
    pub problem: Option<&'a str>,
}

/// A picture that a telephone reads: squares of one unit.
#[derive(Debug)]
pub struct QrPicture {
    /// Its width and height in squares.
    pub width: usize,
    /// The dark ones, as the path of an SVG picture.
    pub squares: String,
}

/// The page on which an authenticator app takes over its seed.
#[derive(Debug, Template)]
#[template(path = "enrolment_app.html")]
pub struct AppEnrolmentPage<'a> {
    /// What the person signs in for: the field that carries it on, name and value.
    pub carried: Option<(&'a str, &'a str)>,
    /// Ties the form to the browser.
    pub form_token: &'a str,
    /// The factor that is set up.
    pub factor: &'a str,
    /// The link as a picture.
    pub picture: &'a QrPicture,
    /// The link that an app on this device opens.
    pub link: &'a str,
    /// The seed, to be typed.
    pub seed: &'a str,
    /// What the app is called.
    pub name: &'a str,
    /// Whether the box is ticked by which the browser is remembered.
    pub remember: bool,
    /// The way back to the choice.
    pub back: &'a str,
    /// Why it is not set up yet.
    pub problem: Option<&'a str>,
    /// Which field that is about.
    pub about: ProblemField,
}

/// The page that asks for the number of a telephone.
#[derive(Debug, Template)]
#[template(path = "enrolment_sms.html")]
pub struct TelephonePage<'a> {
    /// What the person signs in for: the field that carries it on, name and value.
    pub carried: Option<(&'a str, &'a str)>,
    /// Ties the form to the browser.
    pub form_token: &'a str,
    /// What was typed.
    pub phone: &'a str,
    /// The way back to the choice.
    pub back: &'a str,
    /// Why no code was sent.
    pub problem: Option<&'a str>,
}

/// The page that asks for the code that was sent to a new telephone.
#[derive(Debug, Template)]
#[template(path = "enrolment_sms_code.html")]
pub struct SentCodePage<'a> {
    /// What the person signs in for: the field that carries it on, name and value.
    pub carried: Option<(&'a str, &'a str)>,
    /// Ties the forms to the browser.
    pub form_token: &'a str,
    /// The factor that is set up.
    pub factor: &'a str,
    /// By what its person knows the number.
    pub hint: &'a str,
    /// How long the code counts, in minutes.
    pub minutes: i64,
    /// What the telephone is called.
    pub name: &'a str,
    /// Whether the box is ticked by which the browser is remembered.
    pub remember: bool,
    /// The way to another number.
    pub other_number: &'a str,
    /// Why it is not set up yet.
    pub problem: Option<&'a str>,
    /// Which field that is about.
    pub about: ProblemField,
}

/// Recovery codes, shown once.
#[derive(Debug, Template)]
#[template(path = "recovery_codes.html")]
pub struct RecoveryCodesPage<'a> {
    /// The codes.
    pub codes: &'a [&'a str],
    /// Where the person goes next.
    pub next: &'a str,
}
