#include "collectors/recovery/drill_records.h"

#include <algorithm>

#include "collectors/base/errors.h"
#include "collectors/base/metric_rules.h"
#include "collectors/options/proof_level.h"

namespace pg_integrity {

namespace {

constexpr std::size_t kMaxRecords = 10000;
constexpr std::size_t kMaxBytes = std::size_t{4} << 20;

void require_form(const JsonValue& document, std::string_view record) {
  if (document.at("format").number() != kRecoveryRecordFormat)
    throw SourceError(Reason::decode, "written by another version");
  if (document.at("record").text() != record)
    throw SourceError(Reason::decode, "no record of a " + std::string(record));
}

DrillOutcome outcome_named(const std::string& name) {
  for (std::size_t i = 0; i < kDrillOutcomeNames.size(); ++i)
    if (kDrillOutcomeNames[i] == name) return static_cast<DrillOutcome>(i);
  throw SourceError(Reason::decode, "unknown outcome of a drill");
}

DrilledTable table_from(const JsonValue& document) {
  return {document.at("schema").text(),           document.at("table").text(),
          document.maybe_number("rows"),          document.maybe_number("unexplained_rows"),
          document.maybe_number("orphaned_rows"), document.text_or_empty("unproven")};
}

/// The names of the files that hold records of a sort, and how to parse them.
template <typename Record>
struct Sort;

template <>
struct Sort<ProofRecord> {
  static constexpr std::string_view kPrefix = "proof-";
  static ProofRecord parse(const JsonValue& document, const std::string& /*id*/) {
    return proof_from(document);
  }
};

template <>
struct Sort<DrillRecord> {
  static constexpr std::string_view kPrefix = "drill-";
  static DrillRecord parse(const JsonValue& document, const std::string& id) {
    DrillRecord drill = drill_from(document);
    drill.id = id;
    return drill;
  }
};

template <>
struct Sort<DrillProgress> {
  static constexpr std::string_view kPrefix = "progress-";
  static DrillProgress parse(const JsonValue& document, const std::string& /*id*/) {
    return progress_from(document);
  }
};

bool is_same_file(const FileEntry& a, const FileEntry& b) {
  return a.inode == b.inode && a.size == b.size && a.modified == b.modified;
}

constexpr std::string_view kEnding = ".json";

}  // namespace

ProofRecord proof_from(const JsonValue& document) {
  require_form(document, "proof");
  ProofRecord proof;
  proof.path = document.at("path").text();
  proof.inode = document.at("inode").number();
  proof.size = document.at("size").number();
  proof.modified = document.at("modified").number();
  proof.level = proof_level(static_cast<int>(document.at("level").number()));
  if (const auto failed = document.maybe_number("failed_level"); failed && *failed > 0)
    proof.failed_level = proof_level(static_cast<int>(*failed));
  proof.disproof = document.text_or_empty("disproof");
  proof.checked_at = document.at("checked_at").number();
  return proof;
}

DrillRecord drill_from(const JsonValue& document) {
  require_form(document, "drill");
  DrillRecord drill;
  drill.server = document.at("server").text();
  drill.source = document.at("source").text();
  drill.kind = document.at("kind").text();
  drill.backup = document.at("backup").text();
  drill.backup_time = document.at("backup_time").number();
  drill.started = document.at("started").number();
  drill.target = document.maybe_number("target");
  drill.seed = document.maybe_number("seed");
  drill.recovered_to = document.maybe_number("recovered_to");
  drill.duration = Seconds(document.at("duration_seconds").number());
  for (const JsonValue& phase : document.at("phases").elements())
    drill.phases.push_back({phase.at("name").text(), Seconds(phase.at("seconds").number())});
  drill.outcome = outcome_named(document.at("outcome").text());
  for (const JsonValue& reason : document.at("reasons").elements())
    drill.reasons.push_back(reason.text());
  for (const JsonValue& table : document.at("tables").elements())
    drill.tables.push_back(table_from(table));
  return drill;
}

DrillProgress progress_from(const JsonValue& document) {
  require_form(document, "progress");
  return {document.at("server").text(),    document.at("source").text(),
          document.at("kind").text(),      document.at("phase").text(),
          document.at("started").number(), document.at("written").number(),
          document.at("bytes").number(),   document.at("all_bytes").number()};
}

template <typename Record>
RecordsRead<Record> RecordReader<Record>::read(Files& files, const Json& json,
                                               const std::string& directory) {
  RecordsRead<Record> found;
  FileTree tree;
  try {
    tree = files.tree(directory, {1, false, kMaxRecords}, [](const std::string& name) {
      return name.starts_with(Sort<Record>::kPrefix) && name.ends_with(kEnding);
    });
  } catch (const SourceError& error) {
    if (error.reason() != Reason::missing) throw;
  }
  if (tree.gap) throw SourceError(*tree.gap);
  std::sort(tree.files.begin(), tree.files.end(),
            [](const FileEntry& a, const FileEntry& b) { return a.name < b.name; });
  std::map<std::string, Known> present;
  for (const FileEntry& file : tree.files) {
    try {
      const auto before = known_.find(file.name);
      if (before != known_.end() && is_same_file(before->second.as, file)) {
        present.insert(*before);
      } else {
        const std::string id = file.name.substr(0, file.name.size() - kEnding.size());
        const std::string text = files.contents(directory + "/" + file.name, kMaxBytes);
        present.emplace(file.name, Known{file, Sort<Record>::parse(json.read(text), id)});
      }
      found.records.push_back(present.at(file.name).record);
    } catch (const SourceError& error) {
      if (error.reason() == Reason::timeout) throw;
      found.unusable.push_back({file.name, error.reason(), error.what()});
    }
  }
  known_ = std::move(present);
  return found;
}

template class RecordReader<ProofRecord>;
template class RecordReader<DrillRecord>;
template class RecordReader<DrillProgress>;

}  // namespace pg_integrity
