//! `cargo xtask site`: a folder that any static host can serve. Trunk compiles and assembles, and
//! the module by which the page pays is put beside that, to be loaded when money is first used;
//! afterwards the programs are shrunk by wasm-opt (where Node is), files are named by their content,
//! integrity hashes are set and checked, and the page gets its content-security policy.
//!
//! wasm-opt is run here and not by Trunk, because a hash taken before it would be wrong, and because
//! the page must also build where there is no Node.

use crate::cache::{Cache, remove};
use crate::module::Module;
use crate::page;
use crate::run::Run;
use crate::say::{OrSay, Outcome, Trouble, doing, how_big};
use crate::stamp::{Stamp, collect, sha256_hex};
use crate::tools;
use crate::workshop::Workshop;
use crate::workspace::{MONEY, PAGE};
use std::fs;
use std::path::{Path, PathBuf};

/// The cargo profile of the page and of the JavaScript package, from the root Cargo.toml.
pub(crate) const PROFILE: &str = "web";

/// What wasm-opt may use: what rustc and every browser since 2022 know. With all of Binaryen's
/// features on, it writes modules that Chromium refuses.
const WASM_OPT: [&str; 7] = [
    "-Oz",
    "--enable-bulk-memory",
    "--enable-reference-types",
    "--enable-mutable-globals",
    "--enable-sign-ext",
    "--enable-nontrapping-float-to-int",
    "--enable-multivalue",
];

/// The file that names the relays, beside index.html.
const RELAYS: &str = "relays.json";

/// What the names of the money module's files begin with until they are named by their content.
const MONEY_STEM: &str = "haggle-money-0";

/// The market that a site is for unless the person says otherwise.
const NETWORK: &str = "haggle";

/// Kinds of files that shrink when compressed; pictures and fonts do not.
const SHRINKING: [&str; 6] = ["css", "html", "js", "svg", "wasm", "webmanifest"];

/// How many hexadecimal digits of a content hash stand in a file's name: 64 bits, as in Trunk.
const NAME_DIGITS: usize = 16;

/// Where the peers of an exported site begin.
#[derive(Debug, Default)]
pub(crate) struct Bootstrap {
    /// The name of the market, if not the public one.
    pub(crate) network: Option<String>,
    /// Addresses of relays.
    pub(crate) relays: Vec<String>,
    /// STUN servers, as `stun:host:port`.
    pub(crate) stun: Vec<String>,
}

/// Builds the site if its sources changed, and gives back its folder. It names no relays.
pub(crate) fn build(shop: &Workshop) -> Outcome<PathBuf> {
    let folder = shop.workspace.target.join("site");
    let note = shop.workspace.target.join("site.stamp");
    let wasm_bindgen = shop.wasm_bindgen()?;
    let trunk = tools::trunk(&shop.cache)?;
    let stamp = stamp(shop, &[&wasm_bindgen, &trunk])?;
    if folder.join("index.html").is_file()
        && fs::read_to_string(&note).is_ok_and(|old| old == stamp)
    {
        doing("the site is up to date");
        return Ok(folder);
    }

    Cache::make(&folder, |draft| {
        assemble(shop, &trunk, &wasm_bindgen, draft)?;
        add_money(shop, draft)?;
        finish(shop, draft)?;
        check(draft)?;
        pack(draft)
    })?;
    fs::write(&note, stamp).or_say(|| format!("write {}", note.display()))?;
    Ok(folder)
}

/// Leaves the site, with these relays in it, in a folder of the caller's choice.
pub(crate) fn export(shop: &Workshop, out: Option<&Path>, begin: &Bootstrap) -> Outcome<PathBuf> {
    let built = build(shop)?;
    let out = match out {
        Some(out) => out.to_path_buf(),
        None => shop.workspace.target.join("site-export"),
    };
    copy(&built, &out)?;
    write_relays(&out, begin)?;
    Ok(out)
}

/// Leaves a copy of a built site that names a mint of play money. Only `cargo xtask up` serves such a one.
pub(crate) fn with_play_money(built: &Path, out: &Path, mint: &str) -> Outcome {
    copy(built, out)?;
    let index = Path::new("index.html");
    let html = page::with_play_money(&read_text(&out.join(index))?, mint)
        .map_err(|why| Trouble::new(format!("the page cannot name play money: {why}")))?;
    // Browsers that take it are sent the compressed twin instead.
    let twin = out.join(twin_of(index));
    fs::write(&twin, brotli_of(html.as_bytes())?).or_say(|| format!("write {}", twin.display()))?;
    let index = out.join(index);
    fs::write(&index, html).or_say(|| format!("write {}", index.display()))
}

