//! What an answer of the provider becomes: `workers/src/act/{learn,settle,number}.rs`.

use uuid::Uuid;

use super::{
    Run,
    broken::Broken,
    provider::{Receipt, Said},
    write::Fail,
};
use crate::{
    Timestamp,
    actor::{Actor, Role},
    client,
    event::Event,
    ids::{PaymentId, ReservationId},
    money::Money,
    payment::{self, Cells, Landed, Open, ProviderId, Row, Settle, Status},
    spec::story::note,
    text::Text,
};

/// Whose word it is when a provider has answered our question.
pub(super) const PROVIDER: Actor = Actor { role: Role::Provider, id: None };

/// On whose behalf something is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Report {
    pub(super) of: ReservationId,
    pub(super) fence: Option<(Uuid, u64)>,
}

/// What an answer meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Learned {
    Open,
    Settled(Row),
    Ended { news: bool },
    Nothing,
    Contradiction,
}

impl Run {
    pub(super) fn learn(&mut self, report: &Report, id: PaymentId, said: &Said) -> Result<Learned, Fail> {
        let known = self.lane.payment(id).state.provider_id().cloned();
        Ok(match said {
            Said::Pending { name, ends } => self.opened(report, id, name, *ends)?,
            Said::Succeeded(receipt) => self.landed(report, id, receipt)?,
            Said::Expired(name) if known.is_some_and(|known| known != *name) => Learned::Open,
            Said::Expired(_) => Learned::Ended { news: self.expire(report, id)? },
            Said::Unpaid => self.unpaid(report, id)?,
            Said::NotFound => Learned::Nothing,
            Said::Several(all) => self.several(report, id, all)?,
        })
    }

    /// Nobody paid, says a provider that cannot tell an open checkout from one that has ended: the time tells.
    fn unpaid(&mut self, report: &Report, id: PaymentId) -> Result<Learned, Fail> {
        let payment = &self.lane.payment(id).state;
        if payment.provider_id().is_none() {
            return Ok(Learned::Nothing);
        }
        let over = payment.ends_by_itself().is_some_and(|end| end <= self.now);
        if over && payment.status.is_open() {
            return Ok(Learned::Ended { news: self.expire(report, id)? });
        }
        let (Status::Unknown, Some(checkout)) = (payment.status, &payment.checkout) else { return Ok(Learned::Open) };
        let (name, ends) = (checkout.provider_id.clone(), checkout.expires_at);
        self.opened(report, id, &name, ends)
    }

    /// More than one checkout under one reference: all that was paid lands, and the payment is open while one is.
    fn several(&mut self, report: &Report, id: PaymentId, all: &[Said]) -> Result<Learned, Fail> {
        let mut learned = Learned::Nothing;
        for said in flat(all) {
            if let Said::Succeeded(receipt) = said {
                learned = self.landed(report, id, receipt)?;
            }
        }
        if learned != Learned::Nothing {
            return Ok(learned);
        }
        for said in flat(all) {
            if let Said::Pending { name, ends } = said {
                return self.opened(report, id, name, *ends);
            }
        }
        Ok(Learned::Ended { news: self.expire(report, id)? })
    }

    pub(super) fn opened(
        &mut self,
        report: &Report,
        id: PaymentId,
        name: &ProviderId,
        expires_at: Option<Timestamp>,
    ) -> Result<Learned, Fail> {
        let for_ever = self.is(Broken::KeepsCellsForEver);
        let opened = self.write(report, |lane, now| {
            let checkout_url = Text::known("https://pay.example/c/1".into());
            let (payment, reservation, provider_id) = (lane.payment(id), lane.paid_by(id), name.clone());
            let mut decision = Open { payment, reservation, provider_id, checkout_url, expires_at, now }.decide();
            if let (true, Ok(decision)) = (for_ever, &mut decision) {
                for event in decision.changes.iter_mut().flat_map(|change| &mut change.events) {
                    if let Event::Payment(payment::Event::Opened(opened)) = event {
                        opened.blocks_until = opened.blocks_until.map(|until| until + chrono::Duration::hours(9));
                    }
                }
            }
            decision
        });
        match opened {
            Ok(_) => Ok(Learned::Open),
            Err(Fail::Refused { .. }) => Ok(Learned::Contradiction),
            Err(fail) => Err(fail),
        }
    }

