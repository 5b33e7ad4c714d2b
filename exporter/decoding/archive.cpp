#include "exporter/decoding/archive.h"

#include <algorithm>

#include "exporter/decoding/copy_rows.h"
#include "exporter/decoding/plain_dump.h"

namespace pg_integrity::decoding {

namespace {

constexpr std::uint64_t kLongestText = std::uint64_t{8} << 20;
constexpr std::uint64_t kMostEntries = 400000;

class Fields {
 public:
  explicit Fields(Reader& from) : from_(from) {}

  int byte() { return from_.byte(); }
  /// @throws Damage if it is larger than what a real archive has
  long integer(std::uint64_t largest = 0x7fffffff) {
    const bool negative = from_.byte() != 0;
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size_; ++i)
      value |= static_cast<std::uint64_t>(from_.byte()) << (8 * i);
    if (value > largest) throw Damage("a number is none that pg_dump writes");
    return negative ? -static_cast<long>(value) : static_cast<long>(value);
  }
  std::optional<std::string> text() {
    const long length = integer();
    if (length < 0) return std::nullopt;
    const auto size = static_cast<std::uint64_t>(length);
    if (size > kLongestText)
      throw Unknown(Reason::limit, "its table of contents has a text of more than 8 MiB");
    std::string text = from_.text(size);
    if (text.find('\0') != std::string::npos)
      throw Damage("a text of its table of contents holds a byte of zero");
    return text;
  }
  void skip_texts(int count) {
    for (int i = 0; i < count; ++i) text();
  }
  void set_size(std::size_t bytes) {
    if (bytes < 1 || bytes > 8) throw Damage("a number is none that pg_dump writes");
    size_ = bytes;
  }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  Reader& from_;
  std::size_t size_ = 4;
};

Packing packing_of_byte(int algorithm) {
  switch (algorithm) {
    case 0:
      return Packing::none;
    case 1:
      return Packing::zlib;
    case 2:
      return Packing::lz4;
    case 3:
      return Packing::zstd;
    default:
      throw Damage("its way of compression is none that pg_dump has");
  }
}

struct Head {
  int minor = 0;
  std::size_t offset_size = 0;
};

Head read_head(Reader& from, Fields& fields, Archive& archive) {
  if (from.text(5) != "PGDMP") throw Damage("its beginning is missing");
  const int major = fields.byte();
  Head head;
  head.minor = fields.byte();
  fields.byte();  // revision
  fields.set_size(static_cast<std::size_t>(fields.byte()));
  head.offset_size = static_cast<std::size_t>(fields.byte());
  if (head.offset_size > 16) throw Damage("a number is none that pg_dump writes");
  constexpr int kFirstKnown = 12;
  constexpr int kLastKnown = 16;
  if (major != 1 || head.minor < kFirstKnown || head.minor > kLastKnown)
    throw Unknown(Reason::limited, "its version of pg_dump's format is not known here");
  const int format = fields.byte();
  if (format != 1 && format != 3) throw Damage("its format is none that pg_dump has");
  archive.format = static_cast<ArchiveFormat>(format);
  if (head.minor >= 15)
    archive.packing = packing_of_byte(fields.byte());
  else
    archive.packing = fields.integer(9999) != 0 ? Packing::zlib : Packing::none;
  for (int i = 0; i < 7; ++i) fields.integer(9999);  // the time
  fields.skip_texts(3);                              // database, versions of server and pg_dump
  return head;
}

void read_entry(Reader& from, Fields& fields, const Head& head, Archive& archive) {
  ArchiveEntry entry;
  entry.id = static_cast<int>(fields.integer());
  const bool has_data = fields.integer(1) != 0;
  fields.skip_texts(3);  // two OIDs, tag
  const std::string what = fields.text().value_or("");
  fields.integer(16);  // section
  const std::string definition = fields.text().value_or("");
  if (what == "ENCODING") check_encoding(definition);
  fields.text();  // DROP
  const std::string copy = fields.text().value_or("");
  fields.skip_texts(2);                         // schema, tablespace
  if (head.minor >= 14) fields.text();          // table access method
  if (head.minor >= 16) fields.integer(65536);  // kind of relation
  fields.skip_texts(2);                         // owner, WITH OIDS
  while (fields.text()) {
  }  // what it depends on
  if (archive.format == ArchiveFormat::custom)
    from.skip(1 + head.offset_size);
  else
    entry.file = fields.text().value_or("");
  if (!has_data) return;
  entry.rows = what == "TABLE DATA";
  entry.large_objects = what == "BLOBS";
  if (!copy.empty()) entry.columns = columns_of_copy(copy);
  archive.entries.emplace(entry.id, std::move(entry));
}

/// The chunks of one entry of a custom archive, as one run of bytes. Ends with a chunk of no
/// length.
class Chunks final : public Bytes {
 public:
  Chunks(Reader& from, Fields& fields) : from_(from), fields_(fields) {}

