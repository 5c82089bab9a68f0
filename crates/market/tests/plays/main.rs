//! Short plays on a stage: whole exchanges between markets, with time that jumps.

mod faults;
mod forge;
mod refusals;
mod secrets;
mod stage;
mod trading;
