//! Points and outlines on the ground, WGS 84. Distances belong to PostGIS.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why a point or an outline was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PlaceError {
    #[error("latitude must lie between -90 and 90, longitude between -180 and 180")]
    OutOfRange,
    #[error("an outline needs 3 to 1000 corners")]
    Corners,
}

/// A point in degrees.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "Degrees", into = "Degrees")]
pub struct Point {
    lat: f64,
    lon: f64,
}

#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct Degrees {
    lat: f64,
    lon: f64,
}

impl Point {
    /// # Errors
    /// [`PlaceError::OutOfRange`] off the globe or not a number.
    pub fn new(lat: f64, lon: f64) -> Result<Self, PlaceError> {
        let inside = (-90.0..=90.0).contains(&lat) && (-180.0..=180.0).contains(&lon);
        if inside { Ok(Self { lat, lon }) } else { Err(PlaceError::OutOfRange) }
    }

    /// Degrees north.
    pub const fn lat(self) -> f64 {
        self.lat
    }

    /// Degrees east.
    pub const fn lon(self) -> f64 {
        self.lon
    }
}

impl TryFrom<Degrees> for Point {
    type Error = PlaceError;

    fn try_from(degrees: Degrees) -> Result<Self, Self::Error> {
        Self::new(degrees.lat, degrees.lon)
    }
}

impl From<Point> for Degrees {
    fn from(point: Point) -> Self {
        Self { lat: point.lat, lon: point.lon }
    }
}

/// The footprint of a site: a ring of corners, open (the last does not repeat the first).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "Vec<Point>", into = "Vec<Point>")]
pub struct Outline(Vec<Point>);

impl Outline {
    /// # Errors
    /// [`PlaceError::Corners`] with fewer than 3 or more than 1000 corners.
    pub fn new(mut corners: Vec<Point>) -> Result<Self, PlaceError> {
        if corners.len() > 1 && corners.first() == corners.last() {
            corners.pop();
        }
        if (3..=1000).contains(&corners.len()) { Ok(Self(corners)) } else { Err(PlaceError::Corners) }
    }

    pub fn corners(&self) -> &[Point] {
        &self.0
    }
}

impl TryFrom<Vec<Point>> for Outline {
    type Error = PlaceError;

    fn try_from(corners: Vec<Point>) -> Result<Self, Self::Error> {
        Self::new(corners)
    }
}

impl From<Outline> for Vec<Point> {
    fn from(outline: Outline) -> Self {
        outline.0
    }
}
