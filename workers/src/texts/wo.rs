//! Wolof, in the spelling of the CLAD alphabet as far as GSM-7 has its letters (ñ yes; ë and ŋ are written e and n).

use domain::{money::Money, reservation::CancelReason};

use super::{Game, Message, day, hour, money};

pub(super) fn code(code: &str, minutes: i64) -> String {
    format!("Kalel: kod {code}, dafay jar {minutes} simili. Bul ko jox kenn.")
}

pub(super) fn write(message: &Message) -> String {
    match message {
        Message::Held { game, due, until, pay_url } => {
            format!("{} dencal nañu la ko. Fayal {} balaa {}: {pay_url}", place(game), money(*due), hour(*until))
        }
        Message::PayBalance { game, due, pay_url } => {
            format!("{}: des na {} ngay fay: {pay_url}", place(game), money(*due))
        }
        Message::Confirmed { game, paid, balance } => {
            format!("Dogal nañu ko: {}. Kod {}.{}", place(game), game.code, paid_and_rest(*paid, *balance))
        }
        Message::Paid { game, amount, balance } => {
            format!("Jot nañu {} ngir {}.{}", money(*amount), place(game), rest(*balance))
        }
        Message::SharePaid { game, amount, paid, of, missing } => {
            let missing = match missing.is_positive() {
                true => format!(" Desna {} ngir confirmer.", money(*missing)),
                false => String::new(),
            };
            format!("Wàll fey na ñu ko: {}, {}. {paid} ci {of}.{missing}", money(*amount), place(game))
        }
        Message::Expired { game, settled } => {
            let money = if *settled { "Duñu la feyloo dara." } else { "Su fekkee ne fay nga, ñu ngi koy xool." };
            format!("{}: fayoo ko ci waxtu wi, neen na. {money}", place(game))
        }
        Message::Cancelled { game, reason, back, kept } => {
            format!("Neenal nañu ko{}: {}.{}", why(*reason), place(game), money_said(*back, *kept))
        }
        Message::Rescheduled { game, back, balance } => {
            let back = if back.is_positive() { format!(" Dinañu la delloo {}.", money(*back)) } else { String::new() };
            format!("Toxal nañu ko: {}. Kod {}.{back}{}", place(game), game.code, rest(*balance))
        }
        Message::NoShow { game, kept, fine } => {
            let fine = fine.map(|fine| format!(" Daan: {}.", money(fine))).unwrap_or_default();
            let kept = if kept.is_positive() { format!(" {} du dellu.", money(*kept)) } else { String::new() };
            format!("Ñewuloo: {}.{kept}{fine}", place(game))
        }
        Message::TooLate { game, back, free } => {
            let free = times(free).map(|free| format!(" Lu des: {free}.")).unwrap_or_default();
            format!("{}: fay nga mu weesu, terrain bi jappu na. Dinañu la delloo {}.{free}", place(game), money(*back))
        }
        Message::TooMuch { site, back } => format!("{site}: fay nga lu epp, dinañu la delloo {}.", money(*back)),
        Message::TooLittle { game, back } => {
            format!("{}: acompte bi matul, reservation bi neen na. Dinañu la delloo {}.", place(game), money(*back))
        }
        Message::Refunded { site, amount, reference } => {
            let reference = reference.as_ref().map(|id| format!(" Ref. {id}.")).unwrap_or_default();
            format!("{site}: delloo nañu la {}.{reference}", money(*amount))
        }
        Message::Credited { amount } => format!("Sa aj: {} denc nañu ko ngir beneen yoon.", money(*amount)),
        Message::Fined { game, fine, until: (date, time) } => format!(
            "{}, ñewuloo {}: daan {}, fay ko balaa ngay reservee. Men nga ko weddi ba {} {}.",
            game.site,
            day(game.date),
            money(*fine),
            day(*date),
            hour(*time)
        ),
        Message::PayFine { game, fine, pay_url } => {
            format!("{}: daan {} ngay fay: {pay_url}", game.site, money(*fine))
        }
        Message::FineAppealed { game, fine, by } => format!(
            "Weddi nañu daan bi: {} (kod {}, {}). Dogalal balaa {}, lu ko moy dinañu ko baal.",
            money(*fine),
            game.code,
            game.site,
            day(*by)
        ),
        Message::FineDecided { game, fine, waived: true } => {
            format!("{}: daan {} baal nañu la ko. Men nga reservee.", game.site, money(*fine))
        }
        Message::FineDecided { game, fine, waived: false } => {
            format!("{}: daan {} des na, fay ko balaa ngay reservee.", game.site, money(*fine))
        }
        Message::FineSettled { game, fine } => {
            format!("{}: daan {} fay nga ko. Men nga reservee.", game.site, money(*fine))
        }
        Message::Reminder { game, balance } => {
            let rest = if balance.is_positive() { format!(" Des na {}.", money(*balance)) } else { String::new() };
            format!("Fattali: {}. Kod {}.{rest}", place(game), game.code)
        }
        Message::Booked { game, paid, balance } => {
            format!("Reservation bu bees: {}. Kod {}.{}", place(game), game.code, paid_and_rest(*paid, *balance))
        }
        Message::Freed { game } => format!("Neenal nañu: {}. Kod {}.", place(game), game.code),
        Message::Moved { game } => format!("Toxal nañu ko: {}. Kod {}.", place(game), game.code),
        Message::PaidOut { site, amount, reference } => {
            let reference = reference.as_ref().map(|id| format!(" Réf. {id}.")).unwrap_or_default();
            format!("{site}: {} yonnee nañu leen ko.{reference}", money(*amount))
        }
        Message::Invoice { site, number, amount, until, late } => {
            let amount = money(*amount);
            match late {
                false => format!("Faktiir {number} bu {site}: {amount} commission, fey ko bala {until}."),
                true => format!(
                    "Faktiir {number} bu {site} yéexal na: {amount} commission, waroon nañu ko fey bala {until}."
                ),
            }
        }
        Message::TillVariance { site, variance } => {
            let amount = money(Money::new(variance.amount.saturating_abs(), variance.currency));
            if variance.amount < 0 {
                format!("Kees bi tej na, {site}: {amount} la ñàkk.")
            } else {
                format!("Kees bi tej na, {site}: {amount} moo epp.")
            }
        }
        Message::PinLost { hours, stop_url } => {
            format!("Kalel: PIN bu bees laaj nañu ko, ginaaw {hours} waxtu. Du yaw? Taxawal ko: {stop_url}")
        }
        Message::PinReplaced => "Kalel: sa PIN soppiku na, yeneen telefon yi génn nañu.".to_owned(),
        Message::NumberChanges { hours, stop_url } => {
            format!("Kalel: sa nimero dina soppiku ginaaw {hours} waxtu. Du yaw? Taxawal ko: {stop_url}")
        }
        Message::NumberChanged => "Kalel: nimero bii mooy sa nimero léegi.".to_owned(),
        Message::NumberWanted => "Kalel: am na ku beggoon nimero bii ci beneen konte. Dara soppikuwul.".to_owned(),
        Message::HandOut { game, amount } => {
            format!("Joxal ko ci loxo: {} (kod {}, {}), mu xaatim.", money(*amount), game.code, game.site)
        }
    }
}

