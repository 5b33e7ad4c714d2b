#include "exporter/decoding/containers.h"

#include <algorithm>
#include <array>
#include <set>

namespace pg_integrity::decoding {

namespace {

constexpr std::size_t kBlock = 512;
constexpr std::size_t kLongestList = std::size_t{4} << 20;

/// The files that a list of large objects names: "16394 blob_16394.dat" a line.
std::set<std::string> listed_in(const std::string& list) {
  std::set<std::string> names;
  std::size_t at = 0;
  while (at < list.size()) {
    const std::size_t end = list.find('\n', at);
    if (end == std::string::npos) throw Damage("its list of large objects is cut short");
    const std::string line = list.substr(at, end - at);
    const std::size_t space = line.find(' ');
    if (space == std::string::npos || space == 0 || line.find_first_not_of("0123456789") != space ||
        line.find('\0') != std::string::npos)
      throw Damage("its list of large objects is none");
    names.insert(line.substr(space + 1));
    at = end + 1;
  }
  return names;
}

std::string read_list(Reader& from) {
  std::string list;
  while (!from.ended()) {
    const std::string_view piece = from.at_hand();
    if (list.size() + piece.size() > kLongestList)
      throw Unknown(Reason::limit, "its list of large objects is longer than a reading may keep");
    list += piece;
    from.take(piece.size());
  }
  return list;
}

/// The bytes of a Reader, for a decoder that takes Bytes.
class OfReader final : public Bytes {
 public:
  OfReader(Reader& from, std::uint64_t count) : from_(from), left_(count) {}

  std::string_view next() override {
    from_.take(handed_);
    handed_ = 0;
    if (left_ == 0) return {};
    const std::string_view piece = from_.at_hand().substr(0, left_);
    if (piece.empty()) return {};
    handed_ = piece.size();
    left_ -= handed_;
    return piece;
  }
  [[nodiscard]] bool covered() const override { return from_.covered(); }
  [[nodiscard]] std::uint64_t used(std::size_t /*unread*/) const override { return from_.used(); }
  [[nodiscard]] std::uint64_t left() const { return left_; }

 private:
  Reader& from_;
  std::uint64_t left_;
  std::size_t handed_ = 0;
};

/// A file of a folder, under its own name or with the ending of a compressed one.
class Members {
 public:
  explicit Members(Conversation& with) : with_(with) {}

  /// Reads the content of a member.
  /// @param read is given the Bytes of its content.
  template <typename Read>
  void read(const std::string& name, Read read) {
    constexpr std::array<std::pair<std::string_view, Packing>, 4> kEndings{
        {{"", Packing::none},
         {".gz", Packing::gzip},
         {".zst", Packing::zstd},
         {".lz4", Packing::lz4}}};
    // The ending of the last member is tried first.
    std::array<std::size_t, 4> order{0, 1, 2, 3};
    std::swap(order[0], order[usual_]);
    for (const std::size_t i : order) {
      std::string full = name;
      full += kEndings.at(i).first;
      DecoderMessage file = with_.file_named(full);
      if (!file.descriptor.open()) continue;
      usual_ = i;
      read_file(with_, std::move(file), full, [&](Reader& from) {
        if (kEndings.at(i).second == Packing::none) {
          OfReader content(from, ~std::uint64_t{0});
          read(content);
          covered_ = false;
          return;
        }
        const auto content = unpacked(kEndings.at(i).second, from);
        read(*content);
        while (!content->next().empty()) continue;
        covered_ = covered_ && content->covered();
      });
      return;
    }
    throw DamagedFile(name, 0, "the file is missing");
  }
  [[nodiscard]] bool covered() const { return covered_; }

