//! What two browsers say to each other over a relayed connection until a direct one stands (`webrtc/webrtc.md`, "Signaling
//! Protocol"), and which of it is allowed when.
//!
//! ```text
//! initiator:  offer ▶ ──┬── answer ◀ ──┬── candidates ◀▶ … connected
//!                       └ anything else: ends
//! responder:  offer ◀ ── answer ▶ ── candidates ◀▶ … connected
//!             └ anything else first, or a second offer: ends
//! ```

use bytes::Bytes;
use futures::{AsyncRead, AsyncWrite, SinkExt as _, StreamExt as _};
use libp2p_swarm::StreamProtocol;

use crate::candidate::{Place, may_use, strip};
use crate::limits::Limits;

/// The name of the signalling protocol.
pub const PROTOCOL: StreamProtocol = StreamProtocol::new("/webrtc-signaling/0.0.1");

/// One message.
#[derive(Clone, PartialEq, Eq)]
pub enum Signal {
    /// A session description (SDP) that opens the negotiation.
    Offer(String),
    /// The session description that answers it.
    Answer(String),
    /// An ICE candidate, as the JSON of an `RTCIceCandidateInit`.
    Candidate(String),
}

impl core::fmt::Debug for Candidate {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Candidate({} bytes)", self.candidate.len())
    }
}

impl core::fmt::Debug for Signal {
    /// Descriptions and candidates name network addresses, which do not belong into logs.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let (name, text) = match self {
            Self::Offer(text) => ("Offer", text),
            Self::Answer(text) => ("Answer", text),
            Self::Candidate(text) => ("Candidate", text),
        };
        write!(f, "{name}({} bytes)", text.len())
    }
}

/// Why a negotiation ends because of what the remote said or did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignalError {
    /// Not a message of the protocol, or larger than any.
    #[error("bytes that are no signalling message")]
    Malformed,
    /// A description or candidate beyond its bound.
    #[error("a signalling message of more bytes than its kind may have")]
    TooLarge,
    /// More messages than [`Limits::messages`].
    #[error("too many signalling messages")]
    TooMany,
    /// A message that does not belong there: a second offer, a candidate before the answer.
    #[error("a signalling message out of its order")]
    OutOfOrder,
    /// A description of something other than one set of data channels.
    #[error("a session description of something else than data channels")]
    NotData,
    /// The remote ended the negotiation.
    #[error("the remote ended the negotiation")]
    Ended,
}

impl SignalError {
    /// A stable name for programs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "webrtc-signal-malformed",
            Self::TooLarge => "webrtc-signal-too-large",
            Self::TooMany => "webrtc-signal-too-many",
            Self::OutOfOrder => "webrtc-signal-out-of-order",
            Self::NotData => "webrtc-signal-not-data",
            Self::Ended => "webrtc-signal-ended",
        }
    }
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Wire {
    #[prost(int32, optional, tag = "1")]
    kind: Option<i32>,
    #[prost(string, optional, tag = "2")]
    data: Option<String>,
}

/// Bytes of a message beside its text: tags, the kind, lengths.
const AROUND: usize = 16;

impl Signal {
    fn into_wire(self) -> Wire {
        let (kind, data) = match self {
            Self::Offer(text) => (0, text),
            Self::Answer(text) => (1, text),
            Self::Candidate(text) => (2, text),
        };
        Wire {
            kind: Some(kind),
            data: Some(data),
        }
    }

    fn from_wire(wire: Wire) -> Result<Self, SignalError> {
        let data = wire.data.unwrap_or_default();
        match wire.kind {
            Some(0) => Ok(Self::Offer(data)),
            Some(1) => Ok(Self::Answer(data)),
            Some(2) => Ok(Self::Candidate(data)),
            Some(_) | None => Err(SignalError::Malformed),
        }
    }

    /// The message as it travels, without the length before it.
    #[must_use]
    pub fn encode(self) -> Vec<u8> {
        prost::Message::encode_to_vec(&self.into_wire())
    }

