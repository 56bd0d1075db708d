#!/usr/bin/env bash
# Installs what is needed from Debian 12's packages: the one list there is.
#
#   docker/install-deps.sh            to build and run everything, and the examples' data
#   docker/install-deps.sh --test     and what the tests need beyond that
#   docker/install-deps.sh --runtime  only what an installed fedserver needs to run
#   docker/install-deps.sh --arm64    and the cross compiler for arm64, its libraries, an emulator
#   docker/install-deps.sh --print    with any of these: names the packages, installs nothing
#
# Does nothing, and needs no network, if all of them are there. Needs root (or sudo) otherwise.
set -euo pipefail

build=(
  g++ cmake ninja-build pkg-config
  libgrpc++-dev libgrpc-dev protobuf-compiler protobuf-compiler-grpc libprotobuf-dev
  libssl-dev libabsl-dev zlib1g-dev
  libeigen3-dev libsqlite3-dev
  libcli11-dev libtomlplusplus-dev libspdlog-dev nlohmann-json3-dev
  dataset-fashion-mnist openssl
)
test=(
  libgtest-dev libgmock-dev libbenchmark-dev
  python3 python3-numpy
  clang-14 libclang-rt-14-dev clang-format-14
  ccache git sqlite3 systemd
)
runtime=(
  libgrpc++1.51 libprotobuf32 libssl3 libsqlite3-0 libspdlog1.10 libtomlplusplus3 zlib1g
)
# What is headers only is shared with the machine's own architecture.
arm64=(
  g++-aarch64-linux-gnu qemu-user libc6-dev:arm64
  libabsl-dev:arm64 libssl-dev:arm64 zlib1g-dev:arm64 libtomlplusplus-dev:arm64
  libgtest-dev:arm64 libgmock-dev:arm64
)

wanted=()
runtime_only=false
print=false
with_test=false
with_arm64=false
for argument in "$@"; do
  case "$argument" in
    --test) with_test=true ;;
    --runtime) runtime_only=true ;;
    --arm64) with_arm64=true ;;
    --print) print=true ;;
    *)
      echo "install-deps.sh: unknown option '$argument'; known are --test, --runtime, --arm64, --print" >&2
      exit 2
      ;;
  esac
done
if $runtime_only; then
  wanted=("${runtime[@]}")
else
  wanted=("${build[@]}")
  if $with_test; then wanted+=("${test[@]}"); fi
  if $with_arm64; then wanted+=("${arm64[@]}"); fi
fi

if $print; then
  printf '%s\n' "${wanted[@]}"
  exit 0
fi

# A line for each architecture that the package is installed for.
is_installed() {
  dpkg-query -W -f='${Architecture} ${db:Status-Status}\n' "$1" 2>/dev/null |
    grep -qxE "($(dpkg --print-architecture)|all|${1##*:}) installed"
}
missing=()
for package in "${wanted[@]}"; do
  if ! is_installed "$package"; then missing+=("$package"); fi
done
if [ ${#missing[@]} -eq 0 ]; then exit 0; fi

sudo=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "install-deps.sh: ${missing[*]} missing; run this as root, or install sudo" >&2
    exit 1
  fi
  sudo=(sudo)
fi
echo "installing ${#missing[@]} packages: ${missing[*]}" >&2
export DEBIAN_FRONTEND=noninteractive
if $with_arm64; then "${sudo[@]}" dpkg --add-architecture arm64; fi
if ! "${sudo[@]}" apt-get update -qq >&2 ||
  ! "${sudo[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2; then
  echo "install-deps.sh: apt-get could not install the packages above; see what it says" >&2
  exit 1
fi
