//! Section `second_factor`: when more than one proof is asked for.

use crate::domain::remembered_device::FactorLifetime;

use super::reader::Reader;

/// When a second factor is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecondFactorConfig {
    /// Whether everybody must have one.
    pub required: bool,
    /// Whether those are offered one who have none.
    pub offer: bool,
    /// For how long one counts.
    pub lifetime: FactorLifetime,
    /// How long after signing in what protects the account may be changed, in seconds.
    pub reauthenticate_seconds: i64,
    /// Whether it is asked for after single sign-on too, where it is required.
    pub after_single_sign_on: bool,
    /// How many codes are sent to one person, and to one telephone, in an hour.
    pub messages_per_hour: u32,
}

pub(super) fn read(reader: &mut Reader<'_>) -> Option<SecondFactorConfig> {
    let required = reader.parsed("second_factor.policy", |name| match name {
        "optional" => Ok(false),
        "required" => Ok(true),
        _ => Err("must be optional or required"),
    });
    let offer = reader.flag("second_factor.offer");
    let interval_seconds = reader.number("second_factor.interval_seconds", 60..=31_536_000, "seconds");
    let idle_seconds = reader.number("second_factor.idle_seconds", 60..=31_536_000, "seconds");
    let reauthenticate_seconds =
        reader.number("second_factor.reauthenticate_seconds", 60..=86_400, "seconds");
    let after_single_sign_on = reader.flag("second_factor.after_single_sign_on");
    let messages_per_hour = reader.number("second_factor.messages_per_hour", 1..=100, "messages");
    Some(SecondFactorConfig {
        required: required?,
        offer: offer?,
        lifetime: FactorLifetime {
            interval_seconds: interval_seconds?,
            idle_seconds: idle_seconds?,
        },
        reauthenticate_seconds: reauthenticate_seconds?,
        after_single_sign_on: after_single_sign_on?,
        messages_per_hour: messages_per_hour?.try_into().ok()?,
    })
}
