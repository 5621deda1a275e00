//! What people are told. French first (domain.md); short, because most of it is an SMS of 160 characters.
//!
//! The texts use only letters that GSM-7 has (providers.md §4): é è à ù ñ are in it, ê ç ô are not. Names that people
//! chose are written down to GSM-7 by the SMS adapter.

mod en;
mod fr;
mod wo;

use chrono::{NaiveDate, NaiveTime};
use domain::{client::Language, money::Money, reservation::CancelReason};

/// Where and when, in the words and the local time of the site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Game {
    pub site: String,
    pub pitch: String,
    pub date: NaiveDate,
    pub from: NaiveTime,
    pub to: NaiveTime,
    /// What the client says at the gate.
    pub code: String,
}

/// To whoever signs in: the code, and that nobody else needs it.
pub fn code(language: Language, code: &str, minutes: i64) -> String {
    match language {
        Language::Fr => fr::code(code, minutes),
        Language::En => en::code(code, minutes),
        Language::Wo => wo::code(code, minutes),
    }
}

/// One thing to tell one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// To the client: pay by then, here.
    Held { game: Game, due: Money, until: NaiveTime, pay_url: String },
    /// To the client: the rest, here.
    PayBalance { game: Game, due: Money, pay_url: String },
    /// To the client.
    Confirmed { game: Game, paid: Money, balance: Money },
    /// To the client: a balance was received.
    Paid { game: Game, amount: Money, balance: Money },
    /// To whoever holds it: a share was paid, and how many are; what is missing before it is confirmed.
    SharePaid { game: Game, amount: Money, paid: usize, of: usize, missing: Money },
    /// To the client: the hold ended unpaid. `settled`: it is certain that nothing was taken from them.
    Expired { game: Game, settled: bool },
    /// To the client, with the money said.
    Cancelled { game: Game, reason: CancelReason, back: Money, kept: Money },
    /// To the client: the new time, with the money said.
    Rescheduled { game: Game, back: Money, balance: Money },
    /// To the client: nobody came.
    NoShow { game: Game, kept: Money, fine: Option<Money> },
    /// To the client: the money came after the slot was sold; all of it goes back. What is free instead.
    TooLate { game: Game, back: Money, free: Vec<NaiveTime> },
    /// To the client: paid twice, or more than was due.
    TooMuch { site: String, back: Money },
    /// To the client: paid less than the deposit, and the hold ended.
    TooLittle { game: Game, back: Money },
    /// To the client: the money is there, with the provider's own reference where it gives one.
    Refunded { site: String, amount: Money, reference: Option<String> },
    /// To the client: money of theirs is kept for them, which they can pay with.
    Credited { amount: Money },
    /// To the client: what they owe for not having come, and until when they may appeal.
    Fined { game: Game, fine: Money, until: (NaiveDate, NaiveTime) },
    /// To the client: pay the fine, here.
    PayFine { game: Game, fine: Money, pay_url: String },
    /// To the manager: somebody appeals; decide by then.
    FineAppealed { game: Game, fine: Money, by: NaiveDate },
    /// To the client: the appeal was decided.
    FineDecided { game: Game, fine: Money, waived: bool },
    /// To the client: the fine is paid.
    FineSettled { game: Game, fine: Money },
    /// To the client, some time before.
    Reminder { game: Game, balance: Money },
    /// To the manager: somebody booked.
    Booked { game: Game, paid: Money, balance: Money },
    /// To the manager: a slot is free again.
    Freed { game: Game },
    /// To the manager: a reservation has another time.
    Moved { game: Game },
    /// To the manager: the site was paid.
    PaidOut { site: String, amount: Money, reference: Option<String> },
    /// To the manager: commission is asked for, or was not paid in time.
    Invoice { site: String, number: u32, amount: Money, until: String, late: bool },
    /// To the client: somebody says that the PIN is lost; stop it here.
    PinLost { hours: i64, stop_url: String },
    /// To the client: another PIN counts.
    PinReplaced,
    /// To the client: another number is to take the place of this one; stop it here.
    NumberChanges { hours: i64, stop_url: String },
    /// To the client, at their new number.
    NumberChanged,
    /// To the client: somebody else wanted their number.
    NumberWanted,
    /// To the manager: hand this out against signature.
    HandOut { game: Game, amount: Money },
    /// To the manager: the till was closed, and differs by so much; negative when something is missing.
    TillVariance { site: String, variance: Money },
}

/// The text in a language.
pub fn write(language: Language, message: &Message) -> String {
    match language {
        Language::Fr => fr::write(message),
        Language::En => en::write(message),
        Language::Wo => wo::write(message),
    }
}

/// `35 000 F`: groups of three with a plain space, the way prices are written in Senegal.
fn money(money: Money) -> String {
    if money.currency.exponent() > 0 {
        return money.to_string();
    }
    let digits = money.amount.unsigned_abs().to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3 + 3);
    if money.amount < 0 {
        grouped.push('-');
    }
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(' ');
        }
        grouped.push(digit);
    }
    format!("{grouped} F")
}

/// `22/11`.
fn day(date: NaiveDate) -> String {
    date.format("%d/%m").to_string()
}

/// `18h30`.
fn hour(time: NaiveTime) -> String {
    time.format("%Hh%M").to_string()
}

/// `18:30`.
fn clock(time: NaiveTime) -> String {
    time.format("%H:%M").to_string()
}

#[cfg(test)]
mod tests;
