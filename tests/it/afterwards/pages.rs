//! Our pages for a payment as the payer's browser walks through them: pay link, provider, back with success or error.

use std::sync::Arc;

use domain::{ids::PaymentId, payment::Method};
use eventstore::link::pay_url;
use reqwest::{Client, Response, header::LOCATION, redirect::Policy};
use serde_json::json;
use tokio::net::TcpListener;

use super::bench::{Bench, DEPOSIT};

/// A bench whose links lead to an API of its own log.
pub struct Walk {
    pub bench: Bench,
    pub base: String,
    pub http: Client,
    _server: tokio::task::JoinHandle<()>,
}

/// Where a step of the browser ended.
pub struct Page {
    pub status: u16,
    pub to: Option<String>,
    pub text: String,
    pub policy: String,
}

impl Page {
    pub async fn of(response: Response) -> Self {
        let header = |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let (to, policy) = (header(LOCATION.as_str()), header("content-security-policy").unwrap_or_default());
        Self { status: response.status().as_u16(), to, policy, text: response.text().await.unwrap() }
    }

    /// A page of ours that says this, and whether it looks again by itself.
    pub fn says(&self, words: &str, looks_again: bool) {
        assert_eq!(self.status, 200, "{}", self.text);
        assert!(self.text.contains(words), "{words}: {}", self.text);
        assert!(self.text.contains("Temple du Foot") && self.text.contains("01/03/2027"), "{}", self.text);
        assert_eq!(self.text.contains("http-equiv=\"refresh\""), looks_again, "{}", self.text);
        // Only a page with buttons may send something.
        let sends = if self.text.contains("<form") { "; form-action *" } else { "" };
        assert_eq!(self.policy, format!("default-src 'none'; frame-ancestors 'none'{sends}"));
    }
}

impl Walk {
    pub async fn new() -> Self {
        Self::by(vec![Method::Wave]).await
    }

    /// These methods are offered; the bench has Wave, and is given the others by the test.
    pub async fn by(methods: Vec<Method>) -> Self {
        let mut bench = Bench::new().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let settings = ::api::Settings { public_url: base.clone(), methods, ..::api::Settings::default() };
        let app = ::api::App::new(::api::Options {
            store: bench.store.clone(),
            watch: projections::Watch::new(bench.store.clone()),
            settings,
            webhooks: crate::api::verifiers(),
        });
        let server = tokio::spawn(async move { axum::serve(listener, ::api::router(app)).await.unwrap() });
        let (keyring, public_url) = (bench.store.keyring().clone(), base.clone());
        bench.ctx.pay_url = Arc::new(move |payment| pay_url(&keyring, &public_url, payment));
        let http = Client::builder().redirect(Policy::none()).no_proxy().build().unwrap();
        Self { bench, base, http, _server: server }
    }

    pub fn link(&self, payment: PaymentId) -> String {
        (self.bench.ctx.pay_url)(payment)
    }

    pub async fn open(&self, url: &str) -> Page {
        Page::of(self.http.get(url).send().await.unwrap()).await
    }

    /// From the pay link to the provider's page; presses a button there; answers where that leads.
    pub async fn press(&self, payment: PaymentId, button: &str) -> String {
        let page = self.open(&self.link(payment)).await;
        let provider = page.to.expect("the pay link leads to the provider");
        assert!((300..400).contains(&page.status) && provider.starts_with(&self.bench.wave.url), "{provider}");
        let pressed = self.http.post(&provider).form(&[("action", button)]).send().await.unwrap();
        Page::of(pressed).await.to.expect("the provider leads back")
    }
}

