#include "collectors/options/drills.h"

#include <algorithm>

namespace pg_integrity {

namespace {

constexpr Option kDrillOptions[] = {
    {.name = "directory",
     .help = "where `drill` keeps its records; an absolute path",
     .required = true},
    {.name = "max_age",
     .type = OptionType::duration,
     .fallback = "32d",
     .help = "how long ago the last successful restore drill of a backup source may be",
     .min = 60},
    {.name = "recovery_time_objective",
     .type = OptionType::duration,
     .help = "how long a restore may take",
     .min = 1}};

constexpr Option kDrills[] = {{.name = "drills",
                               .type = OptionType::record,
                               .help = "the records of restore drills and proofs",
                               .members = kDrillOptions}};

}  // namespace

std::span<const Option> drill_options() {
  return kDrills;
}

std::optional<Drills> drills_from(const Settings& server) {
  const Settings* drills = server.record("drills");
  if (drills == nullptr) return std::nullopt;
  return Drills{drills->text("directory"), drills->duration("max_age"),
                drills->maybe_duration("recovery_time_objective")};
}

void check_drills(const Settings& server, Problems& problems) {
  const Settings* drills = server.record("drills");
  if (drills == nullptr) return;
  if (!drills->text("directory").starts_with('/'))
    problems.add(drills->place("directory"), "\"directory\" is no absolute path",
                 "begin it with a slash");
  const auto& sources = server.records("backups");
  if (std::none_of(sources.begin(), sources.end(),
                   [](const Settings& source) { return source.has("directory"); }))
    problems.add(drills->place(), "there is nothing to drill: no backup source has a directory",
                 "name one: [[server.backups]] directory = \"…\"");
}

}  // namespace pg_integrity
