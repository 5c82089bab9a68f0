//! The few things that the page asks of the browser itself: address, storage, time, clipboard, dialogs.

use haggle_protocol::Timestamp;
use js_sys::{Array, Function, Promise, Reflect, Uint8Array};
use leptos::prelude::{document, window};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, BlobPropertyBag, BroadcastChannel, File, HtmlAnchorElement, HtmlElement,
    HtmlInputElement, Notification, NotificationOptions, NotificationPermission, Response, Storage,
    Url,
};

/// Where `cargo xtask up --play-money` names its mint.
const PLAY_MONEY: &str = "meta[name=haggle-play-money]";

/// The file that names the relays, beside the page.
const RELAYS: &str = "relays.json";

/// What stands behind `#` in the address.
pub(crate) fn hash() -> String {
    window().location().hash().unwrap_or_default()
}

/// Changes what stands behind `#`; the page hears of it by `hashchange`.
pub(crate) fn set_hash(hash: &str) {
    // Fails only in frames without an address.
    let _ = window().location().set_hash(hash);
}

/// Changes what stands behind `#` without a new entry in the history, and without `hashchange`.
pub(crate) fn replace_hash(hash: &str) {
    if let Ok(history) = window().history() {
        let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(hash));
    }
}

/// The address of the page without what stands behind `#`.
pub(crate) fn page_address() -> String {
    let href = window().location().href().unwrap_or_default();
    href.split('#').next().unwrap_or_default().to_owned()
}

/// The address of the mint of play money that the page was served with.
pub(crate) fn play_money() -> Option<String> {
    let meta = document().query_selector(PLAY_MONEY).ok()??;
    meta.get_attribute("content")
}

/// Loads the page again.
pub(crate) fn reload() {
    let _ = window().location().reload();
}

/// Shows the beginning of the page, after another screen was chosen.
pub(crate) fn to_top() {
    window().scroll_to_with_x_and_y(0.0, 0.0);
}

/// The language that the browser asks for.
pub(crate) fn language() -> Option<String> {
    window().navigator().language()
}

/// Tells the browser and screen readers in which language the page is.
pub(crate) fn set_page_language(tag: &str) {
    if let Some(root) = document().document_element() {
        let _ = root.set_attribute("lang", tag);
    }
}

/// Sets the colours: `light`, `dark`, or as the device has them.
pub(crate) fn set_theme(theme: &str) {
    if let Some(root) = document().document_element() {
        let _ = match theme {
            "light" | "dark" => root.set_attribute("data-theme", theme),
            _ => root.remove_attribute("data-theme"),
        };
    }
}

fn local() -> Option<Storage> {
    window().local_storage().ok().flatten()
}

fn session() -> Option<Storage> {
    window().session_storage().ok().flatten()
}

/// What was remembered under this name, for all windows.
pub(crate) fn remembered(name: &str) -> Option<String> {
    local()?.get_item(name).ok().flatten()
}

/// Remembers a preference for all windows. Nothing is lost if the browser keeps nothing.
pub(crate) fn remember(name: &str, value: &str) {
    if let Some(storage) = local() {
        let _ = storage.set_item(name, value);
    }
}

/// What is kept for this window until it is closed.
pub(crate) fn kept(name: &str) -> Option<String> {
    session()?.get_item(name).ok().flatten()
}

/// Keeps something for this window until it is closed.
pub(crate) fn keep(name: &str, value: &str) {
    if let Some(storage) = session() {
        let _ = storage.set_item(name, value);
    }
}

/// Keeps nothing under this name any more.
pub(crate) fn keep_no_more(name: &str) {
    if let Some(storage) = session() {
        let _ = storage.remove_item(name);
    }
}

/// Calls out to the other windows of this page, under a name that they listen to.
pub(crate) fn call_out(name: &str) {
    if let Ok(channel) = BroadcastChannel::new(name) {
        // A word always has a copy.
        let _ = channel.post_message(&JsValue::from_str(name));
        channel.close();
    }
}

/// Does something whenever another window calls out under this name, for as long as this page lives.
pub(crate) fn when_called(name: &str, act: impl Fn() + 'static) {
    if let Ok(channel) = BroadcastChannel::new(name) {
        let act = Closure::<dyn Fn()>::new(act).into_js_value();
        channel.set_onmessage(Some(act.unchecked_ref()));
        // The page keeps what it listens to.
        core::mem::forget(channel);
    }
}

/// A number that was drawn, for what needs no secret.
pub(crate) fn dice() -> u32 {
    // Below 2³², so nothing is lost.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and 2³² − 1"
    )]
    {
        (js_sys::Math::random() * f64::from(u32::MAX)) as u32
    }
}

/// A time as a day, like 2027-01-15, in UTC.
pub(crate) fn day(time: Timestamp) -> String {
    #[allow(
        clippy::cast_precision_loss,
        reason = "seconds until the year 10,000 are exact"
    )]
    let date = js_sys::Date::new(&JsValue::from_f64(time.0 as f64 * 1_000.0));
    let text: String = date.to_iso_string().into();
    text.chars().take(10).collect()
}

