//! Every rail by its fake: what the same deed is called there, and the adapter that speaks to it.

use adapters::{
    call::Timeouts,
    payments::{
        PayDunya, PayTech, Rail, Sonatel, Wave, WebPay,
        origin::Origin,
        paydunya, paytech, sonatel,
        wave::{self, webhook::WebhookSecret},
        webpay,
    },
    secret::Secret,
};
use domain::payment::Method;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::servers::Fake;

const TIMEOUTS: Timeouts = Timeouts { connect_ms: 500, total_ms: 1_000 };
const WHS: &str = "wave_sn_WHS_secret";
const CALLBACK_KEY: &str = "callback key of the tests";
const SIGNING: &str = "endpoint secret of the tests";

/// A method of payment, and by whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Wave,
    /// By Sonatel.
    OrangeMoney,
    /// By PayTech.
    Yas,
    /// By PayDunya.
    Card,
    /// Orange Money again, by the group's page.
    WebPay,
}

/// A secret of an account.
fn of(text: &str, account: &str) -> String {
    format!("{text}{account}")
}

fn secret(text: &str) -> Secret {
    Secret::new(text).unwrap()
}

impl Kind {
    pub const ALL: [Self; 5] = [Self::Wave, Self::OrangeMoney, Self::Yas, Self::Card, Self::WebPay];

    pub const fn method(self) -> Method {
        match self {
            Self::Wave => Method::Wave,
            Self::OrangeMoney | Self::WebPay => Method::OrangeMoney,
            Self::Yas => Method::Yas,
            Self::Card => Method::Card,
        }
    }

