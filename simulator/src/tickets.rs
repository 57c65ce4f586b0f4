//! Tickets for long connections: each opens one, once, within its time.
//!
//! The invariant: a ticket that was used, has run out or was never handed out opens nothing.

use std::time::Duration;

use crate::dice::{Ask, Dice};

/// So many unused tickets are remembered, the newest.
const TICKETS_MOST: usize = 1_024;
/// Both platforms' tickets, where one says it.
const LIFE: Duration = Duration::from_secs(90);

#[derive(Debug)]
pub(crate) struct Tickets {
    dice: Dice,
    issued: u64,
    live: Vec<(String, Duration)>,
}

impl Tickets {
    pub(crate) fn new(dice: Dice) -> Self {
        Self { dice, issued: 0, live: Vec::new() }
    }

    pub(crate) fn issue(&mut self, uptime: Duration) -> String {
        self.issued += 1;
        let roll = self.dice.roll(Ask::Ticket, self.issued, 0);
        let ticket = format!("{:016x}-{:016x}", roll.0, roll.again().0);
        self.live.retain(|(_, until)| *until > uptime);
        if self.live.len() == TICKETS_MOST {
            self.live.remove(0);
        }
        self.live.push((ticket.clone(), uptime + LIFE));
        ticket
    }

    /// Whether the ticket was good; it is not any more.
    pub(crate) fn use_up(&mut self, ticket: &str, uptime: Duration) -> bool {
        let found = self.live.iter().position(|(live, _)| live == ticket);
        found.is_some_and(|index| self.live.remove(index).1 > uptime)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_opens_one_connection_within_its_time() {
        let mut tickets = Tickets::new(Dice::new(1));
        let (one, two) = (tickets.issue(Duration::ZERO), tickets.issue(Duration::ZERO));
        assert_ne!(one, two);
        assert!(tickets.use_up(&one, Duration::from_secs(1)));
        assert!(!tickets.use_up(&one, Duration::from_secs(1)));
        assert!(!tickets.use_up(&two, LIFE));
        assert!(!tickets.use_up("made up", Duration::ZERO));
    }
}
