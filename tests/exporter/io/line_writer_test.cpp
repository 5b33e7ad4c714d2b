#include "exporter/io/line_writer.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <stdexcept>
#include <string>

#include "exporter/io/descriptor.h"

namespace pg_integrity::test::line_writer_test {
namespace {

struct Pipe {
  Pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    read = Descriptor(ends[0]);
    write = Descriptor(ends[1]);
    ::fcntl(write.number(), F_SETPIPE_SZ, 4096);
  }
  std::string all() {
    std::string text;
    std::array<char, 4096> part{};
    for (ssize_t got = 0; (got = ::read(read.number(), part.data(), part.size())) > 0;)
      text.append(part.data(), static_cast<std::size_t>(got));
    return text;
  }

  Descriptor read;
  Descriptor write;
};

TEST(LineWriter, WritesLinesInTheirOrder) {
  Pipe pipe;
  {
    LineWriter writer(pipe.write.number());
    for (int i = 0; i < 100; ++i) writer.write(std::to_string(i) + "\n");
    writer.flush();
  }
  pipe.write.close();
  const std::string text = pipe.all();
  EXPECT_TRUE(text.starts_with("0\n1\n2\n"));
  EXPECT_TRUE(text.ends_with("98\n99\n"));
}

TEST(LineWriter, WhereNobodyReadsLinesAreDroppedAndCountedAndNobodyWaits) {
  Pipe pipe;
  const auto before = std::signal(SIGPIPE, SIG_IGN);
  std::string text;
  {
    LineWriter writer(pipe.write.number());
    const std::string line = std::string(99, 'x') + "\n";
    for (int i = 0; i < 5000; ++i) writer.write(line);
    writer.flush();  // gives up
    std::array<char, 1 << 16> part{};
    while (text.find("log lines were dropped") == std::string::npos) {
      const ssize_t got = ::read(pipe.read.number(), part.data(), part.size());
      ASSERT_GT(got, 0);
      text.append(part.data(), static_cast<std::size_t>(got));
      writer.write("another\n");
    }
    pipe.read.close();  // else the writer would wait for a reader of the rest
  }
  std::signal(SIGPIPE, before);
  EXPECT_LT(std::count(text.begin(), text.end(), '\n'), 1200) << "the queue is bounded";
}

TEST(LineWriter, ADescriptorThatIsGoneEndsNothing) {
  Pipe pipe;
  pipe.read.close();
  const auto before = std::signal(SIGPIPE, SIG_IGN);
  {
    LineWriter writer(pipe.write.number());
    writer.write("a\n");
    writer.flush();
  }
  std::signal(SIGPIPE, before);
}

}  // namespace
}  // namespace pg_integrity::test::line_writer_test
