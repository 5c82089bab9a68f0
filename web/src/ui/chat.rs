//! The words of one exchange, and the field for the next ones.

use haggle_protocol::{IntentId, Side, ThreadId};
use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::app::{desk, w};
use crate::board::Board;
use crate::browser;
use crate::forms::Faults;
use crate::node::{Chat, ChatLine, ChatState, Command, NewFile, Reply, Role};
use crate::ui::parts::{Icon, carry_out, form_fault, icon, typed};
use crate::ui::picker::{FILES, Picker};
use crate::ui::{files, format, tip};

/// To whom is spoken.
#[derive(Clone, Copy)]
pub(crate) enum To {
    /// The other side of this exchange.
    Thread(ThreadId),
    /// The owner of this intent, who may never have heard of me.
    Owner(IntentId),
}

impl To {
    fn find(self, board: &Board) -> Option<&Chat> {
        match self {
            Self::Thread(thread) => board.chat(&thread),
            Self::Owner(intent) => board.chat_with_owner(&intent),
        }
    }

    /// Where it is said, unless it is the first word to an owner.
    fn thread(self, board: &Board) -> Option<ThreadId> {
        match self {
            Self::Thread(thread) => Some(thread),
            Self::Owner(intent) => board.chat_with_owner(&intent).map(|chat| chat.thread),
        }
    }

    fn say(self, board: &Board, text: String, files: Vec<NewFile>) -> Command {
        match (self.thread(board), self) {
            (Some(thread), _) | (None, Self::Thread(thread)) => Command::Say {
                thread,
                text,
                files,
            },
            (None, Self::Owner(intent)) => Command::Inquire { intent, text },
        }
    }
}

/// Who the other side of an exchange is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Other {
    /// Who wants it.
    Buyer,
    /// Who offers it.
    Seller,
    /// Who decides about a trade of mine.
    Arbiter,
    /// Who wants to know how I decide.
    Trader,
}

impl Other {
    fn name(self) -> &'static str {
        let words = w();
        match self {
            Self::Buyer => words.chat.buyer,
            Self::Seller => words.chat.seller,
            Self::Arbiter => words.decide.arbiter,
            Self::Trader => words.decide.trader,
        }
    }

    fn invite(self) -> &'static str {
        let words = w();
        match self {
            Self::Buyer => words.chat.ask_buyer,
            Self::Seller => words.chat.ask_seller,
            Self::Arbiter => words.decide.write_arbiter,
            Self::Trader => words.decide.write_trader,
        }
    }
}

impl From<Side> for Other {
    fn from(side: Side) -> Self {
        match side {
            Side::Buyer => Self::Buyer,
            Side::Seller => Self::Seller,
        }
    }
}

impl From<Role> for Other {
    fn from(role: Role) -> Self {
        match role {
            Role::Buyer => Self::Buyer,
            Role::Seller => Self::Seller,
        }
    }
}

/// What was said, and the field; folded away until something was said.
pub(crate) fn panel(to: To, other: Other) -> AnyView {
    let desk = desk();
    let words = &w().chat;
    let chat = Memo::new(move |_| desk.board.with(|board| to.find(board).cloned()));
    let count = Memo::new(move |_| chat.with(|chat| chat.as_ref().map_or(0, |it| it.lines.len())));
    let begun = Memo::new(move |_| count.get() > 0);
    let unread = Memo::new(move |_| chat.with(|chat| chat.as_ref().map_or(0, |it| it.unread)));
    let place = NodeRef::<html::Details>::new();
    mark_read(chat, unread, place);
    let can_say = Memo::new(move |_| chat.with(|chat| chat.as_ref().is_none_or(|it| it.can_say)));
    let lines = move || chat.with(|chat| chat.as_ref().map(|it| it.lines.clone()));
    let label = move || match count.get() {
        0 => other.invite().to_owned(),
        n => (words.count)(n as u64),
    };
    view! {
        <details class="chat" data-test="chat" data-lines=move || count.get().to_string() data-unread=move || unread.get().to_string()
            prop:open=begun node_ref=place>
            <summary>
                {icon(Icon::Requests)} " " {label}
                <Show when=move || unread.get() != 0>
                    " " <span class="badge turn-badge">{move || (words.new)(u64::from(unread.get()))}</span>
                </Show>
            </summary>
            <ol class="chat-lines" aria-label=words.heading>
                <For each=move || lines().unwrap_or_default() key=|line| line.message children=move |said| line(&said, other, chat) />
            </ol>
            <Show when=move || can_say.get() fallback=move || view! { <p class="quiet-text">{words.wait}</p> }>
                {field(to)}
            </Show>
        </details>
    }
    .into_any()
}

