//! Makes a list of the page's files, so that the binary holds them.
//!
//! `make console` writes them, with a `.gz` and a `.br` of each beside it; where there are none, there is no page.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("assets");
    println!("cargo:rerun-if-changed=assets");
    println!("cargo:rerun-if-changed=build.rs");
    let mut files = Vec::new();
    if root.is_dir() {
        find(&root, &mut files)?;
    }
    files.sort();
    let mut list = "static ASSETS: &[Asset] = &[\n".to_owned();
    for file in &files {
        let tag = tag(&fs::read(file)?);
        let path = file.strip_prefix(&root).unwrap_or(file);
        let packed = |ending: &str| {
            let packed = PathBuf::from(format!("{}.{ending}", file.display()));
            if packed.is_file() {
                format!(
                    "Some({})",
                    included(packed.strip_prefix(&root).unwrap_or(&packed))
                )
            } else {
                "None".to_owned()
            }
        };
        let entry = format!(
            "    Asset {{ path: {:?}, tag: \"{:016x}\", plain: {}, gzip: {}, brotli: {} }},",
            path.to_string_lossy(),
            tag,
            included(path),
            packed("gz"),
            packed("br"),
        );
        writeln!(list, "{entry}").map_err(io::Error::other)?;
    }
    list.push_str("];\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    fs::write(out.join("assets.rs"), list)
}

/// The content of a file, by where the crate is when it is compiled: another checkout may use the same target folder.
fn included(path: &Path) -> String {
    let path = format!("/assets/{}", path.to_string_lossy());
    format!("include_bytes!(concat!(env!(\"CARGO_MANIFEST_DIR\"), {path:?}))")
}

/// Changes when the content does: FNV-1a, which is no secret and keeps none.
fn tag(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}

/// Every file but those that are another one compressed, and notes for people.
fn find(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let ending = path.extension().and_then(|ending| ending.to_str());
        if path.is_dir() {
            find(&path, files)?;
        } else if !matches!(ending, Some("gz" | "br" | "md")) {
            files.push(path);
        }
    }
    Ok(())
}
