//! `kalel tour`: the main job against a running server, as a newcomer would read it. Each step shows the call, the key
//! fields of the answer and the events it wrote; anything off ends it with exit code 1.

mod guide;
mod money;
mod month_end;
mod other_way;
mod pages;
mod place;
mod sign_in;
mod stage;
mod together;

use std::path::PathBuf;

use guide::Guide;
pub use guide::Off;
use stage::Stage;

/// What the tour needs to know.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The data folder of the running `kalel up`.
    #[arg(long, default_value = ".kalel")]
    data: PathBuf,
}

/// Plays the tour.
///
/// # Errors
/// The first thing that was not as it should be.
pub async fn run(options: &Options) -> Result<(), Off> {
    let mut guide = Guide::open(&options.data).await?;
    let stage = place::find_and_prepare(&mut guide).await?;
    place::reserve_twice(&mut guide, &stage).await?;
    place::neighbours_and_halves(&mut guide, &stage).await?;
    let paid = money::pay_the_deposit(&mut guide, &stage).await?;
    sign_in::with_a_telephone(&mut guide, &paid).await?;
    place::let_them_in(&mut guide, &stage, &paid).await?;
    other_way::what_the_site_has_earned(&mut guide, &stage, &paid).await?;
    money::let_it_expire(&mut guide, &stage).await?;
    money::cancel_and_refund(&mut guide, &stage).await?;
    let together = together::pay_together(&mut guide, &stage).await?;
    other_way::refund_another_way(&mut guide, &stage).await?;
    money::refuse_a_forgery(&mut guide, &stage).await?;
    month_end::play(&mut guide, &stage, &together).await?;
    month_end::pay_the_site(&mut guide, &stage).await?;
    guide.finish();
    Ok(())
}

/// A reservation of the tour.
#[derive(Debug, Clone)]
struct Booked {
    id: String,
    code: String,
    phone: String,
    starts_at: chrono::DateTime<chrono::Utc>,
    checkout_url: Option<String>,
}

impl Stage {
    fn slot(&self, pitch: &str, starts_at: chrono::DateTime<chrono::Utc>) -> serde_json::Value {
        serde_json::json!({
            "site_id": self.slug, "pitch_id": pitch, "minutes": 60,
            "starts_at": starts_at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        })
    }
}