/// What has stood before the person's eyes from one second to the next was looked at.
fn mark_read(chat: Memo<Option<Chat>>, unread: Memo<u32>, place: NodeRef<html::Details>) {
    let desk = desk();
    // How many were new when they were last seen.
    let seen = StoredValue::new(0);
    Effect::new(move |_| {
        desk.now.track();
        let new = unread.get();
        let thread = chat.with_untracked(|chat| chat.as_ref().map(|chat| chat.thread));
        let details = place.get_untracked();
        let looks = details.is_some_and(|it| it.open() && browser::is_before_eyes(&it));
        let (Some(thread), true) = (thread, looks && new > 0) else {
            seen.set_value(0);
            return;
        };
        if seen.get_value() == new {
            spawn_local(async move {
                // What is not marked now is marked in a second.
                let _ = desk.command(Command::Read { thread }).await;
            });
            seen.set_value(0);
        } else {
            seen.set_value(new);
        }
    });
}

/// The name of a state for tests.
const fn state_name(state: ChatState) -> &'static str {
    match state {
        ChatState::Sending => "sending",
        ChatState::Delivered => "delivered",
        ChatState::Lost => "lost",
    }
}

fn line(said: &ChatLine, other: Other, chat: Memo<Option<Chat>>) -> AnyView {
    let words = &w().chat;
    let message = said.message;
    let who = if said.mine { words.me } else { other.name() };
    // What has become of it is drawn anew, and not the whole line: it may hold a photo.
    let now = move |chat: &Option<Chat>| {
        let mut lines = chat.iter().flat_map(|chat| &chat.lines);
        lines.find(|line| line.message == message).cloned()
    };
    let state = Memo::new(move |_| chat.with(now).map(|line| line.state));
    let files = Memo::new(move |_| chat.with(now).map(|line| line.files).unwrap_or_default());
    let told = move || match state.get()? {
        ChatState::Delivered => None,
        ChatState::Sending => Some(words.sending),
        ChatState::Lost => Some(words.lost),
    };
    let text = (!said.text.is_empty()).then(|| said.text.clone());
    view! {
        <li class="chat-line" class:mine=said.mine data-test="chat-line" data-mine=said.mine.to_string() data-state=move || state.get().map(state_name)>
            <p class="chat-who">{who} " " <small>{format::time(said.at)}</small></p>
            {text.map(|text| view! { <p class="chat-text">{text}</p> })}
            {files::list(files, tip::entry)}
            {move || told().map(|told| view! { <small class="chat-state">{told}</small> })}
        </li>
    }
    .into_any()
}

fn field(to: To) -> AnyView {
    let desk = desk();
    let words = &w().chat;
    let text = RwSignal::new(String::new());
    let (busy, faults) = (RwSignal::new(false), RwSignal::new(Faults::default()));
    let picker = Picker::new(faults, false);
    let known = Memo::new(move |_| desk.board.with(|board| to.thread(board).is_some()));
    let send = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let said = text.get_untracked().trim().replace("\r\n", "\n");
        let command = desk
            .board
            .with_untracked(|board| to.say(board, said, picker.files()));
        let work = async move { desk.command(command).await };
        carry_out(busy, faults, work, move |_: Reply| {
            let _ = text.try_set(String::new());
            picker.clear();
        });
    };
    view! {
        <form class="chat-form" novalidate on:submit=send>
            <textarea rows="2" data-test="chat-text" aria-label=words.heading placeholder=words.placeholder prop:value=text
                on:input=move |event| text.set(typed(&event)) on:change=move |event| text.set(typed(&event))></textarea>
            // The first word to an owner goes without files.
            <Show when=move || known.get()>{picker.draw("chat-files")}</Show>
            <button type="submit" class="secondary on-private" data-test="chat-send" disabled=move || busy.get() || picker.is_reading()>
                {move || if busy.get() { words.busy } else { words.send }}
            </button>
            {form_fault(faults, &[FILES])}
            <p class="quiet-text">{icon(Icon::Lock)} " " {words.careful}</p>
        </form>
    }
    .into_any()
}

/// The questions of sellers who have not quoted.
pub(crate) fn questions(intent: IntentId) -> AnyView {
    let desk = desk();
    let threads = Memo::new(move |_| desk.board.with(|board| board.questions(&intent)));
    view! {
        <Show when=move || threads.with(|threads| !threads.is_empty())>
            <h3>{w().chat.questions}</h3>
            <ul class="stack">
                <For each=move || threads.get() key=|thread| *thread children=move |thread| view! {
                    <li class="question" data-test="question">{panel(To::Thread(thread), Other::Seller)}</li>
                } />
            </ul>
        </Show>
    }
    .into_any()
}
