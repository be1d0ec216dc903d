//! A program that Go builds once from its module, kept under `target`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{self, Command},
    time::Duration,
};

use anyhow::Context;

use crate::{installed, program};

const GO_FIX: &str = "install Go 1.21 or newer (https://go.dev/dl), which builds Jaeger";
const FETCHED_WITHIN: Duration = Duration::from_secs(600);
/// Alone on two cores it takes three minutes.
const BUILT_WITHIN: Duration = Duration::from_secs(1_800);

/// A package of a module.
pub(crate) struct GoModule {
    name: &'static str,
    module: &'static str,
    version: &'static str,
    package: &'static str,
}

/// The last Jaeger of the line that is one small program.
pub(crate) const JAEGER: GoModule = GoModule {
    name: "jaeger",
    module: "github.com/jaegertracing/jaeger",
    version: "v1.76.0",
    package: "./cmd/all-in-one",
};

impl GoModule {
    /// The program. It is built in the module's own folder, whose `go.mod` and `go.sum` name every
    /// version of what it is made of; another version is another file.
    pub(crate) fn program(&self, cache: &Path) -> anyhow::Result<PathBuf> {
        let Self { name, module, version, package } = self;
        let kept = cache.join(format!("{name}-{version}"));
        if kept.is_file() {
            return Ok(kept);
        }
        let go = installed::needed("go", GO_FIX)?;
        fs::create_dir_all(cache)?;
        let fetched = cache.join("fetched.log");
        let mut fetch = Command::new(&go);
        fetch.args(["mod", "download", "-json", &format!("{module}@{version}")]);
        fetch.current_dir(cache);
        program::run(&mut fetch, &fetched, FETCHED_WITHIN)
            .with_context(|| format!("Go does not fetch {module}"))?;
        let folder = folder_of(&fs::read_to_string(&fetched)?)
            .with_context(|| format!("no folder of {module} in {}", fetched.display()))?;
        // Another run may build the same at this moment.
        let unfinished = cache.join(format!("unfinished-{}", process::id()));
        let mut build = Command::new(&go);
        build.args(["build", "-trimpath", "-o"]).arg(&unfinished).arg(package);
        build.current_dir(folder);
        program::run(&mut build, &cache.join("built.log"), BUILT_WITHIN)
            .with_context(|| format!("Go does not build {module}"))?;
        fs::rename(unfinished, &kept)?;
        Ok(kept)
    }
}

/// The folder in what `go mod download -json` says, among lines about what it did.
fn folder_of(said: &str) -> Option<PathBuf> {
    let dir =
        |line: &str| line.trim().strip_prefix("\"Dir\": \"")?.strip_suffix("\",").map(Into::into);
    said.lines().find_map(dir)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_built_before_is_taken_and_go_is_not_asked() {
        let cache = tempfile::tempdir().unwrap();
        let kept = cache.path().join("jaeger-v1.76.0");
        fs::write(&kept, "").unwrap();
        assert_eq!(JAEGER.program(cache.path()).unwrap(), kept);
    }

    #[test]
    fn the_folder_is_found_between_lines_of_progress() {
        let said = "go: downloading github.com/a/b v1.0.0\n{\n\t\"Path\": \"github.com/a/b\",\n\
                    \t\"Dir\": \"/go/pkg/mod/github.com/a/b@v1.0.0\",\n\t\"Sum\": \"h1:x\"\n}\n";
        let folder = PathBuf::from("/go/pkg/mod/github.com/a/b@v1.0.0");
        assert_eq!(folder_of(said), Some(folder));
        assert_eq!(folder_of("{ \"Error\": \"no such module\" }"), None);
    }
}
