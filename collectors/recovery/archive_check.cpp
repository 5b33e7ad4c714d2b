#include "collectors/recovery/archive_check.h"

#include <algorithm>
#include <array>
#include <map>

#include "collectors/recovery/archive_format.h"
#include "collectors/recovery/archive_header.h"

namespace pg_integrity {

namespace {

using State = ArchiveVerdict::State;

/// A tar archive ends with two blocks of zeros.
constexpr std::size_t kTarEnd = 2 * kTarBlock;
static_assert(kTarEnd <= kArchiveTailBytes);
/// A custom archive ends with the number 0 after its last data, or with an offset of 0.
constexpr std::size_t kCustomEnd = 1 + kArchiveIntSize;

bool ends_in_zeros(std::string_view tail, std::size_t count) {
  return tail.size() >= count &&
         tail.substr(tail.size() - count).find_first_not_of('\0') == std::string_view::npos;
}

/// Judges what an archive says of itself. It is plausible if nothing speaks against it.
ArchiveVerdict check_contents(std::string_view archive, const ArchiveContents& contents,
                              const std::string& database) {
  const auto header = archive_header(archive);
  if (!header) return {State::other, "it is no archive of pg_dump"};
  if (!database.empty() && !header->database.empty() && header->database != database)
    return {State::other, "it is of another database"};
  if (contents.state == ArchiveContents::State::whole && !contents.data)
    return {State::damaged, "it holds no data"};
  return {State::plausible, {}};
}

/// A dump of one database, as text. That of a whole cluster may hold roles alone.
bool is_plain_dump(std::string_view head) {
  return is_backup(head) && !is_archive(head) && !is_compressed(head) &&
         !is_tar_of(head, "backup_label") &&
         head.find("-- PostgreSQL database cluster dump") == std::string_view::npos;
}

ArchiveVerdict cut_short() {
  return {State::damaged, "its end is missing"};
}

}  // namespace

bool ends_as_plain_dump(std::string_view tail) {
  if (!tail.ends_with('\n')) return false;
  for (const std::string_view end :
       {"-- PostgreSQL database dump complete", "-- PostgreSQL database cluster dump complete"}) {
    const std::size_t at = tail.rfind(end);
    if (at == std::string_view::npos || (at > 0 && tail[at - 1] != '\n')) continue;
    std::string_view rest = tail.substr(at + end.size());
    bool only_that = true;
    while (!rest.empty() && only_that) {
      std::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(rest.size(), line.size() + 1));
      if (line.ends_with('\r')) line.remove_suffix(1);
      only_that = line.empty() || line == "--" || line.starts_with("\\unrestrict ");
    }
    if (only_that) return true;
  }
  return false;
}

bool needs_more_of(const FileEnds& ends, std::size_t asked) {
  if (ends.head.size() < asked || shows_data(ends.head)) return false;
  return is_archive(ends.head) ? archive_contents(unwrapped_archive(ends.head)).state ==
                                     ArchiveContents::State::cut_short
                               : is_plain_dump(ends.head);
}

ArchiveVerdict check_archive(const FileEnds& ends, std::size_t asked, double size,
                             const ArchiveDirectory& directory) {
  const std::string_view head = ends.head;
  if (const std::string_view by = encrypted_by(head); !by.empty()) {
    if (directory.encrypted) return {State::plausible, {}};
    return {State::other, "it is encrypted by " + std::string(by) +
                              " and cannot be looked into. HINT: `encrypted = true` lets it count"};
  }
  if (!is_backup(head)) return {State::other, "it is not recognised as a backup"};
  if (is_archive(head)) {
    const std::string_view archive = unwrapped_archive(head);
    ArchiveVerdict verdict = check_contents(archive, archive_contents(archive), directory.database);
    if (verdict.state != State::plausible) return verdict;
  }
  const bool hollow = is_plain_dump(head) && head.size() < asked && !shows_data(head);
  const ArchiveVerdict no_data{State::damaged, "it holds no data"};
  if (ends.packed || is_compressed(head))
    return hollow ? no_data : ArchiveVerdict{State::plausible, {}};
  const bool tar = unwrapped_archive(head).size() != head.size() || is_tar_of(head, "backup_label");
  const bool whole =
      tar ? ends_in_zeros(ends.tail, kTarEnd) && static_cast<std::uint64_t>(size) % kTarBlock == 0
      : is_archive(head) ? ends_in_zeros(ends.tail, kCustomEnd)
                         : ends_as_plain_dump(ends.tail);
  if (!whole) return cut_short();
  return hollow ? no_data : ArchiveVerdict{State::plausible, {}};
}

ArchiveVerdict check_archive_folder(const std::string& toc, const std::vector<FileEntry>& files,
                                    const std::string& database) {
  const ArchiveContents contents = archive_contents(toc);
  ArchiveVerdict verdict = check_contents(toc, contents, database);
  if (verdict.state != State::plausible) return verdict;
  if (contents.state == ArchiveContents::State::cut_short && toc.size() < kMaxContentsBytes)
    return cut_short();
  std::map<std::string_view, double> sizes;
  for (const FileEntry& file : files) sizes[file.name] = file.size;
  constexpr std::array<std::string_view, 4> kSuffixes{"", ".gz", ".lz4", ".zst"};
  for (const std::string& file : contents.files) {
    const bool there =
        std::any_of(kSuffixes.begin(), kSuffixes.end(), [&](std::string_view suffix) {
          std::string name = file;
          name += suffix;
          const auto found = sizes.find(name);
          return found != sizes.end() && found->second > 0;
        });
    if (!there) return {State::damaged, "files that its table of contents names are missing"};
  }
  return {State::plausible, {}};
}

}  // namespace pg_integrity
