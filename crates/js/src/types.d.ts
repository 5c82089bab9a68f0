/** Names an intent for all its life: 64 hexadecimal digits. */
export type IntentId = string;
/** Names the private exchange of one buyer with one seller. */
export type ThreadId = string;
/** Names one private message. */
export type MessageId = string;
/** An Ed25519 public key, in hexadecimal. */
export type PublicKey = string;
/** Names an item of one's own stall. */
export type ItemId = number;
/** A file within one exchange. */
export type FileId = string;
/** Seconds since 1970, UTC. */
export type Timestamp = number;
/** What money is counted in: an ISO 4217 code such as "EUR". */
export type Asset = string;
/** A UN/CEFACT unit code: "C62" for pieces, "HUR" for hours, "KGM" for kilograms. */
export type Unit = string;
/** A node of the taxonomy: six digits, 0 for anything (which no stall answers by rule). */
export type Category = number;
/** A category with its names. */
export interface CategoryName { category: Category; slug: string; en: string; de: string }

/** An amount in minor units: 39990 of EUR is 399.90 EUR. */
export interface Money { minor: number; asset: Asset }
/** n × 10^−scale of a unit: 2.5 kg is { n: 25, scale: 1, unit: "KGM" }. */
export interface Quantity { n: number; scale: number; unit: Unit }

export type Value = { text: string } | { measure: Quantity } | { flag: boolean };
/** A property that an item has. Keys are lower-case ASCII. */
export interface Attribute { key: string; value: Value }
/** A property that a buyer wants; without `must` it only ranks. */
export interface Wish { key: string; comparison: "is" | "at-least" | "at-most"; value: Value; must: boolean }
export type Fit = "yes" | "no" | "unknown";

export type Delivery = "pickup" | "shipping" | "on-site" | "digital" | "transport";
/** A coarse public place: one to five characters of geohash, and metres around it. */
export interface Place { geohash: string; radius_m: number }
export interface Window { from: Timestamp; to: Timestamp }
/** What is public of the budget: only the currency, its order of magnitude, or all of it. */
export type Budget = { sealed: Asset } | { band: [Asset, number] } | { public: Money };
export type Quality = "basic" | "fair" | "good" | "fine" | "finest";
export type DeclineReason = "no-stock" | "price" | "area" | "policy" | "busy" | "quote-expired" | "other";

/** What a buyer fills in. */
export interface Draft {
  title: string;
  details?: string | null;
  category?: Category;
  wishes?: Wish[];
  quantity: Quantity;
  budget: Budget;
  /** The most I pay; never leaves this peer. */
  limit?: Money | null;
  deliveries: Delivery[];
  places?: Place[];
  window?: Window | null;
  /** Seconds from now. */
  openFor?: number | null;
  /** Seconds from now. */
  quotesFor?: number | null;
  lang?: string | null;
  taste?: "balanced" | "cheapest" | "fastest" | "best";
  /** On which terms I decide for others; it needs a rail, so here it is refused (`no-rail`). */
  arbiter?: { rail: string; fee: number; within: number } | null;
}

/** What everybody sees. */
export interface Intent {
  title: string;
  details: string | null;
  category: Category;
  wishes: Wish[];
  quantity: Quantity;
  budget: Budget;
  deliveries: Delivery[];
  places: Place[];
  window: Window | null;
  quotes_due: Timestamp;
  until: Timestamp | null;
  max_quotes: number | null;
  lang: string | null;
  seal: { suite: number; key: string };
  mark: string;
  revision: { first: IntentId; rev: number } | null;
  /** On which terms its owner decides for others; left out for everything else that is wanted. */
  arbiter?: ArbiterTerms;
}

/** What of a draft everybody would see, and what stays here. */
export interface Preview {
  public: Intent;
  bytes: number;
  expires: Timestamp;
  private: string[];
  warnings: string[];
}

export interface Line {
  description: string;
  quantity: Quantity;
  /** Minor units for one unit. */
  unit_price: number;
  /** Minor units for all of it; computed when a quote is made. */
  amount: number;
  attributes: Attribute[];
}
export interface Charge { kind: "delivery" | "tax" | "fee" | "discount"; label: string; amount: number }