/// The file that was chosen in an input.
pub(crate) fn file_of(event: &web_sys::Event) -> Option<File> {
    let input: HtmlInputElement = event.target()?.dyn_into().ok()?;
    input.files()?.get(0)
}

/// The files that were chosen in an input, which is empty from then on: so the same ones can be chosen again.
pub(crate) fn files_of(event: &web_sys::Event) -> Vec<File> {
    let target = event.target();
    let Some(input) = target.and_then(|it| it.dyn_into::<HtmlInputElement>().ok()) else {
        return Vec::new();
    };
    let list = input.files();
    let count = list.as_ref().map_or(0, web_sys::FileList::length);
    let files = (0..count).filter_map(|at| list.as_ref()?.get(at));
    let files = files.collect();
    input.set_value("");
    files
}

/// What is in a file, if it can be read.
pub(crate) async fn bytes_of(file: &Blob) -> Option<Vec<u8>> {
    let buffer = JsFuture::from(file.array_buffer()).await.ok()?;
    Some(Uint8Array::new(&buffer).to_vec())
}

/// So many bytes from the beginning of a file, or fewer if it has no more.
pub(crate) async fn start_of(file: &Blob, bytes: i32) -> Option<Vec<u8>> {
    bytes_of(&file.slice_with_i32_and_i32(0, bytes).ok()?).await
}

/// Bytes under an address that only this page knows, for as long as this lives.
pub(crate) struct Address(String);

impl Address {
    /// For bytes of this type, which decides what the browser does with them.
    pub(crate) fn new(bytes: &[u8], media_type: &'static str) -> Option<Self> {
        let kind = BlobPropertyBag::new();
        kind.set_type(media_type);
        let parts = Array::of1(&Uint8Array::from(bytes));
        let blob = Blob::new_with_u8_array_sequence_and_options(&parts, &kind).ok()?;
        Url::create_object_url_with_blob(&blob).ok().map(Self)
    }

    /// To be put where an address belongs.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Drop for Address {
    fn drop(&mut self) {
        let _ = Url::revoke_object_url(&self.0);
    }
}

/// Hands bytes to the person as a file, which no browser opens within this page.
pub(crate) fn download(name: &str, bytes: &[u8]) {
    let Some(address) = Address::new(bytes, "application/octet-stream") else {
        return;
    };
    let link = document().create_element("a").ok();
    if let Some(link) = link.and_then(|link| link.dyn_into::<HtmlAnchorElement>().ok()) {
        link.set_href(address.as_str());
        link.set_download(name);
        link.click();
    }
    // The browser has begun to read it by the next second.
    later(1_000, move || drop(address));
}

/// Whether the end of something is where a person who is here would see it.
pub(crate) fn is_before_eyes(element: &web_sys::Element) -> bool {
    let place = element.get_bounding_client_rect();
    let height = window().inner_height().ok();
    let height = height
        .and_then(|height| height.as_f64())
        .unwrap_or_default();
    let (top, bottom) = (place.top(), place.bottom());
    !document().hidden() && top < height && bottom > 0.0
}

/// The time by this device's clock: for countdowns on screen; what counts is the peer's own clock.
pub(crate) fn now() -> Timestamp {
    #[allow(
        clippy::disallowed_methods,
        reason = "a screen shows the time; nothing is decided by it"
    )]
    let milliseconds = js_sys::Date::now();
    Timestamp((milliseconds / 1_000.0) as u64)
}

/// The last second of a day as a date field gives it (`2026-11-30`), by the calendar of this device.
pub(crate) fn end_of_day(date: &str) -> Option<Timestamp> {
    let milliseconds = js_sys::Date::parse(&format!("{date}T23:59:59"));
    (milliseconds.is_finite() && milliseconds > 0.0)
        .then(|| Timestamp((milliseconds / 1_000.0) as u64))
}

/// Runs something later, once.
pub(crate) fn later(milliseconds: i32, run: impl FnOnce() + 'static) {
    let run = Closure::once_into_js(run);
    // A window always takes a timer.
    let _ = window()
        .set_timeout_with_callback_and_timeout_and_arguments_0(run.unchecked_ref(), milliseconds);
}

/// Waits.
pub(crate) async fn wait(milliseconds: i32) {
    let promise = Promise::new(&mut |done, _| {
        let _ = window().set_timeout_with_callback_and_timeout_and_arguments_0(&done, milliseconds);
    });
    let _ = JsFuture::from(promise).await;
}

/// With whom this page begins, and on which market.
#[derive(serde::Deserialize)]
pub(crate) struct Beginning {
    /// Addresses of relays.
    pub(crate) relays: Vec<String>,
    /// STUN servers, by which direct connections come about across routers.
    #[serde(default)]
    pub(crate) stun: Vec<String>,
    /// The name of the market; the public one if it is not named.
    pub(crate) network: Option<String>,
}

/// What stands in the file beside this page; `None` if it cannot be read.
pub(crate) async fn beginning() -> Option<Beginning> {
    let response = JsFuture::from(window().fetch_with_str(RELAYS)).await.ok()?;
    let response: Response = response.dyn_into().ok()?;
    if !response.ok() {
        return None;
    }
    let text = JsFuture::from(response.text().ok()?).await.ok()?;
    serde_json::from_str(&text.as_string()?).ok()
}

