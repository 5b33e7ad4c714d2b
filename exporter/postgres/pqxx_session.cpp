#include "exporter/postgres/pqxx_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <limits>
#include <pqxx/pqxx>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/base/settings.h"
#include "collectors/collector.h"
#include "collectors/ports/clock.h"
#include "collectors/ports/session.h"
#include "exporter/config/conninfo.h"
#include "exporter/io/logging.h"
#include "exporter/postgres/guarded_read.h"
#include "exporter/postgres/login.h"
#include "exporter/postgres/obstacle.h"
#include "exporter/postgres/server_errors.h"
#include "exporter/postgres/server_timeouts.h"
#include "exporter/postgres/session_socket.h"

namespace pg_integrity {

namespace {

constexpr int kOldestVersion = 120000;
constexpr Seconds kGrace{1};  ///< so that the server's statement_timeout comes first

constexpr std::string_view kIdentity = R"(
SELECT current_setting('server_version_num') AS version_num,
  current_setting('server_version') AS version, pg_is_in_recovery() AS in_recovery,
  current_setting('server_encoding') AS encoding,
  current_setting('restrict_nonsystem_relation_kind', true) IS NOT NULL AS restricted,
  (SELECT system_identifier FROM pg_control_system()) AS system_identifier,
  (SELECT timeline_id FROM pg_control_checkpoint()) AS timeline, pg_backend_pid() AS process,
  coalesce((SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()), now())
    AS began)";

constexpr std::string_view kOlderSessions = R"(
SELECT count(*) AS older FROM pg_stat_activity
WHERE usename = session_user AND application_name = current_setting('application_name')
  AND backend_start < $1::timestamptz)";

/// The oldest versions of servers for which a login asks for time-outs, one after the other.
constexpr std::array kAsked{std::numeric_limits<int>::max(), 130000, 0};

/// The settings of every transaction. They change nothing of the session. statement_timeout is the
/// time left until the deadline. Constraint exclusion is off, because with it the planner would
/// call functions that the CHECK constraints of partitions use.
/// @param raw the database has no encoding. Its names may be any bytes, and the session must not
/// refuse them.
std::string settings_sql(Seconds left, bool raw, int parallel_workers) {
  const auto milliseconds = std::max<long long>(1, std::llround(left.count() * 1000));
  return fmt::format(
      "SET LOCAL statement_timeout = {}"
      "; {}"
      "; SET LOCAL search_path = pg_catalog, pg_temp"
      "; SET LOCAL row_security = off"
      "; SET LOCAL jit = off"
      "; SET LOCAL max_parallel_workers_per_gather = {}"
      "; SET LOCAL constraint_exclusion = off"
      "; SET LOCAL cursor_tuple_fraction = 1"
      "; SET LOCAL TimeZone = 'UTC'"
      "; SET LOCAL DateStyle = 'ISO, YMD'"
      "; SET LOCAL standard_conforming_strings = on"
      "; SET LOCAL IntervalStyle = 'postgres'"
      "; SET LOCAL bytea_output = 'hex'"
      "; SET LOCAL lc_monetary = 'C'"
      "; SET LOCAL quote_all_identifiers = off"
      "; SET LOCAL extra_float_digits = 1"
      "{}",
      milliseconds, kWaitForLocks, parallel_workers,
      raw ? "; SET LOCAL client_encoding = 'SQL_ASCII'" : "");
}

#if PQXX_VERSION_MAJOR >= 7
/// Hands a connection over to libpqxx.
std::shared_ptr<PqxxConnection> handed_over(LibpqConnection connection) {
  return std::make_shared<PqxxConnection>(
      PqxxConnection::seize_raw_connection(connection.release()));
}
#else
/// The way of libpqxx 6 to a connection that it has not opened itself: it asks this object for one.
/// It gets none when it wants to connect again, because the session pool opens new sessions.
class OpenedElsewhere final : public pqxx::connectionpolicy {
 public:
  using connectionpolicy::connectionpolicy;

