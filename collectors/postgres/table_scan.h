// One statement a table and pass that serves every collector: its rows and, for the time columns
// that somebody asked about, the newest entry and the rows newer than a window. Whoever scans a
// table first answers for all; the others reuse the result while it is young enough.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/base/metric_rules.h"
#include "collectors/base/qualified_name.h"
#include "collectors/ports/clock.h"
#include "collectors/ports/session.h"
#include "collectors/postgres/read_set.h"
#include "collectors/postgres/schema.h"

namespace pg_integrity {

/// What a collector wants to know of a table beyond its number of rows.
struct ScanWish {
  QualifiedName table;
  std::string time_column;
  std::string zone;       ///< IANA name; needed where the column has no time zone of its own
  Seconds window{};       ///< how far back "recent" reaches
  bool calendar = false;  ///< also the rows of today

  auto operator<=>(const ScanWish&) const = default;
  bool operator==(const ScanWish&) const = default;
};

/// The answer to a wish, by the database's clock.
struct TimeFacts {
  double recent_rows = 0;  ///< newer than the window; nor undated, nor of the future
  // Nobody knows when these were written. A scan through the index counts one of each sort at most.
  double undated_rows = 0;         ///< NULL or infinite
  double future_rows = 0;          ///< later than now, beyond clock differences of a minute
  std::optional<UnixTime> newest;  ///< nothing: no row with a usable time
  Seconds newest_age{};
  std::optional<double> rows_today;  ///< calendar: since midnight in the wish's zone, if it has one
};

/// Every wish of one database, collected while its collectors are built.
class ScanPlan {
 public:
  /// What is wanted of a table that is known by its discovery only, if anything.
  using Rule = std::function<std::optional<ScanWish>(const Table&)>;

  void add(ScanWish wish) { wishes_[wish.table].push_back(std::move(wish)); }
  void add(Rule rule) { rules_.push_back(std::move(rule)); }
  [[nodiscard]] std::vector<ScanWish> wishes(const Table& table) const;
  /// What the wishes read of a database.
  void add_reads(const Schema& schema, Reads& reads) const;

 private:
  std::map<QualifiedName, std::vector<ScanWish>> wishes_;
  std::vector<Rule> rules_;
};

/// What one scan of one table found.
class TableScan {
 public:
  Instant observed_at{};
  double rows = 0;

  /// @throws SourceError why that wish has no answer.
  [[nodiscard]] const TimeFacts& times(const ScanWish& wish) const;

  /// Each of the wishes has an answer, or a reason why not.
  [[nodiscard]] bool covers(const std::vector<ScanWish>& wishes) const;

  void answer(const ScanWish& wish, TimeFacts facts) { facts_.emplace(wish, facts); }
  void refuse(const ScanWish& wish, const SourceError& error) { refused_.emplace(wish, error); }

 private:
  std::map<ScanWish, TimeFacts> facts_;
  std::map<ScanWish, SourceError> refused_;
};

/// The scans of one database. Safe on any thread; no lock is held while a statement runs.
class TableScans {
 public:
  explicit TableScans(ScanPlan plan) : plan_(std::move(plan)) {}

  /// A scan of the whole table not older than `max_age`.
  TableScan scan(Session& session, const Table& table, const Clock& clock, Seconds max_age);

  /// Only what lies within the wish's window, through the index that its column leads; for tables
  /// above the size gate. Its `rows` are the recent ones. Never shared.
  TableScan recent(Session& session, const Table& table, const Clock& clock, const ScanWish& wish);

 private:
  const ScanPlan plan_;
  std::mutex mutex_;
  std::map<QualifiedName, TableScan> results_;  ///< of tables with wishes only
};

/// The column's value as timestamptz in SQL.
/// @throws SourceError{config} if the column has no time type, or needs a zone and has none.
std::string moment_sql(const Column& column, const std::string& zone);

/// The newest value of the column as timestamptz in SQL, a scalar: through the index that the
/// column leads, if any. What is later than now, beyond clock differences of a minute, is left out.
/// @throws SourceError as moment_sql().
std::string newest_moment_sql(const Table& table, const Column& column, const std::string& zone);

/// Bytes of the table's heap: the catalog's figure, measured where it has none.
double heap_bytes(Session& session, const Table& table);

}  // namespace pg_integrity
