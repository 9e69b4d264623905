// What a trace file must be for Chrome and Perfetto: Trace Event Format (Google, 2016), as far as
// Stepcast uses it, with Perfetto's rule that an arrow begins and ends inside a slice.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iosfwd>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

namespace stepcast::test {

/// Reads a trace event by event, so that its size does not matter, and keeps what tests ask.
struct TraceReading {
  std::vector<std::string> faults;  ///< against the format; the first of each kind of event
  nlohmann::json other_data;
  std::map<std::string, double> activity_seconds;  ///< sums of the slices by activity
  std::map<std::string, double> most;              ///< largest value of a counter, by its name
  std::map<std::string, int> events;               ///< by phase
  std::set<int> processes;
};

class TraceReader {
 public:
  TraceReading read(std::istream& in) {
    const auto keep = [this](int depth, nlohmann::json::parse_event_t event,
                             nlohmann::json& value) {
      if (depth != 2 || event != nlohmann::json::parse_event_t::object_end) return true;
      check(value);
      return false;
    };
    const nlohmann::json rest = nlohmann::json::parse(in, keep);
    require(rest.contains("traceEvents") && rest["traceEvents"].is_array(), "traceEvents", rest);
    reading_.other_data = rest.value("otherData", nlohmann::json::object());
    check_whole();
    return std::move(reading_);
  }

 private:
  using Json = nlohmann::json;
  using Thread = std::pair<int, int>;
  struct Slice {
    std::int64_t begin;
    std::int64_t end;
  };
  struct Arrow {
    Thread thread;
    double at;
  };

  void require(bool holds, const std::string& rule, const Json& event) {
    if (!holds && complained_.insert(rule).second) {
      reading_.faults.push_back(rule + ": " + event.dump().substr(0, 300));
    }
  }

  static bool is_number(const Json& event, const char* key) {
    return event.contains(key) && event[key].is_number() && std::isfinite(event[key].get<double>());
  }

  void check(const Json& event) {
    const std::string phase = event.value("ph", "");
    ++reading_.events[phase];
    const bool known = phase == "X" || phase == "M" || phase == "C" || phase == "s" || phase == "f";
    require(known, "phase is known", event);
    const bool named = event.contains("name") && event["name"].is_string() &&
                       event.contains("pid") && event["pid"].is_number_integer();
    require(named, "event has a name and a process", event);
    if (!known || !named) return;
    if (phase == "M") return check_metadata(event);
    reading_.processes.insert(event["pid"].get<int>());
    const bool timed = is_number(event, "ts") && event["ts"].get<double>() >= 0;
    require(timed, "event has a time", event);
    if (!timed) return;
    if (phase == "C") return check_counter(event);
    const bool placed = event.contains("tid") && event["tid"].is_number_integer() &&
                        event.contains("cat") && event["cat"].is_string();
    require(placed, "event has a thread and a category", event);
    if (!placed) return;
    phase == "X" ? check_slice(event) : check_arrow(event, phase);
  }

  void check_metadata(const Json& event) {
    const std::string name = event["name"];
    const Json args = event.value("args", Json::object());
    const int process = event["pid"];
    if (name == "process_name" || name == "thread_name") {
      require(args.contains("name") && args["name"].is_string(), "a name is text", event);
    } else {
      require(name == "process_sort_index" || name == "thread_sort_index", "metadata", event);
      require(args.contains("sort_index") && args["sort_index"].is_number_integer() &&
                  args["sort_index"].get<std::int64_t>() <= 2147483647,
              "a sort index is a 32-bit number", event);
    }
    if (name == "process_name") named_processes_.insert(process);
    if (name == "thread_name") named_threads_.insert({process, event.value("tid", -1)});
  }

  void check_counter(const Json& event) {
    require(event.contains("args") && event["args"].size() == 1, "a counter has a value", event);
    for (const Json& value : event["args"]) {
      require(value.is_number(), "a counter's value is a number", event);
      double& most = reading_.most[event["name"].get<std::string>()];
      if (value.is_number()) most = std::max(most, value.get<double>());
    }
    double& last = last_count_[{event["pid"].get<int>(), event["name"].get<std::string>()}];
    require(event["ts"].get<double>() >= last, "a counter's values come in time order", event);
    last = event["ts"];
  }

  void check_slice(const Json& event) {
    const bool lasts = is_number(event, "dur") && event["dur"].get<double>() >= 0;
    require(lasts, "a slice has a duration", event);
    if (!lasts) return;
    const Thread thread{event["pid"], event["tid"]};
    const std::int64_t begin = nanoseconds(event["ts"]);
    std::vector<Slice>& slices = slices_[thread];
    require(slices.empty() || begin >= slices.back().end, "slices do not overlap", event);
    slices.push_back({begin, begin + nanoseconds(event["dur"])});
    if (event["cat"] == "activity") {
      reading_.activity_seconds[event["name"]] += event["dur"].get<double>() * 1e-6;
    }
  }

  void check_arrow(const Json& event, const std::string& phase) {
    const bool has_id = event.contains("id") && event["id"].is_number_integer();
    require(has_id, "an arrow has a number", event);
    if (!has_id) return;
    const Arrow arrow{{event["pid"], event["tid"]}, event["ts"]};
    auto& arrows = phase == "s" ? begun_ : ended_;
    require(arrows.emplace(event["id"].get<std::int64_t>(), arrow).second,
            "an arrow's number is its own", event);
    require(phase == "s" || event.value("bp", "") == "e", "an arrow ends in the slice it is in",
            event);
  }

  void check_whole() {
    for (const int process : reading_.processes) {
      require(named_processes_.count(process) == 1, "every process has a name", process);
    }
    for (const auto& [thread, slices] : slices_) {
      require(named_threads_.count(thread) == 1, "every thread has a name", thread.second);
    }
    require(begun_.size() == ended_.size(), "every arrow begins and ends", begun_.size());
    for (const auto& [id, end] : ended_) {
      const auto begin = begun_.find(id);
      require(begin != begun_.end(), "an arrow that ends has begun", id);
      if (begin == begun_.end()) continue;
      require(end.at >= begin->second.at, "an arrow goes forward in time", id);
      require(is_inside_slice(begin->second) && is_inside_slice(end), "an arrow joins slices", id);
    }
  }

  bool is_inside_slice(const Arrow& arrow) const {
    const auto slices = slices_.find(arrow.thread);
    if (slices == slices_.end()) return false;
    const std::int64_t at = nanoseconds(arrow.at);
    const auto after =
        std::upper_bound(slices->second.begin(), slices->second.end(), at,
                         [](std::int64_t time, const Slice& slice) { return time < slice.begin; });
    return after != slices->second.begin() && at < std::prev(after)->end;
  }

  // As Perfetto reads microseconds.
  static std::int64_t nanoseconds(double microseconds) {
    return static_cast<std::int64_t>(microseconds * 1000.0);
  }

  TraceReading reading_;
  std::set<std::string> complained_;
  std::set<int> named_processes_;
  std::set<Thread> named_threads_;
  std::map<std::pair<int, std::string>, double> last_count_;
  std::map<Thread, std::vector<Slice>> slices_;
  std::map<std::int64_t, Arrow> begun_;
  std::map<std::int64_t, Arrow> ended_;
};

}  // namespace stepcast::test
