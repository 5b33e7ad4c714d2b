#include "collectors/registry.h"

namespace pg_integrity {

extern const CollectorSpec kAuditLogsSpec;
extern const CollectorSpec kBackupsSpec;
extern const CollectorSpec kOrphansSpec;
extern const CollectorSpec kProtectionSpec;
extern const CollectorSpec kQueryLatencySpec;
extern const CollectorSpec kRowCountsSpec;
extern const CollectorSpec kServerSpec;

namespace {

constexpr const CollectorSpec* kCollectors[] = {
    &kAuditLogsSpec,    &kBackupsSpec,   &kOrphansSpec, &kProtectionSpec,
    &kQueryLatencySpec, &kRowCountsSpec, &kServerSpec};

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
