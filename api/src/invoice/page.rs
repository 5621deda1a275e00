//! An invoice as a table, in the reader's language.

use adapters::document::{Cell, Column, Kind, Table};
use domain::{invoice::Status, money::Money};
use projections::invoice::Earned;

use super::statement::Told;
use crate::{http::language::Language, problem::Problem};

struct Words {
    title: &'static str,
    site: &'static str,
    number: &'static str,
    until: &'static str,
    due: &'static str,
    status: &'static str,
    columns: [&'static str; 4],
    opening: &'static str,
    amount: &'static str,
    page: (&'static str, &'static str),
}

const FR: Words = Words {
    title: "Facture de commission",
    site: "Terrain",
    number: "Facture",
    until: "Jusqu'au",
    due: "À payer avant le",
    status: "État",
    columns: ["Réservation", "Jouée le", "Inscrite le", "Commission"],
    opening: "Report",
    amount: "À payer",
    page: ("Page", "sur"),
};

const EN: Words = Words {
    title: "Commission invoice",
    site: "Site",
    number: "Invoice",
    until: "Until",
    due: "To be paid by",
    status: "Status",
    columns: ["Reservation", "Played on", "Entered on", "Commission"],
    opening: "Carried over",
    amount: "To be paid",
    page: ("Page", "of"),
};

const WO: Words = Words {
    title: "Faktiiru commission",
    site: "Terrain",
    number: "Faktiir",
    until: "Ba",
    due: "Fey ko balaa",
    status: "Fan la tollu",
    columns: ["Réservation", "Bés bi", "Bindees na ko", "Commission"],
    opening: "Li desoon",
    amount: "Li ñu war a fey",
    page: ("Xët", "ci"),
};

/// The table; every form of it shows these sums.
pub(super) fn table(told: &Told, language: Language) -> Result<Table, Problem> {
    let words = match language {
        Language::Fr => &FR,
        Language::En => &EN,
        Language::Wo => &WO,
    };
    let identity = told.site.state.identity.as_ref().ok_or_else(|| Problem::new("object.not_found"))?;
    let zone = identity.time_zone;
    let day = |at: domain::Timestamp| at.with_timezone(&zone).format("%d/%m/%Y").to_string();
    let issued = &told.issued;
    let columns = words.columns.iter().enumerate().map(|(nth, word)| match nth {
        0 => Column::new(*word, Kind::Text),
        1 | 2 => Column::new(*word, Kind::Time),
        _ => Column::new(format!("{word} ({})", issued.amount.currency), Kind::Money),
    });
    let mut rows = vec![line(words.opening, told.opening)];
    rows.extend(told.rows.iter().map(row));
    Ok(Table {
        title: words.title.to_owned(),
        facts: vec![
            (words.site.to_owned(), identity.profile.name.to_string()),
            (words.number.to_owned(), format!("{} · {}", issued.number, told.id)),
            (words.until.to_owned(), day(issued.to)),
            (words.due.to_owned(), day(issued.due_at)),
            (words.status.to_owned(), status(told.invoice.status, language).to_owned()),
        ],
        columns: columns.collect(),
        rows,
        totals: vec![line(words.amount, issued.amount)],
        code: None,
        zone,
        page_words: (words.page.0.to_owned(), words.page.1.to_owned()),
        made_at: issued.at,
    })
}

fn line(word: &str, amount: Money) -> Vec<Cell> {
    vec![Cell::text(word), Cell::Empty, Cell::Empty, Cell::Money(amount)]
}

fn row(row: &Earned) -> Vec<Cell> {
    vec![
        Cell::text(row.code.clone().unwrap_or_default()),
        row.starts_at.map_or(Cell::Empty, Cell::Time),
        Cell::Time(row.at),
        Cell::Money(row.commission),
    ]
}

const fn status(status: Status, language: Language) -> &'static str {
    let [fr, en, wo] = match status {
        Status::Absent | Status::Issued => ["à payer", "to be paid", "fey ko"],
        Status::Overdue => ["en retard", "overdue", "yéex na"],
        Status::Paid => ["payée", "paid", "fey nañu ko"],
        Status::Cancelled => ["annulée", "cancelled", "neenal nañu ko"],
    };
    match language {
        Language::Fr => fr,
        Language::En => en,
        Language::Wo => wo,
    }
}
