#include "exporter/decoding/decode.h"

#include <algorithm>
#include <new>
#include <optional>

#include "exporter/decoding/archive.h"
#include "exporter/decoding/bytes.h"
#include "exporter/decoding/confinement.h"
#include "exporter/decoding/containers.h"
#include "exporter/decoding/conversation.h"
#include "exporter/decoding/plain_dump.h"
#include "exporter/decoding/unpacked.h"

namespace pg_integrity::decoding {

namespace {

constexpr std::size_t kHead = 8192;

/// Bytes whose beginning was looked at already.
class Replayed final : public Bytes {
 public:
  explicit Replayed(Reader& from) : from_(from) {
    while (head_.size() < kHead && !from_.ended()) {
      const std::string_view piece = from_.at_hand().substr(0, kHead - head_.size());
      head_ += piece;
      from_.take(piece.size());
    }
  }
  std::string_view next() override {
    if (!replayed_) {
      replayed_ = true;
      if (!head_.empty()) return head_;
    }
    from_.take(handed_);
    handed_ = from_.at_hand().size();
    return from_.at_hand();
  }
  [[nodiscard]] bool covered() const override { return from_.covered(); }
  [[nodiscard]] std::uint64_t used(std::size_t /*unread*/) const override { return from_.used(); }
  [[nodiscard]] const std::string& head() const { return head_; }

 private:
  Reader& from_;
  std::string head_;
  std::size_t handed_ = 0;
  bool replayed_ = false;
};

bool is_tar_with(std::string_view head, std::string_view first) {
  return head.size() > 262 && head.substr(257, 5) == "ustar" && head.starts_with(first) &&
         head[first.size()] == '\0';
}

ArchiveRead read_dump(Reader& from, std::string_view head, Conversation& with) {
  if (head.starts_with("PGDMP")) return read_custom_archive(from, with);
  if (is_tar_with(head, "toc.dat")) return read_tar(from, with);
  if (is_tar_with(head, "backup_label"))
    throw Unknown(Reason::limited,
                  "it is a part of a base backup. HINT: a drill reads it: pg_verifybackup");
  if (head.find("-- PostgreSQL database dump") == std::string_view::npos &&
      head.find("-- PostgreSQL database cluster dump") == std::string_view::npos)
    throw Unknown(Reason::limited, "what is in it is no dump that can be read here");
  ArchiveRead read;
  read.covered = false;
  PlainDump dump;
  std::uint64_t told = 0;
  while (!from.ended()) {
    const std::string_view piece = from.at_hand();
    dump.take(piece);
    from.take(piece.size());
    with.add_rows(dump.rows() - told);
    told = dump.rows();
  }
  dump.finish();
  read.rows = dump.rows();
  return read;
}

void read_rest(Reader& from) {
  while (!from.ended()) from.take(from.at_hand().size());
}

ArchiveRead read_backup(Reader& file, Conversation& with) {
  Replayed raw(file);
  Reader outer(raw);
  const Packing packing = packing_of(raw.head());
  if (packing == Packing::none) return read_dump(outer, raw.head(), with);
  const std::unique_ptr<Bytes> content = unpacked(packing, outer);
  Reader unwrapped(*content);
  Replayed replayed(unwrapped);
  Reader inner(replayed);
  ArchiveRead read;
  try {
    if (packing_of(replayed.head()) != Packing::none)
      throw Unknown(Reason::limited, "it is compressed twice");
    read = read_dump(inner, replayed.head(), with);
  } catch (const Unknown&) {
    // It may not be recognised because it is damaged, which a checksum at its end tells.
    read_rest(inner);
    throw;
  }
  read_rest(inner);
  read.covered = read.covered || content->covered();
  return read;
}

void decode(Conversation& with) {
  DecoderMessage backup = with.backup();
  const std::string name = backup.text;
  ArchiveRead read;
  if (backup.word == DecoderWord::folder)
    read = read_folder(with);
  else
    read_file(with, std::move(backup), name, [&](Reader& file) { read = read_backup(file, with); });
  with.say(
      {DecoderWord::whole, with.bytes(), with.rows(), read.covered ? "covered" : "", Descriptor()});
}

}  // namespace

int decode_for_exporter() {
  constexpr int kSocket = 0;
  Conversation with(kSocket);
  prepare_digests();
  try {
    try {
      confine();
      decode(with);
    } catch (const DamagedFile& damage) {
      with.say({DecoderWord::damaged, damage.at(), 0, damage.file() + "\n" + damage.what(),
                Descriptor()});
    } catch (const Unknown& why) {
      with.say({DecoderWord::unknown, static_cast<std::uint64_t>(why.reason()), 0, why.what(),
                Descriptor()});
    } catch (const std::bad_alloc&) {
      with.say({DecoderWord::unknown, static_cast<std::uint64_t>(Reason::limit), 0,
                "it needs more memory than a reading may have", Descriptor()});
    }
  } catch (const Alone&) {
    return 1;
  }
  return 0;
}

}  // namespace pg_integrity::decoding
