#include "collectors/recovery/catalogued_backup.h"

#include "collectors/options/proof_level.h"

namespace pg_integrity {

namespace {

constexpr double kAheadAtMost = 60;  // seconds that a clock may be ahead of ours

}  // namespace

void add_to(std::map<std::string, KindHistory>& kinds, const CataloguedBackup& backup, UnixTime now,
            BackupList* list) {
  KindHistory& kind = kinds.at(backup.kind);
  ++kind.runs[static_cast<std::size_t>(backup.status)];
  ListedBackup listed{backup.name, backup.start, backup.size, backup.status,
                      false,       backup.why,   {},          {}};
  if (backup.status == BackupStatus::success) {
    const UnixTime start = backup.start.value();
    const UnixTime stop = backup.stop.value_or(start);
    listed.level = ProofLevel::on_record;
    if (start > now + kAheadAtMost || stop > now + kAheadAtMost) {
      ++kind.from_the_future;
      listed.why = "it lies in the future. HINT: check the clocks and `zone`";
    } else {
      kind.add({start, Seconds(now - start), backup.size, "catalogue", ProofLevel::on_record,
                Seconds(now - stop)},
               ProofLevel::on_record);
      listed.counts = true;
    }
  }
  if (list != nullptr) (*list)[backup.kind].push_back(std::move(listed));
}

}  // namespace pg_integrity
