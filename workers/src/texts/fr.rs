//! French.

use domain::{money::Money, reservation::CancelReason};

use super::{Game, Message, day, hour, money};

pub(super) fn code(code: &str, minutes: i64) -> String {
    format!("Kalel: code {code}, valable {minutes} minutes. Ne le donnez à personne.")
}

pub(super) fn write(message: &Message) -> String {
    match message {
        Message::Held { game, due, until, pay_url } => {
            format!("{} retenu. Payez {} avant {} pour confirmer: {pay_url}", place(game), money(*due), hour(*until))
        }
        Message::PayBalance { game, due, pay_url } => {
            format!("{}: il reste {} à payer: {pay_url}", place(game), money(*due))
        }
        Message::Confirmed { game, paid, balance } => {
            format!("Confirmé: {}. Code {}.{}", place(game), game.code, paid_and_rest(*paid, *balance))
        }
        Message::Paid { game, amount, balance } => {
            format!("Encaissé {} pour {}.{}", money(*amount), place(game), rest(*balance))
        }
        Message::SharePaid { game, amount, paid, of, missing } => {
            let missing = match missing.is_positive() {
                true => format!(" Il manque {} pour confirmer.", money(*missing)),
                false => String::new(),
            };
            format!("Part payée: {}, {}. {paid} sur {of}.{missing}", money(*amount), place(game))
        }
        Message::Expired { game, settled } => {
            let money = if *settled { "Rien n'a été débité." } else { "Si vous avez payé, nous vérifions." };
            format!("{}: non payé à temps, la réservation a expiré. {money}", place(game))
        }
        Message::Cancelled { game, reason, back, kept } => {
            format!("Annulé{}: {}.{}", why(*reason), place(game), money_said(*back, *kept))
        }
        Message::Rescheduled { game, back, balance } => {
            let back = if back.is_positive() { format!(" {} remboursés.", money(*back)) } else { String::new() };
            format!("Déplacé: {}. Code {}.{back}{}", place(game), game.code, rest(*balance))
        }
        Message::NoShow { game, kept, fine } => {
            let fine = fine.map(|fine| format!(" Pénalité: {}.", money(fine))).unwrap_or_default();
            let kept = if kept.is_positive() { format!(" {} retenus.", money(*kept)) } else { String::new() };
            format!("Absence: {}.{kept}{fine}", place(game))
        }
        Message::TooLate { game, back, free } => {
            let free = times(free).map(|free| format!(" Libre: {free}.")).unwrap_or_default();
            format!("{}: payé trop tard, le terrain est pris. {} remboursés.{free}", place(game), money(*back))
        }
        Message::TooMuch { site, back } => format!("{site}: payé en trop, {} vous sont remboursés.", money(*back)),
        Message::TooLittle { game, back } => {
            format!("{}: acompte incomplet, réservation expirée. {} remboursés.", place(game), money(*back))
        }
        Message::Refunded { site, amount, reference } => {
            let reference = reference.as_ref().map(|id| format!(" Réf. {id}.")).unwrap_or_default();
            format!("{site}: {} remboursés.{reference}", money(*amount))
        }
        Message::Credited { amount } => {
            format!("Avoir: {} gardés pour votre prochaine réservation.", money(*amount))
        }
        Message::Fined { game, fine, until: (date, time) } => format!(
            "{}, absence le {}: pénalité de {}, à régler avant de réserver. Contestation jusqu'au {} à {}.",
            game.site,
            day(game.date),
            money(*fine),
            day(*date),
            hour(*time)
        ),
        Message::PayFine { game, fine, pay_url } => {
            format!("{}: pénalité de {} à payer: {pay_url}", game.site, money(*fine))
        }
        Message::FineAppealed { game, fine, by } => format!(
            "Pénalité contestée: {} (code {}, {}). Décidez avant le {}, sinon elle est levée.",
            money(*fine),
            game.code,
            game.site,
            day(*by)
        ),
        Message::FineDecided { game, fine, waived: true } => {
            format!("{}: pénalité de {} levée. Vous pouvez réserver.", game.site, money(*fine))
        }
        Message::FineDecided { game, fine, waived: false } => {
            format!("{}: pénalité de {} maintenue, à régler avant de réserver.", game.site, money(*fine))
        }
        Message::FineSettled { game, fine } => {
            format!("{}: pénalité de {} réglée. Vous pouvez réserver.", game.site, money(*fine))
        }
        Message::Reminder { game, balance } => {
            let rest =
                if balance.is_positive() { format!(" Reste {} à payer.", money(*balance)) } else { String::new() };
            format!("Rappel: {}. Code {}.{rest}", place(game), game.code)
        }
        Message::Booked { game, paid, balance } => {
            format!("Nouvelle réservation: {}. Code {}.{}", place(game), game.code, paid_and_rest(*paid, *balance))
        }
        Message::Freed { game } => format!("Annulation: {}. Code {}.", place(game), game.code),
        Message::Moved { game } => format!("Déplacé: {}. Code {}.", place(game), game.code),
        Message::PaidOut { site, amount, reference } => {
            let reference = reference.as_ref().map(|id| format!(" Réf. {id}.")).unwrap_or_default();
            format!("{site}: {} vous ont été reversés.{reference}", money(*amount))
        }
        Message::Invoice { site, number, amount, until, late } => {
            let amount = money(*amount);
            match late {
                false => format!("Facture {number} de {site}: {amount} de commission, à payer avant le {until}."),
                true => format!(
                    "Facture {number} de {site} en retard: {amount} de commission étaient à payer avant le {until}."
                ),
            }
        }
        Message::TillVariance { site, variance } => {
            let amount = money(Money::new(variance.amount.saturating_abs(), variance.currency));
            if variance.amount < 0 {
                format!("Caisse fermée à {site}: il manque {amount}.")
            } else {
                format!("Caisse fermée à {site}: {amount} de trop.")
            }
        }
        Message::PinLost { hours, stop_url } => {
            format!("Kalel: nouveau PIN demandé, possible dans {hours} h. Pas vous? Annulez: {stop_url}")
        }
        Message::PinReplaced => "Kalel: votre PIN est changé et vos autres téléphones sont déconnectés.".to_owned(),
        Message::NumberChanges { hours, stop_url } => {
            format!("Kalel: votre numéro change dans {hours} h. Pas vous? Annulez: {stop_url}")
        }
        Message::NumberChanged => "Kalel: ce numéro est maintenant celui de votre compte.".to_owned(),
        Message::NumberWanted => "Kalel: quelqu'un a voulu ce numéro pour un autre compte. Rien n'a changé.".to_owned(),
        Message::HandOut { game, amount } => {
            format!(
                "A remettre en main propre: {} (code {}, {}), contre signature.",
                money(*amount),
                game.code,
                game.site
            )
        }
    }
}

