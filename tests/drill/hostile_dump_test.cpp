// Dumps whose author attacks the machine that restores them. Each attempt leaves a file of its own
// name, a process or a table if it succeeds. The same dumps without a sandbox show that the
// attempts are real. They are made by root's drill and by that of an ordinary user.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "collectors/recovery/drill_records.h"
#include "tests/drill/drilled.h"

namespace pg_integrity::test::hostile_dump_test {
namespace {

namespace fs = std::filesystem;

void replace_all(std::string& text, const std::string& what, const std::string& by) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size())
    text.replace(at, what.size(), by);
}

/// Attempts of psql's own commands, and of statements. @HERE@ is a folder that everybody may write.
constexpr const char* kPlain = R"sql(-- PostgreSQL database dump
\! touch @HERE@/shell
\o |touch @HERE@/output_pipe
SELECT 1;
\o
\o @HERE@/output_file
SELECT 1;
\o
SELECT 1 \g |cat >@HERE@/query_pipe
\copy (SELECT 1) TO PROGRAM 'touch @HERE@/copy_program_of_client'
\copy (SELECT 1) TO '@HERE@/copy_of_client'
SELECT 1
\w @HERE@/query_buffer
\r
\setenv PSQL_EDITOR 'touch @HERE@/editor #'
\e
\set ran `touch @HERE@/backticks`
COPY (SELECT 1) TO PROGRAM 'touch @HERE@/copy_program';
COPY (SELECT 1) TO '@HERE@/copy';
SELECT lo_from_bytea(4242, 'x');
SELECT lo_export(4242, '@HERE@/large_object');
\lo_export 4242 @HERE@/large_object_of_client
DO $$ BEGIN COPY (SELECT 1) TO PROGRAM 'touch @HERE@/block'; END $$;
DO $$ BEGIN RAISE EXCEPTION '%', pg_read_file('@HERE@/secret'); END $$;
\! cd /; setsid sleep @NAP@ >/dev/null 2>&1 &
COPY (SELECT 1) TO PROGRAM 'cd /; setsid sleep @NAP@ >/dev/null 2>&1 &';
\! ln -s @HERE@/kept link; ln -s @HERE@ ../link; ln -s @HERE@ ../data/link
COPY (SELECT 1) TO PROGRAM 'ln -s @HERE@ link; rm -f ../../socket/.s.*; ln -s @SOCKETS@/.s.PGSQL.@PORT@ ../../socket/.s.PGSQL.5432';
CREATE FUNCTION run_it(text) RETURNS int LANGUAGE c AS '/usr/lib/x86_64-linux-gnu/libc.so.6', 'system';
SELECT run_it('touch @HERE@/library');
CREATE EXTENSION dblink;
SELECT dblink_exec('@SOURCE@', 'CREATE TABLE taken_by_dblink ()');
)sql";

/// Ways to have a function called that nobody calls by name. Each calls attack(NAME).
constexpr const char* kFunctions = R"sql(
CREATE FUNCTION attack(how text) RETURNS int LANGUAGE plpgsql AS $f$ BEGIN
  IF current_database() <> 'drill' THEN RETURN 1; END IF;
  BEGIN EXECUTE format('COPY (SELECT 1) TO PROGRAM %L', 'touch @HERE@/' || how); EXCEPTION WHEN OTHERS THEN NULL; END;
  BEGIN EXECUTE format('COPY (SELECT 1) TO %L', '@HERE@/' || how || '_by_file'); EXCEPTION WHEN OTHERS THEN NULL; END;
  RETURN 1; END $f$;
CREATE FUNCTION pure(how text) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $f$ BEGIN RETURN public.attack(how); END $f$;
CREATE FUNCTION pure(n int, how text) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $f$ BEGIN RETURN public.attack(how); END $f$;
CREATE DOMAIN positive AS int CHECK (public.pure(VALUE, 'domain') = 1);
CREATE TABLE target (id int, other int, more positive, created_at timestamptz DEFAULT now() - interval '3 days',
  made int GENERATED ALWAYS AS (public.pure(id, 'generated')) STORED, CHECK (public.pure(id, 'check') = 1));