fn place(game: &Game) -> String {
    format!("{}, {}, {} {} ba {}", game.site, game.pitch, day(game.date), hour(game.from), hour(game.to))
}

fn rest(balance: Money) -> String {
    if balance.is_positive() { format!(" Des na {}.", money(balance)) } else { String::new() }
}

fn times(free: &[chrono::NaiveTime]) -> Option<String> {
    let times: Vec<String> = free.iter().map(|time| hour(*time)).collect();
    (!times.is_empty()).then(|| times.join(", "))
}

fn paid_and_rest(paid: Money, balance: Money) -> String {
    match (paid.is_positive(), balance.is_positive()) {
        (true, true) => format!(" Fay nga {}, des na {}.", money(paid), money(balance)),
        (true, false) => format!(" Fay nga {}.", money(paid)),
        (false, true) => format!(" Dangay fay {} ci terrain bi.", money(balance)),
        (false, false) => String::new(),
    }
}

fn money_said(back: Money, kept: Money) -> String {
    match (back.is_positive(), kept.is_positive()) {
        (true, true) => format!(" Dinañu la delloo {}, {} des na.", money(back), money(kept)),
        (true, false) => format!(" Dinañu la delloo {}.", money(back)),
        (false, true) => format!(" Acompte {} du dellu.", money(kept)),
        (false, false) => " Duñu la feyloo dara.".to_owned(),
    }
}

fn why(reason: CancelReason) -> &'static str {
    match reason {
        CancelReason::Client => "",
        CancelReason::Manager => " (boroom terrain bi)",
        CancelReason::Weather => " (taw)",
        CancelReason::PowerCut => " (courant bi)",
        CancelReason::Closure => " (terrain bi day tej)",
    }
}
