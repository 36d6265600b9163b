//! The keys of the sections `audit` and `backup`: what is kept, and for how long.

use super::{ConfigOption, option};

pub(super) const OPTIONS: &[ConfigOption] = &[
    option(
        "audit.retention_days",
        Some("2190"),
        "days, 0 to 36500; 0 is for ever",
        "How long a line of the audit trail is kept: six years, as HIPAA asks (45 CFR 164.316(b)(2)(i)). Older lines are retired once a \
         day; export them before (`wardgate audit export`). What is left can still be checked.",
    ),
    option(
        "backup.folder",
        None,
        "path of a folder; empty for none",
        "Where the server writes copies of its database by itself, as `wardgate-20270115T080000Z.db`. The folder must exist; keep it on \
         another disk, and not beside the master key.",
    ),
    option(
        "backup.interval_seconds",
        Some("86400"),
        "seconds, 60 to 31536000",
        "How far apart such copies are.",
    ),
    option(
        "backup.keep",
        Some("14"),
        "files, 1 to 10000",
        "How many such copies are kept; older ones are deleted.",
    ),
];
