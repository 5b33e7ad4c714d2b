#include "exporter/commands/recording_sources.h"

#include <fmt/format.h>

#include <algorithm>

#include "collectors/base/errors.h"
#include "collectors/ports/buckets.h"
#include "collectors/ports/files.h"
#include "collectors/ports/http.h"
#include "collectors/ports/processes.h"
#include "collectors/postgres/sql_lexer.h"

namespace pg_integrity {

namespace {

[[noreturn]] void do_not_ask() {
  throw SourceError(Reason::pending, std::string(kNotAsked));
}

bool reads_catalog_only(std::string_view sql) {
  const auto pieces = sql_pieces(sql);
  return std::none_of(pieces.begin(), pieces.end(),
                      [](std::string_view piece) { return piece.starts_with('"'); });
}

}  // namespace

void Recording::add(RecordedStatement statement) {
  if (known_.insert(statement).second) statements.push_back(std::move(statement));
}

void Recording::add(const std::string& look) {
  if (known_looks_.insert(look).second) outside.push_back(look);
}

Rows RecordingSession::query(std::string_view sql, std::span<const std::string> parameters,
                             Access access) {
  recording_.add({std::string(sql), {parameters.begin(), parameters.end()}, access, false});
  if (!reads_catalog_only(sql)) do_not_ask();
  return session_.query(sql, parameters, access);
}

Rows RecordingSession::probe(std::string_view sql, std::size_t /*max_rows*/) {
  recording_.add({std::string(sql), {}, Access::catalog, true});
  do_not_ask();
}

/// Records every access and refuses it, but answers the ends of a file as empty. A secret is read
/// in this way, and the request that needs it is still to come.
class RecordingSources::RecordingFiles final : public Files {
 public:
  explicit RecordingFiles(Recording& recording) : recording_(recording) {}

  using Files::list;
  std::vector<FileEntry> list(const std::string& directory,
                              const std::vector<std::string>& patterns,
                              std::size_t /*limit*/) override {
    std::string text = "list " + directory;
    for (const std::string& pattern : patterns) text += " " + pattern;
    recording_.add(text);
    do_not_ask();
  }
  FileTree tree(const std::string& directory, const TreeBounds& bounds,
                const std::function<bool(const std::string& name)>& /*wanted*/) override {
    recording_.add(
        fmt::format("list {}{}", directory, bounds.depth > 1 ? " and what is below it" : ""));
    do_not_ask();
  }
  FileEnds ends(const std::string& path, std::size_t /*head_bytes*/,
                std::size_t /*tail_bytes*/) override {
    recording_.add("read " + path);
    return {};
  }
  std::string contents(const std::string& path, std::size_t /*max_bytes*/) override {
    recording_.add("read " + path);
    do_not_ask();
  }
  double room(const std::string& directory) override {
    recording_.add("free room for " + directory);
    do_not_ask();
  }
  bool is_remote(const std::string& /*directory*/) override { do_not_ask(); }

 private:
  Recording& recording_;
};

class RecordingSources::RecordingBuckets final : public Buckets {
 public:
  explicit RecordingBuckets(Files& files) : files_(files) {}

  Files& files(const Bucket& /*bucket*/) override { return files_; }
  BucketUse take_use(const Bucket& /*bucket*/) override { return {}; }
  [[nodiscard]] bool has_to_spare(const Bucket& /*bucket*/) override { return true; }

 private:
  Files& files_;
};

class RecordingSources::RecordingHttp final : public Http {
 public:
  explicit RecordingHttp(Recording& recording) : recording_(recording) {}

  HttpResponse get(const HttpRequest& request) override {
    recording_.add("GET " + request.url.text());
    do_not_ask();
  }

 private:
  Recording& recording_;
};

class RecordingSources::RecordingProcesses final : public Processes {
 public:
  explicit RecordingProcesses(Recording& recording) : recording_(recording) {}

  std::string output(const ProgramRequest& request) override {
    std::string look = "run";
    for (const std::string& part : request.command) look.append(" ").append(part);
    recording_.add(look);
    do_not_ask();
  }

 private:
  Recording& recording_;
};

class RecordingSources::RecordingDecoder final : public Decoder {
 public:
  void begin(const DecodeTarget& /*target*/) override { do_not_ask(); }
  [[nodiscard]] bool reading() const override { return false; }
  Decoded read_on(double /*bytes*/) override { do_not_ask(); }
  void end() override {}
};

RecordingSources::RecordingSources(Session& session, std::shared_ptr<const Schema> schema,
                                   TableScans& scans, const Clock& clock, Recording& recording)
    : session_(session, recording),
      recording_(recording),
      schema_(std::move(schema)),
      scans_(scans),
      clock_(clock),
      files_(std::make_unique<RecordingFiles>(recording)),
      buckets_(std::make_unique<RecordingBuckets>(*files_)),
      http_(std::make_unique<RecordingHttp>(recording)),
      processes_(std::make_unique<RecordingProcesses>(recording)),
      decoder_(std::make_unique<RecordingDecoder>()) {}

RecordingSources::~RecordingSources() = default;

Session& RecordingSources::replica(const std::string& name) {
  recording_.add("compare with the copy " + name);
  do_not_ask();
}

Files& RecordingSources::files() {
  return *files_;
}

Buckets& RecordingSources::buckets() {
  return *buckets_;
}

Http& RecordingSources::http() {
  return *http_;
}

Decoder& RecordingSources::decoder() {
  return *decoder_;
}

Processes& RecordingSources::processes() {
  return *processes_;
}

}  // namespace pg_integrity
