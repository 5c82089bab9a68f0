//! Haggle for people: the page.
//!
//! Everything that can be decided without a browser is plain Rust here and tested natively: [`board`]
//! (what the screen knows), [`forms`] (from what was typed to what is said, and back), [`words`]
//! (every sentence, in each language), [`picture`] (an id as a face and four words), [`photo`] (what is
//! known of a photo before it is drawn), [`route`] (the page's address). Leptos and the browser stand behind `cfg(target_arch = "wasm32")`: `app` starts
//! the peer and feeds the board, `ui` draws it.

pub mod board;
pub mod categories;
pub mod forms;
pub mod node;
pub mod photo;
pub mod picture;
pub mod places;
pub mod route;
pub mod units;
pub mod words;

#[cfg(target_arch = "wasm32")]
mod app;
#[cfg(target_arch = "wasm32")]
mod browser;
#[cfg(target_arch = "wasm32")]
mod canvas;
#[cfg(target_arch = "wasm32")]
mod money;
#[cfg(target_arch = "wasm32")]
mod ui;

#[cfg(target_arch = "wasm32")]
pub use app::start;
