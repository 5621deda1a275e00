//! Tests of the mail fake over a real connection.

use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

use super::Config;
use crate::testing::{Server, listen};

struct Client(BufReader<TcpStream>);

impl Client {
    /// Sends a line and answers with the last line of the reply.
    async fn say(&mut self, line: &str) -> String {
        self.0.write_all(format!("{line}\r\n").as_bytes()).await.unwrap();
        self.reply().await
    }

    async fn reply(&mut self) -> String {
        loop {
            let mut line = String::new();
            self.0.read_line(&mut line).await.unwrap();
            if line.as_bytes().get(3) != Some(&b'-') {
                return line.trim_end().to_owned();
            }
        }
    }
}

async fn email(config: Config) -> (Server, Client) {
    let (smtp, address) = listen().await;
    let server = Server::start(|http, stop| super::serve(smtp, http, config, stop.cancelled_owned())).await;
    let mut client = Client(BufReader::new(TcpStream::connect(address).await.unwrap()));
    assert!(client.reply().await.starts_with("220"));
    (server, client)
}

#[tokio::test]
async fn a_conversation_in_the_wrong_order_is_refused() {
    let (_server, mut client) = email(Config::default()).await;
    assert!(client.say("RCPT TO:<a@b.sn>").await.starts_with("503"));
    assert!(client.say("DATA").await.starts_with("503"));
    assert!(client.say("HELLO").await.starts_with("502"));
    assert!(client.say("STARTTLS").await.starts_with("454"));
    assert!(client.say("QUIT").await.starts_with("221"));
}

#[tokio::test]
async fn signing_in_by_login_lets_a_mail_through_and_dots_are_unstuffed() {
    let credentials = Some(("kalel".into(), "geheim".into()));
    let (server, mut client) = email(Config { credentials }).await;
    client.say("EHLO test").await;
    assert!(client.say("MAIL FROM:<a@b.sn>").await.starts_with("530"));
    assert_eq!(client.say("AUTH LOGIN").await, "334 VXNlcm5hbWU6");
    assert_eq!(client.say("a2FsZWw=").await, "334 UGFzc3dvcmQ6");
    assert!(client.say("Z2VoZWlt").await.starts_with("235"));
    for line in ["MAIL FROM:<a@b.sn>", "RCPT TO:<c@d.sn>", "RCPT TO:<e@f.sn>"] {
        assert!(client.say(line).await.starts_with("250"), "{line}");
    }
    assert!(client.say("DATA").await.starts_with("354"));
    assert!(client.say("Subject: x\r\n\r\n..un\r\ndeux\r\n.").await.starts_with("250"));
    let messages = server.get("/__messages?to=e@f.sn").await;
    assert_eq!(messages[0]["to"], json!(["c@d.sn", "e@f.sn"]));
    assert_eq!(messages[0]["text"], ".un\ndeux");
}

#[tokio::test]
async fn a_scripted_421_ends_the_conversation() {
    let (server, mut client) = email(Config::default()).await;
    server.control(json!({ "do": "fail", "script": { "at": "mail", "reply": "421 4.3.2 closing" } })).await;
    assert!(client.say("MAIL FROM:<a@b.sn>").await.starts_with("421"));
    let mut rest = String::new();
    assert_eq!(client.0.read_line(&mut rest).await.unwrap(), 0);
}