    /// Reads a message.
    ///
    /// # Errors
    /// [`SignalError::Malformed`] if it is none.
    pub fn decode(bytes: &[u8]) -> Result<Self, SignalError> {
        let wire = <Wire as prost::Message>::decode(Bytes::copy_from_slice(bytes))
            .map_err(|_| SignalError::Malformed)?;
        Self::from_wire(wire)
    }
}

/// What the browser is to do with a message that was allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Todo {
    /// Take this as the remote's description.
    Describe(Description),
    /// Try this candidate.
    Try(Candidate),
    /// Nothing: the end of candidates, one that is filtered out, or nonsense, which is no reason to give up.
    Nothing,
}

/// A session description (SDP).
#[derive(Clone, PartialEq, Eq)]
pub struct Description(pub String);

impl core::fmt::Debug for Description {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Description({} bytes)", self.0.len())
    }
}

/// An ICE candidate (`RTCIceCandidateInit`).
#[derive(Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Candidate {
    /// The `candidate` attribute.
    pub candidate: String,
    /// The media section that it belongs to.
    pub sdp_mid: Option<String>,
    /// The same as a number.
    pub sdp_m_line_index: Option<u16>,
    /// The ICE user name that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username_fragment: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    AwaitsOffer,
    AwaitsAnswer,
    Candidates,
}

/// One side of a negotiation: what the remote may say next. Knows nothing of browsers.
#[derive(Clone, Copy, Debug)]
pub struct Negotiation {
    stage: Stage,
    limits: Limits,
    place: Place,
    messages: usize,
    candidates: usize,
}

impl Negotiation {
    /// The side that makes the offer.
    #[must_use]
    pub const fn initiator(limits: Limits, place: Place) -> Self {
        Self::new(Stage::AwaitsAnswer, limits, place)
    }

    /// The side that answers.
    #[must_use]
    pub const fn responder(limits: Limits, place: Place) -> Self {
        Self::new(Stage::AwaitsOffer, limits, place)
    }

    const fn new(stage: Stage, limits: Limits, place: Place) -> Self {
        Self {
            stage,
            limits,
            place,
            messages: 0,
            candidates: 0,
        }
    }

    /// The remote said something.
    ///
    /// # Errors
    /// If it may not say that now. The negotiation is over then.
    pub fn hear(&mut self, signal: Signal) -> Result<Todo, SignalError> {
        self.messages += 1;
        if self.messages > self.limits.messages {
            return Err(SignalError::TooMany);
        }
        match (self.stage, signal) {
            (Stage::AwaitsOffer, Signal::Offer(description))
            | (Stage::AwaitsAnswer, Signal::Answer(description)) => {
                self.stage = Stage::Candidates;
                self.describe(&description)
            }
            (Stage::Candidates, Signal::Candidate(json)) => self.candidate(&json),
            (Stage::AwaitsOffer | Stage::AwaitsAnswer | Stage::Candidates, _) => {
                Err(SignalError::OutOfOrder)
            }
        }
    }

    fn describe(&mut self, description: &str) -> Result<Todo, SignalError> {
        if description.len() > self.limits.description {
            return Err(SignalError::TooLarge);
        }
        let mut media = description.lines().filter(|line| line.starts_with("m="));
        let only = media
            .next()
            .is_some_and(|line| line.starts_with("m=application "));
        if !only || media.next().is_some() {
            return Err(SignalError::NotData);
        }
        let (description, candidates) = strip(description, self.place);
        self.candidates = candidates;
        if candidates > self.limits.candidates {
            return Err(SignalError::TooMany);
        }
        Ok(Todo::Describe(Description(description)))
    }

    fn candidate(&mut self, json: &str) -> Result<Todo, SignalError> {
        if json.len() > self.limits.candidate {
            return Err(SignalError::TooLarge);
        }
        // The end of candidates is said as nothing, `null`, `""`, or an empty candidate.
        let Ok(candidate) = serde_json::from_str::<Candidate>(json) else {
            return Ok(Todo::Nothing);
        };
        if !may_use(&candidate.candidate, self.place) || self.candidates >= self.limits.candidates {
            return Ok(Todo::Nothing);
        }
        self.candidates += 1;
        Ok(Todo::Try(candidate))
    }
}

