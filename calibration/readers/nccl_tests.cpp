#include "calibration/readers/nccl_tests.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <set>
#include <span>

#include "base/input_error.h"
#include "base/text_file.h"
#include "base/text_lines.h"

namespace stepcast {
namespace {

using Words = std::vector<std::string_view>;

// A name without its separators, as logs write it, and ours.
constexpr std::array<std::pair<std::string_view, std::string_view>, 10> collective_names{{
    {"allreduce", "all_reduce"},
    {"allgather", "all_gather"},
    {"reducescatter", "reduce_scatter"},
    {"broadcast", "broadcast"},
    {"reduce", "reduce"},
    {"alltoall", "all_to_all"},
    {"sendrecv", "send_receive"},
    {"gather", "gather"},
    {"scatter", "scatter"},
    {"hypercube", "hypercube"},
}};

// "[1,0]<stdout>:" of Open MPI, "0: " of srun.
std::string_view without_launcher_prefix(std::string_view line) {
  const std::string_view text = without_blanks_around(line);
  if (text.starts_with('[')) {
    const std::size_t end = text.find(">:");
    const bool tagged = end != std::string_view::npos && text.find("]<std") < end;
    return tagged ? text.substr(end + 2) : text;
  }
  const std::size_t digits = text.find_first_not_of("0123456789");
  const bool numbered = digits != std::string_view::npos && digits > 0 && text[digits] == ':';
  return numbered ? text.substr(digits + 1) : text;
}

bool is_element_type(std::string_view word) {
  constexpr std::array<std::string_view, 14> types{
      "float", "half",   "double", "bfloat16", "int8",     "uint8",  "int32",
      "int64", "uint32", "uint64", "fp8_e4m3", "fp8_e5m2", "f8e4m3", "f8e5m2"};
  return std::find(types.begin(), types.end(), word) != types.end();
}

// How the columns of a row lie: `left` words at most up to the times, then the groups
// (out of place, in place), each beginning with its time.
struct Layout {
  std::size_t left = 5;
  std::size_t groups = 2;
  std::size_t group_columns = 4;
  std::size_t right() const { return groups * group_columns; }
};

constexpr std::size_t fixed_left_columns = 3;  // size, count and type are always there

bool has(const Words& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool is_header(const Words& words) {
  return !words.empty() && words[0] == "size" && (has(words, "time") || has(words, "count"));
}

Layout layout_of(const Words& header, const InputPlace& place) {
  for (const std::string_view column : {"count", "type", "time", "algbw", "busbw"}) {
    if (has(header, column)) continue;
    throw InputError(place, fmt::format("the table has no column \"{}\"", column),
                     "expected nccl-tests' columns: size count type [redop] [root] time algbw "
                     "busbw #wrong");
  }
  const auto first = std::find(header.begin(), header.end(), "time");
  const auto groups = static_cast<std::size_t>(std::count(first, header.end(), "time"));
  const auto right = static_cast<std::size_t>(header.end() - first);
  if (right % groups != 0) {
    throw InputError(place, "the columns in place are not those out of place");
  }
  return {static_cast<std::size_t>(first - header.begin()), groups, right / groups};
}

Seconds time_at(const Words& words, std::size_t index, const InputPlace& place) {
  const std::optional<double> microseconds = finite_number(words[index]);
  if (!microseconds || *microseconds < 0) {
    throw InputError(place, fmt::format("\"{}\" is no time in microseconds", words[index]));
  }
  return Seconds(*microseconds / 1e6);
}

class LogReader {
 public:
  explicit LogReader(const std::string& file) { log_.file = file; }

  void read_line(std::string_view raw, std::size_t number) {
    place_ = line_place(log_.file, number);
    line_ = static_cast<int>(number) + 1;
    std::string_view line = without_blanks_around(without_launcher_prefix(raw));
    note_program_name(line);
    const bool comment = line.starts_with('#');
    if (comment) line = without_blanks_around(line.substr(1));
    const Words words = words_of(line);
    if (is_header(words)) {
      begin_table();
      layout_ = layout_of(words, place_);
      header_place_ = place_;
    } else if (comment) {
      read_comment(line, words);
    } else {
      read_row(words, line.find(" NCCL ") != std::string_view::npos);
    }
  }

  NcclTestsLog finish() {
    if (cut_size_) {
      throw InputError(cut_place_, "the row ends before its time", "the log seems to be cut off");
    }
    if (header_place_ && table_.rows.empty()) {
      throw InputError(*header_place_, "no row follows the table's header",
                       "the log seems to be cut off");
    }
    begin_table();
    if (log_.tables.empty()) {
      throw InputError({log_.file, ""}, "there is no row of a table of nccl-tests",
                       "expected rows such as \"1048576 262144 float sum -1 83.56 12.55 23.53 0\"");
    }
    return std::move(log_);
  }

 private:
  // A table without rows passes its collective and ranks on to the next.
  void begin_table() {
    if (table_.rows.empty()) return;
    log_.tables.push_back(table_);
    table_.rows.clear();
    header_place_.reset();
  }

  // "all_reduce_perf", wherever it stands: the command, or "Collective test starting".
  void note_program_name(std::string_view line) {
    const std::size_t end = line.find("_perf");
    if (end == std::string_view::npos) return;
    const std::size_t before = line.find_last_of(" \t/:'\"", end);
    const std::size_t begin = before == std::string_view::npos ? 0 : before + 1;
    const std::string_view name = canonical_collective(line.substr(begin, end - begin));
    if (name.empty()) return;
    begin_table();
    table_.collective = name;
  }

  void read_comment(std::string_view line, const Words& words) {
    if (words.size() > 2 && words[0] == "Rank") return note_rank(words);
    if (line.find("Using devices") != std::string_view::npos) return begin_ranks();
    const std::size_t colon = line.find(':');
    const bool one_word = !words.empty() && colon + 1 == words[0].size();
    if (!one_word || !log_.tables.empty() || !table_.rows.empty()) return;
    const std::string_view value = without_blanks_around(line.substr(colon + 1));
    log_.headers.emplace_back(line.substr(0, colon), value);
    if (log_.headers.back().first == "collective") table_.collective = canonical_collective(value);
  }

  void begin_ranks() {
    begin_table();
    table_.ranks.reset();
    table_.processes.reset();
    processes_.clear();
  }

  // "Rank 0 Group 0 Pid 268 on host device 0 ...": lists may leave ranks out.
  void note_rank(const Words& words) {
    const std::optional<std::int64_t> rank = whole_number(words[1]);
    if (!rank) return;
    table_.ranks = std::max(table_.ranks.value_or(0), static_cast<int>(*rank) + 1);
    const auto pid = std::find(words.begin(), words.end(), "Pid");
    if (words.end() - pid < 4) return;
    processes_.insert(fmt::format("{} {}", pid[1], pid[3]));
    table_.processes = static_cast<int>(processes_.size());
  }

  // A line that begins like a row is one; anything else is another program's.
  void read_row(const Words& words, bool interrupted) {
    if (cut_size_ && words.size() == layout_.right() && finite_number(words[0])) {
      return add_row(*std::exchange(cut_size_, std::nullopt), words, 0);
    }
    if (words.size() < 2 || !whole_number(words[0])) return;
    const bool counted = whole_number(words[1]).has_value();
    const bool typed = std::any_of(words.begin(), words.end(), is_element_type);
    if (!typed && !(counted && header_place_)) return;
    if (cut_size_) throw InputError(cut_place_, "the row ends before its time");
    const bool complete =
        counted && words.size() >= fixed_left_columns && is_element_type(words[2]);
    if (interrupted && complete) {
      cut_size_ = whole_number(words[0]);
      cut_place_ = place_;
      return;
    }
    if (!complete || words.size() < fixed_left_columns + layout_.right() ||
        words.size() > layout_.left + layout_.right()) {
      refuse_row(words);
    }
    add_row(*whole_number(words[0]), words, words.size() - layout_.right());
  }

  [[noreturn]] void refuse_row(const Words& words) const {
    throw InputError(
        place_,
        fmt::format("the row has {} columns, expected {} to {}: size count type [redop] [root], "
                    "then the times",
                    words.size(), fixed_left_columns + layout_.right(),
                    layout_.left + layout_.right()),
        "the log seems to be cut off or to lack columns");
  }

  void add_row(std::int64_t size, const Words& words, std::size_t first_time) {
    if (size < 0) throw InputError(place_, fmt::format("{} is no size in bytes", size));
    NcclTestsRow row{
        Bytes(static_cast<double>(size)), time_at(words, first_time, place_), {}, line_};
    const std::size_t second = first_time + layout_.group_columns;
    if (layout_.groups > 1 && words[second] != "N/A") {
      row.in_place = time_at(words, second, place_);
    }
    table_.rows.push_back(row);
  }

  NcclTestsLog log_;
  NcclTestsTable table_;
  Layout layout_;
  InputPlace place_;
  int line_ = 0;
  std::optional<InputPlace> header_place_;
  std::optional<std::int64_t> cut_size_;  ///< of a row whose times are still to come
  InputPlace cut_place_;
  std::set<std::string> processes_;
};

}  // namespace

std::string_view canonical_collective(std::string_view name) {
  std::string letters;
  for (const char c : name) {
    if (c != '_' && c != '-')
      letters += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  for (const auto& [written, collective] : collective_names) {
    if (letters == written) return collective;
  }
  return {};
}

NcclTestsLog parse_nccl_tests(std::string_view text, const std::string& file) {
  LogReader reader(file);
  const std::vector<std::string_view> lines = text_lines(text, file);
  for (std::size_t i = 0; i < lines.size(); ++i) reader.read_line(lines[i], i);
  return reader.finish();
}

NcclTestsLog read_nccl_tests(const std::string& file) {
  return parse_nccl_tests(read_text_file(file), file);
}

std::optional<CollectiveKind> modelled_kind(std::string_view collective) {
  for (const CollectiveKind kind :
       {CollectiveKind::AllReduce, CollectiveKind::AllGather, CollectiveKind::ReduceScatter,
        CollectiveKind::Broadcast, CollectiveKind::AllToAll, CollectiveKind::SendReceive}) {
    if (collective == word(kind)) return kind;
  }
  if (collective == "reduce") return CollectiveKind::Broadcast;
  return std::nullopt;
}

}  // namespace stepcast
