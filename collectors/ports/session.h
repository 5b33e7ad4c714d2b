// A session with one database, and the rows of its answers. Every call only reads, is bounded by
// the deadline of its step, and throws SourceError when nothing trustworthy could be read. One
// thread at a time uses a session; rows are plain values.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/base/instant.h"

namespace pg_integrity {

/// An answer in memory: column names, and the cells row by row in PostgreSQL's text format.
struct Answer {
  std::vector<std::string> columns;
  std::vector<std::optional<std::string>> cells;

  /// @throws SourceError{decode} if there is no such column.
  [[nodiscard]] const std::optional<std::string>& cell(std::size_t row,
                                                       std::string_view column) const;
};

/// One row of an answer; it keeps the answer alive. The accessor decides what NULL means. For
/// number(), text() and flag() it is a decode error; maybe_number() and maybe_text() return an
/// empty value. A column that the answer does not have is a decode error, too.
class Row {
 public:
  Row(std::shared_ptr<const Answer> answer, std::size_t index)
      : answer_(std::move(answer)), index_(index) {}

  [[nodiscard]] const std::string& text(std::string_view column) const;
  [[nodiscard]] double number(std::string_view column) const;
  [[nodiscard]] bool flag(std::string_view column) const;
  [[nodiscard]] const std::optional<std::string>& maybe_text(std::string_view column) const;
  /// NaN and infinities are decode errors.
  [[nodiscard]] std::optional<double> maybe_number(std::string_view column) const;

 private:
  std::shared_ptr<const Answer> answer_;
  std::size_t index_;
};

class Rows {
 public:
  /// @param elapsed duration of the statement alone, measured by the exporter.
  Rows(Answer answer, Seconds elapsed)
      : answer_(std::make_shared<const Answer>(std::move(answer))), elapsed_(elapsed) {}

  [[nodiscard]] std::size_t size() const {
    return answer_->columns.empty() ? 0 : answer_->cells.size() / answer_->columns.size();
  }
  [[nodiscard]] Row operator[](std::size_t index) const { return {answer_, index}; }
  /// The only row.
  /// @throws SourceError{decode} if there are several or none.
  [[nodiscard]] Row only() const;
  [[nodiscard]] Seconds elapsed() const { return elapsed_; }

 private:
  std::shared_ptr<const Answer> answer_;
  Seconds elapsed_;
};

/// Facts that a server reports about itself.
struct ServerInfo {
  int version_num = 0;  ///< as server_version_num: 150018
  std::string version;  ///< "15.18"
  bool in_recovery = false;
  std::string system_identifier;  ///< of the cluster; it never changes
  std::uint32_t timeline = 0;     ///< changes when a standby or a restored copy is promoted
  bool direct = false;            ///< no pooler is between the session and the server
  Instant read_at{};              ///< when the session was opened
};

/// What a statement reads, and how. Rows of users' tables are read only after the session has
/// judged what the statement's names mean in that moment.
enum class Access : std::uint8_t {
  catalog,  ///< PostgreSQL's catalog and functions, by any plan
  /// Rows of users' tables without any index. An index may lack rows of its table, or have them in
  /// a wrong order, so only the heap proves how many rows there are.
  heap,
  /// Rows of users' tables, also through an index, but never from the index alone. A row that is
  /// found is there. That no row is found proves nothing.
  index,
};

/// A session with one database. Each query is a transaction of its own: BEGIN READ ONLY, bounded
/// settings by SET LOCAL, the statement, COMMIT. It leaves no state behind on the server
/// connection.
class Session {
 public:
  virtual ~Session() = default;
  Session() = default;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Runs one statement of the exporter. Parameters are $1, $2, … They have type text unless the
  /// statement casts them.
  virtual Rows query(std::string_view sql, std::span<const std::string> parameters,
                     Access access) = 0;
  Rows query(std::string_view sql, std::span<const std::string> parameters) {
    return query(sql, parameters, Access::catalog);
  }
  Rows query(std::string_view sql, Access access = Access::catalog) {
    return query(sql, std::span<const std::string>(), access);
  }

  /// Runs one statement of the user, through a cursor. The server therefore refuses writes and
  /// several statements. At most `max_rows` rows are read.
  virtual Rows probe(std::string_view sql, std::size_t max_rows) = 0;

  /// The server's facts when the session began.
  [[nodiscard]] virtual const ServerInfo& server() const = 0;
};

}  // namespace pg_integrity