    pub(super) fn expire(&mut self, report: &Report, id: PaymentId) -> Result<bool, Fail> {
        self.write(report, |lane, now| {
            let others =
                lane.open_of(lane.paid_by(id).id).into_iter().filter(|other| other.id != id).collect::<Vec<_>>();
            payment::expire(lane.payment(id), lane.paid_by(id), &others, now)
        })
    }

    pub(super) fn unknown(&mut self, report: &Report, id: PaymentId) -> Result<bool, Fail> {
        self.write(report, |lane, now| payment::unknown(lane.payment(id), lane.paid_by(id), note("cut off"), now))
    }

    /// Money the provider says it received: compared with what was asked for before anything moves.
    pub(super) fn landed(&mut self, report: &Report, id: PaymentId, receipt: &Receipt) -> Result<Learned, Fail> {
        let request = self.lane.payment(id).state.request.clone().unwrap();
        if receipt.reference != request.reference.as_str() && !self.is(Broken::BelievesWebhooks) {
            return Ok(Learned::Contradiction);
        }
        match self.settle(report, id, receipt) {
            Ok(row) => {
                // The payer's wallet is the client's own number, most of the time.
                let own = receipt.tells_payer && self.random.chance(8_000);
                if let Some(client) = request.client_id.filter(|_| own) {
                    let verified = self.write(report, |lane, now| client::verify(&lane.clients[&client], id, now));
                    if let Err(fail @ (Fail::Lost | Fail::Contended)) = verified {
                        return Err(fail);
                    }
                }
                Ok(Learned::Settled(row))
            }
            Err(Fail::Refused { .. } | Fail::NotUnique) => Ok(Learned::Contradiction),
            Err(fail) => Err(fail),
        }
    }

    fn settle(&mut self, report: &Report, id: PaymentId, receipt: &Receipt) -> Result<Row, Fail> {
        let state = &self.lane.payment(id).state;
        if self.is(Broken::ForgetsLateMoney) && matches!(state.status, Status::Expired | Status::Failed) {
            return Ok(Row::Known);
        }
        let mut transaction = receipt.transaction.clone();
        if self.is(Broken::LandsTwice) {
            transaction = ProviderId::known(format!("{transaction}-{}", self.lane.payment(id).version));
        }
        let mut received = Money::xof(receipt.amount);
        if self.is(Broken::ConfirmsOnTooLittle) {
            received = state.request.as_ref().unwrap().amount;
        }
        let refund_id = self.id(0xF).into();
        for cells in [Cells::Free, Cells::Taken] {
            let row = std::cell::Cell::new(Row::Known);
            let written = self.write(report, |lane, now| {
                let (payment, reservation) = (lane.payment(id), lane.paid_by(id));
                let client = payment.state.request.as_ref().unwrap().client_id;
                let client = client.map(|client| lane.version(client.into()));
                let (transaction, provider_id) = (transaction.clone(), Some(receipt.name.clone()));
                let landed = Landed { transaction, provider_id, received, by: PROVIDER };
                let settle =
                    Settle { payment, reservation, client, fine: None, promotion: None, refund_id, landed, now };
                let settled = settle.decide(cells)?;
                row.set(settled.row);
                Ok::<_, payment::Refusal>(settled.decision)
            });
            match written {
                Ok(_) => {
                    self.count(row_name(row.get()));
                    return Ok(row.get());
                }
                // The hold had ended and somebody else has the cells: the money goes back.
                Err(Fail::SlotTaken) => {}
                Err(fail) => return Err(fail),
            }
        }
        Err(Fail::Contended)
    }
}

fn flat(all: &[Said]) -> Vec<&Said> {
    let mut found = Vec::new();
    for said in all {
        match said {
            Said::Several(all) => found.extend(flat(all)),
            said => found.push(said),
        }
    }
    found
}

const fn row_name(row: Row) -> &'static str {
    match row {
        Row::Known => "money known before",
        Row::Confirmed => "money confirms",
        Row::ConfirmedLate => "money confirms late: the cells were free",
        Row::Allocated => "money for a balance or a share",
        Row::Underpaid => "money too little to confirm",
        Row::Orphaned => "money too late: it goes back",
        Row::Credited => "money too little for a fine: the client's credit",
        Row::Duplicate => "money for what is paid: it goes back",
        Row::AfterEnd => "money after it was called off, or nobody came",
    }
}
