//! A crowd that wants one code takes turns within a process: the lane decides anyway, but who is refused there decides again.

use domain::ids::PromotionId;
use tokio::sync::{Mutex, MutexGuard};

const GATES: usize = 64;

/// Gates, each for some of the codes.
pub struct Turnstiles([Mutex<()>; GATES]);

impl Default for Turnstiles {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Mutex::new(())))
    }
}

impl Turnstiles {
    /// Waits for one's turn with a code; it ends with the guard.
    pub async fn pass(&self, promotion: PromotionId) -> Option<MutexGuard<'_, ()>> {
        let number = usize::try_from(promotion.uuid().as_u128() % GATES as u128).unwrap_or_default();
        match self.0.get(number) {
            Some(gate) => Some(gate.lock().await),
            None => None,
        }
    }
}
