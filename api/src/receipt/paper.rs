//! The receipt on A4, in French or English.

use adapters::document::{Cell, Code, Column, Kind, Table, spaced};
use domain::{money::Money, reservation::Held};

use super::Told;
use crate::{http::language::Language, shape::local_text};

/// Lines that a QR code has room for.
const PROVEN: usize = 8;

/// Every word of a receipt in one language.
struct Words {
    title: &'static str,
    site: &'static str,
    pitch: &'static str,
    code: &'static str,
    from: &'static str,
    to: &'static str,
    price: &'static str,
    discount: &'static str,
    log: &'static str,
    log_size: &'static str,
    root: &'static str,
    headings: [&'static str; 5],
    again: &'static str,
    paid: &'static str,
    refunded: &'static str,
    due: &'static str,
    caption: &'static str,
    page: (&'static str, &'static str),
    methods: [(&'static str, &'static str); 7],
}

const FR: Words = Words {
    title: "Reçu",
    site: "Terrain",
    pitch: "Aire de jeu",
    code: "Réservation",
    from: "Début",
    to: "Fin",
    price: "Prix",
    discount: "Remise",
    log: "Registre",
    log_size: "Événements du registre",
    root: "Empreinte du registre",
    headings: ["Reçu n°", "Date", "Moyen", "Transaction", "Montant"],
    again: "payé deux fois, rendu",
    paid: "Payé",
    refunded: "Remboursé",
    due: "Reste à payer",
    caption: "Preuve : origine, taille et empreinte du registre ; numéro, position et empreinte de chaque reçu.",
    page: ("Page", "sur"),
    methods: [
        ("wave", "Wave"),
        ("orange_money", "Orange Money"),
        ("yas", "Yas"),
        ("card", "Carte"),
        ("cash", "Espèces"),
        ("transfer", "Virement"),
        ("credit", "Avoir"),
    ],
};

const EN: Words = Words {
    title: "Receipt",
    site: "Site",
    pitch: "Pitch",
    code: "Reservation",
    from: "From",
    to: "To",
    price: "Price",
    discount: "Discount",
    log: "Log",
    log_size: "Events in the log",
    root: "Root of the log",
    headings: ["Receipt no.", "Date", "Method", "Transaction", "Amount"],
    again: "paid twice, given back",
    paid: "Paid",
    refunded: "Refunded",
    due: "Still to pay",
    caption: "Proof: origin, size and root of the log; number, position and leaf hash of each receipt.",
    page: ("Page", "of"),
    methods: [
        ("wave", "Wave"),
        ("orange_money", "Orange Money"),
        ("yas", "Yas"),
        ("card", "Card"),
        ("cash", "Cash"),
        ("transfer", "Bank transfer"),
        ("credit", "Credit"),
    ],
};

/// The receipt as a table. It is made of the log up to its checkpoint, and says so: the same receipt is the same bytes.
pub(super) fn table(told: &Told, terms: &Held, language: Language) -> Table {
    let words = match language {
        Language::En => &EN,
        Language::Fr | Language::Wo => &FR,
    };
    let state = &told.reservation.state;
    let currency = terms.price.total.currency;
    let written = |money: Money| format!("{} {}", spaced(money), currency.code());
    let mut facts = vec![
        (words.site, told.site.clone()),
        (words.pitch, told.pitch.clone()),
        (words.code, terms.code.0.clone()),
        (words.from, local_text(terms.slot.during.from(), told.zone)),
        (words.to, local_text(terms.slot.during.to(), told.zone)),
        (words.price, written(terms.price.total)),
    ];
    facts.extend(terms.price.discounts.iter().map(|discount| (words.discount, written(discount.amount))));
    facts.push((words.log, told.checkpoint.origin().to_owned()));
    facts.push((words.log_size, told.checkpoint.size().to_string()));
    facts.push((words.root, told.checkpoint.root().to_owned()));
    let rows = told.rows.iter().map(|(row, _)| {
        let known = words.methods.iter().find(|(name, _)| *name == row.method);
        let method = known.map_or(row.method.as_str(), |(_, word)| *word);
        vec![
            Cell::text(row.number.to_string()),
            Cell::Time(row.at),
            Cell::text(if row.duplicate { format!("{method} ({})", words.again) } else { method.to_owned() }),
            Cell::text(row.transaction.clone()),
            Cell::Money(Money::new(row.amount, currency)),
        ]
    });
    let total =
        |word: &str, money: Money| vec![Cell::text(word), Cell::Empty, Cell::Empty, Cell::Empty, Cell::Money(money)];
    let kinds = [Kind::Text, Kind::Time, Kind::Text, Kind::Text, Kind::Money];
    let amount = format!("{} ({})", words.headings[4], currency.code());
    let headings = words.headings[..4].iter().map(|word| (*word).to_owned()).chain([amount]);
    Table {
        title: format!("{} {}", words.title, terms.code.0),
        facts: facts.into_iter().map(|(word, said)| (word.to_owned(), said)).collect(),
        columns: headings.zip(kinds).map(|(heading, kind)| Column::new(heading, kind)).collect(),
        rows: rows.collect(),
        totals: vec![
            total(words.paid, told.paid),
            total(words.refunded, state.refunded()),
            total(words.due, state.owed().1),
        ],
        code: Some(Code { text: proof(told), caption: words.caption.to_owned() }),
        zone: told.zone,
        page_words: (words.page.0.to_owned(), words.page.1.to_owned()),
        made_at: told.checkpoint.made_at(),
    }
}

/// Origin, size and root of the checkpoint, a line each; then number, position and leaf hash of each receipt.
fn proof(told: &Told) -> String {
    let checkpoint = &told.checkpoint;
    let mut lines = vec![checkpoint.origin().to_owned(), checkpoint.size().to_string(), checkpoint.root().to_owned()];
    let receipts = told.rows.iter().take(PROVEN);
    lines.extend(receipts.map(|(row, proven)| format!("{} {} {}", row.number, row.position, proven.leaf_hash)));
    lines.join("\n")
}
