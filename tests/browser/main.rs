//! What people see: every page in a real Chromium, without scripts; and the API reference, which has one.

mod pages;
mod people;
mod reference;
