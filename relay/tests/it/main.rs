//! A relay as its neighbours meet it: real peers, real sockets, all on loopback. Nothing waits for a guessed time; everything
//! waits for what must happen, up to a deadline.

mod books;
mod circuits;
mod gossip;
mod http;
mod peer;
mod process;
mod transports;
mod web;