fn copy(built: &Path, out: &Path) -> Outcome {
    make_room(out)?;
    for file in files(built)? {
        let from = built.join(&file);
        let to = out.join(&file);
        let parent = to.parent().unwrap_or(out);
        fs::create_dir_all(parent).or_say(|| format!("create {}", parent.display()))?;
        fs::copy(&from, &to).or_say(|| format!("copy {}", from.display()))?;
    }
    Ok(())
}

/// Prints the size of each file, raw and as a server with the best compression would send it.
pub(crate) fn print_sizes(folder: &Path) -> Outcome {
    let (mut start, mut later) = ((0, 0), (0, 0));
    println!("{:>10}  {:>10}  file", "raw", "brotli");
    for (file, raw, packed) in sizes(folder)? {
        println!("{:>10}  {:>10}  {file}", how_big(raw), how_big(packed));
        let sum = if file.starts_with(MONEY) {
            &mut later
        } else {
            &mut start
        };
        *sum = (sum.0 + raw, sum.1 + packed);
    }
    for ((raw, packed), when) in [(start, "at the start"), (later, "when money is first used")] {
        let (raw, packed) = (how_big(raw), how_big(packed));
        println!("{raw:>10}  {packed:>10}  in all, {when}");
    }
    Ok(())
}

/// Each file of a site with its raw and its compressed size in bytes.
pub(crate) fn sizes(folder: &Path) -> Outcome<Vec<(String, u64, u64)>> {
    files(folder)?
        .into_iter()
        .filter(|file| file.extension().is_none_or(|extension| extension != "br"))
        .map(|file| {
            let bytes = read(&folder.join(&file))?;
            let packed = match fs::metadata(folder.join(twin_of(&file))) {
                Ok(twin) => twin.len(),
                Err(_) => brotli_of(&bytes)?.len() as u64,
            };
            Ok((file.display().to_string(), bytes.len() as u64, packed))
        })
        .collect()
}

/// All that the site is made from: its crates, the manifests, the tools, and this program itself.
fn stamp(shop: &Workshop, tools: &[&PathBuf]) -> Outcome<String> {
    let root = &shop.workspace.root;
    let mut stamp = Stamp::new().value(&shop.wasm()?.version()?);
    let sources = [PAGE, MONEY].map(|name| shop.workspace.sources_of(name));
    for package in sources.into_iter().flatten() {
        stamp = stamp.files(
            &package.folder,
            &["target", "dist", "tests", "benches", "fuzz"],
        )?;
    }
    for file in [
        ".cargo/config.toml",
        "Cargo.toml",
        "Cargo.lock",
        "Trunk.toml",
        "crates/xtask/src/module.rs",
        "crates/xtask/src/page.rs",
        "crates/xtask/src/site.rs",
    ] {
        stamp = stamp.files(&root.join(file), &[])?;
    }
    for tool in tools {
        stamp = stamp.value(&tool.to_string_lossy());
    }
    let wasm_opt = shop.wasm_opt().map(|p| p.to_string_lossy().into_owned());
    Ok(stamp.value(&wasm_opt.unwrap_or_default()).finish())
}

/// Lets Trunk compile the page and gather its files in `draft`.
fn assemble(shop: &Workshop, trunk: &Path, wasm_bindgen: &Path, draft: &Path) -> Outcome {
    let page = shop.workspace.root.join("web/index.html");
    if !page.is_file() {
        return Err(Trouble::new(format!(
            "there is no {}; this checkout is incomplete",
            page.display()
        )));
    }
    let wasm = shop.wasm()?;
    doing("compiling the page (some minutes the first time) and gathering its files with Trunk");
    // What an earlier page left in Trunk's scratch folder would be gathered again.
    remove(&shop.workspace.target.join("wasm/wasm-bindgen"))?;
    // Without --release, or else Trunk would look for a wasm-opt of its own; the profile decides how
    // the page is compiled.
    let run = Run::new(trunk.join("trunk"))
        .args([
            "build",
            "--offline",
            "--locked",
            "--cargo-profile",
            PROFILE,
            "--dist",
        ])
        .arg(draft)
        .within(&shop.workspace.root)
        // Trunk takes a NO_COLOR of "1" for a malformed flag.
        .env_remove("NO_COLOR");
    wasm.around(run.path_first(&[wasm_bindgen])).openly()
}

