//! The files that go with what is said: photos are shown, other files are saved, and what has not come yet says why.
//!
//! Each file redraws itself alone while it comes, so that a photo beside it does not flicker and nobody loses his place.

use std::rc::Rc;

use haggle_protocol::FileId;
use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::app::{Desk, desk, w};
use crate::browser::{self, Address};
use crate::forms::Faults;
use crate::node::{Command, FileState, FileView, NewFile, Reply};
use crate::photo;
use crate::ui::format;
use crate::ui::parts::{Icon, carry_out, dialog, form_fault, icon};

/// A photo that is shown, at the address of its bytes.
#[derive(Clone)]
struct Photo {
    file: FileId,
    name: String,
    address: Rc<Address>,
}

/// The photo that is looked at, over the page.
#[derive(Clone, Copy)]
pub(crate) struct Viewer {
    open: RwSignal<bool>,
    photo: RwSignal<Option<Photo>, LocalStorage>,
}

impl Viewer {
    /// Nothing is looked at yet.
    pub(crate) fn new() -> Self {
        Self {
            open: RwSignal::new(false),
            photo: RwSignal::new_local(None),
        }
    }

    fn look_at(self, photo: Photo) {
        self.photo.set(Some(photo));
        self.open.set(true);
    }
}

/// The dialog in which a photo is looked at.
pub(crate) fn larger(viewer: Viewer) -> AnyView {
    let title = move || {
        let name = viewer
            .photo
            .with(|photo| photo.as_ref().map(|it| it.name.clone()));
        name.unwrap_or_default()
    };
    // Its bytes are kept no longer than somebody looks at them.
    Effect::new(move |_| {
        if !viewer.open.get() {
            viewer.photo.set(None);
        }
    });
    dialog(
        viewer.open,
        "photo-dialog",
        title,
        "private-dialog photo-dialog",
        move || {
            let Some(photo) = viewer.photo.get_untracked() else {
                return ().into_any();
            };
            let keep = Keep::new(photo.file);
            view! {
                <img class="photo-large" data-test="photo-large" src=photo.address.as_str().to_owned() alt=photo.name.clone() />
                <div class="card-actions">
                    <button type="button" class="secondary on-private" disabled=move || keep.busy.get() on:click=move |_| keep.save()>
                        {w().files.save}
                    </button>
                </div>
                {form_fault(keep.faults, &[])}
            }
            .into_any()
        },
    )
}

/// What can be done with one file, and what went wrong with it.
#[derive(Clone, Copy)]
pub(crate) struct Keep {
    /// What all parts of the page share.
    pub(crate) desk: Desk,
    /// Which one.
    pub(crate) id: FileId,
    /// Whether the person has asked for it and waits.
    pub(crate) wanted: RwSignal<bool>,
    /// Whether something is being done with it.
    pub(crate) busy: RwSignal<bool>,
    /// What went wrong.
    pub(crate) faults: RwSignal<Faults>,
}

impl Keep {
    /// For this file.
    pub(crate) fn new(id: FileId) -> Self {
        Self {
            desk: desk(),
            id,
            wanted: RwSignal::new(false),
            busy: RwSignal::new(false),
            faults: RwSignal::new(Faults::default()),
        }
    }

    /// Saves it where the person's files are.
    pub(crate) fn save(self) {
        let desk = self.desk;
        carry_out(
            self.busy,
            self.faults,
            desk.file(self.id),
            move |file: NewFile| {
                browser::download(&file.name, &file.bytes);
                desk.note(&(w().files.saved)(&file.name));
            },
        );
    }

    /// Has a command about it carried out.
    pub(crate) fn command(self, command: Command, done: impl FnOnce() + 'static) {
        let desk = self.desk;
        let work = async move { desk.command(command).await };
        carry_out(self.busy, self.faults, work, move |_: Reply| done());
    }
}

