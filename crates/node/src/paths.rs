//! By which path a cell goes to a peer: over a direct connection if one can be had, over a circuit through a relay if not.
//!
//! Bookkeeping only: the loop asks what to do, dials what it is told to, and reports what came of it. A cell waits for a direct dial
//! no longer than [`PATIENCE`]; a direct connection that comes later serves the next one. Where none could be had, none is tried for
//! [`AGAIN`].

use std::collections::BTreeMap;
use std::time::Duration;

use libp2p::PeerId;
use libp2p::swarm::ConnectionId;

use crate::clock::Instant;

/// How long a cell waits for a direct connection before it takes the circuit. Browsers on fair lines need a fraction of a second; a
/// person does not miss four.
const PATIENCE: Duration = Duration::from_secs(4);
/// After a failed direct dial the next one is made this much later: networks seldom change, and each try shows our address to the other side.
const AGAIN: Duration = Duration::from_secs(60);
/// Peers that are remembered; of more, those are forgotten with whom nothing is going on.
const PEERS_MAX: usize = 256;

/// How bytes reach a peer.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Path {
    /// From browser to browser, with nothing in between.
    Direct,
    /// Through a relay, which sees that something is sent, and between whom.
    Relayed,
}

/// What to do with a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// Send it now, over a connection that is there.
    Send(Path),
    /// Dial, and ask again when that has come to something.
    Dial(Path),
    /// Ask again when something has happened, or at the next pulse.
    Wait,
    /// This way leads nowhere.
    GiveUp,
}

/// What there is between us and a peer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lines {
    /// A direct connection.
    pub(crate) direct: bool,
    /// A connection through a relay.
    pub(crate) relayed: bool,
    /// Whether a direct one may be made: the browser can, the person has not chosen to hide, and the way names where to dial.
    pub(crate) may_be_direct: bool,
}

#[derive(Clone, Copy, Debug, Default)]
enum Stage {
    #[default]
    Idle,
    Dialing(ConnectionId, Instant),
    Failed(Instant),
}

#[derive(Clone, Copy, Debug, Default)]
struct Stages {
    direct: Stage,
    relayed: Stage,
}

#[derive(Debug, Default)]
pub(crate) struct Paths {
    peers: BTreeMap<PeerId, Stages>,
}

impl Paths {
    /// What to do with a cell for this peer.
    pub(crate) fn choose(&mut self, peer: &PeerId, lines: Lines, now: Instant) -> Choice {
        if lines.direct {
            return Choice::Send(Path::Direct);
        }
        let stages = self.peers.get(peer).copied().unwrap_or_default();
        if lines.may_be_direct {
            match stages.direct {
                Stage::Idle => return Choice::Dial(Path::Direct),
                Stage::Failed(at) if now.saturating_duration_since(at) >= AGAIN => {
                    return Choice::Dial(Path::Direct);
                }
                Stage::Dialing(_, since) if now.saturating_duration_since(since) < PATIENCE => {
                    return Choice::Wait;
                }
                Stage::Dialing(..) | Stage::Failed(_) => {}
            }
        }
        if lines.relayed {
            return Choice::Send(Path::Relayed);
        }
        match stages.relayed {
            Stage::Idle => Choice::Dial(Path::Relayed),
            Stage::Dialing(..) => Choice::Wait,
            Stage::Failed(_) => {
                // The next way, or the next cell, tries afresh.
                if let Some(stages) = self.peers.get_mut(peer) {
                    stages.relayed = Stage::Idle;
                }
                Choice::GiveUp
            }
        }
    }

    /// A dial was begun.
    pub(crate) fn on_dialing(&mut self, peer: PeerId, path: Path, id: ConnectionId, now: Instant) {
        if self.peers.len() >= PEERS_MAX {
            self.peers.retain(|_, stages| {
                matches!(stages.direct, Stage::Dialing(..))
                    || matches!(stages.relayed, Stage::Dialing(..))
            });
        }
        let stages = self.peers.entry(peer).or_default();
        *stages.of(path) = Stage::Dialing(id, now);
    }

    /// A dial could not even be begun.
    pub(crate) fn on_refused(&mut self, peer: PeerId, path: Path, now: Instant) {
        *self.peers.entry(peer).or_default().of(path) = Stage::Failed(now);
    }

