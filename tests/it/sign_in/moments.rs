//! What is taken away in the very moment in which somebody comes in by it: whoever comes in then is not in.

use domain::{
    account::{Account, Duty},
    actor::{Actor, Role},
    aggregate::Loaded,
    ids::PrincipalId,
};
use eventstore::{Append, Meta};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgConnection;

use super::{
    super::feed::reader::Reader,
    desk::{Answer, Desk, OTHER_PIN, PIN, Phone, SignedIn},
    staff::{OTHER, PASSPHRASE, Staff},
};

/// Nobody's session is written while this is held: whoever signs in has been believed by then.
struct Door(PgConnection);

impl Door {
    async fn shut(desk: &Desk) -> Self {
        // Not the usual patience for a lock: the change has to come in between.
        let trigger =
            "CREATE FUNCTION auth.wait_at_the_door() RETURNS trigger LANGUAGE plpgsql SET lock_timeout = '0' AS $$
                       BEGIN PERFORM pg_advisory_xact_lock(4711); RETURN NEW; END $$;
                       CREATE TRIGGER door BEFORE INSERT ON auth.sessions FOR EACH ROW
                       EXECUTE FUNCTION auth.wait_at_the_door()";
        let mut connection = kalel::up::postgres::connect(&desk.world.owner_url).await.unwrap();
        sqlx::raw_sql(trigger).execute(&mut connection).await.unwrap();
        sqlx::query("SELECT pg_advisory_lock(4711)").execute(&mut connection).await.unwrap();
        Self(connection)
    }

    /// Somebody stands before it.
    async fn is_knocked_at(&mut self) {
        let waits = "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711 AND NOT granted
                         AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))";
        while !sqlx::query_scalar::<_, bool>(waits).fetch_one(&mut self.0).await.unwrap() {
            tokio::task::yield_now().await;
        }
    }

    async fn open(mut self) {
        sqlx::query("SELECT pg_advisory_unlock(4711)").execute(&mut self.0).await.unwrap();
    }
}

/// Lets somebody be believed, changes something, and lets them in then.
async fn meanwhile(desk: &Desk, comes: impl Future<Output = Answer>, change: impl AsyncFnOnce()) -> Answer {
    let mut door = Door::shut(desk).await;
    let between = async {
        door.is_knocked_at().await;
        change().await;
        door.open().await;
    };
    let (answer, ()) = futures_util::future::join(comes, between).await;
    answer
}

/// Nobody is signed in but with these.
async fn only(desk: &Desk, subject: &str, sessions: usize) {
    let query = "SELECT count(*) FROM auth.sessions WHERE subject = $1::uuid AND ended_at IS NULL";
    let open: i64 = sqlx::query_scalar(query).bind(subject).fetch_one(&desk.world.pool).await.unwrap();
    assert_eq!(usize::try_from(open).unwrap(), sessions, "sessions that are open");
}

async fn change_pin(desk: &Desk, me: &SignedIn) {
    let body = json!({ "pin": PIN, "new_pin": OTHER_PIN });
    let path = format!("/v1/clients/{}/pin", me.client);
    desk.call(Method::PUT, &path, Some(&me.access), Some(&body)).await.is(204);
}

#[tokio::test]
async fn whoever_comes_in_by_the_pin_that_is_being_changed_is_not_in() {
    let (desk, awa) = (Desk::new().await, Phone::nth(1));
    let me = desk.sign_in(&awa, PIN).await;
    let comes = desk.come_back(&awa, me.device, PIN);
    let answer = meanwhile(&desk, comes, async || change_pin(&desk, &me).await).await;
    answer.problem(410, "challenge.over");
    only(&desk, &me.client.to_string(), 1).await;
    desk.get(&me.access, "/v1/sessions").await.is(200);
}

#[tokio::test]
async fn whoever_comes_in_by_the_device_that_is_being_released_is_not_in() {
    let (desk, awa) = (Desk::new().await, Phone::nth(1));
    let me = desk.sign_in(&awa, PIN).await;
    desk.wait(60).await;
    let tablet = awa.another(3);
    let there = desk.sign_in(&tablet, PIN).await;
    let comes = desk.come_back(&tablet, there.device, PIN);
    let path = format!("/v1/devices/{}", there.device);
    let release = async || drop(desk.call(Method::DELETE, &path, Some(&me.access), None).await.is(204));
    meanwhile(&desk, comes, release).await.problem(410, "challenge.over");
    only(&desk, &me.client.to_string(), 1).await;
}

async fn right(desk: &Desk, who: &Staff) -> Answer {
    desk.sign_in_staff(who, PASSPHRASE).await
}

