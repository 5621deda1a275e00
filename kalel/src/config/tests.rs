//! What `kalel serve` accepts and refuses as its configuration.

use super::*;

fn good() -> String {
    let key = URL_SAFE_NO_PAD.encode([7; 32]);
    format!(
        "mode = \"test\"\npublic_url = \"http://127.0.0.1:8080\"\n\
         [secrets]\nmaster_key = \"{key}\"\nlookup_key = \"{key}\"\n\
         [wave]\napi_key = \"wave_sn_prod_x\"\nwebhook_secret = \"wave_sn_WHS_x\"\n\
         [sms]\nusername = \"kalel\"\napi_key = \"atsk_x\"\n"
    )
}

fn read(text: &str) -> Result<Config, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kalel.toml");
    std::fs::write(&path, text).unwrap();
    Config::read(&path)
}

#[test]
fn the_smallest_file_has_the_documented_defaults() {
    let config = read(&good()).unwrap();
    assert_eq!(config.listen, "127.0.0.1:8080".parse().unwrap());
    assert_eq!(config.wave.base_url, "https://api.wave.com");
    assert_eq!(config.sms.base_url, "https://api.africastalking.com");
    assert_eq!(config.wave.webhook_strategy, WebhookStrategy::Signing);
    assert!(config.cors.origins.is_empty());
}

#[test]
fn a_missing_secret_stops_the_start_with_one_line_that_names_it() {
    for setting in ["master_key", "lookup_key", "api_key", "webhook_secret", "username"] {
        let text: String =
            good().lines().filter(|line| !line.starts_with(setting)).fold(String::new(), |all, line| all + line + "\n");
        let message = read(&text).unwrap_err().to_string();
        assert!(message.contains(setting) && message.contains("is missing"), "{message}");
        assert_eq!(message.lines().count(), 1, "{message}");
    }
}

#[test]
fn an_empty_webhook_secret_is_a_missing_one() {
    let text = good().replace("wave_sn_WHS_x", "  ");
    assert!(matches!(read(&text), Err(ConfigError::Missing { setting: "wave.webhook_secret", .. })));
}

#[test]
fn an_unknown_key_is_refused_without_printing_the_line() {
    let text = good().replace("[sms]", "api_kee = \"top-secret\"\n[sms]");
    let message = read(&text).unwrap_err().to_string();
    assert!(message.contains("api_kee") && message.contains("line "), "{message}");
    assert!(!message.contains("top-secret"), "{message}");
    assert_eq!(message.lines().count(), 1, "{message}");
}

#[test]
fn a_short_key_is_refused() {
    let text = good().replace(&URL_SAFE_NO_PAD.encode([7; 32]), "c2hvcnQ");
    assert!(matches!(read(&text), Err(ConfigError::Invalid { setting: "secrets.master_key", .. })));
}

#[test]
fn live_mode_speaks_https_only() {
    let live = good().replace("mode = \"test\"", "mode = \"live\"");
    assert!(matches!(read(&live), Err(ConfigError::Invalid { setting: "public_url", .. })));
    let https = live.replace("http://127.0.0.1:8080", "https://api.example.sn");
    assert!(read(&https).is_ok());
    let fake = https.replace("[wave]", "[wave]\nbase_url = \"http://127.0.0.1:9\"");
    assert!(matches!(read(&fake), Err(ConfigError::Invalid { setting: "wave.base_url", .. })));
    let elsewhere = good().replace("http://127.0.0.1:8080", "http://example.sn");
    assert!(matches!(read(&elsewhere), Err(ConfigError::Invalid { setting: "public_url", .. })));
}

#[test]
fn secrets_are_never_printed() {
    let printed = format!("{:?}", read(&good()).unwrap());
    for secret in [URL_SAFE_NO_PAD.encode([7; 32]).as_str(), "wave_sn_WHS_x", "atsk_x"] {
        assert!(!printed.contains(secret), "{printed}");
    }
}

