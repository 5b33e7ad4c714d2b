#include "exporter/postgres/guarded_read.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/base/errors.h"
#include "collectors/postgres/foreign_code.h"
#include "collectors/postgres/named_code.h"
#include "collectors/postgres/schema.h"
#include "exporter/postgres/obstacle.h"

namespace pg_integrity {

namespace {

constexpr const char* kName = "pg_integrity_read";
constexpr const char* kGuardName = "pg_integrity_guard";
constexpr const char* kKeptGuard = "pg_integrity_kept_guard";
constexpr const char* kKeptLearn = "pg_integrity_kept_learn";
constexpr const char* kKeptAfter = "pg_integrity_kept_after";
/// SQLSTATE object_not_in_prerequisite_state: restrict_nonsystem_relation_kind has refused.
constexpr std::string_view kRestricted = "55000";
constexpr std::string_view kLockNotAvailable = "55P03";
constexpr std::string_view kNoSuchStatement = "26000";

/// A guard reads a few rows of large catalogs, so it needs their indexes, whatever the role or the
/// database has switched off, and whatever the planner believes of their size.
constexpr std::string_view kPlanGuards =
    "SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = on; SET LOCAL enable_bitmapscan ="
    " on; SET LOCAL enable_indexonlyscan = on";

/// How the statement itself is planned. It is planned by EXECUTE, not when it is prepared. An index
/// may lack rows of its table, or have them in a wrong order. If a server, database or role has
/// switched sequential scans off as well, the planner would choose the index all the same.
std::string_view plan_statement(Access access) {
  return access == Access::heap
             ? "SET LOCAL enable_seqscan = on; SET LOCAL enable_indexonlyscan = off; SET LOCAL"
               " enable_indexscan = off; SET LOCAL enable_bitmapscan = off"
             : "SET LOCAL enable_seqscan = on; SET LOCAL enable_indexonlyscan = off";
}

std::string guard_settings(bool restricted) {
  // The guard judges policies before they run.
  std::string sql = fmt::format("SET LOCAL row_security = on; {}", kPlanGuards);
  if (restricted) sql += "; SET LOCAL restrict_nonsystem_relation_kind = 'view, foreign-table'";
  return sql;
}

/// What a guard has refused: the letter and the relation's name. Nothing if the error is another.
std::optional<std::string> refusal_in(std::string_view message) {
  const std::size_t at = message.find(kRefusal);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view rest = message.substr(at + kRefusal.size());
  return std::string(rest.substr(0, rest.find(kRefusalEnd)));
}

SourceError refused(char why, const std::string& name) {
  if (why == 'u')
    return {Reason::unsafe, fmt::format("any statement about {}{}", name, kForeignCodeRuns)};
  if (why == 'f')
    return {Reason::unsafe,
            fmt::format("the statement would call {}, which belongs to no superuser, by an"
                        " operator, a cast or a type. HINT: if it can be trusted, give it to a"
                        " superuser",
                        name)};
  if (why == 'p')
    return {Reason::policy,
            fmt::format("row-level security hides rows of {0} from our role. HINT: CREATE POLICY"
                        " pg_integrity ON {0} FOR SELECT TO the role USING (true)",
                        name)};
  if (why == 'c') return {Reason::conflict, "somebody renames the table's schema"};
  return {Reason::conflict, name + " is neither a table nor a sequence any more"};
}

[[noreturn]] void refuse(const std::string& refusal, std::string_view sql) {
  const std::string name = refusal.size() > 2 ? refusal.substr(2) : std::string("a relation");
  const SourceError error = refused(refusal.front(), name);
  if (const auto obstacle = named_obstacle(sql, name)) throw error.because_of(*obstacle);
  throw error;
}

/// By the protocol, not by PREPARE: a second statement after a semicolon is refused.
void prepare(PqxxConnection& connection, const char* name, const std::string& sql) {
  connection.prepare(name, sql);
#if PQXX_VERSION_MAJOR < 7
  try {
    connection.prepare_now(name);
  } catch (const pqxx::sql_error&) {
    connection.unprepare(name);  // libpqxx alone knows it
    throw;
  }
#endif
}

/// A prepared statement and its guard. They are gone from the server when this is destroyed,
/// whatever went wrong.
class Prepared {
 public:
  Prepared(PqxxConnection& connection, pqxx::transaction_base& transaction, const std::string& sql)
      : connection_(connection), transaction_(transaction) {
    try {
      prepare(connection, kName, sql);
    } catch (const pqxx::sql_error& error) {
      if (error.sqlstate() == kRestricted)
        throw SourceError(Reason::conflict, "a view or foreign table has come in a table's place");
      throw;
    }
  }
  Prepared(const Prepared&) = delete;
  Prepared& operator=(const Prepared&) = delete;