INSERT INTO target VALUES (1, 2, 3);
CREATE INDEX by_expression ON target (public.pure(id, 'index'));
CREATE INDEX by_predicate ON target (id) WHERE public.pure(id, 'predicate') = 1;
CREATE STATISTICS by_statistics ON (public.pure(id, 'statistics')), other FROM target;
CREATE TYPE point_of AS (x int);
CREATE FUNCTION cast_it(point_of) RETURNS int LANGUAGE sql AS $f$ SELECT public.attack('cast') $f$;
CREATE CAST (point_of AS int) WITH FUNCTION cast_it(point_of) AS ASSIGNMENT;
CREATE MATERIALIZED VIEW stored AS SELECT public.attack('materialized_view') AS a, (row(1)::point_of)::int AS b FROM target;
CREATE FUNCTION fire() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN PERFORM public.attack('trigger'); RETURN NEW; END $f$;
CREATE FUNCTION on_event() RETURNS event_trigger LANGUAGE plpgsql AS $f$ BEGIN PERFORM public.attack('event_trigger'); END $f$;
CREATE FUNCTION later() RETURNS int LANGUAGE sql AS $f$ SELECT public.attack('default') $f$;
CREATE TABLE filled (id int, late int DEFAULT public.later());
CREATE RULE again AS ON INSERT TO filled DO ALSO SELECT public.attack('rule');
CREATE FUNCTION compare_it(int, int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $f$ BEGIN RETURN $1 - $2 + public.attack('operator_class') - 1; END $f$;
CREATE OPERATOR CLASS odd FOR TYPE int USING btree AS OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 compare_it(int, int);
INSERT INTO target VALUES (2, 3, 4);
CREATE INDEX by_class ON target (other odd);
)sql";

constexpr const char* kTriggers = R"sql(
CREATE TRIGGER fires AFTER INSERT ON target FOR EACH ROW EXECUTE FUNCTION fire();
ALTER TABLE target ENABLE ALWAYS TRIGGER fires;
CREATE EVENT TRIGGER at_end ON ddl_command_end EXECUTE FUNCTION on_event();
)sql";

class HostileDump : public ::testing::TestWithParam<bool>, public Drilled {
 protected:
  HostileDump() {
    fs::permissions(here_.path(), fs::perms::all);
    here_.write("secret", "sesame");
    fs::create_directory(here_.path() + "/kept");
    std::ofstream(here_.path() + "/kept/file") << "";
    own_ = GetParam() && ::geteuid() == 0;
    if (!own_) return;
    for (const auto* folder : {&dumps, &records, &work})
      EXPECT_EQ(run({"chown", "-R", "postgres:", folder->path()}).status, 0);
  }
  void TearDown() override { EXPECT_EQ(leftovers(), std::vector<std::string>()); }

