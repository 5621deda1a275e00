//! What happens to a client: their credit, and the fines of whoever did not come.

use serde::Deserialize;
use uuid::Uuid;

use super::{Actor, Time, francs::francs};

#[derive(Clone, Debug, Deserialize)]
pub struct Credited {
    pub client_id: Uuid,
    pub payment_id: Uuid,
    #[serde(deserialize_with = "francs")]
    pub amount: i64,
}

#[derive(Clone, Debug, Deserialize)]
pub struct CreditForfeited {
    pub client_id: Uuid,
    #[serde(deserialize_with = "francs")]
    pub amount: i64,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Fined {
    pub client_id: Uuid,
    pub reservation_id: Uuid,
    #[serde(deserialize_with = "francs")]
    pub amount: i64,
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub struct FineAppealed {
    pub client_id: Uuid,
    pub reservation_id: Uuid,
    pub decide_by: Time,
}

#[derive(Clone, Debug, Deserialize)]
pub struct FineDecided {
    pub client_id: Uuid,
    pub reservation_id: Uuid,
    #[serde(deserialize_with = "francs")]
    pub amount: i64,
    pub verdict: String,
    pub by: Actor,
    pub at: Time,
}

#[derive(Clone, Debug, Deserialize)]
pub struct FineSettled {
    pub client_id: Uuid,
    pub reservation_id: Uuid,
    pub payment_id: Uuid,
    #[serde(deserialize_with = "francs")]
    pub amount: i64,
}
