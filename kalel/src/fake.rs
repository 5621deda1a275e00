//! `kalel fake wave|sonatel|webpay|paytech|paydunya|sms|email|receiver`: one provider fake as a server of its own. Never part of `kalel serve`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde::de::DeserializeOwned;
use tokio::net::TcpListener;

/// Which fake, and where it listens. Keep it on loopback: it has no rights to check and can be told to lie.
#[derive(Debug, Subcommand)]
pub enum Fake {
    /// Wave Business: checkout, payout, balance, webhooks, launch page; control at `/__control`, books at `/__ledger`.
    Wave {
        #[arg(long, default_value = "127.0.0.1:0")]
        listen: SocketAddr,
        /// Keys, webhooks, balance (TOML, `fakes::wave::Config`).
        #[arg(long)]
        config: Option<PathBuf>,
    },
    /// Sonatel's eWallet (Orange Money): codes, transactions, cash-ins, webhooks, payment page; likewise.
    Sonatel {
        #[arg(long, default_value = "127.0.0.1:0")]
        listen: SocketAddr,
        /// Applications, callback, distributors (TOML, `fakes::sonatel::Config`).
        #[arg(long)]
        config: Option<PathBuf>,
    },
    /// Orange's web payment: token, pages, status, notifications; likewise, but nothing is kept over a restart.
    #[command(name = "webpay")]
    WebPay {
        #[arg(long, default_value = "127.0.0.1:0")]
        listen: SocketAddr,
        /// Application, merchant, country (TOML, `fakes::webpay::Config`).
        #[arg(long)]
        config: Option<PathBuf>,
    },
    /// `PayTech`: payment requests, page, refunds, IPN; likewise.
    #[command(name = "paytech")]
    PayTech {
        #[arg(long, default_value = "127.0.0.1:0")]
        listen: SocketAddr,
        /// Keys and switches (TOML, `fakes::paytech::Config`).
        #[arg(long)]
        config: Option<PathBuf>,
    },
    /// `PayDunya`: invoices, page, disbursements, callbacks; likewise.
    #[command(name = "paydunya")]
    PayDunya {
        #[arg(long, default_value = "127.0.0.1:0")]
        listen: SocketAddr,
        /// Keys and quirks (TOML, `fakes::paydunya::Config`).
        #[arg(long)]
        config: Option<PathBuf>,
    },
    /// Africa's Talking SMS; what was sent at `/__messages`.
    Sms {
        #[arg(long, default_value = "127.0.0.1:0")]
        listen: SocketAddr,
        /// User, key, senders (TOML, `fakes::sms::Config`).
        #[arg(long)]
        config: Option<PathBuf>,
    },
    /// An SMTP server; what it received at `/__messages`.
    Email {
        #[arg(long, default_value = "127.0.0.1:0")]
        listen: SocketAddr,
        #[arg(long, default_value = "127.0.0.1:0")]
        smtp: SocketAddr,
    },
    /// Somebody who is sent events: checks what arrives at `/hook/…`; control at `/__control`, books at `/__ledger`.
    Receiver {
        #[arg(long, default_value = "127.0.0.1:0")]
        listen: SocketAddr,
        /// Secrets that it knows (TOML, `fakes::receiver::Config`).
        #[arg(long)]
        config: Option<PathBuf>,
    },
}

/// Runs one until SIGTERM or Ctrl-C.
///
/// # Errors
/// One line: the address is taken, the file cannot be read.
pub async fn run(fake: Fake) -> Result<(), String> {
    let ended = crate::stop::asked();
    let outcome = match fake {
        Fake::Wave { listen, config } => {
            let config = read(config.as_deref())?.unwrap_or_default();
            fakes::wave::serve(bind(listen, "wave").await?, config, ended).await
        }
        Fake::Sonatel { listen, config } => {
            let config = read(config.as_deref())?.unwrap_or_default();
            fakes::sonatel::serve(bind(listen, "sonatel").await?, config, ended).await
        }
        Fake::Receiver { listen, config } => {
            let config = read(config.as_deref())?.unwrap_or_default();
            fakes::receiver::serve(bind(listen, "receiver").await?, config, ended).await
        }
        Fake::WebPay { listen, config } => {
            let config = read(config.as_deref())?.unwrap_or_default();
            fakes::webpay::serve(bind(listen, "webpay").await?, config, ended).await
        }
        Fake::PayTech { listen, config } => {
            let config = read(config.as_deref())?.unwrap_or_default();
            fakes::paytech::serve(bind(listen, "paytech").await?, config, ended).await
        }
        Fake::PayDunya { listen, config } => {
            let config = read(config.as_deref())?.unwrap_or_default();
            fakes::paydunya::serve(bind(listen, "paydunya").await?, config, ended).await
        }
        Fake::Sms { listen, config } => {
            let config = read(config.as_deref())?.unwrap_or_default();
            fakes::sms::serve(bind(listen, "sms").await?, config, ended).await
        }
        Fake::Email { listen, smtp } => {
            let (smtp, http) = (bind(smtp, "smtp").await?, bind(listen, "email").await?);
            fakes::email::serve(smtp, http, fakes::email::Config::default(), ended).await
        }
    };
    outcome.map_err(|error| error.to_string())
}

async fn bind(address: SocketAddr, name: &str) -> Result<TcpListener, String> {
    let listener = TcpListener::bind(address).await.map_err(|error| format!("{address}: {error}"))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    println!("fake {name} on http://{address}");
    Ok(listener)
}

fn read<T: DeserializeOwned>(path: Option<&Path>) -> Result<Option<T>, String> {
    let Some(path) = path else { return Ok(None) };
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    toml::from_str(&text).map(Some).map_err(|error| format!("{}: {}", path.display(), error.message()))
}
