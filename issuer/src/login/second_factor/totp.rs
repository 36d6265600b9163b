//! Codes of authenticator apps (RFC 6238): SHA-1, six digits, thirty seconds, which is what all apps understand.

use totp_rs::{Algorithm, Builder, Totp};
use wardgate_shared::secret::Secret;
use wardgate_shared::time::Timestamp;
use zeroize::Zeroizing;

use crate::config::PublicUrl;
use crate::domain::factor::Factor;
use crate::error::internal::InternalError;
use crate::keys::Sealer;
use crate::rng;

/// The bytes of a seed: 160 bits (RFC 4226 section 4).
pub const SEED_BYTES: usize = 20;
/// The least bytes of a seed that comes from elsewhere: 128 bits (RFC 4226 section 4).
const LEAST_SEED_BYTES: usize = 16;
/// The most bytes of such a seed.
const MOST_SEED_BYTES: usize = 64;
/// Digits of a code.
const DIGITS: u8 = 6;
/// Seconds of a time step.
const STEP_SECONDS: u64 = 30;
/// How many steps the clock of a telephone may be off, either way (RFC 6238 section 5.2).
const SKEW_STEPS: u16 = 1;

/// What an authenticator app and the issuer share.
#[derive(Clone, Debug)]
pub struct Seed(Secret<Vec<u8>>);

impl Seed {
    /// A new seed.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn generate() -> Result<Self, InternalError> {
        Ok(Self(Secret::new(rng::bytes::<SEED_BYTES>()?.to_vec())))
    }

    /// The seed of this Base32 text (RFC 4648 section 6), in whatever letter case and with or without spaces; `None` for any other
    /// text and for one that is too short or too long.
    pub fn parse(text: &str) -> Option<Self> {
        let letters: Zeroizing<String> = Zeroizing::new(
            text.chars()
                .filter(|character| !character.is_whitespace() && *character != '=')
                .map(|character| character.to_ascii_uppercase())
                .collect(),
        );
        let seed = totp_rs::Secret::try_from_base32(letters.as_str()).ok()?;
        let bytes = seed.as_bytes();
        let is_lawful = (LEAST_SEED_BYTES..=MOST_SEED_BYTES).contains(&bytes.len());
        is_lawful.then(|| Self(Secret::new(bytes.to_vec())))
    }

    /// The seed of a stored factor.
    ///
    /// # Errors
    /// When it does not open.
    pub fn open(sealer: &Sealer, factor: &Factor) -> Result<Self, InternalError> {
        let stored = factor.sealed.as_deref().unwrap_or_default();
        let plain = sealer
            .open(stored, &Factor::context(&factor.id))
            .map_err(|_| InternalError::Dangling("the seed of an authenticator app"))?;
        Ok(Self(Secret::new(plain.to_vec())))
    }

    /// The seed as the factor of this id stores it.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn seal(&self, sealer: &Sealer, factor_id: &str) -> Result<Vec<u8>, InternalError> {
        Ok(sealer.seal(self.0.expose(), &Factor::context(factor_id))?)
    }

    /// The seed in Base32, without the padding.
    pub fn text(&self) -> Zeroizing<String> {
        Zeroizing::new(totp_rs::Secret::from(self.0.expose().as_slice()).to_base32())
    }

    /// The time step whose code `typed` is: the present one or one beside it. Spaces do not count; compared in constant time.
    pub fn step_of(&self, typed: &str, now: Timestamp) -> Option<i64> {
        let digits: String = typed
            .chars()
            .filter(|character| !character.is_whitespace())
            .collect();
        let is_code = digits.len() == usize::from(DIGITS) && digits.bytes().all(|byte| byte.is_ascii_digit());
        if !is_code {
            return None;
        }
        let now = u64::try_from(now.seconds()).ok()?;
        i64::try_from(self.totp(None, "")?.check(&digits, now)?).ok()
    }

    /// The code of this instant, as an app shows it.
    #[cfg(test)]
    pub(crate) fn code(&self, now: Timestamp) -> String {
        let now = u64::try_from(now.seconds()).unwrap();
        self.totp(None, "").unwrap().generate(now).to_string()
    }

    /// The link by which an app takes the seed over, for the account of `email` at the issuer of this URL.
    pub fn link(&self, public_url: &PublicUrl, email: &str) -> Option<Zeroizing<String>> {
        let totp = self.totp(Some(issuer_name(public_url)), &email.replace(':', "_"))?;
        totp.to_url().ok().map(Zeroizing::new)
    }

    fn totp(&self, issuer: Option<String>, account: &str) -> Option<Totp> {
        Builder::new()
            .with_algorithm(Algorithm::SHA1)
            .with_digits(DIGITS)
            .with_step_duration(STEP_SECONDS)
            .with_skew(SKEW_STEPS)
            .with_secret(self.0.expose().as_slice())
            .with_issuer(issuer)
            .with_account_name(account)
            .build()
            .ok()
    }
}

