// The command `backups` in the real program, with real dumps and the repositories of the real
// pgBackRest and Barman.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <ctime>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "collectors/options/backup_schedule.h"
#include "collectors/recovery/backup_schedule.h"
#include "exporter/io/file_digest.h"
#include "tests/support/clock.h"
#include "tests/support/cluster.h"
#include "tests/support/content.h"
#include "tests/support/exporter.h"
#include "tests/support/object_store.h"
#include "tests/support/observer.h"
#include "tests/support/paths.h"
#include "tests/support/process.h"
#include "tests/support/repository.h"
#include "tests/support/temporary.h"
#include "tests/support/wait.h"

namespace pg_integrity::test::backups_test {
namespace {

using nlohmann::json;

Finished backups(const std::string& config, const std::vector<std::string>& more = {}) {
  std::vector<std::string> command{program(), "backups", "--config", config};
  command.insert(command.end(), more.begin(), more.end());
  ProcessOptions options;
  options.without = {"DATA_SOURCE_NAME", "PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGSERVICE"};
  return run(command, options);
}

json overview_of(const std::string& config) {
  return json::parse(backups(config, {"--format", "json"}).out);
}

/// The first kind of the first source.
const json& first_kind(const json& overview) {
  return overview["servers"][0]["sources"][0]["kinds"][0];
}

json backup_named(const json& kind, const std::string& name) {
  for (const json& backup : kind["backups"])
    if (backup["name"] == name) return backup;
  return nullptr;
}

class BackupsOfDumps : public ::testing::Test {
 protected:
  BackupsOfDumps() {
    database_.run("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)");
  }

  [[nodiscard]] std::string dump(const std::string& name, double hours) const {
    const std::string file = dumps_.path() + "/" + name;
    Program::must(run({Cluster::programs() + "/pg_dump", "-Fc", "-f", file, database_.dsn()}));
    set_age(file, hours);
    return file;
  }
  static void set_age(const std::string& file, double hours) {
    const timespec then{std::time(nullptr) - static_cast<std::time_t>(hours * 3600), 0};
    const timespec times[2] = {then, then};
    ASSERT_EQ(::utimensat(AT_FDCWD, file.c_str(), times, 0), 0);
  }
  [[nodiscard]] std::string source(const std::string& more) const {
    return one_server(
        database_.dsn(),
        "recovery_point_objective = \"2d\"\n[[server.backups]]\nname = \"dumps\"\ndirectory = \"" +
            dumps_.path() + "\"\npattern = \"*.dump\"\n" + more,
        "backups");
  }

