//! The accounts, each with its name.

use std::{fmt, str::FromStr};

use thiserror::Error;

use crate::{
    ids::{ClientId, SiteId},
    payment::Method,
};

/// Where money is, or whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Account {
    /// `provider:wave:clearing`: at a provider, ours to ask for.
    Clearing(Provider),
    /// `cash:{site}:main`: in the till of a site.
    Cash(SiteId),
    /// `transfer:{site}:clearing`: on the bank account of a site.
    Transfer(SiteId),
    /// `client:{id}:credit`: more was received than was due.
    ClientCredit(ClientId),
    /// `client:{id}:debt`: a fine that is to be settled. Ours to ask for.
    ClientDebt(ClientId),
    /// `fines:unpaid`: what clients owe as fines, on the other side of their debts. Nobody's until it is paid.
    FinesUnpaid,
    /// `deposits:unearned`: received for what is not played yet. A debt until check-in or forfeiture.
    Unearned,
    /// `site:{id}:payable`: earned, and the site's, less the commission. Ours to pay out.
    SitePayable(SiteId),
    /// `site:{id}:collected`: the site has it, whatever the method, and it is not the site's yet, or not any more.
    Collected(SiteId),
    /// `site:{id}:commission_due`: commission on what the site has and has earned. Ours to ask for.
    CommissionDue(SiteId),
    /// `platform:commission`: the platform's part of what is earned.
    Commission,
    /// `platform:forfeited`: credit that was given up by whoever it belonged to. Ours.
    Forfeited,
    /// `provider:fees`: what providers keep for moving money.
    ProviderFees,
    /// `payouts:payable`: on its way to a site.
    PayoutsPayable,
    /// `platform:bank`: on the bank account of the platform.
    Bank,
    /// `cash:{site}:variance`: counted more, or less, than the till should hold.
    Variance(SiteId),
    /// `refunds:payable`: on its way back.
    RefundsPayable,
    /// `suspense`: nobody can say yet; somebody must look.
    Suspense,
}

/// Whoever moves money for us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Provider {
    Wave,
    OrangeMoney,
    Yas,
    /// Card money at an aggregator.
    Card,
}

impl Provider {
    const ALL: [Self; 4] = [Self::Wave, Self::OrangeMoney, Self::Yas, Self::Card];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Wave => Method::Wave.as_str(),
            Self::OrangeMoney => Method::OrangeMoney.as_str(),
            Self::Yas => Method::Yas.as_str(),
            Self::Card => Method::Card.as_str(),
        }
    }
}

impl Account {
    /// Where money is that came, or goes, by a method; `None` where none moves.
    pub const fn of(method: Method, site_id: SiteId) -> Option<Self> {
        match method {
            Method::Cash => Some(Self::Cash(site_id)),
            Method::Transfer => Some(Self::Transfer(site_id)),
            Method::Wave | Method::OrangeMoney | Method::Yas | Method::Card | Method::OnAccount | Method::Credit => {
                Self::at_provider(method)
            }
        }
    }

    /// Where money is at the provider of a method; `None` where no provider moves it.
    pub const fn at_provider(method: Method) -> Option<Self> {
        match method {
            Method::Wave => Some(Self::Clearing(Provider::Wave)),
            Method::OrangeMoney => Some(Self::Clearing(Provider::OrangeMoney)),
            Method::Yas => Some(Self::Clearing(Provider::Yas)),
            Method::Card => Some(Self::Clearing(Provider::Card)),
            // What a client spends is on an account of theirs.
            Method::Cash | Method::Transfer | Method::OnAccount | Method::Credit => None,
        }
    }

    /// Where money of the platform itself leaves from, by a method; `None` where none moves.
    pub const fn of_platform(method: Method) -> Option<Self> {
        match method {
            Method::Transfer => Some(Self::Bank),
            _ => Self::at_provider(method),
        }
    }

