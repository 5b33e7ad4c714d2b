// Catalogues of the real pgBackRest and the real Barman, run against a throwaway cluster.
#include "collectors/recovery/backup_catalogue.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <utime.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <ctime>
#include <filesystem>
#include <functional>
#include <map>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/ports/clock.h"
#include "collectors/recovery/backup_history.h"
#include "exporter/evidence/verdict.h"
#include "exporter/io/clock.h"
#include "exporter/io/json_reader.h"
#include "tests/support/observer.h"
#include "tests/support/repository.h"
#include "tests/support/wait.h"

namespace pg_integrity::test::backup_catalogue_test {
namespace {

constexpr double kDay = 86400;

double runs(const KindHistory& kind, BackupStatus status) {
  return kind.runs[static_cast<std::size_t>(status)];
}

/// The time of the clock before an action and after it.
struct Span {
  UnixTime began = 0;  ///< to the second, as catalogues have it
  UnixTime ended = 0;
};

Span time_of(const std::function<void()>& act) {
  const SystemClock clock;
  Span span{std::floor(clock.unix_now())};
  act();
  span.ended = clock.unix_now();
  return span;
}

/// Expects that the newest backup began and finished within the span. Ages end at the clock's time.
void expect_made(const KindHistory& kind, const Span& then, const Clock& clock) {
  ASSERT_TRUE(kind.newest);
  EXPECT_GE(kind.newest->time, then.began);
  EXPECT_LE(kind.newest->time, then.ended);
  EXPECT_NEAR(kind.newest->age.count(), clock.unix_now() - kind.newest->time, 1);
  const double finished = clock.unix_now() - kind.finished_age.value().count();
  EXPECT_GE(finished, kind.newest->time);
  EXPECT_LE(finished, then.ended + 1);
}

BackupHistory read(const BackupCatalogue& catalogue, const std::string& text, const Clock& clock) {
  BackupHistory history =
      read_catalogue(SaxJson(), clock, catalogue, text, catalogue_kinds(catalogue.format));
  apply_satisfied_by(catalogue_kinds(catalogue.format), history);
  return history;
}

/// An array of texts, as a configuration has it.
std::string toml(const std::vector<std::string>& texts) {
  std::string array;
  for (const std::string& text : texts)
    array.append(array.empty() ? "" : ", ").append("\"").append(text).append("\"");
  return "[" + array + "]";
}

Reason reason(const BackupCatalogue& catalogue, const std::string& text) {
  try {
    read(catalogue, text, SystemClock());
  } catch (const SourceError& error) {
    return error.reason();
  }
  throw std::runtime_error("it was read");
}

class PgBackRest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    repository = std::make_unique<PgBackRestRepository>();
    before = pgbackrest({"info", "--output=json"});
    static_cast<void>(pgbackrest({"stanza-create"}));
    empty = pgbackrest({"info", "--output=json"});
    for (const char* type : {"full", "diff", "incr"})
      made[type] = time_of([&] {
        static_cast<void>(pgbackrest({std::string("--type=") + type, "backup"}));
      });
    Process aborted(command({"--type=full", "backup"}), Program::kOwn);
    EXPECT_TRUE(eventually([] {
      const std::filesystem::directory_iterator locks(repository->path() + "/lock");
      return std::any_of(begin(locks), end(locks), [](const auto& lock) {
        return lock.path().filename().string().starts_with("main-backup");
      });
    })) << "it has begun";
    aborted.signal(SIGTERM);
    EXPECT_NE(aborted.wait_for(std::chrono::seconds(60)).value_or(0), 0);
    info = pgbackrest({"info", "--output=json"});
    made["second full"] = time_of([] { static_cast<void>(pgbackrest({"--type=full", "backup"})); });
    later = pgbackrest({"info", "--output=json"});
  }
  static void TearDownTestSuite() { repository.reset(); }

  static std::vector<std::string> command(const std::vector<std::string>& arguments) {
    return repository->command(arguments);
  }
  static std::string pgbackrest(const std::vector<std::string>& arguments) {
    return repository->ask(arguments);
  }
  static std::string dsn() { return repository->cluster().dsn("postgres"); }

