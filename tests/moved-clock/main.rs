//! The issuer's own program on a clock that tests move: the machine's, shifted by the seconds that stand in the file of
//! `WARDGATE_TEST_CLOCK`. Everything else is as in `wardgate`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use wardgate_issuer::clock::{Clock, SystemClock};
use wardgate_shared::time::Timestamp;

struct ShiftedClock(PathBuf);

impl Clock for ShiftedClock {
    fn now(&self) -> Timestamp {
        let shift = std::fs::read_to_string(&self.0).expect("the file of WARDGATE_TEST_CLOCK");
        SystemClock.now().plus(shift.trim().parse().expect("seconds"))
    }
}

fn main() -> ExitCode {
    let file = std::env::var_os("WARDGATE_TEST_CLOCK").expect("WARDGATE_TEST_CLOCK");
    wardgate_issuer::cli::main(Arc::new(ShiftedClock(file.into())))
}
