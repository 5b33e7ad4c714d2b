#!/usr/bin/env bash
# Installs what the tests need, builds, and runs everything, on Debian 12 or 13, as root or with sudo.
#
#   tests/run.sh          every test once: tests of memory and threads under the sanitizers, tests
#                         beside other programs on the program as it is shipped
#   tests/run.sh --full   every test optimised and under each sanitizer, clang-tidy over everything,
#                         and the benchmarks
#
# build/logs keeps the logs of all stages. The last lines are the seconds and CPU seconds of each.
# README.md beside this file says how to run less, and tests/campaign runs longer tests.
set -euo pipefail
cd "$(dirname "$0")/.."
. deploy/common.sh
. tests/suite.sh

full=0
case ${1-} in
  '') ;;
  --full) full=1 ;;
  -h | --help) sed -n '2,10s/^# \{0,1\}//p' "$0"; exit 0 ;;
  *) fail "unknown argument: $1" "tests/run.sh --help" ;;
esac

TEST_PACKAGES=(postgresql postgresql-client pgbouncer prometheus prometheus-alertmanager
  chromium curl clang-tidy clang-format shellcheck procps python3 python3-yaml openssl
  zstd lz4 xz-utils bzip2 bubblewrap pgbackrest barman)
# Schemas of other people's applications are unpacked, not installed.
SCHEMA_PACKAGES=(zabbix-server-pgsql bacula-director-pgsql pdns-backend-pgsql)
# Only this version of clang-format counts, since others format differently.
FORMAT_VERSION=14

mkdir -p build/logs
started=$SECONDS

# cpu_seconds FILE: of all that a shell had waited for when it wrote its `times` there. They are lost in a subshell.
cpu_seconds() {
  sed -n 2p "$1" | awk '{ for (i = 1; i <= 2; i++) { split($i, part, "m"); sum += part[1] * 60 + part[2] } printf "%d", sum }'
}

stage_times=build/logs/times
: >"$stage_times"
declare -A beside=()
on_end end_stages_beside

# stage NAME TEXT COMMAND...
stage() {
  local name=$1 start=$SECONDS
  times >"build/logs/$name.before"
  log_file=build/logs/$name.log
  step "${@:2}" || fail "$2 failed" "the whole log is in $log_file"
  times >"build/logs/$name.after"
  printf '  %-24s %5d s  %5d s CPU\n' "$name" $((SECONDS - start)) \
    $(($(cpu_seconds "build/logs/$name.after") - $(cpu_seconds "build/logs/$name.before"))) >>"$stage_times"
  rm "build/logs/$name".{before,after}
}

# stage_beside NAME TEXT COMMAND...: begins a stage that works while the following ones wait. It is in a process group
# of its own, and yields the processors to others.
stage_beside() {
  set -m
  (
    set +m
    renice -n 19 "$BASHPID" >/dev/null
    stage "$@"
  ) >"build/logs/$1.said" 2>&1 &
  beside[$1]=$!
  set +m
}

# joined NAME...: waits for stages that were begun by stage_beside.
joined() {
  local name failed=0
  for name in "$@"; do
    wait "${beside[$name]}" || failed=1
    unset "beside[$name]"
    cat "build/logs/$name.said"
    rm "build/logs/$name.said"
    [ $failed = 0 ] || exit 1
  done
}

end_stages_beside() {
  local name
  for name in "${!beside[@]}"; do kill -- "-${beside[$name]}" 2>/dev/null || true; done
}

# download PACKAGE: into the working directory. A machine with all packages may have no package lists.
download() {
  apt-get download -qq "$1" || { as_root apt-get update -qq && apt-get download -qq "$1"; }
}

