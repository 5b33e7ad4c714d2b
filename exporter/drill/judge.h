// The last phase of a drill: the copy is held against the backup's record or its source, and every
// integrity check that applies runs on it. Blocks; one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "collectors/postgres/schema.h"
#include "collectors/recovery/drill_records.h"
#include "exporter/drill/bound_session.h"
#include "exporter/drill/dump_record.h"
#include "exporter/drill/findings.h"
#include "exporter/drill/remembered_inventory.h"
#include "exporter/drill/run.h"

namespace pg_integrity {

class CopyJudge {
 public:
  /// The meaning of a drill in which no table could be proven. For a dump it is a fault. For copied
  /// files it is a doubt, because each of them was verified to be as its server sent it.
  enum class Unproven : std::uint8_t { fault, doubt };

  CopyJudge(const DrillJob& job, Children& children, ProcessResources& resources,
            DrillFindings& found, DrillRecord& record)
      : job_(job), children_(children), resources_(resources), found_(found), record_(record) {}

  /// @param contents the dump's table of contents; may be empty.
  /// @throws SourceError; Interrupted.
  void compare(const ConnectionOptions& copy, const std::string& contents,
               const std::optional<DumpRecord>& recorded, Unproven unproven);
  /// Comes after compare().
  /// @param in_order whether pg_restore made the copy.
  /// @throws Interrupted
  void check(const ConnectionOptions& copy, bool in_order);

 private:
  /// Finds what the copy lacks of the source, as the running exporter remembers it.
  InventoryComparison hold_against_inventory(Session& copy);
  /// @return nullptr if the source is out of reach, as it may be when backups matter most.
  [[nodiscard]] std::unique_ptr<BoundSession> source_session() const;

  const DrillJob& job_;
  Children& children_;
  ProcessResources& resources_;
  DrillFindings& found_;
  DrillRecord& record_;
  std::shared_ptr<const Schema> schema_;  ///< of the copy
};

}  // namespace pg_integrity
