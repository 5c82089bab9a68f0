//! Short plays on a stage: whole exchanges between markets, with time that jumps.

mod stage;
mod trading;
