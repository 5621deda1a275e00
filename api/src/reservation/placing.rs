//! From a wish to a reservation in the log: the command path of design.md §2. A new id is version 0 without asking, the
//! site is remembered, and the lane says whether both still hold.

use std::sync::Arc;

use domain::{
    aggregate::Loaded,
    client::{self, Client},
    decision::{Decision, Read},
    ids::{ClientId, PaymentId, PitchId, PromotionId, ReservationId, StreamId},
    interval::Interval,
    payment::{Method, Payment},
    policy::Policy,
    promotion::{self, Fit, Promotion, Redeem},
    quote::Price,
    reservation::{self, Channel, Code, Place, Purpose, Reservation},
    site::{self, Site},
};
use eventstore::Refusal;

use super::{
    Wish,
    alternatives::slot_taken,
    place::{PaymentWish, Pays, PlaceReservation, Placed},
};
use crate::{
    client::{Known, known},
    http::{
        call::Call,
        command::{Attempt, Tries, after},
        halt::Halt,
    },
    payment::in_order,
    problem::Problem,
    quote,
};

/// What was asked for, settled: where, when, and for a quote at which price.
struct Order {
    site: domain::ids::SiteId,
    pitches: Vec<PitchId>,
    during: Interval,
    promised: Option<(Price, Policy)>,
    /// Takes something off the price.
    promotion: Option<PromotionId>,
}

/// Decides and writes until it is in the log.
///
/// # Errors
/// What the rules refuse; `reservation.slot_taken` with alternatives.
pub async fn write(call: &Call, body: &PlaceReservation, id: ReservationId) -> Result<Placed, Halt> {
    let order = order(call, body).await?;
    let person = person(call, body).await?;
    // A manager's is confirmed at once, and so is one that is paid with credit.
    let credit = body.payment.is_some_and(|wish| wish.method == Some(Method::Credit));
    let held = match &person {
        Some(person) if call.channel() == Channel::Online && !credit => call.hold_for(person.id).await?,
        _ => None,
    };
    let outcome = carry_out(call, body, id, &order, person).await;
    if let (Err(halt), Some(held)) = (&outcome, held)
        && halt.is_certain()
    {
        call.not_held(held).await;
    }
    outcome
}

async fn carry_out(
    call: &Call,
    body: &PlaceReservation,
    id: ReservationId,
    order: &Order,
    mut person: Option<Known>,
) -> Result<Placed, Halt> {
    let payment_id = PaymentId::new(call.new_id());
    // Held until this is in the log: whoever wants the same code is next.
    let _turn = match order.promotion {
        Some(id) => call.app.promotions.pass(id).await,
        None => None,
    };
    let mut tries = if order.promotion.is_some() { Tries::patient() } else { Tries::default() };
    let mut fresh = false;
    let mut next = 0;
    loop {
        let site = site(call, order, fresh).await?;
        let pitch = order.pitches.get(next).copied().ok_or_else(|| Problem::new("object.not_found"))?;
        let promotion = promotion(call, order, fresh).await?;
        let owner = owner(call, body.payment, person.as_ref()).await?;
        let (site, promotion, owner) = (&site, promotion.as_deref(), owner.as_ref());
        let wanted = Wanted { site, order, pitch, id, payment_id, promotion, owner };
        let decided = decide(call, body, &wanted, person.as_ref());
        let decision = match decided {
            Ok(decision) => decision,
            // What is remembered of the site may be old: a refusal is only said of the site as it is.
            Err(Halt::Problem(_)) if !fresh => {
                fresh = true;
                continue;
            }
            // Not bookable on this pitch (no tariff, say): perhaps on its sibling.
            Err(Halt::Problem(_)) if next + 1 < order.pitches.len() => {
                next += 1;
                continue;
            }
            Err(halt) => return Err(halt),
        };
        match call.append(decision.clone(), Some(order.site)).await? {
            Attempt::Written(written) => return Ok(placed(id, payment_id, &decision, written.position)),
            Attempt::Moved => {
                fresh = true;
                tries.again()?;
            }
            Attempt::Guarded(Refusal::SlotTaken { .. }) if next + 1 < order.pitches.len() => next += 1,
            Attempt::Guarded(Refusal::SlotTaken { .. }) => {
                let first = order.pitches.first().copied().unwrap_or(pitch);
                return Err(Halt::refused(slot_taken(call, site, first, order.during).await));
            }
            Attempt::Guarded(Refusal::NotUnique { scope, .. }) if scope == reservation::CODE => tries.again()?,
            Attempt::Guarded(Refusal::NotUnique { scope, .. }) if scope == client::PHONE => {
                // Somebody registered this number a moment ago.
                tries.again()?;
                person = self::person(call, body).await?;
            }
            Attempt::Guarded(refusal) => return Err(Halt::refused(refusal)),
        }
    }
}

