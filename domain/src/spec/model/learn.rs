//! What an answer of the provider becomes, in small: `workers/src/act/{learn,settle}.rs`.

use crate::{
    aggregate::Loaded,
    ids::PaymentId,
    money::Money,
    payment::{self, Cells, Landed, Open, Payment, ProviderId, Settle, Status},
    spec::{story::note, world::No},
    text::Text,
};

use super::{
    Broken, broken,
    lane::Lane,
    provider::{Receipt, Said},
    worker::{Learned, PROVIDER, Worker, checkout_name, checkout_number, transaction},
};

impl Worker<'_> {
    /// Takes in what the provider says, having been asked.
    pub(super) fn learn(&mut self, id: PaymentId, said: &Said) -> Learned {
        let Some(payment) = self.payment(id) else { return Learned::Nothing };
        let known = payment.state.provider_id().map(checkout_number);
        match said {
            Said::Pending(checkout) => self.opened(&payment, *checkout),
            Said::Succeeded(receipt) => self.landed(id, *receipt),
            Said::Failed(other) | Said::Expired(other) if known.is_some_and(|known| known != *other) => Learned::Open,
            Said::Failed(_) => {
                self.fail(id, "refused");
                Learned::Ended
            }
            Said::Expired(_) => {
                self.expire(id);
                Learned::Ended
            }
            Said::Unpaid if known.is_none() => Learned::Nothing,
            Said::Unpaid => {
                let over = payment.state.ends_by_itself().is_some_and(|end| end <= self.state.now());
                if !over || !payment.state.status.is_open() {
                    return Learned::Open;
                }
                self.expire(id);
                Learned::Ended
            }
            Said::NotFound => Learned::Nothing,
            Said::Several(all) => self.several(id, all),
        }
    }

    /// More than one checkout under one reference: all that was paid lands, and the payment is open while one is.
    fn several(&mut self, id: PaymentId, all: &[Said]) -> Learned {
        let mut learned = Learned::Nothing;
        for said in all {
            if let Said::Succeeded(receipt) = said {
                learned = self.landed(id, *receipt);
            }
        }
        if learned != Learned::Nothing {
            return learned;
        }
        for said in all {
            if let Said::Pending(_) = said {
                return self.learn(id, said);
            }
        }
        self.expire(id);
        Learned::Ended
    }

    fn opened(&mut self, payment: &Loaded<Payment>, checkout: usize) -> Learned {
        let open = Open {
            payment,
            reservation: &self.reservation(),
            provider_id: checkout_name(checkout),
            checkout_url: Text::known("https://pay.example".into()),
            expires_at: self.state.provider.tells_end(checkout),
            now: self.state.now(),
        };
        let mut decision = open.decide();
        if self.is(Broken::KeepsCellsForEver)
            && let Ok(decision) = &mut decision
        {
            broken::keep_cells_for_ever(decision);
        }
        match self.write(decision) {
            Ok(_) => Learned::Open,
            Err(_) => Learned::Contradiction,
        }
    }

    /// The others of the reservation that may be open.
    fn others(&self, id: PaymentId) -> Vec<Loaded<Payment>> {
        let open = self.state.lane.payments.iter().filter(|other| other.id != id && other.state.status.is_open());
        open.cloned().collect()
    }

    pub(super) fn fail(&mut self, id: PaymentId, why: &str) {
        let (payment, others) = (self.payment(id).unwrap(), self.others(id));
        let others: Vec<&Loaded<Payment>> = others.iter().collect();
        let failed = payment::fail(&payment, &self.reservation(), &others, note(why), self.state.now());
        self.write(failed).unwrap();
    }

    pub(super) fn expire(&mut self, id: PaymentId) {
        let (payment, others) = (self.payment(id).unwrap(), self.others(id));
        if self.is(Broken::EndsWhatIsPaid) && payment.state.status == Status::Succeeded {
            return broken::end_what_is_paid(self, id);
        }
        let others: Vec<&Loaded<Payment>> = others.iter().collect();
        let expired = payment::expire(&payment, &self.reservation(), &others, self.state.now());
        self.write(expired).unwrap();
    }

    /// Money the provider says it received: compared with what was asked for before anything moves.
    fn landed(&mut self, id: PaymentId, receipt: Receipt) -> Learned {
        // The receipt must carry our reference.
        if receipt.payment != id && !self.is(Broken::TakesAnyReceipt) {
            return Learned::Contradiction;
        }
        let mut name = transaction(receipt.charge);
        if self.is(Broken::SettlesTwice) {
            name = ProviderId::known(format!("{name}-seen-{}", self.state.lane.payment(id).unwrap().version));
        }
        self.settle(id, receipt, &name)
    }

    /// Settles: decided on what stands in the log, and once more when the lane says that the cells are taken.
    pub(super) fn settle(&mut self, id: PaymentId, receipt: Receipt, name: &ProviderId) -> Learned {
        for cells in [Cells::Free, Cells::Taken] {
            let payment = self.payment(id).unwrap();
            let reservation = self.reservation();
            let terms = reservation.state.terms.as_ref().unwrap();
            let short = self.is(Broken::ConfirmsOnTooLittle);
            let received =
                if short { payment.state.request.as_ref().unwrap().amount } else { Money::xof(receipt.amount) };
            let settle = Settle {
                fine: None,
                payment: &payment,
                reservation: &reservation,
                client: terms.client_id.map(|client| self.state.lane.world.version(client.into())),
                promotion: None,
                refund_id: Lane::refund_id(&payment),
                landed: Landed {
                    transaction: name.clone(),
                    provider_id: Some(checkout_name(receipt.checkout)),
                    received,
                    by: PROVIDER,
                },
                now: self.state.now(),
            };
            let decision = settle.decide(cells).map(|settled| settled.decision);
            match self.write(decision.clone()) {
                Ok(_) => return Learned::Settled,
                Err(No::SlotTaken) if self.is(Broken::IgnoresThatTheCellsAreTaken) => {
                    broken::write_unguarded(self, &decision.unwrap());
                    return Learned::Settled;
                }
                Err(No::SlotTaken) => {}
                Err(_) => return Learned::Contradiction,
            }
        }
        Learned::Contradiction
    }
}
