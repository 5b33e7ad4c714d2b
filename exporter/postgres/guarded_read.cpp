#include "exporter/postgres/guarded_read.h"

#include <fmt/format.h>

#include <optional>
#include <string_view>

#include "collectors/base/errors.h"
#include "collectors/postgres/foreign_code.h"
#include "collectors/postgres/schema.h"

namespace pg_integrity {

namespace {

constexpr const char* kName = "pg_integrity_read";
/// SQLSTATE object_not_in_prerequisite_state: restrict_nonsystem_relation_kind has refused.
constexpr std::string_view kRestricted = "55000";

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

[[noreturn]] void refuse(const std::string& refusal) {
  const std::string name = refusal.size() > 2 ? refusal.substr(2) : std::string("a relation");
  if (refusal.front() == 'u')
    throw SourceError(Reason::unsafe,
                      fmt::format("any statement about {}{}", name, kForeignCodeRuns));
  if (refusal.front() == 'p')
    throw SourceError(
        Reason::policy,
        fmt::format("row-level security hides rows of {0} from our role. HINT: CREATE POLICY"
                    " pg_integrity ON {0} FOR SELECT TO the role USING (true)",
                    name));
  if (refusal.front() == 'c')
    throw SourceError(Reason::conflict, "somebody changes the table's indexes or statistics");
  throw SourceError(Reason::conflict, name + " is neither a table nor a sequence any more");
}

/// A prepared statement that is gone from the server when this is destroyed, whatever went wrong.
class Prepared {
 public:
  Prepared(PqxxConnection& connection, pqxx::transaction_base& transaction, const std::string& sql)
      : connection_(connection), transaction_(transaction) {
    // By the protocol, not by PREPARE: a second statement after a semicolon is refused.
    try {
      connection_.prepare(kName, sql);
#if PQXX_VERSION_MAJOR < 7
      connection_.prepare_now(kName);
    } catch (const pqxx::sql_error& error) {
      connection_.unprepare(kName);  // libpqxx alone knows it
#else
    } catch (const pqxx::sql_error& error) {
#endif
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
    } catch (const std::exception&) {
      return;  // the connection is lost, and the statement with it
    }
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
  PqxxConnection& connection_;
  pqxx::transaction_base& transaction_;
  bool failed_ = false;
};

std::string execution(pqxx::transaction_base& transaction,
                      std::span<const std::string> parameters) {
  std::string sql = fmt::format("EXECUTE {}", kName);
  for (const std::string& parameter : parameters)
    sql += (&parameter == parameters.data() ? " (" : ", ") + transaction.quote(parameter);
  return parameters.empty() ? sql : sql + ")";
}

/// A guard, the statement, and a guard again.
pqxx::result run_between(Prepared& prepared, const std::string& before, const std::string& execute,
                         const std::string& after) {
  // After the preparation, so that its locks stay when the savepoint is gone back to.
  static const std::string kNote = note_shape_sql();
  static const std::string kSame = same_shape_sql();
  pqxx::result result = prepared.run(
      fmt::format("SAVEPOINT pg_integrity_read; {}; {}; {}; {}", kNote, before, kSame, execute));
  prepared.run(after);
  return result;
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
                          Access access, bool restricted) {
  static const std::string kPlainGuard = plain_guard_sql();
  struct Guards {
    std::string before, after;
  };
  static const Guards kAlone{guard_sql(Guard::before, false), guard_sql(Guard::after, false)};
  static const Guards kWithHeirs{guard_sql(Guard::before, true), guard_sql(Guard::after, true)};
  transaction.exec(settings_for(access, restricted));
  const std::string execute = execution(transaction, parameters);
  Prepared prepared(connection, transaction, sql);
  try {
    return run_between(prepared, kPlainGuard, execute, kPlainGuard);
  } catch (const pqxx::sql_error& error) {
    if (!refusal_in(error.what())) throw;
  }
  prepared.back_to_its_preparation();
  const Guards& guards = reads_heirs(sql) ? kWithHeirs : kAlone;
  try {
    return run_between(prepared, guards.before, execute, guards.after);
  } catch (const pqxx::sql_error& error) {
    if (const auto refusal = refusal_in(error.what())) refuse(*refusal);
    throw;
  }
}

}  // namespace pg_integrity
