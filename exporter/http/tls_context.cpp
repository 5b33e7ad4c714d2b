#include "exporter/http/tls_context.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>
#include <stdexcept>

namespace pg_integrity {

namespace {

template <auto free>
struct FreeBy {
  template <typename T>
  void operator()(T* object) const {
    free(object);
  }
};
using Bio = std::unique_ptr<BIO, FreeBy<::BIO_free_all>>;
using Certificate = std::unique_ptr<X509, FreeBy<::X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, FreeBy<::EVP_PKEY_free>>;
using Names = std::unique_ptr<GENERAL_NAMES, FreeBy<::GENERAL_NAMES_free>>;

[[noreturn]] void refuse_tls(const std::string& what, const std::string& hint) {
  const unsigned long code = ::ERR_peek_last_error();
  const char* reason = ::ERR_reason_error_string(code);
  ::ERR_clear_error();
  throw std::runtime_error(fmt::format("TLS: {}{}{}. HINT: {}", what, reason == nullptr ? "" : ": ",
                                       reason == nullptr ? "" : reason, hint));
}

Bio in_memory(const std::string& text) {
  return Bio(::BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

/// The next certificate, nullptr at the end.
Certificate next_certificate(const Bio& pem) {
  return Certificate(::PEM_read_bio_X509(pem.get(), nullptr, nullptr, nullptr));
}

UnixTime end_of(const Certificate& certificate) {
  std::tm end{};
  if (::ASN1_TIME_to_tm(::X509_get0_notAfter(certificate.get()), &end) != 1) return 0;
  return static_cast<UnixTime>(::timegm(&end));
}

bool is_called(X509* certificate, const std::vector<std::string>& allowed) {
  const Names names(static_cast<GENERAL_NAMES*>(
      ::X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  const auto any = [&](std::string_view name) {
    return std::find(allowed.begin(), allowed.end(), name) != allowed.end();
  };
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_DNS && name->type != GEN_EMAIL && name->type != GEN_URI) continue;
    const ASN1_IA5STRING* text = name->d.ia5;
    if (any({reinterpret_cast<const char*>(::ASN1_STRING_get0_data(text)),
             static_cast<std::size_t>(::ASN1_STRING_length(text))}))
      return true;
  }
  return std::any_of(allowed.begin(), allowed.end(), [&](const std::string& address) {
    return ::X509_check_ip_asc(certificate, address.c_str(), 0) == 1;
  });
}

int index_of_allowed_sans() {
  static const int index = ::SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

int take_any(int /*good*/, X509_STORE_CTX* /*chain*/) {
  return 1;
}

/// A chain that is good so far. Its first certificate also needs one of the allowed names.
int take_if_called(int good, X509_STORE_CTX* chain) {
  if (good != 1 || ::X509_STORE_CTX_get_error_depth(chain) != 0) return good;
  const auto* session = static_cast<SSL*>(
      ::X509_STORE_CTX_get_ex_data(chain, ::SSL_get_ex_data_X509_STORE_CTX_idx()));
  const auto* allowed = static_cast<const std::vector<std::string>*>(
      ::SSL_CTX_get_ex_data(::SSL_get_SSL_CTX(session), index_of_allowed_sans()));
  if (allowed->empty() || is_called(::X509_STORE_CTX_get_current_cert(chain), *allowed)) return 1;
  ::X509_STORE_CTX_set_error(chain, X509_V_ERR_APPLICATION_VERIFICATION);
  return 0;
}

std::string suites_of_tls12(const std::vector<std::string>& names) {
  std::string suites;
  for (const std::string& name : names) {
    const std::string known = ::OPENSSL_cipher_name(name.c_str());
    if (known == "(NONE)")
      refuse_tls(fmt::format("there is no cipher suite \"{}\"", name),
                 "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 is one");
    if (!name.starts_with("TLS_AES_") && !name.starts_with("TLS_CHACHA20_"))
      suites += (suites.empty() ? "" : ":") + known;
  }
  return suites;
}

}  // namespace

void TlsContext::Free::operator()(ssl_ctx_st* context) const {
  ::SSL_CTX_free(context);
}

TlsContext::TlsContext(const WebTls& options)
    : context_(::SSL_CTX_new(::TLS_server_method())),
      allowed_sans_(std::make_unique<const std::vector<std::string>>(options.allowed_sans)) {
  SSL_CTX* context = context_.get();
  if (context == nullptr) refuse_tls("OpenSSL cannot be used", "check its installation");
  ::SSL_CTX_set_min_proto_version(context, options.only_tls13 ? TLS1_3_VERSION : TLS1_2_VERSION);
  if (options.no_tls13) ::SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
  ::SSL_CTX_set_options(context,
                        SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET);
  if (options.server_chooses_suite) ::SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
  // Each connection proves itself anew, so a certificate that is no longer good ends with it.
  ::SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  ::SSL_CTX_set_num_tickets(context, 0);
  ::SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  const std::string suites = suites_of_tls12(options.cipher_suites);
  if (!suites.empty() && ::SSL_CTX_set_cipher_list(context, suites.c_str()) != 1)
    refuse_tls("none of the cipher suites can be used", "leave cipher_suites out");
  if (!options.curves.empty() &&
      ::SSL_CTX_set1_curves_list(context,
                                 fmt::format("{}", fmt::join(options.curves, ":")).c_str()) != 1)
    refuse_tls("none of the curves can be used", "leave curve_preferences out");
  take_certificate(options);
  take_clients(options);
  ::ERR_clear_error();
}

void TlsContext::take_certificate(const WebTls& options) {
  const Bio pem = in_memory(options.certificate);
  const Certificate own = next_certificate(pem);
  if (!own || ::SSL_CTX_use_certificate(context_.get(), own.get()) != 1)
    refuse_tls("the certificate cannot be used", "cert_file is a PEM file, the server's own first");
  while (Certificate above = next_certificate(pem))
    if (::SSL_CTX_add0_chain_cert(context_.get(), above.get()) == 1)
      static_cast<void>(above.release());
  const auto no_password = [](char*, int, int, void*) { return 0; };
  const Bio key_pem = in_memory(options.key);
  const Key key(::PEM_read_bio_PrivateKey(key_pem.get(), nullptr, no_password, nullptr));
  if (!key) refuse_tls("the key cannot be used", "key_file is a PEM file without a passphrase");
  if (::SSL_CTX_use_PrivateKey(context_.get(), key.get()) != 1)
    refuse_tls("the key does not belong to the certificate",
               "name the key that the certificate was made with");
  expires_ = end_of(own);
}

void TlsContext::take_clients(const WebTls& options) {
  SSL_CTX* context = context_.get();
  ::SSL_CTX_set_ex_data(context, index_of_allowed_sans(),
                        const_cast<std::vector<std::string>*>(allowed_sans_.get()));
  switch (options.client) {
    case ClientCertificate::none:
      ::SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
      return;
    case ClientCertificate::asked:
      ::SSL_CTX_set_verify(context, SSL_VERIFY_PEER, take_any);
      return;
    case ClientCertificate::needed:
      ::SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, take_any);
      return;
    case ClientCertificate::verified_if_given:
      ::SSL_CTX_set_verify(context, SSL_VERIFY_PEER, take_if_called);
      break;
    case ClientCertificate::verified:
      ::SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                           take_if_called);
  }
  const Bio pem = in_memory(options.client_ca);
  std::size_t count = 0;
  while (const Certificate ca = next_certificate(pem)) {
    ::X509_STORE_add_cert(::SSL_CTX_get_cert_store(context), ca.get());
    ::SSL_CTX_add_client_CA(context, ca.get());
    ++count;
  }
  if (count == 0) refuse_tls("client_ca_file has no certificate", "it is a PEM file");
}

ssl_st* TlsContext::new_session() const {
  return ::SSL_new(context_.get());
}

}  // namespace pg_integrity