  handle do_startconnect(handle present) override {
    if (present == nullptr) present = opened().release();
    if (present == nullptr) throw pqxx::broken_connection("the connection was lost");
    return present;
  }

  /// The connection that this thread hands over next.
  static LibpqConnection& opened() {
    thread_local LibpqConnection connection;
    return connection;
  }
};

/// Hands a connection over to libpqxx.
std::shared_ptr<PqxxConnection> handed_over(LibpqConnection connection) {
  OpenedElsewhere::opened() = std::move(connection);
  return std::make_shared<pqxx::basic_connection_base<OpenedElsewhere> >(std::string());
}
#endif

/// Runs one statement through the extended protocol, which refuses a second one after a semicolon.
pqxx::result run_single(pqxx::transaction_base& transaction, const std::string& sql,
                        std::span<const std::string> parameters) {
#if PQXX_VERSION_MAJOR >= 7
  pqxx::params values;
  for (const std::string& parameter : parameters) values.append(parameter);
  return transaction.exec(sql, values);
#else
  return transaction.exec_params(
      sql, pqxx::prepare::make_dynamic_params(parameters.begin(), parameters.end()));
#endif
}

Rows to_rows(const pqxx::result& result, Seconds elapsed) {
  Answer answer;
  for (pqxx::row::size_type i = 0; i < result.columns(); ++i)
    answer.columns.emplace_back(result.column_name(i));
  answer.cells.reserve(static_cast<std::size_t>(result.size()) * answer.columns.size());
  for (const auto& row : result)
    for (const auto& field : row)
      if (field.is_null())
        answer.cells.emplace_back();
      else
        answer.cells.emplace_back(std::in_place, field.c_str(), field.size());
  return {std::move(answer), elapsed};
}

/// The SQLSTATE of an error. libpqxx 6 loses that of this one error class.
std::string sqlstate_of(const pqxx::sql_error& error) {
  const bool privilege = dynamic_cast<const pqxx::insufficient_privilege*>(&error) != nullptr;
  return privilege ? "42501" : error.sqlstate();
}

class PostgresSession final : public LiveSession {
 public:
  PostgresSession(LibpqConnection connection, std::string database, int parallel_workers,
                  const Clock& clock, Watchdog& watchdog, DisposableWorkers& workers)
      : libpq_(connection.get()),
        connection_(handed_over(std::move(connection))),
        socket_(std::make_shared<SessionSocket>(connection_->sock(), connection_->backendpid())),
        database_(std::move(database)),
        parallel_workers_(parallel_workers),
        clock_(clock),
        watchdog_(watchdog),
        workers_(workers),
        deadline_(clock.now() + Seconds(5)) {}

  /// Reads which server and cluster answers. Must come before any other query.
  void read_identity() {
    const Rows rows = query(kIdentity);
    const Row row = rows.only();
    server_.version_num = static_cast<int>(row.number("version_num"));
    server_.version = row.text("version");
    server_.in_recovery = row.flag("in_recovery");
    server_.system_identifier = row.text("system_identifier");
    server_.timeline = static_cast<std::uint32_t>(row.number("timeline"));
    // A pooler hands out process numbers of its own.
    server_.direct = row.text("process") == std::to_string(connection_->backendpid());
    kept_.wanted = server_.direct;
    server_.read_at = clock_.now();
    began_ = row.text("began");
    raw_ = row.text("encoding") == "SQL_ASCII";
    restricted_ = row.flag("restricted");
    if (server_.version_num < kOldestVersion)
      throw SourceError(
          Reason::config,
          fmt::format("PostgreSQL {} is too old. HINT: 12 or newer is needed", server_.version),
          SourceError::Scope::session);
  }

