//! A reader of server-sent events, piece by piece, as the standard says it (WHATWG HTML, §9.2.6).

use std::time::Duration;

use serde_json::Value;

/// The longest anything may be waited for.
pub const PATIENCE: Duration = Duration::from_secs(30);

pub struct Reader {
    response: reqwest::Response,
    buffer: Vec<u8>,
    /// As a browser keeps it for the next time.
    pub last_id: Option<i64>,
    pub retry: Option<u64>,
}

/// What stands between two blank lines.
#[derive(Debug, Default)]
pub struct Block {
    pub id: Option<i64>,
    pub event: Option<String>,
    pub data: Option<Value>,
    pub comment: Option<String>,
}

impl Reader {
    /// Insists that the answer is a stream.
    pub async fn of(request: reqwest::RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        if status != 200 {
            panic!("{status}: {}", response.text().await.unwrap());
        }
        assert_eq!(headers["content-type"], "text/event-stream");
        assert_eq!(headers["cache-control"], "no-store");
        assert!(headers.contains_key("request-id") && headers.contains_key("kalel-position"));
        Self { response, buffer: Vec::new(), last_id: None, retry: None }
    }

    /// The next block; `None` when the stream has ended.
    pub async fn block(&mut self) -> Option<Block> {
        tokio::time::timeout(PATIENCE, self.take()).await.expect("nothing comes")
    }

    async fn take(&mut self) -> Option<Block> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|two| two == b"\n\n") {
                let text: Vec<u8> = self.buffer.drain(..end + 2).collect();
                return Some(self.read(std::str::from_utf8(&text).unwrap()));
            }
            match self.response.chunk().await {
                Ok(Some(bytes)) => self.buffer.extend_from_slice(&bytes),
                Ok(None) => {
                    assert!(self.buffer.is_empty(), "cut in the middle of a block");
                    return None;
                }
                Err(error) => panic!("{error}"),
            }
        }
    }

    fn read(&mut self, text: &str) -> Block {
        let mut block = Block::default();
        for line in text.lines().filter(|line| !line.is_empty()) {
            let (name, value) = line.split_once(':').unwrap();
            let value = value.trim_start();
            match name {
                "id" => block.id = Some(value.parse().unwrap()),
                "event" => block.event = Some(value.to_owned()),
                "data" => block.data = Some(serde_json::from_str(value).unwrap()),
                "retry" => self.retry = Some(value.parse().unwrap()),
                "" => block.comment = Some(value.to_owned()),
                other => panic!("{other}"),
            }
        }
        self.last_id = block.id.or(self.last_id);
        block
    }

    /// The next event; `None` when the stream has ended.
    pub async fn event(&mut self) -> Option<Value> {
        let reading = async {
            loop {
                let block = self.take().await?;
                let Some(data) = block.data else { continue };
                assert_eq!(block.id, data["position"].as_i64(), "{data}");
                assert_eq!(block.event.as_deref(), data["type"].as_str());
                return Some(data);
            }
        };
        tokio::time::timeout(PATIENCE, reading).await.expect("no event comes")
    }

    /// Events up to this position, which must be one of them.
    pub async fn up_to(&mut self, position: i64) -> Vec<Value> {
        let mut events = Vec::new();
        while events.last().is_none_or(|event: &Value| event["position"].as_i64().unwrap() < position) {
            events.push(self.event().await.expect("it ended before"));
        }
        assert_eq!(events.last().unwrap()["position"], position);
        events
    }

    /// Reads to the end; says the last comment.
    pub async fn end(mut self) -> (Option<String>, Option<u64>) {
        let mut last = None;
        while let Some(block) = self.block().await {
            last = block.comment.or(last);
        }
        (last, self.retry)
    }
}

pub fn positions(events: &[Value]) -> Vec<i64> {
    events.iter().map(|event| event["position"].as_i64().unwrap()).collect()
}
