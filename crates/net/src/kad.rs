//! Kademlia, for one purpose: to find further relays and books beyond the list one began with.
//!
//! Relays are servers and announce themselves as providers of one key, [`book_key`]; peers in browsers are clients and ask
//! who provides it. The modes are set by hand: left alone, the library turns a browser into a *server* as soon as its first
//! reservation at a relay is confirmed. Nothing but provider records for this one key is ever stored: value records hold one
//! value per key, and the intents have a book of their own.

use std::time::Duration;

use haggle_protocol::Network;
use haggle_protocol::names::PROTOCOL_KAD;
use haggle_protocol::tag::{Tag, hash};
use libp2p::kad::store::{MemoryStore, MemoryStoreConfig, RecordStore};
use libp2p::kad::{BucketInserts, Caching, Config, Mode, ProviderRecord, RecordKey, StoreInserts};
use libp2p::{PeerId, StreamProtocol};

use crate::addr::{ADDRESS_TEXT_MAX, is_relayed, key_of};
use crate::gossip::Role;

/// Kademlia with its store in memory.
pub type Behaviour = libp2p::kad::Behaviour<MemoryStore>;

/// How long a provider is remembered without announcing itself again: tabs and relays come and go.
pub const PROVIDER_TTL: Duration = Duration::from_secs(60 * 60);
/// How often a relay announces itself: three chances within one [`PROVIDER_TTL`].
pub const PROVIDER_REPUBLISH: Duration = Duration::from_secs(20 * 60);
/// How often a peer should ask for further books.
pub const LOOK_AGAIN: Duration = Duration::from_secs(10 * 60);
/// Providers remembered for the key. Room for every relay of a network of 10^5 peers.
pub const PROVIDERS_MAX: usize = 64;
/// Addresses remembered of one provider.
const ADDRESSES_MAX: usize = 4;
/// One packet of Kademlia, in bytes: twenty peers with four addresses fit.
const PACKET_MAX: usize = 16 * 1_024;
/// A question that is not answered by then has failed.
const QUERY_TIMEOUT: Duration = Duration::from_secs(20);

/// The key that relays provide. The last byte is the shard, 0 until the network needs more than one.
#[must_use]
pub fn book_key(network: Network) -> RecordKey {
    RecordKey::new(&hash(Tag::Book, &[&network.0, &[0]]))
}

/// Kademlia as this role runs it.
#[must_use]
pub fn behaviour(role: Role, local: PeerId) -> Behaviour {
    let store = MemoryStore::with_config(
        local,
        MemoryStoreConfig {
            max_records: 0,
            max_value_bytes: 1,
            max_providers_per_key: PROVIDERS_MAX,
            max_provided_keys: 1,
        },
    );
    let mut config = Config::new(StreamProtocol::new(PROTOCOL_KAD));
    config
        .set_record_filtering(StoreInserts::FilterBoth)
        .set_record_ttl(None)
        .set_replication_interval(None)
        .set_publication_interval(None)
        .set_caching(Caching::Disabled)
        .set_provider_record_ttl(Some(PROVIDER_TTL))
        .set_provider_publication_interval(Some(PROVIDER_REPUBLISH))
        .set_max_packet_size(PACKET_MAX)
        .set_query_timeout(QUERY_TIMEOUT)
        .disjoint_query_paths(true)
        // Whoever connects does not get into the table by that alone; relays enter by `add_address`, once identify has
        // told that they speak our protocol.
        .set_kbucket_inserts(BucketInserts::Manual);
    let mut kad = Behaviour::with_config(local, store, config);
    kad.set_mode(Some(match role {
        Role::Peer => Mode::Client,
        Role::Relay => Mode::Server,
    }));
    kad
}

