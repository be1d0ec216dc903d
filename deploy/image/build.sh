#!/usr/bin/env bash
# What the image's build does, step by step; the Dockerfile runs nothing else. Natively:
#
#   deploy/image/build.sh all OUT       # the four binaries in OUT, as they are in the image
#
# Steps: `skeleton DIR` makes a workspace with our manifests and no code of ours, so that
# `dependencies` compiles what changes seldom; `fresh` says that our code came later; `binaries OUT`
# compiles ours and puts them into OUT;
# `licences` checks what deny.toml says. PROFILE is Cargo's profile, `release` unless it is set.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
PROFILE=${PROFILE:-release}
BINARIES=(oms oms-order oms-inventory oms-payment)

# TLS to PostgreSQL, TLS and SASL to Kafka: on in every image.
build() {
  local arguments=(--locked --profile "$PROFILE")
  for binary in "${BINARIES[@]}"; do
    arguments+=(--package "$binary" --features "$binary/tls")
  done
  cargo build "${arguments[@]}"
}

skeleton() {
  local into=$1 manifest folder path
  mkdir -p "$into"
  cp "$root"/Cargo.toml "$root"/Cargo.lock "$root"/rust-toolchain.toml "$into"
  for manifest in "$root"/crates/*/Cargo.toml "$root"/e2e/Cargo.toml; do
    folder=$into/$(dirname "${manifest#"$root"/}")
    mkdir -p "$folder/src"
    cp "$manifest" "$folder"
    : > "$folder/src/lib.rs"
    [ -f "$(dirname "$manifest")/src/main.rs" ] && echo 'fn main() {}' > "$folder/src/main.rs"
    # Tests and benches that the manifest names have to be there.
    sed -n 's/^path = "\(.*\.rs\)"$/\1/p' "$manifest" | while read -r path; do
      mkdir -p "$folder/$(dirname "$path")"
      echo 'fn main() {}' > "$folder/$path"
    done
    sed -n '/^\[\[bench\]\]/,$ s/^name = "\(.*\)"/\1/p' "$manifest" | while read -r path; do
      mkdir -p "$folder/benches"
      echo 'fn main() {}' > "$folder/benches/$path.rs"
    done
  done
}

# What the skeleton compiled is older than every file of ours, whatever their times say.
fresh() {
  find "$root"/crates "$root"/proto -type f -exec touch {} +
}

binaries() {
  local out=$1 target binary
  build
  target=${CARGO_TARGET_DIR:-$root/target}/${PROFILE/#dev/debug}
  mkdir -p "$out"
  for binary in "${BINARIES[@]}"; do
    install -m 0755 "$target/$binary" "$out/$binary"
  done
}

licences() {
  if ! command -v cargo-deny > /dev/null; then
    echo "skipped: licences, sources and bans: cargo-deny is missing;" \
      "cargo install --locked cargo-deny" >&2
    return 0
  fi
  # Advisories come from the network and change without us: they are looked at apart.
  cargo deny --locked check bans licenses sources
}

step=${1:?skeleton, dependencies, fresh, binaries, licences or all}
case $step in
  skeleton | binaries | all)
    mkdir -p "${2:?a folder}"
    into=$(cd "$2" && pwd)
    ;;
esac
cd "$root"
case $step in
  skeleton) skeleton "$into" ;;
  dependencies) build ;;
  fresh) fresh ;;
  binaries) binaries "$into" ;;
  licences) licences ;;
  all)
    licences
    binaries "$into"
    ;;
  *)
    echo "no such step: $step" >&2
    exit 2
    ;;
esac
