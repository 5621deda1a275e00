//! What is due before a reservation is confirmed.

use crate::{
    money::Money,
    policy::{DepositRule, Policy},
};

/// Deposits are whole hundreds of the smallest unit (100 XOF, domain.md).
const STEP: i128 = 100;

/// The deposit of a total: by the policy's rule, rounded up to 100, never above the total.
pub fn deposit(policy: &Policy, total: Money) -> Money {
    let wanted = match policy.deposit {
        DepositRule::Percent { basis_points, floor } => {
            let part = (i128::from(total.amount) * i128::from(basis_points.0)).div_euclid(10_000);
            let rest = (i128::from(total.amount) * i128::from(basis_points.0)).rem_euclid(10_000);
            (part + i128::from(rest > 0)).max(i128::from(floor.amount))
        }
        DepositRule::Fixed { amount } => i128::from(amount.amount),
        DepositRule::Full => return total,
    };
    let stepped = (wanted + STEP - 1).div_euclid(STEP) * STEP;
    Money::new(i64::try_from(stepped).unwrap_or(i64::MAX).clamp(0, total.amount.max(0)), total.currency)
}
