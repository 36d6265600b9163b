//! The description against the router and against real answers.

mod calls;
mod checker;
mod postman;
mod routes;
