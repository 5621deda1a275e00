//! The three forms are read back by readers of their own, which know their formats and nothing of how they were written.

mod read;

use chrono::{TimeZone, Utc};
use domain::money::Money;
use proptest::prelude::*;

use super::*;

fn at(hour: u32) -> Timestamp {
    Utc.with_ymd_and_hms(2026, 11, 27, hour, 5, 9).unwrap()
}

fn table(rows: Vec<Vec<Cell>>, totals: Vec<Vec<Cell>>) -> Table {
    Table {
        title: "Relevé de reversement".into(),
        facts: vec![("Terrain".into(), "Temple du Foot, Sacré-Cœur".into())],
        columns: vec![
            Column::new("Réservation", Kind::Text),
            Column::new("Jouée le", Kind::Time),
            Column::new("Parts", Kind::Count),
            Column::new("Reçu (XOF)", Kind::Money),
            Column::new("Commission (XOF)", Kind::Money),
            Column::new("Net (XOF)", Kind::Money),
        ],
        rows,
        totals,
        code: None,
        zone: chrono_tz::Africa::Dakar,
        page_words: ("Page".into(), "sur".into()),
        made_at: at(23),
    }
}

fn row(name: &str, count: i64, amounts: [i64; 3]) -> Vec<Cell> {
    let [a, b, c] = amounts.map(|amount| Cell::Money(Money::xof(amount)));
    vec![Cell::text(name), Cell::Time(at(18)), Cell::Count(count), a, b, c]
}

fn total(amounts: [i64; 3]) -> Vec<Cell> {
    let [a, b, c] = amounts.map(|amount| Cell::Money(Money::xof(amount)));
    vec![Cell::text("Total"), Cell::Empty, Cell::Empty, a, b, c]
}

/// Every amount that a form shows in the columns of amounts, row by row.
fn amounts_of(lines: &[Vec<String>]) -> Vec<i64> {
    let amount = |text: &String| text.replace(['\u{a0}', ' '], "").parse::<i64>().ok();
    lines.iter().filter(|line| line.len() == 6).flat_map(|line| line[3..].iter().filter_map(amount)).collect()
}

#[test]
fn all_three_forms_show_the_same_numbers() {
    let rows: Vec<_> = (0..200)
        .map(|nth| {
            row(&format!("Équipe {nth} d'Aïssatou, élève"), nth, [40_000 + nth * 7, -4_000 - nth, 1_234_567 + nth])
        })
        .collect();
    let wanted: Vec<i64> = (0..200)
        .flat_map(|nth| [40_000 + nth * 7, -4_000 - nth, 1_234_567 + nth])
        .chain([8_139_300, -819_900, 246_933_300])
        .collect();
    let table = table(rows, vec![total([8_139_300, -819_900, 246_933_300])]);
    assert_eq!(amounts_of(&read::csv(&csv(&table))), wanted);
    assert_eq!(amounts_of(&read::xlsx(&xlsx(&table).unwrap())), wanted);
    let (pages, lines) = read::pdf(&pdf(&table).unwrap());
    assert_eq!(amounts_of(&lines), wanted);
    assert!(pages > 3, "{pages} pages");
    let words = lines.concat();
    assert_eq!(words.iter().filter(|word| *word == "Réservation").count(), pages, "headings on every page");
    for page in 1..=pages {
        assert!(words.contains(&format!("Page {page} sur {pages}")));
    }
}

#[test]
fn the_same_table_makes_the_same_bytes() {
    let table = table(vec![row("a", 1, [1, 2, 3])], vec![total([1, 2, 3])]);
    assert_eq!(csv(&table), csv(&table));
    assert_eq!(xlsx(&table).unwrap(), xlsx(&table.clone()).unwrap());
    assert_eq!(pdf(&table).unwrap(), pdf(&table.clone()).unwrap());
    let later = Table { made_at: at(22), ..table.clone() };
    assert_ne!(pdf(&table).unwrap(), pdf(&later).unwrap());
}

#[test]
fn no_cell_is_a_formula() {
    for evil in ["=1+1", "+221", "-2+3", "@SUM(A1)", "\t=1", "\r=1"] {
        let table = table(vec![row(evil, 1, [-5, 0, -5])], vec![]);
        let lines = read::csv(&csv(&table));
        assert_eq!(lines[1][0], format!("'{evil}"));
        assert_eq!(lines[1][3], "-5", "a number of ours stays a number");
        let book = xlsx(&table).unwrap();
        assert!(!read::part(&book, "xl/worksheets/sheet1.xml").contains("<f>"));
        assert_eq!(amounts_of(&read::xlsx(&book)), [-5, 0, -5]);
    }
}

#[test]
fn a_csv_begins_with_a_mark_and_quotes_what_needs_it() {
    let text = String::from_utf8(csv(&table(vec![row("a \"b\", c\nd", 1, [1, 2, 3])], vec![]))).unwrap();
    assert!(text.starts_with('\u{feff}'));
    assert!(text.contains("\r\n\"a \"\"b\"\", c\nd\",2026-11-27T18:05:09+00:00,1,1,2,3\r\n"));
}

