//! The statement of a payout as a table, in the reader's language.

use adapters::document::{Cell, Column, Kind, Table};
use domain::{
    money::Money,
    payout::{Prepared, Status},
};
use projections::payout::Played;

use super::{prepared, statement::Told};
use crate::{http::language::Language, problem::Problem};

struct Words {
    title: &'static str,
    site: &'static str,
    period: &'static str,
    until: &'static str,
    payout: &'static str,
    status: &'static str,
    columns: [&'static str; 6],
    opening: &'static str,
    payable: &'static str,
    taken_back: &'static str,
    at_site: &'static str,
    held: &'static str,
    amount: &'static str,
    page: (&'static str, &'static str),
}

const FR: Words = Words {
    title: "Relevé de reversement",
    site: "Terrain",
    period: "Période",
    until: "jusqu'au",
    payout: "Reversement",
    status: "État",
    columns: ["Réservation", "Jouée le", "Reçu", "Gardé", "Commission", "Net"],
    opening: "Report",
    payable: "Total dû",
    taken_back: "Remboursé depuis",
    at_site: "Encaissé par le terrain",
    held: "Retenu (litige)",
    amount: "Versé",
    page: ("Page", "sur"),
};

const EN: Words = Words {
    title: "Payout statement",
    site: "Site",
    period: "Period",
    until: "until",
    payout: "Payout",
    status: "Status",
    columns: ["Reservation", "Played on", "Received", "Kept", "Commission", "Net"],
    opening: "Carried over",
    payable: "Total owed",
    taken_back: "Refunded since",
    at_site: "Taken in by the site",
    held: "Held (dispute)",
    amount: "Paid",
    page: ("Page", "of"),
};

const WO: Words = Words {
    title: "Xaalis bi ñu yonnee",
    site: "Terrain",
    period: "Diir",
    until: "ba",
    payout: "Yonnee xaalis",
    status: "Fan la tollu",
    columns: ["Réservation", "Bés bi", "Jot nañu", "Des na", "Commission", "Li ñuy fey"],
    opening: "Li desoon",
    payable: "Bor bi yépp",
    taken_back: "Delloo nañu",
    at_site: "Terrain bi moo ko jot",
    held: "Téye nañu (litige)",
    amount: "Yonnee nañu",
    page: ("Xët", "ci"),
};

/// The table; every form of it shows these sums.
pub(super) fn table(told: &Told, language: Language) -> Result<Table, Problem> {
    let words = match language {
        Language::Fr => &FR,
        Language::En => &EN,
        Language::Wo => &WO,
    };
    let was = prepared(&told.payout)?;
    let identity = told.site.state.identity.as_ref().ok_or_else(|| Problem::new("object.not_found"))?;
    let zone = identity.time_zone;
    let day = |at: domain::Timestamp| at.with_timezone(&zone).format("%d/%m/%Y %H:%M").to_string();
    let currency = was.amount.currency;
    let columns = words.columns.iter().enumerate().map(|(nth, word)| match nth {
        0 => Column::new(*word, Kind::Text),
        1 => Column::new(*word, Kind::Time),
        _ => Column::new(format!("{word} ({currency})"), Kind::Money),
    });
    let from = was.from.map(day).unwrap_or_default();
    let mut rows = vec![line(words.opening, told.statement.opening)];
    rows.extend(told.statement.rows.iter().map(row));
    Ok(Table {
        title: words.title.to_owned(),
        facts: vec![
            (words.site.to_owned(), identity.profile.name.to_string()),
            (words.period.to_owned(), format!("{from} {} {}", words.until, day(was.to)).trim().to_owned()),
            (words.payout.to_owned(), told.payout.id.to_string()),
            (words.status.to_owned(), status(told.payout.state.status, language).to_owned()),
        ],
        columns: columns.collect(),
        rows,
        totals: totals(words, was),
        code: None,
        zone,
        page_words: (words.page.0.to_owned(), words.page.1.to_owned()),
        made_at: was.at,
    })
}

fn line(word: &str, net: Money) -> Vec<Cell> {
    vec![Cell::text(word), Cell::Empty, Cell::Empty, Cell::Empty, Cell::Empty, Cell::Money(net)]
}

/// A movement that is of no reservation only says what it was.
fn row(row: &Played) -> Vec<Cell> {
    if row.reservation_id.is_none() {
        return line(&row.event, row.net);
    }
    vec![
        Cell::text(row.code.clone().unwrap_or_default()),
        row.starts_at.map_or(Cell::Empty, Cell::Time),
        Cell::Money(row.received),
        Cell::Money(row.kept),
        Cell::Money(row.commission),
        Cell::Money(row.net),
    ]
}

fn totals(words: &Words, was: &Prepared) -> Vec<Vec<Cell>> {
    let minus = |money: Money| Money::new(-money.amount, money.currency);
    let mut totals = vec![line(words.payable, was.payable)];
    if was.taken_back.is_positive() {
        totals.push(line(words.taken_back, minus(was.taken_back)));
    }
    if was.at_site.is_positive() {
        totals.push(line(words.at_site, minus(was.at_site)));
    }
    if was.held.is_positive() {
        totals.push(line(words.held, minus(was.held)));
    }
    totals.push(line(words.amount, was.amount));
    totals
}

const fn status(status: Status, language: Language) -> &'static str {
    let [fr, en, wo] = match status {
        Status::Absent | Status::Prepared | Status::Agreed => ["à approuver", "to be approved", "mu ngi xaar"],
        Status::Approved => ["approuvé", "approved", "nangu nañu ko"],
        Status::Rejected => ["rejeté", "rejected", "bañ nañu ko"],
        Status::Submitted | Status::Pending | Status::Unknown => ["en cours", "under way", "mu ngi ci yoon bi"],
        Status::Succeeded | Status::PaidByHand => ["versé", "paid", "yonnee nañu ko"],
        Status::Failed => ["échoué", "failed", "antuwul"],
        Status::Reversed => ["repris par l'opérateur", "taken back by the provider", "opérateur bi delloo na ko"],
    };
    match language {
        Language::Fr => fr,
        Language::En => en,
        Language::Wo => wo,
    }
}
