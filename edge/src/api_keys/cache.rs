//! What is known of keys and secrets that were exchanged, or are, or were refused.
//!
//! A pair is known by a hash over it that is keyed by random bytes of this isolate: the secret is not kept. A token is used
//! until shortly before its end, and from the middle of its life on another is fetched beside the requests, so that an issuer
//! that is away for a moment is not noticed. What the issuer refused is refused for a while without asking it, and so it is with
//! what it could not answer.
//!
//! Memory is bounded, and what strangers can fill of it makes way first. How many strangers are asked for in a second is
//! bounded too; pairs for which there is a token are not among them.

use std::rc::Rc;

use sha2::{Digest, Sha256};
use wardgate_shared::time::Timestamp;

/// How long a pair is refused without asking, in seconds.
pub const REFUSED_SECONDS: i64 = 30;
/// How long an issuer that could not answer is not asked about the same pair, in seconds.
pub const FAILED_SECONDS: i64 = 5;
/// How many pairs without a token the issuer is asked about in a second.
pub const EXCHANGES_PER_SECOND: u32 = 20;
/// How many pairs are known at most; in [`REFUSED_SECONDS`] strangers fill less than a third of it.
pub const MAXIMUM_PAIRS: usize = 2_048;
/// How long before its end a token is no longer used, in seconds; of short-lived ones a tenth of their life.
const MARGIN_SECONDS: i64 = 10;

/// The name of a key and its secret towards an API.
pub type PairName = [u8; 32];

/// What is known of the pairs of an isolate.
#[derive(Debug, Default)]
pub struct ExchangeCache {
    /// Makes the names; drawn with the first pair.
    hash_key: Option<[[u8; 16]; 2]>,
    /// The oldest first. Few enough to be looked through: a map is several kB in the Worker.
    pairs: Vec<(PairName, Pair)>,
    /// The second in which exchanges were last begun for strangers, and how many.
    begun: (i64, u32),
}

#[derive(Debug)]
struct Pair {
    token: Option<Token>,
    attempt: Attempt,
}

#[derive(Debug)]
struct Token {
    text: Rc<str>,
    renew_at: Timestamp,
    end: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attempt {
    None,
    /// One runs; at this time it counts as abandoned.
    Running(Timestamp),
    /// The issuer refused the pair, which counts until then.
    Refused(Timestamp),
    /// The issuer is not asked again until then.
    Failed(Timestamp),
}

/// What to do for a pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// Use this token. When `renew` is set, exchange the pair beside the request.
    Token {
        /// The token.
        token: Rc<str>,
        /// Whether it is in the second half of its life, and nobody fetches another.
        renew: bool,
    },
    /// Exchange the pair and look again.
    Exchange,
    /// Somebody is exchanging it: look again a little later.
    Wait,
    /// The issuer refused it.
    Refused,
    /// It cannot be exchanged now.
    Unavailable {
        /// When to try again, at least 1.
        retry_after_seconds: i64,
    },
}

/// What came of an exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exchanged {
    /// A token, and how long it lives, in seconds.
    Token(String, i64),
    /// The issuer says that key or secret are no good.
    Refused,
    /// No answer, or none that can be used.
    Failed,
}

impl ExchangeCache {
    /// The name of a pair towards an API. Of the same pair towards another API another token is needed. `random` gives random
    /// bytes; should it give the same ones always, a secret of 256 random bits is still not to be found from its hash.
    pub fn name(&mut self, api: &str, key: &str, secret: &str, random: &dyn Fn() -> [u8; 16]) -> PairName {
        let hash_key = self.hash_key.get_or_insert_with(|| [random(), random()]);
        let mut hash = Sha256::new();
        for half in hash_key {
            hash.update(half);
        }
        // Neither half has a zero in it, nor has the name of an API.
        for part in [api, key, secret] {
            hash.update(part);
            hash.update([0]);
        }
        hash.finalize().into()
    }

    /// Whether there is a token for a pair at `now`.
    pub fn holds(&self, name: &PairName, now: Timestamp) -> bool {
        let token = self.pair(name).and_then(|pair| pair.token.as_ref());
        token.is_some_and(|token| now < token.end)
    }

