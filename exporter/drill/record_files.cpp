#include "exporter/drill/record_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>

#include <system_error>

#include "collectors/base/errors.h"
#include "collectors/base/json_value.h"
#include "collectors/options/proof_level.h"
#include "collectors/ports/files.h"
#include "collectors/ports/json.h"
#include "exporter/io/atomic_file.h"

namespace pg_integrity {

namespace {

using nlohmann::json;

constexpr unsigned kReadable = 0644;  ///< the exporter may be another user than the drill
constexpr std::size_t kMaxBytes = std::size_t{64} << 20;

/// A writer holds it while it writes a record. So an unfinished file that is there while nobody
/// holds it was left behind.
class DirectoryLock {
 public:
  explicit DirectoryLock(const std::string& path)
      : descriptor_(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    while (descriptor_ < 0 || ::flock(descriptor_, LOCK_EX) != 0) {
      if (descriptor_ >= 0 && errno == EINTR) continue;
      throw SourceError(Reason::io,
                        fmt::format("{}: {}", path, std::generic_category().message(errno)));
    }
  }
  ~DirectoryLock() { ::close(descriptor_); }
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;

 private:
  int descriptor_;
};

void save(const std::string& path, const json& document, unsigned mode = kReadable) {
  const DirectoryLock lock(path.substr(0, path.rfind('/')));
  replace_file(path, document.dump(1, ' ', false, json::error_handler_t::replace) + "\n", mode);
}

json document_of(const char* record) {
  return {{"format", kRecoveryRecordFormat}, {"record", record}};
}

/// FNV-1a, in hexadecimal. It is the same on every machine and in every version.
std::string hash_of(const std::string& text) {
  std::uint64_t hash = 14695981039346656037U;
  for (const char letter : text)
    hash = (hash ^ static_cast<unsigned char>(letter)) * 1099511628211U;
  constexpr const char* kDigits = "0123456789abcdef";
  std::string hex(16, '0');
  for (std::size_t i = hex.size(); i-- > 0; hash >>= 4U) hex[i] = kDigits[hash & 15U];
  return hex;
}

std::string path_of_progress(const std::string& directory, const DrillProgress& of) {
  return fmt::format("{}/progress-{}.json", directory,
                     hash_of(of.server + "\n" + of.source + "\n" + of.kind));
}

json to_json(const DrilledTable& table) {
  json entry{{"schema", table.schema}, {"table", table.table}};
  if (table.rows) entry["rows"] = *table.rows;
  if (table.unexplained_rows) entry["unexplained_rows"] = *table.unexplained_rows;
  if (table.orphaned_rows) entry["orphaned_rows"] = *table.orphaned_rows;
  if (!table.unproven.empty()) entry["unproven"] = table.unproven;
  return entry;
}

}  // namespace

const DumpRecord::TableContent* DumpRecord::find(const std::string& schema,
                                                 const std::string& table) const {
  const auto found = std::find_if(tables.begin(), tables.end(), [&](const TableContent& one) {
    return one.schema == schema && one.table == table;
  });
  return found == tables.end() ? nullptr : &*found;
}

std::string path_of_dump_record(const std::string& dump) {
  return dump + ".record.json";
}

unsigned mode_of_dump(const std::string& path) {
  constexpr unsigned kOwner = 0600;
  constexpr unsigned kGroup = 0640;
  struct stat folder {};
  const std::string above = path.substr(0, path.rfind('/'));
  return ::stat(above.c_str(), &folder) == 0 && (folder.st_mode & S_ISGID) != 0 ? kGroup : kOwner;
}

void save_dump_record(const std::string& dump, const DumpRecord& record) {
  json document = document_of("dump");
  document["created"] = record.created;
  document["encoding"] = record.encoding;
  document["hash"] = record.hash;
  document["taken_at"] = record.taken_at;
  if (record.large_objects) document["large_objects"] = *record.large_objects;
  json tables = json::array();
  for (const auto& table : record.tables) {
    json entry{{"schema", table.schema}, {"table", table.table}};
    if (table.unproven.empty()) {
      entry["rows"] = table.rows;
      entry["content"] = table.content;
    } else {
      entry["unproven"] = table.unproven;
    }
    tables.push_back(std::move(entry));
  }
  document["tables"] = std::move(tables);
  save(path_of_dump_record(dump), document, mode_of_dump(dump));
}

std::optional<DumpRecord> load_dump_record(const Json& json_port, Files& files,
                                           const std::string& dump) {
  const std::string path = path_of_dump_record(dump);
  if (::access(path.c_str(), F_OK) != 0) return std::nullopt;
  const JsonValue document = json_port.read(files.contents(path, kMaxBytes));
  if (document.at("format").number() != kRecoveryRecordFormat ||
      document.at("record").text() != "dump")
    throw SourceError(Reason::decode, path + ": written by another version");
  DumpRecord record;
  record.created = document.at("created").text();
  record.encoding = document.at("encoding").text();
  record.hash = document.text_or_empty("hash");
  record.taken_at = document.at("taken_at").number();
  record.large_objects = document.maybe_number("large_objects");
  for (const JsonValue& table : document.at("tables").elements())
    record.tables.push_back({table.at("schema").text(), table.at("table").text(),
                             table.maybe_number("rows").value_or(0), table.text_or_empty("content"),
                             table.text_or_empty("unproven")});
  return record;
}

void save_proof(const std::string& directory, const ProofRecord& proof) {
  json document = document_of("proof");
  document["path"] = proof.path;
  document["inode"] = proof.inode;
  document["size"] = proof.size;
  document["modified"] = proof.modified;
  document["level"] = number_of(proof.level);
  if (proof.disproved()) {
    document["failed_level"] = number_of(*proof.failed_level);
    document["disproof"] = proof.disproof;
  }
  document["checked_at"] = proof.checked_at;
  save(fmt::format("{}/proof-{}.json", directory, hash_of(proof.path)), document);
}

void save_drill(const std::string& directory, const DrillRecord& drill) {
  json document = document_of("drill");
  document["server"] = drill.server;
  document["source"] = drill.source;
  document["kind"] = drill.kind;
  document["backup"] = drill.backup;
  document["backup_time"] = drill.backup_time;
  document["started"] = drill.started;
  if (drill.target) document["target"] = *drill.target;
  if (drill.seed) document["seed"] = *drill.seed;
  if (drill.recovered_to) document["recovered_to"] = *drill.recovered_to;
  document["duration_seconds"] = drill.duration.count();
  document["phases"] = json::array();
  for (const DrillPhase& phase : drill.phases)
    document["phases"].push_back({{"name", phase.name}, {"seconds", phase.took.count()}});
  document["outcome"] = std::string(kDrillOutcomeNames[static_cast<std::size_t>(drill.outcome)]);
  document["reasons"] = drill.reasons;
  document["tables"] = json::array();
  for (const DrilledTable& table : drill.tables) document["tables"].push_back(to_json(table));
  save(fmt::format("{}/{}.json", directory, drill.id), document);
}

void save_progress(const std::string& directory, const DrillProgress& progress) {
  json document = document_of("progress");
  document["server"] = progress.server;
  document["source"] = progress.source;
  document["kind"] = progress.kind;
  document["phase"] = progress.phase;
  document["started"] = progress.started;
  document["written"] = progress.written;
  document["bytes"] = progress.bytes;
  document["all_bytes"] = progress.all_bytes;
  save(path_of_progress(directory, progress), document);
}

void remove_progress(const std::string& directory, const DrillProgress& progress) {
  ::unlink(path_of_progress(directory, progress).c_str());
}

void remove_unfinished(const std::string& directory) {
  const DirectoryLock lock(directory);
  std::error_code ignored;
  std::vector<std::filesystem::path> unfinished;
  for (const auto& entry : std::filesystem::directory_iterator(directory, ignored)) {
    const std::string name = entry.path().filename().string();
    if ((name.starts_with("proof-") || name.starts_with("drill-") ||
         name.starts_with("progress-")) &&
        name.ends_with(".json.new"))
      unfinished.push_back(entry.path());
  }
  for (const auto& path : unfinished) std::filesystem::remove(path, ignored);
}

void thin_drills(const std::string& directory, const std::vector<DrillRecord>& drills,
                 const DrillRecord& newest, std::size_t keep) {
  std::vector<const DrillRecord*> history;
  for (const DrillRecord& drill : drills)
    if (drill.server == newest.server && drill.source == newest.source && drill.kind == newest.kind)
      history.push_back(&drill);
  std::sort(history.begin(), history.end(),
            [](const DrillRecord* a, const DrillRecord* b) { return a->started > b->started; });
  bool success_kept = false;
  for (std::size_t i = 0; i < history.size(); ++i) {
    const bool success = history[i]->outcome == DrillOutcome::success;
    if (i >= keep && (!success || success_kept))
      ::unlink(fmt::format("{}/{}.json", directory, history[i]->id).c_str());
    success_kept = success_kept || success;
  }
}

}  // namespace pg_integrity
