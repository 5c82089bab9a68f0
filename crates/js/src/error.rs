//! Errors as JavaScript knows them: an `Error` with a sentence for people, a `code` for programs, the `field` it is
//! about, and its `cause`.

use haggle_node::market::Complaint;
use js_sys::{Error, Reflect};
use wasm_bindgen::JsValue;

/// Of a command that was not carried out.
pub(crate) fn of_complaint(complaint: &Complaint) -> JsValue {
    let error = with_code(&complaint.sentence, &complaint.code);
    if let Some(field) = &complaint.field {
        set(&error, "field", &JsValue::from_str(field));
    }
    error.into()
}

/// Of a peer that could not be opened.
pub(crate) fn of_error(error: &haggle_node::Error) -> JsValue {
    let made = with_code(&error.to_string(), error.code());
    if let Some(cause) = std::error::Error::source(error) {
        made.set_cause(&Error::new(&cause.to_string()));
    }
    made.into()
}

/// Of a store that could not be opened.
pub(crate) fn of_store(error: &haggle_node::store::Error) -> JsValue {
    with_code(&error.to_string(), error.code()).into()
}

/// Of an argument that is not what it should be.
pub(crate) fn bad_argument(argument: &str, cause: JsValue) -> JsValue {
    let reason = cause.as_string().or_else(|| {
        let error: Option<&Error> = wasm_bindgen::JsCast::dyn_ref(&cause);
        error.map(|error| String::from(error.message()))
    });
    let reason = reason.unwrap_or_default();
    let sentence = format!("`{argument}` is not what it should be: {reason}. See the types.");
    let error = with_code(&sentence, "bad-argument");
    set(&error, "field", &JsValue::from_str(argument));
    error.set_cause(&cause);
    error.into()
}

/// Of an event that there is none of.
pub(crate) fn unknown_event(name: &str) -> JsValue {
    let sentence = format!("There is no event named `{name}`. See `Events` among the types.");
    let error = with_code(&sentence, "unknown-event");
    set(&error, "field", &JsValue::from_str("type"));
    error.into()
}

fn with_code(sentence: &str, code: &str) -> Error {
    let error = Error::new(sentence);
    error.set_name("HaggleError");
    set(&error, "code", &JsValue::from_str(code));
    error
}

fn set(error: &Error, name: &str, value: &JsValue) {
    // A fresh Error refuses no property.
    let _ = Reflect::set(error, &JsValue::from_str(name), value);
}