  std::string_view next() override {
    from_.take(handed_);
    handed_ = 0;
    if (left_ == 0 && !ended_) {
      const long length = fields_.integer();
      if (length < 0) throw Damage("a number is none that pg_dump writes");
      left_ = static_cast<std::uint64_t>(length);
      ended_ = left_ == 0;
    }
    if (ended_) return {};
    const std::string_view piece = from_.at_hand().substr(0, left_);
    if (piece.empty()) throw Damage("its end is missing");
    handed_ = piece.size();
    left_ -= handed_;
    return piece;
  }
  [[nodiscard]] bool covered() const override { return from_.covered(); }
  [[nodiscard]] std::uint64_t used(std::size_t /*unread*/) const override { return from_.used(); }

 private:
  Reader& from_;
  Fields& fields_;
  std::uint64_t left_ = 0;
  std::size_t handed_ = 0;
  bool ended_ = false;
};

void read_all(Bytes& from) {
  while (!from.next().empty()) continue;
}

/// Reads what one entry or one large object holds.
void read_content(const Archive& archive, const ArchiveEntry& entry, Bytes& stored,
                  ArchiveRead& read) {
  if (archive.packing == Packing::none) {
    read.covered = read.covered && stored.covered();
    if (entry.rows)
      read.rows += read_rows(entry, stored);
    else
      read_all(stored);
    return;
  }
  Reader packed(stored);
  if (packed.ended()) {
    if (entry.rows) throw Damage("the data of a table is missing");
    return;
  }
  const std::unique_ptr<Bytes> content = unpacked(archive.packing, packed);
  if (entry.rows)
    read.rows += read_rows(entry, *content);
  else
    read_all(*content);
  if (!packed.ended()) throw Damage("bytes follow the end of a compressed stream");
  read.covered = read.covered && content->covered();
}

}  // namespace

Archive read_table_of_contents(Reader& from) {
  Archive archive;
  Fields fields(from);
  const Head head = read_head(from, fields, archive);
  const long count = fields.integer();
  if (static_cast<std::uint64_t>(count) > kMostEntries)
    throw Unknown(Reason::limit, "its table of contents has more entries than a reading may keep");
  for (long i = 0; i < count; ++i) read_entry(from, fields, head, archive);
  archive.integer_size = fields.size();
  return archive;
}

std::uint64_t read_rows(const ArchiveEntry& entry, Bytes& from) {
  if (!entry.columns) {
    // INSERT statements. The dump of a table has no other end than its last statement's.
    PlainDump statements;
    while (true) {
      const std::string_view piece = from.next();
      if (piece.empty()) break;
      statements.take(piece);
    }
    statements.finish_part();
    return 0;
  }
  CopyRows rows(*entry.columns);
  while (true) {
    std::string_view piece = from.next();
    if (piece.empty()) break;
    if (!rows.ended()) piece.remove_prefix(rows.take(piece));
    // Two empty lines follow the rows.
    if (piece.find_first_not_of("\r\n") != std::string_view::npos)
      throw Damage("bytes follow the rows of a table");
  }
  if (!rows.ended()) throw Damage("rows of a table are missing");
  return rows.rows();
}

ArchiveRead read_custom_archive(Reader& from, Conversation& with) {
  constexpr int kData = 1;
  constexpr int kLargeObjects = 3;
  Archive archive = read_table_of_contents(from);
  if (archive.format != ArchiveFormat::custom) throw Damage("its format is another one");
  Fields fields(from);
  fields.set_size(archive.integer_size);
  if (archive.entries.empty()) throw Damage("it holds no data");
  ArchiveRead read;
  while (!from.ended()) {
    const int block = fields.byte();
    if (block != kData && block != kLargeObjects)
      throw Damage("there is no data of pg_dump where it should be");
    const auto entry = archive.entries.find(static_cast<int>(fields.integer()));
    if (entry == archive.entries.end()) throw Damage("it holds data of no entry");
    const std::uint64_t before = read.rows;
    if (block == kData) {
      Chunks chunks(from, fields);
      read_content(archive, entry->second, chunks, read);
      while (!chunks.next().empty()) continue;
    } else {
      while (fields.integer(0xffffffff) != 0) {
        Chunks chunks(from, fields);
        read_content(archive, entry->second, chunks, read);
        while (!chunks.next().empty()) continue;
      }
    }
    with.add_rows(read.rows - before);
    archive.entries.erase(entry);
  }
  if (!archive.entries.empty()) throw Damage("its end is missing");
  return read;
}

}  // namespace pg_integrity::decoding