  ~Prepared() {
    try {
      if (failed_) transaction_.exec("ROLLBACK TO SAVEPOINT pg_integrity_read");
      connection_.unprepare(kName);
      unguard();
    } catch (const std::exception&) {
      return;  // the connection is lost, and the statement with it
    }
  }

  /// Its guard from now on.
  void guard_by(const std::string& sql) {
    unguard();
    prepare(connection_, kGuardName, sql);
    guarded_ = true;
  }

  /// @return the result of the last statement.
  pqxx::result run(const std::string& sql) {
    try {
      return transaction_.exec(sql);
    } catch (...) {
      failed_ = true;
      throw;
    }
  }

  void back_to_its_preparation() {
    transaction_.exec("ROLLBACK TO SAVEPOINT pg_integrity_read");
    failed_ = false;
  }

 private:
  void unguard() {
    if (std::exchange(guarded_, false)) connection_.unprepare(kGuardName);
  }

  PqxxConnection& connection_;
  pqxx::transaction_base& transaction_;
  bool failed_ = false;
  bool guarded_ = false;
};

/// Planning locks partitions, children and indexes. While it waits for one, the owner could add
/// what was not judged. So it does not wait. SET lets PostgreSQL hear of nothing.
std::string execution(pqxx::transaction_base& transaction, Access access,
                      std::span<const std::string> parameters) {
  std::string sql =
      fmt::format("SET LOCAL lock_timeout = 1; {}; EXECUTE {}", plan_statement(access), kName);
  for (const std::string& parameter : parameters)
    sql += (&parameter == parameters.data() ? " (" : ", ") + transaction.quote(parameter);
  return parameters.empty() ? sql : sql + ")";
}

/// Runs guards in a transaction of the judge, until it is destroyed. A guard asks for the locks of
/// the session that runs it, and here for those of the one that it is about.
class Judging {
 public:
  Judging(const JudgingSession& judge, int backend)
      : transaction_(*judge.connection), backend_(backend) {
    transaction_.exec("BEGIN ISOLATION LEVEL READ COMMITTED, READ ONLY; " + judge.settings);
  }
  Judging(const Judging&) = delete;
  Judging& operator=(const Judging&) = delete;
  ~Judging() {
    try {
      transaction_.exec("ROLLBACK");
    } catch (const std::exception&) {
      return;  // the connection is lost, and the transaction with it
    }
  }

  void run(std::string guard) {
    constexpr std::string_view kOwn = "pg_catalog.pg_backend_pid()";
    for (std::size_t at = guard.find(kOwn); at != std::string::npos; at = guard.find(kOwn))
      guard.replace(at, kOwn.size(), std::to_string(backend_));
    transaction_.exec(guard);
  }

