// Catalogues of any program, by JSON pointers: the worked examples, read from what the programs
// print, and output that is broken.
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "collectors/base/errors.h"
#include "collectors/recovery/backup_catalogue.h"
#include "collectors/recovery/backup_history.h"
#include "collectors/recovery/catalogue_time.h"
#include "exporter/io/clock.h"
#include "exporter/io/json_reader.h"
#include "tests/support/cluster.h"
#include "tests/support/content.h"
#include "tests/support/observer.h"
#include "tests/support/paths.h"
#include "tests/support/temporary.h"

namespace pg_integrity::test::catalogue_pointers_test {
namespace {

constexpr double kSunday = 1714867200;  // 2024-05-05T00:00:00Z
constexpr double kDaySeconds = 86400;

std::string recorded(const std::string& name) {
  return content_of(source_path("tests/collectors/recovery/catalogues/" + name));
}

const BackupSource& example(const std::string& name) {
  static const Options options =
      options_from(content_of(source_path("deploy/examples/catalogues.toml")));
  for (const BackupSource& source : options.servers.at(0).backups)
    if (source.name == name) return source;
  throw std::runtime_error("no example " + name);
}

struct ReadExample {
  BackupHistory history;
  BackupList list;
};

ReadExample read_example(const BackupSource& source, const std::string& text) {
  ReadExample found;
  found.history =
      read_catalogue(SaxJson(), SystemClock(), *source.catalogue, text, source.kinds, &found.list);
  return found;
}

double runs(const KindHistory& kind, BackupStatus status) {
  return kind.runs[static_cast<std::size_t>(status)];
}

TEST(CatalogueByPointers, WalG) {
  const ReadExample found = read_example(example("wal-g"), recorded("wal_g.json"));
  const KindHistory& full = found.history.kinds.at("full");
  EXPECT_EQ(runs(full, BackupStatus::success), 1);
  EXPECT_NEAR(full.newest->time, kSunday + 3602.118, 0.01);
  EXPECT_NEAR((full.newest->age - full.finished_age.value()).count(), 217.784, 0.01);
  EXPECT_EQ(full.newest->size, 2211873465);
  EXPECT_NEAR(found.history.kinds.at("delta").newest->time, kSunday + kDaySeconds + 3601.530, 0.01);
  EXPECT_EQ(found.list.at("full").at(0).name, "base_00000001000000000000002A");
}

TEST(CatalogueByPointers, BarmanCloud) {
  const ReadExample found = read_example(example("barman-cloud"), recorded("barman_cloud.json"));
  const KindHistory& kind = found.history.kinds.at("full");
  EXPECT_EQ(runs(kind, BackupStatus::success), 1);
  EXPECT_EQ(runs(kind, BackupStatus::failed), 1);
  EXPECT_EQ(kind.newest->time, kSunday + 3600 + 2) << "03:00:02 in Berlin";
  EXPECT_EQ(found.list.at("full").at(1).why, "its status is FAILED");
}

TEST(CatalogueByPointers, CloudNativePg) {
  const ReadExample found =
      read_example(example("cloudnative-pg"), recorded("cloudnative_pg.json"));
  const KindHistory& kind = found.history.kinds.at("full");
  EXPECT_EQ(runs(kind, BackupStatus::success), 1);
  EXPECT_EQ(runs(kind, BackupStatus::failed), 1);
  EXPECT_EQ(runs(kind, BackupStatus::other), 1) << "its controller has not seen it";
  EXPECT_EQ(kind.newest->time, kSunday + 3);
  EXPECT_EQ(found.list.at("full").at(2).why, "it has no status");
}

TEST(CatalogueByPointers, VolumeSnapshots) {
  const ReadExample found =
      read_example(example("volume snapshots"), recorded("volume_snapshots.json"));
  const KindHistory& kind = found.history.kinds.at("full");
  EXPECT_EQ(runs(kind, BackupStatus::success), 1);
  EXPECT_EQ(runs(kind, BackupStatus::stuck), 1) << "it is not ready since 2024";
  EXPECT_EQ(kind.newest->size, 20.0 * 1024 * 1024 * 1024);
}

TEST(CatalogueByPointers, RdsSnapshots) {
  const ReadExample found = read_example(example("rds"), recorded("rds_snapshots.json"));
  const KindHistory& automated = found.history.kinds.at("automated");
  EXPECT_EQ(runs(automated, BackupStatus::success), 1);
  EXPECT_EQ(runs(automated, BackupStatus::running), 1) << "a running one has no time yet";
  EXPECT_NEAR(automated.newest->time, kSunday + 4 * 3600 + 625.362, 0.01);
  EXPECT_EQ(automated.newest->size, 100.0 * 1024 * 1024 * 1024);
  EXPECT_EQ(runs(found.history.kinds.at("manual"), BackupStatus::success), 1);
  EXPECT_EQ(found.history.unrecognised, 0) << "those of AWS Backup are ignored";
}

std::string refusal(const BackupSource& source, const std::string& text) {
  try {
    static_cast<void>(read_example(source, text));
  } catch (const SourceError& error) {
    EXPECT_EQ(error.reason(), Reason::decode);
    return error.what();
  }
  return "it was read";
}

TEST(CatalogueByPointers, WhatIsBrokenIsOneLineWithAHint) {
  const BackupSource& of = example("cloudnative-pg");
  const std::string good = recorded("cloudnative_pg.json");
  for (const std::string& text : {std::string("{}"), std::string("[]"),
                                  std::string("{\"items\": {}}"), std::string("{\"items\": null}")})
    EXPECT_EQ(refusal(of, text),
              "the catalogue has no array where `list` leads. HINT: print what the command prints, "
              "and see to `list` of `catalogue`");
  EXPECT_NE(refusal(of, "{\"items\": [1]}").find("entry 1 of the catalogue is no object. HINT: "),
            std::string::npos);
  for (const char* time :
       {"\"soon\"", "\"2024-13-01T00:00:00Z\"", "-1", "1e300", "[]", "null", "\"\""}) {
    const std::string text =
        std::string("{\"items\": [{\"status\": {\"phase\": \"completed\", \"startedAt\": ") + time +
        "}}]}";
    EXPECT_NE(
        refusal(of, text).find("backup 1 of the catalogue has no time that can be read. HINT: "),
        std::string::npos)
        << time << ": " << refusal(of, text);
  }
  for (const std::string& text : {std::string(), good.substr(0, good.size() / 2),
                                  std::string("Error from server (Forbidden)"),
                                  std::string(5000, '['), std::string("\0\xff", 2)}) {
    const std::string said = refusal(of, text);
    EXPECT_NE(said.find("HINT: the program must print JSON and nothing else"), std::string::npos)
        << said;
    EXPECT_EQ(said.find('\n'), std::string::npos) << said;
  }
  const ReadExample empty = read_example(of, "{\"items\": []}");
  EXPECT_FALSE(empty.history.kinds.at("full").newest);
}

TEST(CatalogueByPointers, ABrokenOneBlindsNoOtherSource) {
  const Database database;
  const TemporaryDirectory directory;
  const std::string good = directory.write(
      "good.json", "[{\"at\": " + std::to_string(SystemClock().unix_now() - 60) + "}]");
  const std::string bad = directory.write("bad.json", "{\"at\": [[[");
  const auto source = [](const std::string& name, const std::string& command) {
    return "[[server.backups]]\nname = \"" + name +
           "\"\nevery = \"1d\"\ncatalogue = { command = [" + command + "], time = \"/at\" }\n";
  };
  const Findings found = look(one_server(
      database.dsn(),
      source("a", "\"cat\", \"" + bad + "\"") + source("b", "\"cat\", \"" + good + "\"") +
          source("c", "\"false\"") + source("d", "\"cat\", \"/nowhere\""),
      "backups"));
  EXPECT_EQ(found.state("backups/b.full"), State::proven);
  EXPECT_EQ(found.reason("backups/a.full"), Reason::decode);
  EXPECT_EQ(found.reason("backups/c.full"), Reason::io);
  EXPECT_EQ(found.reason("backups/d.full"), Reason::io);
}

TEST(CatalogueTime, TheUsualFormsAreRead) {
  const SystemClock clock;
  const auto read = [&](JsonValue value) {
    return catalogue_time(value, clock, "Europe/Berlin").value_or(NAN);
  };
  const auto text = [&](const std::string& given) { return read({given}); };
  EXPECT_EQ(text("2024-05-05T00:00:00Z"), kSunday);
  EXPECT_EQ(text("2024-05-05t02:00:00+02:00"), kSunday);
  EXPECT_EQ(text("2024-05-05 02:00:00+0200"), kSunday);
  EXPECT_EQ(text("2024-05-04 20:00:00.5-04"), kSunday + 0.5);
  EXPECT_EQ(text("2024-05-05 00:00:00 UTC"), kSunday);
  EXPECT_EQ(text("2024-05-05 02:00:00"), kSunday) << "in Berlin";
  EXPECT_EQ(text("Sun May  5 02:00:00 2024"), kSunday) << "in Berlin";
  EXPECT_EQ(text("2016-12-31T23:59:60Z"), 1483228800) << "a leap second";
  EXPECT_EQ(text("1714867200"), kSunday);
  EXPECT_EQ(read({kSunday}), kSunday);
  EXPECT_EQ(read({kSunday * 1000 + 250}), kSunday + 0.25);
  for (const char* none :
       {"", "2024-05-05", "2024-05-05T00:00", "2024-05-05T00:00:00+25:00", "2024-02-30T00:00:00Z",
        "2024-05-05T00:00:00Zulu", "Sun Foo  5 02:00:00 2024", "nan", "inf", "0", "-5", "12 May"})
    EXPECT_TRUE(std::isnan(text(none))) << none;
}

TEST(CatalogueTime, SizesHaveUnits) {
  EXPECT_EQ(catalogue_size({20.0}, 1024), 20480);
  EXPECT_EQ(catalogue_size({std::string("20")}, 1), 20);
  EXPECT_EQ(catalogue_size({std::string("10Gi")}, 1), 10.0 * (1U << 30U));
  EXPECT_EQ(catalogue_size({std::string("2 KB")}, 1), 2000);
  for (const char* none : {"", "big", "-1", "1 XB"})
    EXPECT_FALSE(catalogue_size({std::string(none)}, 1)) << none;
  EXPECT_FALSE(catalogue_size({true}, 1));
}

}  // namespace
}  // namespace pg_integrity::test::catalogue_pointers_test
