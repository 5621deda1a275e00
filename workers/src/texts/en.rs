//! English.

use domain::{money::Money, reservation::CancelReason};

use super::{Game, Message, clock, day, money};

pub(super) fn code(code: &str, minutes: i64) -> String {
    format!("Kalel: code {code}, good for {minutes} minutes. Give it to nobody.")
}

pub(super) fn write(message: &Message) -> String {
    match message {
        Message::Held { game, due, until, pay_url } => {
            format!("{} held. Pay {} before {} to confirm: {pay_url}", place(game), money(*due), clock(*until))
        }
        Message::PayBalance { game, due, pay_url } => {
            format!("{}: {} left to pay: {pay_url}", place(game), money(*due))
        }
        Message::Confirmed { game, paid, balance } => {
            format!("Confirmed: {}. Code {}.{}", place(game), game.code, paid_and_rest(*paid, *balance))
        }
        Message::Paid { game, amount, balance } => {
            format!("Received {} for {}.{}", money(*amount), place(game), rest(*balance))
        }
        Message::SharePaid { game, amount, paid, of, missing } => {
            let missing = match missing.is_positive() {
                true => format!(" {} more to confirm.", money(*missing)),
                false => String::new(),
            };
            format!("Share paid: {}, {}. {paid} of {of}.{missing}", money(*amount), place(game))
        }
        Message::Expired { game, settled } => {
            let money = if *settled { "Nothing was charged." } else { "If you have paid, we are looking into it." };
            format!("{}: not paid in time, the reservation has expired. {money}", place(game))
        }
        Message::Cancelled { game, reason, back, kept } => {
            format!("Cancelled{}: {}.{}", why(*reason), place(game), money_said(*back, *kept))
        }
        Message::Rescheduled { game, back, balance } => {
            let back = if back.is_positive() { format!(" {} refunded.", money(*back)) } else { String::new() };
            format!("Moved: {}. Code {}.{back}{}", place(game), game.code, rest(*balance))
        }
        Message::NoShow { game, kept, fine } => {
            let fine = fine.map(|fine| format!(" Fine: {}.", money(fine))).unwrap_or_default();
            let kept = if kept.is_positive() { format!(" {} kept.", money(*kept)) } else { String::new() };
            format!("No-show: {}.{kept}{fine}", place(game))
        }
        Message::TooLate { game, back, free } => {
            let free = times(free).map(|free| format!(" Free: {free}.")).unwrap_or_default();
            format!("{}: paid too late, the pitch is taken. {} will be refunded.{free}", place(game), money(*back))
        }
        Message::TooMuch { site, back } => format!("{site}: paid too much, {} will be refunded.", money(*back)),
        Message::TooLittle { game, back } => {
            format!("{}: incomplete deposit, the reservation expired. {} will be refunded.", place(game), money(*back))
        }
        Message::Refunded { site, amount, reference } => {
            let reference = reference.as_ref().map(|id| format!(" Ref. {id}.")).unwrap_or_default();
            format!("{site}: {} refunded.{reference}", money(*amount))
        }
        Message::Credited { amount } => format!("Credit: {} kept for your next reservation.", money(*amount)),
        Message::Fined { game, fine, until: (date, time) } => format!(
            "{}, no-show on {}: fine of {}, to be paid before you book again. Appeal until {} {}.",
            game.site,
            day(game.date),
            money(*fine),
            day(*date),
            clock(*time)
        ),
        Message::PayFine { game, fine, pay_url } => {
            format!("{}: fine of {} to pay: {pay_url}", game.site, money(*fine))
        }
        Message::FineAppealed { game, fine, by } => format!(
            "Fine appealed: {} (code {}, {}). Decide before {}, or it is waived.",
            money(*fine),
            game.code,
            game.site,
            day(*by)
        ),
        Message::FineDecided { game, fine, waived: true } => {
            format!("{}: fine of {} waived. You can book.", game.site, money(*fine))
        }
        Message::FineDecided { game, fine, waived: false } => {
            format!("{}: fine of {} upheld, to be paid before you book again.", game.site, money(*fine))
        }
        Message::FineSettled { game, fine } => {
            format!("{}: fine of {} paid. You can book.", game.site, money(*fine))
        }
        Message::Reminder { game, balance } => {
            let rest = if balance.is_positive() { format!(" {} left to pay.", money(*balance)) } else { String::new() };
            format!("Reminder: {}. Code {}.{rest}", place(game), game.code)
        }
        Message::Booked { game, paid, balance } => {
            format!("New reservation: {}. Code {}.{}", place(game), game.code, paid_and_rest(*paid, *balance))
        }
        Message::Freed { game } => format!("Cancelled: {}. Code {}.", place(game), game.code),
        Message::Moved { game } => format!("Moved: {}. Code {}.", place(game), game.code),
        Message::PaidOut { site, amount, reference } => {
            let reference = reference.as_ref().map(|id| format!(" Ref. {id}.")).unwrap_or_default();
            format!("{site}: {} paid out to you.{reference}", money(*amount))
        }
        Message::Invoice { site, number, amount, until, late } => {
            let amount = money(*amount);
            match late {
                false => format!("Invoice {number} of {site}: {amount} of commission, to be paid before {until}."),
                true => format!(
                    "Invoice {number} of {site} is overdue: {amount} of commission had to be paid before {until}."
                ),
            }
        }
        Message::TillVariance { site, variance } => {
            let amount = money(Money::new(variance.amount.saturating_abs(), variance.currency));
            if variance.amount < 0 {
                format!("Till closed at {site}: {amount} missing.")
            } else {
                format!("Till closed at {site}: {amount} too much.")
            }
        }
        Message::PinLost { hours, stop_url } => {
            format!("Kalel: a new PIN was asked for, possible in {hours} h. Not you? Stop it: {stop_url}")
        }
        Message::PinReplaced => "Kalel: your PIN was replaced and your other telephones are signed out.".to_owned(),
        Message::NumberChanges { hours, stop_url } => {
            format!("Kalel: your number changes in {hours} h. Not you? Stop it: {stop_url}")
        }
        Message::NumberChanged => "Kalel: this is now the number of your account.".to_owned(),
        Message::NumberWanted => {
            "Kalel: somebody wanted this number for another account. Nothing has changed.".to_owned()
        }
        Message::HandOut { game, amount } => {
            format!("Hand out in person: {} (code {}, {}), against signature.", money(*amount), game.code, game.site)
        }
    }
}

