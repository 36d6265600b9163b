//! What the project's commands share with its tests: the folder that runs the Worker on any Linux server. Tests run the
//! Worker from such a folder, so that what `cargo xtask edge bundle` writes is what they have passed against.
//!
//! Left out: everything else. The commands are in the program of this package.

pub mod bundle;
