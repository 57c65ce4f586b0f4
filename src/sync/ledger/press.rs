//! Compression of what the state keeps in bulk.
//!
//! A thread that packs keeps its context and its buffers: made anew for every frame they cost more than packing it.

use std::cell::RefCell;

use zstd::bulk::{Compressor, Decompressor};
use zstd::zstd_safe;

use super::damaged;
use crate::port::store::StoreError;

/// Compression level: fast; pages are full of repetition.
const LEVEL: i32 = 1;
/// The most that a packed value may unpack to.
const LIMIT_BYTES: usize = 64 << 20;
/// Buffers that grew beyond this are given back.
const KEPT_BYTES: usize = 512 << 10;

/// What a thread that packs keeps.
#[derive(Default)]
struct Press {
    compressor: Option<Compressor<'static>>,
    plain: Vec<u8>,
    packed: Vec<u8>,
}

thread_local! {
    static PRESS: RefCell<Press> = RefCell::default();
    static OPENER: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

/// Packs bytes.
pub(super) fn compress(plain: &[u8]) -> Result<Vec<u8>, StoreError> {
    PRESS.with_borrow_mut(|press| press.pack(plain))
}

/// Packs what `fill` writes, which packs nothing itself.
pub(super) fn compress_with(
    fill: impl FnOnce(&mut Vec<u8>) -> Result<(), StoreError>,
) -> Result<Vec<u8>, StoreError> {
    PRESS.with_borrow_mut(|press| {
        let mut plain = std::mem::take(&mut press.plain);
        plain.clear();
        fill(&mut plain)?;
        let packed = press.pack(&plain);
        if plain.capacity() <= KEPT_BYTES {
            press.plain = plain;
        }
        packed
    })
}

impl Press {
    fn pack(&mut self, plain: &[u8]) -> Result<Vec<u8>, StoreError> {
        let compressor = match &mut self.compressor {
            Some(compressor) => compressor,
            none => none.insert(Compressor::new(LEVEL).map_err(|cause| failed(&cause))?),
        };
        self.packed.clear();
        self.packed.reserve(zstd_safe::compress_bound(plain.len()));
        compressor.compress_to_buffer(plain, &mut self.packed).map_err(|cause| failed(&cause))?;
        let done = self.packed.clone();
        if self.packed.capacity() > KEPT_BYTES {
            self.packed = Vec::new();
        }
        Ok(done)
    }
}

/// What was packed.
pub(super) fn decompress(packed: &[u8]) -> Result<Vec<u8>, StoreError> {
    let size = zstd_safe::get_frame_content_size(packed).ok().flatten().unwrap_or(0);
    let size = usize::try_from(size).ok().filter(|&size| size <= LIMIT_BYTES);
    let size = size.ok_or_else(|| damaged("a frame larger than allowed".to_owned()))?;
    OPENER.with_borrow_mut(|opener| {
        let opener = match opener {
            Some(opener) => opener,
            none => none.insert(Decompressor::new().map_err(|cause| failed(&cause))?),
        };
        let plain = opener.decompress(packed, size);
        plain.map_err(|cause| damaged(format!("a broken frame: {cause}")))
    })
}

fn failed(cause: &std::io::Error) -> StoreError {
    damaged(format!("compression failed: {cause}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_read_back_one_after_the_other() {
        for size in [0_usize, 1, 3_000, 6 << 20, 10] {
            let plain: Vec<u8> = (0..size).map(|at| (at % 251).to_le_bytes()[0]).collect();
            let packed = compress(&plain).unwrap();
            assert!(packed.len() < 300 + size / 20, "{} of {size}", packed.len());
            assert!(decompress(&packed).unwrap() == plain, "{size}");
        }
    }

    #[test]
    fn after_a_failure_it_packs_again() {
        assert!(compress_with(|_| Err(damaged("no".to_owned()))).is_err());
        assert!(decompress(b"no frame").is_err());
        assert_eq!(decompress(&compress(&[7]).unwrap()).unwrap(), [7]);
    }
}
