// Measures the cost of a restore drill beside the restore that is in it, for people to read. It
// neither passes nor fails. It runs `drill --jobs 2` and `pg_restore -j2` of the same dump in
// turns, each into a server made the same way.
//
//     drill_bench [MEGABYTES [ROUNDS]]       of the database, 50 and 3 unless said
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "collectors/base/instant.h"
#include "collectors/recovery/drill_records.h"
#include "exporter/commands/drill.h"
#include "exporter/drill/scratch_cluster.h"
#include "exporter/drill/work_directory.h"
#include "exporter/io/child_process.h"
#include "exporter/io/clock.h"
#include "exporter/io/disposable_workers.h"
#include "exporter/io/files.h"
#include "exporter/io/interruption.h"
#include "exporter/io/json_reader.h"
#include "exporter/io/sandbox.h"
#include "tests/support/cluster.h"
#include "tests/support/paths.h"
#include "tests/support/process.h"
#include "tests/support/temporary.h"

namespace pg_integrity::test {
namespace {

constexpr double kRowsPerMegabyte = 2830;
constexpr std::chrono::hours kLongest{6};

/// Makes tables of people, their orders and their messages. They have numbers, times, texts of all
/// lengths, three foreign keys and the usual indexes.
void fill(const Database& database, long long rows) {
  const auto range = [](long long until) {
    return " FROM generate_series(1::bigint, " + std::to_string(until) + ") i;";
  };
  const std::string people = std::to_string(rows / 10);
  const std::string time = "timestamptz '2024-01-01' + i * interval '1 second'";
  database.run(
      "CREATE TABLE person (id bigint, email text NOT NULL, name text, born date, created_at "
      "timestamptz NOT NULL);"
      "CREATE TABLE purchase (id bigint, person_id bigint NOT NULL, referrer_id bigint, state text "
      "NOT NULL, price numeric(10,2), note text, created_at timestamptz NOT NULL);"
      "CREATE TABLE notice (id uuid, person_id bigint NOT NULL, message text, seen boolean NOT "
      "NULL, created_at timestamptz NOT NULL);"
      "INSERT INTO person SELECT i, 'person' || i || '@example.org', md5(i::text), date "
      "'1960-01-01' + (i % 15000)::int, " +
      time + range(rows / 10) + "INSERT INTO purchase SELECT i, 1 + i * 7919 % " + people +
      ", 1 + i * 104729 % " + people +
      ", (ARRAY['open', 'paid', 'sent'])[1 + i % 3], i % 100000 / 100.0, repeat(md5(i::text), "
      "(i % 8)::int), " +
      time + range(rows) + "INSERT INTO notice SELECT md5(i::text)::uuid, 1 + i * 7907 % " +
      people +
      ", 'You have a new message about purchase ' || i || repeat('.', (i % 100)::int), "
      "i % 2 = 0, " +
      time + range(rows / 2) +
      "ALTER TABLE person ADD PRIMARY KEY (id), ADD UNIQUE (email);"
      "ALTER TABLE purchase ADD PRIMARY KEY (id), ADD FOREIGN KEY (person_id) REFERENCES person, "
      "ADD FOREIGN KEY (referrer_id) REFERENCES person;"
      "ALTER TABLE notice ADD PRIMARY KEY (id), ADD FOREIGN KEY (person_id) REFERENCES person;"
      "CREATE INDEX ON purchase (person_id); CREATE INDEX ON purchase (created_at);"
      "CREATE INDEX ON notice (person_id)");
}

class DrillBench {
 public:
  explicit DrillBench(long long megabytes) {
    fill(database_, static_cast<long long>(static_cast<double>(megabytes) * kRowsPerMegabyte));
    directory_.write("exporter.toml",
                     "[[server]]\nname = \"bench\"\ndsn = \"" + database_.dsn() +
                         "\"\ndrills = { directory = \"" + directory_.path() +
                         "\" }\n[[server.backups]]\nname = \"dumps\"\ndirectory = \"" +
                         directory_.path() + "\"\npattern = \"*.dump\"\nsettle = \"0s\"\n");
    place_.base = directory_.path();
    if (::geteuid() == 0) place_.account = account_named("postgres");
    std::printf(
        "a database of %s\n",
        database_.ask("SELECT pg_size_pretty(pg_database_size(current_database()))").c_str());
    drill({"--record", "--dump", dump_});
  }