  /// From here on every query is part of one transaction.
  /// @param judge another session with the same database.
  /// @return the name of its exported snapshot.
  std::string pin(std::unique_ptr<PostgresSession> judge) {
    judge_ = std::move(judge);
    try {
      pinned_ = std::make_unique<pqxx::nontransaction>(*connection_);
      pinned_->exec("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    } catch (...) {
      rethrow_translated();
    }
    return query("SELECT pg_export_snapshot() AS name").only().text("name");
  }

  using Session::query;
  Rows query(std::string_view sql, std::span<const std::string> parameters,
             Access access) override {
    try {
      return answer(sql, parameters, access);
    } catch (const SourceError& error) {
      // In the one transaction of a pinned session nothing more can be asked after an error.
      if (error.session_lost() || pinned_) throw;
      std::string named(sql);
      for (const std::string& parameter : parameters) named += ' ' + parameter;
      const auto obstacle = find_obstacle(*this, error.reason(), named);
      if (!obstacle) throw;
      throw error.because_of(*obstacle);
    }
  }

  Rows probe(std::string_view sql, std::size_t max_rows) override {
    const std::string declare = fmt::format("DECLARE probe NO SCROLL CURSOR FOR {}", sql);
    const std::string fetch = fmt::format("FETCH FORWARD {} FROM probe", max_rows);
    return in_transaction([&](pqxx::transaction_base& transaction) {
      return timed([&] {
        run_single(transaction, declare, {});
        return run_single(transaction, fetch, {});
      });
    });
  }

  [[nodiscard]] const ServerInfo& server() const override { return server_; }
  [[nodiscard]] const std::string& database() const override { return database_; }
  void set_deadline(Instant deadline) override { deadline_ = deadline; }
  [[nodiscard]] bool usable() const override { return !broken_ && socket_->quiet(); }
  [[nodiscard]] Seconds busy() const override { return busy_; }
  void cut_off() override { socket_->shut_down(); }

  void cancel() override {
    try {
      // cancel_query() opens a connection of its own and may block, so a worker runs it and nobody
      // waits.
      const std::string path = fmt::format("cancel request to {}", connection_->backendpid());
      workers_.run<bool>(path, clock_.now(), [connection = connection_] {
        try {
          connection->cancel_query();
        } catch (const std::exception&) {
          return false;  // the deadline or cut_off() ends the statement
        }
        return true;
      });
    } catch (const SourceError&) {
      return;  // always thrown, because we do not wait
    }
  }

  std::unique_ptr<AbandonedSession> abandon() override {
    if (!socket_->cut() && !socket_->given_up()) return nullptr;
    return abandoned(socket_, clock_);
  }

  [[nodiscard]] const std::string& began() const override { return began_; }
  std::size_t older_sessions(const std::string& moment) override {
    if (!server_.direct) return 0;
    return static_cast<std::size_t>(
        query(kOlderSessions, std::array{moment}).only().number("older"));
  }

 private:
  Rows answer(std::string_view sql, std::span<const std::string> parameters, Access access) {
    return in_transaction([&](pqxx::transaction_base& transaction) {
      if (access == Access::catalog)
        return timed([&] { return run_single(transaction, std::string(sql), parameters); });
      return timed([&] {
        return guarded_read(*connection_, transaction, std::string(sql), parameters, access,
                            restricted_, kept_, judge());
      });
    });
  }

  [[nodiscard]] JudgingSession judge() const {
    if (!judge_) return {};
    return {judge_->connection_.get(), settings_sql(deadline_ - clock_.now(), raw_, 0)};
  }

  struct Timed {
    pqxx::result result;
    Seconds elapsed{};
  };

  template <typename Ask>
  Timed timed(Ask ask) {
    const Instant begin = clock_.now();
    const pqxx::result result = ask();
    return {result, clock_.now() - begin};
  }

  /// pqxx::nontransaction, because a transaction of libpqxx 6 closes itself after an error, and
  /// guarded_read() goes on after one.
  template <typename Ask>
  Timed in_own_transaction(const std::string& settings, Ask ask) {
    pqxx::nontransaction transaction(*connection_);
    // If serializable and deferrable are the defaults of the database or the role, the first
    // statement would wait until all others had ended. A standby would refuse it.
    transaction.exec("BEGIN ISOLATION LEVEL READ COMMITTED, READ ONLY, NOT DEFERRABLE; " +
                     settings);
    try {
      Timed answer = ask(transaction);
      transaction.exec("COMMIT");
      return answer;
    } catch (...) {
      roll_back(transaction);
      throw;
    }
  }

  void roll_back(pqxx::nontransaction& transaction) {
    // libpqxx 6 would connect again, and a server that is frozen would keep it waiting.
    if (socket_->cut() || !connection_->is_open()) return;
    try {
      transaction.exec("ROLLBACK");
    } catch (const std::exception&) {
      return;  // the connection is lost, and the transaction with it
    }
  }

  /// Runs `ask` in a read-only transaction under the deadline and translates what it throws.
  template <typename Ask>
  Rows in_transaction(Ask ask) {
    const Instant begin = clock_.now();
    const Seconds left = deadline_ - begin;
    if (left.count() <= 0)
      throw SourceError(Reason::timeout, "the step's deadline had passed before the question");
    const auto guard = watchdog_.arm(
        deadline_ + kGrace, [socket = socket_, other = judge_ ? judge_->socket_ : nullptr] {
          socket->shut_down();
          if (other) other->shut_down();
        });
    try {
      if (pinned_) {
        pinned_->exec(settings_sql(left, raw_, parallel_workers_));
        const Timed answer = ask(*pinned_);
        busy_ += clock_.now() - begin;
        return to_rows(answer.result, answer.elapsed);
      }
      const Timed answer = in_own_transaction(settings_sql(left, raw_, parallel_workers_), ask);
      busy_ += clock_.now() - begin;
      return to_rows(answer.result, answer.elapsed);
    } catch (...) {
      busy_ += clock_.now() - begin;
      rethrow_translated();
    }
  }

  [[noreturn]] void rethrow_translated() {
    broken_ = broken_ || socket_->cut() || !connection_->is_open();
    if (socket_->cut())
      throw SourceError(Reason::timeout,
                        "the server did not answer in time; the session was cut off",
                        SourceError::Scope::session);
    try {
      throw;
    } catch (const pqxx::broken_connection&) {
      broken_ = true;
      // The error is that the connection broke off. The server's own words came before it.
      const std::string message = last_message(libpq_);
      const std::string sqlstate = read_message(message).sqlstate;
      throw sqlstate.empty()
          ? SourceError(Reason::connect, "the connection was lost", SourceError::Scope::session)
          : last_words(server_error(sqlstate, message));
    } catch (const pqxx::sql_error& error) {
      const SourceError translation = server_error(sqlstate_of(error), error.what());
      broken_ = broken_ || translation.session_lost();
      throw broken_ ? last_words(translation) : translation;
    } catch (const pqxx::failure& error) {
      // In libpqxx 6, deadlocks and serialization failures are not a sql_error.
      if (broken_)
        throw SourceError(Reason::protocol, "the connection broke off in an answer",
                          SourceError::Scope::session);
      throw SourceError(Reason::conflict, read_message(error.what()).text);
    } catch (const SourceError&) {
      throw;
    } catch (const std::exception&) {
      broken_ = true;
      throw SourceError(Reason::protocol, "an answer could not be understood",
                        SourceError::Scope::session);
    }
  }

  const pg_conn* libpq_;  ///< lives as long as connection_
  std::shared_ptr<PqxxConnection> connection_;
  std::unique_ptr<pqxx::nontransaction> pinned_;  ///< the one transaction; nullptr if not pinned
  std::unique_ptr<PostgresSession> judge_;        ///< judges statements of the one transaction
  std::shared_ptr<SessionSocket> socket_;
  std::string database_;
  int parallel_workers_;
  const Clock& clock_;
  Watchdog& watchdog_;
  DisposableWorkers& workers_;
  Instant deadline_;
  ServerInfo server_;
  std::string began_;
  Seconds busy_{0};
  bool broken_ = false;
  bool raw_ = false;
  KeptGuards kept_;
  bool restricted_ = false;  ///< the server knows restrict_nonsystem_relation_kind
};

class PostgresConnector final : public Connector {
 public:
  PostgresConnector(ConnectionOptions connection, const Clock& clock, Watchdog& watchdog,
                    DisposableWorkers& workers, int parallel_workers)
      : connection_(std::move(connection)),
        clock_(clock),
        watchdog_(watchdog),
        workers_(workers),
        parallel_workers_(parallel_workers) {}

