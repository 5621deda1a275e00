//! Two people of finance say what became of a refund that its provider does not tell about, each by what they see on its pages.

use chrono::Duration;

use super::{
    Run,
    deeds::Deed,
    learn::Report,
    provider::{Moving, Provider},
};
use crate::{
    actor::Role,
    ids::{RefundId, ReservationId},
    payment::ProviderId,
    refund::{self, Stated},
    spec::{story::note, world::person},
};

/// Whoever still sees nothing final comes again the next day, so many times.
const DAYS: u32 = 3;

impl Run {
    /// Finance is told: most of the time two of them look.
    pub(super) fn finance_is_told(&mut self, of: ReservationId, refund: RefundId) {
        self.look(of);
        self.refund_over(refund);
        if self.random.chance(6_000) {
            for who in [11, 12] {
                let after = self.millis(3_600_000, 28_800_000);
                self.will(of, self.now + after, Deed::LookAt { refund, who, days: 0 });
            }
        }
    }

    pub(super) fn look_at(&mut self, report: &Report, id: RefundId, who: u128, days: u32) {
        let Some((paid, name)) = self.seen(id) else {
            if days < DAYS {
                let again = Deed::LookAt { refund: id, who, days: days + 1 };
                self.will(report.of, self.now + Duration::days(1), again);
            }
            return;
        };
        let stated = Stated { paid, provider_id: name, note: note("seen on their pages") };
        let by = person(Role::Finance, who);
        if self.write(report, |lane, now| refund::resolve(&lane.refunds[&id], stated.clone(), by, now)) == Ok(true) {
            self.count("finance says what became of a refund");
        }
    }

    /// What the provider's own books say of the attempt that is out, once it is final.
    fn seen(&self, id: RefundId) -> Option<(bool, Option<ProviderId>)> {
        let attempt = self.lane.refunds[&id].state.attempt.as_ref()?;
        let of_attempt = |(method, nth): &&(crate::payment::Method, usize)| {
            let key = &self.provider(*method).backs[*nth].key;
            *key == attempt.reference.to_string() || key.starts_with("whole:")
        };
        let Some((method, nth)) = self.audit.refunds[&id].movements.iter().rfind(of_attempt) else {
            return Some((false, None));
        };
        let back = &self.provider(*method).backs[*nth];
        let name = (!back.key.starts_with("whole:")).then(|| Provider::movement(*nth));
        match back.moving {
            Moving::Processing => None,
            Moving::Succeeded => Some((true, name)),
            Moving::Failed | Moving::Reversed => Some((false, None)),
        }
    }
}
