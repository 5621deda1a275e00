//! The texts by test: one segment, GSM-7, the money said.

use super::*;

fn game() -> Game {
    Game {
        site: "Temple du Foot".into(),
        pitch: "Terrain A".into(),
        date: NaiveDate::from_ymd_opt(2026, 11, 22).unwrap(),
        from: NaiveTime::from_hms_opt(23, 30, 0).unwrap(),
        to: NaiveTime::from_hms_opt(1, 0, 0).unwrap(),
        code: "K7M2QX".into(),
    }
}

fn all() -> Vec<Message> {
    let (some, none) = (Money::xof(10_500), Money::xof(0));
    vec![
        Message::Held {
            game: game(),
            due: some,
            until: NaiveTime::from_hms_opt(22, 15, 0).unwrap(),
            pay_url: "https://kalel.sn/p/AZOq3QAAcACAAAAAAAAAAQ".into(),
        },
        Message::Confirmed { game: game(), paid: some, balance: Money::xof(24_500) },
        Message::Expired { game: game(), settled: true },
        Message::Expired { game: game(), settled: false },
        Message::Cancelled { game: game(), reason: CancelReason::Client, back: some, kept: none },
        Message::Cancelled { game: game(), reason: CancelReason::Client, back: none, kept: some },
        Message::Cancelled { game: game(), reason: CancelReason::Manager, back: some, kept: none },
        Message::Cancelled { game: game(), reason: CancelReason::Weather, back: some, kept: some },
        Message::Cancelled { game: game(), reason: CancelReason::PowerCut, back: some, kept: none },
        Message::Cancelled { game: game(), reason: CancelReason::Closure, back: none, kept: none },
        Message::PayBalance { game: game(), due: some, pay_url: "https://kalel.sn/p/AZOq3QAAcACAAAAAAAAAAQ".into() },
        Message::Paid { game: game(), amount: some, balance: some },
        Message::SharePaid { game: game(), amount: some, paid: 12, of: 22, missing: Money::xof(124_500) },
        Message::SharePaid { game: game(), amount: some, paid: 22, of: 22, missing: none },
        Message::Rescheduled { game: game(), back: some, balance: some },
        Message::NoShow { game: game(), kept: some, fine: Some(some) },
        Message::TooLate { game: game(), back: some, free: vec![game().from, game().to] },
        Message::TooMuch { site: "Temple du Foot".into(), back: some },
        Message::TooLittle { game: game(), back: some },
        Message::Credited { amount: some },
        Message::Fined { game: game(), fine: some, until: (game().date, game().from) },
        Message::PayFine { game: game(), fine: some, pay_url: "https://kalel.sn/p/AZOq3QAAcACAAAAAAAAAAQ".into() },
        Message::FineAppealed { game: game(), fine: some, by: game().date },
        Message::FineDecided { game: game(), fine: some, waived: true },
        Message::FineDecided { game: game(), fine: some, waived: false },
        Message::FineSettled { game: game(), fine: some },
        Message::Moved { game: game() },
        Message::HandOut { game: game(), amount: some },
        Message::TillVariance { site: "Temple du Foot".into(), variance: some },
        Message::Refunded { site: "Temple du Foot".into(), amount: some, reference: Some("pt-1h8k3kbv8r4gc".into()) },
        Message::PaidOut { site: "Temple du Foot".into(), amount: some, reference: Some("pt-1h8k3kbv8r4gc".into()) },
        Message::Invoice {
            site: "Temple du Foot".into(),
            number: 3,
            amount: some,
            until: "16/12/2026".into(),
            late: false,
        },
        Message::Invoice {
            site: "Temple du Foot".into(),
            number: 3,
            amount: some,
            until: "16/12/2026".into(),
            late: true,
        },
        Message::PinLost { hours: 24, stop_url: format!("https://kalel.example/stop/{}", "A".repeat(54)) },
        Message::PinReplaced,
        Message::NumberChanges { hours: 24, stop_url: format!("https://kalel.example/stop/{}", "A".repeat(54)) },
        Message::NumberChanged,
        Message::NumberWanted,
        Message::Reminder { game: game(), balance: some },
        Message::Booked { game: game(), paid: some, balance: none },
        Message::Freed { game: game() },
    ]
}

/// 3GPP TS 23.038 §6.2.1, without the extension table.
const GSM_7: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";

#[test]
fn every_text_is_gsm_7_and_one_segment() {
    for language in [Language::Fr, Language::En, Language::Wo] {
        for message in all() {
            let text = write(language, &message);
            let stranger = text.chars().find(|c| !GSM_7.contains(*c));
            assert_eq!(stranger, None, "{language:?}: {text}");
            assert!(text.chars().count() <= 160, "{language:?}: {} characters: {text}", text.chars().count());
        }
    }
}

#[test]
fn the_money_is_said() {
    let text = write(
        Language::Fr,
        &Message::Cancelled {
            game: game(),
            reason: CancelReason::Client,
            back: Money::xof(24_500),
            kept: Money::xof(10_500),
        },
    );
    assert!(text.contains("24 500 F remboursés, 10 500 F retenus"), "{text}");
}

#[test]
fn money_is_grouped() {
    let written: Vec<String> = [0, 500, 5_000, 35_000, 1_234_567].map(|amount| money(Money::xof(amount))).into();
    assert_eq!(written, ["0 F", "500 F", "5 000 F", "35 000 F", "1 234 567 F"]);
}

#[test]
fn a_code_is_one_segment_says_how_long_and_warns() {
    for (language, warning) in [
        (Language::Fr, "Ne le donnez à personne"),
        (Language::En, "Give it to nobody"),
        (Language::Wo, "Bul ko jox kenn"),
    ] {
        let text = code(language, "042917", 5);
        assert!(text.contains("042917") && text.contains(" 5 ") && text.contains(warning), "{text}");
        assert!(text.chars().all(|c| GSM_7.contains(c)) && text.chars().count() <= 160, "{text}");
    }
}
