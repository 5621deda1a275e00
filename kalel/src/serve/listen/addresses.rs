//! How many connections one address has.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use api::http::address::{self, Cidr};

/// The addresses that are connected.
#[derive(Clone)]
pub struct Addresses {
    most: usize,
    /// Behind one of these are many people.
    proxies: Arc<[Cidr]>,
    open: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// One connection of an address.
pub struct One {
    address: IpAddr,
    open: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl Addresses {
    pub fn new(most: usize, proxies: Arc<[Cidr]>) -> Self {
        Self { most, proxies, open: Arc::default() }
    }

    /// One more connection of an address (of IPv6 per /64); `None` when it has enough, `Some(None)` when it may have as many as
    /// it likes.
    pub fn open(&self, address: IpAddr) -> Option<Option<One>> {
        if self.proxies.iter().any(|proxy| proxy.contains(address)) {
            return Some(None);
        }
        let address = address::subscriber(address);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(address).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Some(One { address, open: Arc::clone(&self.open) }))
    }
}

impl Drop for One {
    fn drop(&mut self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.address);
            }
        }
    }
}