/** A quote made by hand. */
export interface QuoteDraft {
  intent: IntentId;
  item?: ItemId | null;
  asset: Asset;
  lines: Line[];
  charges?: Charge[];
  /** Whether an order in time binds me. */
  firm?: boolean;
  /** Seconds from now. */
  validFor: number;
  /** Seconds from the order until it is there. */
  leadTime: number;
  delivery: Delivery;
  quality: Quality;
  note?: string | null;
}

export interface Quote {
  number: number;
  answers: string;
  firm: boolean;
  lines: Line[];
  charges: Charge[];
  total: Money;
  valid_until: Timestamp;
  lead_time: number;
  delivery: Delivery;
  quality: Quality;
  note: string | null;
  /** With whom its seller lets money be kept until the trade is over; left out if with nobody. */
  keepers?: Keeper[];
  /** Who may decide about it if the two disagree; left out if nobody. */
  arbiters?: Arbiter[];
}

/** Who can keep money, by which rail, counted in what. */
export interface Keeper { rail: string; custodian: string; asset: Asset }

/** On which terms somebody decides for others who disagree: his key on a rail, what he takes in thousandths, and within how many seconds he rules. */
export interface ArbiterTerms { rail: string; key: string; fee: number; within: number }

/** One who decides, and the intent in which he says so. */
export interface Arbiter extends ArbiterTerms { intent: IntentId }

export type QuoteState =
  | "standing" | "ordered" | "confirmed" | { declined: DeclineReason }
  | "not-confirmed" | "expired" | "not-selected" | { cancelled: { by: "buyer" | "seller" } };

/** Why a quote ranks where it does: a code, and the numbers that belong to it. */
export interface Reason { code: string; [detail: string]: unknown }

/** A quote as its buyer sees it. */
export interface QuoteView {
  thread: ThreadId;
  message: MessageId;
  quote: Quote;
  trader: PublicKey | null;
  received: Timestamp;
  state: QuoteState;
  rank: number;
  reasons: Reason[];
  /** What I offered for it last. */
  counter: Counter | null;
  /** Whether I can offer less for it now. */
  canCounter: boolean;
}

/** What a buyer offered for a quote; it binds nobody. */
export interface Counter {
  total: Money;
  /** From 1 to 3, each above the one before. */
  round: number;
  note: string | null;
  at: Timestamp;
  delivered: boolean;
  /** Whether it was not taken, or no way was found in time. */
  lost: boolean;
  /** Whether the seller has quoted anew since. */
  answered: boolean;
}

/** What was said in one exchange; the newest hundred lines. */
export interface Chat {
  thread: ThreadId;
  intent: IntentId;
  title: string;
  role: "buyer" | "seller";
  lines: ChatLine[];
  /** Whether I can say more now: a seller has three lines until he is answered. */
  canSay: boolean;
  /** How many of the other side's lines were not looked at; see `read()`. */
  unread: number;
}

/** What one of the two has said. */
export interface ChatLine {
  message: MessageId;
  mine: boolean;
  text: string;
  at: Timestamp;
  /** `lost` was not taken, or found no way in three days. */
  state: "sending" | "delivered" | "lost";
  files: FileView[];
}

/** A file to be sent: four a message, 8 MiB each, 16 MiB together. */
export interface NewFile {
  /** At most 120 bytes, without a path. */
  name: string;
  /** `image/jpeg`, in lower case. */
  mediaType: string;
  bytes: Uint8Array;
}

/** A file that goes with what was said. Read it with `file()` once it is `here`. */
export interface FileView {
  id: FileId;
  name: string;
  /** What its sender says it is; only a hint. */
  mediaType: string;
  bytes: number;
  /** How many bytes of it are here. */
  received: number;
  mine: boolean;
  /** Whether it can be shown as a picture. */
  photo: boolean;
  /** `offered` waits for `fetch()`; `wrong` is not what was said; `gone` the other side does not have any more. */
  state: "here" | "coming" | "offered" | "wrong" | "gone" | "removed";
}

/** One of my intents, with its quotes in rank order. */
export interface MyIntent {
  id: IntentId;
  intent: Intent;
  draft: Draft;
  state: "open" | "ordered" | "awarded" | "withdrawn" | "expired";
  created: Timestamp;
  until: Timestamp;
  said: boolean;
  quotes: QuoteView[];
}

export interface Match { item: ItemId; title: string; fits: [string, Fit][]; total: Money; complete: boolean }
export interface MyAnswer {
  thread: ThreadId | null;
  quote: Quote | null;
  automatic: boolean;
  state: "sending" | "delivered" | "ordered" | "not-selected" | "expired" | "dismissed" | "refused";
  /** What the buyer offered for it last. */
  counter: Counter | null;
}

