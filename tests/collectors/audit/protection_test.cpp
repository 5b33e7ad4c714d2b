#include <gtest/gtest.h>

#include "collectors/base/errors.h"
#include "collectors/recovery/backup_metrics.h"
#include "exporter/evidence/saved_evidence.h"
#include "exporter/evidence/verdict.h"
#include "tests/support/cluster.h"
#include "tests/support/observer.h"

namespace pg_integrity::test::protection_test {
namespace {

constexpr const char* kTable =
    "CREATE TABLE status (id serial, enabled boolean, version text, verified timestamptz);";

std::string protection(const std::string& rest) {
  return "[[server.collectors.protection.protections]]\nname = \"p\"\ntable = \"status\"\n" + rest +
         "\n";
}

const std::string kAll = protection(
    "enabled = \"enabled\"\nversion = \"version\"\nverified_at = \"verified\"\n"
    "max_age = \"10m\"");

Findings look_at(const Database& database, const std::string& more,
                 std::shared_ptr<const SavedEvidence> record = nullptr) {
  return look(one_server(database.dsn(), more, "protection"), std::move(record));
}

std::optional<double> metric(const Findings& found, const std::string& name) {
  return found.value("pg_integrity_protection_" + name, {{"protection", "p"}});
}

TEST(Protection, WhatVerifiedItselfLatelyIsProven) {
  const Database db;
  db.run(std::string(kTable) +
         "INSERT INTO status (enabled, version, verified) VALUES (true, 'v3', now() - interval '5 "
         "minutes')");
  const Findings found = look_at(db, kAll);
  EXPECT_EQ(found.violated(), "");
  EXPECT_EQ(found.state("protection/p"), State::proven);
  EXPECT_EQ(metric(found, "enabled"), 1);
  EXPECT_EQ(found.value("pg_integrity_protection_info", {{"version", "v3"}}), 1);
  EXPECT_EQ(metric(found, "max_age_seconds"), 600);
  EXPECT_NEAR(metric(found, "age_seconds").value(), 300, 60);
  EXPECT_NEAR(metric(found, "last_verification_timestamp_seconds").value(),
              std::stod(db.ask("SELECT extract(epoch FROM verified) FROM status")), 0.001);
}

TEST(Protection, AnOldVerificationIsAViolationOfItsAgeAlone) {
  const Database db;
  db.run(std::string(kTable) +
         "INSERT INTO status (enabled, version, verified) VALUES (true, 'v3', now() - interval '7 "
         "days')");
  const Findings found = look_at(db, kAll);
  EXPECT_EQ(found.violated(), "protection/p");
  EXPECT_EQ(metric(found, "enabled"), 1);
  EXPECT_NEAR(metric(found, "age_seconds").value(), 7 * 86400, 60);
  const std::string without_limit = protection("enabled = \"enabled\"\nverified_at = \"verified\"");
  EXPECT_EQ(look_at(db, without_limit).violated(), "") << "an age without a limit is only shown";
}

TEST(Protection, ADisabledOneIsAViolationUntilItIsEnabledAgain) {
  const Database db;
  db.run(std::string(kTable) +
         "INSERT INTO status (enabled, verified) VALUES (true, now() - interval '1 minute'),"
         " (false, now())");
  Findings found = look_at(db, kAll);
  EXPECT_EQ(found.violated(), "protection/p");
  EXPECT_EQ(metric(found, "enabled"), 0) << "the row that was verified last counts";
  db.run("UPDATE status SET enabled = true");
  found = look_at(db, kAll, found.saved);
  EXPECT_EQ(found.violated(), "");
}

TEST(Protection, OfRowsOfTheSameMomentAllMustBeEnabled) {
  const Database db;
  db.run(std::string(kTable) +
         "INSERT INTO status (enabled, version, verified) VALUES (true, 'v1', now()),"
         " (false, 'v2', now()), (true, 'v3', now() - interval '1 minute')");
  const Findings found = look_at(db, kAll);
  EXPECT_EQ(metric(found, "enabled"), 0);
  EXPECT_EQ(found.page.all("pg_integrity_protection_info").size(), 2U);
}

TEST(Protection, MoreRowsThanAreReadProveNothing) {
  const Database db;
  db.run(std::string(kTable) +
         "INSERT INTO status (enabled) SELECT true FROM generate_series(1, 100)");
  const std::string all = protection("enabled = \"enabled\"");
  Findings found = look_at(db, all);
  EXPECT_EQ(found.state("protection/p"), State::proven);
  db.run("INSERT INTO status (enabled) SELECT i < 150 FROM generate_series(101, 150) i");
  found = look_at(db, all, found.saved);
  EXPECT_EQ(found.reason("protection/p"), Reason::too_large);
  EXPECT_FALSE(metric(found, "enabled")) << "the one that is disabled may be beyond";
  db.run("DELETE FROM status WHERE id <= 50");
  EXPECT_EQ(look_at(db, all, found.saved).violated(), "protection/p");
}

TEST(Protection, AStatusTableThatGrewTooLargeIsNotRead) {
  const Database db;
  db.run(std::string(kTable) +
         "INSERT INTO status (enabled, verified) SELECT true, now() - i * interval '1 minute'"
         " FROM generate_series(0, 4999) i");
  const std::string gate = "[server.collectors.protection]\nexact_up_to = \"8kB\"\n";
  EXPECT_EQ(look_at(db, kAll).state("protection/p"), State::proven);
  EXPECT_EQ(look_at(db, gate + kAll).reason("protection/p"), Reason::too_large);
}

TEST(Protection, APartitionOnAnotherServerIsNotRead) {
  const Database db;
  db.run(R"(CREATE EXTENSION postgres_fdw;
    CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', port '1');
    CREATE TABLE status (enabled boolean, verified timestamptz) PARTITION BY RANGE (verified);
    CREATE FOREIGN TABLE old PARTITION OF status FOR VALUES FROM ('2000-01-01') TO ('2001-01-01')
      SERVER elsewhere)");
  EXPECT_EQ(look_at(db, protection("enabled = \"enabled\"")).reason("protection/p"),
            Reason::config);
}

TEST(Protection, AKeyTellsApartWhatSharesATable) {
  const Database db;
  db.run(
      "CREATE TABLE status (what text, state text); INSERT INTO status VALUES ('a', 'ON'), ('b', "
      "'off')");
  const auto of = [](const char* key) {
    return protection("key = \"what\"\nkey_value = \"" + std::string(key) +
                      "\"\nenabled = \"state\"\nenabled_values = [\"on\", \"ON\"]");
  };
  EXPECT_EQ(look_at(db, of("a")).state("protection/p"), State::proven);
  EXPECT_EQ(look_at(db, of("b")).violated(), "protection/p");
  EXPECT_EQ(look_at(db, of("c")).reason("protection/p"), Reason::missing);
}

TEST(Protection, ALocalTimeIsReadInItsZone) {
  const Database db;
  db.run(
      "CREATE TABLE status (verified timestamp); INSERT INTO status"
      " SELECT now() AT TIME ZONE 'Asia/Tokyo' - interval '1 hour'");
  const auto in_zone = [](const char* zone) {
    return protection("verified_at = \"verified\"\nmax_age = \"2h\"\nzone = \"" +
                      std::string(zone) + "\"");
  };
  const Findings found = look_at(db, in_zone("Asia/Tokyo"));
  EXPECT_NEAR(metric(found, "age_seconds").value(), 3600, 60);
  EXPECT_EQ(found.state("protection/p"), State::proven);
  EXPECT_EQ(look_at(db, in_zone("UTC")).reason("protection/p"), Reason::clock)
      << "eight hours in the future";
}

TEST(Protection, WhatCannotBeKnownIsUnproven) {
  const Database db;
  db.run(std::string(kTable) + "INSERT INTO status (enabled) VALUES (true)");
  EXPECT_EQ(look_at(db, kAll).reason("protection/p"), Reason::missing) << "never verified";
  db.run("UPDATE status SET enabled = NULL, verified = now()");
  EXPECT_EQ(look_at(db, kAll).reason("protection/p"), Reason::decode);
  db.run("UPDATE status SET enabled = true, verified = 'infinity'");
  EXPECT_EQ(look_at(db, kAll).reason("protection/p"), Reason::clock);
  EXPECT_EQ(look_at(db, protection("enabled = \"version\"")).reason("protection/p"), Reason::config)
      << "which texts mean enabled?";
  EXPECT_EQ(look_at(db, protection("enabled = \"nowhere\"")).reason("protection/p"),
            Reason::missing);
  db.run("TRUNCATE status");
  EXPECT_EQ(look_at(db, kAll).reason("protection/p"), Reason::missing);
  db.run("DROP TABLE status");
  EXPECT_EQ(look_at(db, kAll).reason("protection/p"), Reason::missing);
}

TEST(Protection, NeverVerifiedDoesNotHideThatItIsDisabled) {
  const Database db;
  db.run(std::string(kTable) + "INSERT INTO status (enabled) VALUES (false)");
  EXPECT_EQ(look_at(db, kAll).violated(), "protection/p");
}

TEST(Protection, AConfigurationThatCannotMeanAnythingIsRefused) {
  const auto refusal = [](const std::string& rest) {
    try {
      options_from(one_server("host=127.0.0.1 dbname=d", protection(rest)));
    } catch (const std::exception& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_NE(refusal("version = \"version\"").find("nothing that could be watched"),
            std::string::npos);
  EXPECT_NE(refusal("enabled = \"enabled\"\nmax_age = \"10m\"").find("no `verified_at`"),
            std::string::npos);
  EXPECT_NE(refusal("enabled = \"enabled\"\nkey = \"k\"").find("both `key`"), std::string::npos);
}

TEST(Protection, WithoutConfigurationItIsNotWatched) {
  const Database db;
  const Findings found = look_at(db, {});
  EXPECT_TRUE(
      found.page.all("pg_integrity_collector_success", {{"collector", "protection"}}).empty());
  EXPECT_EQ(found.violated(), "");
}

}  // namespace
}  // namespace pg_integrity::test::protection_test
