//! Misbehaviour on demand: which fault strikes which request, at a rate or a number of times.
//!
//! Not the misbehaviour itself. The invariant: whether the nth matching request is struck follows from the seed, the
//! rule and n, so a test that repeats its requests meets the same faults.

use std::fmt;
use std::str::FromStr;

use crate::dice::{Ask, Dice};
use crate::endpoint::Endpoint;
use crate::platform::Platform;

/// A way to misbehave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The refusal that the platform gives when its budget is used up.
    RateLimited,
    /// The platform's own system error.
    ServerError,
    /// The connection is reset before any byte of the answer.
    Reset,
    /// The body comes in twenty pieces with a pause between them.
    Slow,
    /// The body comes one byte at a time with a pause after each: it does not end in a reasonable time.
    Drip,
    /// A listing says that it ends although more would follow.
    TruncatedList,
    /// The JSON stops in the middle; HTTP itself is sound.
    TruncatedBody,
    /// A page of HTML instead of JSON, with status 200.
    Html,
    /// JSON of the right shape with values of the wrong types.
    WrongTypes,
    /// A listing's next page is the same page again.
    RepeatedToken,
    /// The token that came with the request, valid until now, is no longer.
    ExpiredToken,
    /// A listing of departments has no items and no next page.
    EmptyTree,
    /// Listings and head counts know one person in five; use it at rate 1 to keep them consistent.
    ShorterList,
    /// A long connection is dropped without a word instead of the event.
    Cut,
    /// A long connection is announced to be dropped, after the event.
    Farewell,
    /// A long connection says and answers nothing any more, beginning with the event.
    Silence,
    /// The acknowledgement of an event is lost: it is pushed again.
    LostAck,
    /// Every message of an event is sent twice.
    Duplicates,
    /// An event comes in several pieces.
    Fragments,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 19] = [
        Self::RateLimited,
        Self::ServerError,
        Self::Reset,
        Self::Slow,
        Self::Drip,
        Self::TruncatedList,
        Self::TruncatedBody,
        Self::Html,
        Self::WrongTypes,
        Self::RepeatedToken,
        Self::ExpiredToken,
        Self::EmptyTree,
        Self::ShorterList,
        Self::Cut,
        Self::Farewell,
        Self::Silence,
        Self::LostAck,
        Self::Duplicates,
        Self::Fragments,
    ];

    /// The name used on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RateLimited => "429",
            Self::ServerError => "500",
            Self::Reset => "reset",
            Self::Slow => "slow",
            Self::Drip => "drip",
            Self::TruncatedList => "truncated-list",
            Self::TruncatedBody => "truncated-body",
            Self::Html => "html",
            Self::WrongTypes => "wrong-types",
            Self::RepeatedToken => "repeated-token",
            Self::ExpiredToken => "expired-token",
            Self::EmptyTree => "empty-tree",
            Self::ShorterList => "shorter-list",
            Self::Cut => "cut",
            Self::Farewell => "farewell",
            Self::Silence => "silence",
            Self::LostAck => "lost-ack",
            Self::Duplicates => "duplicates",
            Self::Fragments => "fragments",
        }
    }
}

/// When a fault strikes, among the requests it could strike.
#[derive(Clone, Copy, Debug, PartialEq)]
enum When {
    Rate(f64),
    Times(u64),
}

/// One fault with its rate or number, and where it may strike.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FaultRule {
    fault: Fault,
    when: When,
    on: Option<&'static str>,
    after: u64,
}

impl FaultRule {
    /// Strikes this share of requests, 0 to 1.
    pub fn rate(fault: Fault, share: f64) -> Self {
        Self { fault, when: When::Rate(share.clamp(0.0, 1.0)), on: None, after: 0 }
    }

    /// Strikes the next so many requests.
    pub fn times(fault: Fault, times: u64) -> Self {
        Self { fault, when: When::Times(times), on: None, after: 0 }
    }

    /// Strikes only this endpoint; without it, every endpoint except those that hand out tokens.
    #[must_use]
    pub fn on(self, endpoint: impl Into<Endpoint>) -> Self {
        Self { on: Some(endpoint.into().name()), ..self }
    }

    /// Lets so many matching requests pass first.
    #[must_use]
    pub fn after(self, requests: u64) -> Self {
        Self { after: requests, ..self }
    }

    /// The name of the one endpoint that is struck.
    pub(crate) const fn only_on(&self) -> Option<&'static str> {
        self.on
    }

    fn may_strike(&self, fault: Fault, endpoint: Endpoint) -> bool {
        self.fault == fault
            && self.on.map_or(!endpoint.hands_out_tokens(), |on| on == endpoint.name())
    }
}

/// A fault rule that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is no fault; write KIND:RATE or KIND:TIMESx, optionally @ENDPOINT, with KIND one of {kinds}"
)]
pub struct FaultRuleError {
    text: String,
    kinds: String,
}

impl FromStr for FaultRule {
    type Err = FaultRuleError;

