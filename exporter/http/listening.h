// Sockets that listen: on addresses, as systemd hands them over, or for the probes of this machine.
#pragma once

#include <string>
#include <vector>

#include "exporter/config/options.h"
#include "exporter/io/descriptor.h"

namespace pg_integrity {

struct ListeningSocket {
  Descriptor socket;
  std::string host;    ///< as configured, or as the kernel says
  int port = 0;        ///< 0: no TCP socket
  bool probe = false;  ///< for the probes of this machine only
};

/// Listens on the address. Name servers may be asked, so it may block.
/// @throws std::runtime_error if that cannot be. Its text is one line with a hint.
ListeningSocket listen_on(const ListenAddress& address);

/// The sockets that systemd has opened for this process (LISTEN_FDS).
/// @throws std::runtime_error if there are none. Its text is one line with a hint.
std::vector<ListeningSocket> handed_over_by_systemd();

/// The name of the local socket that probes of the exporter with this port ask. It is an abstract
/// one, so it needs no directory, and ends with the process.
std::string probe_socket_name(int port);

/// Listens there.
/// @return a socket that is not open if that cannot be.
ListeningSocket listen_for_probes(int port);

/// Asks the exporter that listens with that port on this machine, and blocks for a few seconds at
/// most.
/// @return the status of the answer, 0 if there is none.
int probe(int port, const std::string& path);

}  // namespace pg_integrity
