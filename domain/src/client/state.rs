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

use super::{Device, Event, Fine, Language, NumberChange, NumberChanged, Recovery, Standing, Verdict};

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
    /// A PIN that is lost, as somebody says who has the number.
    pub recovery: Option<Recovery>,
    /// The number that they will be known by.
    pub number_change: Option<NumberChange>,
    /// They have another PIN or number since a moment ago: money rests until then.
    pub cools_until: Option<Timestamp>,
    /// The same, of the number.
    pub number_cools_until: Option<Timestamp>,
    /// Somebody else has their number since then.
    pub number_released_at: Option<Timestamp>,
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

    /// They proved that they have it when they asked.
    fn known_by_another(&mut self, changed: NumberChanged) {
        (self.phone_hash, self.phone) = (Some(changed.phone_hash), Some(changed.phone));
        (self.number_change, self.number_released_at) = (None, None);
        self.number_verified = true;
        self.cools_until = self.cools_until.max(Some(changed.cools_until));
        self.number_cools_until = Some(changed.cools_until);
    }

    pub const fn is_registered(&self) -> bool {
        self.phone_hash.is_some() || self.number_released_at.is_some()
    }

    /// The recovery that can still be completed or stopped.
    pub fn recovery_now(&self, now: Timestamp) -> Option<&Recovery> {
        self.recovery.as_ref().filter(|recovery| recovery.stands(now))
    }

    /// Whether money may be sent to their number by another way than it came: it is theirs, and nobody has changed, or is
    /// about to change, what proves that they are they (reliability.md §4.1, SIM swap).
    pub fn may_be_paid_otherwise(&self, now: Timestamp) -> bool {
        let calm = self.recovery_now(now).is_none() && self.number_change.is_none();
        self.number_verified && calm && rested(self.cools_until, now)
    }

    /// Whether money may be sent to their number the way it came.
    pub fn may_be_paid(&self, now: Timestamp) -> bool {
        rested(self.number_cools_until, now)
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

fn rested(until: Option<Timestamp>, now: Timestamp) -> bool {
    until.is_none_or(|until| now >= until)
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
            Event::RecoveryBegun(begun) => {
                self.recovery = Some(Recovery {
                    id: begun.recovery_id,
                    device_key: begun.device_key,
                    begun_at: begun.at,
                    ready_at: begun.ready_at,
                    lapses_at: begun.lapses_at,
                });
            }
            Event::RecoveryCancelled(_) => self.recovery = None,
            Event::RecoveryCompleted(completed) => {
                self.recovery = None;
                self.cools_until = self.cools_until.max(Some(completed.cools_until));
            }
            Event::NumberChangeBegun(begun) => {
                self.number_change = Some(NumberChange {
                    id: begun.change_id,
                    phone_hash: begun.phone_hash,
                    phone: begun.phone,
                    begun_at: begun.at,
                    ready_at: begun.ready_at,
                });
            }
            Event::NumberChangeCancelled(_) => self.number_change = None,
            Event::NumberChanged(changed) => self.known_by_another(changed),
            Event::NumberWanted(_) => {}
            Event::NumberReleased(released) => {
                (self.phone_hash, self.phone) = (None, None);
                (self.recovery, self.number_change) = (None, None);
                self.number_verified = false;
                self.number_released_at = Some(released.at);
            }
            Event::Renamed(renamed) => self.name = renamed.name,
            Event::Erased(erased) => {
                (self.phone_hash, self.phone, self.name) = (None, None, None);
                self.number_verified = false;
                self.pin = None;
                (self.recovery, self.number_change, self.number_released_at) = (None, None, None);
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
