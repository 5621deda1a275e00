//! `kalel audit`: what an auditor does. Only `export`, `prove` and `checkpoint` ask a database; `verify` needs the file alone.

mod export;
mod prove;
mod shown;
mod verify;

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use ed25519_dalek::SigningKey;
use eventstore::note::Signer;

use crate::admin::Log;
use crate::up::Problem;
use crate::up::folder::write_private;

/// What is wanted.
#[derive(Debug, clap::Subcommand)]
pub enum Audit {
    /// Make the key that a log is sealed with. Its public half is printed: publish it.
    Key {
        /// Names the log for ever, like a URL without its scheme: `example.sn/kalel`.
        #[arg(long)]
        origin: String,
        /// Where the private half goes; it must not be there yet.
        #[arg(long)]
        out: PathBuf,
    },
    /// Write a part of the log to a file that proves itself.
    Export(export::Options),
    /// Check an export or a receipt, with nothing but the file. Exit code 1 if anything is off.
    Verify(verify::Options),
    /// Write a receipt: what happened to a reservation, with the proof that it is in the log.
    Prove(prove::Options),
    /// Print the newest signed checkpoint: keep it where nobody who writes to the database can reach it.
    Checkpoint {
        #[command(flatten)]
        log: Log,
    },
}

/// Does it.
///
/// # Errors
/// One line.
pub async fn run(audit: Audit) -> Result<(), String> {
    match audit {
        Audit::Key { origin, out } => key(&origin, &out),
        Audit::Export(options) => export::run(&options).await,
        Audit::Verify(options) => verify::run(&options),
        Audit::Prove(options) => prove::run(&options).await,
        Audit::Checkpoint { log } => checkpoint(&log).await,
    }
}

fn key(origin: &str, out: &Path) -> Result<(), String> {
    absent(out)?;
    let signer = new_key(origin).map_err(|error| error.to_string())?;
    let text = format!("{}\n", signer.to_secret_text().as_str());
    write_private(out, text.as_bytes()).map_err(|error| error.to_string())?;
    println!("{}", signer.verifier().to_text());
    Ok(())
}

/// A new key that signs under a name.
///
/// # Errors
/// [`Problem`] when the system gives no randomness, or the name is empty or has a space or a plus in it.
pub fn new_key(name: &str) -> Result<Signer, Problem> {
    let mut seed = zeroize::Zeroizing::new([0_u8; 32]);
    getrandom::fill(seed.as_mut_slice()).map_err(|error| Problem::Random(error.to_string()))?;
    Signer::new(name, SigningKey::from_bytes(&seed))
        .map_err(|_| Problem::Keeper(format!("{name:?} cannot name a key: no spaces, no plus, not empty")))
}

async fn checkpoint(log: &Log) -> Result<(), String> {
    let store = log.open().await?;
    let found = store.checkpoint().await;
    store.close().await;
    match found.map_err(|error| error.to_string())? {
        Some(checkpoint) => {
            print!("{}", checkpoint.note);
            Ok(())
        }
        None => Err("nothing of this log is sealed yet: run the role `sealer`".into()),
    }
}

/// # Errors
/// When the file is there already: nothing is overwritten.
fn absent(path: &Path) -> Result<(), String> {
    match path.symlink_metadata() {
        Ok(_) => Err(format!("{} is there already; nothing was written", path.display())),
        Err(_) => Ok(()),
    }
}

/// Writes a file as a whole or not at all; `-` is the standard output.
struct Out {
    path: PathBuf,
    file: Option<tempfile::NamedTempFile>,
}

impl Out {
    fn open(path: &Path) -> Result<Self, String> {
        if path == Path::new("-") {
            return Ok(Self { path: path.into(), file: None });
        }
        absent(path)?;
        let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let file = tempfile::NamedTempFile::new_in(folder)
            .map_err(|error| format!("{} cannot be written: {error}", path.display()))?;
        Ok(Self { path: path.into(), file: Some(file) })
    }

    fn is_standard_output(&self) -> bool {
        self.file.is_none()
    }

    fn keep(self) -> Result<(), String> {
        let Some(file) = self.file else { return Ok(()) };
        let synced = file.as_file().sync_all();
        let kept = synced
            .map_err(|error| error.to_string())
            .and_then(|()| file.persist_noclobber(&self.path).map(drop).map_err(|error| error.error.to_string()));
        kept.map_err(|error| format!("{} cannot be written: {error}", self.path.display()))
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match &mut self.file {
            Some(file) => file.write(bytes),
            None => std::io::stdout().write(bytes),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match &mut self.file {
            Some(file) => file.flush(),
            None => std::io::stdout().flush(),
        }
    }
}

/// A text given as such or as the file that holds it.
fn text_or_file(given: &str) -> Result<String, String> {
    let path = Path::new(given);
    if !path.is_file() {
        return Ok(given.to_owned());
    }
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(|error| format!("{given}: {error}"))?;
    file.take(1 << 20).read_to_string(&mut text).map_err(|error| format!("{given}: {error}"))?;
    Ok(text)
}
