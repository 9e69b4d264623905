#include "calibration/readers/nccl_info.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <span>
#include <utility>

#include "base/input_error.h"
#include "base/text_file.h"
#include "base/text_lines.h"
#include "calibration/readers/nccl_tests.h"

namespace stepcast {
namespace {

using Words = std::vector<std::string_view>;

constexpr std::string_view marker = " NCCL INFO ";

// The integer that `text` opens with.
std::optional<int> leading_number(std::string_view text) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const std::optional<std::int64_t> number = whole_number(text.substr(0, digits));
  return number ? std::optional(static_cast<int>(*number)) : std::nullopt;
}

// The word after `key`.
std::string_view after(const Words& words, std::string_view key) {
  const auto found = std::find(words.begin(), words.end(), key);
  return words.end() - found > 1 ? found[1] : std::string_view();
}

std::string lower(std::string_view word) {
  std::string text(word);
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// What NCCL calls an algorithm or a protocol, by its word or by its number in NCCL's enumeration
// (nccl_common.h), of which `names` holds the words. Empty for a number that it does not have.
std::string name_of(std::string_view word, std::span<const std::string_view> names) {
  const std::optional<std::int64_t> number = whole_number(word);
  if (!number) return lower(word);
  const bool known = *number >= 0 && *number < std::ssize(names);
  return known ? std::string(names[static_cast<std::size_t>(*number)]) : std::string();
}

std::string algorithm_named(std::string_view word) {
  constexpr std::array<std::string_view, 7> names{
      "tree", "ring", "collnet_direct", "collnet_chain", "nvls", "nvls_tree", "pat"};
  const std::string name = name_of(word, names);
  return name == "nvlstree" ? "nvls_tree" : name;
}

std::string protocol_named(std::string_view word) {
  constexpr std::array<std::string_view, 3> names{"ll", "ll128", "simple"};
  return name_of(word, names);
}

// "NET/IBext/0/GDRDMA" is NET/IBext; "P2P/IPC/read" is P2P/IPC; "SHM/direct/direct" is SHM.
std::string transport_of(std::string_view via) {
  const std::size_t first = via.find('/');
  if (via.starts_with("SHM") || via.starts_with("COLLNET") || first == std::string_view::npos) {
    return std::string(via.substr(0, first));
  }
  return std::string(via.substr(0, via.find('/', first + 1)));
}

class InfoReader {
 public:
  explicit InfoReader(const std::string& file) { log_.file = file; }

  void read_line(std::string_view line, std::size_t number) {
    place_ = line_place(log_.file, number);
    line_ = static_cast<int>(number) + 1;
    if (const std::size_t at = line.find("NCCL version "); at != std::string_view::npos) {
      note_version(line.substr(at + 13));
    }
    if (line.find("RCCL version") != std::string_view::npos) {
      throw InputError(place_, "this is a log of AMD's RCCL: only NVIDIA's NCCL is compared");
    }
    const std::size_t at = line.find(marker);
    if (at == std::string_view::npos) return;
    any_ = true;
    const std::string_view before = line.substr(0, at);
    const Words origin = words_of(before);
    // host:pid:tid names the thread that sets up one communicator at a time.
    const std::string thread(origin.size() < 2 ? before : origin[origin.size() - 2]);
    read_message(without_blanks_around(line.substr(at + marker.size())), thread);
  }

  NcclInfoLog finish() {
    if (!any_) {
      throw InputError({log_.file, ""}, "there is no line of NCCL's",
                       "NCCL_DEBUG=INFO prints lines such as \"host:1:2 [0] NCCL INFO ...\"");
    }
    return std::move(log_);
  }

 private:
  void note_version(std::string_view text) {
    log_.version = std::string(text.substr(0, text.find_first_not_of("0123456789.")));
  }

  void read_message(std::string_view text, const std::string& thread) {
    const Words words = words_of(text);
    if (words.empty()) return;
    if (text.starts_with("Using network ")) {
      log_.network = std::string(text.substr(14));
    } else if (text.starts_with("NET/IB : Using ")) {
      const std::string_view listed = text.substr(0, text.find(" ; "));
      log_.nics = static_cast<int>(std::count(listed.begin(), listed.end(), '['));
    } else if (words[0] == "Channel") {
      read_channel(text, thread);
    } else if (words.size() > 2 && words[1] == "coll" && words[2].starts_with("channels")) {
      read_counts(words, thread);
    } else if (words[0] == "comm" && text.find("Init COMPLETE") != std::string_view::npos) {
      finish_communicator(words, thread);
    } else if (text.find(" set by environment to ") != std::string_view::npos) {
      std::string_view value = words.back();
      if (value.ends_with('.')) value.remove_suffix(1);
      log_.environment[std::string(words[0])] = std::string(value);
    } else if (after(words, "->") == "Algo") {
      read_call(words);
    }
  }

  // "Channel 00/24 : 0 7 6 ..." is a ring; "Channel 00/0 : 57[2000] -> 0[1000] [receive] via
  // NET/IB/0" a connection.
  void read_channel(std::string_view text, const std::string& thread) {
    NcclCommunicator& open = open_[thread];
    if (const std::size_t via = text.find(" via "); via != std::string_view::npos) {
      ++open.connections[transport_of(text.substr(via + 5))];
      if (text.substr(via + 5).starts_with("NET/")) {
        ++log_.network_connections;
        if (text.ends_with("/GDRDMA") || text.find("/GDRDMA/") != std::string_view::npos) {
          ++log_.gpu_direct;
        }
      }
      return;
    }
    const Words words = words_of(text);
    const std::size_t slash = words.size() > 1 ? words[1].find('/') : std::string_view::npos;
    if (slash == std::string_view::npos || words.size() < 4 || words[2] != ":") return;
    const std::optional<int> channel = leading_number(words[1]);
    const std::optional<int> total = leading_number(words[1].substr(slash + 1));
    if (!channel || !total || *channel >= *total) {
      throw InputError(place_,
                       fmt::format("\"{}\" is no channel of a number of channels", words[1]));
    }
    if (*channel == 0) open.rings.clear();
    std::vector<int> ring;
    for (std::size_t i = 3; i < words.size(); ++i) {
      const std::optional<std::int64_t> rank = whole_number(words[i]);
      if (!rank) throw InputError(place_, fmt::format("\"{}\" is no rank of a ring", words[i]));
      ring.push_back(static_cast<int>(*rank));
    }
    open.rings.push_back(std::move(ring));
  }

  // "24 coll channels, 16 nvls channels, 32 p2p channels, 2 p2p channels per peer"
  void read_counts(const Words& words, const std::string& thread) {
    NcclCommunicator& open = open_[thread];
    open.line = line_;
    for (std::size_t i = 0; i + 1 < words.size(); ++i) {
      const std::optional<std::int64_t> count = whole_number(words[i]);
      if (!count) continue;
      if (words[i + 1] == "coll") open.channels = static_cast<int>(*count);
      if (words[i + 1] == "nvls") open.nvls_channels = static_cast<int>(*count);
    }
  }

  void finish_communicator(const Words& words, const std::string& thread) {
    const std::optional<std::int64_t> ranks = whole_number(after(words, "nranks"));
    if (!ranks || *ranks < 1)
      throw InputError(place_, "the line of a communicator names no nranks");
    const auto open = open_.find(thread);
    if (open == open_.end()) return;
    open->second.ranks = static_cast<int>(*ranks);
    check_rings(open->second);
    if (open->second.channels > 0) log_.communicators.push_back(std::move(open->second));
    open_.erase(open);
  }

  void check_rings(const NcclCommunicator& communicator) const {
    for (const std::vector<int>& ring : communicator.rings) {
      for (const int rank : ring) {
        if (rank >= 0 && rank < communicator.ranks) continue;
        throw InputError(place_, fmt::format("a ring of this communicator of {} ranks passes rank "
                                             "{}",
                                             communicator.ranks, rank));
      }
    }
  }

  // "AllReduce: 33554432 Bytes -> Algo RING proto SIMPLE ..." or "33554432 Bytes -> Algo 1 proto 2
  // time 1234.5"
  void read_call(const Words& words) {
    const auto bytes = std::find(words.begin(), words.end(), "Bytes");
    const bool sized = bytes != words.begin() && bytes != words.end();
    const std::optional<std::int64_t> size = sized ? whole_number(bytes[-1]) : std::nullopt;
    const std::string_view protocol = after(words, "proto");
    if (!size || protocol.empty()) {
      throw InputError(place_, "the line of a call has no size, algorithm and protocol",
                       "the log seems to be cut off");
    }
    NcclCall call{"", Bytes(static_cast<double>(*size)), algorithm_named(after(words, "Algo")),
                  protocol_named(protocol), line_};
    if (words[0].ends_with(':')) {
      call.collective = std::string(canonical_collective(words[0].substr(0, words[0].size() - 1)));
    }
    if (call.algorithm.empty() || call.protocol.empty()) {
      throw InputError(
          place_, fmt::format("\"Algo {} proto {}\" is none of NCCL's: its algorithms are 0 to "
                              "6, its protocols 0 to 2",
                              after(words, "Algo"), protocol));
    }
    log_.calls.push_back(std::move(call));
  }

  NcclInfoLog log_;
  std::map<std::string, NcclCommunicator> open_;  ///< by thread
  InputPlace place_;
  int line_ = 0;
  bool any_ = false;
};

}  // namespace

NcclInfoLog parse_nccl_info(std::string_view text, const std::string& file) {
  InfoReader reader(file);
  const std::vector<std::string_view> lines = text_lines(text, file);
  for (std::size_t i = 0; i < lines.size(); ++i) reader.read_line(lines[i], i);
  return reader.finish();
}

NcclInfoLog read_nccl_info(const std::string& file) {
  return parse_nccl_info(read_text_file(file), file);
}

}  // namespace stepcast
