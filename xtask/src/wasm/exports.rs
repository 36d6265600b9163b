//! Takes out of the built Worker's exports the classes that the `worker` crate brings along and nothing here uses: what
//! they need can then be left out too.
//!
//! The JavaScript beside names these exports only where such a class is used. The form is that of the WebAssembly core
//! specification, section "Binary Format": exports are section 7, a vector of name, kind and index.

use super::names::{number, sections};
use crate::fault::{Fault, Outcome};

const EXPORTS: u8 = 7;

/// What the names of unused exports contain.
const UNUSED: [&str; 4] = [
    "containerstartupoptions",
    "minifyconfig",
    "r2range",
    "intounderlying",
];

/// The module without those exports.
pub(super) fn without_unused(module: &[u8]) -> Outcome<Vec<u8>> {
    let broken = || Fault::new("the Worker's wasm is not in the form of a WebAssembly module");
    let (mut written, sections) = sections(module).ok_or_else(broken)?;
    for (id, content, whole) in sections {
        if id == EXPORTS {
            let kept = kept(content).ok_or_else(broken)?;
            written.push(EXPORTS);
            put_number(&mut written, kept.len());
            written.extend(kept);
        } else {
            written.extend_from_slice(whole);
        }
    }
    Ok(written)
}

/// The content of the section of exports, without the unused ones.
fn kept(content: &[u8]) -> Option<Vec<u8>> {
    let (count, mut rest) = number(content)?;
    let (mut kept, mut exports) = (0, Vec::new());
    for _ in 0..count {
        let (length, after) = number(rest)?;
        let (name, after) = after.split_at_checked(length)?;
        let (_kind, after) = after.split_first()?;
        let (_index, after) = number(after)?;
        let name = std::str::from_utf8(name).ok()?;
        if !UNUSED.iter().any(|unused| name.contains(unused)) {
            kept += 1;
            exports.extend_from_slice(rest.get(..rest.len() - after.len())?);
        }
        rest = after;
    }
    let mut content = Vec::new();
    put_number(&mut content, kept);
    content.extend(exports);
    Some(content)
}

/// A number in LEB128.
fn put_number(bytes: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        bytes.push(u8::try_from(number & 0x7f).unwrap_or_default() | 0x80);
        number >>= 7;
    }
    bytes.push(u8::try_from(number).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::{put_number, without_unused};
    use crate::wasm::names::number;

    #[test]
    fn unused_exports_go_and_all_else_stays() {
        let module = |exports: &[u8], count: u8| {
            let length = u8::try_from(exports.len() + 1).unwrap();
            [
                b"\0asm\x01\0\0\0",
                &[1, 1, 9, 7, length, count][..],
                exports,
                &[10, 1, 8],
            ]
            .concat()
        };
        let used = b"\x05fetch\x00\x03";
        let unused = b"\x0c__r2range_xx\x00\x85\x01";
        let both = [&used[..], unused].concat();
        assert_eq!(without_unused(&module(&both, 2)).unwrap(), module(used, 1));
        assert_eq!(without_unused(&module(used, 1)).unwrap(), module(used, 1));
        assert!(without_unused(&module(used, 2)).is_err(), "fewer than it says");
    }

    #[test]
    fn numbers_read_as_they_were_written() {
        for value in [0, 1, 127, 128, 624_485] {
            let mut bytes = Vec::new();
            put_number(&mut bytes, value);
            assert_eq!(number(&bytes), Some((value, &[][..])));
        }
    }
}
