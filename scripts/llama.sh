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

# library PATCH...: what the shared libraries of llama.cpp with these patches are made of and with, and
# where the cache has them: sets common_flags, flags, compiler, source_key, src, key and built. They
# are portable where $portable says so (see build-llama).
library() {
    local name=$LLAMA_VERSION backend
    patches=("$@")
    common_flags=(-DCMAKE_BUILD_TYPE=Release -DCMAKE_BUILD_WITH_INSTALL_RPATH=ON "-DCMAKE_INSTALL_RPATH=$origin"
        "-DCMAKE_SHARED_LINKER_FLAGS=${LDFLAGS:-} $own_first" "-DCMAKE_MODULE_LINKER_FLAGS=${LDFLAGS:-} $own_first")
    [[ ${CUDA:-} != 1 ]] || have nvcc || die "CUDA=1 needs nvcc: install the CUDA toolkit and put its bin folder into PATH"
    # Without OpenMP: its threads spin for milliseconds at a barrier, which other programs on the same CPUs
    # make many times as long. ggml's own threads sleep (third_party/patches/0008).
    flags=(
        -DGGML_OPENMP=OFF
        -DBUILD_SHARED_LIBS=ON -DLLAMA_BUILD_IS_DEV=OFF "-DLLAMA_BUILD_COMMIT=${LLAMA_TREE:0:8}"
        -DLLAMA_BUILD_COMMON=OFF -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_TOOLS=OFF
        -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_SERVER=OFF -DLLAMA_BUILD_APP=OFF
    )
    if [[ ${portable:-} ]]; then
        flags+=(-DGGML_NATIVE=OFF -DGGML_BACKEND_DL=ON -DGGML_CPU_ALL_VARIANTS=ON)
        name+=-portable
    else
        flags+=(-DGGML_NATIVE=ON)
        name+=-native
    fi
    for backend in CUDA VULKAN BLAS; do
        case ${!backend:-} in
        '' | 0) ;;
        1)
            flags+=("-DGGML_$backend=ON")
            name+=-$backend
            ;;
        *) die "$backend=${!backend}: give 1 or nothing" ;;
        esac
    done
    compiler=$(compiler)
    source_key=$(source_key "$LLAMA_TREE" ${patches[@]+"${patches[@]}"})
    key=$name-$({
        printf '%s\n' "$source_key" "$compiler" "${common_flags[@]}" "${flags[@]}" "${CFLAGS:-}" "${CXXFLAGS:-}"
        [[ ${portable:-} ]] || cpu
    } | sha256 - | cut -c 1-12)
    src=$cache/source/$source_key built=$cache/llama/$key
}

# build_library: builds what library has set. The cache's lock must be held.
build_library() {
    local partial=$built.partial.$$
    say "building llama.cpp ${key%-*}: $([[ ${portable:-} ]] && echo 'every CPU variant, many times three' || echo 'about three') minutes on two cores, once (log: $built.log)"
    patched_source "$src" ${patches[@]+"${patches[@]}"}
    mkdir -p "$partial/lib" "$partial/include"
    remove_at_exit "$partial"
    compile "$src" "$src" "$partial/build" "$built.log" llama "${common_flags[@]}" "${flags[@]}"
    cp -RP "$partial"/build/bin/lib*.{so,so.*,dylib} "$partial/lib"
    cp "$src/include/llama.h" "$src"/ggml/include/{ggml*,gguf}.h "$partial/include"
    rm -rf "$partial/build"
    mv "$partial" "$built"
}
