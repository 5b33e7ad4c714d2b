// Measures guarded reads for tests/bench/tables: one for each line of its input, which is a
// statement. It answers each with a line of milliseconds. Two builds that take turns on the same
// database can so be compared within one run.
#include <chrono>
#include <cstdio>
#include <exception>
#include <iostream>
#include <string>

#include "collectors/ports/session.h"
#include "exporter/io/clock.h"
#include "exporter/io/disposable_workers.h"
#include "exporter/io/watchdog.h"
#include "exporter/postgres/pqxx_session.h"

namespace pg_integrity {
namespace {

int answer(const std::string& dsn, const std::string& database) {
  SystemClock clock;
  Watchdog watchdog(clock);
  DisposableWorkers workers(clock);
  const auto session = make_postgres_connector({dsn, ""}, clock, watchdog, workers)->open(database);
  for (std::string sql; std::getline(std::cin, sql);) {
    session->set_deadline(clock.now() + Seconds(120));
    const auto began = std::chrono::steady_clock::now();
    static_cast<Session&>(*session).query(sql, Access::heap);
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - began;
    std::printf("%.3f\n", took.count());
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace
}  // namespace pg_integrity

int main(int count, char** arguments) {
  if (count != 3) {
    std::fprintf(stderr, "usage: read_bench DSN DATABASE <STATEMENTS\n");
    return 3;
  }
  try {
    return pg_integrity::answer(arguments[1], arguments[2]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
