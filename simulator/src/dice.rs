//! Every draw the simulated world makes: hashes of (seed, what is asked, whose).
//!
//! For values that are made up on the spot and never stored; not for cryptography. The invariant: the same
//! seed, question and subjects give the same roll, in any order of asking and on any machine.

/// What a roll decides; each question draws from its own stream.
#[derive(Clone, Copy, Debug)]
#[repr(u64)]
pub(crate) enum Ask {
    Gender = 1,
    Tenure,
    Level,
    Surname,
    Given,
    EnglishName,
    MobileShape,
    EmploymentType,
    Standing,
    SecondTeam,
    City,
    Desk,
    Choice,
    TeamSize,
    Holiday,
    Arrival,
    Stay,
    Absent,
    AbsenceKind,
    Forgot,
    Night,
    Device,
    Shift,
    Leave,
    LastDay,
    Hire,
    Move,
    Title,
    LatePunch,
    Reorganise,
    Strike,
    Hidden,
    Denied,
    Token,
    Log,
    FailedSwipe,
    Ticket,
}

/// The seed of a world; copies roll alike.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dice {
    seed: u64,
}

impl Dice {
    pub(crate) const fn new(seed: u64) -> Self {
        Self { seed: mix(seed ^ 0x9e37_79b9_7f4a_7c15) }
    }

    /// The roll for one question about two subjects (a person and a day, a step and its place in it).
    pub(crate) const fn roll(self, ask: Ask, first: u64, second: u64) -> Roll {
        let stream = mix(self.seed ^ (ask as u64).wrapping_mul(0xd6e8_feb8_6659_fd93));
        Roll(mix(mix(stream ^ first).wrapping_add(second.wrapping_mul(0x9e37_79b9_7f4a_7c15))))
    }

    /// The same for a subject and a day number.
    pub(crate) const fn on_day(self, ask: Ask, first: u32, day: i64) -> Roll {
        self.roll(ask, first as u64, day.cast_unsigned())
    }
}

/// One throw: 64 evenly spread bits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Roll(pub(crate) u64);

impl Roll {
    /// A number from 0 to `sides - 1`.
    pub(crate) const fn below(self, sides: u32) -> u32 {
        (((self.0 >> 32) * sides as u64) >> 32) as u32
    }

    /// Whether something that happens so often in a million happens now.
    pub(crate) const fn one_in_million(self, times: u32) -> bool {
        self.below(1_000_000) < times
    }

    /// Whether something of this probability happens now.
    pub(crate) fn chance(self, rate: f64) -> bool {
        f64::from((self.0 >> 32) as u32) < rate * 4_294_967_296.0
    }

    /// A bell-shaped deviation in thousandths of a standard deviation, bounded by 3,464.
    pub(crate) const fn bell(self) -> i64 {
        let lanes = (self.0 & 0xffff)
            + ((self.0 >> 16) & 0xffff)
            + ((self.0 >> 32) & 0xffff)
            + ((self.0 >> 48) & 0xffff);
        // Four even lanes have a mean of 131,070 and a standard deviation of 37,837.
        ((lanes.cast_signed()) - 131_070) * 1_000 / 37_837
    }

    /// One of several, evenly.
    pub(crate) fn pick<T: Copy>(self, of: &[T]) -> T {
        let place = self.below(u32::try_from(of.len()).unwrap_or(u32::MAX));
        of[place as usize]
    }

    /// A place in a list of weights, in proportion to them.
    pub(crate) fn weighted(self, weights: &[u16]) -> usize {
        let total: u32 = weights.iter().map(|w| u32::from(*w)).sum();
        let mut left = self.below(total);
        for (place, weight) in weights.iter().enumerate() {
            let weight = u32::from(*weight);
            if left < weight {
                return place;
            }
            left -= weight;
        }
        weights.len() - 1
    }

    /// A second roll that follows from this one.
    pub(crate) const fn again(self) -> Self {
        Self(mix(self.0 ^ 0xa076_1d64_78bd_642f))
    }
}

/// Spreads 64 bits; the finaliser of splitmix64, which is a bijection.
pub(crate) const fn mix(x: u64) -> u64 {
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// Undoes [`mix`].
pub(crate) const fn unmix(x: u64) -> u64 {
    let x = x ^ (x >> 31) ^ (x >> 62);
    let x = x.wrapping_mul(0x3196_42b2_d24d_8ec3);
    let x = x ^ (x >> 27) ^ (x >> 54);
    let x = x.wrapping_mul(0x96de_1b17_3f11_9089);
    x ^ (x >> 30) ^ (x >> 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mixing_can_be_undone() {
        for x in [0, 1, 42, u64::MAX, 0x0123_4567_89ab_cdef] {
            assert_eq!(unmix(mix(x)), x);
        }
    }

    #[test]
    fn a_bell_is_centred_and_has_its_spread() {
        let dice = Dice::new(7);
        let rolls: Vec<i64> = (0..20_000).map(|n| dice.roll(Ask::Arrival, n, 0).bell()).collect();
        let mean = rolls.iter().sum::<i64>() / 20_000;
        let spread = rolls.iter().map(|x| x * x).sum::<i64>() / 20_000;
        assert!(mean.abs() < 30, "{mean}");
        assert!((spread - 1_000_000).abs() < 30_000, "{spread}");
    }

    #[test]
    fn weights_are_followed() {
        let dice = Dice::new(1);
        let mut seen = [0u32; 3];
        for n in 0..10_000 {
            seen[dice.roll(Ask::Level, n, 0).weighted(&[1, 0, 3])] += 1;
        }
        assert_eq!(seen[1], 0);
        assert!((2_300..2_700).contains(&seen[0]), "{seen:?}");
    }

    #[test]
    fn another_question_or_seed_is_another_roll() {
        let roll = |seed, ask| Dice::new(seed).roll(ask, 5, 9).0;
        assert_eq!(roll(1, Ask::Level), roll(1, Ask::Level));
        assert_ne!(roll(1, Ask::Level), roll(2, Ask::Level));
        assert_ne!(roll(1, Ask::Level), roll(1, Ask::Gender));
    }
}
