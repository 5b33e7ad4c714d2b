#include "exporter/postgres/session_socket.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "tests/support/clock.h"
#include "tests/support/failure.h"
#include "tests/support/wait.h"

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
  EXPECT_FALSE(socket->closed());
  const auto left = abandoned(socket, clock_);
  EXPECT_FALSE(left->gone());
  clock_.advance(Seconds(590));
  EXPECT_FALSE(left->gone());
  clock_.advance(Seconds(20));
  EXPECT_TRUE(left->gone());
}

/// Both ends of a TCP connection on this machine.
class TcpSocketOf : public ::testing::Test {
 protected:
  void SetUp() override {
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* const place = reinterpret_cast<sockaddr*>(&address);
    ASSERT_EQ(::bind(listener, place, length), 0);
    ASSERT_EQ(::listen(listener, 1), 0);
    ASSERT_EQ(::getsockname(listener, place, &length), 0);
    near_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT_EQ(::connect(near_, place, length), 0);
    far_ = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    ASSERT_GE(far_, 0);
    ::close(listener);
  }
  void TearDown() override {
    ::close(near_);
    if (far_ >= 0) ::close(far_);
  }

  /// From here on nothing reaches our side, not even that something has arrived.
  void let_nothing_in() const {
    sock_filter nothing{BPF_RET | BPF_K, 0, 0, 0};
    const sock_fprog filter{1, &nothing};
    ASSERT_EQ(::setsockopt(near_, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter), 0);
    const unsigned milliseconds = 500;
    ASSERT_EQ(
        ::setsockopt(near_, IPPROTO_TCP, TCP_USER_TIMEOUT, &milliseconds, sizeof milliseconds), 0);
  }

  int near_ = -1;
  int far_ = -1;
  SteppedClock clock_;
};

TEST_F(TcpSocketOf, WhenItIsGivenUpTheSlotIsHeldUntilTheServerMustHaveNoticed) {
  const auto socket = std::make_shared<SessionSocket>(near_, 0);
  let_nothing_in();
  ASSERT_EQ(::send(near_, "x", 1, MSG_NOSIGNAL), 1);
  ASSERT_TRUE(eventually([&] { return socket->closed().value_or(false); }));
  EXPECT_TRUE(socket->given_up());
  const auto left = abandoned(socket, clock_);
  EXPECT_FALSE(left->gone());
  clock_.advance(Seconds(59));
  EXPECT_FALSE(left->gone());
  clock_.advance(Seconds(2));
  EXPECT_TRUE(left->gone());
}

TEST_F(TcpSocketOf, WhenTheServerClosesItTheSlotIsFreeAtOnce) {
  const auto socket = std::make_shared<SessionSocket>(near_, 0);
  const linger reset{1, 0};
  ASSERT_EQ(::setsockopt(far_, SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
  ::close(far_);
  far_ = -1;
  ASSERT_TRUE(eventually([&] { return socket->closed().value_or(false); }));
  EXPECT_FALSE(socket->given_up());
  EXPECT_TRUE(abandoned(socket, clock_)->gone());
}

}  // namespace
}  // namespace pg_integrity::test::session_socket_test