/// What apps call this issuer: the host of its URL, which may have no colon.
fn issuer_name(public_url: &PublicUrl) -> String {
    let (_, authority) = public_url.as_str().split_once("://").unwrap_or_default();
    match authority.split(':').next() {
        Some(host) if !host.is_empty() && !host.starts_with('[') => host.into(),
        Some(_) | None => String::from("Wardgate"),
    }
}

/// The same letters in groups of four, for people who type them.
pub fn in_groups(text: &str) -> String {
    let mut grouped = String::with_capacity(text.len().saturating_mul(2));
    for (position, letter) in text.chars().enumerate() {
        if position > 0 && position % 4 == 0 {
            grouped.push(' ');
        }
        grouped.push(letter);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use wardgate_shared::time::Timestamp;

    use super::{Seed, in_groups};
    use crate::config::PublicUrl;
    use crate::testing::START;

    /// The seed of RFC 6238 appendix B.
    fn seed_of_the_rfc() -> Seed {
        Seed::parse("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ").unwrap()
    }

    // RFC 6238 appendix B, the last six of eight digits.
    #[test]
    fn codes_are_those_of_the_rfc() {
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_234_567_890, "005924"),
            (20_000_000_000, "353130"),
        ] {
            let now = Timestamp::from_seconds(seconds);
            assert_eq!(seed_of_the_rfc().code(now), code);
            assert_eq!(seed_of_the_rfc().step_of(code, now), Some(seconds / 30));
        }
    }

    #[test]
    fn a_clock_may_be_off_by_one_step_and_not_by_two() {
        let seed = seed_of_the_rfc();
        let step = START.seconds() / 30;
        for (off, accepted) in [(-2, false), (-1, true), (0, true), (1, true), (2, false)] {
            let code = seed.code(START.plus(off * 30));
            assert_eq!(
                seed.step_of(&code, START),
                accepted.then_some(step + off),
                "{off}"
            );
        }
    }

    #[test]
    fn a_code_is_six_digits_and_spaces_do_not_count() {
        let seed = seed_of_the_rfc();
        let code = seed.code(START);
        let (first, second) = code.split_at(3);
        assert!(seed.step_of(&format!(" {first} {second} "), START).is_some());
        for typed in [
            "",
            "0",
            "12345",
            &format!("{code}0"),
            "٠١٢٣٤٥",
            "+12345",
            "12345a",
        ] {
            assert_eq!(seed.step_of(typed, START), None, "{typed}");
        }
    }

    #[test]
    fn a_link_names_issuer_account_and_seed_and_nothing_that_is_the_default() {
        let link = |url: &str, email: &str| {
            let url = PublicUrl::parse(url).unwrap();
            String::from(seed_of_the_rfc().link(&url, email).unwrap().as_str())
        };
        assert_eq!(
            link("https://id.example.org", "ada@example.org"),
            "otpauth://totp/id.example.org:ada%40example.org?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=id.example.org"
        );
        assert!(
            link("http://[::1]:8788", "a:b@example.org")
                .starts_with("otpauth://totp/Wardgate:a_b%40example.org?")
        );
    }

    #[test]
    fn a_seed_from_elsewhere_is_base32_of_a_lawful_length() {
        assert!(Seed::parse("gezd gnbv gy3t qojq gezd gnbv gy======").is_some());
        for text in [
            "",
            "GEZDGNBV",
            "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJ1",
            &"A".repeat(200),
        ] {
            assert!(Seed::parse(text).is_none(), "{text}");
        }
        assert_eq!(in_groups("GEZDGNBVGY"), "GEZD GNBV GY");
    }

    proptest! {
        #[test]
        fn whatever_is_typed_is_a_code_of_a_near_step_or_none(typed in "\\PC{0,12}", seconds in 0_i64..4_000_000_000) {
            let now = Timestamp::from_seconds(seconds);
            if let Some(step) = seed_of_the_rfc().step_of(&typed, now) {
                prop_assert!((step - seconds / 30).abs() <= 1);
            }
        }

        #[test]
        fn whatever_is_imported_is_a_seed_that_reads_back_or_none(text in "\\PC{0,80}") {
            if let Some(seed) = Seed::parse(&text) {
                prop_assert!(Seed::parse(&seed.text()).is_some());
            }
        }
    }
}