/// The stream on which signals travel: each one with its length before it.
pub(crate) struct Signals<S> {
    framed: asynchronous_codec::Framed<S, prost_codec::Codec<Wire>>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Signals<S> {
    pub(crate) fn new(stream: S, limits: &Limits) -> Self {
        let largest = limits.description.max(limits.candidate) + AROUND;
        Self {
            framed: asynchronous_codec::Framed::new(stream, prost_codec::Codec::new(largest)),
        }
    }

    /// Puts a signal into the queue and everything in it on its way.
    pub(crate) async fn say(&mut self, signal: Signal) -> Result<(), SignalError> {
        let sent = self.framed.send(signal.into_wire()).await;
        sent.map_err(|_| SignalError::Ended)
    }

    /// The next signal. Dropping the future loses nothing.
    pub(crate) async fn hear(&mut self) -> Result<Signal, SignalError> {
        match self.framed.next().await {
            Some(Ok(wire)) => Signal::from_wire(wire),
            Some(Err(error)) => {
                let error: std::io::Error = error.into();
                let kind = error.kind();
                let bytes = [std::io::ErrorKind::InvalidData, std::io::ErrorKind::Other];
                if bytes.contains(&kind) {
                    Err(SignalError::Malformed)
                } else {
                    Err(SignalError::Ended)
                }
            }
            None => Err(SignalError::Ended),
        }
    }

    pub(crate) async fn close(&mut self) {
        // The remote may have closed it first; nothing is lost by that.
        let _ = self.framed.close().await;
    }
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;
    use futures::io::Cursor;
    use proptest::prelude::*;

    use super::*;

    const SDP: &str = "v=0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n";

    fn candidate(address: &str) -> Signal {
        Signal::Candidate(format!(
            r#"{{"candidate":"candidate:1 1 udp 1 {address} 50000 typ host","sdpMid":"0","sdpMLineIndex":0,"usernameFragment":"a"}}"#
        ))
    }

    fn responder() -> Negotiation {
        let mut responder = Negotiation::responder(Limits::default(), Place::Public);
        assert!(responder.hear(Signal::Offer(SDP.into())).is_ok());
        responder
    }

    #[test]
    fn kinds_are_always_on_the_wire_even_the_first() {
        assert_eq!(Signal::Offer("a".into()).encode(), [8, 0, 18, 1, b'a']);
        assert_eq!(Signal::Answer("a".into()).encode(), [8, 1, 18, 1, b'a']);
        assert_eq!(Signal::Candidate("a".into()).encode(), [8, 2, 18, 1, b'a']);
        assert_eq!(Signal::decode(&[18, 1, b'a']), Err(SignalError::Malformed));
        assert_eq!(Signal::decode(&[8, 3]), Err(SignalError::Malformed));
    }

    #[test]
    fn a_negotiation_goes_offer_answer_candidates_and_no_other_way() {
        let limits = Limits::default();
        let mut initiator = Negotiation::initiator(limits, Place::Public);
        assert!(initiator.hear(candidate("198.51.100.7")) == Err(SignalError::OutOfOrder));
        let mut initiator = Negotiation::initiator(limits, Place::Public);
        assert!(initiator.hear(Signal::Offer(SDP.into())) == Err(SignalError::OutOfOrder));
        let mut initiator = Negotiation::initiator(limits, Place::Public);
        assert!(
            initiator.hear(Signal::Answer(SDP.into()))
                == Ok(Todo::Describe(Description(SDP.into())))
        );
        assert!(matches!(
            initiator.hear(candidate("198.51.100.7")),
            Ok(Todo::Try(_))
        ));
        assert!(initiator.hear(Signal::Answer(SDP.into())) == Err(SignalError::OutOfOrder));
        assert!(responder().hear(Signal::Offer(SDP.into())) == Err(SignalError::OutOfOrder));
    }

    #[test]
    fn a_candidate_that_is_nonsense_or_the_end_is_no_reason_to_give_up() {
        let mut responder = responder();
        for text in [
            "",
            "null",
            r#""""#,
            r#"{"candidate":""}"#,
            "{",
            "[]",
            r#"{"candidate":"hello"}"#,
            "7",
        ] {
            assert!(
                responder.hear(Signal::Candidate(text.into())) == Ok(Todo::Nothing),
                "{text}"
            );
        }
        assert!(responder.hear(candidate("192.168.0.1")) == Ok(Todo::Nothing));
        assert!(matches!(
            responder.hear(candidate("198.51.100.7")),
            Ok(Todo::Try(_))
        ));
    }

    #[test]
    fn sizes_and_counts_have_bounds() {
        let limits = Limits::default();
        let mut large = Negotiation::responder(limits, Place::Public);
        let description = format!("{SDP}{}", "a".repeat(limits.description));
        assert!(large.hear(Signal::Offer(description)) == Err(SignalError::TooLarge));
        let mut responder = responder();
        let text = " ".repeat(limits.candidate + 1);
        assert!(responder.hear(Signal::Candidate(text)) == Err(SignalError::TooLarge));

        let mut many = self::responder();
        let tried = (1..limits.messages)
            .map(|_| many.hear(candidate("198.51.100.7")))
            .filter(|todo| matches!(todo, Ok(Todo::Try(_))))
            .count();
        assert_eq!(tried, limits.candidates);
        assert!(many.hear(candidate("198.51.100.7")) == Err(SignalError::TooMany));
    }

    #[test]
    fn only_data_channels_can_be_offered() {
        for description in [
            "",
            "v=0\r\n",
            "m=audio 9 x y\r\n",
            &format!("{SDP}m=video 9 x y\r\n"),
        ] {
            let mut responder = Negotiation::responder(Limits::default(), Place::Public);
            assert!(responder.hear(Signal::Offer(description.into())) == Err(SignalError::NotData));
        }
    }

    #[test]
    fn signals_travel_with_their_length_and_larger_ones_are_refused_unread() {
        let limits = Limits::default();
        block_on(async {
            let mut out = Signals::new(Cursor::new(Vec::new()), &limits);
            out.say(Signal::Offer(SDP.into())).await.unwrap();
            out.say(candidate("198.51.100.7")).await.unwrap();
            let bytes = out.framed.into_inner().into_inner();
            let mut back = Signals::new(Cursor::new(bytes), &limits);
            assert_eq!(back.hear().await, Ok(Signal::Offer(SDP.into())));
            assert_eq!(back.hear().await, Ok(candidate("198.51.100.7")));
            assert_eq!(back.hear().await, Err(SignalError::Ended));

            let huge = vec![0xff, 0xff, 0xff, 0x7f, 0, 0];
            let mut huge = Signals::new(Cursor::new(huge), &limits);
            assert_eq!(huge.hear().await, Err(SignalError::Malformed));
        });
    }

    #[test]
    fn signals_do_not_print_addresses() {
        let printed = format!("{:?}", candidate("198.51.100.7"));
        assert!(!printed.contains("198"), "{printed}");
    }

    proptest! {
        #[test]
        fn whatever_bytes_come_they_are_a_signal_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(signal) = Signal::decode(&bytes) {
                let again = Signal::decode(&signal.clone().encode());
                prop_assert_eq!(again, Ok(signal));
            }
        }

        #[test]
        fn whatever_is_said_no_more_candidates_are_tried_than_allowed(
            texts in proptest::collection::vec("\\PC{0,80}", 0..80),
        ) {
            let mut responder = responder();
            let mut tried = 0;
            for text in texts {
                let json = serde_json::json!({ "candidate": text }).to_string();
                if let Ok(Todo::Try(_)) = responder.hear(Signal::Candidate(json)) {
                    tried += 1;
                }
            }
            prop_assert!(tried <= Limits::default().candidates);
        }
    }
}