 private:
  Conversation& with_;
  std::size_t usual_ = 0;
  bool covered_ = true;
};

struct TarMember {
  std::string name;
  std::uint64_t size = 0;
};

std::uint64_t octal(std::string_view field) {
  if (!field.empty() && (static_cast<unsigned char>(field.front()) & 0x80U) != 0) {
    std::uint64_t value = static_cast<unsigned char>(field.front()) & 0x7fU;
    for (const char byte : field.substr(1)) value = value << 8U | static_cast<unsigned char>(byte);
    return value;
  }
  std::uint64_t value = 0;
  for (const char byte : field) {
    if (byte == ' ' || byte == '\0') continue;
    if (byte < '0' || byte > '7') throw Damage("the head of a tar member is none");
    value = value * 8 + static_cast<std::uint64_t>(byte - '0');
  }
  return value;
}

/// @return nullopt at the end of the archive
std::optional<TarMember> read_member_head(Reader& from) {
  const std::string head = from.text(kBlock);
  if (head.find_first_not_of('\0') == std::string::npos) {
    if (from.text(kBlock).find_first_not_of('\0') != std::string::npos)
      throw Damage("a block of zeros is where a tar member should be");
    return std::nullopt;
  }
  constexpr std::size_t kSum = 148;
  constexpr std::size_t kSumEnd = 156;
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < head.size(); ++i)
    sum += i >= kSum && i < kSumEnd ? std::uint64_t{' '} : static_cast<unsigned char>(head[i]);
  const std::string_view view = head;
  if (octal(view.substr(kSum, kSumEnd - kSum)) != sum)
    throw Damage("the head of a tar member has a wrong checksum");
  TarMember member;
  member.name = head.substr(0, std::min<std::size_t>(100, head.find('\0')));
  member.size = octal(view.substr(124, 12));
  return member;
}

/// The members that a tar archive must still have.
struct Expected {
  std::map<std::string, ArchiveEntry> entries{};  ///< by their files
  std::size_t lists = 0;                          ///< of large objects
  std::set<std::string> large_objects{};          ///< that are on no list yet
};

std::uint64_t read_member(const TarMember& member, Reader& from, Expected& expected) {
  OfReader content(from, member.size);
  std::uint64_t rows = 0;
  const auto entry = expected.entries.find(member.name);
  if (entry != expected.entries.end()) {
    if (entry->second.rows) rows = read_rows(entry->second, content);
    expected.entries.erase(entry);
  } else if (member.name.starts_with("blob_")) {
    expected.large_objects.insert(member.name);
  } else if (member.name.starts_with("blobs") && member.name.ends_with(".toc") &&
             expected.lists > 0) {
    // The files of the objects come before their list.
    Reader list(content);
    for (const std::string& name : listed_in(read_list(list)))
      if (expected.large_objects.erase(name) == 0)
        throw Damage("the large object " + name + " is missing");
    --expected.lists;
  }
  while (!content.next().empty()) continue;
  if (content.left() > 0) throw Damage("its end is missing");
  return rows;
}

}  // namespace

ArchiveRead read_folder(Conversation& with) {
  Archive archive;
  DecoderMessage toc = with.file_named("toc.dat");
  if (!toc.descriptor.open()) {
    for (const char* base : {"backup_manifest", "backup_label"})
      if (with.file_named(base).descriptor.open())
        throw Unknown(Reason::limited, "it is a base backup. HINT: a drill reads it");
    throw DamagedFile("toc.dat", 0, "the file is missing");
  }
  read_file(with, std::move(toc), "toc.dat", [&](Reader& from) {
    archive = read_table_of_contents(from);
    if (!from.ended()) throw Damage("bytes follow its table of contents");
  });
  if (archive.entries.empty()) throw DamagedFile("toc.dat", 0, "it holds no data");
  ArchiveRead read;
  Members members(with);
  bool lists_only = true;
  for (const auto& numbered : archive.entries) {
    const auto& entry = numbered.second;
    if (entry.file.empty()) continue;
    if (!entry.large_objects) {
      lists_only = false;
      std::uint64_t rows = 0;
      members.read(entry.file, [&](Bytes& content) {
        if (entry.rows) rows = read_rows(entry, content);
      });
      read.rows += rows;
      with.add_rows(rows);
      continue;
    }
    std::set<std::string> objects;
    Members lists(with);  // they are never compressed
    lists.read(entry.file, [&](Bytes& content) {
      Reader from(content);
      objects = listed_in(read_list(from));
    });
    for (const std::string& name : objects) {
      lists_only = false;
      members.read(name, [](Bytes& /*content*/) {});
    }
  }
  read.covered = members.covered() && !lists_only;
  return read;
}

ArchiveRead read_tar(Reader& from, Conversation& with) {
  ArchiveRead read;
  read.covered = false;
  std::optional<Expected> expected;
  while (const auto member = read_member_head(from)) {
    if (!expected) {
      if (member->name != "toc.dat") throw Damage("its table of contents is missing");
      OfReader content(from, member->size);
      Reader toc(content);
      const Archive archive = read_table_of_contents(toc);
      if (archive.format != ArchiveFormat::tar) throw Damage("its format is another one");
      while (!content.next().empty()) continue;
      expected.emplace();
      for (const auto& [id, entry] : archive.entries) {
        if (entry.large_objects)
          ++expected->lists;  // the table of contents does not tell their names
        else if (!entry.file.empty())
          expected->entries.emplace(entry.file, entry);
      }
      if (archive.entries.empty()) throw Damage("it holds no data");
    } else {
      const std::uint64_t rows = read_member(*member, from, *expected);
      read.rows += rows;
      with.add_rows(rows);
    }
    from.skip((kBlock - member->size % kBlock) % kBlock);
  }
  while (!from.ended()) {
    if (from.at_hand().find_first_not_of('\0') != std::string_view::npos)
      throw Damage("bytes follow its end");
    from.take(from.at_hand().size());
  }
  if (!expected || !expected->entries.empty() || expected->lists > 0)
    throw Damage("files that its table of contents names are missing");
  return read;
}

}  // namespace pg_integrity::decoding
