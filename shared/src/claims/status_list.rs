//! Where a token's status stands, and the token that says the status of many: Token Status List
//! (draft-ietf-oauth-status-list, sections 5.1 and 6).

use alloc::string::String;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::jwt::{Audiences, RegisteredClaims};
use crate::status_list::{CompressedStatusList, StatusBits};

/// `typ` of a status list token (section 5.1).
pub const STATUS_LIST_TYPE: &str = "statuslist+jwt";
/// The media type of a status list token (section 8.1).
pub const STATUS_LIST_MEDIA_TYPE: &str = "application/statuslist+jwt";

/// The claim `status` of a token: how to find out whether it still holds (section 6.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// `status_list`: its place in a list. Absent when the issuer uses some other mechanism, which is not known here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_list: Option<StatusListReference>,
}

/// The place of a token in a status list (section 6.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusListReference {
    /// `idx`: the number of the token's status in the list, from zero. A list without this number refuses the token.
    #[serde(rename = "idx")]
    pub index: u64,
    /// `uri`: where the list is, and the `sub` of the token that holds it.
    pub uri: String,
}

/// What a status list token says besides `exp` and `iat` (section 5.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusListClaims {
    /// `iss`: the issuer's URL. The draft leaves it out; without it a key that two issuers share would serve for both.
    #[serde(rename = "iss")]
    pub issuer: String,
    /// `sub`: the list's own URI. Whoever fetched the list must compare it with the `uri` that the token named.
    #[serde(rename = "sub")]
    pub uri: String,
    /// `ttl`: how many seconds after `iat` a fresh copy should be fetched.
    #[serde(default, rename = "ttl", skip_serializing_if = "Option::is_none")]
    pub time_to_live_seconds: Option<u32>,
    /// `status_list`: the statuses.
    pub status_list: CompressedStatusList,
    /// `deny_before`: tokens of this issuer that are refused by whose they are, as [`crate::denial::encode`] writes them. Not of the
    /// draft.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deny_before: Option<String>,
}

impl RegisteredClaims for StatusListClaims {
    /// A list is for whoever checks a token.
    const NAMES_AUDIENCES: bool = false;

    fn of_members(members: Map<String, Value>) -> Option<Self> {
        let text = |value: &Value| value.as_str().map(String::from);
        let time_to_live = members.get("ttl").filter(|value| !value.is_null());
        let time_to_live =
            time_to_live.map(|value| value.as_u64().and_then(|seconds| u32::try_from(seconds).ok()));
        let list = members.get("status_list")?;
        let bits = list.get("bits")?.as_u64()?;
        Some(Self {
            issuer: text(members.get("iss")?)?,
            uri: text(members.get("sub")?)?,
            time_to_live_seconds: match time_to_live {
                Some(seconds) => Some(seconds?),
                None => None,
            },
            status_list: CompressedStatusList {
                bits: u8::try_from(bits)
                    .ok()
                    .and_then(|bits| StatusBits::try_from(bits).ok())?,
                list: text(list.get("lst")?)?,
            },
            deny_before: match members.get("deny_before").filter(|value| !value.is_null()) {
                Some(denials) => Some(text(denials)?),
                None => None,
            },
        })
    }

    fn issuer(&self) -> &str {
        &self.issuer
    }

    fn audiences(&self) -> &Audiences {
        const { &Audiences::new(alloc::vec::Vec::new()) }
    }
}
