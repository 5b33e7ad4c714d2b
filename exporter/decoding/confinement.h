// Takes from this process what a decoder does not need. One thread.
#pragma once

namespace pg_integrity::decoding {

/// Afterwards the process can read, write to and receive from the descriptors that it has, get a
/// little memory, and end. It cannot open a file, reach a network, make a process or gain rights.
/// It gets little of the processor, and the disk when nobody else wants it.
/// @throws Unknown if the kernel refuses it.
void confine();

}  // namespace pg_integrity::decoding
