//! A photo as a camera writes it, for those who send one.

use std::path::{Path, PathBuf};

use crate::person::Person;
use crate::{Outcome, Trouble, ensure};

/// What a camera writes beside the picture, in this place of its file (Exif 2.32, 4.5.4).
pub const WHERE: &[u8] = b"taken at 52.5163 N 13.3777 E with a Camera 3000";

/// A photo of 2,000 by 1,500 points, `front.JPEG`, as a camera writes it: with where and with what it was taken.
///
/// # Errors
/// If the person's browser cannot draw it, or it cannot be written.
pub async fn taken(person: &Person, folder: &Path) -> Outcome<PathBuf> {
    let drawn = "const canvas = document.createElement('canvas');
        canvas.width = 2000; canvas.height = 1500;
        const pen = canvas.getContext('2d');
        for (let at = 0; at < 400; at++) {
            pen.fillStyle = `hsl(${at * 7 % 360} 70% 50%)`;
            pen.fillRect(at * 97 % 2000, at * 61 % 1500, 150, 90);
        }
        return canvas.toDataURL('image/jpeg', 0.9).split(',')[1]";
    let text = person.browser.js(drawn, Vec::new()).await?;
    let plain = unbase64(text.as_str().unwrap_or_default());
    ensure(plain.starts_with(b"\xff\xd8"), || "no JPEG".to_owned())?;
    let inside = [b"Exif\0\0".as_slice(), WHERE].concat();
    let length =
        u16::try_from(inside.len() + 2).map_err(|error| Trouble::new(error.to_string()))?;
    let segment = [b"\xff\xe1".as_slice(), &length.to_be_bytes(), &inside].concat();
    let whole = [&plain[..2], &segment, &plain[2..]].concat();
    let path = folder.join("front.JPEG");
    std::fs::write(&path, whole)?;
    Ok(path)
}

fn unbase64(text: &str) -> Vec<u8> {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = text
        .bytes()
        .filter_map(|c| alphabet.iter().position(|it| *it == c));
    let digits: Vec<usize> = digits.collect();
    let groups = digits.chunks(4).flat_map(|group| {
        let bits = group.iter().fold(0, |bits, digit| bits << 6 | digit) << (6 * (4 - group.len()));
        let three = [bits >> 16, bits >> 8, bits].map(|byte| byte as u8);
        three.into_iter().take(group.len() - 1)
    });
    groups.collect()
}
