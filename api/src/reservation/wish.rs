//! What somebody wants to play: a pitch or a format, and when.

use domain::{
    ids::PitchId,
    interval::Interval,
    site::{Format, Site, best_fit},
};

use crate::{problem::Problem, site::pitch_named};

/// A pitch by id or slug, or any of a format, for an interval.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    pub pitch: Option<&'a str>,
    pub format: Option<&'a str>,
    pub during: Interval,
}

impl Wish<'_> {
    /// The pitches it may be, best first (decisions.md: best fit, then the next sibling).
    ///
    /// # Errors
    /// `request.invalid_field` when neither or both are named, or the site has none.
    pub fn pitches(&self, site: &Site) -> Result<Vec<PitchId>, Problem> {
        let invalid = |pointer: &str, detail: &str| Problem::new("request.invalid_field").at(pointer, detail);
        match (self.pitch, self.format) {
            (Some(name), None) => {
                let pitch = pitch_named(&site.pitches, name);
                Ok(vec![pitch.ok_or_else(|| invalid("/pitch_id", "is not a pitch of the site"))?.id])
            }
            (None, Some(format)) => {
                let format = Format::new(format).map_err(|error| invalid("/format", &error.to_string()))?;
                let pitches: Vec<PitchId> = best_fit(site, &format).into_iter().map(|pitch| pitch.id).collect();
                if pitches.is_empty() {
                    return Err(invalid("/format", "is not played at this site"));
                }
                Ok(pitches)
            }
            _ => Err(invalid("", "either `pitch_id` or `format`")),
        }
    }
}
