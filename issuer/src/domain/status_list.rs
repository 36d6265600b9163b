//! Status lists as the issuer keeps them: which lists there are, and which token has which place.

use std::sync::Arc;

use wardgate_shared::time::Timestamp;

/// A list of statuses, while it may still be given out. Its bits are not kept: they follow from the tokens' records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusListShard {
    /// 22 random characters, which end its URI.
    pub id: String,
    /// How many tokens have a place in it.
    pub entries: u32,
    /// When the last token that can have been given a place has expired.
    pub expires_at: Timestamp,
}

/// A token's place in a list. No two tokens ever have the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusListEntry {
    /// The list.
    pub list: Arc<StatusListShard>,
    /// The place, from zero.
    pub index: u32,
}