    /// The call that opens a checkout there.
    pub const fn create(self) -> &'static str {
        match self {
            Self::Wave | Self::Card => "checkout.create",
            Self::OrangeMoney => "qrcode.create",
            Self::Yas => "request",
            Self::WebPay => "webpayment",
        }
    }

    /// The calls by which something is learnt about a checkout, or changed.
    pub const fn questions(self) -> &'static [&'static str] {
        match self {
            Self::Wave => &["checkout.expire", "checkout.get", "checkout.search"],
            Self::OrangeMoney => &["transactions.list"],
            Self::Yas => &["status"],
            Self::Card => &["checkout.confirm"],
            Self::WebPay => &["transactionstatus"],
        }
    }

    /// What a payer does, as the fake is told it.
    pub fn deed(self, reference: &str, deed: &str, amount: Option<i64>) -> Value {
        let of = match self {
            Self::Wave => "session",
            Self::OrangeMoney => "qr",
            Self::Yas => "sale",
            Self::Card => "invoice",
            Self::WebPay => "page",
        };
        json!({ "do": "settle", of: reference, "as": deed, "amount": amount })
    }

    /// Of the platform's account (no name), or of a manager's: each has secrets of its own.
    fn proof(self, account: &str) -> Origin {
        match self {
            Self::Wave => Origin::Wave(vec![WebhookSecret::Signing(secret(&of(WHS, account)))]),
            Self::OrangeMoney => Origin::Sonatel(vec![sonatel::webhook::Secrets {
                api_key: secret(&of(CALLBACK_KEY, account)),
                signing: Some(secret(&of(SIGNING, account))),
            }]),
            Self::Yas => {
                let config = fakes::paytech::Config::default();
                Origin::PayTech(vec![paytech::webhook::Secrets {
                    api_key: secret(&config.api_key),
                    api_secret: secret(&config.api_secret),
                    env: paytech::Env::Prod,
                }])
            }
            Self::Card => {
                let config = fakes::paydunya::Config::default();
                Origin::PayDunya { master_keys: vec![secret(&config.master_key)], sandbox: false }
            }
            Self::WebPay => Origin::WebPay,
        }
    }

    /// Who may send webhooks of this name.
    pub fn origin(provider: &str, account: &str) -> Option<Origin> {
        Self::ALL.into_iter().map(|kind| kind.proof(account)).find(|origin| origin.provider() == provider)
    }

    /// Starts the fake, and the adapter that calls it. Webhooks go to `hooks`/`<provider>`.
    pub async fn serve(self, hooks: &str, stop: CancellationToken) -> (Fake, Rail) {
        self.serve_account(hooks, "", stop).await
    }

    /// The same for a manager's account: with keys and secrets of its own where it is Wave's or Sonatel's.
    pub async fn serve_account(self, hooks: &str, account: &str, stop: CancellationToken) -> (Fake, Rail) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let fake = Fake::new(format!("http://{}", listener.local_addr().unwrap()));
        let (base_url, hook) = (
            fake.url.clone(),
            match account {
                "" => format!("{hooks}/{}", self.proof(account).provider()),
                account => format!("{hooks}/{}/{account}", self.proof(account).provider()),
            },
        );
        let ended = stop.cancelled_owned();
        let rail = match self {
            Self::Wave => {
                let strategy = fakes::wave::Strategy::Signing;
                let endpoint = fakes::wave::Endpoint { url: hook, strategy, secret: of(WHS, account) };
                let api_key = of("wave_sn_prod_fake", account);
                let config = fakes::wave::Config {
                    webhooks: vec![endpoint],
                    keys: vec![fakes::wave::Key {
                        token: api_key.clone(),
                        state: fakes::wave::KeyState::Active,
                        scopes: fakes::wave::Scope::ALL.to_vec(),
                    }],
                    ..Default::default()
                };
                tokio::spawn(fakes::wave::serve(listener, config, ended));
                let api_key = secret(&api_key);
                Rail::Wave(Wave::new(&wave::Config { base_url, api_key, timeouts: TIMEOUTS }).unwrap())
            }
            Self::OrangeMoney => {
                let callback = fakes::sonatel::Callback { url: hook, api_key: of(CALLBACK_KEY, account) };
                let proof = fakes::sonatel::Proof { signing: Some(of(SIGNING, account)), ..Default::default() };
                let mut config = fakes::sonatel::Config { callback: Some(callback), proof, ..Default::default() };
                config.clients[0].secret = of(&config.clients[0].secret, account);
                let known = config.clone();
                tokio::spawn(fakes::sonatel::serve(listener, config, ended));
                let (client, distributor) = (&known.clients[0], &known.distributors[0]);
                let settings = sonatel::Config {
                    base_url,
                    client_id: client.id.clone(),
                    client_secret: secret(&client.secret),
                    merchant_code: known.merchant_code.clone(),
                    merchant_name: "Kalel".into(),
                    callback_url: None,
                    api_key: None,
                    cash_in: Some(sonatel::CashIn {
                        msisdn: distributor.msisdn.clone(),
                        pin: secret(&distributor.pin),
                    }),
                    timeouts: TIMEOUTS,
                };
                Rail::Sonatel(Sonatel::new(&settings).unwrap())
            }
            Self::Yas => {
                let mut config = fakes::paytech::Config::default();
                config.switches.loopback_http = true;
                let (api_key, api_secret) = (secret(&config.api_key), secret(&config.api_secret));
                tokio::spawn(fakes::paytech::serve(listener, config, ended));
                let settings = paytech::Config {
                    base_url: format!("{base_url}/api"),
                    api_key,
                    api_secret,
                    env: paytech::Env::Prod,
                    ipn_url: hook,
                    channel: paytech::Channel::Yas,
                    timeouts: TIMEOUTS,
                };
                Rail::PayTech(PayTech::new(&settings).unwrap())
            }
            Self::Card => {
                let config = fakes::paydunya::Config::default();
                let known = config.clone();
                tokio::spawn(fakes::paydunya::serve(listener, config, ended));
                let settings = paydunya::Config {
                    base_url,
                    sandbox: false,
                    master_key: secret(&known.master_key),
                    private_key: secret(&known.live.private_key),
                    token: secret(&known.live.token),
                    store_name: "Kalel".into(),
                    callback_url: hook.parse().unwrap(),
                    channel: paydunya::Channel::Card,
                    timeouts: TIMEOUTS,
                };
                Rail::PayDunya(PayDunya::new(&settings).unwrap())
            }
            Self::WebPay => {
                // What its ten minutes do is tested by itself.
                let config = fakes::webpay::Config { page_seconds: 3_600, ..Default::default() };
                let known = config.clone();
                tokio::spawn(fakes::webpay::serve(listener, config, ended));
                let settings = webpay::Config {
                    base_url,
                    country: known.country.clone(),
                    client_id: known.client_id.clone(),
                    client_secret: secret(&known.client_secret),
                    merchant_key: secret(&known.merchant_key),
                    notif_url: hook,
                    timeouts: TIMEOUTS,
                };
                Rail::WebPay(WebPay::new(&settings).unwrap())
            }
        };
        (fake, rail)
    }
}

/// The same test on every rail.
macro_rules! on_each_rail {
    (@ $rail:ident $kind:ident $($name:ident)+) => {
        mod $rail {
            use super::super::rails::Kind;

            $(
                #[tokio::test]
                async fn $name() {
                    super::$name(Kind::$kind).await;
                }
            )+
        }
    };
    ($($name:ident),+ $(,)?) => {
        on_each_rail!(@ wave Wave $($name)+);
        on_each_rail!(@ orange_money OrangeMoney $($name)+);
        on_each_rail!(@ yas Yas $($name)+);
        on_each_rail!(@ card Card $($name)+);
    };
}
pub(super) use on_each_rail;
