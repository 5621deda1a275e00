//! Money: an integer number of minor units with its currency. Never a float, never mixed.

use std::{cmp::Ordering, fmt};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A currency Kalel can hold (ISO 4217).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "UPPERCASE")]
pub enum Currency {
    /// CFA franc BCEAO: no minor unit.
    Xof,
    /// Euro: two decimals. Here for sites outside the zone and to keep the exponent honest.
    Eur,
}

impl Currency {
    pub const ALL: [Self; 2] = [Self::Xof, Self::Eur];

    /// Number of decimals of the minor unit (ISO 4217 exponent).
    pub const fn exponent(self) -> u32 {
        match self {
            Self::Xof => 0,
            Self::Eur => 2,
        }
    }

    /// ISO 4217.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Xof => "XOF",
            Self::Eur => "EUR",
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// What can go wrong with money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum MoneyError {
    #[error("{0} and {1} cannot be mixed")]
    Mixed(Currency, Currency),
    #[error("an amount lies outside 0 to {}", Money::MAX)]
    OutOfRange,
}

/// An amount in minor units (whole francs for XOF). Between 0 and [`Money::MAX`] wherever it is an input;
/// differences may be negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Money {
    /// Minor units: whole francs for XOF, cents for EUR.
    pub amount: i64,
    pub currency: Currency,
}

impl Money {
    /// The largest amount accepted as an input: 10^12 minor units (reliability.md §4.1).
    pub const MAX: i64 = 1_000_000_000_000;

    pub const fn new(amount: i64, currency: Currency) -> Self {
        Self { amount, currency }
    }

    pub const fn zero(currency: Currency) -> Self {
        Self::new(0, currency)
    }

    /// Whole francs.
    pub const fn xof(amount: i64) -> Self {
        Self::new(amount, Currency::Xof)
    }

    pub const fn is_zero(self) -> bool {
        self.amount == 0
    }

    pub const fn is_positive(self) -> bool {
        self.amount > 0
    }

    /// Accepts an input amount.
    ///
    /// # Errors
    /// [`MoneyError::OutOfRange`] below zero or above [`Money::MAX`].
    pub const fn bounded(self) -> Result<Self, MoneyError> {
        if self.amount < 0 || self.amount > Self::MAX { Err(MoneyError::OutOfRange) } else { Ok(self) }
    }

    /// # Errors
    /// [`MoneyError`] when the currencies differ or the sum overflows.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        self.combine(other, i64::checked_add)
    }

    /// # Errors
    /// [`MoneyError`] when the currencies differ or the difference overflows.
    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        self.combine(other, i64::checked_sub)
    }

    /// The smaller of two amounts.
    ///
    /// # Errors
    /// [`MoneyError::Mixed`] when the currencies differ.
    pub fn min(self, other: Self) -> Result<Self, MoneyError> {
        Ok(if self.compare(other)? == Ordering::Greater { other } else { self })
    }

    /// # Errors
    /// [`MoneyError::Mixed`] when the currencies differ.
    pub fn compare(self, other: Self) -> Result<Ordering, MoneyError> {
        self.same_currency(other)?;
        Ok(self.amount.cmp(&other.amount))
    }

    /// Sums amounts of one currency; an empty sum is zero.
    ///
    /// # Errors
    /// [`MoneyError`] when one differs in currency or the sum overflows.
    pub fn sum(currency: Currency, amounts: impl IntoIterator<Item = Self>) -> Result<Self, MoneyError> {
        amounts.into_iter().try_fold(Self::zero(currency), Self::plus)
    }

    fn same_currency(self, other: Self) -> Result<(), MoneyError> {
        if self.currency == other.currency { Ok(()) } else { Err(MoneyError::Mixed(self.currency, other.currency)) }
    }

    fn combine(self, other: Self, op: fn(i64, i64) -> Option<i64>) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        op(self.amount, other.amount).map(|amount| Self::new(amount, self.currency)).ok_or(MoneyError::OutOfRange)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.currency.exponent() {
            0 => write!(f, "{} {}", self.amount, self.currency),
            exponent => {
                let unit = 10_i64.pow(exponent);
                let sign = if self.amount < 0 { "-" } else { "" };
                let (whole, part) = ((self.amount / unit).abs(), (self.amount % unit).abs());
                write!(f, "{sign}{whole}.{part:0width$} {}", self.currency, width = exponent as usize)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mixing_currencies_is_refused() {
        let mixed = Money::xof(1).plus(Money::new(1, Currency::Eur));
        assert_eq!(mixed, Err(MoneyError::Mixed(Currency::Xof, Currency::Eur)));
    }

    #[test]
    fn francs_have_no_decimals_and_euros_have_two() {
        assert_eq!(Money::xof(35_000).to_string(), "35000 XOF");
        assert_eq!(Money::new(-1_205, Currency::Eur).to_string(), "-12.05 EUR");
    }

    #[test]
    fn sums_do_not_wrap_around() {
        assert_eq!(Money::xof(i64::MAX).plus(Money::xof(1)), Err(MoneyError::OutOfRange));
    }
}
