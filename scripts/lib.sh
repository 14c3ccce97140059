# Shared by the scripts here: where things are, how to speak, where tools are found.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
user_cache=${XDG_CACHE_HOME:-${HOME:?is not set, and neither is XDG_CACHE_HOME}/.cache}
cache=${AMEND_CACHE:-$user_cache/amend} # libraries, source, tools: all of it can be made again
models=$user_cache/amend/models
[[ $cache == /* && $models == /* ]] || {
    echo "AMEND_CACHE and XDG_CACHE_HOME must be absolute paths, not $cache and $user_cache" >&2
    exit 2
}

# shellcheck source=third_party/llama.env
source "$root/third_party/llama.env"

# A caller's PATH may leave out where the system keeps its tools; what scripts/need installed for
# this project alone comes last.
export PATH="$PATH:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin:/usr/local/go/bin:/usr/local/cuda/bin:/opt/homebrew/bin:$cache/tools/bin"

# A git hook that calls make sets these, and they would point our git commands at its repository.
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_OBJECT_DIRECTORY GIT_PREFIX

# The linker's flags for what finds libraries beside itself: that folder goes before LD_LIBRARY_PATH, which may name
# another llama.cpp. Apple's linker has no such flag.
# shellcheck disable=SC2034 # for those who source this
case $(uname -s) in
Darwin) own_first= ;;
*) own_first=-Wl,--disable-new-dtags ;;
esac

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() {
    say "$*"
    exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

sha256() { if have sha256sum; then sha256sum "$@"; else shasum -a 256 "$@"; fi | cut -d ' ' -f 1; }

# cxx prints the C++ compiler that cmake will take.
cxx() {
    local compiler
    for compiler in "${CXX:-c++}" g++ clang++; do
        if have "$compiler"; then break; fi
    done
    echo "$compiler"
}

# run_pip ARGUMENT...: the first pip that works (a version manager's may be there and not start).
run_pip() {
    local pip
    for pip in pip3 pip /usr/bin/pip3 'python3 -m pip'; do
        # shellcheck disable=SC2086 # the last one is three words
        if $pip --version >/dev/null 2>&1; then
            $pip "$@"
            return
        fi
    done
    return 127
}

run_python() {
    local python
    for python in python3 /usr/bin/python3; do
        if "$python" --version >/dev/null 2>&1; then
            "$python" "$@"
            return
        fi
    done
    return 127
}

# go_environment sets what go and what it starts need for the cgo package.
go_environment() {
    # Test binaries have no rpath, because it would be an absolute one. (These must be set by the
    # very process that starts go: macOS takes the second away on the way through /bin/sh.)
    export LD_LIBRARY_PATH="$root/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
    export DYLD_LIBRARY_PATH="$root/lib${DYLD_LIBRARY_PATH:+:$DYLD_LIBRARY_PATH}"

    # Go's build cache does not see headers outside a package's folder. Their hash in a flag makes
    # it compile again when one has changed.
    if [[ ${CGO_ENABLED:-1} != 0 && -f $root/lib/include/llama.h ]]; then
        CGO_CFLAGS="${CGO_CFLAGS:--O2 -g} -DAMEND_HEADERS=$(cat "$root"/lib/include/*.h | sha256 - | cut -c 1-12)"
        export CGO_CFLAGS
    fi
}

# find_model FILE: prints where FILE lies: in a folder of AMEND_MODELS or, also when it is nowhere, in ours.
find_model() {
    local given dir
    IFS=: read -r -a given <<<"${AMEND_MODELS:-}"
    for dir in ${given[@]+"${given[@]}"} "$models"; do
        [[ ! $dir || ! -f $dir/$1 ]] || break
    done
    echo "$dir/$1"
}

# wheels REQUIREMENTS DIR: downloads the pinned wheels that fit this machine and unpacks them into
# DIR. Nothing is installed: pip only fetches and checks the hashes, so no Python environment of
# the user is touched, and one that is managed by the system does not object. (Every step says
# what its failure does: set -e is off in a function whose result the caller asks for.)
wheels() {
    local requirements=$1 dir=$2 wheel
    mkdir -p "$dir/.wheels"
    run_pip --disable-pip-version-check --quiet download --no-deps --only-binary=:all: \
        --require-hashes --requirement "$requirements" --dest "$dir/.wheels" >&2 || return 1
    for wheel in "$dir/.wheels"/*.whl; do
        run_python -m zipfile -e "$wheel" "$dir" || unzip -q -o "$wheel" -d "$dir" || return 1
    done
    rm -rf "$dir/.wheels"
}

# lock FILE: waits until no other script holds FILE; it is held until this script ends. A lock by
# directory, where there is no flock(1), is taken over when its owner is gone.
lock() {
    mkdir -p "$(dirname "$1")"
    if have flock; then
        exec 9>"$1"
        flock -n 9 || {
            say "waiting for another process that is doing the same (lock: $1)"
            flock 9
        }
        return
    fi
    local owner
    until mkdir "$1.d" 2>/dev/null; do
        owner=$(cat "$1.d/pid" 2>/dev/null || true)
        if [[ -n $owner ]] && ! kill -0 "$owner" 2>/dev/null; then
            rm -rf "$1.d"
        else
            sleep 1
        fi
    done
    echo $$ >"$1.d/pid"
    remove_at_exit "$1.d"
}

leftovers=()
remove_at_exit() {
    leftovers+=("$@")
    trap 'rm -rf "${leftovers[@]}"' EXIT
}
