#include "collectors/registry.h"

namespace pg_integrity {

extern const CollectorSpec kAmcheckSpec;
extern const CollectorSpec kApiSyncSpec;
extern const CollectorSpec kAuditLogsSpec;
extern const CollectorSpec kAuditTriggersSpec;
extern const CollectorSpec kBackupsSpec;
extern const CollectorSpec kConnectionsSpec;
extern const CollectorSpec kCustomSpec;
extern const CollectorSpec kDuplicatesSpec;
extern const CollectorSpec kFilesSpec;
extern const CollectorSpec kFreshnessSpec;
extern const CollectorSpec kMediaSpec;
extern const CollectorSpec kOrphansSpec;
extern const CollectorSpec kPrivilegesSpec;
extern const CollectorSpec kProtectionSpec;
extern const CollectorSpec kQueryLatencySpec;
extern const CollectorSpec kReplicaSyncSpec;
extern const CollectorSpec kRowCountsSpec;
extern const CollectorSpec kServerSpec;
extern const CollectorSpec kStorageSpec;
extern const CollectorSpec kSuperusersSpec;

namespace {

constexpr const CollectorSpec* kCollectors[] = {
    &kAmcheckSpec,     &kApiSyncSpec,   &kAuditLogsSpec,  &kAuditTriggersSpec, &kBackupsSpec,
    &kConnectionsSpec, &kCustomSpec,    &kDuplicatesSpec, &kFilesSpec,         &kFreshnessSpec,
    &kMediaSpec,       &kOrphansSpec,   &kPrivilegesSpec, &kProtectionSpec,    &kQueryLatencySpec,
    &kReplicaSyncSpec, &kRowCountsSpec, &kServerSpec,     &kStorageSpec,       &kSuperusersSpec};

}  // namespace

std::span<const CollectorSpec* const> collectors() {
  return kCollectors;
}

const CollectorSpec* collector_named(std::string_view name) {
  for (const CollectorSpec* spec : kCollectors)
    if (spec->name == name) return spec;
  return nullptr;
}

}  // namespace pg_integrity
