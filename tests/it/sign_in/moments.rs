//! What is taken away in the very moment in which somebody comes in by it: whoever comes in then is not in.

use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgConnection;

use super::{
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
        sqlx::raw_sql(trigger).execute(&desk.world.pool).await.unwrap();
        let mut connection = desk.world.pool.acquire().await.unwrap().detach();
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
