// What gzip, zstd, lz4, xz or bzip2 compressed, decompressed with the memory that a decoder has.
// One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "exporter/decoding/bytes.h"

namespace pg_integrity::decoding {

enum class Packing : std::uint8_t { none, gzip, zlib, zstd, lz4, xz, bzip2 };

/// By the magic number of the first bytes. zlib has none and is never told.
Packing packing_of(std::string_view head);

/// The content of one or more compressed streams, one after the other, until `packed` ends.
/// Damage is thrown where a stream or its checksum is wrong.
/// @param packed must outlive the result.
std::unique_ptr<Bytes> unpacked(Packing packing, Reader& packed);

}  // namespace pg_integrity::decoding
