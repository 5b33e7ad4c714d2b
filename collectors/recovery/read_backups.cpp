#include "collectors/recovery/read_backups.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <optional>

namespace pg_integrity {

namespace {

constexpr std::string_view kForm = "read backups 1";
constexpr std::size_t kMost = 2000;

std::string escaped(const std::string& text) {
  std::string out;
  for (const char letter : text) {
    if (letter == '\\') out += "\\\\";
    if (letter == '\t') out += "\\t";
    if (letter == '\n') out += "\\n";
    if (letter != '\\' && letter != '\t' && letter != '\n') out += letter;
  }
  return out;
}

std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    ++i;
    out += text[i] == 't' ? '\t' : text[i] == 'n' ? '\n' : text[i];
  }
  return out;
}

std::string exact(double value) {
  char digits[40];
  std::snprintf(digits, sizeof digits, "%.17g", value);
  return digits;
}

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(at);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::optional<double> decimal(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// One line: path, inode, size, modified, level, failed, checked at, rows, disproof, how.
std::optional<ReadBackup> read_line(std::string_view line) {
  constexpr std::size_t kFields = 10;
  const auto fields = split(line, '\t');
  if (fields.size() != kFields) return std::nullopt;
  std::vector<double> numbers;
  for (std::size_t i = 1; i <= 7; ++i) {
    const auto value = decimal(fields[i]);
    if (!value) return std::nullopt;
    numbers.push_back(*value);
  }
  ReadBackup read;
  read.proof.path = unescaped(fields[0]);
  read.proof.inode = numbers[0];
  read.proof.size = numbers[1];
  read.proof.modified = numbers[2];
  read.proof.level = proof_level(static_cast<int>(numbers[3]));
  if (numbers[4] != 0) read.proof.failed_level = ProofLevel::contents;
  read.proof.checked_at = numbers[5];
  read.rows = numbers[6];
  read.proof.disproof = unescaped(fields[8]);
  read.how = unescaped(fields[9]);
  return read;
}

bool about_same_file(const ProofRecord& a, const ProofRecord& b) {
  return a.path == b.path && a.inode == b.inode && a.size == b.size && a.modified == b.modified;
}

}  // namespace

ReadBackups::ReadBackups(const std::string& text) {
  const auto lines = split(text, '\n');
  if (lines.front() != kForm) return;
  for (const std::string_view line : lines)
    if (auto read = read_line(line)) all_.push_back(std::move(*read));
}

std::string ReadBackups::text() const {
  std::string text(kForm);
  for (const ReadBackup& read : all_) {
    const ProofRecord& proof = read.proof;
    text += "\n" + escaped(proof.path);
    for (const double value :
         {proof.inode, proof.size, proof.modified, static_cast<double>(number_of(proof.level)),
          proof.disproved() ? 1.0 : 0.0, proof.checked_at, read.rows})
      text += "\t" + exact(value);
    text += "\t" + escaped(proof.disproof) + "\t" + escaped(read.how);
  }
  return text;
}

void ReadBackups::add(ReadBackup read) {
  std::erase_if(all_,
                [&](const ReadBackup& known) { return about_same_file(known.proof, read.proof); });
  all_.push_back(std::move(read));
  if (all_.size() > kMost) all_.erase(all_.begin());
}

void ReadBackups::forget(const std::string& path) {
  std::erase_if(all_, [&](const ReadBackup& known) { return known.proof.path == path; });
}

const ReadBackup* ReadBackups::of(const std::string& path, const FileEntry& entry) const {
  const auto found = std::find_if(all_.rbegin(), all_.rend(), [&](const ReadBackup& read) {
    return read.proof.is_of(path, entry);
  });
  return found == all_.rend() ? nullptr : &*found;
}

ProofRecord joined(const ProofRecord& a, const ProofRecord& b) {
  if (!about_same_file(a, b)) return a.checked_at < b.checked_at ? b : a;
  ProofRecord both = a;
  both.level = std::max(a.level, b.level);
  both.checked_at = std::max(a.checked_at, b.checked_at);
  if (!both.failed_level) {
    both.failed_level = b.failed_level;
    both.disproof = b.disproof;
  }
  return both;
}

Proofs newest_proofs(const std::vector<ProofRecord>& drills, const ReadBackups& read) {
  Proofs newest;
  const auto note = [&](const ProofRecord& proof) {
    const auto [known, added] = newest.try_emplace(proof.path, proof);
    if (!added) known->second = joined(known->second, proof);
  };
  for (const ProofRecord& proof : drills) note(proof);
  for (const ReadBackup& one : read.all()) note(one.proof);
  return newest;
}

}  // namespace pg_integrity
