// Sources that record what a collector asks for, and answer from the catalog alone. They read no
// table of a user, no file and no endpoint, and run no program. One thread.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "collectors/base/batch.h"
#include "collectors/base/instant.h"
#include "collectors/base/metric_info.h"
#include "collectors/collector.h"
#include "collectors/ports/buckets.h"
#include "collectors/ports/clock.h"
#include "collectors/ports/decoder.h"
#include "collectors/ports/files.h"
#include "collectors/ports/http.h"
#include "collectors/ports/json.h"
#include "collectors/ports/processes.h"
#include "collectors/ports/session.h"
#include "collectors/postgres/schema.h"
#include "collectors/postgres/table_scan.h"
#include "exporter/io/json_reader.h"

namespace pg_integrity {

struct RecordedStatement {
  std::string sql;
  std::vector<std::string> parameters;
  Access access = Access::catalog;
  bool users_own = false;  ///< written by a user: a probe

  auto operator<=>(const RecordedStatement&) const = default;
};

/// Each statement, and each access to something other than the database, once.
struct Recording {
  std::vector<RecordedStatement> statements;
  std::vector<std::string> outside;  ///< "GET https://…", "read /a/file", "run a program"

  void add(RecordedStatement statement);
  void add(const std::string& look);

 private:
  std::set<RecordedStatement> known_;
  std::set<std::string> known_looks_;
};

/// The message of the error that is thrown instead of an answer. The collector goes on with its
/// next object.
inline constexpr std::string_view kNotAsked = "only recorded, not asked";

/// Records every statement and passes on those that read only the catalog. A statement with a name
/// in double quotes reads more than that, because we quote all names of a database's users and none
/// of the catalog's. A user's probe may read more, too.
class RecordingSession final : public Session {
 public:
  /// Both references must outlive the session.
  RecordingSession(Session& session, Recording& recording)
      : session_(session), recording_(recording) {}

  using Session::query;
  Rows query(std::string_view sql, std::span<const std::string> parameters, Access access) override;
  Rows probe(std::string_view sql, std::size_t max_rows) override;
  [[nodiscard]] const ServerInfo& server() const override { return session_.server(); }

 private:
  Session& session_;
  Recording& recording_;
};

/// Sources of one pass over all objects. The pass is one step, unless the collector makes more of
/// it.
class RecordingSources final : public Sources {
 public:
  /// All references must outlive the sources.
  RecordingSources(Session& session, std::shared_ptr<const Schema> schema, TableScans& scans,
                   const Clock& clock, Recording& recording);
  ~RecordingSources() override;

  Session& session() override { return session_; }
  Session& replica(const std::string& name) override;
  std::shared_ptr<const Schema> schema() override { return schema_; }
  TableScans& scans() override { return scans_; }
  Files& files() override;
  Buckets& buckets() override;
  Http& http() override;
  Processes& processes() override;
  Decoder& decoder() override;
  [[nodiscard]] const Json& json() const override { return json_; }
  [[nodiscard]] const Clock& clock() const override { return clock_; }
  void pause(Seconds /*time*/) override {}
  [[nodiscard]] bool step_is_full() const override { return false; }
  [[nodiscard]] Seconds reusable_age() const override { return Seconds(0); }
  using Sources::wants;
  [[nodiscard]] bool wants(std::span<const std::string> /*identity*/) const override {
    return true;
  }
  std::string& position() override { return position_; }
  using Sources::previous;
  [[nodiscard]] std::optional<Sample> previous(
      const MetricInfo& /*metric*/, std::span<const std::string> /*labels*/) const override {
    return std::nullopt;
  }

 private:
  class RecordingFiles;
  class RecordingBuckets;
  class RecordingHttp;
  class RecordingProcesses;
  class RecordingDecoder;

  RecordingSession session_;
  Recording& recording_;
  const std::shared_ptr<const Schema> schema_;
  TableScans& scans_;
  const Clock& clock_;
  const std::unique_ptr<RecordingFiles> files_;
  const std::unique_ptr<RecordingBuckets> buckets_;
  const std::unique_ptr<RecordingHttp> http_;
  const std::unique_ptr<RecordingProcesses> processes_;
  const std::unique_ptr<RecordingDecoder> decoder_;
  SaxJson json_;
  std::string position_;
};

}  // namespace pg_integrity
