#include <gtest/gtest.h>

#include "exporter/evidence/verdict.h"
#include "tests/support/cluster.h"
#include "tests/support/observer.h"

namespace pg_integrity::test::period_reference_test {
namespace {

std::optional<double> uncovered(const Findings& found) {
  return found.value("pg_integrity_orphaned_rows", {{"table", "bill"}, {"constraint", "rated"}});
}

TEST(PeriodReference, RowsWhosePeriodIsNotCoveredAreOrphans) {
  const Database db;
  if (db.cluster().major() < 18) GTEST_SKIP() << "PERIOD came with version 18";
  db.run(
      R"(CREATE TABLE rate (id int4range, valid daterange, PRIMARY KEY (id, valid WITHOUT OVERLAPS));
    INSERT INTO rate VALUES ('[1,2)', '[2026-01-01,2026-02-01)'), ('[1,2)', '[2026-02-01,2026-03-01)'),
      ('[2,3)', '[2026-01-01,)'), ('[1,2)', '[2026-04-01,2026-05-01)');
    CREATE TABLE bill (id int4range, valid daterange,
      CONSTRAINT rated FOREIGN KEY (id, PERIOD valid) REFERENCES rate (id, PERIOD valid));
    INSERT INTO bill VALUES ('[1,2)', '[2026-01-15,2026-02-15)'), ('[2,3)', '[2027-01-01,2028-01-01)'),
      (NULL, '(,)'), ('[1,2)', NULL);)");
  EXPECT_EQ(uncovered(look(one_server(db.dsn(), {}, "orphans"))), 0);
  const char* kRefused[] = {"('[1,2)', '[2026-02-15,2026-04-15)')",
                            "('[9,10)', '[2026-01-01,2026-01-02)')", "('[1,2)', 'empty')",
                            "('[2,3)', '(,)')"};
  std::string forced = "SET session_replication_role = replica;";
  for (const char* row : kRefused) {
    const std::string insert = "INSERT INTO bill VALUES " + std::string(row) + ";";
    EXPECT_ANY_THROW(db.run(insert)) << row;
    forced += insert;
  }
  db.run(forced);
  const Findings found = look(one_server(db.dsn(), {}, "orphans"));
  EXPECT_EQ(uncovered(found), 4) << "those that PostgreSQL itself refuses";
  EXPECT_EQ(found.violated(), "orphans/public.bill.rated");
}

}  // namespace
}  // namespace pg_integrity::test::period_reference_test