async fn site(call: &Call, order: &Order, fresh: bool) -> Result<Arc<Loaded<Site>>, Problem> {
    let site = match fresh {
        false => call.remembered_site(order.site).await?,
        true => Arc::new(call.app.store.load::<Site>(order.site).await?),
    };
    if site.state.is_registered() { Ok(site) } else { Err(Problem::new("object.not_found")) }
}

/// What a body says to play, before anything is looked up.
pub(super) enum Asked<'a> {
    /// As it was quoted.
    Quote(&'a str),
    /// A site by id or slug, and when.
    At(&'a str, Interval),
}

/// Reads the wish, which a quote says or its own fields do.
///
/// # Errors
/// `request.invalid_field`: both, neither, or no such time.
pub(super) fn asked(body: &PlaceReservation) -> Result<Asked<'_>, Problem> {
    let invalid = |at: &'static str, detail: String| Problem::new("request.invalid_field").at(at, detail);
    if let Some(text) = &body.quote {
        if body.promo_code.is_some() {
            return Err(invalid("", "a quote has its discount already".to_owned()));
        }
        let loose = body.site_id.is_some() || body.pitch_id.is_some() || body.format.is_some();
        if loose || body.starts_at.is_some() || body.minutes.is_some() {
            return Err(invalid("", "a quote says site, pitch and time itself".to_owned()));
        }
        return Ok(Asked::Quote(text));
    }
    let (Some(site), Some(starts_at), Some(minutes)) = (&body.site_id, body.starts_at, body.minutes) else {
        return Err(invalid("", "either `quote`, or `site_id`, `starts_at` and `minutes`".to_owned()));
    };
    let during = Interval::lasting(starts_at.0, minutes).map_err(|error| invalid("/minutes", error.to_string()))?;
    Ok(Asked::At(site, during))
}

async fn order(call: &Call, body: &PlaceReservation) -> Result<Order, Halt> {
    let (site, during) = match asked(body)? {
        Asked::Quote(text) => return quoted(call, text).await,
        Asked::At(site, during) => (site, during),
    };
    let site = call.remembered_site(call.site_named(site).await?).await?;
    call.may_book_at(&site)?;
    let wish = Wish { pitch: body.pitch_id.as_deref(), format: body.format.as_deref(), during };
    let pitches = match wish.pitches(&site.state) {
        Ok(pitches) => pitches,
        // The pitch may be newer than what is remembered.
        Err(_) => wish.pitches(&call.app.store.load::<Site>(site.id).await?.state)?,
    };
    let promotion = match &body.promo_code {
        Some(code) => Some(crate::promotion::of_code(&call.app, site.id, code).await?),
        None => None,
    };
    Ok(Order { site: site.id, pitches, during, promised: None, promotion })
}

