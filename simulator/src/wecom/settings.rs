//! What only WeCom has to set: the other secrets, the age of app and contacts sync, the address it sees.
//!
//! Not what all platforms share, which is the builder's own. The invariant: the defaults are those of a company that
//! begins today: fields are kept back, and contacts sync reads ids only.

use crate::builder::Builder;

/// WeCom's own settings.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub contacts_secret: String,
    pub checkin_secret: Option<String>,
    pub agent_id: u32,
    /// The app was made before June 2022: it is told mobile, mail and gender.
    pub older_app: bool,
    /// Contacts sync has been used from this address since before August 2022: it reads details.
    pub older_contacts: bool,
    /// The address that calls come from, as refusals tell it.
    pub address: String,
    /// More rows than this are refused in one answer, with 45029.
    pub most_rows: Option<usize>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            contacts_secret: "simulator-contacts-0001".to_owned(),
            checkin_secret: None,
            agent_id: 1_000_002,
            older_app: false,
            older_contacts: false,
            address: "203.0.113.7".to_owned(),
            most_rows: None,
        }
    }
}

/// What only WeCom reads.
impl Builder {
    /// The secret of contacts sync.
    pub fn contacts_secret(mut self, secret: impl Into<String>) -> Self {
        self.settings.wecom.contacts_secret = secret.into();
        self
    }

    /// The secret of the check-in system app, in a company that still has one.
    pub fn checkin_secret(mut self, secret: impl Into<String>) -> Self {
        self.settings.wecom.checkin_secret = Some(secret.into());
        self
    }

    /// Makes the app one from before June 2022, which is told mobile, mail and gender.
    pub fn older_app(mut self) -> Self {
        self.settings.wecom.older_app = true;
        self
    }

    /// Makes contacts sync one from before August 2022, which reads names and titles too.
    pub fn older_contacts(mut self) -> Self {
        self.settings.wecom.older_contacts = true;
        self
    }

    /// The address that calls come from, as the platform sees it.
    pub fn seen_address(mut self, address: impl Into<String>) -> Self {
        self.settings.wecom.address = address.into();
        self
    }

    /// Refuses answers of more departments or people than this, with 45029.
    pub fn most_rows(mut self, rows: usize) -> Self {
        self.settings.wecom.most_rows = Some(rows);
        self
    }
}
