//! Which cryptography rustls uses, said once per process: ring (`reqwest` and `sqlx` are built without a default).

/// Call it first; a second call changes nothing.
pub fn install() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}
