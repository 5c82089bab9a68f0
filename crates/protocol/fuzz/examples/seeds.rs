//! Writes `corpus/<target>/` from the golden vectors, so that a fuzzer begins with what is valid.

use std::{fs, io, path::Path};

use haggle_protocol_fuzz::{unhex, vectors};

fn main() -> io::Result<()> {
    let mut written = 0;
    let mut put = |target: &str, name: usize, bytes: &[u8]| -> io::Result<()> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("corpus")
            .join(target);
        fs::create_dir_all(&folder)?;
        written += 1;
        fs::write(folder.join(format!("vector-{name}")), bytes)
    };
    for (at, row) in vectors("frames")
        .as_array()
        .into_iter()
        .flatten()
        .enumerate()
    {
        let frame = unhex(row["frame"].as_str().unwrap_or_default());
        put("frame", at, &frame)?;
        let Some(body) = row["body"].as_str() else {
            continue;
        };
        let target = match frame.get(1) {
            Some(1 | 2) => "intent",
            Some(3) => "close",
            Some(4) => "reach",
            _ => continue,
        };
        put(target, at, &unhex(body))?;
        put("cbor", at, &unhex(body))?;
    }
    let private = vectors("private");
    for (at, row) in private["messages"]
        .as_array()
        .into_iter()
        .flatten()
        .enumerate()
    {
        let content = unhex(row["content"].as_str().unwrap_or_default());
        let inner = &content[..content.len().saturating_sub(64)];
        put("message", at, inner)?;
    }
    let cells = vectors("cells");
    for (at, row) in cells["cells"].as_array().into_iter().flatten().enumerate() {
        put("cell", at, &unhex(row["cell"].as_str().unwrap_or_default()))?;
        // And as a plaintext: length, content, padding.
        let content = unhex(row["content"].as_str().unwrap_or_default());
        let len = u16::try_from(content.len())
            .unwrap_or(u16::MAX)
            .to_be_bytes();
        put("cell", 100 + at, &[&len[..], &content].concat())?;
    }
    println!("{written} seeds in corpus/");
    Ok(())
}
