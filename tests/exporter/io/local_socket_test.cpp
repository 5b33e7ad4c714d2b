#include "exporter/io/local_socket.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "collectors/base/errors.h"
#include "tests/support/temporary.h"

namespace pg_integrity::test::local_socket_test {
namespace {

class LocalSocket : public ::testing::Test {
 protected:
  [[nodiscard]] std::string path() const { return directory_.path() + "/socket"; }
  [[nodiscard]] LocalListener echoing() const {
    return LocalListener(path(), [](const std::string& text) { return "heard " + text; });
  }
  static Reason reason_of(const std::string& path) {
    try {
      ask_locally(path, "hello");
    } catch (const SourceError& error) {
      return error.reason();
    }
    return Reason::pending;
  }

  TemporaryDirectory directory_;
};

TEST_F(LocalSocket, AnswersOneTextWithAnother) {
  const auto listener = echoing();
  EXPECT_EQ(ask_locally(path(), "hello"), "heard hello");
  EXPECT_EQ(ask_locally(path(), ""), "heard ");
}

TEST_F(LocalSocket, BelongsToItsUserAlone) {
  const auto listener = echoing();
  struct stat facts {};
  ASSERT_EQ(::stat(path().c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600U);
}

TEST_F(LocalSocket, HearsNoOtherUserWhateverItsMode) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become somebody else";
  const auto listener = echoing();
  ::chmod(path().c_str(), 0666);
  const pid_t child = ::fork();
  if (child == 0) {
    std::string answer = "refused";
    if (::setuid(65534) == 0) try {
        answer = ask_locally(path(), "hello");
      } catch (const SourceError&) {
      }
    ::_exit(answer.empty() || answer == "refused" ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(ask_locally(path(), "hello"), "heard hello");
}

TEST_F(LocalSocket, IsRemovedAtTheEndAndReplacedIfItWasLeftBehind) {
  { const auto listener = echoing(); }
  EXPECT_FALSE(std::filesystem::exists(path()));
  const int left = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path().c_str(), sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(left, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ::close(left);
  const auto listener = echoing();
  EXPECT_EQ(ask_locally(path(), "hello"), "heard hello");
}

TEST_F(LocalSocket, OfALivingProcessIsNotTaken) {
  const auto listener = echoing();
  EXPECT_THROW(static_cast<void>(echoing()), SourceError);
  EXPECT_EQ(ask_locally(path(), "hello"), "heard hello");
}

TEST_F(LocalSocket, TellsWhyItCannotBeAsked) {
  EXPECT_EQ(reason_of(path()), Reason::connect);
  EXPECT_EQ(reason_of(directory_.path() + "/" + std::string(200, 'x')), Reason::io);
}

TEST_F(LocalSocket, TakesNoTextThatIsTooLong) {
  const auto listener = echoing();
  EXPECT_EQ(ask_locally(path(), std::string(kLongestLocalText - 6, 'x')).size(), kLongestLocalText);
  std::string answer;
  try {
    answer = ask_locally(path(), std::string(kLongestLocalText * 2, 'x'));
  } catch (const SourceError&) {  // the other side has hung up
  }
  EXPECT_EQ(answer, "");
  EXPECT_EQ(ask_locally(path(), "hello"), "heard hello");
}

}  // namespace
}  // namespace pg_integrity::test::local_socket_test
