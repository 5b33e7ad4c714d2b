#include "collectors/registry.h"

#include <algorithm>

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
extern const CollectorSpec kRestoreDrillSpec;
extern const CollectorSpec kRowCountsSpec;
extern const CollectorSpec kServerSpec;
extern const CollectorSpec kStorageSpec;
extern const CollectorSpec kSuperusersSpec;
extern const CollectorSpec kWalSpec;

extern const ReadsOf kAmcheckReads;
extern const ReadsOf kApiSyncReads;
extern const ReadsOf kAuditLogsReads;
extern const ReadsOf kAuditTriggersReads;
extern const ReadsOf kBackupsReads;
extern const ReadsOf kConnectionsReads;
extern const ReadsOf kCustomReads;
extern const ReadsOf kDuplicatesReads;
extern const ReadsOf kFilesReads;
extern const ReadsOf kFreshnessReads;
extern const ReadsOf kMediaReads;
extern const ReadsOf kOrphansReads;
extern const ReadsOf kPrivilegesReads;
extern const ReadsOf kProtectionReads;
extern const ReadsOf kQueryLatencyReads;
extern const ReadsOf kReplicaSyncReads;
extern const ReadsOf kRestoreDrillReads;
extern const ReadsOf kRowCountsReads;
extern const ReadsOf kServerReads;
extern const ReadsOf kStorageReads;
extern const ReadsOf kSuperusersReads;
extern const ReadsOf kWalReads;

namespace {

constexpr const CollectorSpec* kCollectors[] = {
    &kAmcheckSpec,      &kApiSyncSpec,     &kAuditLogsSpec,    &kAuditTriggersSpec,
    &kBackupsSpec,      &kConnectionsSpec, &kCustomSpec,       &kDuplicatesSpec,
    &kFilesSpec,        &kFreshnessSpec,   &kMediaSpec,        &kOrphansSpec,
    &kPrivilegesSpec,   &kProtectionSpec,  &kQueryLatencySpec, &kReplicaSyncSpec,
    &kRestoreDrillSpec, &kRowCountsSpec,   &kServerSpec,       &kStorageSpec,
    &kSuperusersSpec,   &kWalSpec};

struct CollectorReads {
  const CollectorSpec* spec;
  const ReadsOf* reads;
};

constexpr CollectorReads kReads[] = {{&kAmcheckSpec, &kAmcheckReads},
                                     {&kApiSyncSpec, &kApiSyncReads},
                                     {&kAuditLogsSpec, &kAuditLogsReads},
                                     {&kAuditTriggersSpec, &kAuditTriggersReads},
                                     {&kBackupsSpec, &kBackupsReads},
                                     {&kConnectionsSpec, &kConnectionsReads},
                                     {&kCustomSpec, &kCustomReads},
                                     {&kDuplicatesSpec, &kDuplicatesReads},
                                     {&kFilesSpec, &kFilesReads},
                                     {&kFreshnessSpec, &kFreshnessReads},
                                     {&kMediaSpec, &kMediaReads},
                                     {&kOrphansSpec, &kOrphansReads},
                                     {&kPrivilegesSpec, &kPrivilegesReads},
                                     {&kProtectionSpec, &kProtectionReads},
                                     {&kQueryLatencySpec, &kQueryLatencyReads},
                                     {&kReplicaSyncSpec, &kReplicaSyncReads},
                                     {&kRestoreDrillSpec, &kRestoreDrillReads},
                                     {&kRowCountsSpec, &kRowCountsReads},
                                     {&kServerSpec, &kServerReads},
                                     {&kStorageSpec, &kStorageReads},
                                     {&kSuperusersSpec, &kSuperusersReads},
                                     {&kWalSpec, &kWalReads}};

static_assert(std::ranges::equal(kCollectors, kReads, {}, {}, &CollectorReads::spec),
              "each collector says what it reads");

}  // namespace

std::span<const CollectorSpec* const> collectors() {
  return kCollectors;
}

const CollectorSpec* collector_named(std::string_view name) {
  for (const CollectorSpec* spec : kCollectors)
    if (spec->name == name) return spec;
  return nullptr;
}

ReadsOf reads_of(const CollectorSpec& spec) {
  for (const CollectorReads& one : kReads)
    if (one.spec == &spec) return *one.reads;
  return no_reads;
}

}  // namespace pg_integrity
