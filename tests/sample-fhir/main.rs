//! Sample FHIR API.
fn main() {}
