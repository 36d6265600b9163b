//! What people see: every page in a real Chromium, without scripts.

mod pages;
