//! The binary `wardgate`. Everything it does is in the library, where tests reach it.

use std::process::ExitCode;
use std::sync::Arc;

use wardgate_issuer::clock::SystemClock;

fn main() -> ExitCode {
    wardgate_issuer::cli::main(Arc::new(SystemClock))
}
