//! What clients get: opaque secrets, signed tokens, and the response that carries them.
//!
//! [`confirmation`] says what a token asks of its holder; [`granting`] decides which scopes a token may carry,
//! [`launch_context`] in which clinical context; [`opaque`] makes codes and refresh tokens; [`signed`] makes access
//! tokens (RFC 9068) and ID tokens (OpenID Connect Core section 2); [`response`] is RFC 6749 section 5.1 with SMART's
//! launch context; [`own`] knows them again; [`status_places`] and [`status_lists`] let others see which were revoked. Nothing here decides whether a token may be issued; that is the endpoint's business.

pub mod confirmation;
pub mod exchanged;
pub mod granting;
pub mod launch_context;
pub mod opaque;
pub mod own;
pub mod response;
pub mod signed;
pub mod status_lists;
pub mod status_places;
pub mod subjects;
