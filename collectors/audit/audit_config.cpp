#include "collectors/audit/audit_config.h"

#include <algorithm>
#include <array>

#include "collectors/base/qualified_name.h"
#include "collectors/postgres/schema.h"

namespace pg_integrity {

namespace {

constexpr std::array<std::string_view, 3> kEvents{"delete", "update", "truncate"};

}  // namespace

Audited audited_from(const Settings& record) {
  Audited audited{record.texts("tables"),
                  {qualified_name(record.text("function")), record.text_or_empty("body_sha256")},
                  record.texts("events"),
                  {}};
  if (audited.events.empty()) audited.events = {"delete"};
  if (const Settings* log = record.record("log"))
    audited.log = AuditLog{{log->text("schema"), log->text("table")},
                           log->text("about"),
                           log->text_or_empty("event"),
                           log->texts("deletes")};
  return audited;
}

void check_audited(const Settings& settings, Problems& problems) {
  for (const Settings& record : settings.records("audited")) {
    for (const std::string& event : record.texts("events"))
      if (std::find(kEvents.begin(), kEvents.end(), event) == kEvents.end())
        problems.add(record.place("events"), "\"" + event + "\" is no event",
                     "choose from delete, update, truncate");
    const Settings* log = record.record("log");
    if (log != nullptr && log->has("event") == log->texts("deletes").empty())
      problems.add(log->place(), "`event` and `deletes` go together",
                   "name the column and the texts that mean a delete, or neither");
  }
}

}  // namespace pg_integrity
