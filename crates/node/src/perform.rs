//! Carries out what the market wants done, in order. A save is awaited before what stands behind it; when it fails,
//! nothing behind it happens.

use futures::channel::oneshot;
use haggle_market::{Answer, Complaint, Effect, Effects, Reply, Ticket};
use haggle_net::gossip;
use haggle_net::whisper::{self, CellBytes, Code};
use haggle_protocol::Refusal;
use haggle_protocol::refusal::Verdict;
use haggle_store::Write;
use libp2p::PeerId;
use libp2p::gossipsub::{MessageId, PublishError};
use libp2p::request_response::ResponseChannel;

use crate::event::Event;
use crate::feed::Feed;
use crate::peer::Peer;
use crate::said::Sent;

/// What brought the effects about, and so who hears a verdict, an answer or a reply.
pub(crate) enum About {
    /// The peer itself.
    Nothing,
    /// A frame by gossip, which waits to be passed on.
    Gossip(MessageId, PeerId),
    /// A frame out of a book.
    Book,
    /// A cell.
    Cell(Ticket, Option<ResponseChannel<whisper::Answer>>),
    /// A command.
    Command(Ticket, Option<oneshot::Sender<Result<Reply, Complaint>>>),
    /// A snapshot for one listener.
    Snapshot(Feed),
}

impl Peer {
    /// Does all of it.
    ///
    /// # Errors
    /// If a save failed. What stood before it is done, what stands behind it is not.
    pub(crate) async fn perform(
        &mut self,
        effects: Effects,
        mut about: About,
    ) -> Result<(), haggle_store::Error> {
        for effect in effects {
            match effect {
                Effect::Save(records) => {
                    let batch = records.into_iter().map(|record| match record.value {
                        Some(value) => Write::put(record.key, value),
                        None => Write::delete(record.key),
                    });
                    self.store.commit(batch.collect()).await?;
                }
                Effect::Verdict(verdict) => self.pass_on(verdict, &about),
                Effect::Broadcast(bytes) => {
                    self.said.keep(bytes, self.network, self.now());
                    self.say();
                }
                Effect::Whisper { message, to, cell } => self.whispers.send(message, to, cell),
                Effect::Fetch { piece, to } => self.whispers.fetch(piece, to),
                Effect::Pay { job, rail, ask } => {
                    self.paying.ask(self.market.root(), job, &rail, *ask);
                }
                Effect::Answer(ticket, answer) => self.answer_cell(ticket, answer, &mut about),
                Effect::Reply(ticket, reply) => {
                    if let About::Command(asked, waiting) = &mut about
                        && *asked == ticket
                        && let Some(waiting) = waiting.take()
                    {
                        // An error means that nobody waits any more; what was done is done.
                        let _ = waiting.send(reply);
                    }
                }
                Effect::Tell(event) => match &about {
                    About::Snapshot(feed) => feed.push(Event::Market(event)),
                    About::Nothing
                    | About::Gossip(..)
                    | About::Book
                    | About::Cell(..)
                    | About::Command(..) => self.tell(&Event::Market(event)),
                },
            }
        }
        Ok(())
    }

    fn pass_on(&mut self, verdict: Result<(), Refusal>, about: &About) {
        let acceptance = match verdict {
            Ok(()) => gossip::acceptance(Verdict::Accept),
            Err(refusal) => {
                // Books overlap; that they do is no news.
                let overlap = matches!(about, About::Book) && refusal == Refusal::Duplicate;
                if !overlap {
                    self.count(refusal.code());
                }
                gossip::acceptance(refusal.verdict())
            }
        };
        if let About::Gossip(message, from) = about {
            let gossip = &mut self.swarm.behaviour_mut().gossip;
            // `false` if it has left gossip's memory meanwhile: then it is not passed on.
            let _ = gossip.report_message_validation_result(message, from, acceptance);
        }
    }

    fn answer_cell(&mut self, ticket: Ticket, answer: Answer, about: &mut About) {
        let answer = match answer {
            Answer::Ack(cell) => match CellBytes::new(cell) {
                Some(cell) => whisper::Answer::Cell(cell),
                None => whisper::Answer::Refused(Code::from(Refusal::NotKept)),
            },
            Answer::Refused(refusal) => {
                self.count(refusal.code());
                whisper::Answer::Refused(Code::from(refusal))
            }
        };
        if let About::Cell(asked, channel) = about
            && *asked == ticket
            && let Some(channel) = channel.take()
        {
            // An error means that its sender has gone; he sends the same cell again.
            let _ = self
                .swarm
                .behaviour_mut()
                .whisper
                .send_response(channel, answer);
        }
    }

    /// Says what not everybody has.
    pub(crate) fn say(&mut self) {
        let work = self.market.book().work_asked();
        let (network, now) = (self.network, self.now());
        let gossip = &mut self.swarm.behaviour_mut().gossip;
        self.said.say(network, now, work, |bytes| {
            match gossip.publish(gossip::topic_hash(), bytes) {
                Ok(_) => Sent::Out,
                Err(PublishError::Duplicate) => Sent::Known,
                Err(PublishError::NoPeersSubscribedToTopic | PublishError::AllQueuesFull(_)) => {
                    Sent::NotYet
                }
                Err(
                    error @ (PublishError::MessageTooLarge
                    | PublishError::TransformFailed(_)
                    | PublishError::SigningError(_)),
                ) => {
                    tracing::error!(%error, "gossip does not take a frame of ours");
                    Sent::Never
                }
            }
        });
    }
}
