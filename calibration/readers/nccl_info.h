// Reads what NCCL prints with NCCL_DEBUG=INFO: which communicators there were, their rings and
// channels, what their connections ran over, and (NCCL_DEBUG_SUBSYS=TUNING) the algorithm of each
// call.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/units.h"

namespace stepcast {

/// One communicator as one of its ranks saw it.
struct NcclCommunicator {
  int ranks = 0;
  int channels = 0;       ///< for collectives, as run: NCCL runs two of each that its search finds
  int nvls_channels = 0;  ///< 0 where NVLS is off or not known
  std::vector<std::vector<int>> rings;     ///< [channel] ranks in order; NCCL cuts after about 20
  std::map<std::string, int> connections;  ///< by transport: "NET/IB", "P2P/IPC", "SHM", "COLLNET"
  int line = 0;                            ///< of the file where its channels stand, from 1
};

/// One call of a collective, and what NCCL chose for it.
struct NcclCall {
  std::string collective;  ///< "all_reduce"; empty where the line does not say
  Bytes message;
  std::string algorithm;  ///< "ring", "tree", "nvls", ...
  std::string protocol;   ///< "ll", "ll128" or "simple"
  int line = 0;
};

struct NcclInfoLog {
  std::string file;
  std::string version;          ///< "2.18.3"; empty where it is not said
  std::string network;          ///< "IB", "Socket", "AWS Libfabric"
  int nics = 0;                 ///< of a node, as NET/IB lists them; 0 where it does not
  int network_connections = 0;  ///< over NET
  int gpu_direct = 0;           ///< of these, from and to a GPU's memory without the CPU's
  std::map<std::string, std::string> environment;  ///< NCCL_ALGO and so on, where set
  std::vector<NcclCommunicator> communicators;     ///< in order, of every rank that printed
  std::vector<NcclCall> calls;
};

/// Throws InputError where the file holds no line of NCCL's, where such a line is broken off, and
/// for AMD's RCCL, whose channels are another matter.
NcclInfoLog read_nccl_info(const std::string& file);
NcclInfoLog parse_nccl_info(std::string_view text, const std::string& file);

}  // namespace stepcast