/// Puts the module by which the page pays beside what Trunk gathered.
fn add_money(shop: &Workshop, draft: &Path) -> Outcome {
    doing("compiling the module that the page loads when money is first used");
    let module = Module {
        krate: MONEY,
        name: MONEY_STEM,
        typed: false,
        has_c: true,
    };
    module.bind(shop, &module.compile(shop)?, draft)
}

/// Turns what was gathered into what is served.
fn finish(shop: &Workshop, draft: &Path) -> Outcome {
    let index = draft.join("index.html");
    let mut html = read_text(&index)?;
    let mut money = None;
    for file in files(draft)? {
        let name = file.display().to_string();
        let Some(stem) = name.strip_suffix("_bg.wasm") else {
            continue;
        };
        shrink(shop, &draft.join(&name))?;
        let renamed = name_by_content(draft, stem)?;
        let wasm = format!("{renamed}_bg.wasm");
        let integrity = page::integrity(&read(&draft.join(&wasm))?);
        if stem == MONEY_STEM {
            let js = format!("{renamed}.js");
            let hash = page::integrity(&read(&draft.join(&js))?);
            money = Some(page::Later {
                js: (js, hash),
                wasm: (wasm, integrity),
            });
            continue;
        }
        html = html.replace(stem, &renamed);
        html = page::with_integrity(&html, &wasm, &integrity);
        html = page::with_checked_fetch(&html, &wasm, &integrity);
    }
    let money = money.ok_or_else(|| Trouble::new(format!("{MONEY} left no module")))?;
    let html = page::with_later(&html, MONEY, &money)
        .and_then(|html| page::with_checked_modules(&html))
        .and_then(|html| page::with_policy(&html))
        .map_err(|why| Trouble::new(format!("web/index.html cannot be finished: {why}")))?;
    fs::write(&index, html).or_say(|| format!("write {}", index.display()))?;
    write_relays(draft, &Bootstrap::default())
}

/// Makes a WebAssembly file smaller in place, where the tool for it is at hand.
pub(crate) fn shrink(shop: &Workshop, file: &Path) -> Outcome {
    let Some(wasm_opt) = shop.wasm_opt() else {
        return Ok(());
    };
    let before = read(file)?.len() as u64;
    Run::new("node")
        .arg(wasm_opt)
        .args(WASM_OPT)
        .arg(file)
        .arg("-o")
        .arg(file)
        .silently()?;
    let after = read(file)?.len() as u64;
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    doing(format!(
        "wasm-opt made {name} smaller: {} to {}",
        how_big(before),
        how_big(after)
    ));
    Ok(())
}

/// Renames the files `<stem>…` (the program and the JavaScript around it) after a hash of what they
/// hold now, so that a browser's cache never mixes two builds. Gives back the new stem.
fn name_by_content(draft: &Path, stem: &str) -> Outcome<String> {
    let parts: Vec<String> = files(draft)?
        .iter()
        .filter_map(|file| file.to_string_lossy().strip_prefix(stem).map(str::to_owned))
        .collect();
    let mut stamp = Stamp::new();
    for part in &parts {
        stamp = stamp.value(&sha256_hex(&read(&draft.join(format!("{stem}{part}")))?));
    }
    let digits = stamp.finish();
    let base = stem.rsplit_once('-').map_or(stem, |(base, _)| base);
    let renamed = format!("{base}-{}", &digits[..NAME_DIGITS]);
    for part in parts {
        let (from, to) = (format!("{stem}{part}"), format!("{renamed}{part}"));
        fs::rename(draft.join(&from), draft.join(&to)).or_say(|| format!("rename {from}"))?;
    }
    Ok(renamed)
}

/// Every integrity hash of the page must be that of the file it stands for; a browser would refuse
/// the page otherwise.
fn check(site: &Path) -> Outcome {
    let html = read_text(&site.join("index.html"))?;
    for (file, promised) in page::promised(&html) {
        let found = page::integrity(&read(&site.join(&file))?);
        if found != promised {
            return Err(Trouble::new(format!(
                "index.html promises {promised} for {file}, whose hash is {found}"
            )));
        }
    }
    Ok(())
}