  /// A source whose command is the program itself, with these arguments.
  [[nodiscard]] static std::string asked(const std::vector<std::string>& arguments,
                                         const std::string& rest = {}) {
    return "[[server.backups]]\nname = \"repo\"\npgbackrest = { command = " +
           toml(command(arguments)) + " }\n" + rest + "\n";
  }
  [[nodiscard]] static std::string source(const std::string& rest = {}) {
    return "[[server.backups]]\nname = \"repo\"\npgbackrest = { file = \"" + repository->path() +
           "/info.json\" }\n" + rest + "\n";
  }

  static inline std::unique_ptr<PgBackRestRepository> repository;
  static inline std::string before, empty, info;  ///< without stanza, without and with backups
  static inline std::string later;                ///< with one more full backup
  static inline std::map<std::string, Span> made;
  const BackupCatalogue catalogue_{CatalogueFormat::pgbackrest, "", "main", Seconds(3600), "UTC"};
};

TEST_F(PgBackRest, EachKindHasItsAgeAndWhatWasAbortedNone) {
  SteppedClock clock;
  clock.advance(Seconds(3 * kDay));
  const BackupHistory found =
      read_catalogue(SaxJson(), clock, catalogue_, info, catalogue_kinds(catalogue_.format));
  for (const char* kind : {"full", "diff", "incr"}) {
    SCOPED_TRACE(kind);
    const KindHistory& history = found.kinds.at(kind);
    EXPECT_EQ(runs(history, BackupStatus::success), 1) << "what was aborted is none";
    expect_made(history, made.at(kind), clock);
    EXPECT_EQ(history.newest->time_source, "catalogue");
    EXPECT_GT(history.newest->size.value(), 100);
  }
  EXPECT_EQ(found.unrecognised, 0);
}

TEST_F(PgBackRest, AFullBackupDoesForAllAndADifferentialOneForTheIncremental) {
  const SystemClock clock;
  BackupHistory found = read(catalogue_, later, clock);
  EXPECT_EQ(runs(found.kinds.at("full"), BackupStatus::success), 2);
  for (const char* kind : {"full", "diff", "incr"}) {
    SCOPED_TRACE(kind);
    expect_made(found.kinds.at(kind), made.at("second full"), clock);
  }
  EXPECT_EQ(runs(found.kinds.at("incr"), BackupStatus::success), 1) << "it is none itself";
  found = read_catalogue(SaxJson(), clock, catalogue_, info, catalogue_kinds(catalogue_.format));
  found.kinds["incr"] = {};
  apply_satisfied_by(catalogue_kinds(catalogue_.format), found);
  expect_made(found.kinds.at("incr"), made.at("diff"), clock);
  expect_made(found.kinds.at("full"), made.at("full"), clock);
}

TEST_F(PgBackRest, ABackupWhoseWalIsGoneIsNone) {
  std::string gone = info;
  const std::string max = "\"max\":\"";
  const std::size_t at = gone.find(max) + max.size();
  gone.replace(at, 24, "000000010000000000000001");
  const BackupHistory found = read(catalogue_, gone, SystemClock());
  for (const char* kind : {"full", "diff", "incr"}) {
    EXPECT_EQ(runs(found.kinds.at(kind), BackupStatus::other), 1) << kind;
    EXPECT_FALSE(found.kinds.at(kind).newest) << kind;
  }
}

TEST_F(PgBackRest, ABackupOfDamagedPagesFailed) {
  std::string damaged = info;
  const std::size_t at = damaged.rfind("\"error\":false");
  damaged.replace(at, 13, "\"error\":true");
  const BackupHistory found = read(catalogue_, damaged, SystemClock());
  EXPECT_EQ(runs(found.kinds.at("incr"), BackupStatus::failed), 1);
  EXPECT_EQ(runs(found.kinds.at("full"), BackupStatus::success), 1);
}

TEST_F(PgBackRest, WhatIsNoCatalogueIsNone) {
  EXPECT_FALSE(read(catalogue_, empty, SystemClock()).kinds.at("full").newest);
  EXPECT_EQ(reason(catalogue_, before), Reason::missing) << "there was no stanza";
  EXPECT_EQ(reason(catalogue_, ""), Reason::decode);
  EXPECT_EQ(reason(catalogue_, info.substr(0, info.size() / 2)), Reason::decode);
  EXPECT_EQ(reason(catalogue_, "{}"), Reason::decode);
  EXPECT_EQ(reason(catalogue_, "[]"), Reason::missing);
  BackupCatalogue other = catalogue_;
  other.name = "other";
  EXPECT_EQ(reason(other, info), Reason::missing);
  other.name.clear();
  EXPECT_TRUE(read(other, info, SystemClock()).kinds.at("full").newest) << "the only one";
}

