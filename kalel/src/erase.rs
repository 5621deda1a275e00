//! `kalel erase`: forgets a person, as whoever runs the installation is obliged to when they ask.

use domain::actor::{Actor, Role};
use domain::aggregate::Loaded;
use domain::client::{self, Client};
use domain::ids::ClientId;
use eventstore::{Append, AppendError, Appended, Meta, Store};
use projections::reservation::{AHEAD, Filter, Whose};
use uuid::Uuid;

use crate::admin::Log;

#[derive(Debug, clap::Args)]
pub struct Options {
    /// The client's id.
    #[arg(long)]
    client: Uuid,
    /// They know that what is held of theirs as credit is lost to them, and give it up.
    #[arg(long)]
    forfeit_credit: bool,
    #[command(flatten)]
    log: Log,
}

/// Erases, and says where the certificate is.
///
/// # Errors
/// One line.
pub async fn run(options: &Options) -> Result<(), String> {
    let store = options.log.open().await?;
    let outcome = erase(&store, ClientId::new(options.client), options.forfeit_credit).await;
    store.close().await;
    match outcome? {
        Some(position) => println!("erased; the certificate is position {position}"),
        None => println!("was erased before"),
    }
    Ok(())
}

/// Writes the certificate, which destroys the key; `None` when it was there already.
///
/// # Errors
/// One line.
pub async fn erase(store: &Store, id: ClientId, forfeit_credit: bool) -> Result<Option<i64>, String> {
    let filter = Filter { status: AHEAD.to_vec(), ..Filter::of(Whose::Client(id)) };
    loop {
        let client: Loaded<Client> = store.load(id).await.map_err(|error| error.to_string())?;
        let page = projections::reservation::list(store.pool(), &filter, None, 100).await;
        let ahead = page.map_err(|error| error.to_string())?.items.len();
        let by = Actor { role: Role::System, id: None };
        let ahead = u32::try_from(ahead).unwrap_or(u32::MAX);
        let decision = client::erase(&client, ahead, forfeit_credit, by, store.clock().now());
        let decision = decision.map_err(|refusal| refusal.to_string())?;
        if decision.changes.is_empty() {
            return Ok(None);
        }
        match store.append(Append::new(decision, Meta::system())).await {
            Ok(Appended::Applied { last, .. }) => return Ok(Some(last)),
            Ok(Appended::Duplicate(_)) => return Ok(None),
            // Something happened to them meanwhile: look again.
            Err(AppendError::Conflict { .. }) => {}
            Err(error) => return Err(error.to_string()),
        }
    }
}
