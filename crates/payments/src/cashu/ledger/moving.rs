//! The history of purses, written by the ledger itself.
//!
//! Every change of the ledger is one batch, and each batch is weighed: what it adds to a purse or takes out of it is written down in the
//! same batch, under the operation that it belongs to. So a history adds up to what is in the purse whatever an operation does, and
//! however often it is cut off, begun again or given up: what one batch took and a later one of the same operation put back leaves no
//! line.
//!
//! Which operation it is, a change that this crate makes itself says ([`Reason`]). cdk's do not, but their records do: what goes away
//! names the operation that has set it aside, and what comes lies at places of the seed that an operation has drawn.

use std::collections::BTreeMap;

use cdk::Amount;
use cdk::mint_url::MintUrl;
use cdk::nuts::{BlindedMessage, CurrencyUnit, Id, PublicKey, State};
use cdk_common::database::Error;
use cdk_common::wallet::{
    OperationData, SwapSagaState, Transaction, TransactionId, WalletSaga, WalletSagaState,
};
use haggle_protocol::MessageId;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Change, Ledger, all, decode, range, table};
use crate::history::{HISTORY_MAX, Why};

/// Why something moves and for which order, where an operation does not say it by being what it is.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(in crate::cashu) struct Reason {
    pub(in crate::cashu) why: Why,
    pub(in crate::cashu) order: Option<MessageId>,
    /// Of which operation. Without one it is an operation of its own.
    #[serde(skip)]
    pub(in crate::cashu) operation: Option<Uuid>,
}

impl Reason {
    /// What has no operation and no order.
    pub(super) const fn alone(why: Why) -> Self {
        Self {
            why,
            order: None,
            operation: None,
        }
    }
}

/// One line of a history, as it is kept.
#[derive(Clone, Serialize, Deserialize)]
pub(in crate::cashu) struct Line {
    pub(in crate::cashu) mint: MintUrl,
    pub(in crate::cashu) unit: CurrencyUnit,
    /// When it was written last, in seconds.
    pub(in crate::cashu) when: u64,
    /// The how manieth it was then: clocks are set back, and a second is long.
    number: u32,
    /// All that came by this operation, and all that went.
    pub(in crate::cashu) came: u64,
    pub(in crate::cashu) went: u64,
    pub(in crate::cashu) cost: u64,
    pub(in crate::cashu) why: Why,
    pub(in crate::cashu) order: Option<MessageId>,
}

/// One kind of money at one mint.
type Kind = (MintUrl, CurrencyUnit);

/// What a history reads of a proof.
#[derive(Deserialize)]
struct Piece {
    proof: Coin,
    mint_url: MintUrl,
    unit: CurrencyUnit,
    state: State,
    derivation_index: Option<u32>,
    used_by_operation: Option<Uuid>,
}

/// What it reads of what a proof is made of.
#[derive(Deserialize)]
struct Coin {
    amount: Amount,
    #[serde(rename = "id")]
    keyset: Id,
    secret: String,
}

impl Piece {
    fn kind(&self) -> Kind {
        (self.mint_url.clone(), self.unit.clone())
    }

    /// Whether it is in the purse. What is spent is not, and what others have sent is not before the mint has exchanged it: that did not
    /// grow from the seed.
    fn counts(&self) -> bool {
        match self.state {
            State::Spent => false,
            State::Pending => self.derivation_index.is_some(),
            State::Unspent | State::Reserved | State::PendingSpent => true,
        }
    }
}

/// What one change does to one purse.
#[derive(Default)]
struct Moves {
    came: Vec<Piece>,
    went: Vec<Piece>,
    /// The operation that has brought in here what others sent.
    bringing_in: Option<Uuid>,
    /// The names of what it has brought in.
    brought: Vec<String>,
}

impl Moves {
    fn sums(&self) -> (u64, u64) {
        (sum(&self.came), sum(&self.went))
    }
}

fn sum(pieces: &[Piece]) -> u64 {
    let amounts = pieces.iter().map(|one| one.proof.amount.to_u64());
    amounts.fold(0, u64::saturating_add)
}