    /// The accounts of a site.
    pub const fn of_site(site_id: SiteId) -> [Self; 6] {
        [
            Self::Cash(site_id),
            Self::Transfer(site_id),
            Self::SitePayable(site_id),
            Self::CommissionDue(site_id),
            Self::Collected(site_id),
            Self::Variance(site_id),
        ]
    }

    /// The site whose account it is.
    pub const fn site(self) -> Option<SiteId> {
        match self {
            Self::Cash(site_id)
            | Self::Transfer(site_id)
            | Self::SitePayable(site_id)
            | Self::Collected(site_id)
            | Self::CommissionDue(site_id)
            | Self::Variance(site_id) => Some(site_id),
            Self::Clearing(_)
            | Self::ClientCredit(_)
            | Self::ClientDebt(_)
            | Self::FinesUnpaid
            | Self::Unearned
            | Self::Commission
            | Self::Forfeited
            | Self::ProviderFees
            | Self::PayoutsPayable
            | Self::Bank
            | Self::RefundsPayable
            | Self::Suspense => None,
        }
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Clearing(provider) => write!(f, "provider:{}:clearing", provider.as_str()),
            Self::Cash(site_id) => write!(f, "cash:{site_id}:main"),
            Self::Transfer(site_id) => write!(f, "transfer:{site_id}:clearing"),
            Self::ClientCredit(client_id) => write!(f, "client:{client_id}:credit"),
            Self::ClientDebt(client_id) => write!(f, "client:{client_id}:debt"),
            Self::FinesUnpaid => f.write_str("fines:unpaid"),
            Self::Unearned => f.write_str("deposits:unearned"),
            Self::SitePayable(site_id) => write!(f, "site:{site_id}:payable"),
            Self::Collected(site_id) => write!(f, "site:{site_id}:collected"),
            Self::CommissionDue(site_id) => write!(f, "site:{site_id}:commission_due"),
            Self::Commission => f.write_str("platform:commission"),
            Self::Forfeited => f.write_str("platform:forfeited"),
            Self::ProviderFees => f.write_str("provider:fees"),
            Self::PayoutsPayable => f.write_str("payouts:payable"),
            Self::Bank => f.write_str("platform:bank"),
            Self::Variance(site_id) => write!(f, "cash:{site_id}:variance"),
            Self::RefundsPayable => f.write_str("refunds:payable"),
            Self::Suspense => f.write_str("suspense"),
        }
    }
}

/// There is no account of that name.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("is not an account, such as `deposits:unearned` or `provider:wave:clearing`")]
pub struct AccountError;

impl FromStr for Account {
    type Err = AccountError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = name.split(':').collect();
        let account = match parts.as_slice() {
            ["provider", name, "clearing"] => {
                Provider::ALL.into_iter().find(|provider| provider.as_str() == *name).map(Self::Clearing)
            }
            ["cash", site, "main"] => site.parse().ok().map(Self::Cash),
            ["transfer", site, "clearing"] => site.parse().ok().map(Self::Transfer),
            ["cash", site, "variance"] => site.parse().ok().map(Self::Variance),
            ["client", client, "credit"] => client.parse().ok().map(Self::ClientCredit),
            ["client", client, "debt"] => client.parse().ok().map(Self::ClientDebt),
            ["fines", "unpaid"] => Some(Self::FinesUnpaid),
            ["deposits", "unearned"] => Some(Self::Unearned),
            ["site", site, "payable"] => site.parse().ok().map(Self::SitePayable),
            ["site", site, "collected"] => site.parse().ok().map(Self::Collected),
            ["site", site, "commission_due"] => site.parse().ok().map(Self::CommissionDue),
            ["platform", "commission"] => Some(Self::Commission),
            ["platform", "forfeited"] => Some(Self::Forfeited),
            ["provider", "fees"] => Some(Self::ProviderFees),
            ["payouts", "payable"] => Some(Self::PayoutsPayable),
            ["platform", "bank"] => Some(Self::Bank),
            ["refunds", "payable"] => Some(Self::RefundsPayable),
            ["suspense"] => Some(Self::Suspense),
            _ => None,
        };
        account.ok_or(AccountError)
    }
}
