//! Events on their way to one listener.
//!
//! Every event carries the whole of what it is about, so of two that wait for the same listener the newer one is enough.
//! A feed keeps one event a name; that bounds it by what the market knows, and a listener that sleeps for an hour wakes
//! up to the present state and has lost nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use futures::Stream;
use haggle_market::event::Event as MarketEvent;
use haggle_market::view::Role;
use haggle_protocol::{IntentId, MessageId, ThreadId};

use crate::event::Event;

/// What an event is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Name {
    Network,
    Wallet(String),
    MyIntent(IntentId),
    OpenIntent(IntentId),
    /// A person may trade with himself, to try both sides.
    Trade(ThreadId, bool),
    Chat(ThreadId, bool),
    Case(MessageId),
    Forgotten(ThreadId, bool),
    Stall,
    Ready,
    Stopped,
}

impl Name {
    fn of(event: &Event) -> Self {
        match event {
            Event::Network(_) => Self::Network,
            Event::Wallet(view) => Self::Wallet(view.rail.clone()),
            Event::Stopped { .. } => Self::Stopped,
            Event::Market(event) => match event {
                MarketEvent::MyIntent(mine) => Self::MyIntent(mine.id),
                MarketEvent::OpenIntent(open) => Self::OpenIntent(open.id),
                MarketEvent::Gone(id) => Self::OpenIntent(*id),
                MarketEvent::Trade(trade) => Self::Trade(trade.thread, trade.role == Role::Buyer),
                MarketEvent::Chat(chat) => Self::Chat(chat.thread, chat.role == Role::Buyer),
                MarketEvent::Case(case) => Self::Case(case.order),
                MarketEvent::Forgotten(thread, role) => {
                    Self::Forgotten(*thread, *role == Role::Buyer)
                }
                MarketEvent::Stall(_) => Self::Stall,
                MarketEvent::Ready => Self::Ready,
            },
        }
    }
}

#[derive(Default)]
struct Queue {
    waiting: BTreeMap<u64, Event>,
    places: BTreeMap<Name, u64>,
    next: u64,
    /// The open intents that the listener was told of: only these need a word when they are gone.
    told: BTreeSet<IntentId>,
    ended: bool,
    waker: Option<Waker>,
}

impl Queue {
    fn push(&mut self, event: Event) {
        let name = Name::of(&event);
        if let Event::Market(MarketEvent::Gone(id)) = &event
            && !self.told.contains(id)
        {
            if let Some(place) = self.places.remove(&name) {
                self.waiting.remove(&place);
            }
            return;
        }
        // The end of a snapshot stays behind all of it; everything else keeps its place and gets news.
        let place = match self.places.get(&name) {
            Some(place) if name != Name::Ready => *place,
            Some(place) => {
                self.waiting.remove(place);
                self.next
            }
            None => self.next,
        };
        if place == self.next {
            self.next += 1;
            self.places.insert(name, place);
        }
        self.waiting.insert(place, event);
    }

    fn pop(&mut self) -> Option<Event> {
        let (_, event) = self.waiting.pop_first()?;
        self.places.remove(&Name::of(&event));
        match &event {
            Event::Market(MarketEvent::OpenIntent(open)) => {
                self.told.insert(open.id);
            }
            Event::Market(MarketEvent::Gone(id)) => {
                self.told.remove(id);
            }
            Event::Market(
                MarketEvent::MyIntent(_)
                | MarketEvent::Trade(_)
                | MarketEvent::Chat(_)
                | MarketEvent::Case(_)
                | MarketEvent::Forgotten(..)
                | MarketEvent::Stall(_)
                | MarketEvent::Ready,
            )
            | Event::Network(_)
            | Event::Wallet(_)
            | Event::Stopped { .. } => {}
        }
        Some(event)
    }
}

/// The loop's end of a listener's queue.
#[derive(Clone)]
pub(crate) struct Feed(Arc<Mutex<Queue>>);

impl Feed {
    /// Both ends of a new queue.
    pub(crate) fn new() -> (Self, Events) {
        let queue = Arc::new(Mutex::new(Queue::default()));
        (Self(Arc::clone(&queue)), Events(queue))
    }

    pub(crate) fn push(&self, event: Event) {
        let mut queue = lock(&self.0);
        queue.push(event);
        wake(queue);
    }

    /// No more will come.
    pub(crate) fn end(&self) {
        let mut queue = lock(&self.0);
        queue.ended = true;
        wake(queue);
    }

    /// Whether nobody listens any more.
    pub(crate) fn is_deaf(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }
}

/// The events of a peer: first everything that is known, ending with the market's `Ready`, then what happens. Ends when
/// the peer has ended.
pub struct Events(Arc<Mutex<Queue>>);

impl Stream for Events {
    type Item = Event;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Event>> {
        let mut queue = lock(&self.0);
        if let Some(event) = queue.pop() {
            return Poll::Ready(Some(event));
        }
        if queue.ended {
            return Poll::Ready(None);
        }
        queue.waker = Some(context.waker().clone());
        Poll::Pending
    }
}

impl core::fmt::Debug for Events {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Events(..)")
    }
}

/// Nothing panics while the lock is held, so a poisoned queue is whole all the same.
fn lock(queue: &Mutex<Queue>) -> MutexGuard<'_, Queue> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

fn wake(mut queue: MutexGuard<'_, Queue>) {
    let waker = queue.waker.take();
    drop(queue);
    if let Some(waker) = waker {
        waker.wake();
    }
}

#[cfg(test)]
mod tests {
    use futures::StreamExt;
    use futures::executor::block_on;

    use super::*;
    use crate::event::NetworkView;

    fn gone(byte: u8) -> Event {
        Event::Market(MarketEvent::Gone(IntentId([byte; 32])))
    }

    fn network(book: u32) -> Event {
        Event::Network(NetworkView {
            book,
            ..NetworkView::default()
        })
    }

    #[test]
    fn of_two_views_of_the_network_that_wait_only_the_newer_one_is_told() {
        let (feed, mut events) = Feed::new();
        feed.push(network(1));
        feed.push(Event::Market(MarketEvent::Ready));
        feed.push(network(2));
        feed.end();
        let told: Vec<Event> = block_on(async { events.by_ref().collect().await });
        assert_eq!(told, [network(2), Event::Market(MarketEvent::Ready)]);
    }

    #[test]
    fn a_flood_of_intents_that_come_and_go_unseen_leaves_nothing_behind() {
        let (feed, _events) = Feed::new();
        for byte in 0..=255 {
            feed.push(gone(byte));
        }
        assert!(lock(&feed.0).waiting.is_empty());
    }

    #[test]
    fn a_feed_without_a_listener_is_deaf() {
        let (feed, events) = Feed::new();
        assert!(!feed.is_deaf());
        drop(events);
        assert!(feed.is_deaf());
    }
}
