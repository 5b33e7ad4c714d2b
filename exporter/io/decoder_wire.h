// Messages between the exporter and the process that decodes a backup for it, over a socket that
// keeps their bounds (SOCK_SEQPACKET). A message may carry a descriptor. Each message is trusted by
// neither side. Functions; safe on any thread.
//
//   the exporter: file (a descriptor, 1 with a digest wanted), then `go` with a number of bytes
//   the decoder:  `more` when these are read, and waits for the next `go`
//                 `need` with the name of a file in a folder: the exporter answers `file` or `none`
//                 `digest` with the name and the digest of a file
//                 at its end `whole`, `damaged` or `unknown`
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "exporter/io/descriptor.h"

namespace pg_integrity {

/// The hidden subcommand of the program that decodes.
inline constexpr const char* kDecodeSubcommand = "decode-for-exporter";

enum class DecoderWord : std::uint8_t {
  // of the exporter
  file,    ///< carries the descriptor; `number` is its size, `second` is 1 if a digest is wanted
  folder,  ///< the backup is a folder; no descriptor
  none,    ///< there is no such file
  refuse,  ///< the file is there and cannot be opened; `text` says why
  go,      ///< read `number` more bytes
  // of the decoder
  more,     ///< `number` bytes were read so far, `second` rows
  need,     ///< opens the file named `text`, please
  digest,   ///< `text` is a digest, a space, and the name
  whole,    ///< `number` bytes, `second` rows, `text` is "covered" or why it is not
  damaged,  ///< about at byte `number`, `text` is the file's name, a newline, and why
  unknown,  ///< `number` is a Reason, `text` says why
};

struct DecoderMessage {
  DecoderWord word{};
  std::uint64_t number = 0;
  std::uint64_t second = 0;
  std::string text{};
  Descriptor descriptor{};
};

/// @return false if the other side is gone.
bool send_message(int socket, const DecoderMessage& message);

/// Waits for the next message.
/// @return nothing if the other side is gone, or what it sent is no message.
std::optional<DecoderMessage> receive_message(int socket);

}  // namespace pg_integrity