unpack_schemas() (
  mkdir -p "$PG_INTEGRITY_SCHEMAS"
  cd "$PG_INTEGRITY_SCHEMAS"
  for package in "${SCHEMA_PACKAGES[@]}"; do
    [ ! -d "$package" ] || continue
    rm -rf new ./*.deb
    download "$package" && dpkg-deb -x ./*.deb new && mv new "$package" || exit 1
  done
  rm -f ./*.deb
)

# sources FEWEST FOLDER... ENDING: prints the files with that ending, sub-folders included. It fails if git tracks more
# of them, or if they are fewer than FEWEST.
sources() {
  local fewest=$1 folders=("${@:2:$#-2}") ending=${*: -1} found tracked
  found=$(find "${folders[@]}" -name "*.$ending" | sort)
  tracked=$(git ls-files -- "${folders[@]}" | grep -c "\.$ending\$")
  if [ "$(wc -l <<<"$found")" -lt "$tracked" ] || [ "$(wc -l <<<"$found")" -lt "$fewest" ]; then
    echo "too few *.$ending: $(wc -l <<<"$found") found, git tracks $tracked, at least $fewest are expected" >&2
    return 1
  fi
  printf '%s\n' "$found"
}

format() {
  { sources 200 collectors exporter tests cpp && sources 150 collectors exporter tests h; } >build/format.list ||
    return 1
  echo "$(wc -l <build/format.list) files"
  xargs clang-format-$FORMAT_VERSION --dry-run --Werror <build/format.list
}

# Checks files that end in .sh, and files of any name that begin as a shell script does.
shell_scripts() {
  { git ls-files -- '*.sh' && git ls-files -z | xargs -0 grep -lE '^#!.*\b(ba)?sh\b'; } | sort -u >build/shell.list
  echo "$(wc -l <build/shell.list) scripts"
  [ "$(wc -l <build/shell.list)" -ge 10 ] && xargs shellcheck -x <build/shell.list
}

# clang-tidy compiles each source alone, and so it also finds a missing #include. First it has to find two members that
# are used without their mutex.
tidy() {
  local found
  found=$(clang-tidy --quiet tests/contract/unlocked.cc -- -std=c++20 -I. 2>/dev/null | grep -c 'thread-safety') || true
  [ "$found" = 2 ] || { echo "clang-tidy does not find the members that are used without their mutex" >&2; return 1; }
  cmake --preset dev && tests/tidy.py build/dev "$@"
}

run_benchmarks() {
  cmake --build --preset release --target bench drill_bench && build/release/tests/bench &&
    build/release/tests/drill_bench
}

run_everything_threaded() {
  build tsan all && run_tests tsan _tests
}

say "pg_integrity_exporter tests"
on_shipped=(pg_integrity_exporter program_tests)
shipped_label=program_tests
sanitized=(memory_tests)
sanitized_label=memory_tests
if [ $full = 1 ]; then
  on_shipped=(all)
  sanitized=(all)
  shipped_label=_tests
  sanitized_label=_tests
fi

log_file=build/logs/packages.log
need_packages "${BUILD_PACKAGES[@]}" git python3 libgtest-dev
missing=$(missing_packages "${TEST_PACKAGES[@]}")
if [ -n "$missing" ]; then
  need_root_for "$missing"
  # shellcheck disable=SC2086  # a list of names
  stage_beside test-packages "installing $(wc -w <<<"$missing") packages for the tests" install_packages $missing
fi
stage release-build "building (release, warnings are errors)" build release "${on_shipped[@]}"
[ -z "$missing" ] || joined test-packages

# A sanitized build takes what the tests of the program leave of the processors, and clang-tidy what the sanitized
# tests leave.
stage_beside asan-build "building (AddressSanitizer, UBSan)" build asan "${sanitized[@]}"
if command -v clang-format-$FORMAT_VERSION >/dev/null; then
  stage format "formatting" format
else
  say "  formatting                                           skipped: no clang-format-$FORMAT_VERSION here"
fi
stage shell "shell scripts" shell_scripts
stage alerts "alert rules" tests/alert_rules.sh
stage schemas "schemas of other applications" unpack_schemas
stage alerting "alerts, dashboards and metrics agree" tests/alerting/run.sh \
  build/release/exporter/pg_integrity_exporter
stage release-tests "tests of the program" run_tests release $shipped_label
stage cases "reported faults" tests/cases/run build/release/exporter/pg_integrity_exporter
stage history "random histories" tests/history/run build/release/exporter/pg_integrity_exporter --steps 150
joined asan-build
stage_beside tsan-build "building (ThreadSanitizer)" build tsan threads_test
stage asan-tests "tests with AddressSanitizer and UBSan" run_tests asan $sanitized_label
joined tsan-build
if [ $full = 1 ]; then
  stage_beside tidy "clang-tidy (everything)" tidy --full
else
  stage_beside tidy "clang-tidy (what changed)" tidy
fi
stage tsan-tests "threads, with ThreadSanitizer" build/tsan/tests/threads_test
joined tidy
if [ $full = 1 ]; then
  stage tsan-full "everything, with ThreadSanitizer" run_everything_threaded
  stage bench "benchmarks" run_benchmarks
  sed -n '/empty tables/,$p' build/logs/bench.log
fi
cat "$stage_times"
say "All passed in $(((SECONDS - started) / 60)) min $(((SECONDS - started) % 60)) s."
