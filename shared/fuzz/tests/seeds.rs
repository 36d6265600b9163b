//! Runs every fuzz target over its seeds, so that a normal test run covers them without a fuzzing engine.

use std::fs;
use std::path::Path;

use wardgate_shared_fuzz::TARGETS;

#[test]
fn every_target_holds_on_its_seeds() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
    for (name, target) in TARGETS {
        let mut count = 0;
        for entry in fs::read_dir(seeds.join(name)).expect(name) {
            let path = entry.expect(name).path();
            let data = fs::read(&path).expect(name);
            // The whole seed, and every beginning of it.
            for length in 0..=data.len() {
                target(&data[..length]);
            }
            count += 1;
        }
        assert!(count > 0, "{name} has seeds");
    }
}

#[test]
fn every_seed_folder_belongs_to_a_target() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
    for entry in fs::read_dir(seeds).expect("seeds") {
        let name = entry.expect("seeds").file_name();
        assert!(
            TARGETS.iter().any(|(target, _)| *target == name),
            "{}",
            name.display()
        );
    }
}
