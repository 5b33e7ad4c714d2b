#include "exporter/postgres/session_socket.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "tests/support/clock.h"
#include "tests/support/failure.h"

namespace pg_integrity::test::session_socket_test {
namespace {

/// Both ends of a connection. The far end is the server's.
class SocketOf : public ::testing::Test {
 protected:
  void SetUp() override {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    near_ = ends[0];
    far_ = ends[1];
  }
  void TearDown() override {
    for (const int end : {near_, far_})
      if (end >= 0) ::close(end);
  }

  int near_ = -1;
  int far_ = -1;
  SteppedClock clock_;
};

TEST_F(SocketOf, CutsTheConnectionAlsoAfterItsOwnerHasLetGo) {
  SessionSocket socket(near_, 0);
  EXPECT_TRUE(socket.quiet());
  ::close(near_);
  near_ = -1;
  EXPECT_TRUE(socket.quiet()) << "it has a number of its own";
  EXPECT_FALSE(socket.cut());
  socket.shut_down();
  EXPECT_TRUE(socket.cut());
  EXPECT_FALSE(socket.quiet());
  char byte = 0;
  EXPECT_EQ(::read(far_, &byte, 1), 0) << "the other side sees the end";
}

TEST_F(SocketOf, WhatTheServerSaysUnaskedOrThatItClosedIsSeen) {
  const SessionSocket socket(near_, 0);
  ASSERT_EQ(::write(far_, "x", 1), 1);
  EXPECT_FALSE(socket.quiet());
  char byte = 0;
  ASSERT_EQ(::read(near_, &byte, 1), 1);
  EXPECT_TRUE(socket.quiet());
  ::close(far_);
  far_ = -1;
  EXPECT_FALSE(socket.quiet());
}

TEST_F(SocketOf, WithoutADescriptorThereIsNone) {
  const SourceError error = failure([] { const SessionSocket socket(-1, 0); });
  EXPECT_EQ(error.reason(), Reason::limit);
  EXPECT_TRUE(error.session_lost());
}

TEST_F(SocketOf, WhereItsEndCannotBeSeenASlotIsHeldForTenMinutes) {
  const auto socket = std::make_shared<SessionSocket>(near_, 0);
  socket->shut_down();
  EXPECT_FALSE(socket->closed_by_server());
  const auto left = abandoned(socket, clock_);
  EXPECT_FALSE(left->gone());
  clock_.advance(Seconds(590));
  EXPECT_FALSE(left->gone());
  clock_.advance(Seconds(20));
  EXPECT_TRUE(left->gone());
}

}  // namespace
}  // namespace pg_integrity::test::session_socket_test
