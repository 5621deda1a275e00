//! Amounts as they are written.

use serde::{Deserialize, Deserializer};

/// An amount, where there may be none.
pub(super) fn some_francs<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    #[derive(Deserialize)]
    struct Amount(#[serde(deserialize_with = "francs")] i64);
    Ok(Option::<Amount>::deserialize(deserializer)?.map(|Amount(amount)| amount))
}

/// Whole francs: the only currency there is has no minor unit, and a fraction is not an amount.
pub(super) fn francs<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    #[derive(Deserialize)]
    struct Money {
        amount: i64,
        currency: String,
    }
    let money = Money::deserialize(deserializer)?;
    if money.currency != "XOF" || money.amount < 0 {
        let told = format!("{} {} is not an amount of francs", money.amount, money.currency);
        return Err(serde::de::Error::custom(told));
    }
    Ok(money.amount)
}
