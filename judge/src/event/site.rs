//! What happens to a site, as far as anything is judged by it.

use serde::Deserialize;
use uuid::Uuid;

use super::Interval;

#[derive(Clone, Debug, Deserialize)]
pub struct GroundSet {
    pub site_id: Uuid,
    pub pitches: Vec<Pitch>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Pitch {
    pub id: Uuid,
    pub cells: Vec<Uuid>,
    pub buffer_minutes: i64,
}

#[derive(Clone, Debug, Deserialize)]
pub struct ClosureScheduled {
    pub site_id: Uuid,
    pub closure_id: Uuid,
    pub cells: Vec<Uuid>,
    pub during: Interval,
    pub hits: Vec<Uuid>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub struct ClosureLifted {
    pub site_id: Uuid,
    pub closure_id: Uuid,
}
