//! The program of the page: starts it, nothing else. Natively there is nothing to start.

fn main() {
    #[cfg(target_arch = "wasm32")]
    haggle_web::start();
}
