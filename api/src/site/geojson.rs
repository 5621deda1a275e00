//! The search as GeoJSON (RFC 7946): for maps. Sites without a known place are left out.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::search;
use crate::http::{
    call::Call,
    halt::Halt,
    limits::Purpose,
    operation::{Authz, Operation, Success},
    reply::Reply,
};

pub const GEOJSON: Operation = Operation {
    id: "site.geojson",
    path: "/v1/sites.geojson",
    summary: "Find sites, as GeoJSON",
    about: "The same filters as the search; a FeatureCollection of points.",
    authz: Authz::Anyone,
    limit: Purpose::Search,
    query: search::FILTERS,
    success: Success { media: "application/geo+json", about: "A FeatureCollection.", ..Operation::READ.success },
    run: |call| Box::pin(geojson(call)),
    ..Operation::READ
};

async fn geojson(call: Call) -> Result<Reply, Halt> {
    let page = search::find(&call).await?;
    let features: Vec<Value> = page
        .items
        .iter()
        .filter_map(|hit| {
            let place = hit.location.as_ref()?;
            Some(json!({
                "type": "Feature",
                "id": hit.id,
                "geometry": { "type": "Point", "coordinates": [place.lon, place.lat] },
                "properties": { "slug": hit.slug, "name": hit.name, "distance_m": hit.distance_m, "offers": hit.offers },
            }))
        })
        .collect();
    let body = json!({
        "type": "FeatureCollection",
        "features": features,
        "next_cursor": page.next,
        "as_of_position": page.as_of,
    });
    Ok(Reply::bytes(StatusCode::OK, "application/geo+json", body.to_string()).position(page.as_of))
}
