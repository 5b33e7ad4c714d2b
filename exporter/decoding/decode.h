// Decodes one backup for the exporter, in a process of its own that has confined itself. One
// thread.
#pragma once

namespace pg_integrity::decoding {

/// The whole life of a decoding process: it confines itself, reads the backup that comes over its
/// standard input, and says the result.
/// @return the exit status
int decode_for_exporter();

}  // namespace pg_integrity::decoding