/// The name of a state for tests.
pub(crate) const fn state_name(state: FileState) -> &'static str {
    match state {
        FileState::Here => "here",
        FileState::Coming => "coming",
        FileState::Offered => "offered",
        FileState::Wrong => "wrong",
        FileState::Gone => "gone",
        FileState::Removed => "removed",
    }
}

/// The files of one message, each drawn by `draw`.
pub(crate) fn list(
    files: Memo<Vec<FileView>>,
    draw: fn(FileId, Memo<Vec<FileView>>) -> AnyView,
) -> AnyView {
    let ids_of = |files: &Vec<FileView>| files.iter().map(|file| file.id).collect::<Vec<_>>();
    let ids = Memo::new(move |_| files.with(ids_of));
    view! {
        <Show when=move || ids.with(|ids| !ids.is_empty())>
            <ul class="files" aria-label=w().files.heading>
                <For each=move || ids.get() key=|id| *id children=move |id| draw(id, files) />
            </ul>
        </Show>
    }
    .into_any()
}

/// A file that is what its name says.
pub(crate) fn entry(id: FileId, files: Memo<Vec<FileView>>) -> AnyView {
    let found = move |files: &[FileView]| files.iter().find(|file| file.id == id).cloned();
    let Some(file) = files.with_untracked(|files| found(files)) else {
        return ().into_any();
    };
    let now = move || files.with(|files| found(files));
    let state = Memo::new(move |_| now().map(|file| file.state));
    let received = Memo::new(move |_| now().map_or(0, |file| file.received));
    let keep = Keep::new(id);
    let place = NodeRef::<html::Li>::new();
    let name = file.name.clone();
    // Who asked for it hears what has become of it, also without seeing it.
    Effect::new({
        let name = name.clone();
        move |_| {
            let words = &w().files;
            let told = match state.get() {
                Some(FileState::Here) => (words.came)(&name),
                Some(FileState::Wrong) => words.wrong.to_owned(),
                Some(FileState::Gone) => words.gone.to_owned(),
                Some(FileState::Coming | FileState::Offered | FileState::Removed) | None => return,
            };
            if keep.wanted.get_untracked() {
                keep.wanted.set(false);
                keep.desk.say(&told);
            }
        }
    });
    let inside = move || {
        let state = state.get()?;
        Some(match state {
            FileState::Here => here(&file, keep, place),
            FileState::Coming => coming(&file, received),
            FileState::Offered => {
                let load = (w().files.load)(&format::size(file.bytes));
                view! { {row(&file, None)} {fetch(load, keep, place)} }.into_any()
            }
            FileState::Wrong => {
                let again = w().files.load_again.to_owned();
                view! { {row(&file, Some(w().files.wrong))} {fetch(again, keep, place)} }.into_any()
            }
            FileState::Gone => row(&file, Some(w().files.gone)),
            FileState::Removed if file.mine => row(&file, Some(w().files.made_room)),
            FileState::Removed => {
                let again = w().files.load_again.to_owned();
                view! { {row(&file, Some(w().files.removed))} {fetch(again, keep, place)} }
                    .into_any()
            }
        })
    };
    view! {
        <li class="file" node_ref=place tabindex="-1" data-test="file" data-name=name data-state=move || state.get().map(state_name)>
            {inside}
            {form_fault(keep.faults, &[])}
        </li>
    }
    .into_any()
}

/// Its name, its size, and what has become of it.
fn row(file: &FileView, told: Option<&'static str>) -> AnyView {
    view! {
        <p class="file-line">
            {icon(Icon::File)}
            <span class="file-name">{file.name.clone()}</span>
            <small class="file-size">{format::size(file.bytes)}</small>
        </p>
        {told.map(|told| view! { <p class="quiet-text">{told}</p> })}
    }
    .into_any()
}

/// How much of a file has come.
pub(crate) fn coming(file: &FileView, received: Memo<u32>) -> AnyView {
    let bytes = file.bytes;
    view! {
        <p class="file-line">{icon(Icon::File)} <span class="file-name">{file.name.clone()}</span></p>
        <progress max=bytes.to_string() prop:value=move || f64::from(received.get()) aria-label=file.name.clone()></progress>
        <p class="quiet-text">{move || format::come(received.get(), bytes)} ". " {w().files.coming_hint}</p>
    }
    .into_any()
}

