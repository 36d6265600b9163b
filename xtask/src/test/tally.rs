//! What the steps came to: their counts, the table and the last line.

use std::{fmt, fmt::Write as _, time::Duration};

use super::StepName;
use crate::clock::readable;

/// The result of a step that ran.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Verdict {
    /// So many tests passed and failed; a step that is not a test run counts as one.
    Counted {
        /// Passed tests.
        passed: u64,
        /// Failed tests.
        failed: u64,
    },
    /// There was nothing to run on, for this reason.
    Skipped(String),
}

impl Verdict {
    /// One check, passed.
    pub(super) fn passed() -> Self {
        Self::Counted { passed: 1, failed: 0 }
    }

    /// One check, failed.
    pub(super) fn failed() -> Self {
        Self::Counted { passed: 0, failed: 1 }
    }

    /// Both counts together; a skipped part counts nothing.
    pub(super) fn and(&self, other: &Self) -> Self {
        match (self, other) {
            (
                Self::Counted { passed, failed },
                Self::Counted {
                    passed: more_passed,
                    failed: more_failed,
                },
            ) => Self::Counted {
                passed: passed + more_passed,
                failed: failed + more_failed,
            },
            (Self::Skipped(_), counted) | (counted, Self::Skipped(_)) => counted.clone(),
        }
    }

    /// The sum of all `test result:` lines that cargo's test programs print. A run that failed without a failed test
    /// (it did not compile, or a test program died) counts as one failure, and so does one that ran nothing at all.
    pub(super) fn of_test_output(output: &str, success: bool) -> Self {
        let mut sums = (0_u64, 0_u64);
        for line in output
            .lines()
            .filter_map(|line| line.trim().strip_prefix("test result:"))
        {
            sums.0 += count_before(line, "passed");
            sums.1 += count_before(line, "failed");
        }
        let (passed, mut failed) = sums;
        if (!success && failed == 0) || (passed, failed) == (0, 0) {
            failed = 1;
        }
        Self::Counted { passed, failed }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Counted { passed: 1, failed: 0 } => formatter.write_str("passed"),
            Self::Counted { passed: 0, failed: 1 } => formatter.write_str("FAILED"),
            Self::Counted { passed, failed: 0 } => write!(formatter, "{passed} passed"),
            Self::Counted { passed, failed } => write!(formatter, "{passed} passed, {failed} FAILED"),
            Self::Skipped(reason) => write!(formatter, "skipped: {reason}"),
        }
    }
}

/// The number right before `word` in `ok. 5 passed; 0 failed; …`.
fn count_before(line: &str, word: &str) -> u64 {
    let words: Vec<&str> = line.split([' ', ';']).filter(|word| !word.is_empty()).collect();
    words
        .windows(2)
        .find_map(|pair| match pair {
            [number, name] if *name == word => number.parse().ok(),
            _ => None,
        })
        .unwrap_or(0)
}

/// The results so far.
#[derive(Debug, Default)]
pub(super) struct Tally {
    rows: Vec<(StepName, Verdict, Duration)>,
}

impl Tally {
    /// Notes a step that ran.
    pub(super) fn add(&mut self, name: StepName, verdict: Verdict, took: Duration) {
        self.rows.push((name, verdict, took));
    }

    /// Notes a step that did not run.
    pub(super) fn leave_out(&mut self, name: StepName, reason: &str) {
        self.rows
            .push((name, Verdict::Skipped(reason.to_owned()), Duration::ZERO));
    }

    /// True when this step ran and failed.
    pub(super) fn has_failed(&self, name: StepName) -> bool {
        self.rows.iter().any(|(row, verdict, _)| {
            *row == name && matches!(verdict, Verdict::Counted { failed, .. } if *failed > 0)
        })
    }

    /// The number of failures.
    pub(super) fn failed(&self) -> u64 {
        self.sum(|verdict| {
            if let Verdict::Counted { failed, .. } = verdict {
                *failed
            } else {
                0
            }
        })
    }

    /// A row for every step.
    pub(super) fn table(&self) -> String {
        let mut table = String::new();
        for (name, verdict, took) in &self.rows {
            // Writing to a string does not fail.
            let _written = writeln!(table, "  {:<12} {:>13}  {verdict}", name.text(), readable(*took));
        }
        table
    }

    /// `N passed, N failed`.
    pub(super) fn last_line(&self) -> String {
        let passed = self.sum(|verdict| {
            if let Verdict::Counted { passed, .. } = verdict {
                *passed
            } else {
                0
            }
        });
        format!("{passed} passed, {} failed", self.failed())
    }

    fn sum(&self, count: impl Fn(&Verdict) -> u64) -> u64 {
        self.rows.iter().map(|(_, verdict, _)| count(verdict)).sum()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{StepName, Tally, Verdict};

    const OUTPUT: &str = "running 3 tests\n\
        test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s\n\
        test result: FAILED. 4 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s\n";

    #[test]
    fn counts_are_summed_over_test_programs() {
        assert_eq!(
            Verdict::of_test_output(OUTPUT, false),
            Verdict::Counted { passed: 7, failed: 2 }
        );
    }

    #[test]
    fn run_that_did_not_compile_or_ran_nothing_is_a_failure() {
        assert_eq!(Verdict::of_test_output("error[E0308]", false), Verdict::failed());
        assert_eq!(Verdict::of_test_output("", true), Verdict::failed());
        let died = "test result: ok. 3 passed; 0 failed; 0 ignored\nerror: test failed, signal 6";
        assert_eq!(
            Verdict::of_test_output(died, false),
            Verdict::Counted { passed: 3, failed: 1 }
        );
    }

    #[test]
    fn last_line_is_plain_and_skipped_steps_count_nothing() {
        let mut tally = Tally::default();
        tally.add(StepName::Fmt, Verdict::passed(), Duration::ZERO);
        tally.add(
            StepName::Unit,
            Verdict::of_test_output(OUTPUT, false),
            Duration::from_secs(61),
        );
        tally.leave_out(StepName::Fuzz, "no nightly");
        assert_eq!(tally.last_line(), "8 passed, 2 failed");
        assert!(tally.has_failed(StepName::Unit));
        assert!(!tally.has_failed(StepName::Fmt));
        assert!(tally.table().contains("skipped: no nightly"));
    }
}
