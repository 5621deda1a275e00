//! When a silent provider is asked.

use chrono::{TimeZone, Utc};

use super::*;

#[test]
fn a_silent_provider_is_asked_for_72_hours() {
    let since = Utc.with_ymd_and_hms(2026, 11, 30, 23, 0, 0).single().expect("a real hour");
    let first = Ask::first(About::Payment(PaymentId::new(uuid::Uuid::nil())), since);
    let series: Vec<i64> =
        std::iter::successors(Some(first), |ask| ask.next()).map(|ask| (ask.due() - since).num_seconds()).collect();
    assert_eq!(series.get(..6), Some(&[10, 30, 120, 600, 3_600, 7_200][..]));
    assert_eq!(series.last(), Some(&(72 * 3_600)));
    assert_eq!(series.len(), 4 + 72);
}

#[test]
fn a_question_keeps_its_distance_from_an_answer_that_was_lost() {
    let since = Utc.with_ymd_and_hms(2026, 11, 30, 23, 0, 0).single().expect("a real hour");
    let at = |seconds| since + Duration::seconds(seconds);
    let first = Ask::first(About::Refund(RefundId::new(uuid::Uuid::nil())), since);
    for (nth, lost, due) in
        [(0, None, 10), (0, Some(0), 30), (0, Some(95), 125), (2, Some(0), 120), (2, Some(100), 130)]
    {
        let ask = Ask { nth, ..first };
        assert_eq!(ask.due_after(lost.map(at)), at(due), "question {nth} after {lost:?}");
    }
}
