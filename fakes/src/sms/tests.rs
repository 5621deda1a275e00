//! Tests of the SMS fake over real HTTP.

use serde_json::json;

use super::Config;
use crate::testing::{Server, send};

async fn sms() -> Server {
    Server::start(|listener, stop| super::serve(listener, Config::default(), stop.cancelled_owned())).await
}

impl Server {
    async fn text(&self, to: &str, message: &str) -> (u16, serde_json::Value) {
        let form = [("username", "sandbox"), ("to", to), ("message", message)];
        let request = self.client.post(self.at("/version1/messaging")).header("apiKey", "atsk_fake").form(&form);
        let (status, body) = send(request).await;
        (status.as_u16(), body)
    }
}

#[tokio::test]
async fn each_recipient_has_a_line_and_messages_are_listed_newest_first() {
    let sms = sms().await;
    let (status, body) = sms.text("+221771234567,0771234567", "un").await;
    let lines = &body["SMSMessageData"]["Recipients"];
    assert_eq!((status, &lines[0]["statusCode"], &lines[1]["statusCode"]), (201, &json!(101), &json!(403)));
    assert_eq!(body["SMSMessageData"]["Message"], "Sent to 1/2 Total Cost: XOF 20");
    sms.text("+221760000000", "deux").await;
    let all = sms.get("/__messages").await;
    assert_eq!((&all[0]["text"], &all[1]["text"]), (&json!("deux"), &json!("un")));
    let one = sms.get("/__messages?to=%2B221771234567").await;
    assert_eq!(one.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_missing_field_and_a_wrong_user_are_refused_in_plain_text() {
    let sms = sms().await;
    let url = sms.at("/version1/messaging");
    let (status, body) =
        send(sms.client.post(&url).header("apiKey", "atsk_fake").form(&[("to", "+221771234567")])).await;
    assert_eq!((status.as_u16(), body.is_string()), (400, true));
    let form = [("username", "live"), ("to", "+221771234567"), ("message", "x")];
    assert_eq!(send(sms.client.post(&url).header("apiKey", "atsk_fake").form(&form)).await.0, 401);
}

#[tokio::test]
async fn an_outcome_can_be_for_one_number_and_reset_forgets_all() {
    let sms = sms().await;
    let outcome = json!({ "kind": "status", "code": 406, "to": "+221760000000" });
    sms.control(json!({ "do": "outcome", "outcome": outcome })).await;
    let code = |body: serde_json::Value| body["SMSMessageData"]["Recipients"][0]["statusCode"].clone();
    assert_eq!(code(sms.text("+221771234567", "x").await.1), 101);
    assert_eq!(code(sms.text("+221760000000", "x").await.1), 406);
    assert_eq!(code(sms.text("+221760000000", "x").await.1), 101);
    sms.control(json!({ "do": "reset" })).await;
    assert_eq!(sms.get("/__messages").await, json!([]));
}

#[tokio::test]
async fn an_instruction_that_cannot_be_read_stops_the_whole_list() {
    let sms = sms().await;
    let list = json!([{ "do": "fail", "how": "status" }, { "do": "dance" }]);
    let (status, body) = send(sms.client.post(sms.at("/__control")).json(&list)).await;
    assert_eq!(status, 400);
    assert!(body["error"].as_str().unwrap().contains("dance"), "{body}");
    assert_eq!(sms.text("+221771234567", "x").await.0, 201);
}
