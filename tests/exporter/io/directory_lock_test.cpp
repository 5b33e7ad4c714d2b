#include "exporter/io/directory_lock.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "collectors/base/errors.h"
#include "tests/support/temporary.h"

namespace pg_integrity::test::directory_lock_test {
namespace {

TEST(DirectoryLock, HasOneOwnerUntilThatLetsGo) {
  const TemporaryDirectory directory;
  auto first = lock_directory(directory.path());
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(owner_of(directory.path()), std::to_string(::getpid()));
  EXPECT_FALSE(lock_directory(directory.path()).has_value());
  first.reset();
  EXPECT_TRUE(lock_directory(directory.path()).has_value());
}

TEST(DirectoryLock, WhatCannotBeLockedIsSaid) {
  const TemporaryDirectory directory;
  EXPECT_THROW(static_cast<void>(lock_directory(directory.path() + "/nowhere")), SourceError);
  EXPECT_EQ(owner_of(directory.path() + "/nowhere"), "");
  ASSERT_EQ(::symlink("/etc/hostname", (directory.path() + "/lock").c_str()), 0);
  EXPECT_THROW(static_cast<void>(lock_directory(directory.path())), SourceError)
      << "nothing is written where a link leads";
}

}  // namespace
}  // namespace pg_integrity::test::directory_lock_test
