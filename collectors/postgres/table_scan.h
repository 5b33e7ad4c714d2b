// One statement per table and pass that serves every collector. It counts the table's rows. For
// each time column that a collector asked about, it finds the newest entry and counts the rows
// newer than a window. The first collector that scans a table shares the result. The others reuse
// it while it is young enough.
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

/// A collector's request for facts about a table beyond its number of rows.
struct ScanWish {
  QualifiedName table;
  std::string time_column;
  std::string zone;       ///< IANA name; needed if the column has no time zone of its own
  Seconds window{};       ///< how far back "recent" reaches
  bool calendar = false;  ///< also the rows of today

  auto operator<=>(const ScanWish&) const = default;
  bool operator==(const ScanWish&) const = default;
};

/// The answer to a wish, by the database's clock.
struct TimeFacts {
  double recent_rows = 0;  ///< within the window; without undated and future ones
  // The time at which these rows were written is unknown. TableScans::recent() counts at most one
  // row of each sort: NULL, -infinity, infinity and future.
  double undated_rows = 0;         ///< NULL or infinite
  double future_rows = 0;          ///< later than now, beyond clock differences of a minute
  std::optional<UnixTime> newest;  ///< empty: no row has a usable time
  Seconds newest_age{};
  std::optional<double> rows_today;  ///< calendar: since midnight in the wish's zone, if it has one
};

/// All wishes for one database, collected while its collectors are built.
class ScanPlan {
 public:
  /// A rule that makes a wish for a discovered table, if the collector wants one.
  using Rule = std::function<std::optional<ScanWish>(const Table&)>;

  void add(ScanWish wish) { wishes_[wish.table].push_back(std::move(wish)); }
  void add(Rule rule) { rules_.push_back(std::move(rule)); }
  [[nodiscard]] std::vector<ScanWish> wishes(const Table& table) const;
  /// Adds the tables and columns that the wishes read.
  void add_reads(const Schema& schema, Reads& reads) const;

 private:
  std::map<QualifiedName, std::vector<ScanWish>> wishes_;
  std::vector<Rule> rules_;
};

/// The result of one scan of one table.
class TableScan {
 public:
  Instant observed_at{};
  double rows = 0;

  /// @throws SourceError that says why the wish has no answer.
  [[nodiscard]] const TimeFacts& times(const ScanWish& wish) const;

  /// Whether each wish has an answer, or a reason for having none.
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

  /// A scan of the whole table that is not older than `max_age`.
  TableScan scan(Session& session, const Table& table, const Clock& clock, Seconds max_age);

  /// Reads only the rows within the wish's window, through the index that its column leads. Used
  /// for tables above the size gate. `rows` of the result counts the recent rows only. The result
  /// is never shared.
  TableScan recent(Session& session, const Table& table, const Clock& clock, const ScanWish& wish);

 private:
  const ScanPlan plan_;
  std::mutex mutex_;
  std::map<QualifiedName, TableScan> results_;  ///< only of tables with wishes
};

/// The column's value as timestamptz in SQL.
/// @throws SourceError{config} if the column has no time type, or needs a zone and has none.
std::string moment_sql(const Column& column, const std::string& zone);

/// The newest value of the column as timestamptz in SQL, a scalar. It uses the index that the
/// column leads, if there is one. It ignores values more than a minute later than now, which is no
/// mere clock difference.
/// @throws SourceError like moment_sql().
std::string newest_moment_sql(const Table& table, const Column& column, const std::string& zone);

/// The size of the table's heap in bytes. It is the catalog's figure, or measured if the catalog
/// has none.
double heap_bytes(Session& session, const Table& table);

}  // namespace pg_integrity
