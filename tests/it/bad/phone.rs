//! Numbers, codes and PINs that are none, are somebody else's, were used, are over, or are guessed all at once.
//!
//! The API is in this process, since its hashing is cheap only here: the memory is that of the other tests, too, and not judged.

use kalel::seeded::Seeded;
use reqwest::Method;
use serde_json::{Value, json};

use super::run::Tally;
use crate::sign_in::desk::{Answer, Desk, PIN, Phone};

const NO_NUMBERS: [&str; 39] = [
    "",
    " ",
    "+",
    "00",
    "0",
    "7",
    "77123456",
    "7712345678",
    "771234567a",
    "77-123-45-6",
    "+22177123456",
    "+2217712345678",
    "+221 33 821 99 03",
    "33 821 99 03",
    "00221",
    "+221",
    "221",
    "+2210771234567",
    "+221+771234567",
    "++221771234567",
    "+221771234567;ext=5",
    "tel:+221771234567",
    "+221771234567 ext 5",
    "٧٧١٢٣٤٥٦٧",
    "+٢٢١٧٧١٢٣٤٥٦٧",
    "７７１２３４５６７",
    "०७७१२३४५६७",
    "77.123.45.67.89",
    "1e9",
    "0x2DF3B9C7",
    "771234567\u{0}",
    "'; --",
    "+1",
    "+999771234567",
    "112",
    "+33612345",
    "771234567,781234567",
    "null",
    "+221 79 123 45 67",
];
/// One number, as people write it.
const ONE_NUMBER: [&str; 8] = [
    "771000001",
    "77 100 00 01",
    "+221771000001",
    "+221 77 100 00 01",
    "00221771000001",
    "77-100-00-01",
    "(77) 100.00.01",
    "221771000001",
];
const NO_CODES: [&str; 26] = [
    "",
    " ",
    "1",
    "12345",
    "1234567",
    "12345a",
    "١٢٣٤٥٦",
    "１２３４５６",
    "12 345",
    "123 456",
    "123456 ",
    " 123456",
    "-12345",
    "+12345",
    "1e5",
    "0x1234",
    "123.45",
    "12345\u{0}",
    "123456\n",
    "null",
    "000000000000",
    "'; --",
    "{{code}}",
    "%",
    "𝟏𝟐𝟑𝟒𝟓𝟔",
    "OR 1=1",
];
const WEAK_PINS: [&str; 26] = [
    "",
    "1",
    "123",
    "12345",
    "1234567",
    "abcdef",
    "١٢٣٤٥٦",
    "12345a",
    " 123456",
    "123456",
    "654321",
    "000000",
    "111111",
    "121212",
    "112233",
    "123123",
    "222222",
    "012345",
    "999999",
    "-12345",
    "1e5000",
    "12 345",
    "null",
    "𝟏𝟐𝟑𝟒𝟓𝟔",
    "'; --",
    "123\u{0}56",
];

struct Trial<'a> {
    desk: &'a Desk,
    tally: Tally,
    next: u32,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_codes_and_pins_that_are_none_let_nobody_in() {
    let count = super::count(500, 10_000);
    let desk = Desk::new().await;
    let mut trial = Trial { desk: &desk, tally: Tally::new("phone"), next: 100 };
    let mut seeded = Seeded(super::seed());
    trial.one_number_is_one_person().await;
    let mut round = 0;
    while trial.tally.asked() < count {
        trial.numbers(count).await;
        trial.codes(count).await;
        trial.reuse(count).await;
        if round == 0 {
            trial.a_hundred_at_once().await;
        }
        trial.pins(count).await;
        while round > 0 && trial.tally.asked() < count {
            trial.random(&mut seeded).await;
        }
        round += 1;
    }
    trial.tally.report(None, count);
}

