//! Access tokens with the platform's re-issue rule.
//!
//! Not who may do what. The invariant: at most two tokens of a kind are valid at once, each to its own expiry.

use std::time::Duration;

use crate::dice::{Ask, Dice};

/// What a token stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    Tenant,
    App,
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

/// With this much life left, the same token is handed out again.
const REISSUE_BELOW: Duration = Duration::from_mins(30);

impl Tokens {
    pub(crate) fn new(dice: Dice, life: Duration) -> Self {
        Self { dice, life, issued: 0, live: Vec::new() }
    }

    /// The token to use now: the last one with thirty minutes or more to live, or a new one.
    pub(crate) fn issue(&mut self, kind: TokenKind, uptime: Duration) -> Issued {
        self.live.retain(|live| live.until > uptime);
        let fresh =
            self.live.iter().find(|live| live.kind == kind && live.until >= uptime + REISSUE_BELOW);
        if let Some(live) = fresh {
            let expire_seconds = (live.until.checked_sub(uptime).unwrap_or_default()).as_secs();
            return Issued { token: live.token.clone(), expire_seconds };
        }
        self.issued += 1;
        let roll = self.dice.roll(Ask::Token, self.issued, 0);
        let prefix = match kind {
            TokenKind::Tenant => "t-",
            TokenKind::App => "a-",
        };
        let token = format!("{prefix}sim{:016x}{:016x}", roll.0, roll.again().0);
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

    fn minutes(n: u64) -> Duration {
        Duration::from_mins(n)
    }

    fn tokens() -> Tokens {
        Tokens::new(Dice::new(1), minutes(120))
    }

    #[test]
    fn half_an_hour_of_life_decides_over_a_new_token() {
        let mut tokens = tokens();
        let first = tokens.issue(TokenKind::Tenant, minutes(0));
        assert_eq!(first.expire_seconds, 7_200);
        let same = tokens.issue(TokenKind::Tenant, minutes(90));
        assert_eq!((same.token.as_str(), same.expire_seconds), (first.token.as_str(), 1_800));
        let new = tokens.issue(TokenKind::Tenant, minutes(91));
        assert_ne!(new.token, first.token);
        for token in [&first.token, &new.token] {
            assert!(tokens.is_valid(TokenKind::Tenant, token, minutes(119)));
        }
        assert!(!tokens.is_valid(TokenKind::Tenant, &first.token, minutes(120)));
        assert!(tokens.is_valid(TokenKind::Tenant, &new.token, minutes(120)));
    }

    #[test]
    fn a_revoked_token_is_replaced() {
        let mut tokens = tokens();
        let first = tokens.issue(TokenKind::Tenant, minutes(0));
        tokens.revoke(&first.token);
        assert!(!tokens.is_valid(TokenKind::Tenant, &first.token, minutes(0)));
        assert_ne!(tokens.issue(TokenKind::Tenant, minutes(0)).token, first.token);
    }

    #[test]
    fn an_app_token_is_no_tenant_token() {
        let mut tokens = tokens();
        let app = tokens.issue(TokenKind::App, minutes(0)).token;
        assert!(!tokens.is_valid(TokenKind::Tenant, &app, minutes(0)));
        assert!(tokens.is_valid(TokenKind::App, &app, minutes(0)));
    }
}