/** An open intent of somebody else. */
export interface OpenIntent {
  id: IntentId;
  intent: Intent;
  created: Timestamp;
  expires: Timestamp;
  reachable: boolean;
  matches: Match[];
  answer: MyAnswer | null;
}

/** Who I am to the one I trade with. */
export interface Profile {
  name: string;
  ways?: { kind: string; value: string }[];
  address?: string | null;
  instructions?: string | null;
}
export interface Contact extends Profile { order: MessageId }

export type TradeState =
  | "ordered" | "confirmed" | "contacts-exchanged" | "dispatched" | "delivered" | "received" | { declined: DeclineReason } | "not-confirmed"
  | { cancelled: { by: "buyer" | "seller"; reason: CancelReason } } | "lapsed";

/** Why one of the two does not go on with a trade. */
export type CancelReason = "changed-mind" | "not-paid" | "not-delivered" | "not-as-agreed" | "no-answer" | "other";

/** A step after the confirmation: the buyer has paid, the seller has sent it or handed it over by the buyer's code, the buyer has it. */
export type TradeStep = "paid" | "dispatched" | "delivered" | "received";

/** An order or a confirmed trade, of either side. */
export interface Trade {
  thread: ThreadId;
  order: MessageId;
  intent: IntentId;
  title: string;
  role: "buyer" | "seller";
  quote: Quote;
  trader: PublicKey | null;
  orderNote: string | null;
  ordered: Timestamp;
  state: TradeState;
  confirm: { order: MessageId; payment: string | null; note: string | null; key?: string } | null;
  mine: Profile | null;
  mineDelivered: boolean;
  theirs: Contact | null;
  /** What happened after the confirmation, in the order in which this side learned of it. */
  steps: { step: TradeStep; at: Timestamp; note: string | null; delivered: boolean; files: FileView[] }[];
  awaited: { from: "buyer" | "seller"; until: Timestamp | null } | null;
  /** When it ends by itself, if nobody goes on with it. */
  ends: Timestamp | null;
  canCancel: boolean;
  /** Whether my cancel is on its way. */
  cancelling: boolean;
  /** Whether the other side had gone on when my cancel came, so that it did not count. */
  cancelRefused: boolean;
  cancelNote: string | null;
  /** The buyer's, to be told when he holds the goods and not before. */
  handoverCode: string | null;
  /** Whether I, the seller, can `deliver()` by the buyer's code. */
  canDeliver: boolean;
  /** The money that is, will be or was locked for it; `null`: it is paid as agreed between the two. */
  escrow: Escrow | null;
}

export type EscrowState =
  | "planned" | "locking" | "locked" | "released" | "refunded" | { shared: { buyer: number; seller: number } };

/** Money that is locked for a trade. */
export interface Escrow {
  keeper: Keeper;
  amount: Money;
  state: EscrowState;
  /** Who gets it if nobody does anything until the deadline. */
  holder: "buyer" | "seller";
  deadline: Timestamp;
  /** How long its buyer has to object once it is said to be sent, in seconds. */
  review: number;
  /** Why the rail did not do what it was asked last: a code of its own. */
  trouble: string | null;
  /** What came to me in the end. */
  mine: Money | null;
  proposals: { by: "buyer" | "seller"; buyer: number; seller: number; agreed: boolean }[];
  /** Whether my rail has found that it was moved: nothing else can come true any more. */
  moved: boolean;
  /** Who decides if the two do not agree. */
  arbiter: Arbiter | null;
  /** Until when he can be asked by me, if he can be at all. */
  askBy: Timestamp | null;
  /** What I have asked him. */
  dispute: {
    thread: ThreadId; buyer: number; words: string; at: Timestamp;
    state: "sending" | "delivered" | { refused: string } | "lost";
  } | null;
  /** What he has decided, as far as is known here; words only if he has told me himself. */
  ruling: { buyer: number; seller: number; arbiter: number; words: string | null } | null;
}

export type Auto = "off" | "indicative" | "firm";
export interface Tier { from: Quantity; unitPrice: number }
export interface DeliveryOffer { delivery: Delivery; area?: Place[]; fee: number; leadTime: number }

