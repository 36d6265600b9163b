//! Instruments under their names, and the table of them in `docs/monitoring.md`.

use std::fmt::Write as _;

use prometheus_client::encoding::EncodeMetric;
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Metric, Registry, Unit};

/// What the names of the issuer's own instruments begin with.
const PREFIX: &str = "wardgate_issuer";

/// What is to be known of an instrument.
#[derive(Clone, Debug)]
pub struct Described {
    /// Its name as a query uses it; that of a histogram without `_bucket`, `_sum` and `_count`.
    pub name: String,
    /// `counter`, `gauge` or `histogram`.
    pub kind: &'static str,
    /// The names of its labels, separated by commas.
    pub labels: &'static str,
    /// What it says.
    pub help: &'static str,
}

/// Registers instruments and keeps what was said of them.
pub(super) struct Registrar<'a> {
    registry: &'a mut Registry,
    described: Vec<Described>,
}

impl<'a> Registrar<'a> {
    pub(super) const fn new(registry: &'a mut Registry) -> Self {
        Self {
            registry,
            described: Vec::new(),
        }
    }

    /// An instrument without a unit.
    pub(super) fn add(
        &mut self,
        name: &str,
        labels: &'static str,
        help: &'static str,
        metric: &(impl Metric + Clone),
    ) {
        self.describe(&format!("{PREFIX}_{name}"), labels, help, metric);
        self.registry
            .register(format!("{PREFIX}_{name}"), help, metric.clone());
    }

    /// An instrument that counts in `unit`, which is added to its name.
    pub(super) fn add_in(
        &mut self,
        name: &str,
        unit: Unit,
        labels: &'static str,
        help: &'static str,
        metric: &(impl Metric + Clone),
    ) {
        self.describe(
            &format!("{PREFIX}_{name}_{}", unit.as_str()),
            labels,
            help,
            metric,
        );
        self.registry
            .register_with_unit(format!("{PREFIX}_{name}"), help, unit, metric.clone());
    }

    /// An instrument of the process, by the name that every program gives it.
    pub(super) fn add_of_process(
        &mut self,
        name: &'static str,
        help: &'static str,
        metric: &(impl Metric + Clone),
    ) {
        self.describe(name, "", help, metric);
        self.registry.register(name, help, metric.clone());
    }

    pub(super) fn finish(self) -> Vec<Described> {
        self.described
    }

    fn describe(&mut self, name: &str, labels: &'static str, help: &'static str, metric: &impl EncodeMetric) {
        let (kind, ending) = match metric.metric_type() {
            MetricType::Counter => ("counter", "_total"),
            MetricType::Gauge => ("gauge", ""),
            MetricType::Histogram => ("histogram", ""),
            MetricType::Info => ("info", "_info"),
            MetricType::Unknown => ("unknown", ""),
        };
        self.described.push(Described {
            name: format!("{name}{ending}"),
            kind,
            labels,
            help,
        });
    }
}

/// The table of `docs/monitoring.md`.
pub fn documentation(described: &[Described]) -> String {
    let mut text = String::from("| name | kind | labels | what it says |\n|---|---|---|---|\n");
    for Described {
        name,
        kind,
        labels,
        help,
    } in described
    {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "| `{name}` | {kind} | {labels} | {help} |");
    }
    text
}
