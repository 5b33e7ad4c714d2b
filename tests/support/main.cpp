#include <gtest/gtest.h>

#include "exporter/io/logging.h"

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  pg_integrity::start_logging(pg_integrity::LogLevel::error);
  return RUN_ALL_TESTS();
}
