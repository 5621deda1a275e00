//! A little work before a code is sent, while somebody tries numbers at random: nothing for one, a lot for a million.

use domain::{Timestamp, client::DeviceKey, phone::Phone};
use eventstore::Keyring;
use sha2::{Digest, Sha256};

use crate::problem::Problem;

/// Leading zero bits: about a quarter of a million hashes, a third of a second on a telephone.
const BITS: u32 = 18;
/// A salt is good for the rest of its ten minutes and for those that follow.
const SPAN_S: i64 = 600;
const LONGEST: usize = 32;

/// Whether the work was done for this number and device, lately.
///
/// # Errors
/// `challenge.work_required`, with what is to be done.
pub(super) fn check(
    keyring: &Keyring,
    phone: &Phone,
    device: &DeviceKey,
    now: Timestamp,
    done: Option<&str>,
) -> Result<(), Problem> {
    let span = now.timestamp().div_euclid(SPAN_S);
    let salt = |span: i64| salt_of(keyring, phone, device, span);
    let done = done.filter(|done| done.len() <= LONGEST);
    if done.is_some_and(|done| [span, span - 1].into_iter().any(|span| is_enough(&salt(span), done))) {
        return Ok(());
    }
    Err(Problem::new("challenge.work_required").member("salt", salt(span)).member("bits", BITS))
}

/// Nobody can work ahead without having asked.
fn salt_of(keyring: &Keyring, phone: &Phone, device: &DeviceKey, span: i64) -> String {
    hex::encode(keyring.hash("sign-in work v1", format!("{} {} {span}", phone.e164(), device.0).as_bytes()))
}

fn is_enough(salt: &str, done: &str) -> bool {
    let digest = Sha256::digest(format!("{salt}:{done}"));
    let head = digest.first_chunk::<4>().copied().unwrap_or([u8::MAX; 4]);
    u32::from_be_bytes(head).leading_zeros() >= BITS
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};

    use super::*;

    #[test]
    fn work_is_for_one_number_and_device_and_for_ten_minutes() {
        let (keyring, now) = (Keyring::new([1; 32], [2; 32]), DateTime::from_timestamp(1_795_000_000, 0).unwrap());
        let (phone, device) = (Phone::new("+221771234567").unwrap(), DeviceKey("key".into()));
        let check = |phone: &Phone, device: &DeviceKey, at: TimeDelta, done: Option<&str>| {
            super::check(&keyring, phone, device, now + at, done)
        };
        assert!(check(&phone, &device, TimeDelta::zero(), None).is_err());
        let salt = salt_of(&keyring, &phone, &device, now.timestamp().div_euclid(SPAN_S));
        let done = (0_u64..).map(|n| n.to_string()).find(|n| is_enough(&salt, n)).unwrap();
        assert!(check(&phone, &device, TimeDelta::zero(), Some(&done)).is_ok());
        assert!(check(&phone, &device, TimeDelta::minutes(10), Some(&done)).is_ok());
        assert!(check(&phone, &device, TimeDelta::minutes(20), Some(&done)).is_err());
        let other = Phone::new("+221771234568").unwrap();
        assert!(check(&other, &device, TimeDelta::zero(), Some(&done)).is_err());
        assert!(check(&phone, &DeviceKey("other".into()), TimeDelta::zero(), Some(&done)).is_err());
        assert!(check(&phone, &device, TimeDelta::zero(), Some("nothing")).is_err());
        assert!(check(&phone, &device, TimeDelta::zero(), Some(&"1".repeat(40))).is_err());
    }
}
