//! How public frames spread: gossipsub on one topic, without authors, checked before they are passed on.
//!
//! The parameters follow those that live networks run with (Ethereum's Lighthouse, Filecoin's Lotus), cut to the size
//! of a browser. Three differ from the library's defaults for reasons that bite:
//!
//! - **Anonymous**: the default mode writes the author's peer id into every message and so ties intents to addresses.
//! - **The message id covers all bytes.** An id that left out nonce or signature could be taken by a forged copy, and
//!   the true frame would then be dropped as a duplicate.
//! - **Scoring without P3.** The library's default punishes peers that deliver fewer than twenty messages; on a quiet
//!   market it would banish the honest.
//!
//! What is good is decided by the [`haggle_book::Book`]; [`acceptance`] turns its verdict into gossip's.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::time::Duration;

use haggle_protocol::names::TOPIC_INTENTS;
use haggle_protocol::refusal::Verdict;
use libp2p_gossipsub as gossipsub;
use libp2p_gossipsub::{
    ConfigBuilder, IdentTopic, IdentityTransform, Message, MessageAcceptance, MessageAuthenticity,
    MessageId, PeerScoreParams, PeerScoreThresholds, TopicHash, TopicScoreParams, ValidationMode,
};
use sha2::{Digest, Sha256};

/// Who takes part: a browser or a headless peer, or a relay in the middle of many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A trader's peer: few neighbours, little room.
    Peer,
    /// A relay: many neighbours, a public address.
    Relay,
}

/// What one RPC of gossip may take, in bytes.
///
/// A frame takes at most 4,096 and a topic name. The bound stands higher for two reasons: the library (0.50.1) compares
/// it with everything that lies in the read buffer, which is filled 8 KiB at a time, so that a bound near the frame size
/// cuts off honest peers in a burst; and a frame that is somewhat too large shall reach the door, be refused under its
/// code and be held against its sender, instead of only breaking a stream.
pub const RPC_MAX: usize = 16_384;

/// What the control part of one RPC may take, in bytes: with the 8 KiB of the read buffer it stays below [`RPC_MAX`].
pub const CONTROL_MAX: usize = 8_000;

/// Message ids in one IHAVE or IWANT: 24 bytes each, so below [`CONTROL_MAX`].
pub const IDS_PER_CONTROL: usize = 256;

// A full list of ids, with two bytes of tag and length before each, stays below the bound of control; and either kind of RPC
// with one 8 KiB read behind it stays below the bound of an RPC.
const _: () = assert!(IDS_PER_CONTROL * (MESSAGE_ID_LEN + 2) + 64 < CONTROL_MAX);
const _: () = assert!(CONTROL_MAX + 8 * 1_024 < RPC_MAX);
const _: () = assert!(haggle_protocol::limits::FRAME_MAX + 64 + 8 * 1_024 < RPC_MAX);

/// How long a message is known as seen: the usual life of a frame (30 min) and the clocks' difference, with room. Frames
/// that live longer are known to the book, which ignores them when they come again.
pub const DUPLICATE_CACHE: Duration = Duration::from_secs(33 * 60);

/// Neighbours in a relay's mesh: as many as are connected. A browser that cannot connect directly to others has relays for its only
/// neighbours; one that a relay left outside its mesh would hear of a frame only if chance names it in one of six rounds of
/// gossip, which misses about every sixth frame.
pub const RELAY_MESH_MAX: usize = 4_096;

/// Neighbours that may share one address before a relay thinks of a crowd: as many as its limits let in by default.
pub const COLOCATION_MAX: f64 = 32.0;

/// Bytes of a message id: as Ethereum does, 20 of SHA-256.
const MESSAGE_ID_LEN: usize = 20;

/// Below this score a neighbour gets no gossip: three frames that were provably wrong within an hour.
pub const GOSSIP_THRESHOLD: f64 = -40.0;
/// Below this score nothing is published to a neighbour.
pub const PUBLISH_THRESHOLD: f64 = -90.0;
/// Below this score a neighbour is not listened to at all.
pub const GRAYLIST_THRESHOLD: f64 = -160.0;
/// The score that a relay from the bootstrap list begins with.
pub const KNOWN_RELAY_SCORE: f64 = 100.0;

/// Gossip with the one-topic filter.
pub type Behaviour = gossipsub::Behaviour<IdentityTransform, Filter>;

/// Lets in only the one topic, and few subscriptions at a time.
pub type Filter = gossipsub::MaxCountSubscriptionFilter<gossipsub::WhitelistSubscriptionFilter>;

/// The library refused our parameters, which happens only if they were changed to something inconsistent.
#[derive(Debug, thiserror::Error)]
#[error("gossip could not be set up: {0}")]
pub struct SetupError(String);