  [[nodiscard]] std::string filled_in(std::string text) const {
    replace_all(text, "@HERE@", here_.path());
    replace_all(text, "@NAP@", nap_);
    replace_all(text, "@SOURCE@", database.dsn());
    replace_all(text, "@SOCKETS@", database.cluster().socket_directory());
    replace_all(text, "@PORT@", std::to_string(database.cluster().port()));
    return text;
  }
  void write_plain() const {
    std::ofstream(path("a.dump")) << filled_in(kPlain) << filled_in(kFunctions)
                                  << filled_in(kTriggers)
                                  << "CREATE TABLE late ();\nINSERT INTO filled VALUES (1);\n"
                                  << "INSERT INTO target VALUES (5, 6, 7);\n"
                                  << "\\connect \"" << database.dsn() << "\"\n"
                                  << "CREATE TABLE taken_by_connect ();\n"
                                  << "-- PostgreSQL database dump complete\n";
  }
  void write_archive() const {
    database.run(filled_in(kFunctions));
    database.run(filled_in(kTriggers));
    dump("a.dump");
  }
  Finished attacked() {
    const Finished finished = own_ ? run(as_unprivileged(command())) : drill();
    EXPECT_NE(finished.status, 3) << finished.err;
    return finished;
  }
  void without_sandbox() const {
    configure({});
    std::string text((std::istreambuf_iterator<char>(
                         *std::make_unique<std::ifstream>(records.path() + "/exporter.toml"))),
                     {});
    replace_all(text, "drills = { ", "drills = { sandbox = \"none\", ");
    std::ofstream(records.path() + "/exporter.toml") << text;
  }
  /// The attempts that succeeded.
  [[nodiscard]] std::set<std::string> done() const {
    std::set<std::string> found;
    for (const auto& entry : fs::directory_iterator(here_.path()))
      if (entry.path().filename() != "secret" && entry.path().filename() != "kept")
        found.insert(entry.path().filename());
    if (!run({"pgrep", "-f", "^sleep " + nap_}).out.empty()) found.insert("a daemon");
    if (!fs::exists(here_.path() + "/kept/file")) found.insert("a removed file");
    for (const DrillRecord& drill : drills())
      if (reasons_of(drill).find("sesame") != std::string::npos) found.insert("a secret");
    if (database.ask("SELECT count(*) FROM pg_class WHERE relname LIKE 'taken%'") != "0")
      found.insert("the source");
    return found;
  }
  void end_daemons() const { run({"pkill", "-f", "^sleep " + nap_}); }

  TemporaryDirectory here_;
  std::string nap_ = "86400." + std::to_string(::getpid());
  bool own_ = false;
};

TEST_P(HostileDump, APlainOneReachesNothing) {
  write_plain();
  attacked();
  EXPECT_EQ(done(), std::set<std::string>());
}

TEST_P(HostileDump, AnArchiveReachesNothing) {
  write_archive();
  attacked();
  EXPECT_EQ(done(), std::set<std::string>());
}

TEST_P(HostileDump, WithoutASandboxTheSameDumpsReachMuch) {
  without_sandbox();
  write_plain();
  attacked();
  std::set<std::string> found = done();
  end_daemons();
  const std::set<std::string> ways{
      "shell",    "output_pipe",  "output_file",   "query_pipe",   "copy_program_of_client",
      "block",    "backticks",    "query_buffer",  "copy_program", "copy_of_client",
      "copy",     "large_object", "domain",        "generated",    "large_object_of_client",
      "check",    "index",        "predicate",     "cast",         "materialized_view",
      "trigger",  "default",      "event_trigger", "rule",         "operator_class",
      "a daemon", "a secret",     "the source"};
  std::string missed;
  std::size_t succeeded = 0;
  for (const std::string& way : ways)
    found.contains(way) ? void(++succeeded) : void(missed += way + " ");
  // A program of COPY may lose a race with the end of its statement.
  EXPECT_GE(succeeded, ways.size() - 2) << missed;
  EXPECT_FALSE(found.contains("a removed file"));
  fs::remove(path("a.dump"));
  for (const auto& entry : fs::directory_iterator(here_.path()))
    if (entry.is_regular_file() && entry.path().filename() != "secret") fs::remove(entry.path());
  write_archive();
  attacked();
  found = done();
  for (const char* way :
       {"domain", "check", "index", "predicate", "materialized_view", "operator_class"})
    EXPECT_TRUE(found.contains(way)) << way;
}

INSTANTIATE_TEST_SUITE_P(As, HostileDump, ::testing::Bool(),
                         [](const auto& as) { return as.param ? "User" : "Caller"; });

}  // namespace
}  // namespace pg_integrity::test::hostile_dump_test
