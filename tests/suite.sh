# How tests/run.sh and the campaigns run tests. This file is sourced, not run, in the root of the checkout.
# shellcheck shell=bash

# pgbouncer is in /usr/sbin, which is not in the PATH of Debian's users.
PATH=$PATH:/usr/sbin
export LSAN_OPTIONS="suppressions=$PWD/tests/lsan.supp:print_suppressions=0"
export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1
export UBSAN_OPTIONS=print_stacktrace=1
export TSAN_OPTIONS="halt_on_error=1:second_deadlock_stack=1:suppressions=$PWD/tests/tsan.supp"
export PG_INTEGRITY_SCHEMAS=$PWD/build/schemas

# shellcheck disable=SC2034  # used by scripts that source this
jobs=$(nproc)

# run_tests PRESET LABELS: runs two tests a processor at once, since tests wait more than they work. The whole output is
# in build/PRESET/Testing/Temporary/LastTest.log.
run_tests() {
  ctest --test-dir "build/$1" -L "$2" --output-on-failure --no-tests=error -j $((2 * jobs)) |
    sed -E '/^$|^\[( RUN  |       OK |-----)/d'
}
