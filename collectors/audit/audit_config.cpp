#include "collectors/audit/audit_config.h"

#include <algorithm>
#include <array>

#include "collectors/base/qualified_name.h"
#include "collectors/postgres/schema.h"

namespace pg_integrity {

namespace {

constexpr std::array<std::string_view, 3> kEvents{"delete", "update", "truncate"};

void check_log(const Settings& log, Problems& problems) {
  const std::vector<std::string>& deletes = log.texts("deletes");
  const std::vector<std::string>& truncates = log.texts("truncates");
  if (log.has("event") == deletes.empty())
    problems.add(log.place(), "`event` and `deletes` go together",
                 "name the column and the texts that mean a delete, or neither");
  if (!truncates.empty() && !log.has("event"))
    problems.add(log.place("truncates"), "`truncates` needs `event`",
                 "name the column that says what happened");
  for (const std::string& text : truncates)
    if (std::find(deletes.begin(), deletes.end(), text) != deletes.end())
      problems.add(log.place("truncates"), "\"" + text + "\" is in `deletes`, too",
                   "name it in one of the two");
  const std::string entry = log.text_or_empty("entry");
  if (!entry.empty() && entry != "row" && entry != "statement")
    problems.add(log.place("entry"), "\"" + entry + "\" is nothing that an entry is about",
                 "choose from row, statement");
  if (!entry.empty() && log.has("rows"))
    problems.add(log.place("entry"), "`entry` and `rows` exclude each other",
                 "with `rows` an entry is about as many rows as it says");
}

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
                           log->text_or_empty("about_schema"),
                           log->text_or_empty("event"),
                           log->texts("deletes"),
                           log->texts("truncates"),
                           log->text_or_empty("entry"),
                           log->text_or_empty("rows")};
  return audited;
}

void check_audited(const Settings& settings, Problems& problems) {
  for (const Settings& record : settings.records("audited")) {
    for (const std::string& event : record.texts("events"))
      if (std::find(kEvents.begin(), kEvents.end(), event) == kEvents.end())
        problems.add(record.place("events"), "\"" + event + "\" is no event",
                     "choose from delete, update, truncate");
    if (const Settings* log = record.record("log")) check_log(*log, problems);
  }
}

}  // namespace pg_integrity
