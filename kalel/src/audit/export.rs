//! `kalel audit export`.

use std::io::{BufWriter, Write};
use std::path::PathBuf;

use eventstore::export::{self, Exported, Range};
use flate2::Compression;
use flate2::write::GzEncoder;

use super::Out;
use super::shown::{Counter, Page};
use crate::admin::Log;

#[derive(Debug, clap::Args)]
pub struct Options {
    /// The file to write; `-` for the standard output. It must not be there yet.
    #[arg(long)]
    out: PathBuf,
    /// The first position. Default 1.
    #[arg(long)]
    from: Option<i64>,
    /// The last position. Default: the last that is under a signed checkpoint.
    #[arg(long)]
    to: Option<i64>,
    /// Compress (gzip).
    #[arg(long)]
    gzip: bool,
    #[command(flatten)]
    log: Log,
}

pub(super) async fn run(options: &Options) -> Result<(), String> {
    let mut out = Out::open(&options.out)?;
    let quiet = out.is_standard_output();
    let store = options.log.open().await?;
    let range = Range { from: options.from, to: options.to };
    let mut counter = Counter::new("exporting", range.from.unwrap_or(1));
    let mut progress = |position| counter.at(position);
    let buffered = BufWriter::with_capacity(1 << 20, &mut out);
    let exported = if options.gzip {
        let mut gzip = GzEncoder::new(buffered, Compression::default());
        let exported = export::export(&store, range, &mut gzip, &mut progress).await;
        let ended = gzip.finish().and_then(|mut inner| inner.flush());
        exported.map_err(|error| error.to_string()).and_then(|exported| match ended {
            Ok(()) => Ok(exported),
            Err(error) => Err(error.to_string()),
        })
    } else {
        let mut plain = buffered;
        export::export(&store, range, &mut plain, &mut progress).await.map_err(|error| error.to_string())
    };
    drop(counter);
    store.close().await;
    let exported = exported?;
    out.keep()?;
    if !quiet {
        show(options, &exported);
    }
    Ok(())
}

fn show(options: &Options, exported: &Exported) {
    let page = Page::new();
    page.good("written", &options.out.display().to_string());
    page.good("positions", &format!("{} to {}", exported.from, exported.to));
    page.good(
        "sealed",
        &format!("by the checkpoint over {} events of {}", exported.seal.size, exported.seal.signed_at),
    );
    if options.to.is_none() && exported.unsealed > 0 {
        page.open("left out", &format!("{} events that are not under a checkpoint yet", exported.unsealed));
    }
}
