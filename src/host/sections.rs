//! The outermost sections of a component's binary: enough to tell a component from anything else and to find its custom
//! sections before a compiler sees a byte of it.
//!
//! The invariant: nothing is read past the end and nothing is copied.

const MAGIC: &[u8] = b"\0asm";
const COMPONENT: &[u8] = &[0x0d, 0x00, 0x01, 0x00];

/// Why bytes are no component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SectionError {
    /// Not WebAssembly.
    #[error("it is no WebAssembly file")]
    NotWasm,
    /// A core module, not yet a component.
    #[error("it is a core module; make a component of it with `rollcall plugin build`")]
    CoreModule,
    /// The file ends inside a section.
    #[error("it ends in the middle of a section: it is truncated")]
    Truncated,
}

/// The contents of the outermost custom section called `name`; the first one when there are several.
pub(super) fn custom<'a>(wasm: &'a [u8], name: &str) -> Result<Option<&'a [u8]>, SectionError> {
    let mut rest = check_header(wasm)?;
    let mut found = None;
    while let Some((&id, after)) = rest.split_first() {
        let (size, after) = leb_u32(after)?;
        if after.len() < size {
            return Err(SectionError::Truncated);
        }
        let (section, after) = after.split_at(size);
        if id == 0 && found.is_none() {
            found = named(section, name)?;
        }
        rest = after;
    }
    Ok(found)
}

fn check_header(wasm: &[u8]) -> Result<&[u8], SectionError> {
    let rest = wasm.strip_prefix(MAGIC).ok_or(SectionError::NotWasm)?;
    match rest.strip_prefix(COMPONENT) {
        Some(sections) => Ok(sections),
        None if rest.starts_with(&[1, 0, 0, 0]) => Err(SectionError::CoreModule),
        None if rest.len() < COMPONENT.len() => Err(SectionError::Truncated),
        None => Err(SectionError::NotWasm),
    }
}

fn named<'a>(section: &'a [u8], name: &str) -> Result<Option<&'a [u8]>, SectionError> {
    let (size, rest) = leb_u32(section)?;
    if rest.len() < size {
        return Err(SectionError::Truncated);
    }
    let (found, content) = rest.split_at(size);
    Ok((found == name.as_bytes()).then_some(content))
}

fn leb_u32(bytes: &[u8]) -> Result<(usize, &[u8]), SectionError> {
    let mut value = 0_u64;
    for (at, &byte) in bytes.iter().enumerate().take(5) {
        value |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            let value = u32::try_from(value).map_err(|_| SectionError::Truncated)?;
            return Ok((value as usize, &bytes[at + 1..]));
        }
    }
    Err(SectionError::Truncated)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn component(sections: &[(u8, &[u8])]) -> Vec<u8> {
        let mut out = [MAGIC, COMPONENT].concat();
        for (id, content) in sections {
            out.push(*id);
            out.push(u8::try_from(content.len()).unwrap());
            out.extend_from_slice(content);
        }
        out
    }

    #[test]
    fn the_first_section_of_a_name_counts() {
        let wasm = component(&[(3, b"x"), (0, b"\x01aone"), (0, b"\x01btwo"), (0, b"\x01athree")]);
        assert_eq!(custom(&wasm, "a").unwrap(), Some(&b"one"[..]));
        assert_eq!(custom(&wasm, "b").unwrap(), Some(&b"two"[..]));
        assert_eq!(custom(&wasm, "c").unwrap(), None);
    }

    #[test]
    fn every_prefix_of_a_component_is_refused_or_shorter() {
        let wasm = component(&[(0, b"\x01aone"), (0, b"\x01btwo")]);
        for cut in 0..wasm.len() {
            let found = custom(&wasm[..cut], "b");
            assert!(found != Ok(Some(b"two")), "cut at {cut}");
        }
    }

    #[test]
    fn other_files_are_told_apart() {
        assert_eq!(custom(b"#!/bin/sh", "a"), Err(SectionError::NotWasm));
        assert_eq!(custom(b"", "a"), Err(SectionError::NotWasm));
        assert_eq!(custom(b"\0asm\x01\0\0\0", "a"), Err(SectionError::CoreModule));
        assert_eq!(
            custom(b"\0asm\x0d\0\x01\0\x00\xff\xff\xff\xff\xff\x7f", "a"),
            Err(SectionError::Truncated)
        );
    }
}