  Database database_;
  TemporaryDirectory dumps_;
  TemporaryDirectory directory_;
};

TEST_F(BackupsOfDumps, EachIsListedWithWhatItCountsFor) {
  static_cast<void>(dump("good.dump", 5));
  const std::string half = dump("half.dump", 3);
  std::filesystem::resize_file(half, std::filesystem::file_size(half) * 2 / 3);
  set_age(half, 3);
  set_age(dumps_.write("small.dump", "PGDMP"), 2);
  static_cast<void>(dumps_.write("fresh.dump", content_of(dumps_.path() + "/good.dump")));
  const std::string config = directory_.write("config.toml", source("every = \"1d\"\n"));

  const json overview = overview_of(config);
  const json& kind = first_kind(overview);
  ASSERT_EQ(kind["backups"].size(), 4U) << overview.dump(1);
  EXPECT_EQ(kind["backups"][0]["name"], "fresh.dump") << "the newest first";
  EXPECT_EQ(backup_named(kind, "good.dump")["counts"], true);
  EXPECT_EQ(backup_named(kind, "good.dump")["proof_level"], 1);
  EXPECT_EQ(backup_named(kind, "fresh.dump")["status"], "running");
  EXPECT_EQ(backup_named(kind, "fresh.dump")["why_not"], "it changed less than 2m ago (`settle`)");
  EXPECT_EQ(backup_named(kind, "small.dump")["why_not"], "it is too small");
  EXPECT_EQ(backup_named(kind, "half.dump")["counts"], false);
  EXPECT_FALSE(backup_named(kind, "half.dump")["why_not"].is_null());
  EXPECT_EQ(kind["counts"]["success"], 1);
  EXPECT_EQ(kind["schedule"], "every 1d");
  EXPECT_EQ(kind["newest"], backup_named(kind, "good.dump")["time"]);
  EXPECT_NEAR(overview["servers"][0]["recovery_point"]["age_seconds"].get<double>(), 5 * 3600, 600);
  EXPECT_EQ(overview["servers"][0]["recovery_point"]["objective_seconds"], 2 * 86400);

  const Finished text = backups(config);
  EXPECT_EQ(text.status, 2) << "nothing was read to its end";
  for (const char* words : {"server test\n", "  dumps, directory ", "newest that counts: ",
                            "next run: ", "every 1d", "good.dump: counts, level 1 (plausible)",
                            "small.dump: does not count: it is too small", "overall: UNPROVEN"})
    EXPECT_NE(text.out.find(words), std::string::npos) << words << " in\n" << text.out;
}

TEST_F(BackupsOfDumps, ObjectsOfABucketAreListedAsFilesAre) {
  ObjectStore store;
  const std::string whole = content_of(dump("good.dump", 5));
  store.put("dumps/good.dump", whole, 5);
  store.put("dumps/half.dump", whole.substr(0, whole.size() * 2 / 3), 3);
  const std::string config = directory_.write(
      "config.toml", one_server(database_.dsn(), store.source("pattern = \"*.dump\""), "backups"));

  const json kind = first_kind(overview_of(config));
  ASSERT_EQ(kind["backups"].size(), 2U) << kind.dump(1);
  EXPECT_EQ(backup_named(kind, "good.dump")["counts"], true);
  EXPECT_EQ(backup_named(kind, "half.dump")["counts"], false);
  EXPECT_FALSE(backup_named(kind, "half.dump")["why_not"].is_null());
  EXPECT_NE(backups(config).out.find("  cloud, bucket s3://"), std::string::npos);

  store.stop();
  const json away = overview_of(config);
  EXPECT_NE(away["servers"][0]["sources"][0]["not_read"].dump().find("s3://"), std::string::npos)
      << away.dump(1);
}

TEST_F(BackupsOfDumps, AProofOfTheRunningExporterIsShownAndAnOverdueOneIsViolated) {
  const std::string good = dump("good.dump", 5);
  ExporterProcess exporter(one_server(
      database_.dsn(), "[[server.backups]]\nname = \"dumps\"\ndirectory = \"" + dumps_.path() +
                           "\"\npattern = \"*.dump\"\nevery = \"1d\"\n"));
  ASSERT_TRUE(exporter.shows("pg_integrity_backup_proved", {{"kind", "dump"}}, 1));
  EXPECT_EQ(exporter.stop(), 0);
  const Finished proven = backups(exporter.config_path());
  EXPECT_EQ(proven.status, 0) << proven.out << proven.err;
  EXPECT_NE(proven.out.find("could we get it back? PROVEN"), std::string::npos) << proven.out;
  EXPECT_NE(proven.out.find("proof: PROVEN; good.dump was read to its end"), std::string::npos)
      << proven.out;
  EXPECT_NE(proven.out.find("good.dump: counts, level 2 (read), "), std::string::npos)
      << proven.out;
  EXPECT_FALSE(first_kind(overview_of(exporter.config_path()))["proof"]["checked_at"].is_null());

  std::filesystem::remove(good);
  static_cast<void>(dump("good.dump", 72));
  const Finished late = backups(exporter.config_path());
  EXPECT_EQ(late.status, 1) << late.out;
  EXPECT_NE(late.out.find(" ago (every 1d); 2 missed runs"), std::string::npos) << late.out;
}

TEST_F(BackupsOfDumps, WithoutDatabaseAndDirectoryTheRecordSpeaks) {
  database_.run(
      "CREATE TABLE log (at timestamptz, kind text, status text);"
      "INSERT INTO log VALUES (now() - interval '1 hour', 'auto', 'ok')");
  static_cast<void>(dump("good.dump", 5));
  const std::string sources =
      "[[server.backups]]\nname = \"dumps\"\ndirectory = \"" + dumps_.path() +
      "\"\npattern = \"*.dump\"\nevery = \"1d\"\n"
      "[[server.backups]]\nname = \"log\"\ntable = { table = \"log\", time = \"at\", kind = "
      "\"kind\", status = \"status\", success = [\"ok\"] }\n"
      "kinds = { auto = { values = [\"auto\"], every = \"6h\" } }\n";
  ExporterProcess exporter(one_server(database_.dsn(), sources));
  ASSERT_TRUE(exporter.shows("pg_integrity_backup_proved", {{"source", "dumps"}}, 1));
  ASSERT_TRUE(
      exporter.shows("pg_integrity_backups", {{"source", "log"}, {"status", "success"}}, 1));
  EXPECT_EQ(exporter.stop(), 0);
  // Nothing listens there, and the directory is gone.
  std::string toml = content_of(exporter.config_path());
  toml = std::regex_replace(toml, std::regex("port=[0-9]+"), "port=1");
  const std::string config = directory_.write("config.toml", toml);
  std::filesystem::rename(dumps_.path(), dumps_.path() + ".gone");
  const json overview = overview_of(config);
  std::filesystem::rename(dumps_.path() + ".gone", dumps_.path());
  for (const json& source : overview["servers"][0]["sources"]) {
    SCOPED_TRACE(source.dump(1));
    const json& kind = source["kinds"][0];
    EXPECT_EQ(kind["counts"]["success"], 1);
    EXPECT_FALSE(kind["newest"].is_null());
    EXPECT_EQ(source["source"] == "dumps", !source["not_read"].is_null());
  }
}

TEST_F(BackupsOfDumps, AConfigurationThatCannotBeUsedIsALineAndCode3) {
  const Finished refused = backups(directory_.write("config.toml", "[[server]]\nname = 3\n"));
  EXPECT_EQ(refused.status, 3);
  EXPECT_EQ(refused.out, "");
  EXPECT_NE(refused.err.find("should be text"), std::string::npos) << refused.err;
}

/// Adds the fields of a document: "servers[].sources[].where".
void add_fields(const json& value, const std::string& path, std::set<std::string>& fields) {
  if (value.is_object()) {
    for (const auto& [key, field] : value.items())
      add_fields(field, path.empty() ? key : path + "." + key, fields);
  } else if (value.is_array()) {
    for (const auto& element : value) add_fields(element, path + "[]", fields);
  } else {
    fields.insert(path);
  }
}

TEST_F(BackupsOfDumps, TheFieldsOfTheJsonAreTheDocumentedOnes) {
  const std::string text = content_of(source_path("exporter/README.md"));
  const std::size_t begin = text.find("\n## backups --format json");
  ASSERT_NE(begin, std::string::npos);
  const std::string chapter = text.substr(begin, text.find("\n## ", begin + 1) - begin);
  const std::regex field("\\n\\| `([^`]+)` \\|");
  std::set<std::string> documented;
  for (std::sregex_iterator at(chapter.begin(), chapter.end(), field), end; at != end; ++at)
    documented.insert((*at)[1]);

  static_cast<void>(dump("good.dump", 5));
  const json overview =
      overview_of(directory_.write("config.toml", source("every = \"1d\"\nretention = \"7d\"\n")));
  std::set<std::string> fields;
  add_fields(overview, "", fields);
  for (const char* list :
       {"findings[]", "recovery_point.findings[]", "sources[].kinds[].findings[]",
        "sources[].kinds[].proof.evidence[]", "sources[].kinds[].proof.findings[]",
        "sources[].kinds[].drill.evidence[]", "sources[].kinds[].drill.findings[]"})
    if (std::string_view(list) != "findings[]") fields.insert("servers[]." + std::string(list));
  std::set<std::string> named;
  for (const std::string& one : fields)
    named.insert(std::regex_replace(
        one, std::regex("counts\\.(success|failed|running|stuck|other)"), "counts.STATUS"));
  EXPECT_EQ(named, documented);
}

TEST(BackupsOfPgBackRest, EachLabelIsListedAndWhatItRefusesIsTold) {
  PgBackRestRepository repository;
  static_cast<void>(repository.ask({"stanza-create"}));
  static_cast<void>(repository.ask({"--type=full", "backup"}));
  static_cast<void>(repository.ask({"--type=incr", "backup"}));
  const std::string info =
      repository.program().write("info.json", repository.ask({"info", "--output=json"}));
  const auto config = [&](const std::string& file) {
    return repository.program().write(
        "config.toml",
        one_server(repository.cluster().dsn("postgres"),
                   "[[server.backups]]\nname = \"repo\"\npgbackrest = { file = \"" + file +
                       "\" }\nkinds = { full = { every = \"7d\" }, incr = { every = \"6h\" } }\n",
                   "backups"));
  };
  const json source = overview_of(config(info))["servers"][0]["sources"][0];
  const json made = json::parse(content_of(info))[0]["backup"];
  ASSERT_EQ(made.size(), 2U);
  for (const json& backup : made) {
    json kind;
    for (const json& one : source["kinds"])
      if (one["kind"] == backup["type"]) kind = one;
    const json listed = backup_named(kind, backup["label"]);
    EXPECT_EQ(listed["counts"], true) << source.dump(1);
    EXPECT_EQ(listed["proof_level"], 0) << "it is on record";
    EXPECT_EQ(kind["state"], "proven") << source.dump(1);
  }
  std::string gone = content_of(info);
  const std::string max = "\"max\":\"";
  gone.replace(gone.find(max) + max.size(), 24, "000000010000000000000001");
  const Finished without_log =
      backups(config(repository.program().write("gone.json", gone)), {"--format", "text"});
  EXPECT_NE(
      without_log.out.find("does not count: its log from start to stop is not in the archive"),
      std::string::npos)
      << without_log.out;
  const Finished broken = backups(config(repository.program().write("broken.json", "[{")));
  EXPECT_EQ(broken.status, 2);
  EXPECT_NE(broken.out.find("as on record, since it could not be read"), std::string::npos)
      << broken.out;
}

TEST(BackupsOfBarman, EachIdIsListed) {
  const BarmanRepository repository;
  repository.backup();
  const std::string file = repository.program().write("list.json", repository.list());
  const std::string config = repository.program().write(
      "config.toml", one_server("host=127.0.0.1 port=1 user=postgres dbname=postgres",
                                "[[server.backups]]\nname = \"barman\"\nbarman = { file = \"" +
                                    file + "\" }\nkinds = { full = { every = \"7d\" } }\n",
                                "backups"));
  const json overview = overview_of(config);
  const json& kind = first_kind(overview);
  const std::string id = json::parse(content_of(file))["main"][0]["backup_id"];
  EXPECT_EQ(backup_named(kind, id)["counts"], true) << overview.dump(1);
  EXPECT_EQ(kind["counts"]["success"], 1) << "although the server is down";
}

TEST(NextRun, ItIsTheNextAnchorOrAnIntervalAfterTheNewest) {
  SteppedClock clock;
  const UnixTime now = clock.unix_now();
  EXPECT_EQ(next_run({Seconds(3600), {}, "UTC", Seconds(0)}, now - 600, clock), now + 3000);
  EXPECT_EQ(next_run({Seconds(3600), {}, "UTC", Seconds(0)}, now - 7200, clock), now - 3600);
  EXPECT_FALSE(next_run({Seconds(3600), {}, "UTC", Seconds(0)}, {}, clock));
  const BackupSchedule daily{{}, {*parse_anchor("03:00"), *parse_anchor("15:00")}, "UTC", {}};
  const UnixTime next = next_run(daily, {}, clock).value();
  EXPECT_GT(next, now);
  EXPECT_LE(next, now + 12 * 3600);
  EXPECT_EQ(static_cast<long>(next) % (12 * 3600), 3 * 3600);
  const BackupSchedule weekly{{}, {*parse_anchor("Sun 03:00")}, "UTC", {}};
  const UnixTime sunday = next_run(weekly, {}, clock).value();
  EXPECT_LE(sunday, now + 7 * 86400);
  EXPECT_EQ(static_cast<long>(sunday / 86400) % 7, 3) << "1970-01-04 was a Sunday";
  EXPECT_EQ(daily.text(), "at 03:00, 15:00 (UTC)");
  EXPECT_EQ(weekly.text(), "at Sun 03:00 (UTC)");
}

}  // namespace
}  // namespace pg_integrity::test::backups_test