#[tokio::test]
async fn success_leads_back_to_a_page_that_believes_only_the_log() {
    let walk = Walk::new().await;
    let (reservation, payment) = walk.bench.hold(20).await;
    walk.open(&walk.link(payment)).await.says("Paiement en préparation", true);
    walk.bench.pump().await;
    // The webhook is not here yet when the browser is.
    walk.bench.wave.control(json!({"do": "webhooks", "next": "hold"})).await;
    let back = walk.press(payment, "pay").await;
    assert_eq!(back, format!("{}/success", walk.link(payment)));
    walk.open(&back).await.says("Vérification du paiement", true);
    assert_eq!(walk.bench.status(reservation).await, "held", "to be led to success proves nothing");
    walk.bench.wave.control(json!({"do": "release"})).await;
    walk.bench.pump().await;
    walk.open(&back).await.says("votre réservation est confirmée", false);
    walk.open(&walk.link(payment)).await.says("Paiement reçu", false);
    let amount = walk.bench.wave.get("/__ledger").await["totals"]["charged"].clone();
    assert_eq!(amount, json!(DEPOSIT));
}

#[tokio::test]
async fn a_failed_attempt_leads_back_to_a_page_with_the_way_to_pay() {
    let walk = Walk::new().await;
    let (reservation, payment) = walk.bench.hold(20).await;
    walk.bench.pump().await;
    let back = walk.press(payment, "fail").await;
    assert_eq!(back, format!("{}/error", walk.link(payment)));
    walk.bench.pump().await;
    let page = walk.open(&back).await;
    page.says("Vérification du paiement", true);
    let again = walk.link(payment).strip_prefix(&walk.base).unwrap().to_owned();
    assert!(page.text.contains(&format!("<a href=\"{again}\">Payer maintenant</a>")), "{}", page.text);
    // The hold is alive and the second attempt is good.
    let back = walk.press(payment, "pay").await;
    walk.bench.wave.control(json!({"do": "drain"})).await;
    walk.bench.pump().await;
    walk.open(&back).await.says("votre réservation est confirmée", false);
    assert_eq!(walk.bench.status(reservation).await, "confirmed");
}

#[tokio::test]
async fn a_payer_who_says_no_reads_that_nothing_was_taken() {
    let walk = Walk::new().await;
    let (_, payment) = walk.bench.hold(20).await;
    walk.bench.pump().await;
    let back = walk.press(payment, "cancel").await;
    assert_eq!(back, format!("{}/error", walk.link(payment)));
    walk.bench.wave.control(json!({"do": "drain"})).await;
    walk.bench.pump().await;
    walk.open(&back).await.says("Rien n'a été débité", false);
    assert_eq!(walk.bench.wave.get("/__ledger").await["totals"]["charged"], json!(0));
}

#[tokio::test]
async fn the_pages_speak_of_money_that_is_late_or_not_enough() {
    let walk = Walk::new().await;
    let (_, payment) = walk.bench.hold(20).await;
    walk.bench.pump().await;
    walk.bench.pay_amount(payment, Some(DEPOSIT / 2)).await;
    walk.bench.pump().await;
    walk.open(&format!("{}/success", walk.link(payment))).await.says("attend le reste de l'acompte", false);
    walk.bench.pass(16 * 60).await;
    walk.open(&walk.link(payment)).await.says("votre argent vous est rendu", false);

    let (_, unpaid) = walk.bench.hold(20).await;
    walk.bench.pump().await;
    walk.bench.pass(16 * 60).await;
    walk.open(&format!("{}/error", walk.link(unpaid))).await.says("Paiement expiré", false);
}

#[tokio::test]
async fn a_link_that_is_not_ours_leads_nowhere() {
    let walk = Walk::new().await;
    let (_, payment) = walk.bench.hold(20).await;
    walk.bench.pump().await;
    let link = walk.link(payment);
    let spoiled = format!("{}{}", &link[..link.len() - 1], if link.ends_with('A') { 'B' } else { 'A' });
    let nobody = PaymentId::new(walk.bench.store.clock().new_id());
    for url in [spoiled, walk.link(nobody), format!("{}/pay/{payment}", walk.base)] {
        for end in ["", "/success", "/error"] {
            let page = walk.open(&format!("{url}{end}")).await;
            assert_eq!(page.status, 404, "{url}{end}");
            assert!(page.text.contains("Lien inconnu") && !page.text.contains("Temple"), "{}", page.text);
        }
    }
}
