//! Wave's answers as a fuzzer gives them.

use serde::Deserialize;
use serde_json::Value;

use super::wire::{self, Payout, Session};
use crate::{
    call::Refusal,
    fuzzing::{self, Referenced},
};

/// What matters of an answer, as it is written.
#[derive(Deserialize)]
struct Written {
    amount: Option<Value>,
    receive_amount: Option<Value>,
}

pub(crate) fn answer(kind: u8, body: &[u8]) {
    let one = || serde_json::from_slice::<Written>(body).into_iter().collect::<Vec<_>>();
    let all = || wire::read_list::<Written>(body).unwrap_or_default();
    match kind % 5 {
        0 => Session::read(body).iter().for_each(|session| checkout(session, &one())),
        1 => Payout::read(body).iter().for_each(|payout| sent(payout, &one())),
        2 => wire::read_list(body).unwrap_or_default().iter().for_each(|session| checkout(session, &all())),
        3 => wire::read_list(body).unwrap_or_default().iter().for_each(|payout| sent(payout, &all())),
        _ => {
            if let Some((code, message)) = wire::error(body) {
                fuzzing::refused(&Refusal::said(Some(400), &code, &message));
            }
        }
    }
}

fn checkout(session: &Session, written: &[Written]) {
    let written: Vec<_> = written.iter().filter_map(|row| row.amount.as_ref()).collect();
    fuzzing::status(&session.status(), &written, Referenced::Anyhow);
    if let Some(opened) = session.opened() {
        fuzzing::open(&opened);
    }
    let _ = (session.is_for("ref-1"), session.amount(), session.last_error());
}

fn sent(payout: &Payout, written: &[Written]) {
    let written: Vec<_> = written.iter().filter_map(|row| row.receive_amount.as_ref()).collect();
    fuzzing::payout(&payout.status(), &written);
    let _ = (payout.is_for("ref-1"), payout.amount());
}
