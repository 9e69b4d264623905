#include "calibration/readers/kineto_trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <tuple>

#include "base/text_lines.h"

namespace stepcast {
namespace {

using nlohmann::json;

struct Interval {
  double begin, end;  // microseconds
};

// The time that a set of intervals covers, and its parts in order.
std::vector<Interval> merged(std::vector<Interval> intervals) {
  std::sort(intervals.begin(), intervals.end(),
            [](const Interval& a, const Interval& b) { return a.begin < b.begin; });
  std::vector<Interval> parts;
  for (const Interval& interval : intervals) {
    if (!parts.empty() && interval.begin <= parts.back().end) {
      parts.back().end = std::max(parts.back().end, interval.end);
    } else {
      parts.push_back(interval);
    }
  }
  return parts;
}

Seconds length(const std::vector<Interval>& parts) {
  double sum = 0;
  for (const Interval& part : parts) sum += part.end - part.begin;
  return Seconds(sum / 1e6);
}

Seconds common(const std::vector<Interval>& a, const std::vector<Interval>& b) {
  double sum = 0;
  for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    sum += std::max(0.0, std::min(a[i].end, b[j].end) - std::max(a[i].begin, b[j].begin));
    ++(a[i].end < b[j].end ? i : j);
  }
  return Seconds(sum / 1e6);
}

std::string lower_letters(std::string_view text) {
  std::string letters;
  for (const char c : text) {
    if (c != '_' && c != '-') {
      letters += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
  }
  return letters;
}

// torch.distributed's and NCCL's names of the collectives that the model knows.
std::string_view collective_named(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 6> words{{
      {"allreduce", "all_reduce"},
      {"allgather", "all_gather"},
      {"reducescatter", "reduce_scatter"},
      {"broadcast", "broadcast"},
      {"alltoall", "all_to_all"},
      {"sendrecv", "send_receive"},
  }};
  const std::string letters = lower_letters(name);
  for (const auto& [written, collective] : words) {
    if (letters.find(written) != std::string::npos) return collective;
  }
  return {};
}

double element_bytes(std::string_view type) {
  const std::string letters = lower_letters(type);
  if (letters == "float" || letters == "int") return 4;
  if (letters == "half" || letters == "bfloat16") return 2;
  if (letters == "double" || letters == "long") return 8;
  if (letters == "byte" || letters == "char" || letters.starts_with("float8")) return 1;
  return 0;
}

class TraceReader {
 public:
  explicit TraceReader(const std::string& file) {
    trace_.file = file;
    trace_.log.file = file;
    trace_.log.format = "PyTorch profiler";
  }

  void read_event(const json& event) {
    if (!event.is_object() || event.value("ph", "") != "X") return;
    const auto ts = event.find("ts");
    const auto dur = event.find("dur");
    if (ts == event.end() || dur == event.end() || !ts->is_number() || !dur->is_number()) return;
    const Interval when{ts->get<double>(), ts->get<double>() + dur->get<double>()};
    const std::string name = event.value("name", "");
    const std::string category = event.value("cat", "");
    if (category == "kernel") return read_kernel(name, when, event);
    if (category == "user_annotation" && name.starts_with("ProfilerStep#")) read_step(name, when);
  }

  KinetoTrace finish() {
    if (kernels_.empty() && collectives_.empty()) {
      throw InputError({trace_.file, "/traceEvents"}, "the trace holds no kernel",
                       "profile with activities=[CPU, CUDA]");
    }
    for (auto& [name, kernel] : kernels_) trace_.kernels.push_back(kernel);
    for (auto& [key, collective] : collectives_) trace_.collectives.push_back(collective);
    const auto longer = [](const auto& a, const auto& b) { return a.total > b.total; };
    std::stable_sort(trace_.kernels.begin(), trace_.kernels.end(), longer);
    std::stable_sort(trace_.collectives.begin(), trace_.collectives.end(), longer);
    const std::vector<Interval> compute = merged(std::move(compute_));
    const std::vector<Interval> communication = merged(std::move(communication_));
    trace_.compute = length(compute);
    trace_.communication = length(communication);
    trace_.overlap = common(compute, communication);
    return std::move(trace_);
  }

 private:
  void read_kernel(const std::string& name, const Interval& when, const json& event) {
    const Seconds time((when.end - when.begin) / 1e6);
    if (!name.starts_with("nccl")) {
      compute_.push_back(when);
      TracedKernel& kernel = kernels_[name];
      kernel.name = name;
      ++kernel.calls;
      kernel.total += time;
      return;
    }
    communication_.push_back(when);
    TracedCollective found = collective_of(name, event.value("args", json::object()));
    TracedCollective& known = collectives_[{found.collective, found.message.value(), found.ranks}];
    if (known.calls == 0) known = found;
    known.shortest = known.calls == 0 ? time : std::min(known.shortest, time);
    ++known.calls;
    known.total += time;
  }

  static TracedCollective collective_of(const std::string& kernel, const json& args) {
    TracedCollective found;
    found.collective = collective_named(args.value("Collective name", kernel));
    if (!args.is_object() || found.collective.empty()) return found;
    const auto number = [&](const char* key) {
      const auto at = args.find(key);
      return at != args.end() && at->is_number() ? at->get<double>() : 0.0;
    };
    // What a rank gives and what it gets: the larger is the whole message of a gather or scatter.
    const double elements = std::max(number("In msg nelems"), number("Out msg nelems"));
    found.message = Bytes(elements * element_bytes(args.value("dtype", "")));
    found.ranks = static_cast<int>(number("Group size"));
    return found;
  }

  void read_step(const std::string& name, const Interval& when) {
    constexpr std::size_t kPrefix = std::string_view("ProfilerStep#").size();
    const auto number = whole_number(std::string_view(name).substr(kPrefix));
    const Seconds time((when.end - when.begin) / 1e6);
    if (time.value() > 0) {
      trace_.log.iterations.push_back({number.value_or(0), time, std::nullopt, 0});
    }
  }

  KinetoTrace trace_;
  std::map<std::string, TracedKernel> kernels_;
  std::map<std::tuple<std::string, double, int>, TracedCollective> collectives_;
  std::vector<Interval> compute_, communication_;
};

}  // namespace

bool is_kineto_trace(std::string_view text) {
  return text.find("\"traceEvents\"") != std::string_view::npos;
}

KinetoTrace parse_kineto_trace(std::string_view text, const std::string& file) {
  const json trace = json::parse(text, nullptr, false);
  if (trace.is_discarded()) {
    throw InputError({file, ""}, "the trace is no JSON", "it seems to be cut off");
  }
  const auto events = trace.find("traceEvents");
  if (!trace.is_object() || events == trace.end() || !events->is_array()) {
    throw InputError({file, ""}, "the trace has no list \"traceEvents\"");
  }
  TraceReader reader(file);
  for (const json& event : *events) reader.read_event(event);
  return reader.finish();
}

}  // namespace stepcast
