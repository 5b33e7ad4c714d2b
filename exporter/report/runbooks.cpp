#include "exporter/report/runbooks.h"

#include <algorithm>

namespace pg_integrity {

namespace {

constexpr std::string_view kOfCustomQueries = "pg_integrity_custom_";

bool is_about_side(const Runbook& runbook, std::string_view relation) {
  if (runbook.side.empty()) return true;
  return runbook.side == "above" ? relation == "<=" : relation == ">=";
}

}  // namespace

const Runbook* runbook_for(std::string_view metric, std::string_view relation) {
  const auto all = all_runbooks();
  const auto exact = std::find_if(all.begin(), all.end(), [&](const Runbook& one) {
    return one.metric == metric && is_about_side(one, relation);
  });
  if (exact != all.end()) return &*exact;
  if (!metric.starts_with(kOfCustomQueries)) return nullptr;
  const auto custom = std::find_if(
      all.begin(), all.end(), [](const Runbook& one) { return one.metric == kOfCustomQueries; });
  return custom == all.end() ? nullptr : &*custom;
}

}  // namespace pg_integrity