fn place(game: &Game) -> String {
    format!("{}, {}, le {} de {} à {}", game.site, game.pitch, day(game.date), hour(game.from), hour(game.to))
}

fn rest(balance: Money) -> String {
    if balance.is_positive() { format!(" Reste {}.", money(balance)) } else { String::new() }
}

fn times(free: &[chrono::NaiveTime]) -> Option<String> {
    let times: Vec<String> = free.iter().map(|time| hour(*time)).collect();
    (!times.is_empty()).then(|| times.join(", "))
}

fn paid_and_rest(paid: Money, balance: Money) -> String {
    match (paid.is_positive(), balance.is_positive()) {
        (true, true) => format!(" Payé {}, reste {}.", money(paid), money(balance)),
        (true, false) => format!(" Payé {}.", money(paid)),
        (false, true) => format!(" A payer sur place: {}.", money(balance)),
        (false, false) => String::new(),
    }
}

fn money_said(back: Money, kept: Money) -> String {
    match (back.is_positive(), kept.is_positive()) {
        (true, true) => format!(" {} remboursés, {} retenus.", money(back), money(kept)),
        (true, false) => format!(" {} remboursés.", money(back)),
        (false, true) => format!(" Acompte de {} retenu.", money(kept)),
        (false, false) => " Rien n'a été débité.".to_owned(),
    }
}

fn why(reason: CancelReason) -> &'static str {
    match reason {
        CancelReason::Client => "",
        CancelReason::Manager => " par le gérant",
        CancelReason::Weather => " (météo)",
        CancelReason::PowerCut => " (coupure de courant)",
        CancelReason::Closure => " (fermeture)",
    }
}
