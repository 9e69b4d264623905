// Runs the benchmarks and says how cost grows: where a benchmark ran at several sizes, the exponent
// that fits its times best. --benchmark_out=FILE writes JSON.
#include <benchmark/benchmark.h>

#include <cmath>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

namespace {

struct Sample {
  double log_size;
  double log_time;
};

// Slope of the least-squares line through the samples.
double exponent(const std::vector<Sample>& samples) {
  double n = 0, x = 0, y = 0, xx = 0, xy = 0;
  for (const Sample& sample : samples) {
    n += 1;
    x += sample.log_size;
    y += sample.log_time;
    xx += sample.log_size * sample.log_size;
    xy += sample.log_size * sample.log_time;
  }
  return (n * xy - x * y) / (n * xx - x * x);
}

class GrowthReporter : public benchmark::ConsoleReporter {
 public:
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      const bool sized = run.complexity_n > 0 && run.run_type == Run::RT_Iteration;
      if (!sized || run.error_occurred) continue;
      samples_[run.run_name.function_name].push_back(
          {std::log(static_cast<double>(run.complexity_n)), std::log(run.GetAdjustedRealTime())});
    }
    ConsoleReporter::ReportRuns(runs);
  }

  void Finalize() override {
    for (const auto& [name, samples] : samples_) {
      if (samples.size() < 2) continue;
      std::printf("growth %-40s time ~ size^%.2f\n", name.c_str(), exponent(samples));
    }
    ConsoleReporter::Finalize();
  }

 private:
  std::map<std::string, std::vector<Sample>> samples_;
};

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  GrowthReporter reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter);
  return 0;
}
