//! The keys of the section `audit`.

use super::{ConfigOption, option};

pub(super) const OPTIONS: &[ConfigOption] = &[option(
    "audit.retention_days",
    Some("2190"),
    "days, 0 to 36500; 0 is for ever",
    "How long a line of the audit trail is kept: six years, as HIPAA asks (45 CFR 164.316(b)(2)(i)). Older lines are retired once a \
         day; export them before (`wardgate audit export`). What is left can still be checked.",
)];
