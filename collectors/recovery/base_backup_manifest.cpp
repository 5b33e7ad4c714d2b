#include "collectors/recovery/base_backup_manifest.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

#include "collectors/ports/clock.h"
#include "collectors/recovery/backup_metrics.h"

namespace pg_integrity {

namespace {

constexpr std::size_t kMostSegments = 1000000;
/// Bytes. The middle of a segment's name counts units of this size.
constexpr std::uint64_t kLogFile = std::uint64_t{1} << 32;

/// The part between two texts; nullopt if one of them is missing.
std::optional<std::string_view> between(std::string_view text, std::string_view before,
                                        std::string_view after) {
  const std::size_t begin = text.find(before);
  if (begin == std::string_view::npos) return std::nullopt;
  text.remove_prefix(begin + before.size());
  const std::size_t end = text.find(after);
  return end == std::string_view::npos ? std::nullopt : std::optional(text.substr(0, end));
}

std::optional<std::uint64_t> number(std::string_view text, int base) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  const bool good = error == std::errc() && end == text.data() + text.size();
  return good ? std::optional(value) : std::nullopt;
}

/// Parses a position such as "16/B374D848".
std::optional<std::uint64_t> position(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto high = number(text.substr(0, slash), 16);
  const auto low = number(text.substr(slash + 1), 16);
  if (!high || !low || *high >= kLogFile || *low >= kLogFile) return std::nullopt;
  return *high * kLogFile + *low;
}

std::string segment_name(std::uint64_t timeline, std::uint64_t number, std::uint64_t bytes) {
  const std::uint64_t in_a_file = kLogFile / bytes;
  std::array<char, 32> name{};
  std::snprintf(name.data(), name.size(), "%08llX%08llX%08llX",
                static_cast<unsigned long long>(timeline & 0xffffffffU),
                static_cast<unsigned long long>((number / in_a_file) & 0xffffffffU),
                static_cast<unsigned long long>(number % in_a_file));
  return name.data();
}

/// Finds the segment size that turns the position into the file name of this line of a label:
///
///     START WAL LOCATION: 0/2000028 (file 000000010000000000000002)
std::optional<std::uint64_t> segment_bytes(std::string_view label) {
  const auto start = between(label, "START WAL LOCATION: ", " (file ");
  const auto file = between(label, " (file ", ")");
  const auto at = start ? position(*start) : std::nullopt;
  const auto timeline = file && file->size() == 24 ? number(file->substr(0, 8), 16) : std::nullopt;
  if (!at || !timeline) return std::nullopt;
  constexpr std::uint64_t kMebibyte = 1048576;
  for (const std::uint64_t mebibytes : {16U, 1U, 2U, 4U, 8U, 32U, 64U, 128U, 256U, 512U, 1024U})
    if (segment_name(*timeline, *at / (mebibytes * kMebibyte), mebibytes * kMebibyte) == *file)
      return mebibytes * kMebibyte;
  return std::nullopt;
}

std::optional<BackupManifest::WalRange> range_in(std::string_view object) {
  const auto timeline = between(object, "\"Timeline\": ", ",");
  const auto start = between(object, "\"Start-LSN\": \"", "\"");
  const auto end = between(object, "\"End-LSN\": \"", "\"");
  if (!timeline || !start || !end) return std::nullopt;
  const auto on = number(*timeline, 10);
  const auto from = position(*start);
  const auto to = position(*end);
  if (!on || !from || !to || *to < *from) return std::nullopt;
  return BackupManifest::WalRange{*on, *from, *to};
}

/// Looks only at the end of the text. The part before it may be long, and holds names of files.
bool ends_as_a_manifest(std::string_view text) {
  constexpr std::string_view kSum = "\"Manifest-Checksum\": \"";
  const std::size_t at = text.rfind(kSum);
  if (at == std::string_view::npos) return false;
  const std::string_view rest = text.substr(at + kSum.size());
  return rest.size() > 64 && rest.substr(64).starts_with("\"}") &&
         rest.find_first_not_of("0123456789abcdef") == 64;
}

}  // namespace

std::optional<ArchiveTime> label_time(std::string_view label, const Clock& clock,
                                      const std::string& zone) {
  constexpr std::size_t kTimeLength = 19;
  const auto line = between(label, "START TIME: ", "\n");
  if (!line || line->size() < kTimeLength) return std::nullopt;
  const std::string_view abbreviation = line->substr(kTimeLength);
  const bool utc = abbreviation == " UTC" || abbreviation == " GMT";
  const auto when = clock.to_unix(std::string(line->substr(0, kTimeLength)), utc ? "UTC" : zone);
  return when ? std::optional(ArchiveTime{*when, *when}) : std::nullopt;
}

std::optional<BackupManifest> read_manifest(std::string_view text) {
  if (text.find("\"PostgreSQL-Backup-Manifest-Version\": ") > 16 || !ends_as_a_manifest(text))
    return std::nullopt;
  BackupManifest manifest;
  const std::size_t ranges = text.rfind("\"WAL-Ranges\": [");
  if (ranges == std::string_view::npos) return std::nullopt;
  std::string_view rest = text.substr(ranges);
  for (std::size_t open = rest.find('{'); open != std::string_view::npos; open = rest.find('{')) {
    const std::size_t close = rest.find('}', open);
    const auto range =
        close == std::string_view::npos ? std::nullopt : range_in(rest.substr(open, close - open));
    if (!range) return std::nullopt;
    manifest.wal.push_back(*range);
    rest.remove_prefix(close);
  }
  constexpr std::string_view kSizeField = "\"Size\": ";
  for (std::size_t at = text.find(kSizeField); at < ranges; at = text.find(kSizeField, at + 1)) {
    const std::string_view digits = text.substr(at + kSizeField.size(), 20);
    const auto size = number(digits.substr(0, digits.find_first_not_of("0123456789")), 10);
    manifest.bytes += static_cast<double>(size.value_or(0));
  }
  return manifest;
}

std::optional<std::vector<std::string>> segments_needed(const BackupManifest& manifest,
                                                        std::string_view label) {
  const auto bytes = segment_bytes(label);
  if (!bytes) return std::nullopt;
  std::vector<std::string> needed;
  for (const BackupManifest::WalRange& range : manifest.wal) {
    if (range.end == range.start) continue;
    const std::uint64_t first = range.start / *bytes;
    const std::uint64_t last = (range.end - 1) / *bytes;
    if (last - first >= kMostSegments) return std::nullopt;
    for (std::uint64_t segment = first; segment <= last; ++segment)
      needed.push_back(segment_name(range.timeline, segment, *bytes));
  }
  return needed;
}

bool is_segment(std::string_view file, std::string_view segment) {
  if (!file.starts_with(segment)) return false;
  constexpr std::array<std::string_view, 7> kEndings{"",    ".gz",  ".lz4", ".zst",
                                                     ".xz", ".bz2", ".zstd"};
  return std::find(kEndings.begin(), kEndings.end(), file.substr(segment.size())) != kEndings.end();
}

}  // namespace pg_integrity
