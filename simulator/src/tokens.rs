//! Access tokens, handed out again or anew by each kind's rule.
//!
//! Not who may do what. The invariant: a token opens what its own kind opens, to its own expiry and no longer.

use std::time::Duration;

use crate::dice::{Ask, Dice};

/// What a token stands for: tokens of one kind are told apart by their prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TokenKind {
    pub prefix: &'static str,
    pub renewal: Renewal,
}

/// What asking again for a token gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Renewal {
    /// The same one, or a new one beside it when less than this is left of its life.
    Below(Duration),
    /// The same one, its life begun anew.
    Extend,
}

/// A token as handed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Issued {
    pub token: String,
    pub expire_seconds: u64,
}

#[derive(Debug)]
struct Live {
    kind: TokenKind,
    token: String,
    until: Duration,
}

#[derive(Debug)]
pub(crate) struct Tokens {
    dice: Dice,
    life: Duration,
    issued: u64,
    live: Vec<Live>,
}

impl Tokens {
    pub(crate) fn new(dice: Dice, life: Duration) -> Self {
        Self { dice, life, issued: 0, live: Vec::new() }
    }

    /// The token to use now, by the kind's rule of renewal.
    pub(crate) fn issue(&mut self, kind: TokenKind, uptime: Duration) -> Issued {
        self.live.retain(|live| live.until > uptime);
        let least = match kind.renewal {
            Renewal::Below(least) => least,
            Renewal::Extend => Duration::ZERO,
        };
        let fresh = |live: &&mut Live| live.kind == kind && live.until >= uptime + least;
        if let Some(live) = self.live.iter_mut().find(fresh) {
            if kind.renewal == Renewal::Extend {
                live.until = uptime + self.life;
            }
            let expire_seconds = (live.until.checked_sub(uptime).unwrap_or_default()).as_secs();
            return Issued { token: live.token.clone(), expire_seconds };
        }
        self.issued += 1;
        let roll = self.dice.roll(Ask::Token, self.issued, 0);
        let token = format!("{}sim{:016x}{:016x}", kind.prefix, roll.0, roll.again().0);
        self.live.push(Live { kind, token: token.clone(), until: uptime + self.life });
        Issued { token, expire_seconds: self.life.as_secs() }
    }

    pub(crate) fn is_valid(&self, kind: TokenKind, token: &str, uptime: Duration) -> bool {
        self.live.iter().any(|live| live.kind == kind && live.token == token && live.until > uptime)
    }

    /// Ends a token's life before its time.
    pub(crate) fn revoke(&mut self, token: &str) {
        self.live.retain(|live| live.token != token);
    }

    pub(crate) fn revoke_all(&mut self) {
        self.live.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HALF_AN_HOUR: Renewal = Renewal::Below(Duration::from_mins(30));
    const TENANT: TokenKind = TokenKind { prefix: "t-", renewal: HALF_AN_HOUR };
    const APP: TokenKind = TokenKind { prefix: "a-", renewal: HALF_AN_HOUR };

    fn minutes(n: u64) -> Duration {
        Duration::from_mins(n)
    }

    fn tokens() -> Tokens {
        Tokens::new(Dice::new(1), minutes(120))
    }

    #[test]
    fn half_an_hour_of_life_decides_over_a_new_token() {
        let mut tokens = tokens();
        let first = tokens.issue(TENANT, minutes(0));
        assert_eq!(first.expire_seconds, 7_200);
        let same = tokens.issue(TENANT, minutes(90));
        assert_eq!((same.token.as_str(), same.expire_seconds), (first.token.as_str(), 1_800));
        let new = tokens.issue(TENANT, minutes(91));
        assert_ne!(new.token, first.token);
        for token in [&first.token, &new.token] {
            assert!(tokens.is_valid(TENANT, token, minutes(119)));
        }
        assert!(!tokens.is_valid(TENANT, &first.token, minutes(120)));
        assert!(tokens.is_valid(TENANT, &new.token, minutes(120)));
    }

    #[test]
    fn a_revoked_token_is_replaced() {
        let mut tokens = tokens();
        let first = tokens.issue(TENANT, minutes(0));
        tokens.revoke(&first.token);
        assert!(!tokens.is_valid(TENANT, &first.token, minutes(0)));
        assert_ne!(tokens.issue(TENANT, minutes(0)).token, first.token);
    }

    #[test]
    fn a_token_that_is_extended_stays_the_same_as_long_as_it_is_asked_for() {
        let kind = TokenKind { prefix: "", renewal: Renewal::Extend };
        let mut tokens = tokens();
        let first = tokens.issue(kind, minutes(0));
        assert_eq!(tokens.issue(kind, minutes(119)), first);
        assert_eq!(tokens.issue(kind, minutes(238)), first);
        assert_ne!(tokens.issue(kind, minutes(358)).token, first.token);
    }

    #[test]
    fn an_app_token_is_no_tenant_token() {
        let mut tokens = tokens();
        let app = tokens.issue(APP, minutes(0)).token;
        assert!(!tokens.is_valid(TENANT, &app, minutes(0)));
        assert!(tokens.is_valid(APP, &app, minutes(0)));
    }
}
