// Reads a backup to its end, as a collector may ask for it. The bytes of a backup are hostile, so
// another process decodes them. That process has no credentials, no network, and may write nothing.
// One thread at a time uses an object.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "collectors/base/errors.h"
#include "collectors/ports/files.h"

namespace pg_integrity {

/// The backup to read, and what is known of it.
struct DecodeTarget {
  std::string path;  ///< a file, or a folder of pg_dump's directory format
  FileEntry as{};    ///< the entry as it was listed; another one is not read
  /// SHA-256 digests of when the backup was taken, in lower-case hexadecimal digits, by the name of
  /// the file. Empty if none is known. For a folder, every file that is read must have one.
  std::map<std::string, std::string> digests{};
};

/// How far a reading has come, or how it ended.
struct Decoded {
  enum class State : std::uint8_t {
    more,     ///< the reading goes on
    whole,    ///< all of it was read, and nothing is wrong
    damaged,  ///< the backup is at fault
    unknown,  ///< the reading could not tell, and the backup is not known to be at fault
  };
  State state = State::more;
  double bytes = 0;  ///< read so far, as they are on disk
  double rows = 0;   ///< rows of COPY data that were parsed
  /// Whether checksums of the format cover all data. If not, damage may keep the form.
  bool covered = false;
  bool digest_equal = false;  ///< every byte equals the digests of when the backup was taken
  std::string file{};         ///< damaged: the file
  double at = 0;              ///< damaged: about where in the file, in bytes
  std::string why{};          ///< damaged and unknown; one line for people
  Reason reason{};            ///< unknown
};

/// One reading at a time.
class Decoder {
 public:
  virtual ~Decoder() = default;
  Decoder() = default;
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  /// Opens the backup and begins to read it. A reading that is under way ends first.
  /// @throws SourceError if the backup cannot be opened, is another one than `target.as`, or no
  /// process can be made.
  virtual void begin(const DecodeTarget& target) = 0;
  /// Whether a reading is under way.
  [[nodiscard]] virtual bool reading() const = 0;
  /// Reads on, for at most about that many bytes and half a second. Call it while the reading is
  /// under way. It is no more once the state is not `more`, or the call threw.
  /// @throws SourceError{timeout}
  virtual Decoded read_on(double bytes) = 0;
  /// Ends a reading that is under way.
  virtual void end() = 0;
};

}  // namespace pg_integrity
