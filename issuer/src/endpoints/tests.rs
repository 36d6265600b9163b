//! What holds across endpoints.

mod fapi;