  std::unique_ptr<LiveSession> open(const std::string& database) override {
    return open_session(database);
  }

  std::unique_ptr<PostgresSession> open_session(const std::string& database) {
    std::string dsn;
    try {
      dsn = current_dsn(connection_);
      auto connection = log_in_with_timeouts(dsn, database);
      warn_about_superuser(connection.get());
      return identified(std::make_unique<PostgresSession>(
          std::move(connection), database, parallel_workers_, clock_, watchdog_, workers_));
    } catch (const ConfigError& error) {
      throw SourceError(Reason::config, error.what(), SourceError::Scope::session);
    } catch (const pqxx::failure& error) {
      throw SourceError(Reason::connect, without_secrets(read_message(error.what()).text, dsn),
                        SourceError::Scope::session);
    } catch (const SourceError& error) {
      throw SourceError(error.reason(), without_secrets(error.what(), dsn),
                        SourceError::Scope::session);
    }
  }

 private:
  /// Asks the server for time-outs. If it refuses them, the login goes without them.
  LibpqConnection log_in_with_timeouts(const std::string& dsn, const std::string& database) {
    for (std::size_t rung = rung_;; ++rung) {
      try {
        auto connection =
            log_in(completed(dsn, database, timeouts_as_options(kAsked.at(rung))), clock_);
        if (rung_.exchange(rung) != rung && kAsked.at(rung) == 0)
          log(LogLevel::info,
              "the server or a pooler before it refuses time-outs at the login, so a session that"
              " a broken network leaves behind may stay. HINT: `grants` sets them for the role");
        return connection;
      } catch (const RefusedLogin& refusal) {
        if (rung + 1 == kAsked.size() || !refusal.may_be_about_options()) throw;
      }
    }
  }

