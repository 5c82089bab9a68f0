//! Chooses the files that go with a message. Photos are drawn anew as soon as they are chosen, so that what is listed
//! is what would be sent.

use std::sync::atomic::{AtomicU32, Ordering};

use leptos::prelude::*;
use leptos::task::spawn_local;
use web_sys::File;

use crate::app::{desk, w};
use crate::forms::Faults;
use crate::forms::files::{Pile, Unfit, photo_name, safe_name, safe_type};
use crate::node::{Complaint, NewFile};
use crate::ui::format;
use crate::ui::parts::{Icon, fault, icon};
use crate::{browser, canvas, photo};

/// The field of commands that files belong to.
pub(crate) const FILES: &str = "files";

/// Gives each input an id of its own: there can be one in every exchange on the screen.
static COUNT: AtomicU32 = AtomicU32::new(0);

/// The files that were chosen for one message.
#[derive(Clone, Copy)]
pub(crate) struct Picker {
    pile: RwSignal<Pile>,
    /// Choices that are still being read.
    reading: RwSignal<u32>,
    faults: RwSignal<Faults>,
    /// Whether all of them go as they are: goods that were ordered.
    untouched: bool,
}

impl Picker {
    /// None yet; what is wrong with them is told among these faults.
    pub(crate) fn new(faults: RwSignal<Faults>, untouched: bool) -> Self {
        Self {
            pile: RwSignal::new(Pile::default()),
            reading: RwSignal::new(0),
            faults,
            untouched,
        }
    }

    /// Whether some are still being read, so that nothing can be sent yet.
    pub(crate) fn is_reading(self) -> bool {
        self.reading.get() > 0
    }

    /// What is to be sent.
    pub(crate) fn files(self) -> Vec<NewFile> {
        self.pile.with_untracked(Pile::files)
    }

    /// They are sent.
    pub(crate) fn clear(self) {
        let _ = self.pile.try_set(Pile::default());
    }

    /// Whether one more of so many bytes goes with them.
    fn takes(self, bytes: f64) -> Result<(), Unfit> {
        // A file's size is a whole number.
        let bytes = bytes as u64;
        let taken = self.pile.try_with_untracked(|pile| pile.takes(bytes));
        taken.unwrap_or(Ok(()))
    }

    /// Reads one, and adds it as it would be sent.
    async fn read(self, file: &File) -> Result<String, Unfit> {
        let name = safe_name(&file.name());
        let start = browser::start_of(file, photo::START).await;
        let start = start.ok_or(Unfit::Unread)?;
        let file = if !self.untouched && photo::is_photo(&file.type_(), &start) {
            self.takes(1.0)?;
            let drawn = canvas::drawn_anew(file).await;
            NewFile {
                name: photo_name(&name),
                media_type: "image/jpeg".to_owned(),
                bytes: drawn.ok_or(Unfit::Undrawn)?,
            }
        } else {
            self.takes(file.size())?;
            NewFile {
                name,
                media_type: safe_type(&file.type_()),
                bytes: browser::bytes_of(file).await.ok_or(Unfit::Unread)?,
            }
        };
        let name = file.name.clone();
        let added = self.pile.try_update(|pile| pile.add(file));
        added.unwrap_or(Ok(())).map(|()| name)
    }

    /// The button and the list of what was chosen.
    pub(crate) fn draw(self, test: &'static str) -> AnyView {
        let desk = desk();
        let words = &w().files;
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let (id, about) = (format!("files-{number}"), format!("files-{number}-about"));
        let (label, hint) = if self.untouched {
            (words.goods, words.goods_hint)
        } else {
            (words.add, words.add_hint)
        };
        let picked = move |event: web_sys::Event| {
            let files = browser::files_of(&event);
            if files.is_empty() {
                return;
            }
            self.faults.set(Faults::default());
            self.reading.update(|reading| *reading += 1);
            spawn_local(async move {
                let mut told = Vec::new();
                for file in files {
                    match self.read(&file).await {
                        Ok(name) => told.push((w().files.added)(&name)),
                        Err(unfit) => {
                            let complaint = complaint(&file.name(), unfit);
                            told.push(complaint.sentence.clone());
                            let _ = self.faults.try_set(Faults::said(complaint));
                            if unfit == Unfit::TooMany {
                                break;
                            }
                        }
                    }
                }
                desk.say(&told.join(" "));
                let _ = self.reading.try_update(|reading| *reading -= 1);
            });
        };
        let focus = id.clone();
        let remove = StoredValue::new(move |key: u32| {
            self.pile.update(|pile| pile.remove(key));
            self.faults.set(Faults::default());
            // The button that was pressed is gone.
            browser::focus(&focus);
        });
        let keys = move || {
            let keys = |pile: &Pile| pile.chosen().iter().map(|it| it.key).collect::<Vec<_>>();
            self.pile.with(keys)
        };
        let chip = move |key: u32| {
            let found = self.pile.with_untracked(|pile| {
                let chosen = pile.chosen().iter().find(|it| it.key == key)?;
                let bytes = u32::try_from(chosen.file.bytes.len()).unwrap_or(u32::MAX);
                Some((chosen.file.name.clone(), bytes))
            });
            let (name, bytes) = found.unwrap_or_default();
            view! {
                <li class="file-chip" data-test="file-chip" data-name=name.clone()>
                    {icon(Icon::File)}
                    <span class="file-name">{name.clone()}</span>
                    <small class="file-size">{format::size(bytes)}</small>
                    <button type="button" class="quiet icon-only" data-test="file-chip-remove" aria-label=(w().files.take_out)(&name)
                        on:click=move |_| remove.with_value(|remove| remove(key))>{icon(Icon::Cross)}</button>
                </li>
            }
        };
        let wrong = move || fault(self.faults, FILES);
        view! {
            <div class="picker">
                <Show when=move || self.pile.with(|pile| !pile.chosen().is_empty())>
                    <ul class="file-chips" aria-label=words.chosen><For each=keys key=|key| *key children=chip /></ul>
                </Show>
                <label class="button secondary on-private small file-pick">
                    <input type="file" multiple id=id data-test=test aria-describedby=about.clone()
                        aria-invalid=move || wrong().map(|_| "true") on:change=picked />
                    {icon(Icon::Plus)} {label}
                </label>
                <Show when=move || self.is_reading()><p class="quiet-text">{w().all.working}</p></Show>
                <div id=about>
                    <p class="fault" data-test="files-fault">{wrong}</p>
                    <p class="hint">{hint}</p>
                </div>
            </div>
        }
        .into_any()
    }
}

fn complaint(name: &str, unfit: Unfit) -> Complaint {
    let mut sentence = (w().files.unfit)(unfit).to_owned();
    if unfit.is_of_one() {
        // There may be others that fit.
        sentence.insert_str(0, &format!("{}: ", safe_name(name)));
    }
    Complaint {
        code: unfit.code().to_owned(),
        field: Some(FILES.to_owned()),
        sentence,
    }
}
