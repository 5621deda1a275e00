//! What each role may do at most (domain.md, People). A key may be narrower, never wider.

use crate::actor::Role;

use super::Scope;

/// The scopes of a role: what a key of that role gets unless it asks for less.
pub const fn scopes_of(role: Role) -> &'static [Scope] {
    use Scope::{
        CheckIn, EventsRead, KeysWrite, PaymentsRead, PaymentsWrite, PayoutsRead, PayoutsWrite, ReconciliationsWrite,
        RefundsApprove, RefundsCreate, ReservationsRead, ReservationsWrite, SitesRead, SitesWrite, TestClockWrite,
        WebhooksWrite,
    };
    match role {
        Role::Client => &[SitesRead, ReservationsRead, ReservationsWrite, PaymentsRead, PaymentsWrite],
        Role::Gatekeeper => &[SitesRead, ReservationsRead, CheckIn],
        Role::Cashier => &[SitesRead, ReservationsRead, PaymentsRead, PaymentsWrite, CheckIn],
        Role::Manager => &[
            SitesRead,
            SitesWrite,
            ReservationsRead,
            ReservationsWrite,
            PaymentsRead,
            PaymentsWrite,
            PayoutsRead,
            RefundsCreate,
            CheckIn,
            EventsRead,
            WebhooksWrite,
        ],
        Role::Support => &[SitesRead, ReservationsRead, PaymentsRead, RefundsCreate],
        // Promo codes of every site are all of `sites:write` that is finance's.
        Role::Finance => &[
            SitesRead,
            SitesWrite,
            ReservationsRead,
            PaymentsRead,
            PayoutsRead,
            PayoutsWrite,
            RefundsCreate,
            RefundsApprove,
            ReconciliationsWrite,
            EventsRead,
        ],
        // No money moves. The test clock is moved by whoever runs the installation.
        Role::Admin => &[
            SitesRead,
            SitesWrite,
            ReservationsRead,
            PaymentsRead,
            PayoutsRead,
            EventsRead,
            KeysWrite,
            TestClockWrite,
            WebhooksWrite,
        ],
        Role::Auditor => &[SitesRead, ReservationsRead, PaymentsRead, PayoutsRead, EventsRead],
        Role::Service => &[
            SitesRead,
            SitesWrite,
            ReservationsRead,
            ReservationsWrite,
            PaymentsRead,
            PaymentsWrite,
            RefundsCreate,
            CheckIn,
            EventsRead,
            WebhooksWrite,
        ],
        // Kalel itself and the providers never come with a key.
        Role::System | Role::Provider => &[],
    }
}
