//! Draws a photo anew, so that nothing but its picture is in it: no place, no time, no camera, and not as large as it was.

use js_sys::{Promise, Reflect};
use leptos::prelude::{document, window};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, CanvasRenderingContext2d, File, HtmlCanvasElement, ImageBitmap, ImageBitmapOptions,
    ImageOrientation,
};

use crate::browser;
use crate::photo::{BYTES_MAX, TRIES, fitted};

/// As what it is written.
const JPEG: &str = "image/jpeg";

/// The same picture as a JPEG of its own; `None` if this browser cannot draw it.
pub(crate) async fn drawn_anew(file: &File) -> Option<Vec<u8>> {
    let bitmap = opened(file).await?;
    let written = written(&bitmap).await;
    // Its points take some hundred times the room of the file; the browser would not soon see that they are in nobody's use.
    bitmap.close();
    written
}

/// A photo as it is meant to be seen: upright.
async fn opened(file: &File) -> Option<ImageBitmap> {
    let options = ImageBitmapOptions::new();
    options.set_image_orientation(ImageOrientation::FromImage);
    let upright = window().create_image_bitmap_with_blob_and_image_bitmap_options(file, &options);
    if let Ok(opening) = upright
        && let Ok(opened) = JsFuture::from(opening).await
    {
        return opened.dyn_into().ok();
    }
    // Older browsers do not know the word for it and do so by themselves.
    let opening = window().create_image_bitmap_with_blob(file).ok()?;
    JsFuture::from(opening).await.ok()?.dyn_into().ok()
}

/// As a file, as good as it may be.
async fn written(bitmap: &ImageBitmap) -> Option<Vec<u8>> {
    let whole = (bitmap.width(), bitmap.height());
    for (longest, quality) in TRIES {
        let canvas = drawn(bitmap, fitted(whole, longest))?;
        let bytes = encoded(&canvas, quality).await?;
        if bytes.len() <= BYTES_MAX {
            return Some(bytes);
        }
    }
    None
}

fn drawn(bitmap: &ImageBitmap, (width, height): (u32, u32)) -> Option<HtmlCanvasElement> {
    let canvas = document().create_element("canvas").ok()?;
    let canvas: HtmlCanvasElement = canvas.dyn_into().ok()?;
    canvas.set_width(width);
    canvas.set_height(height);
    let context: CanvasRenderingContext2d = canvas.get_context("2d").ok()??.dyn_into().ok()?;
    let (width, height) = (f64::from(width), f64::from(height));
    // What one can see through would be black.
    context.set_fill_style_str("#fff");
    context.fill_rect(0.0, 0.0, width, height);
    // Known to some browsers only; the others draw it well enough.
    let _ = Reflect::set(&context, &"imageSmoothingQuality".into(), &"high".into());
    context
        .draw_image_with_image_bitmap_and_dw_and_dh(bitmap, 0.0, 0.0, width, height)
        .ok()?;
    Some(canvas)
}

async fn encoded(canvas: &HtmlCanvasElement, quality: f64) -> Option<Vec<u8>> {
    let quality = JsValue::from_f64(quality);
    let promise = Promise::new(&mut |done, refused| {
        let asked = canvas.to_blob_with_type_and_encoder_options(&done, JPEG, &quality);
        if asked.is_err() {
            let _ = refused.call0(&JsValue::NULL);
        }
    });
    // Nothing comes if there was no room for it.
    let blob: Blob = JsFuture::from(promise).await.ok()?.dyn_into().ok()?;
    if blob.type_() != JPEG {
        return None;
    }
    browser::bytes_of(&blob).await
}
