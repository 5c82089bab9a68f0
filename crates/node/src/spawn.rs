//! Where the loop runs: on tokio natively, on the page's own queue in a browser. One function under two names.

/// Runs a future until it ends.
///
/// # Panics
/// Outside a tokio runtime.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn spawn(future: impl Future<Output = ()> + Send + 'static) {
    drop(tokio::spawn(future));
}

/// Runs a future until it ends.
#[cfg(target_arch = "wasm32")]
pub(crate) fn spawn(future: impl Future<Output = ()> + 'static) {
    wasm_bindgen_futures::spawn_local(future);
}