impl Change<'_> {
    /// Every record of a table as this change leaves it, with its name.
    fn every<T: DeserializeOwned>(&self, table: &str) -> Result<Vec<(String, T)>, Error> {
        let begin = format!("{table}/");
        let mut rows: BTreeMap<&str, &[u8]> = range(self.rows, table).collect();
        for (key, row) in &self.writes {
            if let Some(name) = key.strip_prefix(&begin) {
                match row {
                    Some(row) => rows.insert(name, row),
                    None => rows.remove(name),
                };
            }
        }
        let rows = rows.into_iter();
        rows.map(|(name, row)| Ok((name.to_owned(), decode(row)?)))
            .collect()
    }

    /// Says what this change is about.
    pub(super) fn because(&mut self, reason: Reason) {
        self.reason = Some(reason);
    }

    /// Writes down what this change moves.
    pub(super) fn tell(&mut self) -> Result<(), Error> {
        for (kind, moves) in self.moves()? {
            let (came, went) = moves.sums();
            if came == went {
                continue;
            }
            let operation = match self.reason {
                Some(reason) => reason.operation,
                None => self.whose(&kind, &moves)?,
            };
            self.begin(&kind)?;
            let number: u32 = self.get(table::MOVED_COUNT, ALL)?.unwrap_or_default();
            self.put(table::MOVED_COUNT, ALL, &number.wrapping_add(1))?;
            let name = operation.map_or_else(|| format!("alone-{number}"), |id| id.to_string());
            let known: Option<Line> = self.get(table::MOVED, &name)?;
            let exchanged = match operation {
                Some(operation) if came == 0 => self.exchanged(&kind, operation, went)?,
                Some(_) | None => None,
            };
            let parts = known.iter().chain(&exchanged);
            let (in_all, out_all) = parts.fold((came, went), |(came, went), line| {
                (
                    came.saturating_add(line.came),
                    went.saturating_add(line.went),
                )
            });
            if in_all == out_all {
                self.delete(table::MOVED, &name);
                continue;
            }
            let said = self.said(operation)?;
            let noted = self.noted(&moves.brought)?;
            let reason = self.reason.or(noted);
            let why = match (reason, said.why, &known) {
                (Some(reason), ..) => reason.why,
                (None, Some(why), _) => why,
                (None, None, Some(line)) => line.why,
                (None, None, None) => Why::Other,
            };
            let order = reason.and_then(|reason| reason.order);
            let line = Line {
                when: cdk::util::unix_time(),
                number,
                came: in_all,
                went: out_all,
                cost: said.paper.map_or(0, |paper| cost(&paper, in_all, out_all)),
                why,
                order: order.or_else(|| known.as_ref().and_then(|line| line.order)),
                mint: kind.0.clone(),
                unit: kind.1.clone(),
            };
            self.put(table::MOVED, &name, &line)?;
            if known.is_none() {
                self.sum_up(&kind)?;
            }
        }
        Ok(())
    }

    /// Why this is brought in, as it was noted before; it is noted no more then.
    fn noted(&mut self, brought: &[String]) -> Result<Option<Reason>, Error> {
        let mut reason = None;
        for name in brought {
            if let Some(noted) = self.get(table::REASON, name)? {
                self.delete(table::REASON, name);
                reason = Some(noted);
            }
        }
        Ok(reason)
    }

    /// Begins the history of a purse that has something in it and none: with what there was before this change.
    fn begin(&mut self, kind: &Kind) -> Result<(), Error> {
        if !self.lines(kind)?.is_empty() {
            return Ok(());
        }
        let mut pieces: Vec<Piece> = all(self.rows, table::PROOF)?;
        pieces.retain(|piece| piece.counts() && piece.kind() == *kind);
        let before = sum(&pieces);
        if before == 0 {
            return Ok(());
        }
        let line = Line {
            mint: kind.0.clone(),
            unit: kind.1.clone(),
            when: cdk::util::unix_time(),
            number: 0,
            came: before,
            went: 0,
            cost: 0,
            why: Why::Earlier,
            order: None,
        };
        self.put(table::MOVED, earlier(kind), &line)
    }

    /// The lines of a purse with their names.
    fn lines(&self, kind: &Kind) -> Result<Vec<(String, Line)>, Error> {
        let mut lines: Vec<(String, Line)> = self.every(table::MOVED)?;
        lines.retain(|(_, line)| (&line.mint, &line.unit) == (&kind.0, &kind.1));
        Ok(lines)
    }

    /// What an operation has written down of itself.
    fn said(&self, operation: Option<Uuid>) -> Result<Said, Error> {
        let Some(operation) = operation else {
            return Ok(Said::default());
        };
        let saga: Option<WalletSaga> = self.get(table::SAGA, operation)?;
        let id = TransactionId::from_saga_id(operation);
        let paper: Option<Transaction> = self.get(table::TRANSACTION, id)?;
        let why = saga.map(|saga| match saga.data {
            OperationData::Send(_) => Why::Given,
            OperationData::Receive(_) => Why::Taken,
            OperationData::Swap(_) => Why::Other,
            OperationData::Mint(_) => Why::Deposit,
            OperationData::Melt(_) => Why::Withdrawal,
        });
        Ok(Said { why, paper })
    }

    /// What an exchange for an operation has brought, if this is what goes away for it: cdk writes down first what came, under the
    /// exchange's own name, and then that what the operation had set aside is spent.
    fn exchanged(
        &mut self,
        kind: &Kind,
        operation: Uuid,
        went: u64,
    ) -> Result<Option<Line>, Error> {
        let sagas: Vec<(String, WalletSaga)> = self.every(table::SAGA)?;
        let exchange = sagas.into_iter().find(|(_, saga)| {
            let OperationData::Swap(swap) = &saga.data else {
                return false;
            };
            saga.state == WalletSagaState::Swap(SwapSagaState::SwapRequested)
                && saga.id != operation
                && (&saga.mint_url, &saga.unit) == (&kind.0, &kind.1)
                && swap.input_amount.to_u64() == went
        });
        let Some((name, _)) = exchange else {
            return Ok(None);
        };
        let line = self.get(table::MOVED, &name)?;
        self.delete(table::MOVED, &name);
        Ok(line)
    }

    /// Makes one sum of the oldest lines of a purse, if there are more than are kept.
    fn sum_up(&mut self, kind: &Kind) -> Result<(), Error> {
        let earlier = earlier(kind);
        let mut lines = self.lines(kind)?;
        lines.retain(|(name, _)| *name != earlier);
        lines.sort_by_key(|(_, line)| line.number);
        let more = lines.len().saturating_sub(HISTORY_MAX);
        for (name, line) in lines.into_iter().take(more) {
            let mut sum = match self.get::<Line>(table::MOVED, &earlier)? {
                Some(sum) => sum,
                None => Line {
                    came: 0,
                    went: 0,
                    cost: 0,
                    ..line.clone()
                },
            };
            sum.came = sum.came.saturating_add(line.came);
            sum.went = sum.went.saturating_add(line.went);
            sum.cost = sum.cost.saturating_add(line.cost);
            (sum.when, sum.number) = (line.when, line.number);
            (sum.why, sum.order) = (Why::Earlier, None);
            self.put(table::MOVED, &earlier, &sum)?;
            self.delete(table::MOVED, name);
        }
        Ok(())
    }

    /// Writes down what an operation cost, once it says so, if it stands in a history.
    pub(super) fn price(&mut self, paper: &Transaction) -> Result<(), Error> {
        let Some(operation) = paper.saga_id else {
            return Ok(());
        };
        if let Some(mut line) = self.get::<Line>(table::MOVED, operation)? {
            line.cost = cost(paper, line.came, line.went);
            self.put(table::MOVED, operation, &line)?;
        }
        Ok(())
    }

    /// What this change does to each purse.
    fn moves(&self) -> Result<BTreeMap<Kind, Moves>, Error> {
        let begin = format!("{}/", table::PROOF);
        let mut all = BTreeMap::<Kind, Moves>::new();
        for (key, now) in self
            .writes
            .iter()
            .filter(|(key, _)| key.starts_with(&begin))
        {
            let was: Option<Piece> = self.rows.get(key).map(|row| decode(row)).transpose()?;
            let now: Option<Piece> = now.as_deref().map(decode).transpose()?;
            if let (Some(was), Some(now)) = (&was, &now)
                && was.kind() == now.kind()
                && was.counts() == now.counts()
            {
                continue;
            }
            if let Some(was) = was {
                let moves = all.entry(was.kind()).or_default();
                if was.counts() {
                    moves.went.push(was);
                } else if now.is_none() {
                    moves.bringing_in = moves.bringing_in.or(was.used_by_operation);
                    moves.brought.push(key[begin.len()..].to_owned());
                }
            }
            if let Some(now) = now.filter(Piece::counts) {
                all.entry(now.kind()).or_default().came.push(now);
            }
        }
        Ok(all)
    }

    /// Which operation has moved this.
    fn whose(&self, kind: &Kind, moves: &Moves) -> Result<Option<Uuid>, Error> {
        let (came, went) = moves.sums();
        if let Some(operation) = moves.bringing_in.filter(|_| came > went) {
            return Ok(Some(operation));
        }
        let sagas: Vec<(String, WalletSaga)> = self.every(table::SAGA)?;
        let mut sagas = sagas
            .iter()
            .map(|(_, saga)| saga)
            .filter(|saga| (&saga.mint_url, &saga.unit) == (&kind.0, &kind.1));
        let both = came > 0 && went > 0;
        // What was given away is its giver's to lose, whoever has its records: if it is not taken back, they are put back.
        let given = |piece: &&Piece| !both && sagas.clone().any(|saga| gave(saga, piece));
        let one = match moves.went.iter().find(given) {
            Some(piece) => sagas.clone().find(|saga| gave(saga, piece)),
            None => None,
        };
        if let Some(saga) = one {
            return Ok(Some(saga.id));
        }
        let mut named = moves.went.iter().chain(&moves.came);
        if let Some(operation) = named.find_map(|piece| piece.used_by_operation) {
            return Ok(Some(operation));
        }
        let drawn = sagas.find(|saga| moves.came.iter().any(|piece| drew(saga, piece)));
        Ok(drawn.map(|saga| saga.id))
    }
}

