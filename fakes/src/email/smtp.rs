//! The SMTP conversation.

use std::{io, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

use super::{
    Email, Message,
    control::{Script, Step},
    mime,
};
use crate::server::lock;

/// No line of a real client is longer (RFC 5321 §4.5.3.1 says 1 000 in data, 512 in commands).
const LINE: u64 = 8_192;
const MESSAGE: usize = 25 << 20;

pub(crate) async fn accept(listener: TcpListener, email: Arc<Email>) {
    loop {
        let stream = tokio::select! {
            () = email.stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = stream else { continue };
        let email = Arc::clone(&email);
        tokio::spawn(async move {
            let stop = email.stop.clone();
            tokio::select! {
                () = stop.cancelled() => {}
                // A client that hangs up is no concern of the server's.
                _ = Conversation::new(stream, email).hold() => {}
            }
        });
    }
}

/// Whether the conversation goes on.
#[derive(PartialEq, Eq)]
enum Then {
    Go,
    Close,
}

struct Conversation {
    stream: BufReader<TcpStream>,
    email: Arc<Email>,
    signed_in: bool,
    from: Option<String>,
    to: Vec<String>,
}

impl Conversation {
    fn new(stream: TcpStream, email: Arc<Email>) -> Self {
        let signed_in = email.config.credentials.is_none();
        Self { stream: BufReader::new(stream), email, signed_in, from: None, to: Vec::new() }
    }

    async fn hold(mut self) -> io::Result<()> {
        if self.step(Step::Connect, "220 fake ESMTP").await? == Then::Close {
            return Ok(());
        }
        while let Some(line) = self.line().await? {
            let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
            let then = match verb.as_str() {
                "EHLO" => self.hello().await?,
                "HELO" | "NOOP" => self.say("250 fake").await?,
                "AUTH" => self.auth(&line).await?,
                "MAIL" => self.mail(&line).await?,
                "RCPT" => self.rcpt(&line).await?,
                "DATA" => self.data().await?,
                "RSET" => {
                    (self.from, self.to) = (None, Vec::new());
                    self.say("250 2.0.0 reset").await?
                }
                "STARTTLS" => self.say("454 4.7.0 no TLS here").await?,
                "QUIT" => {
                    self.say("221 2.0.0 bye").await?;
                    Then::Close
                }
                _ => self.say("502 5.5.1 unknown command").await?,
            };
            if then == Then::Close {
                return Ok(());
            }
        }
        Ok(())
    }

    async fn hello(&mut self) -> io::Result<Then> {
        self.say("250-fake\r\n250-8BITMIME\r\n250-SIZE 26214400\r\n250 AUTH PLAIN LOGIN").await
    }

    async fn auth(&mut self, line: &str) -> io::Result<Then> {
        let mut words = line.split_ascii_whitespace().skip(1);
        let mechanism = words.next().unwrap_or_default().to_ascii_uppercase();
        let first = words.next().map(str::to_owned);
        let given = match mechanism.as_str() {
            "PLAIN" => {
                let text = match first {
                    Some(text) => text,
                    None => self.ask("334 ").await?,
                };
                let text = decode(&text);
                let mut parts = text.split('\0').skip(1).map(str::to_owned);
                (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
            }
            "LOGIN" => {
                let user = match first {
                    Some(user) => user,
                    None => self.ask("334 VXNlcm5hbWU6").await?,
                };
                let password = self.ask("334 UGFzc3dvcmQ6").await?;
                (decode(&user), decode(&password))
            }
            _ => return self.say("504 5.5.4 unknown mechanism").await,
        };
        if self.email.config.credentials.as_ref().is_some_and(|wanted| *wanted != given) {
            return self.say("535 5.7.8 authentication failed").await;
        }
        self.signed_in = true;
        self.step(Step::Auth, "235 2.7.0 accepted").await
    }

    async fn mail(&mut self, line: &str) -> io::Result<Then> {
        if !self.signed_in {
            return self.say("530 5.7.0 authentication required").await;
        }
        (self.from, self.to) = (address(line), Vec::new());
        self.step(Step::Mail, "250 2.1.0 ok").await
    }

    async fn rcpt(&mut self, line: &str) -> io::Result<Then> {
        let (Some(to), Some(_)) = (address(line), &self.from) else {
            return self.say("503 5.5.1 MAIL first").await;
        };
        if let Some(script) = self.script(Step::Rcpt) {
            return self.follow(&script).await;
        }
        self.to.push(to);
        self.say("250 2.1.5 ok").await
    }

    async fn data(&mut self) -> io::Result<Then> {
        if self.to.is_empty() {
            return self.say("503 5.5.1 RCPT first").await;
        }
        if let Some(script) = self.script(Step::Data) {
            return self.follow(&script).await;
        }
        self.say("354 go on").await?;
        let mut raw = String::new();
        loop {
            let Some(line) = self.line().await? else { return Ok(Then::Close) };
            if line == "." {
                break;
            }
            raw.push_str(line.strip_prefix('.').unwrap_or(&line));
            raw.push_str("\r\n");
            if raw.len() > MESSAGE {
                self.say("552 5.3.4 too big").await?;
                return Ok(Then::Close);
            }
        }
        let script = self.script(Step::End);
        if script.as_ref().is_none_or(|script| script.after_effect) {
            self.keep(raw);
        }
        match script {
            Some(script) => self.follow(&script).await,
            None => self.say("250 2.0.0 taken").await,
        }
    }

    fn keep(&mut self, raw: String) {
        let message = Message {
            from: self.from.take().unwrap_or_default(),
            to: std::mem::take(&mut self.to),
            subject: mime::subject(&raw),
            message_id: mime::header(&raw, "Message-ID"),
            text: mime::text(&raw),
            time: self.email.clock.now(),
            raw,
        };
        lock(&self.email.messages).push(message);
    }

    fn script(&self, step: Step) -> Option<Script> {
        let mut scripts = lock(&self.email.scripts);
        let position = scripts.iter().position(|script| script.at == step)?;
        scripts.remove(position)
    }

    async fn step(&mut self, step: Step, usual: &str) -> io::Result<Then> {
        match self.script(step) {
            Some(script) => self.follow(&script).await,
            None => self.say(usual).await,
        }
    }

    async fn follow(&mut self, script: &Script) -> io::Result<Then> {
        match &script.reply {
            Some(reply) => self.say(reply).await,
            None => Ok(Then::Close),
        }
    }

    async fn say(&mut self, text: &str) -> io::Result<Then> {
        self.stream.write_all(format!("{text}\r\n").as_bytes()).await?;
        self.stream.flush().await?;
        // 421: the server is about to hang up (RFC 5321 §3.8).
        Ok(if text.starts_with("421") { Then::Close } else { Then::Go })
    }

    async fn ask(&mut self, text: &str) -> io::Result<String> {
        self.say(text).await?;
        Ok(self.line().await?.unwrap_or_default())
    }

    async fn line(&mut self) -> io::Result<Option<String>> {
        let mut line = Vec::new();
        let read = (&mut self.stream).take(LINE).read_until(b'\n', &mut line).await?;
        let text = String::from_utf8_lossy(&line);
        Ok((read > 0).then(|| text.trim_end_matches(['\r', '\n']).to_owned()))
    }
}

fn decode(text: &str) -> String {
    String::from_utf8_lossy(&STANDARD.decode(text.trim()).unwrap_or_default()).into_owned()
}

/// What stands between `<` and `>`.
fn address(line: &str) -> Option<String> {
    let (_, rest) = line.split_once('<')?;
    rest.split_once('>').map(|(address, _)| address.to_owned())
}
