// The decoder's side of the conversation with the exporter: files come from it, and it says how
// much of them may be read. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "exporter/decoding/bytes.h"
#include "exporter/io/decoder_wire.h"
#include "exporter/io/descriptor.h"

namespace pg_integrity::decoding {

/// Thrown when the exporter is gone.
class Alone {};

class Conversation {
 public:
  explicit Conversation(int socket) : socket_(socket) {}

  /// The first message: the backup, a file or a folder.
  DecoderMessage backup();
  /// Asks for a file of the folder.
  /// @return a message without a descriptor if there is none.
  /// @throws Unknown if it is there and cannot be opened.
  DecoderMessage file_named(const std::string& name);
  /// Waits until that many bytes may be read.
  void ask_for(std::uint64_t bytes);
  void say(DecoderMessage message);
  void add_rows(std::uint64_t rows) { rows_ += rows; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  [[nodiscard]] std::uint64_t rows() const { return rows_; }

 private:
  DecoderMessage receive();

  const int socket_;
  std::uint64_t allowed_ = 0;  ///< bytes that may still be read
  std::uint64_t bytes_ = 0;
  std::uint64_t rows_ = 0;
  double since_ = 0;  ///< when the exporter last said `go`
};

/// The bytes of a file as they are. Drops what it has read from the page cache.
class FileBytes final : public Bytes {
 public:
  FileBytes(Conversation& with, DecoderMessage file, std::string name);
  ~FileBytes() override;

  std::string_view next() override;
  [[nodiscard]] bool covered() const override { return false; }
  [[nodiscard]] std::uint64_t used(std::size_t unread) const override { return position_ - unread; }
  [[nodiscard]] const std::string& name() const { return name_; }
  /// Call at the end: reads what is left, and says the digest if one is wanted.
  void finish();

 private:
  struct Digest;

  Conversation& with_;
  const Descriptor file_;
  const std::uint64_t size_;
  const std::string name_;
  std::string buffer_;
  std::uint64_t position_ = 0;
  std::uint64_t dropped_ = 0;
  std::unique_ptr<Digest> digest_;
};

/// What must be made before the process confines itself: its libraries read files at first use.
void prepare_digests();

}  // namespace pg_integrity::decoding
