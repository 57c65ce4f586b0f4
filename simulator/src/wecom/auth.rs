//! Hands out a token for each secret and checks the one that comes with a request.
//!
//! Not what it opens. The invariant: only a token that was handed out, and has not run out, opens anything, and who
//! tries wrong secrets is shut out for an hour.

use std::time::Duration;

use super::access::Secret;
use super::call::Query;
use super::refusal::Refusal;
use super::{Endpoint, WeCom};
use crate::faults::Fault;
use crate::json::Json;
use crate::tokens::{Renewal, TokenKind};

/// Asking again gives the same token until it ends. The platform's page does not say so; clients must not rely on
/// either.
const RENEWAL: Renewal = Renewal::Below(Duration::ZERO);
/// After so many wrong secrets in a row the caller is shut out. The platform tells no figure.
const WRONG_MOST: u32 = 10;
const SHUT_OUT: Duration = Duration::from_hours(1);

/// Wrong secrets so far, and until when their sender is shut out.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Suspicion {
    wrong: u32,
    until: Duration,
}

const fn kind(secret: Secret) -> TokenKind {
    let prefix = match secret {
        Secret::App => "app-",
        Secret::Contacts => "contacts-",
        Secret::CheckIn => "checkin-",
    };
    TokenKind { prefix, renewal: RENEWAL }
}

impl WeCom {
    pub(super) fn issue(&self, query: &Query) -> Result<Vec<u8>, Refusal> {
        let corp = query.one("corpid").filter(|id| !id.is_empty()).ok_or(Refusal::NO_CORP)?;
        let secret =
            query.one("corpsecret").filter(|text| !text.is_empty()).ok_or(Refusal::NO_SECRET)?;
        if corp != self.site.config.app_id {
            return Err(Refusal::BAD_CORP);
        }
        let uptime = self.site.clock.uptime();
        let mut suspicion = self.suspicion();
        if suspicion.until > uptime {
            return Err(Refusal::FREQUENCY);
        }
        let Some(secret) = self.secret(secret) else {
            suspicion.wrong += 1;
            if suspicion.wrong >= WRONG_MOST {
                *suspicion = Suspicion { wrong: 0, until: uptime + SHUT_OUT };
            }
            return Err(Refusal::BAD_SECRET);
        };
        suspicion.wrong = 0;
        drop(suspicion);
        let issued = self.site.issue(kind(secret));
        let mut json = Json::with_capacity(256);
        json.object(|json| {
            json.key("errcode").number(0);
            json.key("errmsg").text("ok");
            json.key("access_token").text(&issued.token);
            json.key("expires_in").number(issued.expire_seconds);
        });
        Ok(json.into_bytes())
    }

    fn secret(&self, text: &str) -> Option<Secret> {
        if text == self.site.config.app_secret {
            Some(Secret::App)
        } else if text == self.settings.contacts_secret {
            Some(Secret::Contacts)
        } else {
            (self.settings.checkin_secret.as_deref() == Some(text)).then_some(Secret::CheckIn)
        }
    }

    /// Which secret the token of a request was made with.
    pub(super) fn caller(&self, endpoint: Endpoint, query: &Query) -> Result<Secret, Refusal> {
        let token =
            query.one("access_token").filter(|token| !token.is_empty()).ok_or(Refusal::NO_TOKEN)?;
        let secrets = [Secret::App, Secret::Contacts, Secret::CheckIn];
        let owner = secrets.into_iter().find(|secret| self.site.is_valid(kind(*secret), token));
        if owner.is_some() && self.site.strikes(Fault::ExpiredToken, endpoint) {
            self.site.revoke(token);
            return Err(Refusal::EXPIRED_TOKEN);
        }
        owner.ok_or(Refusal::BAD_TOKEN)
    }
}
