#include <gtest/gtest.h>

#include "collectors/base/errors.h"
#include "exporter/evidence/verdict.h"
#include "tests/support/cluster.h"
#include "tests/support/observer.h"

namespace pg_integrity::test::sequence_use_test {
namespace {

Findings look_at(const Database& db, const std::string& more = {}) {
  return look(one_server(db.dsn(), more, "sequence_use"));
}

std::optional<double> used(const Findings& found, const std::string& table,
                           const std::string& column = "id") {
  return found.value("pg_integrity_sequence_used_ratio", {{"table", table}, {"column", column}});
}

TEST(SequenceUse, AColumnThatIsNearlyFullIsFoundAndItsTwinIsNot) {
  const Database db;
  db.run(R"(CREATE TABLE small (id smallserial); CREATE TABLE plain (id serial);
    CREATE TABLE fresh (id bigserial); CREATE SEQUENCE wide; CREATE TABLE narrow (id int DEFAULT nextval('wide'));
    CREATE DOMAIN number AS smallint; CREATE TABLE of_domain (id number DEFAULT nextval('wide'));
    CREATE TABLE digits (id numeric(10, 0) DEFAULT nextval('wide'), free numeric DEFAULT nextval('wide'));
    SELECT setval('small_id_seq', 32767), setval('plain_id_seq', 1000000000);
    SELECT setval('wide', 2000000000);)");
  const Findings found = look_at(db);
  EXPECT_EQ(used(found, "small"), 1) << "the next value is an error";
  EXPECT_NEAR(used(found, "plain").value_or(-1), 0.466, 0.001);
  EXPECT_EQ(used(found, "fresh"), 0);
  EXPECT_NEAR(used(found, "narrow").value_or(-1), 0.931, 0.001)
      << "by the column, not the sequence";
  EXPECT_EQ(used(found, "of_domain"), 1);
  EXPECT_NEAR(used(found, "digits").value_or(-1), 0.2, 0.001);
  EXPECT_NEAR(used(found, "digits", "free").value_or(-1), 0, 0.001);
  EXPECT_EQ(found.violated(),
            "sequence_use/public.narrow.id sequence_use/public.of_domain.id"
            " sequence_use/public.small.id");
  EXPECT_EQ(found.state("sequence_use/public.plain.id"), State::proven);
  EXPECT_EQ(found.value("pg_integrity_sequence_used_ratio_max"), 0.8);
}

TEST(SequenceUse, TheSequencesOwnEndsAndItsDirectionCount) {
  const Database db;
  db.run(R"(CREATE SEQUENCE up MAXVALUE 100; CREATE SEQUENCE down INCREMENT -1 MINVALUE -100;
    CREATE SEQUENCE rounds MAXVALUE 3 CYCLE; CREATE SEQUENCE below MINVALUE -100 MAXVALUE 0 START -100;
    CREATE TABLE t (up int DEFAULT nextval('up'), down int DEFAULT nextval('down'),
      rounds int DEFAULT nextval('rounds'), below int DEFAULT nextval('below'));
    SELECT setval('up', 100), setval('down', -51), setval('rounds', 3), setval('below', -25);)");
  const Findings found = look_at(db);
  EXPECT_EQ(used(found, "t", "up"), 1);
  EXPECT_NEAR(used(found, "t", "down").value_or(-1), 0.505, 0.001);
  EXPECT_NEAR(used(found, "t", "below").value_or(-1), 0.75, 0.001);
  EXPECT_FALSE(used(found, "t", "rounds")) << "it begins again";
  EXPECT_EQ(found.violated(), "sequence_use/public.t.up");
}

TEST(SequenceUse, TheLimitIsConfigured) {
  const Database db;
  db.run("CREATE TABLE t (id smallserial); SELECT setval('t_id_seq', 20000)");
  EXPECT_EQ(look_at(db).violated(), "");
  const std::string half = "[server.collectors.sequence_use]\nmax_used = 0.5";
  EXPECT_EQ(look_at(db, half).violated(), "sequence_use/public.t.id");
}

TEST(SequenceUse, ASequenceThatMayNotBeReadIsUnproven) {
  const Database db;
  db.run(
      "CREATE TABLE t (id serial); DROP ROLE IF EXISTS blind_four; CREATE ROLE blind_four LOGIN");
  EXPECT_EQ(
      look(one_server(db.dsn("blind_four"), {}, "sequence_use")).reason("sequence_use/public.t.id"),
      Reason::permission);
}

}  // namespace
}  // namespace pg_integrity::test::sequence_use_test
