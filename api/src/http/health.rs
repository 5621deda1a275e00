//! Whether the process lives, whether it can work, and its figures.

use std::{sync::OnceLock, time::Duration};

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use serde_json::{Value, json};

use crate::App;

const SOON_ENOUGH: Duration = Duration::from_secs(1);

/// The process answers.
pub async fn live() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

/// The log can be read, and the process is not about to end. Redis and NATS are not asked: without them it is slower, not wrong.
pub async fn ready(State(app): State<App>) -> Response {
    if app.ending.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "status": "ending" }))).into_response();
    }
    match tokio::time::timeout(SOON_ENOUGH, app.store.head()).await {
        Ok(Ok(head)) => Json(json!({ "status": "ok", "log": app.store.log().id, "head": head })).into_response(),
        Ok(Err(_)) | Err(_) => {
            (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "status": "log_unreachable" }))).into_response()
        }
    }
}

/// Figures for Prometheus. Empty when another recorder was installed before ours.
pub async fn metrics() -> Response {
    let text = recorder().map(PrometheusHandle::render).unwrap_or_default();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response()
}

/// Installs the recorder of this process, once; call it before the first figure is recorded.
pub fn recorder() -> Option<&'static PrometheusHandle> {
    static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    RECORDER.get_or_init(|| PrometheusBuilder::new().install_recorder().ok()).as_ref()
}
