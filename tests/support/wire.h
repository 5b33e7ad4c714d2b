// A bare HTTP client on a plain socket. It sends exactly the bytes that the test gives it.
#pragma once

#include <map>
#include <string>

namespace pg_integrity::test {

/// A TCP connection to a port of 127.0.0.1. Throws if the connection fails.
class Wire {
 public:
  explicit Wire(int port);
  ~Wire();
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  void send(const std::string& bytes) const;
  /// Ends the connection by RST. Nothing may follow.
  void reset() const;
  /// Reads until the other side closes.
  [[nodiscard]] std::string rest() const;
  /// Reads at least one byte, unless the other side has closed.
  [[nodiscard]] std::string some() const;

 private:
  mutable int descriptor_;
};

struct HttpAnswer {
  int status = 0;
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;

  /// Throws if there is no such header.
  [[nodiscard]] const std::string& header(const std::string& name) const;
};

/// Parses an answer that ends with the connection.
HttpAnswer parse_answer(const std::string& bytes);

/// Sends one request on a connection of its own.
/// @param headers further header lines, each ended by CR LF.
HttpAnswer fetch(int port, const std::string& path, const std::string& headers = {},
                 const std::string& method = "GET");

}  // namespace pg_integrity::test