TEST_F(PgBackRest, MissedRunsAreThoseOfTheKind) {
  const auto missed_after = [&](const std::string& catalogue, double days) {
    static_cast<void>(repository->program().write("info.json", catalogue));
    RunningScheduler scheduler(
        one_server(dsn(),
                   source("[server.backups.kinds.full]\nevery = \"7d\"\n"
                          "[server.backups.kinds.diff]\nevery = \"24h\"\ngrace = \"2h\"\n"
                          "[server.backups.kinds.incr]\nevery = \"6h\"\ngrace = \"1h\"\n"),
                   "backups"));
    // The age tells when the page shows what was found after the jump.
    scheduler.clock.advance(Seconds(days * kDay));
    std::string missed;
    EXPECT_TRUE(eventually([&] {
      const Findings found = scheduler.findings();
      if (found.value("pg_integrity_backup_age_seconds", {{"kind", "full"}}).value_or(-1) <
          days * kDay)
        return false;
      missed.clear();
      for (const char* kind : {"full", "diff", "incr"})
        missed += std::to_string(static_cast<int>(
                      found.value("pg_integrity_backup_missed_runs", {{"kind", kind}}).value())) +
                  " ";
      return true;
    }));
    return missed;
  };
  EXPECT_EQ(missed_after(info, 0), "0 0 0 ");
  EXPECT_EQ(missed_after(info, 2), "0 1 7 ") << "(48 h - 2 h) / 24 h, (48 h - 1 h) / 6 h";
  EXPECT_EQ(missed_after(info, 16), "2 15 63 ") << "a quarter of the week is grace";
  EXPECT_EQ(missed_after(later, 2), "0 1 7 ") << "the full one began them all anew";
}

TEST_F(PgBackRest, AnOldCatalogueSaysNothingAndIsAFinding) {
  const std::string file = repository->program().write("info.json", info);
  const std::time_t then = std::time(nullptr) - 3 * 3600;
  const utimbuf times{then, then};
  ::utime(file.c_str(), &times);
  const Findings found =
      look(one_server(dsn(), source("kinds = { full = { every = \"7d\" } }"), "backups"));
  EXPECT_EQ(found.violated(), "backups/repo");
  EXPECT_NEAR(found.value("pg_integrity_backup_catalogue_age_seconds").value(), 3 * 3600, 120);
  EXPECT_EQ(found.reason("backups/repo.full"), Reason::stale);
}

TEST_F(PgBackRest, ItIsAskedItself) {
  const std::string kinds = "kinds = { full = { every = \"7d\" }, incr = { every = \"6h\" } }";
  const Findings found =
      look(one_server(dsn(), asked({"info", "--output=json"}, kinds), "backups"));
  EXPECT_EQ(found.state("backups/repo.full"), State::proven);
  EXPECT_EQ(found.state("backups/repo.incr"), State::proven);
  EXPECT_EQ(found.value("pg_integrity_backups", {{"kind", "diff"}, {"status", "success"}}), 1);
  EXPECT_FALSE(found.value("pg_integrity_backup_catalogue_age_seconds")) << "there is no file";
}

TEST_F(PgBackRest, WhatItRefusesIsTold) {
  const auto asked_for = [&](const std::vector<std::string>& arguments) {
    return look(
        one_server(dsn(), asked(arguments, "kinds = { full = { every = \"7d\" } }"), "backups"));
  };
  const Findings found = asked_for({"info", "--output=jason"});
  EXPECT_EQ(found.reason("backups/repo.full"), Reason::io);
  const std::string why = found.object("backups/repo.full").findings.at(0);
  EXPECT_NE(why.find("pgbackrest ended with status 32: "), std::string::npos) << why;
  // pgBackRest 2.55 writes the number of its process before it, 2.44 does not.
  EXPECT_NE(why.find("ERROR: [032]: "), std::string::npos) << why;
  EXPECT_EQ(asked_for({"info", "--output=text"}).reason("backups/repo.full"), Reason::decode);
}