async fn quoted(call: &Call, text: &str) -> Result<Order, Halt> {
    let quote = quote::open(&call.app, text, call.caller.principal().unwrap_or_default(), call.now())?;
    call.may_book_at(&*call.remembered_site(quote.site_id).await?)?;
    let promotion = quote.price.discounts.first().map(|discount| discount.promotion_id);
    Ok(Order {
        promotion,
        site: quote.site_id,
        pitches: vec![quote.pitch_id],
        during: quote.during,
        promised: Some((quote.price, quote.policy)),
    })
}

/// Who it is for: the client who asks, or whoever the manager or service names.
async fn person(call: &Call, body: &PlaceReservation) -> Result<Option<Known>, Halt> {
    let own = match call.caller.role() {
        Some(domain::actor::Role::Client) => call.caller.principal().map(ClientId::new),
        _ => None,
    };
    match (&body.client, own) {
        (Some(person), own) => Ok(Some(known(call, person, own).await?)),
        (None, Some(own)) => Ok(Some(Known { id: own, decision: Decision::nothing() })),
        (None, None) => Ok(None),
    }
}

/// The promotion of the order, as this process remembers it or as it is.
async fn promotion(call: &Call, order: &Order, fresh: bool) -> Result<Option<Arc<Loaded<Promotion>>>, Problem> {
    Ok(match order.promotion {
        None => None,
        Some(id) if fresh => Some(Arc::new(call.app.store.load(id).await?)),
        Some(id) => Some(call.app.store.recall(id).await?),
    })
}

/// What is decided about: the wish, what it meets, and the ids made for it.
struct Wanted<'a> {
    site: &'a Loaded<Site>,
    order: &'a Order,
    pitch: PitchId,
    id: ReservationId,
    payment_id: PaymentId,
    promotion: Option<&'a Loaded<Promotion>>,
    /// Whose credit is to be spent.
    owner: Option<&'a Loaded<Client>>,
}

fn decide(call: &Call, body: &PlaceReservation, wanted: &Wanted<'_>, person: Option<&Known>) -> Result<Decision, Halt> {
    let Wanted { site, order, pitch, id, payment_id, owner, .. } = *wanted;
    let now = call.now();
    let channel = call.channel();
    let (slot, price, policy) = match &order.promised {
        // The price was promised, whatever became of the tariff; whether it can be played is asked again.
        Some((price, policy)) => {
            (site::playable(site, pitch, order.during, channel, now)?, price.clone(), policy.clone())
        }
        None => {
            let (slot, price) = site::offer(site, pitch, order.during, channel, now)?;
            (slot, price, site.state.policy().clone())
        }
    };
    let client_id = person.map(|person| person.id);
    let (price, redeemed) = match wanted.promotion {
        Some(promotion) => {
            // Asked again, whatever a quote said: the budget may be gone.
            let price = price.undiscounted(&policy).map_err(promotion::Refusal::from)?;
            let fit = Fit::of(site, pitch, order.during).ok_or(promotion::Refusal::Invalid)?;
            Redeem { promotion, fit: &fit, price: &price, policy: &policy, client_id, now }.decide(id)?
        }
        None => (price, Decision::nothing()),
    };
    let new = Loaded::<Reservation>::new(id);
    let payment = Loaded::<Payment>::new(payment_id);
    // Whatever was promised: a client is quoted a price, and the commission is no part of it.
    let contract = site.state.contract();
    let offered = call.app.settings.methods_of(contract.merchant_account.as_ref());
    let pays = pays(body.payment, channel, &payment, owner, site, offered)?;
    let place = Place {
        reservation: &new,
        slot,
        price,
        policy,
        contract,
        site: Read { stream: StreamId::from(site.id), version: site.version },
        client_id,
        channel,
        code: code()?,
        pays,
        by: call.actor(),
        now,
    };
    let decision = place.decide()?.and(redeemed);
    // The reservation's stream stays first: a repetition is answered from it.
    Ok(match person {
        Some(person) => decision.and(person.decision.clone()),
        None => decision,
    })
}

