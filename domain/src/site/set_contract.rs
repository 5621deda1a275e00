//! Who collects, and what the platform takes of it, for reservations made from now on; those already made keep theirs.

use crate::{
    Timestamp,
    actor::{Actor, Role},
    aggregate::Loaded,
    contract::{Contract, Flow},
    decision::Decision,
};

use super::{ContractSet, Invalid, Refusal, Site};

/// Replaces the contract. Contracts are an admin's (domain.md, People). The same contract again is nothing to do.
///
/// # Errors
/// [`Refusal::Unknown`] before registration, [`Refusal::RoleNotAllowed`] and [`Refusal::NameRequired`] for anybody but an admin
/// with a name, [`Invalid::Commission`] for a rate above all that is kept, [`Invalid::MerchantAccount`] for an
/// account of the manager where the platform collects.
pub fn set_contract(site: &Loaded<Site>, contract: Contract, by: Actor, now: Timestamp) -> Result<Decision, Refusal> {
    if !site.state.is_registered() {
        return Err(Refusal::Unknown);
    }
    if by.role != Role::Admin {
        return Err(Refusal::RoleNotAllowed { role: by.role });
    }
    if by.id.is_none() {
        return Err(Refusal::NameRequired);
    }
    if contract.commission.0 > Contract::MOST.0 {
        return Err(Invalid::Commission { most: Contract::MOST.0 }.into());
    }
    if contract.merchant_account.is_some() && contract.flow != Flow::ManagerCollects {
        return Err(Invalid::MerchantAccount.into());
    }
    if site.state.contract() == contract {
        return Ok(Decision::nothing());
    }
    Ok(Decision::nothing().then(site, ContractSet { site_id: site.id, contract, by, at: now }))
}
