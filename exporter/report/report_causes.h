// The causes of one server, in words. Pure functions over immutable snapshots. Safe on any thread.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "collectors/ports/clock.h"
#include "exporter/evidence/causes.h"
#include "exporter/evidence/snapshot.h"
#include "exporter/report/report.h"

namespace pg_integrity {

class ServerCauses {
 public:
  /// @param all those of all servers. They must outlive this.
  /// @param several the server has several databases, so that a cause names its own.
  ServerCauses(const std::vector<Cause>& all, const std::string& server, bool several);

  /// Index of the cause that stops the object.
  [[nodiscard]] std::optional<std::size_t> of(const CollectorId& id, const ObjectKey& key) const;
  /// Index of the cause of the collector's failure.
  [[nodiscard]] std::optional<std::size_t> of_failure(const CollectorId& id) const;
  /// @param server fragment that names the server.
  [[nodiscard]] std::vector<ReportCause> entries(const std::string& server,
                                                 const Clock& clock) const;

 private:
  std::vector<const Cause*> causes_;
  std::map<std::pair<CollectorId, ObjectKey>, std::size_t> objects_;
  std::map<CollectorId, std::size_t> failures_;
  bool several_;
};

}  // namespace pg_integrity