impl Trial<'_> {
    fn phone(&mut self) -> Phone {
        self.next += 1;
        Phone::nth(self.next)
    }

    /// Counts an answer, which must be a refusal.
    fn refused(&mut self, about: &str, answer: &Answer, statuses: &[u16]) {
        self.tally.count(answer.status, std::time::Duration::ZERO);
        let media = answer.headers.get("content-type").is_some_and(|media| media == "application/problem+json");
        if !statuses.contains(&answer.status) || !media || !answer.body["code"].is_string() {
            self.tally.wrong(format!("{about}: {} {}", answer.status, answer.text));
        }
    }

    async fn head(&self) -> i64 {
        self.desk.store.head().await.unwrap()
    }

    fn unmoved(&mut self, before: i64, after: i64, about: &str) {
        if before != after {
            self.tally.wrong(format!("{about} has written {} events", after - before));
        }
    }

    /// However it is written, it is the same person, who is asked to wait.
    async fn one_number_is_one_person(&mut self) {
        let key = self.phone().device_key();
        for (number, written) in ONE_NUMBER.into_iter().enumerate() {
            let body = json!({ "phone": written, "device_key": key });
            let answer = self.desk.call_from("10.1.0.1", Method::POST, "/v1/challenges", None, Some(&body)).await;
            self.tally.count(answer.status, std::time::Duration::ZERO);
            let expected: &[u16] = if number == 0 { &[202] } else { &[429, 400] };
            if !expected.contains(&answer.status) {
                self.tally.wrong(format!("{written} is another person than {}: {}", ONE_NUMBER[0], answer.text));
            }
        }
    }

    async fn numbers(&mut self, count: usize) {
        let before = self.head().await;
        let key = self.phone().device_key();
        let keys = [key.as_str(), "", "A", &"A".repeat(42), &"A".repeat(44), &"!".repeat(43), &"é".repeat(43)];
        for (number, written) in NO_NUMBERS.into_iter().enumerate() {
            if self.tally.asked() >= count {
                return;
            }
            let body = json!({ "phone": written, "device_key": key });
            let from = format!("10.2.{number}.1");
            let answer = self.desk.call_from(&from, Method::POST, "/v1/challenges", None, Some(&body)).await;
            // Abroad is refused by the rules.
            self.refused(&format!("the number {written:?}"), &answer, &[400, 422]);
            let body = json!({ "phone": self.phone().number, "device_key": keys[1 + number % 6] });
            if self.tally.asked() < count {
                let answer = self.desk.call_from(&from, Method::POST, "/v1/challenges", None, Some(&body)).await;
                self.refused(&format!("the device key {:?}", keys[1 + number % 6]), &answer, &[400]);
            }
        }
        let after = self.head().await;
        self.unmoved(before, after, "a number that is none");
    }

    /// What is no code is no guess: the right one is taken afterwards.
    async fn codes(&mut self, count: usize) {
        let phone = self.phone();
        let challenge = self.desk.ask(&phone).await.is(202).text("id");
        let code = self.desk.code(&phone).await;
        let before = self.head().await;
        for wrong in NO_CODES {
            if self.tally.asked() >= count {
                return;
            }
            let answer = self.desk.prove(&phone, &challenge, wrong).await;
            self.refused(&format!("the code {wrong:?}"), &answer, &[400]);
        }
        for wrong in [
            json!(code.parse::<u64>().unwrap()),
            json!(null),
            json!([code]),
            json!({ "code": code }),
            json!(true),
            json!(-1),
        ] {
            if self.tally.asked() >= count {
                return;
            }
            let body = json!({ "code": wrong, "signature": phone.answers(&challenge) });
            let path = format!("/v1/challenges/{challenge}/proof");
            let answer = self.desk.call_from(&phone.address, Method::POST, &path, None, Some(&body)).await;
            self.refused(&format!("the code {wrong}"), &answer, &[400]);
        }
        for signature in [
            "",
            "A",
            &"A".repeat(86),
            &"A".repeat(88),
            &phone.sign("something else"),
            &phone.another(7).answers(&challenge),
        ] {
            if self.tally.asked() >= count {
                return;
            }
            let body = json!({ "code": code, "signature": signature });
            let path = format!("/v1/challenges/{challenge}/proof");
            let answer = self.desk.call_from(&phone.address, Method::POST, &path, None, Some(&body)).await;
            self.refused(&format!("the signature {signature:.12}"), &answer, &[400, 410]);
        }
        let after = self.head().await;
        self.unmoved(before, after, "a code that is none");
        if self.desk.prove(&phone, &challenge, &code).await.status != 200 {
            self.tally.wrong("what is no code has cost a try".into());
        }
    }

    /// A code that was used, is another challenge's, or is over; a challenge that nobody asked for.
    async fn reuse(&mut self, count: usize) {
        // Its wrong codes are so many of all that everybody would be asked to work.
        let desk = Desk::new().await;
        for _ in 0..5 {
            let (phone, other) = (self.phone(), self.phone());
            let first = desk.ask(&phone).await.is(202).text("id");
            let second = desk.ask(&other).await.is(202).text("id");
            let (code, theirs) = (desk.code(&phone).await, desk.code(&other).await);
            let before = desk.store.head().await.unwrap();
            let nobodys = desk.store.clock().new_id().to_string();
            let mut tried = vec![
                ("the code of another challenge", desk.prove(&phone, &first, &theirs).await, [422, 200]),
                ("another's challenge", desk.prove(&phone, &second, &theirs).await, [410, 410]),
                ("nobody's challenge", desk.prove(&phone, &nobodys, &code).await, [410, 404]),
                ("no challenge", desk.prove(&phone, "x", &code).await, [404, 410]),
                ("a challenge that is not proven", desk.open(&phone, &first, PIN).await, [409, 410]),
            ];
            // By chance both codes are one.
            if code != theirs {
                tried[0].2 = [422, 422];
                desk.prove(&phone, &first, &code).await.is(200);
                tried.push(("a code that was used", desk.prove(&phone, &first, &code).await, [410, 410]));
            }
            tried.push(("another's proof", desk.open(&other, &first, PIN).await, [410, 410]));
            let after = desk.store.head().await.unwrap();
            self.unmoved(before, after, "a code that does not count");
            for (about, answer, statuses) in tried {
                if self.tally.asked() < count {
                    self.refused(about, &answer, &statuses);
                }
            }
            if self.tally.asked() >= count {
                return;
            }
        }
        let phone = self.phone();
        let challenge = desk.ask(&phone).await.is(202).text("id");
        let code = desk.code(&phone).await;
        desk.wait(301).await;
        let answer = desk.prove(&phone, &challenge, &code).await;
        self.refused("a code that is over", &answer, &[410]);
    }

    /// Five of a hundred are compared, by whatever way they come.
    async fn a_hundred_at_once(&mut self) {
        let desk = &Desk::new().await;
        let phone = self.phone();
        let challenge = desk.ask(&phone).await.is(202).text("id");
        let code: u32 = desk.code(&phone).await.parse().unwrap();
        let guesses = (1..=100).map(|n: u32| format!("{:06}", (code + n) % 1_000_000));
        let all = guesses.map(|guess| {
            let (phone, challenge) = (&phone, &challenge);
            async move { desk.prove(phone, challenge, &guess).await }
        });
        let answers = futures_util::future::join_all(all).await;
        let compared = answers.iter().filter(|answer| answer.body["code"] == "challenge.wrong_code").count();
        if compared != 5 {
            self.tally.wrong(format!("{compared} of a hundred guesses were compared"));
        }
        answers.iter().for_each(|answer| self.refused("a guess", answer, &[422, 410, 429]));
    }

    /// Nobody gets an account with what a stranger tries first, nor with what is no PIN.
    async fn pins(&mut self, count: usize) {
        let phone = self.phone();
        let (challenge, _) = self.desk.proven(&phone).await;
        let before = self.head().await;
        for pin in
            WEAK_PINS.map(|pin| json!(pin)).into_iter().chain([json!(739_164), json!(null), json!([PIN]), json!(7.5)])
        {
            if self.tally.asked() >= count {
                return;
            }
            let body = json!({ "challenge_id": challenge, "signature": phone.answers(&challenge), "pin": pin, "name": "Awa", "device_name": "Tecno" });
            let answer = self.desk.call_from(&phone.address, Method::POST, "/v1/sessions", None, Some(&body)).await;
            self.refused(&format!("the PIN {pin}"), &answer, &[400, 422]);
        }
        let after = self.head().await;
        self.unmoved(before, after, "a PIN that is none");
        if self.desk.open(&phone, &challenge, PIN).await.status != 201 {
            self.tally.wrong("a PIN that is none has ended the challenge".into());
        }
    }

    /// Signs, digits and letters, a few.
    async fn random(&mut self, seeded: &mut Seeded) {
        const SIGNS: [char; 20] = [
            '0', '1', '7', '+', ' ', '-', '.', '(', '/', 'a', 'é', '٣', '\u{200b}', '\u{202e}', '\0', '\n', '"', '\\',
            '%', '😀',
        ];
        // Eleven signs without seven digits in a row are no number.
        let written: String = (0..11).map(|at| if at % 4 == 0 { 'x' } else { *seeded.pick(&SIGNS).unwrap() }).collect();
        let body = json!({ "phone": written, "device_key": self.phone().device_key() });
        let from = format!("10.3.{}.1", seeded.below(250));
        let answer: Answer =
            self.desk.call_from(&from, Method::POST, "/v1/challenges", None, Some::<&Value>(&body)).await;
        self.refused(&format!("the number {written:?}"), &answer, &[400]);
    }
}
