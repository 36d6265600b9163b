//! Takes the function names out of the built Worker: they are for reading stack traces only, and a tenth of its size. With
//! them go the sections in which compilers sign their work, which nothing reads.
//!
//! wasm-bindgen and wasm-opt keep them here. The form is that of the WebAssembly core specification, section
//! "Binary Format": a header of eight bytes, then sections, each an id, a length in LEB128 and so many bytes; the
//! names are the custom section (id 0) called `name`; the other two that go have their names from the tool conventions.

use crate::fault::{Fault, Outcome};

const HEADER: usize = 8;
const CUSTOM: u8 = 0;
const UNREAD: [&[u8]; 3] = [b"name", b"producers", b"target_features"];

/// The module without its section of names, and without signatures.
pub(super) fn without_names(module: &[u8]) -> Outcome<Vec<u8>> {
    let broken = || Fault::new("the Worker's wasm is not in the form of a WebAssembly module");
    let (mut kept, sections) = sections(module).ok_or_else(broken)?;
    for (id, content, whole) in sections {
        if id != CUSTOM || !is_unread(content) {
            kept.extend_from_slice(whole);
        }
    }
    Ok(kept)
}

/// A section: its id, its content, and all of it.
pub(super) type Section<'a> = (u8, &'a [u8], &'a [u8]);

/// The header of a module and its sections.
pub(super) fn sections(module: &[u8]) -> Option<(Vec<u8>, Vec<Section<'_>>)> {
    let (header, mut rest) = module.split_at_checked(HEADER)?;
    let mut sections = Vec::new();
    while let Some((&id, after_id)) = rest.split_first() {
        let (length, content) = number(after_id)?;
        let (content, next) = content.split_at_checked(length)?;
        sections.push((id, content, rest.get(..rest.len() - next.len())?));
        rest = next;
    }
    Some((header.to_vec(), sections))
}

fn is_unread(content: &[u8]) -> bool {
    number(content)
        .is_some_and(|(length, text)| text.get(..length).is_some_and(|name| UNREAD.contains(&name)))
}

/// An unsigned LEB128 number of at most 32 bits, and what follows it.
pub(super) fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0_usize;
    for (index, &byte) in bytes.iter().take(5).enumerate() {
        value |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(index + 1..)?));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{number, without_names};

    const HEADER: [u8; 8] = *b"\0asm\x01\0\0\0";

    fn section(id: u8, content: &[u8]) -> Vec<u8> {
        let mut section = vec![id, u8::try_from(content.len()).unwrap()];
        section.extend_from_slice(content);
        section
    }

    #[test]
    fn names_go_and_everything_else_stays_in_its_place() {
        let kept = [
            section(1, b"types"),
            section(0, b"\x05otherX"),
            section(10, b"code"),
        ]
        .concat();
        let with_names = [
            section(1, b"types"),
            section(0, b"\x04nameabc"),
            section(0, b"\x05otherX"),
            section(0, b"\x09producersX"),
            section(10, b"code"),
        ]
        .concat();
        let module = |sections: &[u8]| [&HEADER[..], sections].concat();
        assert_eq!(without_names(&module(&with_names)).unwrap(), module(&kept));
        assert_eq!(without_names(&module(&kept)).unwrap(), module(&kept));
    }

    #[test]
    fn broken_module_is_refused() {
        assert!(without_names(b"\0asm").is_err());
        assert!(
            without_names(&[&HEADER[..], &[1, 200, 1, 7]].concat()).is_err(),
            "shorter than it says"
        );
    }

    #[test]
    fn numbers_of_several_bytes_are_read() {
        assert_eq!(number(&[0xe5, 0x8e, 0x26, 1]), Some((624_485, &[1][..])));
        assert_eq!(number(&[0x80; 6]), None);
    }
}