fn write_relays(site: &Path, begin: &Bootstrap) -> Outcome {
    let list = serde_json::json!({
        "network": begin.network.as_deref().unwrap_or(NETWORK),
        "relays": begin.relays,
        "stun": begin.stun,
    });
    fs::write(site.join(RELAYS), format!("{list:#}\n")).or_say(|| format!("write {RELAYS}"))
}

/// Puts a compressed twin (`<file>.br`) beside each file that gets smaller by it: the relay sends it
/// to browsers that take it, and so do many static hosts; others pass it over.
fn pack(site: &Path) -> Outcome {
    for file in files(site)? {
        let shrinks = file
            .extension()
            .is_some_and(|e| SHRINKING.iter().any(|known| e == *known));
        if !shrinks {
            continue;
        }
        let bytes = read(&site.join(&file))?;
        let packed = brotli_of(&bytes)?;
        if packed.len() < bytes.len() {
            let twin = site.join(twin_of(&file));
            fs::write(&twin, packed).or_say(|| format!("write {}", twin.display()))?;
        }
    }
    Ok(())
}

fn twin_of(file: &Path) -> PathBuf {
    PathBuf::from(format!("{}.br", file.display()))
}

/// Empties the folder that an export goes to, if what is there is an older export; anything else is
/// left alone.
fn make_room(out: &Path) -> Outcome {
    let occupied = fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_some());
    if occupied && !(out.join("index.html").is_file() && out.join(RELAYS).is_file()) {
        return Err(Trouble::new(format!(
            "{} holds something that is not a site; name an empty or a new folder by --out",
            out.display()
        )));
    }
    remove(out)?;
    fs::create_dir_all(out).or_say(|| format!("create {}", out.display()))
}

/// The files of a site, relative to it, in order.
fn files(site: &Path) -> Outcome<Vec<PathBuf>> {
    let mut found = Vec::new();
    collect(site, &[], &mut found)?;
    let mut relative: Vec<_> = found
        .iter()
        .filter_map(|f| f.strip_prefix(site).ok())
        .map(PathBuf::from)
        .collect();
    relative.sort();
    Ok(relative)
}

fn read(file: &Path) -> Outcome<Vec<u8>> {
    fs::read(file).or_say(|| format!("read {}", file.display()))
}

fn read_text(file: &Path) -> Outcome<String> {
    fs::read_to_string(file).or_say(|| format!("read {}", file.display()))
}