/// Takes up a provider record that somebody sent, if it is one we keep: of [`book_key`], by an Ed25519 peer, with at least
/// one address that can be dialled directly. When there is no room, the one that would expire first makes place.
///
/// Returns whether it is kept.
pub fn admit(kad: &mut Behaviour, mut record: ProviderRecord, network: Network) -> bool {
    let key = book_key(network);
    if record.key != key || key_of(&record.provider).is_none() {
        return false;
    }
    record
        .addresses
        .retain(|address| address.len() <= ADDRESS_TEXT_MAX && !is_relayed(address));
    record.addresses.truncate(ADDRESSES_MAX);
    if record.addresses.is_empty() {
        return false;
    }
    let store = kad.store_mut();
    let known = store.providers(&key);
    let is_new = known.iter().all(|other| other.provider != record.provider);
    if is_new && known.len() >= PROVIDERS_MAX {
        // Our own record has no expiry and never makes place.
        let oldest = known
            .iter()
            .filter(|other| other.expires.is_some())
            .min_by_key(|other| other.expires);
        if let Some(oldest) = oldest {
            store.remove_provider(&key, &oldest.provider);
        }
    }
    store.add_provider(record).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use haggle_protocol::keys::SigningKey;
    use libp2p::Multiaddr;
    use libp2p::swarm::behaviour::ExternalAddrConfirmed;
    use libp2p::swarm::{FromSwarm, NetworkBehaviour};

    fn peer(n: u8) -> PeerId {
        crate::addr::peer_of(&SigningKey::from_seed(&[n; 32]).public()).unwrap()
    }

    fn address() -> Multiaddr {
        "/dns4/a.example.org/tcp/443/wss".parse().unwrap()
    }

    fn record(n: u8) -> ProviderRecord {
        ProviderRecord::new(book_key(Network::main()), peer(n), vec![address()])
    }

    #[test]
    fn a_peer_stays_a_client_even_after_its_address_is_confirmed() {
        let circuit: Multiaddr = "/dns4/a.example.org/tcp/443/wss/p2p-circuit"
            .parse()
            .unwrap();
        let confirmed = FromSwarm::ExternalAddrConfirmed(ExternalAddrConfirmed { addr: &circuit });
        let mut kad = behaviour(Role::Peer, peer(1));
        kad.on_swarm_event(confirmed);
        assert_eq!(kad.mode(), Mode::Client);
        // The same event turns an unguided one into a server: this is what is guarded against.
        kad.set_mode(None);
        assert_eq!(kad.mode(), Mode::Server);
        assert_eq!(behaviour(Role::Relay, peer(1)).mode(), Mode::Server);
    }

    #[test]
    fn only_the_books_key_by_dialable_ed25519_peers_is_kept() {
        let network = Network::main();
        let mut kad = behaviour(Role::Relay, peer(1));
        assert!(admit(&mut kad, record(2), network));
        assert!(!admit(&mut kad, record(3), Network::named("another")));
        let mut other_key = record(4);
        other_key.key = RecordKey::new(b"something else");
        assert!(!admit(&mut kad, other_key, network));
        let mut nowhere = record(5);
        nowhere.addresses = vec![
            "/dns4/a.example.org/tcp/443/wss/p2p-circuit"
                .parse()
                .unwrap(),
        ];
        assert!(!admit(&mut kad, nowhere, network));
        let mut hashed = record(6);
        hashed.provider = "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N"
            .parse()
            .unwrap();
        assert!(!admit(&mut kad, hashed, network));
        assert_eq!(kad.store_mut().providers(&book_key(network)).len(), 1);
    }

    #[test]
    fn the_store_stays_within_its_bound_and_newcomers_still_get_in() {
        let network = Network::main();
        let mut kad = behaviour(Role::Relay, peer(0));
        let start = record(1).expires;
        assert!(start.is_none(), "a record of our own making has no expiry");
        for n in 1..=200u8 {
            let mut record = record(n);
            record.addresses = vec![address(); 50];
            // The library stamps what it receives; here each later one lives longer.
            record.expires = Some(later(u64::from(n)));
            assert!(admit(&mut kad, record, network));
        }
        let kept = kad.store_mut().providers(&book_key(network));
        assert_eq!(kept.len(), PROVIDERS_MAX);
        assert!(kept.iter().any(|r| r.provider == peer(200)));
        assert!(kept.iter().all(|r| r.addresses.len() <= ADDRESSES_MAX));
    }

    #[test]
    fn no_value_is_stored() {
        let mut kad = behaviour(Role::Relay, peer(1));
        let value = libp2p::kad::Record::new(book_key(Network::main()), b"x".to_vec());
        assert!(kad.store_mut().put(value).is_err());
    }

    // The record's own type of instant needs a clock to begin with.
    #[allow(clippy::disallowed_methods)]
    fn later(seconds: u64) -> std::time::Instant {
        std::time::Instant::now() + Duration::from_secs(seconds)
    }
}
