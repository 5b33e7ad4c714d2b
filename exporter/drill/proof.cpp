#include "exporter/drill/proof.h"

#include <algorithm>

#include "collectors/base/errors.h"
#include "collectors/options/proof_level.h"
#include "collectors/ports/files.h"
#include "exporter/drill/archive_tools.h"
#include "exporter/drill/base_backup_tools.h"

namespace pg_integrity {

namespace {

constexpr int kSignalled = 128;

/// The fault of the backup; empty if it has none.
/// @throws SourceError if something is missing here.
std::string fault_of(const Ended& ended) {
  if (ended.good() || ended.out_of_bounds) return {};
  std::string fault;
  for (const RestoreFault& found : faults_in(ended.errors)) {
    if (found.blame != Blame::backup) throw SourceError(Reason::missing, found.what);
    if (fault.empty()) fault = found.what;
  }
  // Whoever killed it, such as the kernel for lack of memory, the backup is not at fault.
  if (fault.empty() && ended.status > kSignalled)
    throw SourceError(Reason::limit, "the program that reads the backup was " + ended.last_word());
  return fault.empty() ? ended.last_word() : fault;
}

bool reaches(ProofRecord& proof, ProofLevel level, const Ended& ended) {
  const std::string fault = fault_of(ended);
  if (fault.empty()) {
    proof.level = level;
    return true;
  }
  proof.failed_level = level;
  proof.disproof = fault;
  return false;
}

}  // namespace

ProofRecord unproved(Files& files, const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string directory = slash == 0 ? "/" : path.substr(0, slash);
  const std::string name = path.substr(slash + 1);
  for (const FileEntry& entry : files.list(directory, "*", 100000)) {
    if (entry.name != name) continue;
    ProofRecord proof;
    proof.path = path;
    proof.inode = entry.inode;
    proof.size = entry.size;
    proof.modified = entry.modified;
    return proof;
  }
  throw SourceError(Reason::missing, path + " does not exist");
}

void prove(Children& children, const Sandbox& sandbox, ProofRecord& proof,
           const std::string& wal_archive) {
  const auto verified = [&](BaseBackupCheck check) {
    return verify_base_backup(children, sandbox, proof.path, wal_archive, check);
  };
  try {
    if (is_base_backup(proof.path)) {
      if (reaches(proof, ProofLevel::contents, verified(BaseBackupCheck::files)))
        reaches(proof, ProofLevel::decoded, verified(BaseBackupCheck::all));
      return;
    }
    const Archive archive = archive_at(children, sandbox, proof.path);
    if (archive.has_contents()) {
      if (!reaches(proof, ProofLevel::contents, list_contents(children, sandbox, archive))) return;
      reaches(proof, ProofLevel::decoded, decode_whole(children, sandbox, archive));
    } else if (reaches(proof, ProofLevel::contents, decode_whole(children, sandbox, archive))) {
      proof.level = ProofLevel::decoded;  // a plain dump has no table of contents, so all was read
    }
  } catch (const SourceError& error) {
    if (error.reason() != Reason::decode) throw;
    proof.failed_level = std::max(ProofLevel::contents, proof_level(number_of(proof.level) + 1));
    proof.disproof = error.what();
  }
}

}  // namespace pg_integrity