 private:
  pqxx::nontransaction transaction_;
  int backend_;
};

/// SQL that surrounds a statement.
struct Guarding {
  std::string before;  ///< of a guard that is prepared for this statement alone; may be empty
  std::string guard, learn, after;
};

/// Who runs the guards, and about which session.
struct Judge {
  const JudgingSession& session;
  int backend;
};

Guarding own_guarding(std::string before, std::string after) {
  static const std::string kLearn = learn_indexes_sql();
  static const std::string kGuard = fmt::format("EXECUTE {}", kGuardName);
  return {std::move(before), kGuard, kLearn, std::move(after)};
}

/// A guard, the statement, and a guard again.
pqxx::result run_between(Prepared& prepared, const Guarding& guarding, const Judge& judge,
                         const std::string& execute) {
  // The savepoint comes after the preparation, so that its locks stay when it is gone back to. The
  // guard runs twice. After the first time it is planned and its catalogs are locked, so that the
  // second time PostgreSQL hears of nothing new.
  const std::string back = fmt::format("{}; {}", kWaitForLocks, kPlanGuards);
  if (judge.session.connection == nullptr) {
    pqxx::result result =
        prepared.run(fmt::format("SAVEPOINT pg_integrity_read; {0}; {1}; {0}; {2}", guarding.guard,
                                 guarding.learn, execute));
    prepared.run(fmt::format("{}; {}", back, guarding.after));
    return result;
  }
  Judging judging(judge.session, judge.backend);
  prepared.run("SAVEPOINT pg_integrity_read");
  judging.run(guarding.before);
  pqxx::result result = prepared.run(execute);
  prepared.run(back);
  judging.run(guarding.after);
  return result;
}

/// The same, and again if a lock was in the way. Only before the guards may a session wait for it.
pqxx::result run_patiently(Prepared& prepared, const Guarding& guarding, const Judge& judge,
                           const std::string& execute) {
  static const std::string kAwait = await_locks_sql();
  if (judge.session.connection == nullptr && !guarding.before.empty())
    prepared.guard_by(guarding.before);
  constexpr int kTries = 3;
  for (int tries = 1;; ++tries) {
    try {
      return run_between(prepared, guarding, judge, execute);
    } catch (const pqxx::sql_error& error) {
      if (error.sqlstate() != kLockNotAvailable || tries == kTries) throw;
    }
    prepared.back_to_its_preparation();
    prepared.run(kAwait);
  }
}

/// One statement that fails if one of the guards does.
std::string all_of(const std::vector<std::string>& guards) {
  return fmt::format("SELECT ({})", fmt::join(guards, "), ("));
}

/// Parsing a literal calls functions of its type, so its name is judged before.
void require_safe_types(pqxx::transaction_base& transaction, const std::string& guard,
                        std::string_view sql) {
  try {
    transaction.exec(guard);
  } catch (const pqxx::sql_error& error) {
    if (const auto refusal = refusal_in(error.what())) refuse(*refusal, sql);
    throw;
  }
}

/// Whether a statement of ours names a table without ONLY. Names are always in double quotes.
bool reads_heirs(std::string_view sql) {
  return sql.find("FROM \"") != std::string_view::npos ||
         sql.find("JOIN \"") != std::string_view::npos ||
         sql.find("ONLY ") == std::string_view::npos;
}

/// Prepares what is kept. If that fails, nothing is kept.
void keep_guards(PqxxConnection& connection, KeptGuards& kept, const std::string& before,
                 const std::string& after) {
  if (kept.prepared) return;
  kept.wanted = false;
  prepare(connection, kKeptGuard, before);
  prepare(connection, kKeptLearn, learn_indexes_sql());
  prepare(connection, kKeptAfter, after);
  kept = {true, true};
}

/// The guards of every plain statement.
Guarding plain_guarding(PqxxConnection& connection, KeptGuards& kept, bool judged_by_another) {
  static const std::string kPlain = plain_guard_sql();
  if (judged_by_another) return own_guarding(kPlain, kPlain);
  static const std::string kBefore = all_of({kPlain, same_names_sql(kName)});
  if (!kept.wanted) return own_guarding(kBefore, kPlain);
  keep_guards(connection, kept, kBefore, kPlain);
  static const Guarding kKept{{},
                              fmt::format("EXECUTE {}", kKeptGuard),
                              fmt::format("EXECUTE {}", kKeptLearn),
                              fmt::format("EXECUTE {}", kKeptAfter)};
  return kKept;
}

/// The guards of a statement that a plain guard refuses.
Guarding thorough_guarding(const std::string& names_guard, std::string_view sql,
                           bool judged_by_another) {
  struct Guards {
    std::string before, after;
  };
  static const Guards kAlone{guard_sql(Guard::before, false), guard_sql(Guard::after, false)};
  static const Guards kWithHeirs{guard_sql(Guard::before, true), guard_sql(Guard::after, true)};
  const Guards& guards = reads_heirs(sql) ? kWithHeirs : kAlone;
  // A judge sees the names of now, and the locks of all statements of the transaction.
  const std::string same_names = judged_by_another ? "NULL" : same_names_sql(kName);
  return own_guarding(all_of({guards.before, names_guard, same_names}), guards.after);
}

/// Runs a statement that names nothing but tables.
/// @return nothing if the plain guard refuses it or is lost. It can then be run again.
std::optional<pqxx::result> run_plainly(Prepared& prepared, const Guarding& guarding,
                                        const Judge& judge, const std::string& execute,
                                        KeptGuards& kept) {
  try {
    return run_patiently(prepared, guarding, judge, execute);
  } catch (const pqxx::sql_error& error) {
    const bool lost = error.sqlstate() == kNoSuchStatement;
    if (lost) kept = {};
    if (!lost && !refusal_in(error.what())) throw;
  }
  prepared.back_to_its_preparation();
  return std::nullopt;
}

}  // namespace

pqxx::result guarded_read(PqxxConnection& connection, pqxx::transaction_base& transaction,
                          const std::string& sql, std::span<const std::string> parameters,
                          Access access, bool restricted, KeptGuards& kept,
                          const JudgingSession& judging) {
  transaction.exec(guard_settings(restricted));
  const std::string execute = execution(transaction, access, parameters);
  const Judge judge{judging, connection.backendpid()};
  const bool judged_by_another = judging.connection != nullptr;
  const NamedCode named = named_code(sql);
  const std::string names_guard = named_code_guard_sql(named, sql);
  if (!named.types.empty()) require_safe_types(transaction, names_guard, sql);
  Prepared prepared(connection, transaction, sql);
  if (named.none())
    if (auto result = run_plainly(prepared, plain_guarding(connection, kept, judged_by_another),
                                  judge, execute, kept))
      return *std::move(result);
  try {
    return run_patiently(prepared, thorough_guarding(names_guard, sql, judged_by_another), judge,
                         execute);
  } catch (const pqxx::sql_error& error) {
    if (const auto refusal = refusal_in(error.what())) refuse(*refusal, sql);
    throw;
  }
}

}  // namespace pg_integrity
