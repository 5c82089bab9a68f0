//! What a book takes, keeps, and lets go of.

mod flood;
mod model;
mod order;
mod pages;
mod support;
