// Reads dumps that consist of several files to their end: a folder of pg_dump's directory format,
// and a tar archive of pg_dump. One thread.
#pragma once

#include <string>

#include "exporter/decoding/archive.h"
#include "exporter/decoding/bytes.h"
#include "exporter/decoding/conversation.h"

namespace pg_integrity::decoding {

/// Damage in a file of which the name and the place are known.
class DamagedFile : public Damage {
 public:
  DamagedFile(std::string file, std::uint64_t at, const std::string& why)
      : Damage(why), file_(std::move(file)), at_(at) {}
  [[nodiscard]] const std::string& file() const { return file_; }
  [[nodiscard]] std::uint64_t at() const { return at_; }

 private:
  std::string file_;
  std::uint64_t at_;
};

/// Reads a folder. The exporter opens its files.
ArchiveRead read_folder(Conversation& with);

/// Reads a tar archive, from its first byte.
ArchiveRead read_tar(Reader& from, Conversation& with);

/// Reads a file, whatever `read` leaves of it included, and says its digest if one is wanted.
/// @param read is given a Reader of its bytes.
/// @throws DamagedFile
template <typename Read>
void read_file(Conversation& with, DecoderMessage file, const std::string& name, Read read) {
  FileBytes bytes(with, std::move(file), name);
  Reader reader(bytes);
  try {
    read(reader);
    bytes.finish();
  } catch (const DamagedFile&) {
    throw;
  } catch (const Damage& damage) {
    throw DamagedFile(name, reader.used(), damage.what());
  }
}

}  // namespace pg_integrity::decoding
