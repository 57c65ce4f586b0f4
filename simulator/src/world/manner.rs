//! Where and how a punch was made.
//!
//! Not how a platform names that. The invariant: a punch that became known after the fact is a correction, and no other
//! is.

use super::{Punch, World};
use crate::dice::Ask;
use crate::ids::{PersonNo, PunchKind};

/// How a punch came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// At a machine.
    Terminal { place: &'static str },
    /// Over the company's Wi-Fi.
    Wifi { place: &'static str, ssid: &'static str, bssid: &'static str },
    /// By the app of its own accord, over the same Wi-Fi.
    Quick { place: &'static str, ssid: &'static str, bssid: &'static str },
    /// Outside of the company.
    Field { place: &'static str, remark: &'static str },
    /// Approved later.
    Correction { remark: &'static str },
}

/// The places with a Wi-Fi.
const PLACES: [(&str, &str, &str); 4] = [
    ("总部东门", "corp-east", "02:00:00:00:00:01"),
    ("总部西门", "corp-west", "02:00:00:00:00:02"),
    ("实验楼", "corp-lab", "02:00:00:00:00:03"),
    ("物流园", "corp-yard", "02:00:00:00:00:04"),
];

impl Manner {
    /// Half of the punches come from machines, most others over Wi-Fi, a few from outside.
    pub(crate) fn of(world: &World, no: PersonNo, punch: Punch) -> Self {
        let seq = match punch.kind {
            PunchKind::In => 0,
            PunchKind::Out => 1,
            PunchKind::Late => return Self::Correction { remark: "补卡" },
        };
        let roll = world.dice.on_day(Ask::Device, no.0, punch.day * 4 + seq);
        let (place, ssid, bssid) = roll.again().pick(&PLACES);
        match roll.below(100) {
            0..50 => Self::Terminal { place },
            50..92 => Self::Wifi { place, ssid, bssid },
            92..97 => Self::Quick { place, ssid, bssid },
            _ => Self::Field { place: "客户现场", remark: "拜访客户" },
        }
    }
}
