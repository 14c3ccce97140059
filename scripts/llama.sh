# What the scripts that compile llama.cpp share: its patched source and how to build in the cache.
# shellcheck shell=bash
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# Libraries find each other in the folder where they lie, wherever that is.
# shellcheck disable=SC2034 # for those who source this
case $(uname -s) in
Darwin) origin=@loader_path ;;
*) origin=\$ORIGIN ;;
esac

# What the compiler is and where it makes code for; libraries of one are not for another.
compiler() {
    uname -sm
    "$(cxx)" --version | sed -n 1p
    getconf GNU_LIBC_VERSION 2>/dev/null || true
}

# Which CPU a native build is for.
cpu() {
    if [[ -r /proc/cpuinfo ]]; then
        grep -m 4 -E '^(model name|flags|Features|CPU part|isa)' /proc/cpuinfo | sort -u
    else
        sysctl -n machdep.cpu.brand_string
    fi
}

# source_key TREE PATCH...: names a llama.cpp source with patches applied.
source_key() {
    local tree=$1
    shift
    echo "$LLAMA_VERSION-$({ echo "$tree" && cat /dev/null "$@"; } | sha256 - | cut -c 1-12)"
}

# patched_source DIR PATCH...: the pinned tree with our patches, without its models and its
# repository, in DIR.
patched_source() {
    local dir=$1 partial=$1.partial.$$ patch
    shift
    [[ ! -d $dir ]] || return 0
    mkdir -p "$partial"
    remove_at_exit "$partial"
    (cd "$root/third_party/llama.cpp" && tar -cf - --exclude=.git --exclude=./models .) | tar -xf - -C "$partial"
    for patch; do
        say "applying ${patch##*/}"
        # Not as part of a repository that the cache may happen to lie in.
        (cd "$partial" && GIT_CEILING_DIRECTORIES=$(dirname "$dir") git apply "$patch") ||
            die "$patch does not apply to llama.cpp $LLAMA_VERSION"
    done
    mv "$partial" "$dir"
}

# compile SRC SOURCE DIR LOG TARGETS FLAG...: configures SOURCE and builds TARGETS (words) of it in
# DIR. The result depends on no git repository around SOURCE and holds no path of this machine: that
# of SRC, the llama.cpp tree, is left out.
compile() {
    local source=$2 dir=$3 log=$4 targets=$5 map="-ffile-prefix-map=$1/="
    shift 5
    {
        # shellcheck disable=SC2086 # one word a target
        GIT_DIR=/nonexistent CFLAGS="${CFLAGS:-} $map" CXXFLAGS="${CXXFLAGS:-} $map" \
            cmake -G Ninja -S "$source" -B "$dir" "$@" &&
            cmake --build "$dir" --target $targets
    } 9>&- 2>&1 | progress "$log" || {
        tail -n 30 "$log" >&2
        die "building $targets failed; the whole log is $log"
    }
}

# progress LOG: keeps the output in LOG and shows on a terminal how far ninja is.
progress() {
    local line
    if [[ ! -t 2 ]]; then
        cat >"$1"
        return
    fi
    while IFS= read -r line; do
        printf '%s\n' "$line" >&3
        [[ ! $line =~ ^\[([0-9]+/[0-9]+)\] ]] || printf '\r  %s ' "${BASH_REMATCH[1]}" >&2
    done 3>"$1"
    printf '\r' >&2
}

# put FILE DIR: copies FILE into DIR unless the same is there. A file is replaced, never written
# into: a program that runs with the old library keeps it.
put() {
    local from=$1 to=$2/${1##*/}
    if [[ -L $from ]]; then
        [[ -L $to && $(readlink "$from") == "$(readlink "$to")" ]] || ln -sfn "$(readlink "$from")" "$to"
    elif [[ -L $to ]] || ! cmp -s "$from" "$to"; then
        cp "$from" "$to.new"
        mv -f "$to.new" "$to"
    fi
}
