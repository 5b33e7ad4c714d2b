#include "collectors/recovery/proof_state.h"

#include <algorithm>

#include "collectors/base/glob.h"

namespace pg_integrity {

namespace {

/// A backup that could not be judged is tried again after that time.
constexpr double kTryAgain = 86400;

bool is_of_kind(const ProvedKind& kind, const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash != std::string::npos && path.compare(0, slash, kind.directory) == 0 &&
         matches_any_glob(kind.patterns, path.substr(slash + 1));
}

std::string words_of(ProofLevel level) {
  if (level >= ProofLevel::compared) return "restored and compared";
  return level >= ProofLevel::restored ? "restored" : "read to its end";
}

}  // namespace

std::optional<NewestProof> newest_proof(const ProvedKind& kind, const ReadBackups& read,
                                        const std::vector<ProofRecord>& drills) {
  std::optional<NewestProof> newest;
  const auto take = [&](const ProofRecord& record, ProofLevel least) -> NewestProof* {
    if (record.disproved() || record.level < least || !is_of_kind(kind, record.path))
      return nullptr;
    const Seconds lasts = record.level >= ProofLevel::restored
                              ? std::max(kind.max_age, kind.drill_max_age)
                              : kind.max_age;
    const UnixTime until = record.checked_at + lasts.count();
    if (newest && newest->until > until) return nullptr;
    newest = NewestProof{record, words_of(record.level), 0, {}, until};
    return &*newest;
  };
  for (const ReadBackup& one : read.all())
    if (NewestProof* taken = take(one.proof, ProofLevel::contents)) {
      taken->rows = one.rows;
      taken->why_sure = one.how;
    }
  // Level 2 of a drill is the table of contents alone.
  for (const ProofRecord& record : drills) take(record, ProofLevel::decoded);
  return newest;
}

const ProvedKind* next_to_read(const std::vector<ProvedKind>& kinds, const ReadBackups& read,
                               const std::vector<ProofRecord>& drills, UnixTime now) {
  const ProvedKind* next = nullptr;
  double oldest = 0;
  for (const ProvedKind& kind : kinds) {
    if (!kind.newest || !kind.readable) continue;
    const std::string path = kind.directory + "/" + kind.newest->name;
    if (const ReadBackup* known = read.of(path, kind.newest->entry)) {
      const bool proved = known->proof.level >= ProofLevel::contents;
      const double again = proved ? kind.max_age.count() / 2 : kTryAgain;
      if (known->proof.disproved() || now - known->proof.checked_at < again) continue;
    }
    const auto proof = newest_proof(kind, read, drills);
    const double proved_at = proof ? proof->record.checked_at : 0;
    if (next == nullptr || proved_at < oldest) {
      next = &kind;
      oldest = proved_at;
    }
  }
  return next;
}

}  // namespace pg_integrity
