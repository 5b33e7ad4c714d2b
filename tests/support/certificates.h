// A certificate authority of a test, and certificates for a server at 127.0.0.1 and for clients,
// made by openssl.
#pragma once

#include <string>

#include "tests/support/process.h"
#include "tests/support/temporary.h"

namespace pg_integrity::test {

class Certificates {
 public:
  Certificates() {
    openssl({"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-days", "2", "-subj", "/CN=test authority", "-keyout", path("ca.key"), "-out",
             path("ca.pem")});
  }

  /// Makes NAME.pem and NAME.key, signed by the authority.
  /// @param san of openssl's form, such as "IP:127.0.0.1".
  void make(const std::string& name, const std::string& san) const {
    openssl({"req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-subj", "/CN=" + name, "-keyout", path(name + ".key"), "-out", path(name + ".csr")});
    const std::string extensions = directory_.write(name + ".ext", "subjectAltName=" + san + "\n");
    openssl({"x509", "-req", "-days", "2", "-in", path(name + ".csr"), "-CA", path("ca.pem"),
             "-CAkey", path("ca.key"), "-CAcreateserial", "-extfile", extensions, "-out",
             path(name + ".pem")});
  }

  [[nodiscard]] std::string path(const std::string& name) const {
    return directory_.path() + "/" + name;
  }
  [[nodiscard]] const TemporaryDirectory& directory() const { return directory_; }

 private:
  static void openssl(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "openssl");
    const Finished made = run(arguments);
    if (made.status != 0) throw std::runtime_error("openssl: " + made.err);
  }

  TemporaryDirectory directory_;
};

}  // namespace pg_integrity::test
