//! Names of traces and spans, and the header by which they travel (W3C Trace Context, `traceparent`).

use crate::rng;

/// A trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceId(pub [u8; 16]);

/// A span in its trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpanId(pub [u8; 8]);

impl TraceId {
    /// A new one; all zeros, which is no trace, if there is no randomness.
    pub fn new() -> Self {
        Self(rng::bytes().unwrap_or_default())
    }

    /// Whether a trace of this name belongs to the part `ratio` (0 to 1) of all. Everybody who decides by the name decides alike.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a part of all traces is not meant to the last of them"
    )]
    pub fn is_sampled(self, ratio: f64) -> bool {
        let half = u64::from_be_bytes(self.0.last_chunk().copied().unwrap_or_default());
        // 63 bits, so that a ratio of 1 takes all.
        (half >> 1) as f64 / ((1_u64 << 63) as f64) < ratio || ratio >= 1.0
    }
}

impl Default for TraceId {
    fn default() -> Self {
        Self::new()
    }
}

impl SpanId {
    /// A new one.
    pub fn new() -> Self {
        Self(rng::bytes().unwrap_or_default())
    }
}

impl Default for SpanId {
    fn default() -> Self {
        Self::new()
    }
}

/// Bytes as OTLP's JSON form and the header write them.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(bytes.len().saturating_mul(2));
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// What a `traceparent` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceParent {
    /// The trace.
    pub trace: TraceId,
    /// The caller's span.
    pub span: SpanId,
    /// Whether the caller sends its spans to a collector.
    pub is_sampled: bool,
}

impl TraceParent {
    /// Reads a header: `version-trace-span-flags`, lower-case hexadecimal. A version that is not known may have more at its end.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let version = unhex::<1>(parts.next()?)?;
        let trace = TraceId(unhex(parts.next()?)?);
        let span = SpanId(unhex(parts.next()?)?);
        let [flags] = unhex::<1>(parts.next()?)?;
        let is_longer = parts.next().is_some();
        let is_lawful = match version {
            [0] => !is_longer,
            [0xff] => false,
            _ => true,
        };
        let is_named = trace.0 != [0; 16] && span.0 != [0; 8];
        (is_lawful && is_named).then_some(Self {
            trace,
            span,
            is_sampled: flags & 1 == 1,
        })
    }
}

fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != N.saturating_mul(2) {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = pair.iter().try_fold(0_u8, |value, digit| {
            let digit = match digit {
                b'0'..=b'9' => digit.wrapping_sub(b'0'),
                b'a'..=b'f' => digit.wrapping_sub(b'a').wrapping_add(10),
                _ => return None,
            };
            Some(value.wrapping_mul(16).wrapping_add(digit))
        })?;
    }
    Some(bytes)
}