  /// Reads the server's identity. If the server does not answer even that, this waits until the
  /// server has closed the session. Meanwhile nobody opens another one.
  static std::unique_ptr<PostgresSession> identified(std::unique_ptr<PostgresSession> session) {
    try {
      session->read_identity();
    } catch (const SourceError&) {
      const auto left = session->abandon();
      session.reset();
      // No lease waits for this thread any more.
      if (left) wait_until_gone(*left);
      throw;
    }
    return session;
  }

  /// Once. A server of our own (a drill's) has superusers only.
  void warn_about_superuser(const pg_conn* connection) {
    if (parallel_workers_ > 0 || !is_superuser(connection) || warned_.exchange(true)) return;
    log(LogLevel::info,
        "connected as a superuser. HINT: use the role that `grants` makes, which may read and"
        " nothing else");
  }

  ConnectionOptions connection_;
  const Clock& clock_;
  Watchdog& watchdog_;
  DisposableWorkers& workers_;
  int parallel_workers_;
  std::atomic<bool> warned_ = false;
  std::atomic<std::size_t> rung_ = 0;  ///< of kAsked; the last login was made with it
};

}  // namespace

std::unique_ptr<Connector> make_postgres_connector(const ConnectionOptions& connection,
                                                   const Clock& clock, Watchdog& watchdog,
                                                   DisposableWorkers& workers,
                                                   int parallel_workers) {
  return std::make_unique<PostgresConnector>(connection, clock, watchdog, workers,
                                             parallel_workers);
}

PinnedSession open_pinned_session(const ConnectionOptions& connection, const std::string& database,
                                  const Clock& clock, Watchdog& watchdog,
                                  DisposableWorkers& workers) {
  PostgresConnector connector(connection, clock, watchdog, workers, 0);
  auto session = connector.open_session(database);
  std::string snapshot = session->pin(connector.open_session(database));
  return {std::move(session), std::move(snapshot)};
}

}  // namespace pg_integrity
