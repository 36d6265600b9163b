//! What was measured, as a table, with the targets beside it.

use std::{collections::BTreeMap, fmt::Write as _, thread, time::Duration};

use super::{
    super::{CONNECTIONS, load::Measured, report::load_average},
    Tokens,
    candidate::Candidate,
    coordinator,
};
use crate::{
    versions::LARGEST_WORKER_GZIPPED,
    wasm::{Sizes, kilobytes},
};

/// One turn of one candidate.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    /// What the load generator saw.
    pub(super) measured: Measured,
    /// How long processors worked for the candidate, as far as the system says.
    pub(super) processor_time: Option<Duration>,
}

impl Sample {
    /// How many requests were answered.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count of a few seconds, and the cast saturates"
    )]
    pub(super) const fn asked(&self) -> u32 {
        self.measured.requests as u32
    }

    /// Microseconds of processor time for each answer.
    fn processor(&self) -> Option<f64> {
        Some(self.processor_time?.as_secs_f64() * 1e6 / self.measured.requests)
    }
}

/// Everything that was measured.
pub(super) struct Report {
    rounds: u32,
    seconds: u32,
    sizes: Sizes,
    samples: BTreeMap<(Tokens, Candidate), Vec<Sample>>,
    /// From the start of the process to the first answer.
    pub(super) first_answers: Vec<(Candidate, Duration)>,
    /// How often the coordinator was asked for [`coordinator::REQUESTS`] requests.
    pub(super) coordinator: Option<usize>,
}

impl Report {
    /// A report of nothing yet.
    pub(super) fn new(rounds: u32, seconds: u32, sizes: Sizes) -> Self {
        Self {
            rounds,
            seconds,
            sizes,
            samples: BTreeMap::new(),
            first_answers: Vec::new(),
            coordinator: None,
        }
    }

    /// Takes the sample of the round that runs. Each candidate has one sample a round, in order.
    pub(super) fn add(&mut self, candidate: Candidate, tokens: Tokens, sample: Sample) {
        self.samples.entry((tokens, candidate)).or_default().push(sample);
    }