/// The bytes after brotli at its highest level with the usual window of 4 MB.
fn brotli_of(bytes: &[u8]) -> Outcome<Vec<u8>> {
    let mut packed = Vec::new();
    let parameters = brotli::enc::BrotliEncoderParams {
        quality: 11,
        lgwin: 22,
        ..Default::default()
    };
    brotli::BrotliCompress(&mut &*bytes, &mut packed, &parameters)
        .or_say(|| "compress a file".into())?;
    Ok(packed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder =
            std::env::temp_dir().join(format!("haggle-site-{name}-{}", std::process::id()));
        remove(&folder).unwrap();
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn files_are_named_by_what_they_hold() {
        let site = folder("names");
        let build = |program: &str| {
            fs::write(site.join("app-0_bg.wasm"), program).unwrap();
            fs::write(site.join("app-0.js"), "js").unwrap();
            fs::write(site.join("style-0.css"), "css").unwrap();
            let stem = name_by_content(&site, "app-0").unwrap();
            assert!(site.join(format!("{stem}_bg.wasm")).is_file());
            assert!(site.join(format!("{stem}.js")).is_file());
            assert!(site.join("style-0.css").is_file());
            stem
        };
        let first = build("one");
        assert_eq!(first.len(), "app-".len() + NAME_DIGITS);
        assert_eq!(first, build("one"));
        assert_ne!(first, build("two"));
        remove(&site).unwrap();
    }

    #[test]
    fn a_wrong_integrity_hash_is_found_before_a_browser_finds_it() {
        let site = folder("check");
        fs::write(site.join("a.js"), "js").unwrap();
        let page = |hash: &str| {
            let html = format!("<link href=\"./a.js\" integrity=\"{hash}\">");
            fs::write(site.join("index.html"), html).unwrap();
            check(&site)
        };
        page(&page::integrity(b"js")).unwrap();
        assert!(
            page(&page::integrity(b"other"))
                .unwrap_err()
                .to_string()
                .contains("a.js")
        );

        fs::write(site.join("m.wasm"), "wasm").unwrap();
        let later = |wasm: &[u8]| {
            let later = page::Later {
                js: ("a.js".into(), page::integrity(b"js")),
                wasm: ("m.wasm".into(), page::integrity(wasm)),
            };
            let html = page::with_later("<head></head>", "m", &later).unwrap();
            fs::write(site.join("index.html"), html).unwrap();
            check(&site)
        };
        later(b"wasm").unwrap();
        assert!(later(b"other").unwrap_err().to_string().contains("m.wasm"));
        remove(&site).unwrap();
    }

    #[test]
    fn an_export_never_empties_a_folder_that_is_not_a_site() {
        let home = folder("home");
        fs::write(home.join("letter.txt"), "dear").unwrap();
        assert!(make_room(&home).is_err());
        assert!(home.join("letter.txt").is_file());

        fs::write(home.join("index.html"), "").unwrap();
        write_relays(&home, &Bootstrap::default()).unwrap();
        make_room(&home).unwrap();
        assert!(!home.join("letter.txt").exists());
        remove(&home).unwrap();
    }

    #[test]
    fn play_money_is_named_in_a_copy_for_it_and_in_no_other() {
        let (built, plain, play) = (folder("built"), folder("plain"), folder("play"));
        let html = "<html><head><meta charset=\"utf-8\"></head></html>";
        fs::write(built.join("index.html"), html).unwrap();
        fs::write(
            built.join("index.html.br"),
            brotli_of(html.as_bytes()).unwrap(),
        )
        .unwrap();
        write_relays(&built, &Bootstrap::default()).unwrap();
        copy(&built, &plain).unwrap();
        with_play_money(&built, &play, "http://127.0.0.1:8788").unwrap();
        // Again, over what the last time has left.
        with_play_money(&built, &play, "http://127.0.0.1:8788").unwrap();
        for site in [&built, &plain] {
            assert_eq!(read_text(&site.join("index.html")).unwrap(), html);
        }
        let named = read_text(&play.join("index.html")).unwrap();
        let meta = format!(
            "<meta name=\"{}\" content=\"http://127.0.0.1:8788\">",
            page::PLAY_MONEY
        );
        assert_eq!(named.matches(&meta).count(), 1, "{named}");
        assert_eq!(named.replace(&meta, ""), html, "nothing else changed");
        let mut twin = Vec::new();
        let packed = read(&play.join("index.html.br")).unwrap();
        brotli::BrotliDecompress(&mut &*packed, &mut twin).unwrap();
        assert_eq!(twin, named.as_bytes());
        for site in [built, plain, play] {
            remove(&site).unwrap();
        }
    }

    #[test]
    fn the_page_knows_the_name_under_which_play_money_is_named_and_its_source_names_none() {
        let web = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web");
        let name = format!("meta[name={}]", page::PLAY_MONEY);
        assert!(
            read_text(&web.join("src/browser.rs"))
                .unwrap()
                .contains(&name)
        );
        assert!(
            !read_text(&web.join("index.html"))
                .unwrap()
                .contains(page::PLAY_MONEY)
        );
    }

    #[test]
    fn the_relays_stand_in_one_json_file() {
        let site = folder("relays");
        let begin = Bootstrap {
            relays: vec!["/ip4/127.0.0.1/tcp/4000/ws".into()],
            ..Bootstrap::default()
        };
        write_relays(&site, &begin).unwrap();
        let text = read_text(&site.join(RELAYS)).unwrap();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(json["network"], "haggle");
        assert_eq!(json["relays"][0], "/ip4/127.0.0.1/tcp/4000/ws");
        remove(&site).unwrap();
    }

    #[test]
    fn files_that_shrink_get_a_compressed_twin_which_counts_as_the_same_file() {
        let site = folder("pack");
        fs::write(site.join("a.js"), [b'a'; 10_000]).unwrap();
        fs::write(site.join("b.js"), "b").unwrap();
        fs::write(site.join("c.png"), [b'c'; 10_000]).unwrap();
        pack(&site).unwrap();
        assert!(site.join("a.js.br").is_file());
        assert!(!site.join("b.js.br").exists(), "it would be larger");
        assert!(
            !site.join("c.png.br").exists(),
            "pictures are compressed already"
        );
        let sizes = sizes(&site).unwrap();
        assert_eq!(sizes.len(), 3);
        assert_eq!((sizes[0].0.as_str(), sizes[0].1), ("a.js", 10_000));
        assert!(sizes[0].2 < 100);
        remove(&site).unwrap();
    }
}
