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
/// SQLSTATE object_not_in_prerequisite_state: restrict_nonsystem_relation_kind has refused.
constexpr std::string_view kRestricted = "55000";
constexpr std::string_view kLockNotAvailable = "55P03";

/// An index may lack rows of its table, or have them in a wrong order. If a server, database or
/// role has switched sequential scans off as well, the planner would choose the index all the same.
std::string settings_for(Access access, bool restricted) {
  // The guard judges policies before they run.
  std::string sql = "SET LOCAL row_security = on; SET LOCAL enable_indexonlyscan = off";
  if (access == Access::heap)
    sql +=
        "; SET LOCAL enable_seqscan = on; SET LOCAL enable_indexscan = off; SET LOCAL "
        "enable_bitmapscan = off";
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

/// A prepared statement and its guard. They are gone from the server when this is destroyed,
/// whatever went wrong.
class Prepared {
 public:
  Prepared(PqxxConnection& connection, pqxx::transaction_base& transaction, const std::string& sql)
      : connection_(connection), transaction_(transaction) {
    try {
      prepare(kName, sql);
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
    prepare(kGuardName, sql);
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
  /// By the protocol, not by PREPARE: a second statement after a semicolon is refused.
  void prepare(const char* name, const std::string& sql) {
    connection_.prepare(name, sql);
#if PQXX_VERSION_MAJOR < 7
    try {
      connection_.prepare_now(name);
    } catch (const pqxx::sql_error&) {
      connection_.unprepare(name);  // libpqxx alone knows it
      throw;
    }
#endif
  }
  void unguard() {
    if (std::exchange(guarded_, false)) connection_.unprepare(kGuardName);
  }

  PqxxConnection& connection_;
  pqxx::transaction_base& transaction_;
  bool failed_ = false;
  bool guarded_ = false;
};

/// Planning locks partitions, children and indexes. While it waits for one, the owner could add
/// what was not judged. So it does not wait.
std::string execution(pqxx::transaction_base& transaction,
                      std::span<const std::string> parameters) {
  std::string sql = fmt::format("SET LOCAL lock_timeout = 1; EXECUTE {}", kName);
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

/// What surrounds a statement: guards, and who runs them.
struct Guarding {
  std::string before, after;
  const JudgingSession& judge;
  int backend;
};

/// A guard, the statement, and a guard again.
pqxx::result run_between(Prepared& prepared, const Guarding& guarding, const std::string& execute) {
  // The savepoint comes after the preparation, so that its locks stay when it is gone back to. The
  // guard runs twice. After the first time it is planned and its catalogs are locked, so that the
  // second time PostgreSQL hears of nothing new.
  static const std::string kLearn = learn_indexes_sql();
  if (guarding.judge.connection == nullptr) {
    pqxx::result result =
        prepared.run(fmt::format("SAVEPOINT pg_integrity_read; EXECUTE {0}; {1}; EXECUTE {0}; {2}",
                                 kGuardName, kLearn, execute));
    prepared.run(fmt::format("{}; {}", kWaitForLocks, guarding.after));
    return result;
  }
  Judging judging(guarding.judge, guarding.backend);
  prepared.run("SAVEPOINT pg_integrity_read");
  judging.run(guarding.before);
  pqxx::result result = prepared.run(execute);
  prepared.run(std::string(kWaitForLocks));
  judging.run(guarding.after);
  return result;
}

/// The same, and again if a lock was in the way. Only before the guards may a session wait for it.
pqxx::result run_patiently(Prepared& prepared, const Guarding& guarding,
                           const std::string& execute) {
  static const std::string kAwait = await_locks_sql();
  if (guarding.judge.connection == nullptr) prepared.guard_by(guarding.before);
  constexpr int kTries = 3;
  for (int tries = 1;; ++tries) {
    try {
      return run_between(prepared, guarding, execute);
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

}  // namespace

pqxx::result guarded_read(PqxxConnection& connection, pqxx::transaction_base& transaction,
                          const std::string& sql, std::span<const std::string> parameters,
                          Access access, bool restricted, const JudgingSession& judge) {
  static const std::string kPlainGuard = plain_guard_sql();
  struct Guards {
    std::string before, after;
  };
  static const Guards kAlone{guard_sql(Guard::before, false), guard_sql(Guard::after, false)};
  static const Guards kWithHeirs{guard_sql(Guard::before, true), guard_sql(Guard::after, true)};
  transaction.exec(settings_for(access, restricted));
  const std::string execute = execution(transaction, parameters);
  const int backend = connection.backendpid();
  const NamedCode named = named_code(sql);
  const std::string names_guard = named_code_guard_sql(named, sql);
  if (!named.types.empty()) require_safe_types(transaction, names_guard, sql);
  Prepared prepared(connection, transaction, sql);
  // A judge sees the names of now, and the locks of all statements of the transaction.
  const std::string same_names = judge.connection == nullptr ? same_names_sql(sql) : "NULL";
  if (named.none()) {
    try {
      return run_patiently(
          prepared, {all_of({kPlainGuard, same_names}), kPlainGuard, judge, backend}, execute);
    } catch (const pqxx::sql_error& error) {
      if (!refusal_in(error.what())) throw;
    }
    prepared.back_to_its_preparation();
  }
  const Guards& guards = reads_heirs(sql) ? kWithHeirs : kAlone;
  try {
    return run_patiently(
        prepared, {all_of({guards.before, names_guard, same_names}), guards.after, judge, backend},
        execute);
  } catch (const pqxx::sql_error& error) {
    if (const auto refusal = refusal_in(error.what())) refuse(*refusal, sql);
    throw;
  }
}

}  // namespace pg_integrity