    /// `429:0.01`, `reset:3x`, `html:1x@user_flows`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse_rule(text).ok_or_else(|| FaultRuleError {
            text: text.to_owned(),
            kinds: Fault::ALL.map(Fault::name).join(", "),
        })
    }
}

fn parse_rule(text: &str) -> Option<FaultRule> {
    let (rule, endpoint) = match text.split_once('@') {
        Some((rule, endpoint)) => (rule, Some(endpoint)),
        None => (text, None),
    };
    let (kind, when) = rule.split_once(':')?;
    let fault = Fault::ALL.into_iter().find(|fault| fault.name() == kind)?;
    let rule = if let Some(times) = when.strip_suffix('x') {
        FaultRule::times(fault, times.parse().ok()?)
    } else {
        let share = when.parse().ok().filter(|share| (0.0..=1.0).contains(share))?;
        FaultRule::rate(fault, share)
    };
    let Some(endpoint) = endpoint else { return Some(rule) };
    let known = Platform::ALL.into_iter().flat_map(|platform| platform.facts().endpoints);
    let found = known.into_iter().find(|known| known.name() == endpoint)?;
    Some(rule.on(*found))
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The rules in force, with what they have seen and done.
#[derive(Debug)]
pub(crate) struct FaultBox {
    dice: Dice,
    rules: Vec<Armed>,
}

#[derive(Debug)]
struct Armed {
    rule: FaultRule,
    seen: u64,
    struck: u64,
}

impl FaultBox {
    pub(crate) fn new(dice: Dice, rules: Vec<FaultRule>) -> Self {
        let mut faults = Self { dice, rules: Vec::new() };
        faults.replace(rules);
        faults
    }

    pub(crate) fn replace(&mut self, rules: Vec<FaultRule>) {
        self.rules = rules.into_iter().map(|rule| Armed { rule, seen: 0, struck: 0 }).collect();
    }

    pub(crate) fn add(&mut self, rule: FaultRule) {
        self.rules.push(Armed { rule, seen: 0, struck: 0 });
    }

    /// Whether the fault strikes this request; asking counts the request.
    pub(crate) fn strikes(&mut self, fault: Fault, endpoint: Endpoint) -> bool {
        let dice = self.dice;
        let mut struck = false;
        for (place, armed) in (0u64..).zip(&mut self.rules) {
            if !armed.rule.may_strike(fault, endpoint) {
                continue;
            }
            armed.seen += 1;
            if armed.seen <= armed.rule.after {
                continue;
            }
            let strikes = match armed.rule.when {
                When::Times(times) => !struck && armed.struck < times,
                When::Rate(share) => {
                    let stream = (place << 8) | fault as u64;
                    dice.roll(Ask::Strike, stream, armed.seen).chance(share)
                }
            };
            armed.struck += u64::from(strikes);
            struck |= strikes;
        }
        struck
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feishu::Endpoint as Call;

    fn strikes(rules: Vec<FaultRule>, fault: Fault, endpoint: Call, requests: usize) -> Vec<bool> {
        let mut faults = FaultBox::new(Dice::new(1), rules);
        (0..requests).map(|_| faults.strikes(fault, endpoint.into())).collect()
    }

    #[test]
    fn a_number_of_times_is_kept_after_those_let_pass() {
        let rule = FaultRule::times(Fault::Html, 2).after(1);
        let struck = strikes(vec![rule], Fault::Html, Call::Children, 5);
        assert_eq!(struck, [false, true, true, false, false]);
    }

    #[test]
    fn a_rate_is_kept_and_repeats() {
        let rule = FaultRule::rate(Fault::Reset, 0.25);
        let run = || strikes(vec![rule], Fault::Reset, Call::User, 4_000);
        let hits = run().into_iter().filter(|hit| *hit).count();
        assert!((900..1_100).contains(&hits), "{hits}");
        assert_eq!(run(), run());
    }

    #[test]
    fn a_rule_keeps_to_its_endpoint_and_tokens_are_spared() {
        let rule = FaultRule::rate(Fault::Reset, 1.0);
        assert_eq!(strikes(vec![rule], Fault::Reset, Call::TenantToken, 1), [false]);
        let rule = rule.on(Call::TenantToken);
        assert_eq!(strikes(vec![rule], Fault::Reset, Call::TenantToken, 1), [true]);
        assert_eq!(strikes(vec![rule], Fault::Reset, Call::User, 1), [false]);
        assert_eq!(strikes(vec![rule], Fault::Html, Call::TenantToken, 1), [false]);
    }

    #[test]
    fn rules_are_read_as_people_write_them() {
        assert_eq!("429:0.01".parse(), Ok(FaultRule::rate(Fault::RateLimited, 0.01)));
        assert_eq!(
            "html:3x@user_flows".parse(),
            Ok(FaultRule::times(Fault::Html, 3).on(Call::UserFlows))
        );
        for text in ["", "html", "rain:1", "html:2", "html:-1x", "html:1x@nowhere"] {
            let error = text.parse::<FaultRule>().unwrap_err().to_string();
            assert!(error.contains("truncated-list"), "{error}");
        }
    }
}
