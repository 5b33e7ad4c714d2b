// Every shape of a good dump: each option of pg_dump and pg_dumpall with which a dump still gives
// what its source declares. None of them may be called failed.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "tests/drill/drilled.h"
#include "tests/support/content.h"

namespace pg_integrity::test::shapes_test {
namespace {

struct Shape {
  std::string name;  ///< of the test
  std::vector<std::string> options;
  enum class By : std::uint8_t { pg_dump, pg_dumpall } by = By::pg_dump;
  enum class Then : std::uint8_t { nothing, gzip, crlf } then = Then::nothing;
};

void PrintTo(const Shape& shape, std::ostream* out) {
  *out << shape.name;
}

const std::vector<Shape>& shapes() {
  static const std::vector<Shape> all{
      {"custom", {"-Fc"}},
      {"custom_uncompressed", {"-Fc", "-Z0"}},
      {"custom_compressed", {"-Fc", "-Z9"}},
      {"tar", {"-Ft"}},
      {"directory", {"-Fd"}},
      {"directory_by_jobs", {"-Fd", "-j2"}},
      {"plain", {"-Fp"}},
      {"plain_compressed", {"-Fp", "-Z6"}},
      {"plain_gzip", {"-Fp"}, Shape::By::pg_dump, Shape::Then::gzip},
      {"plain_crlf", {"-Fp"}, Shape::By::pg_dump, Shape::Then::crlf},
      {"inserts", {"-Fp", "--inserts"}},
      {"column_inserts", {"-Fp", "--column-inserts"}},
      {"rows_per_insert", {"-Fp", "--rows-per-insert=10"}},
      {"on_conflict", {"-Fp", "--inserts", "--on-conflict-do-nothing"}},
      {"clean", {"-Fp", "--clean"}},
      {"clean_if_exists", {"-Fp", "--clean", "--if-exists"}},
      {"create", {"-Fp", "--create"}},
      {"create_clean", {"-Fp", "--create", "--clean", "--if-exists"}},
      {"create_custom", {"-Fc", "--create"}},
      {"no_owner", {"-Fp", "--no-owner"}},
      {"no_privileges", {"-Fp", "--no-privileges"}},
      {"no_comments", {"-Fc", "--no-comments"}},
      {"quoted", {"-Fp", "--quote-all-identifiers"}},
      {"encoding", {"-Fp", "--encoding=LATIN1"}},
      {"row_security", {"-Fc", "--enable-row-security"}},
      {"serializable", {"-Fc", "--serializable-deferrable"}},
      {"session_authorization", {"-Fp", "--use-set-session-authorization"}},
      {"no_tablespaces", {"-Fp", "--no-tablespaces"}},
      {"no_toast_compression", {"-Fp", "--no-toast-compression"}},
      {"no_labels", {"-Fc", "--no-security-labels", "--no-publications", "--no-subscriptions"}},
      {"partition_root", {"-Fc", "--load-via-partition-root"}},
      {"no_unlogged", {"-Fc", "--no-unlogged-table-data"}},
      {"no_dollars", {"-Fp", "--disable-dollar-quoting"}},
      {"float_digits", {"-Fp", "--extra-float-digits=2"}},
      {"verbose", {"-Fp", "--verbose", "--no-sync", "--lock-wait-timeout=5s"}},
      {"with_blobs", {"-Fc", "--blobs"}},
      {"cluster", {}, Shape::By::pg_dumpall},
      {"cluster_clean", {"--clean", "--if-exists"}, Shape::By::pg_dumpall},
      {"cluster_without_owners", {"--no-owner", "--no-role-passwords"}, Shape::By::pg_dumpall},
  };
  return all;
}

class GoodDump : public Drilled, public ::testing::TestWithParam<Shape> {
 protected:
  GoodDump() {
    database.run(
        "CREATE SCHEMA \"Odd one\"; CREATE TYPE mood AS ENUM ('good', 'bad');"
        "CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NEW; END$$;"
        "CREATE TABLE customer (id serial PRIMARY KEY, created_at timestamptz NOT NULL DEFAULT "
        "now() - interval '1 day', name text, feels mood DEFAULT 'good', share float8);"
        "CREATE TABLE \"Odd one\".\"Ticket\" (id int PRIMARY KEY, customer int REFERENCES "
        "customer, created_at timestamptz DEFAULT now() - interval '1 day', note text);"
        "CREATE INDEX by_customer ON \"Odd one\".\"Ticket\" (customer);"
        "CREATE TRIGGER stamped BEFORE INSERT ON \"Odd one\".\"Ticket\" FOR EACH ROW EXECUTE "
        "FUNCTION stamp();"
        "CREATE TABLE part (at date, created_at timestamptz DEFAULT now() - interval '1 day') "
        "PARTITION BY RANGE (at); CREATE TABLE part_2024 PARTITION OF part FOR VALUES FROM "
        "('2024-01-01') TO ('2025-01-01');"
        "CREATE VIEW names AS SELECT name FROM customer; COMMENT ON VIEW names IS 'it''s so';"
        "INSERT INTO customer (name, share) SELECT E'n\\u00e4me \\\\ ' || i, random() FROM "
        "generate_series(1, 50) i;"
        "INSERT INTO \"Odd one\".\"Ticket\" (id, customer, note) SELECT i, 1 + i % 50, "
        "E'line\\nline' FROM "
        "generate_series(1, 90) i;"
        "INSERT INTO part SELECT date '2024-02-01' + i FROM generate_series(1, 30) i");
  }

  void take() const {
    const Shape& shape = GetParam();
    if (shape.by == Shape::By::pg_dump) {
      dump("a.dump", shape.options);
    } else {
      std::vector<std::string> words{Cluster::programs() + "/pg_dumpall", "-d", database.dsn(),
                                     "-f", path("a.dump")};
      words.insert(words.end(), shape.options.begin(), shape.options.end());
      const Finished finished = run(words);
      ASSERT_EQ(finished.status, 0) << finished.err;
    }
    if (shape.then == Shape::Then::gzip) {
      ASSERT_EQ(run({"gzip", path("a.dump")}).status, 0);
      ASSERT_EQ(run({"mv", path("a.dump.gz"), path("a.dump")}).status, 0);
    }
    if (shape.then != Shape::Then::crlf) return;
    const std::string text = content_of(path("a.dump"));
    std::ofstream file(path("a.dump"), std::ios::binary);
    for (const char letter : text) file << (letter == '\n' ? "\r\n" : std::string(1, letter));
  }
};

TEST_P(GoodDump, IsNotCalledFailed) {
  take();
  const Finished finished = drill();
  const DrillRecord drilled = only_drill();
  EXPECT_EQ(drilled.outcome, DrillOutcome::success) << reasons_of(drilled) << finished.err;
  EXPECT_EQ(leftovers(), std::vector<std::string>());
}

INSTANTIATE_TEST_SUITE_P(Shapes, GoodDump, ::testing::ValuesIn(shapes()),
                         [](const auto& of) { return of.param.name; });

TEST(GoodDumps, AreOfTwentyFiveShapesAtLeast) {
  EXPECT_GE(shapes().size(), 25U);
}

}  // namespace
}  // namespace pg_integrity::test::shapes_test
