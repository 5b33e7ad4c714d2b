#include "collectors/options/drills.h"

#include <algorithm>
#include <array>
#include <string_view>

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
     .min = 1},
    {.name = "drill_timeout",
     .type = OptionType::duration,
     .fallback = "1d",
     .help = "a drill that takes longer is ended, and proves nothing",
     .min = 1},
    {.name = "sandbox",
     .fallback = "bubblewrap",
     .help =
         "what keeps the code of a backup away from the machine: bubblewrap, container or none"},
    {.name = "memory",
     .type = OptionType::size,
     .fallback = "4GiB",
     .help = "how much memory one program of a drill may take",
     .min = 512.0 * 1024 * 1024}};

constexpr std::array<std::string_view, 3> kSandboxes{"bubblewrap", "container", "none"};

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
  Drills found;
  found.directory = drills->text("directory");
  found.max_age = drills->duration("max_age");
  found.recovery_time_objective = drills->maybe_duration("recovery_time_objective");
  found.drill_timeout = drills->duration("drill_timeout");
  found.memory = drills->number("memory");
  for (std::size_t i = 0; i < kSandboxes.size(); ++i)
    if (drills->text("sandbox") == kSandboxes[i]) found.sandbox = static_cast<DrillSandbox>(i);
  return found;
}

void check_drills(const Settings& server, Problems& problems) {
  const Settings* drills = server.record("drills");
  if (drills == nullptr) return;
  if (!drills->text("directory").starts_with('/'))
    problems.add(drills->place("directory"), "\"directory\" is no absolute path",
                 "begin it with a slash");
  if (std::find(kSandboxes.begin(), kSandboxes.end(), drills->text("sandbox")) == kSandboxes.end())
    problems.add(drills->place("sandbox"),
                 "\"sandbox\" is \"" + drills->text("sandbox") + "\", which there is not",
                 "bubblewrap, container or none");
  const auto& sources = server.records("backups");
  if (std::none_of(sources.begin(), sources.end(), [](const Settings& source) {
        return source.has("directory") || source.record("pgbackrest") != nullptr ||
               source.record("barman") != nullptr;
      }))
    problems.add(drills->place(),
                 "there is nothing to drill: no backup source has a directory or a repository",
                 "name one: [[server.backups]] directory = \"…\"");
}

}  // namespace pg_integrity
