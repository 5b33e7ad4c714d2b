#include "exporter/io/decoder_wire.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace pg_integrity {

namespace {

constexpr std::size_t kLongestText = 4096;

struct Fixed {
  std::uint64_t number = 0;
  std::uint64_t second = 0;
  DecoderWord word{};
};

constexpr std::size_t kRoomOfDescriptor = CMSG_SPACE(sizeof(int));

}  // namespace

bool send_message(int socket, const DecoderMessage& message) {
  Fixed fixed{message.number, message.second, message.word};
  std::string text = message.text.substr(0, kLongestText);
  std::array<iovec, 2> parts{{{&fixed, sizeof fixed}, {text.data(), text.size()}}};
  msghdr header{};
  header.msg_iov = parts.data();
  header.msg_iovlen = parts.size();
  alignas(cmsghdr) std::array<char, kRoomOfDescriptor> room{};
  if (message.descriptor.open()) {
    header.msg_control = room.data();
    header.msg_controllen = room.size();
    cmsghdr* control = CMSG_FIRSTHDR(&header);
    control->cmsg_level = SOL_SOCKET;
    control->cmsg_type = SCM_RIGHTS;
    control->cmsg_len = CMSG_LEN(sizeof(int));
    const int number = message.descriptor.number();
    std::memcpy(CMSG_DATA(control), &number, sizeof number);
  }
  ssize_t sent = 0;
  do {
    sent = ::sendmsg(socket, &header, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent >= 0;
}

std::optional<DecoderMessage> receive_message(int socket) {
  Fixed fixed;
  std::array<char, kLongestText> text{};
  std::array<iovec, 2> parts{{{&fixed, sizeof fixed}, {text.data(), text.size()}}};
  msghdr header{};
  header.msg_iov = parts.data();
  header.msg_iovlen = parts.size();
  alignas(cmsghdr) std::array<char, kRoomOfDescriptor> room{};
  header.msg_control = room.data();
  header.msg_controllen = room.size();
  ssize_t got = 0;
  do {
    got = ::recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  DecoderMessage message;
  for (cmsghdr* control = got < 0 ? nullptr : CMSG_FIRSTHDR(&header); control != nullptr;
       control = CMSG_NXTHDR(&header, control)) {
    if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS) continue;
    int number = -1;
    std::memcpy(&number, CMSG_DATA(control), sizeof number);
    message.descriptor = Descriptor(number);
  }
  if (got < static_cast<ssize_t>(sizeof fixed)) return std::nullopt;
  message.word = fixed.word;
  message.number = fixed.number;
  message.second = fixed.second;
  message.text.assign(text.data(), static_cast<std::size_t>(got) - sizeof fixed);
  return message;
}

}  // namespace pg_integrity