/// Whose credit is to be spent, as they are now; `None` when none is.
async fn owner(
    call: &Call,
    wish: Option<PaymentWish>,
    person: Option<&Known>,
) -> Result<Option<Loaded<Client>>, Problem> {
    match (wish.and_then(|wish| wish.method), person) {
        // Registered in this very decision: there is nothing of theirs yet.
        (Some(Method::Credit), Some(person)) if !person.decision.is_nothing() => Ok(Some(Loaded::new(person.id))),
        (Some(Method::Credit), Some(person)) => Ok(Some(call.app.store.load(person.id).await?)),
        _ => Ok(None),
    }
}

/// What happens about money, from what was wished and who asks.
fn pays<'a>(
    wish: Option<PaymentWish>,
    channel: Channel,
    payment: &'a Loaded<Payment>,
    owner: Option<&'a Loaded<Client>>,
    site: &Loaded<Site>,
    offered: &[Method],
) -> Result<reservation::Pays<'a>, Problem> {
    let on_account = reservation::Pays::Recorded { payment, method: Method::OnAccount, purpose: Purpose::Deposit };
    let Some(wish) = wish else {
        // A manager writes down what was agreed on the telephone; it is paid later.
        return Ok(if channel == Channel::Manual { on_account } else { reservation::Pays::Later });
    };
    let purpose = match wish.pays {
        Pays::Deposit => Purpose::Deposit,
        Pays::Full => Purpose::Full,
        Pays::None if wish.method.is_some() => {
            return Err(Problem::new("request.invalid_field").at("/payment/method", "nothing is paid with `none`"));
        }
        Pays::None if channel == Channel::Manual => return Ok(on_account),
        Pays::None => return Ok(reservation::Pays::Later),
    };
    let method =
        wish.method.ok_or_else(|| Problem::new("request.invalid_field").at("/payment/method", "is required"))?;
    if method == Method::Credit {
        let client = owner.ok_or_else(|| Problem::new("payment.no_client"))?;
        return Ok(reservation::Pays::Credit { payment, client, purpose });
    }
    if method.has_provider() {
        accepted(offered, method, site)?;
        return Ok(reservation::Pays::Online { payment, method, purpose });
    }
    if channel == Channel::Online {
        return Err(Problem::new("payment.method_not_yours").with("value", method.as_str()));
    }
    Ok(reservation::Pays::Recorded { payment, method, purpose })
}

/// Whether the site takes this method, of those that are `offered`; an empty list of the site means all of them.
///
/// # Errors
/// `payment.method_not_accepted`.
pub fn accepted(offered: &[Method], method: Method, site: &Loaded<Site>) -> Result<(), Problem> {
    if in_order(offered, Some(site)).contains(&method) {
        return Ok(());
    }
    Err(Problem::new("payment.method_not_accepted").with("value", method.as_str()))
}

/// Letters and digits that cannot be mistaken for each other on a telephone.
const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// A new short code, from the system's random generator.
fn code() -> Result<Code, Problem> {
    let mut bytes = [0_u8; 6];
    getrandom::fill(&mut bytes).map_err(|_| Problem::new("server.overloaded"))?;
    let letter = |byte: &u8| ALPHABET.get(usize::from(byte % 32)).copied().map_or('A', char::from);
    Ok(Code(bytes.iter().map(letter).collect()))
}

fn placed(id: ReservationId, payment: PaymentId, decision: &Decision, position: i64) -> Placed {
    let payment = after(Loaded::<Payment>::new(payment), decision);
    Placed {
        reservation: after(Loaded::new(id), decision),
        payment: (payment.version > 0).then_some(payment),
        position,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_no_look_alikes() {
        for _ in 0..200 {
            let Code(code) = code().unwrap();
            assert_eq!(code.len(), 6);
            assert!(!code.contains(['0', 'O', '1', 'I']), "{code}");
        }
    }
}
