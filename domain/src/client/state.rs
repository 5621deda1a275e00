//! What is known of a client, folded from their events.

use std::collections::BTreeMap;

use crate::{
    Timestamp,
    aggregate::Aggregate,
    ids::{ClientId, DeviceId, PaymentId, ReservationId, SecretId},
    money::{Currency, Money, MoneyError},
    phone::PhoneHash,
    sealed::Sealed,
    text::Note,
};

use super::{Device, Event, Fine, Language, Standing, Verdict};

/// A person who books. Unknown until [`super::Registered`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Client {
    /// `None` until registered.
    pub phone_hash: Option<PhoneHash>,
    pub phone: Option<Sealed>,
    pub name: Option<Sealed>,
    pub language: Language,
    pub erased_at: Option<Timestamp>,
    /// Whether the number is known to be theirs, so that money may be sent to it by another way than it came.
    pub number_verified: bool,
    /// Which of their PINs counts; `None` until they chose one.
    pub pin: Option<SecretId>,
    /// Telephones that they sign in with.
    pub devices: BTreeMap<DeviceId, Device>,
    /// What each payment left us of theirs.
    pub credits: BTreeMap<PaymentId, Money>,
    /// What they paid with it.
    pub spent: BTreeMap<PaymentId, Money>,
    /// What they gave up of it.
    pub forfeited: Vec<Money>,
    /// Of reservations at which they were not.
    pub fines: BTreeMap<ReservationId, Fine>,
    /// What they said against them.
    pub appeals: BTreeMap<ReservationId, Sealed>,
    /// What the site said when it decided.
    pub answers: BTreeMap<ReservationId, Note>,
}

impl Client {
    fn stands(&mut self, id: ReservationId, standing: Standing) {
        if let Some(fine) = self.fines.get_mut(&id) {
            fine.standing = standing;
        }
    }

    pub const fn is_registered(&self) -> bool {
        self.phone_hash.is_some()
    }

    /// What we hold of theirs in a currency: credited, and neither spent nor given up. Never negative: whoever spends it
    /// decides on this very version of the stream.
    ///
    /// # Errors
    /// [`MoneyError::OutOfRange`] when the sum overflows.
    pub fn credit(&self, currency: Currency) -> Result<Money, MoneyError> {
        let of = |money: &Money| money.currency == currency;
        let came = Money::sum(currency, self.credits.values().copied().filter(of))?;
        let went = self.spent.values().chain(&self.forfeited).copied().filter(of);
        came.minus(Money::sum(currency, went)?)
    }

    /// The same, in every currency in which there is some.
    ///
    /// # Errors
    /// As [`Client::credit`].
    pub fn credit_of_each(&self) -> Result<Vec<Money>, MoneyError> {
        let each = [Currency::Xof, Currency::Eur].into_iter().map(|currency| self.credit(currency));
        Ok(each.collect::<Result<Vec<_>, _>>()?.into_iter().filter(|money| money.is_positive()).collect())
    }
}

impl Aggregate for Client {
    type Id = ClientId;
    type Event = Event;

    fn select(event: crate::event::Event) -> Option<Event> {
        match event {
            crate::event::Event::Client(event) => Some(event),
            _ => None,
        }
    }

    fn evolve(&mut self, event: Event) {
        match event {
            Event::Registered(registered) => {
                self.phone_hash = Some(registered.phone_hash);
                self.phone = Some(registered.phone);
                self.name = registered.name;
                self.language = registered.language;
            }
            Event::NumberVerified(_) => self.number_verified = true,
            Event::PinSet(set) => self.pin = Some(set.secret_id),
            Event::DeviceBound(bound) => {
                let device = Device { key: bound.device_key, name: bound.name, bound_at: bound.at };
                self.devices.insert(bound.device_id, device);
            }
            Event::DeviceReleased(released) => {
                self.devices.remove(&released.device_id);
            }
            Event::Renamed(renamed) => self.name = renamed.name,
            Event::Erased(erased) => {
                (self.phone_hash, self.phone, self.name) = (None, None, None);
                self.number_verified = false;
                self.pin = None;
                self.erased_at = Some(erased.at);
                self.appeals.clear();
            }
            Event::CreditSpent(spent) => {
                self.spent.insert(spent.payment_id, spent.amount);
            }
            Event::Fined(fined) => {
                let (site_id, amount, appeal_until) = (fined.site_id, fined.amount, fined.appeal_until);
                let fine = Fine { site_id, amount, appeal_until, standing: Standing::Owed, fined_at: fined.at };
                self.fines.insert(fined.reservation_id, fine);
            }
            Event::FineAppealed(appealed) => {
                self.stands(appealed.reservation_id, Standing::Appealed { decide_by: appealed.decide_by });
                self.appeals.insert(appealed.reservation_id, appealed.statement);
            }
            Event::FineDecided(decided) => {
                let standing = match decided.verdict {
                    Verdict::Uphold => Standing::Upheld,
                    Verdict::Waive => Standing::Waived,
                };
                self.stands(decided.reservation_id, standing);
                self.answers.extend(decided.note.map(|note| (decided.reservation_id, note)));
            }
            Event::FineSettled(settled) => self.stands(settled.reservation_id, Standing::Settled),
            Event::CreditForfeited(forfeited) => self.forfeited.push(forfeited.amount),
            Event::Credited(credited) => {
                // Twice for one payment: too much of it, and later a refund of it that found no other way.
                let credit = self.credits.entry(credited.payment_id).or_insert(Money::zero(credited.amount.currency));
                *credit = credit.plus(credited.amount).unwrap_or(*credit);
            }
        }
    }
}
