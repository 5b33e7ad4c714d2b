#include "exporter/drill/judge.h"

#include <fmt/format.h>

#include <algorithm>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/postgres/row_digest.h"
#include "collectors/postgres/schema_cache.h"
#include "exporter/drill/copy_check.h"
#include "exporter/drill/copy_comparison.h"
#include "exporter/io/console.h"

namespace pg_integrity {

void CopyJudge::compare(const ConnectionOptions& copy, const std::string& contents,
                        const std::optional<DumpRecord>& recorded, Unproven unproven) {
  const BoundSession session(copy, children_, resources_, job_.target.empty() ? job_.jobs - 1 : 0);
  for (const std::string& object : missing_objects(*session, contents))
    // If an extension is missing (a doubt), its objects are missing, too.
    found_.certain() ? found_.fail("missing in the copy: " + object)
                     : found_.doubt("missing in the copy: " + object);
  Comparison comparison;
  if (recorded && recorded->hash != hash_sample(*session))
    throw SourceError(Reason::missing,
                      "rows cannot be compared: this server hashes them in another way than the "
                      "one that the backup is of");
  if (recorded) {
    const DumpRecord held = digest_tables(*session, resources_.clock,
                                          [&](std::size_t, std::size_t) { children_.check(); });
    comparison = compare_with_record(held, *recorded);
  } else {
    constexpr Seconds kLateCommit{3600};  // for rows of transactions that had not ended
    const InventoryComparison known = hold_against_inventory(*session);
    const auto source = source_session();
    comparison = compare_by_creation(
        *session, source ? &**source : nullptr, job_.left_out,
        [&](const auto& table) { return known.lacking(table); }, resources_.clock,
        record_.recovery_point() - kLateCommit.count());
    if (known.reaches) unproven = Unproven::doubt;
  }
  for (const std::string& difference : comparison.differences) found_.fail(difference);
  for (const std::string& absent : comparison.absent)
    found_.objects_lack_here() ? found_.doubt(absent) : found_.fail(absent);
  for (const std::string& uncertain : comparison.doubts) found_.doubt(uncertain);
  record_.tables = std::move(comparison.tables);
  if (std::none_of(record_.tables.begin(), record_.tables.end(),
                   [](const DrilledTable& table) { return table.unexplained_rows.has_value(); })) {
    if (unproven == Unproven::fault && !found_.objects_lack_here())
      found_.fail("no table could be proven. HINT: take dumps with drill --record");
    else
      found_.doubt("no table says when its rows were created: none could be proven");
  }
  schema_ = load_schema(*session, {}, resources_.clock.now());
}

InventoryComparison CopyJudge::hold_against_inventory(Session& copy) {
  if (!job_.remembered) return {};
  InventoryComparison known = compare_with_inventory(copy, *job_.remembered, job_.left_out,
                                                     resources_.clock, record_.recovery_point());
  for (const std::string& absent : known.absent)
    found_.objects_lack_here() ? found_.doubt(absent) : found_.fail(absent);
  for (const std::string& uncertain : known.doubts) found_.doubt(uncertain);
  return known;
}

std::unique_ptr<BoundSession> CopyJudge::source_session() const {
  try {
    return std::make_unique<BoundSession>(job_.server.connection, children_, resources_);
  } catch (const SourceError& error) {
    say(fmt::format("{}/{}: the source is out of reach: {}", job_.source, job_.kind, error.what()));
    return nullptr;
  }
}

void CopyJudge::check(const ConnectionOptions& copy, bool in_order) {
  const CopyCheck check =
      check_copy(job_.server, job_.database, copy, *schema_, in_order, children_, resources_);
  for (const std::string& finding : check.findings) found_.fail(finding);
  for (const std::string& unproven : check.unproven) found_.doubt(unproven);
  for (const auto& [child, orphans] : check.orphans)
    for (DrilledTable& table : record_.tables)
      if (table.schema == child.schema && table.table == child.name)
        table.orphaned_rows = table.orphaned_rows.value_or(0) + orphans;
}

}  // namespace pg_integrity
