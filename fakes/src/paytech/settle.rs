//! What a payer does with a sale, on the page or by `/__control`.

use std::num::NonZeroU32;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::{
    PayTech,
    ledger::{Kind, Movement},
    wallet::{Env, Paid, Sale, Stage},
};
use crate::server::lock;

/// What a payer can do; `Expire` only `/__control` can.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Deed {
    Pay,
    Fail,
    Cancel,
    Expire,
}

/// The particulars of a deed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Attempt {
    /// Why it fails.
    pub code: Option<String>,
    /// Who pays.
    pub mobile: Option<String>,
    /// Francs that are paid instead of the price. PayTech itself lets nobody do that.
    pub amount: Option<NonZeroU32>,
}

impl PayTech {
    /// Does the deed. Answers with the id of the IPN it made, already queued.
    pub(crate) fn settle(&self, wanted: &str, deed: Deed, attempt: Attempt) -> Result<Option<String>, String> {
        if attempt.amount.is_some() && deed != Deed::Pay {
            return Err("only a payment has an amount".into());
        }
        let (kind, sale) = {
            let now = self.clock.now();
            let mut wallet = lock(&self.wallet);
            let sale = wallet.sale_mut(wanted).ok_or("no such sale")?;
            if sale.stage != Stage::Open {
                return Err("the sale is over".into());
            }
            match deed {
                Deed::Pay => {
                    let movement = self.pay(sale, attempt, now);
                    let paid = sale.clone();
                    wallet.ledger.post(movement);
                    ("sale_complete", paid)
                }
                // Nothing is documented that would tell of it: the payer tries again.
                Deed::Fail => {
                    sale.last_error = Some(attempt.code.unwrap_or_else(|| "insufficient-funds".into()));
                    return Ok(None);
                }
                Deed::Cancel => {
                    sale.stage = Stage::Cancelled;
                    ("sale_canceled", sale.clone())
                }
                Deed::Expire => {
                    sale.stage = Stage::Expired;
                    return Ok(None);
                }
            }
        };
        Ok(Some(self.emit(kind, &sale)))
    }

    fn pay(&self, sale: &mut Sale, attempt: Attempt, now: DateTime<Utc>) -> Movement {
        if let Some(amount) = attempt.amount {
            sale.final_item_price = amount.get().into();
        }
        let debited = match sale.order.env {
            Env::Prod => sale.final_item_price,
            Env::Test => attempt.amount.map_or_else(|| self.test_debit(), |amount| amount.get().into()),
        };
        let method = sale.order.target_payment.first().cloned().unwrap_or_else(|| "Orange Money".into());
        let phone = attempt.mobile.unwrap_or_else(|| "221770000000".into());
        sale.stage = Stage::Complete;
        sale.last_error = None;
        sale.paid = Some(Paid { method, phone, debited });
        let fee = debited * self.config.fee_bps / 10_000;
        Movement::of(sale, Kind::Sale, debited, fee, now)
    }

    /// 100 to 150 francs, from the seed.
    fn test_debit(&self) -> i64 {
        let drawn = i64::from_str_radix(&self.ids.lower("", 8), 36).unwrap_or_default();
        100 + drawn % 51
    }

    /// A promotion that the payer enters on the page.
    pub(crate) fn promote(&self, wanted: &str, percent: u8) -> Result<(), String> {
        let mut wallet = lock(&self.wallet);
        let sale = wallet.sale_mut(wanted).ok_or("no such sale")?;
        if sale.stage != Stage::Open || percent >= 100 {
            return Err("only an open sale, and by less than 100 percent".into());
        }
        sale.promo_percent = Some(percent);
        sale.final_item_price = (sale.order.item_price * i64::from(100 - percent) / 100).max(1);
        Ok(())
    }
}