#[test]
fn every_setting_is_in_the_operators_list() {
    let mut config = read(&good()).unwrap();
    // Optional ones are left out of the file when they are not set.
    config.wave.older_webhook_secret = Some(String::new());
    config.sms.sender = Some(String::new());
    let text = Some(String::new());
    config.email = Some(Email {
        host: String::new(),
        port: Some(25),
        security: Security::Plain,
        username: text.clone(),
        password: text.clone(),
        from: String::new(),
        finance: text,
    });
    let list = include_str!("../../../docs/configuration.md");
    let table: toml::Table = toml::to_string(&config).unwrap().parse().unwrap();
    for (name, value) in &table {
        let names = match value.as_table() {
            Some(section) => section.keys().map(|key| format!("{name}.{key}")).collect(),
            None => vec![name.clone()],
        };
        for name in names {
            assert!(list.contains(&format!("`{name}`")), "docs/configuration.md lacks {name}");
        }
    }
}

const SONATEL: &str = "[sonatel]\nclient_id = \"c\"\nclient_secret = \"s\"\nmerchant_code = \"123456\"\n\
                       merchant_name = \"Kalel\"\ncallback_key = \"k\"\nsigning_secret = \"w\"\n";

#[test]
fn a_rail_is_offered_when_its_table_is_there_and_whole() {
    use domain::payment::Method;
    assert_eq!(read(&good()).unwrap().methods(), [Method::Wave]);
    let config = read(&(good() + SONATEL)).unwrap();
    assert_eq!(config.methods(), [Method::Wave, Method::OrangeMoney]);
    assert_eq!(config.sonatel.unwrap().base_url, "https://api.orange-sonatel.com");
    let paytech = "[paytech]\napi_key = \"k\"\napi_secret = \"s\"\n[yas]\nthrough = \"paytech\"\n";
    assert_eq!(read(&(good() + paytech)).unwrap().methods(), [Method::Wave, Method::Yas]);
}

#[test]
fn half_a_rail_stops_the_start_and_says_what_is_missing() {
    for (broken, said) in [
        (SONATEL.replace("123456", "12345"), "sonatel.merchant_code: must have 6 digits"),
        (SONATEL.replace("callback_key = \"k\"", "callback_key = \"\""), "sonatel.callback_key is missing"),
        (SONATEL.replace("client_secret = \"s\"\n", ""), "client_secret"),
        ("[card]\nthrough = \"paydunya\"\n".to_owned(), "card.through: there is no table [paydunya]"),
        ("[card]\nthrough = \"stripe\"\n".to_owned(), "stripe"),
        (format!("{SONATEL}base_url = \"http://api.orange-sonatel.com\"\n"), "sonatel.base_url: must be https"),
    ] {
        let message = read(&(good() + &broken)).unwrap_err().to_string();
        assert!(message.contains(said), "{message}");
    }
    let shown = format!("{:?}", read(&(good() + SONATEL)).unwrap());
    assert!(!shown.contains("\"w\"") && shown.contains("Sonatel(…)"), "{shown}");
}

#[test]
fn methods_are_offered_in_the_order_of_the_file() {
    let sonatel = "[sonatel]\nclient_id = \"a\"\nclient_secret = \"b\"\nmerchant_code = \"123456\"\n\
                   merchant_name = \"Kalel\"\ncallback_key = \"c\"\n";
    let order = "payment_methods = [\"orange_money\"]\n";
    let config = read(&(order.to_owned() + &good() + sonatel)).unwrap();
    assert_eq!(config.methods(), [Method::OrangeMoney, Method::Wave], "what is left out follows");
    let message = read(&(order.to_owned() + &good())).unwrap_err().to_string();
    assert_eq!(message, "payment_methods: no provider is configured for orange_money");
}

