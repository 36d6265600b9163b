//! The Workers runtime: the only place that names `worker`, `web-sys`, `js-sys` and `wasm-bindgen`.
//!
//! Every crossing between WebAssembly and JavaScript costs more than most of the work done here, so a request crosses a
//! handful of times: once to read it, once to check its signature, once to forward it, once to write the log line.
//! `bridge.js` does on the other side what would otherwise be a crossing for each header. Bodies never cross.

mod bridge;
mod clock;
mod coordinator;
mod entry;
mod isolate;
mod keys;
mod outside;
mod tasks;
