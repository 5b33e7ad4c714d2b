#include <gtest/gtest.h>

#include <string_view>

#include "exporter/decoding/decode.h"
#include "exporter/io/decoder_wire.h"
#include "exporter/io/logging.h"

int main(int argc, char** argv) {
  // An exporter within a test starts this program again to read a backup.
  if (argc == 2 && std::string_view(argv[1]) == pg_integrity::kDecodeSubcommand)
    return pg_integrity::decoding::decode_for_exporter();
  ::testing::InitGoogleTest(&argc, argv);
  pg_integrity::start_logging(pg_integrity::LogLevel::error);
  return RUN_ALL_TESTS();
}
