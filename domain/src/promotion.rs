//! A code that takes something off the price, with a budget that cannot be overspent.
//!
//! What a code has given is kept in its own stream, and redeeming it is a part of the decision that places the reservation, on
//! the version of that stream: of two that want the last of the budget one is decided again. When the hold ends unpaid, or the
//! reservation is called off with everything back, its part of the budget comes back, once.

mod create;
mod end;
mod event;
mod redeem;
mod refusal;
mod release;
mod state;
#[cfg(test)]
mod tests;

pub use create::{Create, create};
pub use end::end;
pub use event::*;
pub use redeem::{Fit, Redeem, stands};
pub use refusal::Refusal;
pub use release::release;
pub use state::{Promotion, Redemption};

use crate::{guard::Op, ids::SiteId};

/// Scope of the unique claim on a code that counts; the key is made by [`name`].
pub const CODE: &str = "promotion.code";

/// A code belongs to one promotion of a site, and to one of the platform.
pub fn name(site_id: Option<SiteId>, code: &PromoCode) -> String {
    match site_id {
        Some(site_id) => format!("{site_id}:{}", code.as_str()),
        None => format!("*:{}", code.as_str()),
    }
}

/// What a promotion's event takes and frees.
pub(crate) fn guards(event: &Event) -> Vec<Op> {
    match event {
        Event::Created(created) => {
            let key = name(created.site_id, &created.terms.code);
            vec![Op::Unique { scope: CODE, key, holder: created.promotion_id.uuid() }]
        }
        // Another promotion may use the word again.
        Event::Ended(ended) => vec![Op::Forget { scope: CODE, key: name(ended.site_id, &ended.code) }],
        Event::Redeemed(_) | Event::Released(_) => Vec::new(),
    }
}
