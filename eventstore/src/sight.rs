//! Whether a reader may see an event: the domain's rule, with whose site it is from the log.

use domain::{event::Reader, site::Site};

use crate::{Recorded, Store, read::LoadError};

impl Store {
    /// Whether this reader may see this event, now: for the feed, for streams and for what is sent to endpoints.
    ///
    /// # Errors
    /// [`LoadError`].
    pub async fn sees(&self, reader: &Reader<'_>, recorded: &Recorded) -> Result<bool, LoadError> {
        if reader.sees_all() {
            return Ok(true);
        }
        let Some(site) = recorded.meta.site_id else { return Ok(false) };
        // Who runs a site is said when it is registered and never changes, so that memory is as good as the log.
        let known = self.recall::<Site>(site).await?;
        let manager = known.state.identity.as_ref().map(|identity| identity.manager_id.uuid());
        Ok(reader.sees(Some(site), manager))
    }
}