    /// A dial has succeeded, or failed. Returns whether it was one of these.
    pub(crate) fn on_dialed(
        &mut self,
        peer: &PeerId,
        id: ConnectionId,
        made: bool,
        now: Instant,
    ) -> bool {
        let Some(stages) = self.peers.get_mut(peer) else {
            return false;
        };
        for stage in [&mut stages.direct, &mut stages.relayed] {
            if matches!(stage, Stage::Dialing(dialed, _) if *dialed == id) {
                *stage = if made {
                    Stage::Idle
                } else {
                    Stage::Failed(now)
                };
                return true;
            }
        }
        false
    }

    /// What was learnt about direct connections holds no longer: the person has changed whether there shall be any.
    pub(crate) fn forget(&mut self) {
        self.peers.clear();
    }
}

impl Stages {
    const fn of(&mut self, path: Path) -> &mut Stage {
        match path {
            Path::Direct => &mut self.direct,
            Path::Relayed => &mut self.relayed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    const NOTHING: Lines = Lines {
        direct: false,
        relayed: false,
        may_be_direct: true,
    };

    fn id(number: usize) -> ConnectionId {
        ConnectionId::new_unchecked(number)
    }

    fn begin() -> (Paths, PeerId, Instant) {
        let mut paths = Paths::default();
        let (peer, now) = (PeerId::random(), clock::instant());
        assert_eq!(
            paths.choose(&peer, NOTHING, now),
            Choice::Dial(Path::Direct)
        );
        paths.on_dialing(peer, Path::Direct, id(1), now);
        (paths, peer, now)
    }

    #[test]
    fn a_cell_waits_for_the_direct_dial_a_few_seconds_and_then_takes_the_circuit() {
        let (mut paths, peer, now) = begin();
        let carried = Lines {
            relayed: true,
            ..NOTHING
        };
        assert_eq!(paths.choose(&peer, carried, now), Choice::Wait);
        let almost = now + PATIENCE - Duration::from_millis(1);
        assert_eq!(paths.choose(&peer, carried, almost), Choice::Wait);
        let late = now + PATIENCE;
        assert_eq!(
            paths.choose(&peer, carried, late),
            Choice::Send(Path::Relayed)
        );
        // And the next one goes direct when that has come about after all.
        assert!(paths.on_dialed(&peer, id(1), true, late));
        let direct = Lines {
            direct: true,
            ..carried
        };
        assert_eq!(
            paths.choose(&peer, direct, late),
            Choice::Send(Path::Direct)
        );
    }

    #[test]
    fn where_no_direct_connection_can_be_had_the_circuit_is_taken_at_once_and_direct_tried_again_later()
     {
        let (mut paths, peer, now) = begin();
        assert!(paths.on_dialed(&peer, id(1), false, now));
        assert_eq!(
            paths.choose(&peer, NOTHING, now),
            Choice::Dial(Path::Relayed)
        );
        let carried = Lines {
            relayed: true,
            ..NOTHING
        };
        assert_eq!(
            paths.choose(&peer, carried, now),
            Choice::Send(Path::Relayed)
        );
        assert_eq!(
            paths.choose(&peer, carried, now + AGAIN),
            Choice::Dial(Path::Direct)
        );
    }

    #[test]
    fn who_hides_never_dials_directly() {
        let mut paths = Paths::default();
        let (peer, now) = (PeerId::random(), clock::instant());
        let hidden = Lines {
            may_be_direct: false,
            ..NOTHING
        };
        assert_eq!(
            paths.choose(&peer, hidden, now),
            Choice::Dial(Path::Relayed)
        );
        paths.on_dialing(peer, Path::Relayed, id(1), now);
        assert_eq!(paths.choose(&peer, hidden, now), Choice::Wait);
        paths.on_dialed(&peer, id(1), false, now);
        assert_eq!(paths.choose(&peer, hidden, now), Choice::GiveUp);
        assert_eq!(
            paths.choose(&peer, hidden, now),
            Choice::Dial(Path::Relayed)
        );
    }

    #[test]
    fn only_so_many_peers_are_remembered() {
        let mut paths = Paths::default();
        let now = clock::instant();
        for number in 0..=PEERS_MAX {
            let peer = PeerId::random();
            paths.on_dialing(peer, Path::Direct, id(number), now);
            paths.on_dialed(&peer, id(number), false, now);
        }
        assert_eq!(paths.peers.len(), 1);
    }
}
