// The ports: what collectors may look at, as abstract interfaces that exporter/ implements.
// Everything here only reads. Every call is bounded by the deadline of the step it is made in and
// throws SourceError when nothing trustworthy could be read. One thread at a time uses an object of
// these classes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/errors.h"
#include "collectors/instant.h"
#include "collectors/json_pointer.h"
#include "collectors/json_value.h"
#include "collectors/url.h"

namespace pg_integrity {

/// An answer in memory: column names, and cells row by row in PostgreSQL's text format.
struct Answer {
  std::vector<std::string> columns;
  std::vector<std::optional<std::string>> cells;

  /// @throws SourceError{decode} if there is no such column.
  [[nodiscard]] const std::optional<std::string>& cell(std::size_t row,
                                                       std::string_view column) const;
};

/// One row of an answer, which it keeps alive. What NULL means is said by the choice of accessor:
/// number() and text() take it for an error (decode), maybe_number() and maybe_text() for "absent".
/// A column that the answer does not have is a decode error too.
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
  /// @param elapsed time of the statement alone, as this side saw it.
  Rows(Answer answer, Seconds elapsed)
      : answer_(std::make_shared<const Answer>(std::move(answer))), elapsed_(elapsed) {}

  [[nodiscard]] std::size_t size() const {
    return answer_->columns.empty() ? 0 : answer_->cells.size() / answer_->columns.size();
  }
  [[nodiscard]] Row operator[](std::size_t index) const { return {answer_, index}; }
  /// The only row. @throws SourceError{decode} if there are more or none.
  [[nodiscard]] Row only() const;
  [[nodiscard]] Seconds elapsed() const { return elapsed_; }

 private:
  std::shared_ptr<const Answer> answer_;
  Seconds elapsed_;
};

/// What a server says of itself.
struct ServerInfo {
  int version_num = 0;  ///< as server_version_num: 150018
  std::string version;  ///< "15.18"
  bool in_recovery = false;
  std::string system_identifier;  ///< of the cluster, for as long as it lives
  std::uint32_t timeline = 0;     ///< changes when a standby or a restored copy is promoted
  Instant read_at{};              ///< when the session was opened
};

/// How the server may come by the rows of a statement.
enum class Access : std::uint8_t {
  any,   ///< as its planner likes
  heap,  ///< through no index: for questions about whether an index tells the truth
};

/// A session with one database. Each question is a transaction of its own: BEGIN READ ONLY, bounded
/// settings by SET LOCAL, the statement, COMMIT; nothing remains on the server connection
/// afterwards.
class Session {
 public:
  virtual ~Session() = default;
  Session() = default;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// One statement of ours. Parameters are $1, $2, … of type text unless the statement casts them.
  virtual Rows query(std::string_view sql, std::span<const std::string> parameters,
                     Access access) = 0;
  Rows query(std::string_view sql, std::span<const std::string> parameters) {
    return query(sql, parameters, Access::any);
  }
  Rows query(std::string_view sql, Access access = Access::any) {
    return query(sql, std::span<const std::string>(), access);
  }

  /// One statement of the user's, read through a cursor: what cannot be a cursor (writes, several
  /// statements) is refused by the server. At most `max_rows` rows are read.
  virtual Rows probe(std::string_view sql, std::size_t max_rows) = 0;

  /// As it was when the session began.
  [[nodiscard]] virtual const ServerInfo& server() const = 0;
};

enum class FileKind : std::uint8_t { file, directory, other };

struct FileEntry {
  std::string name;  ///< within its directory
  FileKind kind = FileKind::other;
  double size = 0;        ///< bytes; of a directory the sum of the files directly in it
  UnixTime modified = 0;  ///< of a directory the newest of it and of the files directly in it
  UnixTime read_at = 0;   ///< the same kernel's clock when it was looked at
  /// Why nothing more is known of an entry that is there (kind is `other`): permission or io.
  std::optional<Reason> trouble;
  double inode = 0;  ///< its number in its file system
};

/// How far to look into a directory tree.
struct TreeBounds {
  std::size_t depth = 1;      ///< levels of directories that are read; 1: the directory alone
  bool deeper_is_gap = true;  ///< directories below that depth are missed; false: not meant
  std::size_t entries = 0;    ///< of all kinds, in all directories together
};

/// Regular files of a directory tree.
struct FileTree {
  std::vector<FileEntry> files;    ///< unsorted; names with their way from the top: "2026/01/a"
  std::optional<SourceError> gap;  ///< why there may be more; nothing: these are all
};

/// The two ends of a file.
struct FileEnds {
  std::string head;     ///< its first bytes; of a gzip file those of its content
  std::string tail;     ///< its last bytes, as they are
  bool packed = false;  ///< it is a gzip file
  FileEntry file{};     ///< what was opened; without a name
};

/// Files, read on a worker thread that is given up if it hangs. Symbolic links are followed, but
/// for those in a tree.
class Files {
 public:
  virtual ~Files() = default;
  Files() = default;
  Files(const Files&) = delete;
  Files& operator=(const Files&) = delete;

