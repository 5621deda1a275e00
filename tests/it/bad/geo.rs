//! Points off the globe, outlines that are none, and files that unpack into more than they are.

use kalel::seeded::Seeded;
use serde_json::{Value, json};

use super::{
    house::{Door, House},
    run::{Case, Must, Tally, drawn},
};
use crate::api::ground;

/// Not on the globe, or no point.
const NO_POINTS: [&str; 26] = [
    "",
    ",",
    "14.7",
    "14.7,",
    ",-17.4",
    "91,0",
    "-90.0001,0",
    "0,181",
    "0,-180.5",
    "1e3,0",
    "NaN,0",
    "0,nan",
    "inf,0",
    "0,-Infinity",
    "14.7;-17.4",
    "14,7,-17,4",
    "14.7,-17.4,0",
    "14°41'N,17°27'W",
    "0x1,0",
    "1e309,0",
    "٤,٥",
    "--1,0",
    "14.7,-17.4)",
    "POINT(0 0)",
    "14.7\0,0",
    "null,null",
];
/// On it, and odd: poles, the line where the date changes, the two numbers swapped.
const POINTS: [&str; 14] = [
    "90,0",
    "-90,0",
    "90,180",
    "0,180",
    "0,-180",
    "16.5,179.9999",
    "16.5,-179.9999",
    "-17.4467,14.6937",
    "0,0",
    "-0.0,-0.0",
    "14.6937, -17.4441",
    "1e1,1e1",
    "14.693712345678901234567890,-17.4",
    "4.9e-324,0",
];
const RADII: [&str; 12] =
    ["0", "-1", "1", "1.5", "NaN", "1e9", "50000", "50001", "9223372036854775808", "", "3 km", "0x10"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_found_off_the_globe_and_no_file_unpacks_into_more() {
    let count = super::count(200, 5_000);
    let house = House::new().await;
    let mut seeded = Seeded(super::seed());
    let doors = house.doors().await;
    let door = |id: &str| doors.iter().find(|door| door.operation.id == id).unwrap();
    let mut queries = Vec::new();
    for search in [door("site.search"), door("site.geojson")] {
        queries.extend(NO_POINTS.map(|point| {
            search.asking(format!("near {point:?}"), &search.query_with("near", point), Must::Be(vec![400]))
        }));
        for point in POINTS {
            let near = search.query_with("near", point);
            queries.push(search.asking(format!("near {point:?}"), &near, Must::Be(vec![200])));
            for radius in RADII {
                let query = format!("{near}&radius_m={}", super::house::url_encoded(radius));
                queries.push(search.asking(format!("near {point:?} within {radius:?}"), &query, Must::May));
            }
        }
        queries.push(search.asking("a radius around nothing", "radius_m=100", Must::Be(vec![400])));
    }
    let places = places(door("site.register"), count);
    let files = [door("site.register"), door("site.set_ground")].map(files).concat();
    let statement = door("reconciliation.import");
    let statements = bombs().into_iter().map(|(about, _, bytes)| as_csv(statement, about, bytes)).collect();
    let mut tally = Tally::new("geo");
    tally.try_all(&house, drawn(vec![queries, places, files, statements], count, &mut seeded)).await;
    // What was taken is drawn by the projector, and found from everywhere.
    house.api.settle().await;
    for point in POINTS {
        let near = super::house::url_encoded(point);
        for path in ["/v1/sites", "/v1/sites.geojson"] {
            let found = house.api.get("service", &format!("{path}?near={near}&radius_m=50000")).await;
            if found.status != 200 {
                tally.wrong(format!("{path} near {point}: {}", found.body));
            }
        }
    }
    tally.report(Some(&house.process), count);
}

fn ring(corners: impl IntoIterator<Item = (f64, f64)>) -> Value {
    corners.into_iter().map(|(lat, lon)| json!({ "lat": lat, "lon": lon })).collect()
}

fn places(door: &Door, count: usize) -> Vec<Case> {
    let around = |corners: u32| {
        ring((0..corners).map(|corner| {
            let angle = f64::from(corner) / f64::from(corners) * std::f64::consts::TAU;
            (14.7 + angle.sin() / 1_000.0, -17.4 + angle.cos() / 1_000.0)
        }))
    };
    let footprints = [
        ("no corner", json!([]), Must::Refuse),
        ("one corner", ring([(14.7, -17.4)]), Must::Refuse),
        ("a line", ring([(14.7, -17.4), (14.8, -17.4)]), Must::Refuse),
        ("a line there and back", ring([(14.7, -17.4), (14.8, -17.4), (14.7, -17.4)]), Must::Refuse),
        ("one corner four times", ring([(14.7, -17.4); 4]), Must::Refuse),
        ("two corners, twice each", ring([(14.7, -17.4), (14.8, -17.4), (14.7, -17.4), (14.8, -17.4)]), Must::May),
        ("on one line", ring([(14.7, -17.4), (14.8, -17.4), (14.9, -17.4)]), Must::May),
        ("crossing itself", ring([(14.7, -17.4), (14.8, -17.3), (14.7, -17.3), (14.8, -17.4)]), Must::May),
        ("across the date line", ring([(16.0, 179.9), (16.0, -179.9), (16.1, -179.9), (16.1, 179.9)]), Must::May),
        ("around a pole", ring([(89.0, 0.0), (89.0, 120.0), (89.0, -120.0)]), Must::May),
        ("the whole globe", ring([(-90.0, -180.0), (-90.0, 180.0), (90.0, 180.0), (90.0, -180.0)]), Must::May),
        ("off the globe", ring([(14.7, -17.4), (91.0, -17.4), (14.7, -17.3)]), Must::Refuse),
        ("latitude and longitude swapped", ring([(-17.4, 14.7), (-117.3, 14.7), (-17.3, 14.8)]), Must::Refuse),
        ("corners without end", around(1_200), Must::Refuse),
        ("10 001 corners", around(10_001), Must::Be(vec![413])),
        ("lists for points", json!([[14.7, -17.4], [14.8, -17.4], [14.8, -17.3]]), Must::Refuse),
        (
            "GeoJSON",
            json!({ "type": "Polygon", "coordinates": [[[14.7, -17.4], [14.8, -17.4], [14.7, -17.4]]] }),
            Must::Refuse,
        ),
        ("WKT", json!("POLYGON((0 0,0 1,1 1,0 0))"), Must::Refuse),
    ];
    let locations = [
        ("off the globe", json!({ "lat": 91, "lon": 0 }), Must::Refuse),
        ("swapped, and so off it", json!({ "lat": -117.4, "lon": 14.7 }), Must::Refuse),
        ("text", json!({ "lat": "14.7", "lon": "-17.4" }), Must::Refuse),
        ("half", json!({ "lat": 14.7 }), Must::Refuse),
        ("with a height", json!({ "lat": 14.7, "lon": -17.4, "alt": 3 }), Must::Refuse),
        ("a list", json!([14.7, -17.4]), Must::Refuse),
        ("a pole", json!({ "lat": 90, "lon": 0 }), Must::May),
        ("the date line", json!({ "lat": 16.5, "lon": 180 }), Must::May),
        ("huge", json!({ "lat": 1e300, "lon": -1e300 }), Must::Refuse),
        ("tiny", json!({ "lat": 5e-324, "lon": -0.0 }), Must::May),
    ];
    let mut cases = Vec::new();
    let mut say = |about: String, member: &str, value: &Value, must: &Must| {
        let mut body = ground(&format!("geo-{}", cases.len()), json!({}));
        body["profile"][member] = value.clone();
        cases.push(door.case(about, body.to_string(), must.clone()));
    };
    for _ in 0..=count / 60 {
        footprints
            .iter()
            .for_each(|(about, value, must)| say(format!("a footprint of {about}"), "footprint", value, must));
        locations.iter().for_each(|(about, value, must)| say(format!("a location: {about}"), "location", value, must));
    }
    let million =
        format!("{{\"profile\":{{\"footprint\":[{}]}}}}", vec!["{\"lat\":14.7,\"lon\":-17.4}"; 1_000_000].join(","));
    cases.push(door.case("1 000 000 corners", million, Must::Be(vec![413])));
    for raw in ["NaN", "1e309", "Infinity"] {
        let text = ground("geo-raw", json!({})).to_string().replacen("14.6931", raw, 1);
        cases.push(door.case(format!("latitude {raw}"), text, Must::Form));
    }
    cases
}

/// Files that unpack, or lead elsewhere: what they are, of which type, and their bytes.
fn bombs() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let entities: String =
        (1..9).map(|n| format!("<!ENTITY l{n} \"{}\">", format!("&l{};", n - 1).repeat(10))).collect();
    let kml = |declared: &str, name: &str| {
        format!(
            "<?xml version=\"1.0\"?><!DOCTYPE kml [{declared}]><kml xmlns=\"http://www.opengis.net/kml/2.2\"><Document>\
             <Placemark><name>{name}</name><Point><coordinates>-17.4,14.7</coordinates></Point></Placemark></Document></kml>"
        )
        .into_bytes()
    };
    // Ten gigabytes of zeros say themselves in a few bytes; what counts is that nobody unpacks.
    let gzip = [
        b"\x1f\x8b\x08\0\0\0\0\0\0\xff".as_slice(),
        &[0xed, 0xc1, 1, 1, 0, 0, 0, 0x80, 0x90, 0xfe, 0xaf, 0xee, 8, 10].repeat(2_000),
    ]
    .concat();
    let zip = [b"PK\x03\x04\x14\0\0\0\x08\0".as_slice(), &[0xff; 20], b"doc.kml", &[0; 3_000]].concat();
    vec![
        ("a billion laughs", "application/xml", kml(&format!("<!ENTITY l0 \"lol\">{entities}"), "&l8;")),
        ("a file of the server", "application/xml", kml("<!ENTITY x SYSTEM \"file:///etc/passwd\">", "&x;")),
        (
            "an address inside",
            "application/vnd.google-earth.kml+xml",
            kml("<!ENTITY % x SYSTEM \"http://127.0.0.1:9/x\"> %x;", "a"),
        ),
        ("a zip", "application/vnd.google-earth.kmz", zip),
        ("a gzip", "application/gzip", gzip),
        ("GeoJSON", "application/geo+json", br#"{"type":"FeatureCollection","features":[]}"#.to_vec()),
        ("KML without end", "application/vnd.google-earth.kml+xml", b"<kml>".repeat(10_000)),
        ("an image", "image/svg+xml", b"<svg onload=\"alert('kalel')\"/>".to_vec()),
    ]
}

/// Of their own type they are not taken; called JSON they are none; packed they are not unpacked.
fn files(door: &Door) -> Vec<Case> {
    let mut cases = Vec::new();
    for (about, media, bytes) in bombs() {
        let mut own = door.case(format!("{about} as {media}"), bytes.clone(), Must::Be(vec![415]));
        own.headers[0].1 = media.to_owned();
        cases.push(own);
        cases.push(door.case(format!("{about} as JSON"), bytes.clone(), Must::Be(vec![400])));
        for encoding in ["gzip", "deflate", "br", "zstd", "gzip, gzip"] {
            let mut packed = door.case(format!("{about} packed as {encoding}"), bytes.clone(), Must::Refuse);
            packed.headers.push(("content-encoding".into(), encoding.into()));
            cases.push(packed);
        }
    }
    cases
}

fn as_csv(door: &Door, about: &str, bytes: Vec<u8>) -> Case {
    let mut case = door.case(format!("{about} for a statement"), bytes, Must::Refuse);
    case.headers[0].1 = "text/csv".to_owned();
    case
}
