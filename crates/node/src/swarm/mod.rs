//! The swarm: the same behaviour over what each platform can dial.

#[cfg(target_arch = "wasm32")]
#[path = "browser.rs"]
mod platform;
#[cfg(not(target_arch = "wasm32"))]
#[path = "native.rs"]
mod platform;

pub(crate) use platform::{DIRECT, build, can_dial};
