#!/usr/bin/env bash
# Installs what the tests need, builds, and runs everything, on Debian 12 or 13, as root or with sudo.
#
#   tests/run.sh          every test once: what handles memory or threads under the sanitizers, what
#                         runs beside other programs on the program as it is shipped
#   tests/run.sh --full   every test optimised and under each sanitizer, clang-tidy over everything,
#                         and the benchmarks
#
# Logs of all stages are kept in build/logs.
set -euo pipefail
cd "$(dirname "$0")/.."
. deploy/common.sh

full=0
case ${1-} in
  '') ;;
  --full) full=1 ;;
  -h | --help) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 0 ;;
  *) fail "unknown argument: $1" "tests/run.sh --help" ;;
esac

TEST_PACKAGES=(git libgtest-dev postgresql postgresql-client pgbouncer prometheus prometheus-alertmanager
  chromium curl clang-tidy clang-format shellcheck procps python3 python3-yaml openssl
  zstd lz4 xz-utils bzip2 pgbackrest barman)
# Schemas of other people's applications: unpacked, not installed.
SCHEMA_PACKAGES=(zabbix-server-pgsql bacula-director-pgsql pdns-backend-pgsql)
# The one version whose opinion counts: others format differently.
FORMAT_VERSION=14

# Debian's users do not have it, and pgbouncer is there.
PATH=$PATH:/usr/sbin
export LSAN_OPTIONS="suppressions=$PWD/tests/lsan.supp:print_suppressions=0"
export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1
export UBSAN_OPTIONS=print_stacktrace=1
export PG_INTEGRITY_SCHEMAS=$PWD/build/schemas
export TSAN_OPTIONS="halt_on_error=1:second_deadlock_stack=1:suppressions=$PWD/tests/tsan.supp"

jobs=$(nproc)
mkdir -p build/logs
started=$SECONDS

stage() {
  log_file=build/logs/$1.log
  step "${@:2}" || fail "${*:2:1} failed" "the whole log is in $log_file"
}

# download PACKAGE: into the working directory. A machine that has all it needs may have no lists.
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

# sources FOLDER... ENDING: what git tracks, so that no file in a sub-folder is missed.
sources() { git ls-files -- "${@:1:$#-1}" | grep "\.${*: -1}\$"; }

format() { sources collectors exporter tests '\(cpp\|h\)' | xargs clang-format-$FORMAT_VERSION --dry-run --Werror; }

shell_scripts() { shellcheck -x deploy/*.sh tests/*.sh tests/*/*.sh .ci/run; }

# tidy FOLDER...: each source that git tracks in these folders, once it is seen to find members that are used without
# their mutex.
tidy() {
  local found
  found=$(clang-tidy --quiet tests/contract/unlocked.cc -- -std=c++20 -I. 2>/dev/null | grep -c 'thread-safety') || true
  [ "$found" = 2 ] || { echo "clang-tidy does not find what is used without its mutex"; return 1; }
  sources "$@" cpp >build/tidy.list
  echo "$(wc -l <build/tidy.list) sources"
  [ "$(wc -l <build/tidy.list)" -ge 150 ] || { echo "too few: most sources were not seen"; return 1; }
  xargs -P "$jobs" -n 1 clang-tidy --quiet -p build/release <build/tidy.list
}

# run_tests PRESET LABELS: they wait more than they work. The whole output is in
# build/PRESET/Testing/Temporary/LastTest.log.
run_tests() {
  ctest --test-dir "build/$1" -L "$2" --output-on-failure --no-tests=error -j $((2 * jobs)) |
    sed -E '/^\[( RUN  |       OK |-----)/d'
}

run_benchmarks() {
  cmake --build --preset release --target bench drill_bench && build/release/tests/bench &&
    build/release/tests/drill_bench
}

run_everything_threaded() {
  build tsan all && run_tests tsan _tests
}

say "pg_integrity_exporter tests"
log_file=build/logs/packages.log
need_packages "${BUILD_PACKAGES[@]}" "${TEST_PACKAGES[@]}"

if command -v clang-format-$FORMAT_VERSION >/dev/null; then
  stage format "formatting" format
else
  say "  formatting                                           skipped: no clang-format-$FORMAT_VERSION here"
fi
stage shell "shell scripts" shell_scripts
stage alerts "alert rules" tests/alert_rules.sh
stage schemas "schemas of other applications" unpack_schemas
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
stage release-build "building (release, warnings are errors)" build release "${on_shipped[@]}"
stage alerting "alerts, dashboards and metrics agree" tests/alerting/run.sh \
  build/release/exporter/pg_integrity_exporter
stage release-tests "tests of the program" run_tests release $shipped_label
if [ $full = 1 ]; then
  stage tidy "clang-tidy (everything)" tidy collectors exporter tests
  stage bench "benchmarks" run_benchmarks
  sed -n '/empty tables/,$p' build/logs/bench.log
else
  stage tidy "clang-tidy (sources)" tidy collectors exporter
fi
stage asan-build "building (AddressSanitizer, UBSan)" build asan "${sanitized[@]}"
stage asan-tests "tests with AddressSanitizer and UBSan" run_tests asan $sanitized_label
stage tsan-build "building (ThreadSanitizer)" build tsan threads_test
stage tsan-tests "threads, with ThreadSanitizer" build/tsan/tests/threads_test
if [ $full = 1 ]; then
  stage tsan-full "everything, with ThreadSanitizer" run_everything_threaded
fi
say "All passed in $(((SECONDS - started) / 60)) min $(((SECONDS - started) % 60)) s."