/// What an operation says of itself.
#[derive(Default)]
struct Said {
    why: Option<Why>,
    paper: Option<Transaction>,
}

/// What of a movement custodians took for it. What goes out costs what is more than the amount, whatever cdk counts: it leaves out what
/// its own exchanges for it cost.
fn cost(paper: &Transaction, came: u64, went: u64) -> u64 {
    let (amount, fee) = (paper.amount.to_u64(), paper.fee.to_u64());
    match went.checked_sub(came) {
        None => fee,
        Some(minor) if minor > amount => minor - amount,
        // It has not all gone yet.
        Some(minor) => fee.min(minor),
    }
}

/// The name of what counts the lines.
const ALL: &str = "all";

/// The name of the sum of a purse's oldest lines.
fn earlier(kind: &Kind) -> String {
    format!("earlier-{}-{}", kind.1, kind.0)
}

/// Whether an operation has given this away as text.
fn gave(saga: &WalletSaga, piece: &Piece) -> bool {
    let OperationData::Send(sent) = &saga.data else {
        return false;
    };
    let mut given = sent.proofs.iter().flatten();
    given.any(|proof| proof.secret.to_string() == piece.proof.secret)
}

/// Whether an operation has drawn the place of the seed at which this lies.
fn drew(saga: &WalletSaga, piece: &Piece) -> bool {
    type Drawn<'a> = (Option<u32>, Option<u32>, Option<&'a Vec<BlindedMessage>>);
    let (begin, end, asked): Drawn<'_> = match &saga.data {
        OperationData::Send(_) => return false,
        OperationData::Receive(it) => (
            it.counter_start,
            it.counter_end,
            it.blinded_messages.as_ref(),
        ),
        OperationData::Swap(it) => (
            it.counter_start,
            it.counter_end,
            it.blinded_messages.as_ref(),
        ),
        OperationData::Mint(it) => (
            it.counter_start,
            it.counter_end,
            it.blinded_messages.as_ref(),
        ),
        OperationData::Melt(it) => (
            it.counter_start,
            it.counter_end,
            it.change_blinded_messages.as_ref(),
        ),
    };
    let (Some(begin), Some(end), Some(place)) = (begin, end, piece.derivation_index) else {
        return false;
    };
    let first = asked.and_then(|asked| asked.first());
    (begin..end).contains(&place) && first.is_none_or(|it| it.keyset_id == piece.proof.keyset)
}

impl Ledger {
    /// Notes why this is about to be brought in: cdk writes down what it was told of that only after the money has come, and not at all if
    /// it is cut off in between.
    pub(in crate::cashu) async fn note_reason(
        &self,
        ys: &[PublicKey],
        reason: Reason,
    ) -> Result<(), Error> {
        self.change(|change| {
            for y in ys {
                change.put(table::REASON, y, &reason)?;
            }
            Ok(())
        })
        .await
    }

    /// Every line that is kept, the newest first, and whether its operation has not ended.
    pub(in crate::cashu) async fn moved(&self) -> Result<Vec<(Line, bool)>, Error> {
        self.read(|rows| {
            let mut lines = Vec::new();
            for (name, row) in range(rows, table::MOVED) {
                let open = rows.contains_key(&super::key(table::SAGA, name));
                lines.push((decode::<Line>(row)?, open));
            }
            lines.sort_by_key(|(line, _)| core::cmp::Reverse(line.number));
            Ok(lines)
        })
        .await
    }
}