/// A program of our own. It answers as pgBackRest does, and notes that it was asked.
class AskedProgram : public PgBackRest {
 protected:
  AskedProgram() {
    answer_with("cat " + directory_.write("info.json", info));
    ::chmod(path_.c_str(), 0755);
  }
  void answer_with(const std::string& command) const {
    static_cast<void>(directory_.write(
        "asked", "#!/bin/sh\necho >> " + directory_.path() + "/times\n" + command + "\n"));
  }
  [[nodiscard]] std::size_t times() const {
    return std::filesystem::file_size(directory_.path() + "/times");
  }
  [[nodiscard]] std::string source() const {
    return "[[server.backups]]\nname = \"repo\"\npgbackrest = { command = [\"" + path_ +
           "\"], refresh = \"1h\" }\nkinds = { full = { every = \"7d\" } }\n";
  }
  [[nodiscard]] static std::string passes(RunningScheduler& scheduler) {
    const auto passes = scheduler.page().value("pg_integrity_collector_runs_total",
                                               {{"collector", "backups"}, {"outcome", "success"}});
    return std::to_string(passes.value_or(0));
  }

  TemporaryDirectory directory_;
  const std::string path_ = directory_.path() + "/asked";
};

TEST_F(AskedProgram, ItsAnswerIsGoodForAWhileAndAFailureForNothing) {
  RunningScheduler scheduler(one_server(dsn(), source(), "backups"));
  const auto look_again = [&] {
    const std::string known = passes(scheduler);
    scheduler.clock.advance(Seconds(120));
    EXPECT_TRUE(eventually([&] { return passes(scheduler) != known; }));
  };
  ASSERT_TRUE(eventually([&] { return passes(scheduler) != "0.000000"; }));
  look_again();
  EXPECT_EQ(times(), 1U);
  EXPECT_EQ(scheduler.findings().state("backups/repo.full"), State::proven);
  answer_with("exit 1");
  for (int minutes = 0; minutes <= 60; minutes += 2) look_again();
  const auto reason = [&] {
    const Findings found = scheduler.findings();
    return found.state("backups/repo.full") == State::unproven
               ? std::optional(found.reason("backups/repo.full"))
               : std::nullopt;
  };
  ASSERT_TRUE(eventually([&] { return reason() == Reason::io; })) << "until then it is stale";
  answer_with("cat " + directory_.path() + "/info.json");
  scheduler.clock.advance(Seconds(120));
  EXPECT_TRUE(eventually([&] {
    return scheduler.findings().state("backups/repo.full") == State::proven;
  })) << "at the next look, not an hour later";
}

class Barman : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    repository = std::make_unique<BarmanRepository>();
    made = time_of([] { repository->backup(); });
    // This backup is so slow that it is seen running.
    Process aborted(command({"backup", "--bwlimit", "32", "main"}), Program::kOwn);
    EXPECT_TRUE(eventually([] { return list().find("STARTED") != std::string::npos; }));
    running = list();
    aborted.signal(SIGINT);
    EXPECT_NE(aborted.wait_for(std::chrono::seconds(60)).value_or(0), 0);
    listed = list();
  }
  static void TearDownTestSuite() { repository.reset(); }

  static std::vector<std::string> command(const std::vector<std::string>& arguments) {
    return repository->command(arguments);
  }
  static std::string list() { return repository->list(); }
  static std::string dsn() { return repository->cluster().dsn("postgres"); }

  static inline std::unique_ptr<BarmanRepository> repository;
  static inline std::string running, listed;  ///< while a backup runs, and after it was aborted
  static inline Span made;                    ///< the backup that is done
  const BackupCatalogue catalogue_{CatalogueFormat::barman, "", "main", Seconds(3600), zone()};

  /// The zone of the machine, which Barman's IDs are in.
  static std::string zone() {
    std::ifstream file("/etc/timezone");
    std::string zone;
    return file >> zone && zone != "Etc/UTC" ? zone : "UTC";
  }
};

