#include "collectors/recovery/archive_format.h"

namespace pg_integrity {

namespace {

constexpr std::string_view kMagic = "PGDMP";
constexpr int kCustomFormat = 1;
constexpr int kTarFormat = 3;         // toc.dat of the directory format says so, too
constexpr int kFirstKnownMinor = 12;  // PostgreSQL 9.0
constexpr int kLastKnownMinor = 16;   // PostgreSQL 17

/// Reads fields one after the other. An integer is a sign byte and as many bytes as the header
/// says, least significant first. A text is its length and its bytes. The length -1 stands for no
/// text.
class Fields {
 public:
  explicit Fields(std::string_view bytes) : bytes_(bytes) {}

  int byte() {
    if (at_ >= bytes_.size()) {
      good_ = false;
      return 0;
    }
    return static_cast<unsigned char>(bytes_[at_++]);
  }

  /// @param largest no real value is larger; a larger one is damage.
  int integer(std::uint64_t largest = kLargestCount) {
    const bool negative = byte() != 0;
    std::uint64_t value = 0;
    for (int i = 0; i < int_size_; ++i) value |= static_cast<std::uint64_t>(byte()) << (8 * i);
    if (value > largest) good_ = false;
    if (!good_) return 0;
    return negative ? -static_cast<int>(value) : static_cast<int>(value);
  }

  /// @return nullopt if there is no text. A list of texts ends so.
  std::optional<std::string_view> text() {
    const int length = integer();
    if (!good_ || length < 0) return std::nullopt;
    const auto size = static_cast<std::size_t>(length);
    if (size > bytes_.size() - at_) {
      good_ = false;
      return std::nullopt;
    }
    const std::string_view text = bytes_.substr(at_, size);
    at_ += size;
    return text;
  }

  void skip_texts(int count) {
    for (int i = 0; i < count; ++i) text();
  }

  void int_size(int bytes) {
    if (bytes >= 1 && bytes <= 8)
      int_size_ = bytes;
    else
      good_ = false;
  }

  [[nodiscard]] bool good() const { return good_; }

 private:
  static constexpr std::uint64_t kLargestCount = 0x7fffffff;

  std::string_view bytes_;
  std::size_t at_ = 0;
  int int_size_ = static_cast<int>(kArchiveIntSize);
  bool good_ = true;
};

struct Head {
  int major = 0, minor = 0, offset_size = 0, format = 0;
  WallTime started;
};

/// Reads up to the time at which the dump was started. Check fields.good() afterwards.
Head read_head(Fields& fields) {
  constexpr std::uint64_t kLargest = 9999;  // no field of a real header is larger
  Head head;
  head.major = fields.byte();
  head.minor = fields.byte();
  fields.byte();  // revision
  fields.int_size(fields.byte());
  head.offset_size = fields.byte();
  head.format = fields.byte();
  const bool compression_is_a_byte = head.major > 1 || head.minor >= 15;
  if (compression_is_a_byte)
    fields.byte();
  else
    fields.integer(kLargest);
  WallTime& wall = head.started;
  wall.second = fields.integer(kLargest);
  wall.minute = fields.integer(kLargest);
  wall.hour = fields.integer(kLargest);
  wall.day = fields.integer(kLargest);
  wall.month = fields.integer(kLargest) + 1;
  wall.year = fields.integer(kLargest) + 1900;
  return head;
}

/// Reads one entry of the table of contents.
void read_entry(Fields& fields, const Head& head, ArchiveContents& contents) {
  fields.integer();  // its number
  const bool data = fields.integer() != 0;
  contents.data = contents.data || data;
  fields.skip_texts(4);                    // two OIDs, tag, description
  fields.integer();                        // section
  fields.skip_texts(5);                    // definition, DROP, COPY, schema, tablespace
  if (head.minor >= 14) fields.text();     // table access method
  if (head.minor >= 16) fields.integer();  // kind of relation
  fields.skip_texts(2);                    // owner, WITH OIDS
  while (fields.good() && fields.text()) {
  }  // what it depends on
  if (head.format == kCustomFormat) {
    for (int i = 0; i < 1 + head.offset_size; ++i) fields.byte();  // where its data is
    return;
  }
  const auto file = fields.text();
  if (file && !file->empty()) contents.files.emplace_back(*file);
}

bool is_known(const Head& head) {
  return head.major == 1 && head.minor >= kFirstKnownMinor && head.minor <= kLastKnownMinor &&
         (head.format == kCustomFormat || head.format == kTarFormat);
}

}  // namespace

bool is_tar_of(std::string_view head, std::string_view member) {
  return head.size() > kTarBlock && head.starts_with(member) && head[member.size()] == '\0';
}

std::string_view unwrapped_archive(std::string_view head) {
  return is_tar_of(head, "toc.dat") ? head.substr(kTarBlock) : head;
}

std::optional<ArchiveHeader> archive_header(std::string_view archive) {
  if (!archive.starts_with(kMagic)) return std::nullopt;
  Fields fields(archive.substr(kMagic.size()));
  const Head head = read_head(fields);
  if (!fields.good() || head.major < 1) return std::nullopt;
  fields.integer();  // daylight saving
  const auto database = fields.text();
  return ArchiveHeader{head.started, std::string(database.value_or(""))};
}

ArchiveContents archive_contents(std::string_view archive) {
  ArchiveContents contents;
  if (!archive.starts_with(kMagic)) return contents;
  Fields fields(archive.substr(kMagic.size()));
  const Head head = read_head(fields);
  if (fields.good() && !is_known(head)) return contents;
  fields.integer();      // daylight saving
  fields.skip_texts(3);  // database, versions of the server and of pg_dump
  const int entries = fields.integer();
  for (int i = 0; i < entries && fields.good(); ++i) read_entry(fields, head, contents);
  contents.state =
      fields.good() ? ArchiveContents::State::whole : ArchiveContents::State::cut_short;
  return contents;
}

}  // namespace pg_integrity