fn place(game: &Game) -> String {
    format!("{}, {}, {} {}-{}", game.site, game.pitch, day(game.date), clock(game.from), clock(game.to))
}

fn rest(balance: Money) -> String {
    if balance.is_positive() { format!(" {} left.", money(balance)) } else { String::new() }
}

fn times(free: &[chrono::NaiveTime]) -> Option<String> {
    let times: Vec<String> = free.iter().map(|time| clock(*time)).collect();
    (!times.is_empty()).then(|| times.join(", "))
}

fn paid_and_rest(paid: Money, balance: Money) -> String {
    match (paid.is_positive(), balance.is_positive()) {
        (true, true) => format!(" Paid {}, {} left.", money(paid), money(balance)),
        (true, false) => format!(" Paid {}.", money(paid)),
        (false, true) => format!(" To pay on site: {}.", money(balance)),
        (false, false) => String::new(),
    }
}

fn money_said(back: Money, kept: Money) -> String {
    match (back.is_positive(), kept.is_positive()) {
        (true, true) => format!(" {} refunded, {} kept.", money(back), money(kept)),
        (true, false) => format!(" {} refunded.", money(back)),
        (false, true) => format!(" Deposit of {} kept.", money(kept)),
        (false, false) => " Nothing was charged.".to_owned(),
    }
}

fn why(reason: CancelReason) -> &'static str {
    match reason {
        CancelReason::Client => "",
        CancelReason::Manager => " by the manager",
        CancelReason::Weather => " (weather)",
        CancelReason::PowerCut => " (power cut)",
        CancelReason::Closure => " (closure)",
    }
}