/// Gives the keyboard to a file whose button is gone.
pub(crate) fn return_to(place: NodeRef<html::Li>) {
    if let Some(place) = place.try_get_untracked().flatten() {
        let _ = place.focus();
    }
}

fn fetch(label: String, keep: Keep, place: NodeRef<html::Li>) -> AnyView {
    let load = move |_| {
        keep.wanted.set(true);
        keep.command(Command::Fetch { file: keep.id }, move || return_to(place));
    };
    view! {
        <button type="button" class="secondary on-private small" data-test="file-load" disabled=move || keep.busy.get() on:click=load>
            {label}
        </button>
    }
    .into_any()
}

/// A file that is here: shown if it is a photo, and there to be saved or removed.
fn here(file: &FileView, keep: Keep, place: NodeRef<html::Li>) -> AnyView {
    let words = &w().files;
    let asking = RwSignal::new(false);
    let mine = file.mine;
    let shown = photo::shown_as(&file.media_type).filter(|_| file.photo);
    let shown = shown.map(|media_type| shown_photo(file.id, file.name.clone(), media_type));
    let remove = move || {
        let done = move || {
            keep.desk.say(words.removed);
            return_to(place);
        };
        keep.command(Command::RemoveFile { file: keep.id }, done);
    };
    // What came can be loaded again; what is mine is then nowhere any more, so that is asked about.
    let begin = move |_| {
        if mine {
            asking.set(true);
        } else {
            remove();
        }
    };
    view! {
        {shown}
        {row(file, None)}
        <Show when=move || !asking.get()>
            <div class="file-actions">
                <button type="button" class="secondary on-private small" data-test="file-save" disabled=move || keep.busy.get()
                    on:click=move |_| keep.save()>{words.save}</button>
                <button type="button" class="quiet on-private small" data-test="file-remove" disabled=move || keep.busy.get()
                    on:click=begin>{words.remove}</button>
            </div>
        </Show>
        <Show when=move || asking.get()>
            <p class="quiet-text" role="status">{words.remove_mine}</p>
            <div class="file-actions">
                <button type="button" class="secondary on-private small" data-test="file-remove-confirm" disabled=move || keep.busy.get()
                    on:click=move |_| remove()>{words.remove}</button>
                <button type="button" class="quiet on-private small" on:click=move |_| asking.set(false)>{w().all.back}</button>
            </div>
        </Show>
    }
    .into_any()
}

/// The picture itself; nothing if its bytes are no picture that may be shown.
fn shown_photo(id: FileId, name: String, media_type: &'static str) -> AnyView {
    let desk = desk();
    let viewer: Viewer = expect_context();
    let address = RwSignal::new_local(None::<Rc<Address>>);
    spawn_local(async move {
        let file = desk.file(id).await;
        let made = file.ok().and_then(|file| picture(&file, media_type));
        // If the part of the page that asked is gone, so is the address.
        let _ = address.try_set(made.map(Rc::new));
    });
    let look = (w().files.look)(&name);
    let picture = move || {
        let address = address.get()?;
        let photo = Photo {
            file: id,
            name: name.clone(),
            address: Rc::clone(&address),
        };
        Some(view! {
            <button type="button" class="photo" aria-label=look.clone() aria-haspopup="dialog" on:click=move |_| viewer.look_at(photo.clone())>
                <img data-test="file-photo" src=address.as_str().to_owned() alt=name.clone() loading="lazy" decoding="async" />
            </button>
        })
    };
    view! { {picture} }.into_any()
}

fn picture(file: &NewFile, media_type: &'static str) -> Option<Address> {
    let shown = photo::may_be_shown(&file.bytes);
    shown
        .then(|| Address::new(&file.bytes, media_type))
        .flatten()
}