#[test]
fn a_manager_s_accounts_are_as_whole_as_the_platform_s() {
    use domain::text::Slug;
    let wave = "[wave.accounts.fatou]\napi_key = \"wave_sn_prod_f\"\nwebhook_secret = \"wave_sn_WHS_f\"\n";
    let sonatel = SONATEL.replace("[sonatel]", "[sonatel.accounts.fatou]");
    let config = read(&(good() + SONATEL + wave + &sonatel)).unwrap();
    let fatou = Slug::new("fatou").unwrap();
    assert_eq!(config.accounts(), BTreeMap::from([(fatou.clone(), vec![Method::Wave, Method::OrangeMoney])]));
    assert_eq!(config.wave.accounts[&fatou].base_url, "https://api.wave.com");
    for (broken, said) in [
        (wave.replace("wave_sn_WHS_f", " "), "wave.accounts: fatou: wave.webhook_secret is missing"),
        (wave.replace("fatou", "Fatou"), "lower-case letters"),
        (wave.replace("fatou", "main"), "wave.accounts: main is the platform's own"),
        (format!("{SONATEL}{}", sonatel.replace("fatou", "main")), "sonatel.accounts: main is the platform's own"),
        (format!("{wave}[wave.accounts.fatou.accounts.omar]\napi_key = \"k\"\n"), "an account has no accounts"),
        (format!("{wave}base_url = \"http://wave.example\"\n"), "wave.accounts: fatou: wave.base_url: must be https"),
        (format!("{SONATEL}{}", sonatel.replace("123456", "1")), "sonatel.accounts: fatou: sonatel.merchant_code"),
    ] {
        let message = read(&(good() + &broken)).unwrap_err().to_string();
        assert!(message.contains(said), "{message}");
        assert_eq!(message.lines().count(), 1, "{message}");
    }
}

#[test]
fn orange_s_page_is_instead_of_sonatel_and_off_by_default() {
    let webpay = "[webpay]\ncountry = \"sn\"\nclient_id = \"c\"\nclient_secret = \"s\"\nmerchant_key = \"m\"\n";
    assert!(read(&good()).unwrap().webpay.is_none());
    let config = read(&(good() + webpay)).unwrap();
    assert_eq!(config.methods(), [Method::Wave, Method::OrangeMoney]);
    assert_eq!(config.webpay.unwrap().base_url, "https://api.orange.com");
    let live =
        good().replace("mode = \"test\"", "mode = \"live\"").replace("http://127.0.0.1:8080", "https://kalel.sn");
    assert!(read(&(live.clone() + webpay)).is_ok());
    let dev = webpay.replace("\"sn\"", "\"dev\"");
    assert!(read(&(good() + &dev)).is_ok());
    for (broken, said) in [
        (good() + SONATEL + webpay, "webpay: Orange Money is moved by [sonatel]"),
        (live + &dev, "webpay.country: dev is play money"),
        (good() + &webpay.replace("\"m\"", "\" \""), "webpay.merchant_key is missing"),
        (good() + webpay + "base_url = \"http://api.orange.com\"\n", "webpay.base_url: must be https"),
    ] {
        let message = read(&broken).unwrap_err().to_string();
        assert!(message.contains(said), "{message}");
    }
}

#[test]
fn limits_have_the_documented_defaults_and_cannot_be_nothing() {
    let config = read(&good()).unwrap();
    let settings = config.limits.settings().unwrap();
    assert_eq!(settings.anonymous, api::http::limits::Quota::new(60, 60, 20));
    assert_eq!((config.limits.connections, settings.webhooks_at_once), (10_000, 64));
    let with = |line: &str| read(&format!("{}[limits]\n{line}\n", good()));
    assert!(with("enabled = false").unwrap().limits.settings().is_none());
    let set = with("client = { calls = 7, seconds = 10, burst = 3 }\ntrusted_proxies = [\"10.0.0.0/8\", \"fd00::/8\"]")
        .unwrap();
    let settings = set.limits.settings().unwrap();
    assert_eq!((settings.client.calls, settings.trusted_proxies.len()), (7, 2));
    assert_eq!(settings.service, config.limits.service);
    for (setting, line) in [
        ("limits.client", "client = { calls = 0, seconds = 10, burst = 3 }"),
        ("limits.search", "search = { calls = 1, seconds = 864000, burst = 1 }"),
        ("limits.connections", "connections = 0"),
        ("limits.webhooks_at_once", "webhooks_at_once = 0"),
    ] {
        let message = with(line).unwrap_err().to_string();
        assert!(message.starts_with(setting), "{message}");
    }
    for line in ["trusted_proxies = [\"10.0.0.1/8\"]", "client = { calls = 1, seconds = 10 }", "clients = 1"] {
        assert!(matches!(with(line), Err(ConfigError::Parse { .. })), "{line}");
    }
    // What `kalel up` writes is read again.
    let mut written = config;
    written.limits = Limits::out_of_the_way();
    let again = read(&toml::to_string(&written).unwrap()).unwrap();
    assert_eq!(again.limits.client, written.limits.client);
}
