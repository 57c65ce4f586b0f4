//! What each platform's pages document of its records: one file for each kind, embedded.
//!
//! `mappings/<connector>/paths/<entity>.txt`; a connector of one's own may bring such files in its folder. Not here: what
//! stored records show (`known`). The invariant: a file that cannot be read documents nothing and breaks nothing.

use std::io::Read as _;
use std::path::Path;

use super::{Known, Pictures};
use crate::model::entity::Entity;

/// Most bytes of a catalogue.
const FILE_BYTES: u64 = 256 * 1024;

macro_rules! pages {
    ($($connector:literal: $($entity:literal),+;)+) => {
        &[$($(($connector, $entity, include_str!(concat!("../../../mappings/", $connector, "/paths/", $entity, ".txt"))),)+)+]
    };
}

/// The built-in catalogues: connector, kind of record, paths.
const PAGES: &[(&str, &str, &str)] = pages! {
    "dingtalk": "department", "employee", "check_in", "attendance_day";
    "feishu": "department", "employee", "check_in", "attendance_day";
    "wecom": "department", "employee", "check_in", "attendance_day";
};

/// What is documented of a connector's records, by the built-in pages and by those in its mappings folder.
pub fn documented(connector: &str, folder: Option<&Path>) -> Pictures {
    let mut pictures = Pictures::new();
    for entity in Entity::ALL {
        let page = PAGES.iter().find(|page| (page.0, page.1) == (connector, entity.name()));
        let mut known = page.map_or_else(Known::default, |page| Known::parse(page.2));
        let own = folder.map(|folder| folder.join("paths").join(format!("{entity}.txt")));
        if let Some(text) = own.as_deref().and_then(read) {
            known.add(Known::parse(&text));
        }
        pictures.insert(entity, known);
    }
    pictures
}

fn read(file: &Path) -> Option<String> {
    let mut text = String::new();
    std::fs::File::open(file).ok()?.take(FILE_BYTES).read_to_string(&mut text).ok()?;
    Some(text)
}