/// Under which name it is remembered that notices are wanted.
const NOTICES: &str = "haggle/notices";

/// Whether this browser knows notices at all; some do so only for pages that are installed.
pub(crate) fn knows_notices() -> bool {
    Reflect::has(&window(), &"Notification".into()).unwrap_or(false)
}

/// Whether news is told by notices while the person looks elsewhere.
pub(crate) fn gives_notices() -> bool {
    knows_notices()
        && remembered(NOTICES).is_some()
        && Notification::permission() == NotificationPermission::Granted
}

/// Wants notices, and asks the person through the browser if it must; `false` if he or the browser says no.
pub(crate) async fn want_notices() -> bool {
    if !knows_notices() {
        return false;
    }
    if let Ok(asked) = Notification::request_permission() {
        // What was answered is asked for below.
        let _ = JsFuture::from(asked).await;
    }
    remember(NOTICES, "on");
    gives_notices()
}

/// No longer wants notices.
pub(crate) fn stop_notices() {
    if let Some(storage) = local() {
        let _ = storage.remove_item(NOTICES);
    }
}

/// Tells something by a notice if the person looks elsewhere and wants that. A click on it leads back to the page.
pub(crate) fn notice(sentence: &str) {
    if !document().hidden() || !gives_notices() {
        return;
    }
    let options = NotificationOptions::new();
    options.set_body(sentence);
    // Some browsers know notices and give none to pages that are not installed: then the title tells what waits.
    if let Ok(notice) = Notification::new_with_options("Haggle", &options) {
        let back = Closure::once_into_js(|| {
            let _ = window().focus();
        });
        notice.set_onclick(Some(back.unchecked_ref()));
    }
}

/// What the window is called, in its tab and to screen readers.
pub(crate) fn set_title(title: &str) {
    document().set_title(title);
}

/// Puts a text into the clipboard; `false` if the browser does not let us.
pub(crate) async fn copy(text: &str) -> bool {
    // Looked up by name: it is absent on pages that are not served over https or from this machine.
    let clipboard = Reflect::get(&window().navigator(), &"clipboard".into()).ok();
    let Some(clipboard) = clipboard.filter(|found| !found.is_undefined()) else {
        return false;
    };
    let written = Reflect::get(&clipboard, &"writeText".into())
        .and_then(JsCast::dyn_into::<Function>)
        .and_then(|write| write.call1(&clipboard, &text.into()))
        .map(Promise::unchecked_from_js);
    match written {
        Ok(promise) => JsFuture::from(promise).await.is_ok(),
        Err(_) => false,
    }
}

/// Gives the keyboard to the element of this id, if it is there.
pub(crate) fn focus(id: &str) {
    let found = document().get_element_by_id(id);
    if let Some(element) = found.and_then(|found| found.dyn_into::<HtmlElement>().ok()) {
        let _ = element.focus();
    }
}

/// Gives the keyboard to the first field that is marked as wrong.
pub(crate) fn focus_first_fault() {
    let found = document()
        .query_selector("[aria-invalid=\"true\"]")
        .ok()
        .flatten();
    if let Some(element) = found.and_then(|found| found.dyn_into::<HtmlElement>().ok()) {
        let _ = element.focus();
    }
}

/// Takes away what the page showed while its program was loading, and applies the remembered colours.
pub(crate) fn loaded() {
    set_theme(&remembered("haggle/colours").unwrap_or_default());
    if let Some(loading) = document().get_element_by_id("loading") {
        loading.remove();
    }
}

/// If the program of this page breaks, it says so, in words that were made while it was still whole. Everything that was
/// confirmed is saved by then: saving comes before saying.
pub(crate) fn say_when_broken(heading: &'static str, safe: &'static str, reload: &'static str) {
    std::panic::set_hook(Box::new(move |cause| {
        web_sys::console::error_1(&cause.to_string().into());
        let make = |name: &str, class: &str, text: &str| {
            let made = document().create_element(name).ok()?;
            made.set_class_name(class);
            made.set_text_content(Some(text));
            Some(made)
        };
        let Some(banner) = make("div", "banner stopped", "") else {
            return;
        };
        let _ = banner.set_attribute("role", "alert");
        let _ = banner.set_attribute("data-test", "broken");
        for part in [make("strong", "", heading), make("p", "", safe)] {
            let _ = part.and_then(|part| banner.append_child(&part).ok());
        }
        // The browser's own function: nothing of this program runs any more.
        let location = window().location();
        let again = Reflect::get(&location, &"reload".into())
            .and_then(JsCast::dyn_into::<Function>)
            .map(|reload| reload.bind(&location));
        if let (Some(button), Ok(again)) = (make("button", "primary", reload), again) {
            let _ = button.add_event_listener_with_callback("click", &again);
            let _ = banner.append_child(&button);
        }
        if let Some(body) = document().body() {
            let _ = body.prepend_with_node_1(&banner);
        }
    }));
}
