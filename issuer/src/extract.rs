//! Reading requests at the border: what handlers get is parsed, or refused here.
//!
//! Nothing of a request is trusted on entry. Repeated parameters are seen, malformed percent-encoding and UTF-8 are refused,
//! an empty value counts as absent (RFC 6749 sections 3.1 and 3.2), unknown parameters are kept and never looked at.

pub mod client_address;
pub mod cookies;
pub mod form;
pub mod form_or_json;
pub mod forwarded;
pub mod json_body;
pub mod parameters;
pub mod request_target;
pub mod same_origin;
pub mod signed_in;

pub use client_address::{ClientAddress, distinguishing_address};
pub use form::{Form, FormError};
pub use form_or_json::FormOrJson;
pub use forwarded::Origin;
pub use json_body::{JsonBody, JsonBodyError};
pub use parameters::{Parameters, ParametersError, RepeatedParameter};
pub use request_target::RequestTarget;
pub use same_origin::SameOrigin;
pub use signed_in::{BrowserSession, SignedIn};