#[test]
fn letters_that_a_pdf_has_not_are_told_by_others() {
    for (written, shown) in
        [("Ñaar ŋaam ë à é", "Ñaar ngaam ë à é"), ("Ŋ", "Ng"), ("ă", "a"), ("Œuvre – €", "Œuvre – €"), ("漢", "?")]
    {
        let (_, lines) = read::pdf(&pdf(&table(vec![row(written, 1, [1, 2, 3])], vec![])).unwrap());
        assert!(lines.iter().any(|line| line[0] == shown), "{written}: {lines:?}");
        assert_eq!(read::csv(&csv(&table(vec![row(written, 1, [1, 2, 3])], vec![])))[1][0], written);
    }
}

#[test]
fn amounts_are_written_for_whoever_reads_them() {
    use domain::money::Currency::Eur;
    for (money, for_programs, for_people) in [
        (Money::xof(0), "0", "0"),
        (Money::xof(-1_234_567), "-1234567", "-1\u{a0}234\u{a0}567"),
        (Money::xof(999), "999", "999"),
        (Money::new(5, Eur), "0.05", "0,05"),
        (Money::new(-123_456, Eur), "-1234.56", "-1\u{a0}234,56"),
        (Money::xof(i64::MIN), "-9223372036854775808", "-9\u{a0}223\u{a0}372\u{a0}036\u{a0}854\u{a0}775\u{a0}808"),
    ] {
        assert_eq!((plain(money).as_str(), spaced(money).as_str()), (for_programs, for_people));
    }
}

#[test]
fn amounts_end_at_the_right_edge_of_their_column() {
    let table = table(vec![row("a", 1, [11, 22, 333_333]), row("b", 1, [4_000, 5, 6])], vec![total([7, 8, 9])]);
    let ends = read::ends(&pdf(&table).unwrap(), |text, size| Sheet::width(text, Face::Regular, size));
    let column: Vec<f32> =
        ["11", "4\u{a0}000", "7"].iter().map(|text| ends.iter().find(|(t, _)| t == text).unwrap().1).collect();
    // Bold digits are as wide as others.
    assert!(column.iter().all(|end| (end - column[0]).abs() < 0.1), "{column:?}");
}

#[test]
fn a_receipt_can_carry_a_code() {
    let without = table(vec![row("a", 1, [1, 2, 3])], vec![]);
    let with = Table { code: Some(Code { text: "KALEL:ABC".into(), caption: "À montrer".into() }), ..without.clone() };
    let bytes = pdf(&with).unwrap();
    let dark: f32 = read::rectangles(&bytes).iter().map(|[_, _, width, height]| width * height).sum();
    let code = qrcode::QrCode::with_error_correction_level("KALEL:ABC", qrcode::EcLevel::M).unwrap();
    let module = 130.0 / (code.width() + 8) as f32;
    let modules = code.to_colors().iter().filter(|color| **color == qrcode::Color::Dark).count();
    assert!((dark / (module * module) - modules as f32).abs() < 0.5, "every dark module is drawn once");
    assert!(read::rectangles(&pdf(&without).unwrap()).is_empty());
    let long = Table { code: Some(Code { text: "A".repeat(10_000), caption: String::new() }), ..without };
    assert!(matches!(pdf(&long), Err(DocumentError::Qr(_))));
}

#[test]
fn a_wall_clock_is_the_table_s_zone() {
    let paris = Table { zone: chrono_tz::Europe::Paris, ..table(vec![row("a", 1, [1, 2, 3])], vec![]) };
    assert_eq!(read::csv(&csv(&paris))[1][1], "2026-11-27T19:05:09+01:00");
    let (_, lines) = read::pdf(&pdf(&paris).unwrap());
    assert!(lines.concat().contains(&"27/11/2026 19:05".to_owned()));
    let shown = &read::xlsx(&xlsx(&paris).unwrap())[3][1];
    // Days since 1899-12-30: the hour is the fraction.
    assert!((shown.parse::<f64>().unwrap().fract() * 24.0 - 19.0859).abs() < 0.001, "{shown}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_people_typed_makes_three_documents(
        names in proptest::collection::vec("\\PC{0,90}|[=+@\"', \\t\\r\\n-]{0,9}", 0..9),
        amount in -1_000_000_000_000_i64..1_000_000_000_000,
    ) {
        let rows: Vec<_> = names.iter().map(|name| row(name, 3, [amount, -amount, 1])).collect();
        let wanted: Vec<i64> = names.iter().flat_map(|_| [amount, -amount, 1]).collect();
        let table = table(rows, vec![]);
        prop_assert_eq!(amounts_of(&read::csv(&csv(&table))), wanted.clone());
        prop_assert_eq!(amounts_of(&read::xlsx(&xlsx(&table).unwrap())), wanted.clone());
        prop_assert_eq!(amounts_of(&read::pdf(&pdf(&table).unwrap()).1).len(), wanted.len());
    }
}