  /// Seconds of `pg_restore -j2` alone. Making the server does not count.
  double restore() {
    const Sandbox open = Sandbox::none(place_.account);
    WorkDirectory work(place_);
    const ScratchCluster server(interruption_, open, work, "UTF8");
    Command command;
    command.arguments = {newest_program("pg_restore"), "--no-owner", "--jobs=2",
                         "--dbname=" + server.dsn(), dump_};
    const auto began = std::chrono::steady_clock::now();
    const Ended ended = pg_integrity::run(interruption_, command, kLongest);
    if (!ended.good()) throw std::runtime_error(ended.last_word());
    return since(began);
  }

  /// Seconds of the whole program, from its start to its end.
  double drill(const std::vector<std::string>& options) {
    std::vector<std::string> command{program(), "drill", "--config",
                                     directory_.path() + "/exporter.toml"};
    command.insert(command.end(), options.begin(), options.end());
    const auto began = std::chrono::steady_clock::now();
    Process program(command);
    while (program.running()) {
      look_at_memory(program.pid());
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    if (program.wait_for(std::chrono::seconds(10)) != 0) throw std::runtime_error(program.err());
    return since(began);
  }
  double drill() { return drill({"--jobs", "2", "--work-dir", directory_.path()}); }

  /// Seconds of the named phases of the newest drill.
  [[nodiscard]] double took(std::initializer_list<std::string_view> phases) const {
    const SystemClock clock;
    DisposableWorkers workers(clock);
    WorkerFiles files(workers, clock.now() + Seconds(60));
    double sum = 0;
    for (const DrillPhase& phase :
         DrillReader().read(files, SaxJson(), directory_.path()).records.back().phases)
      if (std::find(phases.begin(), phases.end(), phase.name) != phases.end())
        sum += phase.took.count();
    return sum;
  }

  /// The peak memory of the program itself, in MiB.
  [[nodiscard]] double peak() const { return peak_kilobytes_ / 1024; }

 private:
  static double since(std::chrono::steady_clock::time_point began) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  }

  void look_at_memory(pid_t pid) {
    std::ifstream status("/proc/" + std::to_string(pid) + "/status");
    for (std::string line; std::getline(status, line);)
      if (line.starts_with("VmHWM:"))
        peak_kilobytes_ = std::max(peak_kilobytes_, std::atof(line.c_str() + 6));
  }

  Interruption interruption_;  // before any thread
  TemporaryDirectory directory_;
  Cluster cluster_{
      {{"fsync", "off"}, {"max_wal_size", "'8GB'"}, {"maintenance_work_mem", "'512MB'"}}};
  Database database_{cluster_};
  std::string dump_ = directory_.path() + "/bench.dump";
  ScratchPlace place_;
  double peak_kilobytes_ = 0;
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void measure(long long megabytes, int rounds) {
  DrillBench bench(megabytes);
  std::vector<double> restores;
  std::vector<double> drills;
  std::vector<double> ratios;
  std::vector<double> shares;
  for (int round = 0; round < rounds; ++round) {
    restores.push_back(bench.restore());
    drills.push_back(bench.drill());
    ratios.push_back(drills.back() / restores.back());
    shares.push_back(bench.took({"inspect", "cluster", "compare", "check"}) /
                     bench.took({"restore"}));
    std::printf("  pg_restore -j2 %8.1f s   drill --jobs 2 %8.1f s   %+.0f %%\n", restores.back(),
                drills.back(), (ratios.back() - 1) * 100);
    std::fflush(stdout);
  }
  std::printf("%-58s %10.1f s\n", "pg_restore -j2 alone, median", median(restores));
  std::printf("%-58s %10.1f s\n", "the whole drill, median", median(drills));
  std::printf("%-58s %10.1f %%\n", "what the drill adds, median", (median(ratios) - 1) * 100);
  std::printf("%-58s %10.1f %%\n", "what it does beside its own restore, median",
              median(shares) * 100);
  std::printf("%-58s %10.1f MiB\n", "peak memory of the drill itself", bench.peak());
}

}  // namespace
}  // namespace pg_integrity::test

int main(int count, char** arguments) {
  const long long megabytes = count > 1 ? std::atoll(arguments[1]) : 50;
  const int rounds = count > 2 ? std::atoi(arguments[2]) : 3;
  if (megabytes < 1 || rounds < 1) {
    std::fprintf(stderr, "usage: drill_bench [MEGABYTES [ROUNDS]]\n");
    return 2;
  }
  pg_integrity::test::measure(megabytes, rounds);
}