TEST_F(Barman, AFailedBackupIsNoneAndOneThatIsDoneCounts) {
  SteppedClock clock;
  clock.advance(Seconds(3 * kDay));
  const KindHistory full = read(catalogue_, listed, clock).kinds.at("full");
  EXPECT_EQ(runs(full, BackupStatus::success), 1);
  EXPECT_EQ(runs(full, BackupStatus::failed), 1);
  expect_made(full, made, clock);
  EXPECT_GT(full.newest->size.value(), 1e6);
}

TEST_F(Barman, AFailedRunIsAMissedOne) {
  const std::string file = repository->program().write("list.json", listed);
  RunningScheduler scheduler(one_server(
      dsn(),
      "[[server.backups]]\nname = \"barman\"\nbarman = { file = \"" + file + "\" }\nzone = \"" +
          zone() + "\"\nkinds = { full = { every = \"24h\", grace = \"3h\" } }\n",
      "backups"));
  const auto missed = [&] { return scheduler.page().value("pg_integrity_backup_missed_runs"); };
  ASSERT_TRUE(eventually([&] { return missed() == 0; }));
  EXPECT_EQ(scheduler.findings().violated(), "");
  scheduler.clock.advance(Seconds(3 * kDay));
  EXPECT_TRUE(eventually([&] { return missed() == 2; })) << "(72 h - 3 h) / 24 h";
  EXPECT_EQ(scheduler.findings().violated(), "backups/barman.full");
}

TEST_F(Barman, ARunningBackupIsNone) {
  const KindHistory full = read(catalogue_, running, SystemClock()).kinds.at("full");
  EXPECT_EQ(runs(full, BackupStatus::success), 1);
  EXPECT_EQ(runs(full, BackupStatus::running), 1);
}

TEST_F(Barman, OneThatRunsForTooLongIsStuck) {
  SteppedClock clock;
  clock.advance(Seconds(kDay + 600));
  const KindHistory full = read(catalogue_, running, clock).kinds.at("full");
  EXPECT_EQ(runs(full, BackupStatus::stuck), 1);
  EXPECT_EQ(runs(full, BackupStatus::running), 0);
  EXPECT_EQ(runs(full, BackupStatus::success), 1);
}

TEST_F(Barman, AFullBackupDoesForAnIncrementalOne) {
  const BackupHistory found = read(catalogue_, listed, SystemClock());
  EXPECT_EQ(runs(found.kinds.at("incr"), BackupStatus::success), 0);
  EXPECT_EQ(found.kinds.at("incr").newest.value().time, found.kinds.at("full").newest->time);
}

TEST_F(Barman, WhatIsNoCatalogueIsNone) {
  EXPECT_EQ(reason(catalogue_, "[]"), Reason::decode);
  EXPECT_EQ(reason(catalogue_, "{}"), Reason::missing);
  EXPECT_EQ(reason(catalogue_, R"({"main": 1})"), Reason::decode);
  BackupCatalogue other = catalogue_;
  other.name = "other";
  EXPECT_EQ(reason(other, listed), Reason::missing);
  other.name.clear();
  EXPECT_TRUE(read(other, listed, SystemClock()).kinds.at("full").newest);
}

TEST_F(Barman, ItIsAskedItself) {
  const Findings found =
      look(one_server(dsn(),
                      "[[server.backups]]\nname = \"barman\"\nbarman = { command = " +
                          toml(command({"-f", "json", "list-backups", "main"})) + " }\nzone = \"" +
                          zone() + "\"\nkinds = { full = { every = \"24h\" } }\n",
                      "backups"));
  EXPECT_EQ(found.state("backups/barman.full"), State::proven);
  EXPECT_EQ(found.value("pg_integrity_backups", {{"kind", "full"}, {"status", "failed"}}), 1);
}

TEST_F(Barman, ItsFileIsRead) {
  const std::string file = repository->program().write("list.json", listed);
  const Findings found =
      look(one_server(dsn(),
                      "[[server.backups]]\nname = \"barman\"\nbarman = { file = \"" + file +
                          "\", server = \"main\" }\nkinds = { full = { every = \"24h\" } }\n",
                      "backups"));
  EXPECT_EQ(found.state("backups/barman.full"), State::proven);
  EXPECT_EQ(found.state("backups/barman"), State::proven);
  EXPECT_EQ(found.value("pg_integrity_backups", {{"kind", "full"}, {"status", "failed"}}), 1);
}

}  // namespace
}  // namespace pg_integrity::test::backup_catalogue_test
