//! `kalel audit verify`: no database, no configuration, no network.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;

use eventstore::export::{self, Trust, Verified};
use eventstore::note::Verifier;
use eventstore::receipt;
use flate2::bufread::MultiGzDecoder;
use serde_json::json;

use super::shown::{Counter, Page};
use super::text_or_file;

/// Read at once.
const BUFFER: usize = 1 << 20;
/// A receipt holds a few events.
const LONGEST_RECEIPT: u64 = 64 << 20;
const GZIP: [u8; 2] = [0x1f, 0x8b];

#[derive(Debug, clap::Args)]
pub struct Options {
    /// An export (gzip or not) or a receipt; `-` for the standard input.
    file: PathBuf,
    /// The key that was published, as text or as a file; may be given several times. Without it the file's own is used,
    /// which shows only that the file is whole.
    #[arg(long)]
    key: Vec<String>,
    /// The name that the log must have.
    #[arg(long)]
    origin: Option<String>,
    /// A checkpoint that was kept from earlier (a file): finds a log that was cut or written anew since.
    #[arg(long)]
    checkpoint: Option<PathBuf>,
    /// The outcome as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(options: &Options) -> Result<(), String> {
    let earlier = options.checkpoint.as_ref();
    let earlier = earlier.map(|path| {
        if path.is_file() {
            text_or_file(&path.display().to_string())
        } else {
            Err(format!("{}: no such file", path.display()))
        }
    });
    let trust = Trust { keys: keys(&options.key)?, origin: options.origin.clone(), earlier: earlier.transpose()? };
    let name = options.file.display().to_string();
    if options.file.as_os_str() == "-" {
        return input(BufReader::with_capacity(BUFFER, std::io::stdin()), options, &trust);
    }
    let file = File::open(&options.file).map_err(|error| format!("{name}: {error}"))?;
    input(BufReader::with_capacity(BUFFER, file), options, &trust)
}

fn keys(given: &[String]) -> Result<Vec<Verifier>, String> {
    let texts: Vec<String> = given.iter().map(|key| text_or_file(key)).collect::<Result<_, _>>()?;
    let lines = texts.iter().flat_map(|text| text.lines()).map(str::trim).filter(|line| !line.is_empty());
    lines.map(|line| Verifier::parse(line).map_err(|error| format!("--key: {error}"))).collect()
}

fn input(mut input: impl BufRead, options: &Options, trust: &Trust) -> Result<(), String> {
    let beginning = input.fill_buf().map_err(|error| error.to_string())?;
    if beginning.starts_with(&GZIP) {
        let inner = BufReader::with_capacity(BUFFER, MultiGzDecoder::new(input));
        return plain(inner, options, trust);
    }
    plain(input, options, trust)
}

fn plain(mut input: impl BufRead, options: &Options, trust: &Trust) -> Result<(), String> {
    let beginning = input.fill_buf().map_err(|error| error.to_string())?;
    let text: Vec<u8> = beginning.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).take(10).collect();
    if text == br#"{"receipt""# {
        let mut text = String::new();
        input.take(LONGEST_RECEIPT).read_to_string(&mut text).map_err(|error| error.to_string())?;
        return show_receipt(&text, options, trust);
    }
    let mut counter = Counter::new("verifying", 1);
    let outcome = export::verify(input, trust, &mut |position| counter.at(position));
    drop(counter);
    let verified = outcome.map_err(|bad| bad.to_string())?;
    if options.json {
        println!("{}", as_json(&verified, trust));
    } else {
        show(&verified, trust);
    }
    Ok(())
}

fn as_json(verified: &Verified, trust: &Trust) -> serde_json::Value {
    json!({
        "verified": "export",
        "from": verified.from,
        "to": verified.to,
        "origin": verified.seal.origin,
        "size": verified.seal.size,
        "root": hex::encode(verified.seal.root.0),
        "keys": verified.keys.iter().map(Verifier::to_text).collect::<Vec<_>>(),
        "keys_trusted": !trust.keys.is_empty(),
        "checkpoints": verified.checkpoints,
        "earlier": verified.earlier.as_ref().map(|earlier| earlier.size),
    })
}

fn show(verified: &Verified, trust: &Trust) {
    let page = Page::new();
    page.good("events", &format!("positions {} to {}, every one as it was sealed", verified.from, verified.to));
    page.good("log", &format!("{}, {} events", verified.seal.origin, verified.seal.size));
    page.good("root", &hex::encode(verified.seal.root.0));
    page.good("checkpoints", &format!("{} on the way, and the seal", verified.checkpoints));
    show_keys(&page, &verified.keys, trust);
    match &verified.earlier {
        Some(earlier) => page.good("continues", &format!("the checkpoint over {} events", earlier.size)),
        None => page.open("continues", "not compared: --checkpoint FILE finds a log that was cut or written anew"),
    }
}

fn show_keys(page: &Page, keys: &[Verifier], trust: &Trust) {
    for key in keys {
        if trust.keys.is_empty() {
            page.open("signed by", &format!("{} (the file's own: compare it, or give --key)", key.to_text()));
        } else {
            page.good("signed by", &key.to_text());
        }
    }
}

fn show_receipt(text: &str, options: &Options, trust: &Trust) -> Result<(), String> {
    let (receipt, checkpoint) = receipt::verify(text, &trust.keys).map_err(|error| error.to_string())?;
    if let Some(origin) = options.origin.as_ref().filter(|origin| **origin != checkpoint.origin) {
        return Err(format!("the receipt is of {}, not of {origin}", checkpoint.origin));
    }
    if options.json {
        let value = json!({
            "verified": "receipt",
            "streams": receipt.receipt.streams,
            "positions": receipt.events.iter().map(|event| event.position).collect::<Vec<_>>(),
            "origin": checkpoint.origin,
            "size": checkpoint.size,
            "root": hex::encode(checkpoint.root.0),
            "key": receipt.receipt.key,
            "keys_trusted": !trust.keys.is_empty(),
        });
        println!("{value}");
        return Ok(());
    }
    let page = Page::new();
    for event in &receipt.events {
        page.good("event", &format!("{:>9}  {}", event.position, told(&event.line)));
    }
    page.good("log", &format!("{}, {} events", checkpoint.origin, checkpoint.size));
    let keys: Vec<Verifier> = Verifier::parse(&receipt.receipt.key).into_iter().collect();
    show_keys(&page, &keys, trust);
    Ok(())
}

/// Time and type of an export line.
fn told(line: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(line).unwrap_or_default();
    format!("{}  {}", value["recorded_at"].as_str().unwrap_or("?"), value["type"].as_str().unwrap_or("?"))
}