    /// The table as text.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for tokens in Tokens::ALL {
            self.rows(&mut text, tokens);
        }
        put(
            &mut text,
            format_args!("\nFrom the start of the process to the first answer, ms:"),
        );
        for (candidate, time) in &self.first_answers {
            let milliseconds = time.as_secs_f64() * 1e3;
            put(
                &mut text,
                format_args!(" {} {milliseconds:.0};", candidate.name()),
            );
        }
        let (raw, gzipped) = (kilobytes(self.sizes.raw), kilobytes(self.sizes.gzipped));
        put(
            &mut text,
            format_args!("\nThe Worker's wasm: {raw} raw, {gzipped} gzipped.\n\n"),
        );
        self.targets(&mut text);
        let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
        put(
            &mut text,
            format_args!(
                "\nMedians of {} rounds of {} s, {CONNECTIONS} connections, one load generator thread, RS256. Load generator, upstream and \
                 candidate share {cores} cores, and other work on the machine makes all of them slower: only ratios hold.{}\n\
                 CPU us: processor time of the candidate's process for each answer, in microseconds. of twin: requests a \
                 second by those of the twin in the same round, the median. The JavaScript candidates write no log, the one that says so \
                 excepted; jose and hono are given their keys once, look at no scope, and know no revocation.\n",
                self.rounds,
                self.seconds,
                load_average(),
            ),
        );
        text
    }

    fn rows(&self, text: &mut String, tokens: Tokens) {
        put(
            text,
            format_args!(
                "\n{:<32} {:>9} {:>8} {:>8} {:>8} {:>9} {:>9}\n",
                tokens.name(),
                "req/s",
                "p50 ms",
                "p99 ms",
                "CPU us",
                "of twin",
                "of jose"
            ),
        );
        for candidate in Candidate::ALL {
            let Some(samples) = self.samples.get(&(tokens, candidate)) else {
                continue;
            };
            let middle =
                |number: fn(&Sample) -> Option<f64>| median(samples.iter().filter_map(number).collect());
            let shown = |number: Option<f64>, digits: usize| {
                number.map_or_else(|| "-".to_owned(), |number| format!("{number:.digits$}"))
            };
            put(
                text,
                format_args!(
                    "{:<32} {:>9} {:>8} {:>8} {:>8} {:>9} {:>9}\n",
                    candidate.name(),
                    shown(middle(|sample| Some(sample.measured.rate)), 0),
                    shown(middle(|sample| Some(sample.measured.p50)), 2),
                    shown(middle(|sample| Some(sample.measured.p99)), 2),
                    shown(middle(Sample::processor), 0),
                    shown(self.ratio(tokens, candidate, Candidate::Twin), 2),
                    shown(self.ratio(tokens, candidate, Candidate::Jose), 2),
                ),
            );
        }
    }

    /// The median over the rounds of one candidate's rate by another's.
    fn ratio(&self, tokens: Tokens, one: Candidate, other: Candidate) -> Option<f64> {
        let one = self.samples.get(&(tokens, one))?;
        let other = self.samples.get(&(tokens, other))?;
        let ratios = one.iter().zip(other);
        median(
            ratios
                .map(|(one, other)| one.measured.rate / other.measured.rate)
                .collect(),
        )
    }

    fn targets(&self, text: &mut String) {
        let ours = Candidate::Ours;
        for (tokens, other, least) in [
            (Tokens::Hot, Candidate::Twin, 0.9),
            (Tokens::Hot, Candidate::Jose, 1.0),
            (Tokens::New, Candidate::Jose, 0.85),
            (Tokens::Hot, Candidate::JoseCounting, 2.0),
            (Tokens::New, Candidate::JoseCounting, 2.0),
        ] {
            if let Some(ratio) = self.ratio(tokens, ours, other) {
                let what = format!("{}: {ratio:.2} x {}", tokens.name(), other.name());
                line(text, &what, &format!("at least {least}"), ratio >= least);
            }
        }
        if let Some(asked) = self.coordinator {
            let requests = coordinator::REQUESTS;
            let what = format!(
                "the coordinator was asked {asked} times for {requests} requests at {requests} a minute"
            );
            line(text, &what, "at most 20", asked <= 20);
        }
        let what = format!("the wasm has {} bytes gzipped", self.sizes.gzipped);
        let target = format!("less than {LARGEST_WORKER_GZIPPED}");
        line(text, &what, &target, self.sizes.gzipped < LARGEST_WORKER_GZIPPED);
    }
}

fn line(text: &mut String, what: &str, target: &str, met: bool) {
    let verdict = if met { "met" } else { "NOT MET" };
    put(text, format_args!("{verdict:<8} {what} (target: {target})\n"));
}

/// The middle one, or the mean of the two in the middle.
fn median(mut numbers: Vec<f64>) -> Option<f64> {
    numbers.sort_unstable_by(f64::total_cmp);
    let half = numbers.len() / 2;
    let upper = *numbers.get(half)?;
    if numbers.len() % 2 == 1 {
        return Some(upper);
    }
    Some(f64::midpoint(*numbers.get(half.checked_sub(1)?)?, upper))
}

/// Writing to a `String` cannot fail.
fn put(text: &mut String, what: std::fmt::Arguments<'_>) {
    let _ = text.write_fmt(what);
}

#[cfg(test)]
mod tests {
    use super::{Candidate, Measured, Report, Sample, Sizes, Tokens, median};

    fn sample(rate: f64) -> Sample {
        Sample {
            measured: Measured {
                requests: rate,
                rate,
                p50: 1.0,
                p99: 2.0,
            },
            processor_time: None,
        }
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0]), Some(2.5));
        assert_eq!(median(Vec::new()), None);
    }

    #[test]
    fn a_machine_that_drifts_does_not_change_the_ratio() {
        let mut report = Report::new(3, 1, Sizes { raw: 1, gzipped: 1 });
        for speed in [1.0, 2.0, 10.0] {
            report.add(Candidate::Twin, Tokens::Hot, sample(100.0 * speed));
            report.add(Candidate::Ours, Tokens::Hot, sample(80.0 * speed));
        }
        let text = report.text();
        assert!(text.contains("NOT MET  one hot token: 0.80 x its twin"), "{text}");
        assert!(text.contains("met      the wasm has 1 bytes gzipped"), "{text}");
    }
}
