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
    #[error("the edges of an outline may not reach half around the globe")]
    Edge,
}

/// The cosine of the longest edge, 179.2 degrees: opposite corners have no edge of their own between them, and nobody draws
/// one that nearly is.
const LONGEST_EDGE: f64 = -0.9999;

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

    /// Of the angle to another point, seen from the middle of the globe.
    fn cosine(self, other: Self) -> f64 {
        let (here, there) = (self.lat.to_radians(), other.lat.to_radians());
        here.sin() * there.sin() + here.cos() * there.cos() * (self.lon - other.lon).to_radians().cos()
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
    /// [`PlaceError::Corners`] with fewer than 3 or more than 1000 corners, [`PlaceError::Edge`] where PostGIS would draw none.
    pub fn new(mut corners: Vec<Point>) -> Result<Self, PlaceError> {
        // Until it is open: what is accepted must be the same when its event is read again.
        while corners.len() > 1 && corners.first() == corners.last() {
            corners.pop();
        }
        if !(3..=1000).contains(&corners.len()) {
            return Err(PlaceError::Corners);
        }
        let mut edges = corners.iter().zip(corners.iter().cycle().skip(1));
        if edges.any(|(from, to)| from.cosine(*to) < LONGEST_EDGE) { Err(PlaceError::Edge) } else { Ok(Self(corners)) }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn outline(corners: &[(f64, f64)]) -> Result<Outline, PlaceError> {
        Outline::new(corners.iter().map(|(lat, lon)| Point::new(*lat, *lon).unwrap()).collect())
    }

    /// What bad input found: one corner four times was accepted, and its event could not be read again.
    #[test]
    fn what_is_accepted_is_accepted_again() {
        let (one, other, third) = ((14.7, -17.4), (14.8, -17.4), (14.8, -17.3));
        assert_eq!(outline(&[one; 4]), Err(PlaceError::Corners));
        assert_eq!(outline(&[one, other, third, one, one]).unwrap().corners().len(), 3);
        for corners in [vec![one, other, third], vec![one, other, third, one], vec![one, other, one, other]] {
            let outline = outline(&corners).unwrap();
            assert_eq!(Outline::new(outline.corners().to_vec()), Ok(outline));
        }
    }

    /// What bad input found: PostGIS draws no such edge, and the projector of sites stopped at it.
    #[test]
    fn an_edge_does_not_reach_half_around_the_globe() {
        let globe = [(-90.0, -180.0), (-90.0, 180.0), (90.0, 180.0), (90.0, -180.0)];
        assert_eq!(outline(&globe), Err(PlaceError::Edge));
        assert_eq!(outline(&[(0.0, 0.0), (10.0, 10.0), (0.0, 180.0)]), Err(PlaceError::Edge));
        assert_eq!(outline(&[(14.0, -17.0), (0.0, 0.0), (-14.0, 163.0)]), Err(PlaceError::Edge));
        assert!(outline(&[(14.7, -17.4), (14.8, -17.4), (14.8, -17.3)]).is_ok());
        assert!(outline(&[(16.0, 179.9), (16.0, -179.9), (16.1, -179.9)]).is_ok());
        assert_eq!(outline(&[(14.7, -17.4), (14.8, -17.4), (14.7, -17.4)]), Err(PlaceError::Corners));
    }
}
