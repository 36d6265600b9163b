//! The keys of `[second_factor]`.

use super::{ConfigOption, option};

pub(super) const OPTIONS: &[ConfigOption] = &[
    option(
        "second_factor.policy",
        Some("\"optional\""),
        "optional or required",
        "Whether everybody who signs in here must have a second factor. With optional those must whose role or organization says \
         so; whoever has one is asked for it either way.",
    ),
    option(
        "second_factor.offer",
        Some("true"),
        "true or false",
        "Whether people who have no second factor, and need none, are offered one when they sign in. Who says \"not now\" is not \
         asked again.",
    ),
    option(
        "second_factor.interval_seconds",
        Some("259200"),
        "seconds, 60 to 31536000",
        "How long after the last one a second factor is asked for again, while its person is active in a browser that they had \
         remembered, or in a session.",
    ),
    option(
        "second_factor.idle_seconds",
        Some("604800"),
        "seconds, 60 to 31536000",
        "After how long without its person's being seen in such a browser a second factor is asked for again.",
    ),
    option(
        "second_factor.reauthenticate_seconds",
        Some("900"),
        "seconds, 60 to 86400",
        "How long after signing in a person may change their factors, and other things that protect the account, without signing \
         in again.",
    ),
    option(
        "second_factor.after_single_sign_on",
        Some("false"),
        "true or false",
        "Whether people who must have a second factor are asked for it after single sign-on too. With false the other identity \
         provider's word counts, which its connection attests.",
    ),
    option(
        "second_factor.messages_per_hour",
        Some("5"),
        "messages, 1 to 100",
        "How many codes are sent to one person, and to one telephone, in an hour.",
    ),
];