/// The one topic.
#[must_use]
pub fn topic() -> IdentTopic {
    IdentTopic::new(TOPIC_INTENTS)
}

/// The one topic's hash, as messages carry it.
#[must_use]
pub fn topic_hash() -> TopicHash {
    topic().hash()
}

/// The gossip id of these bytes on this topic: over **all** bytes, signature and nonce too.
#[must_use]
pub fn message_id(topic: &TopicHash, data: &[u8]) -> MessageId {
    let mut hasher = Sha256::new();
    // A length in front keeps topic and data apart.
    hasher.update((topic.as_str().len() as u64).to_be_bytes());
    hasher.update(topic.as_str().as_bytes());
    hasher.update(data);
    MessageId::from(hasher.finalize()[..MESSAGE_ID_LEN].to_vec())
}

/// What gossip does with a frame that the book has looked at.
#[must_use]
pub const fn acceptance(verdict: Verdict) -> MessageAcceptance {
    match verdict {
        Verdict::Accept => MessageAcceptance::Accept,
        Verdict::Ignore => MessageAcceptance::Ignore,
        Verdict::Reject => MessageAcceptance::Reject,
    }
}

/// Gossip as this role runs it, subscribed to the one topic. Put it into [`crate::direct::DirectOnly`], so that no frame
/// travels over a relayed circuit.
///
/// Many peers may share an address of `shared` (a proxy of our own, loopback in a demonstration) without being held to be
/// one crowd; it matters to relays only.
///
/// # Errors
/// [`SetupError`] if the library finds the parameters inconsistent.
pub fn behaviour(role: Role, shared: HashSet<IpAddr>) -> Result<Behaviour, SetupError> {
    let config = config(role)?;
    let mut gossip = gossipsub::Behaviour::new_with_subscription_filter(
        MessageAuthenticity::Anonymous,
        config,
        filter(),
    )
    .map_err(|error| SetupError(error.to_owned()))?;
    gossip
        .with_peer_score(score(role, shared), thresholds())
        .map_err(SetupError)?;
    gossip
        .subscribe(&topic())
        .map_err(|error| SetupError(error.to_string()))?;
    Ok(gossip)
}

fn filter() -> Filter {
    gossipsub::MaxCountSubscriptionFilter {
        filter: gossipsub::WhitelistSubscriptionFilter([topic_hash()].into()),
        max_subscribed_topics: 8,
        max_subscriptions_per_request: 8,
    }
}

fn config(role: Role) -> Result<gossipsub::Config, SetupError> {
    let mut builder = ConfigBuilder::default();
    match role {
        Role::Peer => builder
            .mesh_n(4)
            .mesh_n_low(3)
            .mesh_n_high(6)
            .mesh_outbound_min(1)
            .gossip_lazy(3)
            .connection_handler_queue_len(256),
        Role::Relay => builder
            .mesh_n(8)
            .mesh_n_low(6)
            .mesh_n_high(RELAY_MESH_MAX)
            .mesh_outbound_min(2)
            .gossip_lazy(8)
            .connection_handler_queue_len(256),
    };
    builder
        .gossip_factor(0.25)
        .heartbeat_interval(Duration::from_secs(1))
        .heartbeat_initial_delay(Duration::from_secs(1))
        // Twelve heartbeats of memory: a hidden tab's timers fire once a second at best.
        .history_length(12)
        .history_gossip(6)
        // One's own intents are rare; sent to every neighbour they survive a hostile mesh.
        .flood_publish(true)
        .validation_mode(ValidationMode::Anonymous)
        .validate_messages()
        .message_id_fn(|message: &Message| message_id(&message.topic, &message.data))
        .max_transmit_size(RPC_MAX)
        .max_control_message_size(CONTROL_MAX)
        .max_control_messages_sent(IDS_PER_CONTROL)
        .max_publish_messages(32)
        .duplicate_cache_time(DUPLICATE_CACHE)
        // No peer exchange: without signed records it only helps who lies.
        .prune_peers(0)
        .build()
        .map_err(|error| SetupError(error.to_string()))
}

/// Counters are looked at once a second and count as zero below this.
const DECAY_TO_ZERO: f64 = 0.01;

/// The factor by which a counter shrinks each second so that it is forgotten after `seconds`.
fn forgotten_after(seconds: f64) -> f64 {
    DECAY_TO_ZERO.powf(1.0 / seconds)
}

