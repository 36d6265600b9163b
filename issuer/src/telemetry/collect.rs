//! The layer that makes spans of [`super::spans`] into what is exported.

use tokio::sync::mpsc;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use crate::clock::unix_nanoseconds;
use crate::config::Sampling;

use super::TARGET;
use super::context::{SpanId, TraceId, TraceParent};

/// The attributes that may be exported. Everything else that a span holds is left out.
const ATTRIBUTES: &[&str] = &[
    "http.request.method",
    "http.route",
    "http.response.status_code",
    "wardgate.kind",
    "wardgate.outcome",
    "wardgate.algorithm",
];

/// An attribute's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttributeValue {
    /// A word.
    Text(String),
    /// A number.
    Number(u64),
}

/// A span that has ended.
#[derive(Clone, Debug)]
pub struct EndedSpan {
    /// Its trace.
    pub trace: TraceId,
    /// Its name in the trace.
    pub span: SpanId,
    /// The span it is part of, if any.
    pub parent: Option<SpanId>,
    /// What it is.
    pub name: &'static str,
    /// When it began, in nanoseconds since 1970.
    pub began: u64,
    /// When it ended.
    pub ended: u64,
    /// What is said of it.
    pub attributes: Vec<(&'static str, AttributeValue)>,
}

/// A span under way; one that is not sampled is kept only so that those in it are not either.
struct OpenSpan {
    trace: TraceId,
    span: SpanId,
    parent: Option<SpanId>,
    is_sampled: bool,
    began: u64,
    attributes: Vec<(&'static str, AttributeValue)>,
}

/// Whether a span is one of those that are exported: the filter for [`Collector`].
pub fn is_exported(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && metadata.target() == TARGET
}

/// The layer.
#[derive(Debug)]
pub struct Collector {
    queue: mpsc::Sender<EndedSpan>,
    sampling: Sampling,
}

impl Collector {
    /// A layer that puts spans into `queue`, of the traces that `sampling` chooses.
    pub const fn new(queue: mpsc::Sender<EndedSpan>, sampling: Sampling) -> Self {
        Self { queue, sampling }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Collector {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else {
            return;
        };
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let around = span.scope().skip(1).find_map(|outer| {
            let extensions = outer.extensions();
            let outer = extensions.get::<OpenSpan>()?;
            Some((outer.trace, Some(outer.span), outer.is_sampled))
        });
        let from_caller = || {
            let caller = TraceParent::parse(fields.parent.as_deref()?)?;
            let is_sampled = if self.sampling.follows_caller {
                caller.is_sampled
            } else {
                caller.trace.is_sampled(self.sampling.ratio)
            };
            Some((caller.trace, Some(caller.span), is_sampled))
        };
        let (trace, parent, is_sampled) = around.or_else(from_caller).unwrap_or_else(|| {
            let trace = TraceId::new();
            (trace, None, trace.is_sampled(self.sampling.ratio))
        });
        span.extensions_mut().insert(OpenSpan {
            trace,
            span: SpanId::new(),
            parent,
            is_sampled,
            began: unix_nanoseconds(),
            attributes: fields.attributes,
        });
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else {
            return;
        };
        let mut fields = Fields::default();
        values.record(&mut fields);
        if let Some(open) = span.extensions_mut().get_mut::<OpenSpan>() {
            open.attributes.append(&mut fields.attributes);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else {
            return;
        };
        let Some(open) = span.extensions_mut().remove::<OpenSpan>() else {
            return;
        };
        if !open.is_sampled {
            return;
        }
        // Nobody waits for a place in the queue.
        let _ = self.queue.try_send(EndedSpan {
            trace: open.trace,
            span: open.span,
            parent: open.parent,
            name: span.name(),
            began: open.began,
            ended: unix_nanoseconds(),
            attributes: open.attributes,
        });
    }
}

/// What is taken of a span's fields.
#[derive(Default)]
struct Fields {
    parent: Option<String>,
    attributes: Vec<(&'static str, AttributeValue)>,
}

impl Fields {
    fn put(&mut self, field: &Field, value: AttributeValue) {
        if ATTRIBUTES.contains(&field.name()) {
            self.attributes.push((field.name(), value));
        }
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "parent" {
            self.parent = Some(value.into());
        }
        self.put(field, AttributeValue::Text(value.into()));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, AttributeValue::Number(value));
    }

    fn record_debug(&mut self, _field: &Field, _value: &dyn std::fmt::Debug) {}
}
