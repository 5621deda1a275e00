//! The migrations are inside the binary: build again when one is added. And the list of the steps where a process can be
//! made to die (`failpoint("…")`), gathered from the sources, so that none is forgotten by `kalel trial`.

use std::{collections::BTreeSet, env, fs, io, path::Path};

const CRATES: [&str; 4] = ["eventstore", "projections", "workers", "api"];

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=../migrations");
    let mut names = BTreeSet::new();
    for name in CRATES {
        println!("cargo:rerun-if-changed=../{name}/src");
        gather(&Path::new("..").join(name).join("src"), &mut names)?;
    }
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("no OUT_DIR"))?;
    let list: String = names.iter().map(|name| format!("    {name:?},\n")).collect();
    fs::write(Path::new(&out).join("failpoints.rs"), format!("&[\n{list}]\n"))
}

/// Every name in a call of `failpoint`: in the brackets, whatever decides which of several it is.
fn gather(folder: &Path, names: &mut BTreeSet<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            gather(&path, names)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path)?;
            for line in text.lines().map(str::trim_start).filter(|line| line.starts_with("failpoint(")) {
                let quoted = line.split('"').skip(1).step_by(2);
                names.extend(quoted.map(str::to_owned));
            }
        }
    }
    Ok(())
}