/** Something that can be offered. Without an id, or with 0, it is a new one. */
export interface NewItem {
  id?: ItemId;
  /** What you call it, to find it again in a list; never leaves this peer. */
  sku?: string | null;
  title: string;
  category: Category;
  attributes?: Attribute[];
  unit: Unit;
  /** `null` if it does not run out. */
  stock: Quantity | null;
  asset: Asset;
  tiers: Tier[];
  /** Minor units for one unit below which no rule goes when a buyer haggles; never leaves this peer. */
  floor?: number | null;
  quality: Quality;
  deliveries: DeliveryOffer[];
  note?: string | null;
  auto?: Auto | null;
}
export interface Item extends NewItem { id: ItemId }

/** How a stall answers. */
export interface Rules {
  auto: Auto;
  validFor: number;
  perHour: number;
  payment: string | null;
  /** What may be promised by rule within 24 hours; `null` is no bound. */
  perDay: Money | null;
  /** By how many per cent a rule gives way at most, from 0 to 90; a third of it in each round. */
  concession: number;
  /** How many trades a buyer must have finished with me for his order on an indicative quote to be confirmed by itself; `null`: by hand. */
  minTrust: number | null;
  /** With whom I let a buyer's money be kept, at most four; each quote names them. */
  keepers: Keeper[];
  /** Who may decide about money that is kept so if a buyer and I disagree, at most four; each quote names them. */
  arbiters: Arbiter[];
}

/** My stall. */
export interface Stall {
  items: Item[];
  rules: Rules;
  /** What is set aside or sold of each item, in steps of 10^−6 of its unit. */
  reserved: [ItemId, number][];
  profile: Profile;
  trader: PublicKey;
}

export type RelayState = "connecting" | "connected" | "reserved" | { waiting: { retryIn: number } } | "refused";
export interface Relay {
  address: string;
  peer: string;
  state: RelayState;
  /** Whether you chose it; otherwise other relays told of it. */
  configured: boolean;
  reason: string | null;
}

/** How the network is; only what is known. */
export interface Network {
  peer: string;
  state: "connecting" | "online" | "offline";
  relays: Relay[];
  neighbours: number;
  others: number | null;
  book: number;
  refusals: Record<string, number>;
  /** Whether the network address is hidden from other traders. */
  hidden: boolean;
  /** Whether direct connections can be made here at all. */
  canBeDirect: boolean;
  /** The peer's own /webrtc addresses; none while it hides. */
  addresses: string[];
  /** Peers, relays left out, with whom there is a connection now. */
  traders: { peer: string; path: "direct" | "relayed" }[];
  /** Private messages since the start, sent and received, that travelled directly. */
  privateDirect: number;
  /** The same, through a relay. */
  privateRelayed: number;
  clockAhead: number | null;
}

/** What can be listened to, and what comes with it. */
export interface Events {
  /** A quote that can be taken: each once, and anew when its seller improves on it. */
  quote: QuoteView & { intent: IntentId; title: string };
  "my-intent": MyIntent;
  "open-intent": OpenIntent;
  /** An intent of somebody else is over. */
  gone: IntentId;
  trade: Trade;
  chat: Chat;
  /** An exchange is forgotten, with its trade and all that was said. */
  forgotten: ThreadId;
  stall: Stall;
  /** Everything that was known at the start has been told. */
  ready: undefined;
  network: Network;
  /** The peer has ended, and why. */
  stopped: { code: string; sentence: string };
}

export interface Haggle {
  /** Calls back with everything of this type that is known, then with what happens. The result ends that. */
  on<K extends keyof Events>(type: K, callback: (data: Events[K]) => void): () => void;
}

/** How a peer is opened. A relays.json can be handed over as it is. */
export interface OpenOptions {
  /** Addresses of relays, each ending in /p2p/ and the relay's id. */
  relays: string[];
  /** STUN servers, stun:host:port, by which direct connections come about across routers. */
  stun?: string[];
  /** Under which name this peer's keys and trades are kept in this browser; "program" if not said. */
  profile?: string;
  /** The name of the market; "haggle" if not said. */
  network?: string;
  /** Keep nothing: everything is forgotten with the page. */
  memory?: boolean;
}

/** What is thrown. */
export interface HaggleError extends Error {
  name: "HaggleError";
  /** Stable, for programs. */
  code: string;
  /** Which field or argument it is about. */
  field?: string;
}
