// A bare HTTP client on a plain socket: what goes over the wire is what the test says.
#pragma once

#include <map>
#include <string>

namespace pg_integrity::test {

/// A TCP connection with a port of 127.0.0.1; throws where it cannot go on.
class Wire {
 public:
  explicit Wire(int port);
  ~Wire();
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  void send(const std::string& bytes) const;
  /// What comes until the other side closes.
  [[nodiscard]] std::string rest() const;
  /// At least one byte, unless the other side has closed.
  [[nodiscard]] std::string some() const;

 private:
  int descriptor_;
};

struct HttpAnswer {
  int status = 0;
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;

  /// Throws if there is no such header.
  [[nodiscard]] const std::string& header(const std::string& name) const;
};

/// Takes an answer apart that ends with the connection.
HttpAnswer parse_answer(const std::string& bytes);

/// One request on a connection of its own.
/// @param headers further header lines, each ended by CR LF.
HttpAnswer fetch(int port, const std::string& path, const std::string& headers = {},
                 const std::string& method = "GET");

}  // namespace pg_integrity::test
