// Measures the cost of several operations, for people to read. It neither passes nor fails. The
// numbers are medians of several rounds on this machine. Compare two builds on the same day, side
// by side.
#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "exporter/io/clock.h"
#include "exporter/io/logging.h"
#include "exporter/metrics/page.h"
#include "tests/support/cluster.h"
#include "tests/support/exporter.h"
#include "tests/support/observer.h"
#include "tests/support/wire.h"

namespace pg_integrity::test {
namespace {

constexpr int kRounds = 5;
constexpr int kTables = 10000;

double median_milliseconds(const std::function<void()>& work) {
  std::vector<double> times;
  for (int i = 0; i < kRounds; ++i) {
    const auto began = std::chrono::steady_clock::now();
    work();
    times.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began)
            .count());
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

void report(const char* what, double value, const char* unit) {
  std::printf("%-58s %10.1f %s\n", what, value, unit);
  std::fflush(stdout);
}

/// Bytes that were allocated and not freed.
double allocated() {
  return static_cast<double>(::mallinfo2().uordblks);
}

/// Prints the memory that the evidence of one check takes. It measures what is freed with each
/// part.
void measure_memory(const std::string& toml) {
  Findings found = look(toml);
  auto snapshot = std::move(found.snapshot);
  auto saved = std::move(found.saved);
  found = {};
  std::size_t objects = 0;
  for (const auto& collector : snapshot->collectors) objects += collector->objects.size();
  const double all = allocated();
  saved.reset();
  const double without_saved = allocated();
  snapshot.reset();
  const double mebibyte = 1048576;
  report("objects", static_cast<double>(objects), "");
  report("memory of the evidence", (without_saved - allocated()) / mebibyte, "MiB");
  report("memory of a copy to be saved", (all - without_saved) / mebibyte, "MiB");
}

void measure_large_schema() {
  Cluster cluster;
  const Database database(cluster);
  for (int part = 0; part < 20; ++part)
    database.run("DO $$ BEGIN FOR i IN 1.." + std::to_string(kTables / 20) +
                 " LOOP EXECUTE format('CREATE TABLE t_%s_%s (id int PRIMARY KEY)', " +
                 std::to_string(part) + ", i); END LOOP; END $$");
  std::printf("%d empty tables, defaults\n", kTables);
  const std::string toml = one_server(database.dsn());
  report("one pass of everything", median_milliseconds([&] { static_cast<void>(look(toml)); }),
         "ms");
  measure_memory(toml);
  const Findings found = look(toml);
  const SystemClock clock;
  report("rendering and compressing the page",
         median_milliseconds([&] { static_cast<void>(PageBody(found.snapshot, clock)); }), "ms");
  report("series on the page", static_cast<double>(found.page.series().size()), "");
  const ExporterProcess exporter(toml);
  exporter.wait_until_ready();
  report("a scrape, plain",
         median_milliseconds([&] { static_cast<void>(fetch(exporter.port(), "/metrics")); }), "ms");
  report("a scrape, gzip", median_milliseconds([&] {
           static_cast<void>(fetch(exporter.port(), "/metrics", "Accept-Encoding: gzip\r\n"));
         }),
         "ms");
  report("resident memory of the exporter",
         exporter.value("process_resident_memory_bytes").value_or(0) / 1048576, "MiB");
}

}  // namespace
}  // namespace pg_integrity::test

int main() {
  pg_integrity::start_logging(pg_integrity::LogLevel::error);
  pg_integrity::test::measure_large_schema();
}
