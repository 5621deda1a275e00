//! Who may see which event: one rule for the feed, for streams, and for what is sent to endpoints.

use uuid::Uuid;

use crate::{
    actor::Role,
    ids::SiteId,
    key::{Holder, Scope},
};

/// Who reads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reader<'a> {
    pub role: Role,
    pub principal: Uuid,
    /// The sites that the key names.
    pub sites: Option<&'a [SiteId]>,
}

impl<'a> Reader<'a> {
    /// `None` for whoever may not read events at all.
    pub fn of(holder: &Holder<'a>) -> Option<Self> {
        let reader = Self { role: holder.role, principal: holder.principal_id.uuid(), sites: holder.sites };
        holder.may(Scope::EventsRead).then_some(reader)
    }

    /// Whether there is nothing that this reader may not see.
    pub const fn sees_all(&self) -> bool {
        matches!(self.role, Role::Auditor | Role::Admin | Role::Finance) && self.sites.is_none()
    }

    /// Whether this reader may see an event of a site that `manager` runs. Events of no site are for those who see
    /// everything.
    pub fn sees(&self, site: Option<SiteId>, manager: Option<Uuid>) -> bool {
        if self.sees_all() {
            return true;
        }
        let Some(site) = site else { return false };
        let named = self.sites.map(|sites| sites.contains(&site));
        match self.role {
            Role::Auditor | Role::Admin | Role::Finance => named.unwrap_or(true),
            // A manager's sites are those they run; a key may name fewer.
            Role::Manager => manager == Some(self.principal) && named.unwrap_or(true),
            // A service works where its key says.
            Role::Service => named.unwrap_or(false),
            Role::Client | Role::Gatekeeper | Role::Cashier | Role::Support | Role::System | Role::Provider => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: SiteId = SiteId::new(Uuid::from_u128(1));
    const THERE: SiteId = SiteId::new(Uuid::from_u128(2));
    const ME: Uuid = Uuid::from_u128(3);

    #[test]
    fn each_role_sees_its_own_events_and_no_others() {
        let rule =
            |role, sites: Option<&[SiteId]>, site, manager| Reader { role, principal: ME, sites }.sees(site, manager);
        let (mine, other) = (Some(ME), Some(Uuid::from_u128(4)));
        for role in [Role::Auditor, Role::Admin, Role::Finance] {
            assert!(rule(role, None, None, None) && rule(role, None, Some(HERE), other));
            assert!(rule(role, Some(&[HERE]), Some(HERE), other));
            assert!(!rule(role, Some(&[HERE]), Some(THERE), mine) && !rule(role, Some(&[HERE]), None, None));
        }
        assert!(rule(Role::Manager, None, Some(HERE), mine) && rule(Role::Manager, Some(&[HERE]), Some(HERE), mine));
        assert!(
            !rule(Role::Manager, None, Some(HERE), other) && !rule(Role::Manager, Some(&[HERE]), Some(HERE), other)
        );
        assert!(!rule(Role::Manager, Some(&[HERE]), Some(THERE), mine) && !rule(Role::Manager, None, None, mine));
        assert!(rule(Role::Service, Some(&[HERE]), Some(HERE), other));
        assert!(!rule(Role::Service, None, Some(HERE), mine) && !rule(Role::Service, Some(&[HERE]), Some(THERE), mine));
        for role in [Role::Client, Role::Gatekeeper, Role::Cashier, Role::Support, Role::System, Role::Provider] {
            assert!(!rule(role, None, Some(HERE), mine) && !rule(role, Some(&[HERE]), Some(HERE), mine));
        }
    }
}