fn score(role: Role, shared: HashSet<IpAddr>) -> PeerScoreParams {
    let topic = TopicScoreParams {
        topic_weight: 0.5,
        time_in_mesh_weight: 10.0 / 3_600.0,
        time_in_mesh_quantum: Duration::from_secs(1),
        time_in_mesh_cap: 3_600.0,
        first_message_deliveries_weight: 1.0,
        first_message_deliveries_decay: forgotten_after(600.0),
        first_message_deliveries_cap: 40.0,
        // P3 and P3b are off: a quiet market is not a fault of one's neighbours.
        mesh_message_deliveries_weight: 0.0,
        mesh_failure_penalty_weight: 0.0,
        // One wrong frame costs 10, two 40, three 90, four 160.
        invalid_message_deliveries_weight: -20.0,
        invalid_message_deliveries_decay: forgotten_after(3_600.0),
        ..TopicScoreParams::default()
    };
    PeerScoreParams {
        topics: HashMap::from([(topic_hash(), topic)]),
        topic_score_cap: 100.0,
        // Known relays are given KNOWN_RELAY_SCORE by whoever knows them.
        app_specific_weight: 1.0,
        // A browser sees its neighbours under their relay's address, so there it would punish crowds that are none. At a
        // relay many people may share one address (an office, carrier NAT): only more than its limits let in count.
        ip_colocation_factor_weight: match role {
            Role::Peer => 0.0,
            Role::Relay => -5.0,
        },
        ip_colocation_factor_threshold: COLOCATION_MAX,
        ip_colocation_factor_whitelist: shared,
        behaviour_penalty_weight: -10.0,
        behaviour_penalty_threshold: 6.0,
        behaviour_penalty_decay: forgotten_after(3_600.0),
        decay_interval: Duration::from_secs(1),
        decay_to_zero: DECAY_TO_ZERO,
        // Peer ids are free, so that a long memory of bad ones costs us more than them.
        retain_score: Duration::from_secs(600),
        // A tab in the background is slow, not evil.
        slow_peer_weight: 0.0,
        ..PeerScoreParams::default()
    }
}

const fn thresholds() -> PeerScoreThresholds {
    PeerScoreThresholds {
        gossip_threshold: GOSSIP_THRESHOLD,
        publish_threshold: PUBLISH_THRESHOLD,
        graylist_threshold: GRAYLIST_THRESHOLD,
        accept_px_threshold: 1_000.0,
        opportunistic_graft_threshold: 3.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_roles_are_consistent_and_anonymous() {
        for role in [Role::Peer, Role::Relay] {
            let config = config(role).unwrap();
            assert!(matches!(
                config.validation_mode(),
                ValidationMode::Anonymous
            ));
            assert!(config.validate_messages(), "checked before it is passed on");
            assert!(config.flood_publish());
            assert_eq!(config.max_transmit_size(), RPC_MAX);
            score(role, HashSet::new()).validate().unwrap();
            thresholds().validate().unwrap();
            let gossip = behaviour(role, HashSet::new()).unwrap();
            assert_eq!(gossip.topics().collect::<Vec<_>>(), [&topic_hash()]);
        }
    }

    #[test]
    fn two_copies_of_one_frame_with_other_nonces_have_two_ids() {
        let topic = topic_hash();
        assert_ne!(
            message_id(&topic, b"frame 1"),
            message_id(&topic, b"frame 2")
        );
        assert_eq!(
            message_id(&topic, b"frame 1"),
            message_id(&topic, b"frame 1")
        );
        assert_ne!(
            message_id(&TopicHash::from_raw("a"), b"bc"),
            message_id(&TopicHash::from_raw("ab"), b"c")
        );
        assert_eq!(message_id(&topic, b"x").0.len(), MESSAGE_ID_LEN);
    }

    #[test]
    fn no_other_topic_is_let_in() {
        use libp2p_gossipsub::TopicSubscriptionFilter;
        let mut filter = filter();
        assert!(filter.can_subscribe(&topic_hash()));
        assert!(!filter.can_subscribe(&TopicHash::from_raw("/haggle/1/insulin")));
    }

    #[test]
    fn a_wrong_frame_costs_ten_and_four_of_them_end_the_conversation() {
        let score = score(Role::Relay, HashSet::new());
        let topic = &score.topics[&topic_hash()];
        let after = |n: f64| topic.topic_weight * topic.invalid_message_deliveries_weight * n * n;
        assert!((after(1.0) + 10.0).abs() < f64::EPSILON);
        assert!(after(4.0) <= GRAYLIST_THRESHOLD);
        assert!(after(3.0) > GRAYLIST_THRESHOLD);
    }

    #[test]
    fn verdicts_keep_their_meaning() {
        assert!(matches!(
            acceptance(Verdict::Accept),
            MessageAcceptance::Accept
        ));
        assert!(matches!(
            acceptance(Verdict::Ignore),
            MessageAcceptance::Ignore
        ));
        assert!(matches!(
            acceptance(Verdict::Reject),
            MessageAcceptance::Reject
        ));
    }
}