  /// The entries of a directory whose names match the glob, unsorted. More than `limit` entries in
  /// all are an error (limit), not a part of them.
  virtual std::vector<FileEntry> list(const std::string& directory, const std::string& pattern,
                                      std::size_t limit) = 0;
  /// The regular files in a directory and those below it. What cannot be read, or lies beyond the
  /// bounds (too_large), is a gap; that the directory itself cannot be read is an error.
  /// @param wanted tells by a file's own name; runs on the worker, with what it has captured.
  virtual FileTree tree(const std::string& directory, const TreeBounds& bounds,
                        const std::function<bool(const std::string& name)>& wanted) = 0;
  /// The first and the last bytes of a file, at most so many of each.
  virtual FileEnds ends(const std::string& path, std::size_t head_bytes,
                        std::size_t tail_bytes) = 0;
  std::string head(const std::string& path, std::size_t bytes) { return ends(path, bytes, 0).head; }
  /// A whole regular file, as it is. One of more than `max_bytes` is an error (limit).
  virtual std::string contents(const std::string& path, std::size_t max_bytes) = 0;
  /// Bytes that may still be written to the file system that a directory is in, by whoever is not
  /// root.
  virtual double room(const std::string& directory) = 0;
};

/// How a request says who asks.
enum class HttpAuth : std::uint8_t {
  none,
  bearer,  ///< the secret is a token
  basic,   ///< the secret is "user:password"
  header,  ///< the secret is a whole header: "Name: value"
};

struct HttpRequest {
  std::string name;  ///< whose request it is, for messages
  Url url;
  Seconds timeout{};         ///< of everything: name, connection, redirects, the last byte
  std::size_t max_body = 0;  ///< bytes; what goes beyond is not read
  std::string ca_file;       ///< certificates to trust; empty: those of the system
  HttpAuth auth = HttpAuth::none;
  std::string secret;  ///< never logged, never in a message
};

/// Body and headers are somebody else's: they go into no label, log or page.
struct HttpResponse {
  int status = 0;
  std::string body;
  bool complete = true;  ///< the body is not larger than `max_body`
  Seconds took{};        ///< from the first step to the last byte
};

/// HTTP requests that change nothing, made on a worker thread that is given up if it hangs. TLS
/// certificates are verified; a few redirects are followed, within the URL's origin only.
class Http {
 public:
  virtual ~Http() = default;
  Http() = default;
  Http(const Http&) = delete;
  Http& operator=(const Http&) = delete;

  /// GET. An answer is an answer, whatever its status.
  /// @throws SourceError: connect, tls, timeout, protocol, http (redirects); config if the request
  /// cannot be made as it is; limit if we lack means, or the step's time is over.
  virtual HttpResponse get(const HttpRequest& request) = 0;
};

/// A program that is asked something, such as which backups there are.
struct ProgramRequest {
  std::vector<std::string> command;  ///< the program and its arguments, as they are: no shell
  Seconds timeout{};
  std::size_t max_out = 0;  ///< bytes; a program that prints more is ended
};

/// Programs, run as child processes on a worker thread: with a clean environment (PATH, HOME,
/// LC_ALL=C, TZ=UTC), without input, in a process group of their own, of which nothing is left when
/// the call ends, whichever way.
class Processes {
 public:
  virtual ~Processes() = default;
  Processes() = default;
  Processes(const Processes&) = delete;
  Processes& operator=(const Processes&) = delete;

  /// All that it has printed on its standard output, if it ended well.
  /// @throws SourceError: missing or permission if there is no such program for us; timeout;
  /// too_large; io if it failed, with the first line of its standard error; limit if no process can
  /// be made.
  virtual std::string output(const ProgramRequest& request) = 0;
};

/// JSON documents, read only. Safe on any thread.
class Json {
 public:
  virtual ~Json() = default;
  Json() = default;
  Json(const Json&) = delete;
  Json& operator=(const Json&) = delete;

  /// The whole number at that place, or the length of the array there.
  /// @throws SourceError{decode} if there is none, or the text is not JSON, is nested beyond all
  /// reason, or has two of them.
  [[nodiscard]] virtual double count(std::string_view text, const JsonPointer& pointer) const = 0;
  /// A whole document, in memory: for texts that are bounded.
  /// @throws SourceError{decode} if it is not JSON, or nested beyond all reason.
  [[nodiscard]] virtual JsonValue read(std::string_view text) const = 0;
};

/// The time. Safe on any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  Clock() = default;
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;

  [[nodiscard]] virtual Instant now() const = 0;
  [[nodiscard]] virtual UnixTime unix_now() const = 0;
  /// A wall-clock reading "YYYY-MM-DD HH:MM:SS" in an IANA zone; the earlier moment where it is
  /// ambiguous. Nothing if the text or the zone is unknown.
  [[nodiscard]] virtual std::optional<UnixTime> to_unix(const std::string& local,
                                                        const std::string& zone) const = 0;

  [[nodiscard]] UnixTime to_unix(Instant when) const { return unix_now() - (now() - when).count(); }
  [[nodiscard]] Instant from_unix(UnixTime when) const {
    return now() - Seconds(unix_now() - when);
  }
};

}  // namespace pg_integrity