    /// What to do for a pair at `now`. Whoever is told to exchange it begins at once, by [`Self::start`].
    pub fn look_up(&mut self, name: &PairName, now: Timestamp) -> Lookup {
        let mut attempt = Attempt::None;
        if let Some(pair) = self.pair(name) {
            attempt = pair.attempt;
            if let Some(token) = pair.token.as_ref().filter(|token| now < token.end) {
                let idle = match attempt {
                    Attempt::None | Attempt::Refused(_) => true,
                    Attempt::Running(until) | Attempt::Failed(until) => now >= until,
                };
                return Lookup::Token {
                    token: Rc::clone(&token.text),
                    renew: idle && now >= token.renew_at,
                };
            }
        }
        match attempt {
            Attempt::Running(until) if now < until => Lookup::Wait,
            Attempt::Refused(until) if now < until => Lookup::Refused,
            Attempt::Failed(until) if now < until => Lookup::Unavailable {
                retry_after_seconds: until.since(now),
            },
            Attempt::None | Attempt::Running(_) | Attempt::Refused(_) | Attempt::Failed(_) => {
                let (second, begun) = self.begun;
                let begun = if second == now.seconds() { begun } else { 0 };
                if begun >= EXCHANGES_PER_SECOND {
                    return Lookup::Unavailable {
                        retry_after_seconds: 1,
                    };
                }
                self.begun = (now.seconds(), begun.saturating_add(1));
                Lookup::Exchange
            }
        }
    }

    /// Notes that an exchange begins, which counts as abandoned at `until`.
    pub fn start(&mut self, name: PairName, now: Timestamp, until: Timestamp) {
        let attempt = Attempt::Running(until);
        if let Some(pair) = self.pair_mut(&name) {
            pair.attempt = attempt;
            return;
        }
        self.make_room(now);
        self.pairs.push((name, Pair { token: None, attempt }));
    }

    /// Notes at `now` what came of an exchange that began at `started`. A token is used for at most `longest` seconds.
    pub fn conclude(
        &mut self,
        name: &PairName,
        exchanged: Exchanged,
        started: Timestamp,
        now: Timestamp,
        longest: i64,
    ) {
        let Some(pair) = self.pair_mut(name) else {
            return;
        };
        pair.attempt = match exchanged {
            Exchanged::Token(text, lifetime) => {
                let margin = MARGIN_SECONDS.min(lifetime.div_euclid(10));
                let used = lifetime.saturating_sub(margin).min(longest);
                pair.token = Some(Token {
                    text: text.into(),
                    renew_at: started.plus(used.div_euclid(2)),
                    end: started.plus(used),
                });
                Attempt::None
            }
            Exchanged::Refused => {
                pair.token = None;
                Attempt::Refused(now.plus(REFUSED_SECONDS))
            }
            Exchanged::Failed => Attempt::Failed(now.plus(FAILED_SECONDS)),
        };
    }

    /// Forgets a token that is no longer good, unless another is there already.
    pub fn forget(&mut self, name: &PairName, token: &str) {
        if let Some(pair) = self.pair_mut(name)
            && pair.token.as_ref().is_some_and(|known| *known.text == *token)
        {
            pair.token = None;
        }
    }

    /// Forgets a token that was never good, and asks for no other for a while: gives how long, in seconds.
    pub fn distrust(&mut self, name: &PairName, token: &str, now: Timestamp) -> i64 {
        self.forget(name, token);
        if let Some(pair) = self.pair_mut(name)
            && pair.token.is_none()
        {
            pair.attempt = Attempt::Failed(now.plus(FAILED_SECONDS));
        }
        FAILED_SECONDS
    }

    fn pair(&self, name: &PairName) -> Option<&Pair> {
        let mut pairs = self.pairs.iter();
        pairs.find(|(own, _)| own == name).map(|(_, pair)| pair)
    }

    fn pair_mut(&mut self, name: &PairName) -> Option<&mut Pair> {
        let mut pairs = self.pairs.iter_mut();
        pairs.find(|(own, _)| own == name).map(|(_, pair)| pair)
    }

    /// Forgets pairs that say nothing any more when there are too many, then those without a token, then any.
    fn make_room(&mut self, now: Timestamp) {
        if self.pairs.len() < MAXIMUM_PAIRS {
            return;
        }
        for only_tokens in [false, true] {
            self.pairs.retain(|(_, pair)| {
                let counts = match pair.attempt {
                    Attempt::None => false,
                    Attempt::Running(until) | Attempt::Refused(until) | Attempt::Failed(until) => now < until,
                };
                (counts && !only_tokens) || pair.token.as_ref().is_some_and(|token| now < token.end)
            });
            if self.pairs.len() < MAXIMUM_PAIRS {
                return;
            }
        }
        self.pairs.remove(0);
    }
}

#[cfg(test)]
mod tests;