#[tokio::test]
async fn whoever_comes_in_by_the_passphrase_that_is_being_changed_is_not_in() {
    let desk = Desk::new().await;
    let (_, modou) = desk.pair("support").await;
    let change = async || {
        // Its code was used up by whoever stands at the door.
        desk.wait(30).await;
        let body = json!({ "passphrase": PASSPHRASE, "new_passphrase": OTHER, "totp": modou.code(&desk) });
        desk.by(&modou, Method::PUT, "/v1/accounts/me/passphrase", body).await.is(204);
    };
    meanwhile(&desk, right(&desk, &modou), change).await.problem(401, "session.refused");
    only(&desk, &modou.id, 1).await;
}

#[tokio::test]
async fn whoever_comes_in_while_they_are_suspended_is_not_in_when_they_go_on() {
    let desk = Desk::new().await;
    let (admin, modou) = desk.pair("support").await;
    let change = async || {
        let path = |to: &str| format!("/v1/accounts/{}/{to}", modou.id);
        let why: Value = json!({ "reason": "Enquête en cours" });
        desk.by(&admin, Method::POST, &path("suspension"), why).await.is(200);
        desk.by(&admin, Method::POST, &path("resumption"), json!({})).await.is(200);
    };
    meanwhile(&desk, right(&desk, &modou), change).await.problem(401, "session.refused");
    only(&desk, &modou.id, 0).await;
}

/// Somebody who only listens is not there: their session ends as everybody's does, and their stream with it.
#[tokio::test]
async fn a_stream_keeps_no_session_going_and_ends_with_the_account() {
    let desk = Desk::new().await;
    let (admin, reader) = desk.pair("auditor").await;
    let listen = async || {
        let request = desk.http.get(format!("{}/v1/events/stream", desk.base)).bearer_auth(&reader.access);
        Reader::of(request).await
    };
    let mut stream = listen().await;
    stream.block().await.unwrap();
    // What happens to their account makes the stream ask again.
    desk.wait(61).await;
    let seen = async || {
        let query = "SELECT max(seen_at) FROM auth.sessions WHERE subject = $1::uuid";
        let seen: chrono::DateTime<chrono::Utc> =
            sqlx::query_scalar(query).bind(&reader.id).fetch_one(&desk.world.pool).await.unwrap();
        seen
    };
    let before = seen().await;
    let role = format!("/v1/accounts/{}/role", reader.id);
    desk.by(&admin, Method::POST, &role, json!({ "role": "support" })).await.is(200);
    assert_eq!(stream.event().await.unwrap()["type"], "account.role_proposed");
    desk.write_something().await;
    assert!(stream.event().await.is_some());
    assert_eq!(seen().await, before, "it was asked for twice, and used by nobody");
    // Nothing after the suspension is told.
    let path = format!("/v1/accounts/{}/suspension", reader.id);
    desk.by(&admin, Method::POST, &path, json!({ "reason": "Enquête en cours" })).await.is(200);
    for _ in 0..3 {
        desk.write_something().await;
    }
    let mut told = Vec::new();
    let ended = loop {
        match stream.block().await {
            Some(block) => {
                told.extend(block.event);
                if let Some(comment) = block.comment {
                    break comment;
                }
            }
            None => panic!("it ended without a word"),
        }
    };
    assert_eq!((told, ended.as_str()), (vec!["account.suspended".to_owned()], "session.ended"));
}

#[tokio::test]
async fn a_stream_ends_a_quarter_of_an_hour_after_its_reader_did_anything() {
    let desk = Desk::new().await;
    let (_, reader) = desk.pair("auditor").await;
    let request = desk.http.get(format!("{}/v1/events/stream", desk.base)).bearer_auth(&reader.access);
    let mut stream = Reader::of(request).await;
    stream.block().await.unwrap();
    // Each of these has their stream ask again.
    let id = PrincipalId::new(reader.id.parse().unwrap());
    for role in [Role::Support, Role::Finance, Role::Support] {
        desk.wait(299).await;
        let account: Loaded<Account> = desk.store.load(id).await.unwrap();
        let by = Actor::new(Role::Admin, PrincipalId::new(desk.store.clock().new_id()));
        let duty = Duty { role, sites: None };
        let decision = domain::account::propose_role(&account, duty, by, desk.store.clock().now()).unwrap();
        desk.store.append(Append::new(decision, Meta::system())).await.unwrap();
        assert_eq!(stream.event().await.unwrap()["type"], "account.role_proposed");
    }
    desk.wait(10).await;
    let end = tokio::time::timeout(std::time::Duration::from_secs(20), stream.end()).await;
    assert_eq!(end.expect("it goes on").0.as_deref(), Some("session.ended"));
}
