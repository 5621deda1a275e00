//! A code begins to count.

use crate::{
    Timestamp,
    actor::{Actor, Role},
    aggregate::Loaded,
    decision::Decision,
    ids::SiteId,
    money::Money,
};

use super::{Created, Promotion, Reduction, Refusal, Terms};

/// Most formats and uses a code may name.
const MOST_FORMATS: usize = 12;
const MOST_USES: u32 = 1_000_000;
/// Longest time that a code may count.
const MOST_DAYS: i64 = 366;
const ALL: u16 = 10_000;

/// What a code is to be.
#[derive(Clone, Debug, PartialEq)]
pub struct Create {
    /// A site that the actor runs, which the edge checks; `None` for the whole platform.
    pub site_id: Option<SiteId>,
    pub terms: Terms,
}

/// Makes a code. Whoever runs a site gives away what is theirs; a code for every site is finance's, because it is money of the
/// platform and an admin moves none (domain.md, People). Without a bound on what it can cost there is none for the platform.
///
/// # Errors
/// [`Refusal`] when the actor may not, the terms contradict each other, or the promotion exists and differs. That a code is
/// nobody else's is kept by the guard on it.
pub fn create(promotion: &Loaded<Promotion>, wanted: Create, by: Actor, now: Timestamp) -> Result<Decision, Refusal> {
    let may = match wanted.site_id {
        Some(_) => matches!(by.role, Role::Manager | Role::Service),
        None => by.role == Role::Finance,
    };
    if !may || by.id.is_none() {
        return Err(Refusal::RoleNotAllowed { role: by.role });
    }
    check(&wanted, now)?;
    let Create { site_id, terms } = wanted;
    match &promotion.state.terms {
        None => {
            let created = Created { promotion_id: promotion.id, site_id, terms, by, at: now };
            Ok(Decision::nothing().then(promotion, created))
        }
        Some(before) if *before == terms && promotion.state.site_id == site_id => Ok(Decision::nothing()),
        Some(_) => Err(Refusal::AlreadyCreated),
    }
}

fn check(wanted: &Create, now: Timestamp) -> Result<(), Refusal> {
    let terms = &wanted.terms;
    let amount = |what, amount: Money| {
        let fine = amount.currency == terms.currency && amount.is_positive() && amount.bounded().is_ok();
        if fine { Ok(()) } else { Err(Refusal::OutOfRange { what }) }
    };
    match terms.reduction {
        Reduction::Percent { basis_points } if !(1..=ALL).contains(&basis_points.0) => {
            return Err(Refusal::OutOfRange { what: "the percentage" });
        }
        Reduction::Percent { .. } => {}
        Reduction::Fixed { amount: off } => amount("the amount", off)?,
    }
    terms.minimum_total.map_or(Ok(()), |least| amount("the smallest price", least))?;
    terms.budget.map_or(Ok(()), |most| amount("the budget", most))?;
    let counts = |most: Option<u32>| most.is_none_or(|most| (1..=MOST_USES).contains(&most));
    if !counts(terms.uses) || !counts(terms.uses_per_client) {
        return Err(Refusal::OutOfRange { what: "the number of uses" });
    }
    let lasts = terms.valid.to() - terms.valid.from();
    if terms.valid.to() <= now || lasts.num_days() > MOST_DAYS {
        return Err(Refusal::OutOfRange { what: "the time in which it counts" });
    }
    if terms.formats.len() > MOST_FORMATS || terms.days.len() > 7 {
        return Err(Refusal::OutOfRange { what: "the list of formats or days" });
    }
    // Nobody promises money of the platform without saying how much.
    if wanted.site_id.is_none() && terms.budget.is_none() {
        return Err(Refusal::OutOfRange { what: "the budget of a code for every site" });
    }
    Ok(())
}
