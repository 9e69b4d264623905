#include <catch2/catch.hpp>
#include <string>

#include "calibration/readers/kernel_table.h"
#include "calibration/readers/kineto_trace.h"
#include "calibration/readers/memory_table.h"
#include "tests/base/error_text.h"

namespace stepcast {
namespace {

using Catch::Matchers::WithinRel;

TEST_CASE("a table of kernels is read with its units", "[calibration]") {
  const auto kernels =
      parse_kernel_table("m, n, k, precision, time_ms\n4096, 1024, 512, fp16, 0.25\n", "k.csv");
  REQUIRE(kernels.size() == 1);
  const auto& gemm = std::get<MeasuredGemm>(kernels[0].kernel);
  CHECK(gemm.shape.m == 4096);
  CHECK(gemm.shape.batch == 1);
  CHECK(gemm.precision == Precision::Fp16);
  CHECK_THAT(kernels[0].time.value(), WithinRel(250e-6, 1e-12));
  CHECK(kernels[0].line == 2);
  const auto moved = parse_kernel_table("bytes,time_us\n1e9,600\n", "b.csv");
  CHECK(std::get<MeasuredTraffic>(moved[0].kernel).traffic == 1_GB);
}

TEST_CASE("a table of kernels says which cell is wrong", "[calibration]") {
  const auto error = [](const std::string& text) {
    return error_text([&] { parse_kernel_table(text, "k.csv"); });
  };
  CHECK(error("m,n,k,time_us\n8,8,x,1\n") ==
        "k.csv: at line 2: column \"k\" holds \"x\", expected a number above 0");
  CHECK(error("m,n,k,time_us\n8,8,8,1\n8,8\n") ==
        "k.csv: at line 3: the row has 2 cells, the header 4\n"
        "  hint: the file seems to be cut off");
  CHECK(error("m,n,k\n8,8,8\n") ==
        "k.csv: at /: the table has no column with times\n"
        "  hint: expected time_us, latency_us, time_ms or time_s in the first line");
  CHECK(error("m,n,k,time_us\n") == "k.csv: at /: the table has no rows");
}

TEST_CASE("the peak over all GPUs and samples counts", "[calibration]") {
  const std::string table =
      "timestamp, index, name, memory.used [MiB], memory.total [MiB]\n"
      "t0, 0, A100, 1000 MiB, 81920 MiB\n"
      "t0, 1, A100, 3072 MiB, 81920 MiB\n"
      "t1, 0, A100, 2048 MiB, 81920 MiB\n";
  REQUIRE(is_memory_table(table));
  const DeviceMemoryLog log = parse_memory_table(table, "n.csv");
  CHECK(log.peak == 3_GiB);
  CHECK(log.gpus == 2);
  CHECK(log.samples == 3);
  CHECK(log.line == 3);
  CHECK(is_memory_table("Time,gpu,DCGM_FI_DEV_FB_USED\n"));
}

TEST_CASE("a trace tells compute, collectives and what of them runs at once", "[calibration]") {
  // Kernels from 0 to 100 and 150 to 250 us, an all-gather from 50 to 200 us: 150 us, of which 100
  // beside kernels; 8 Mi bf16 elements out are 16 MiB.
  const KinetoTrace trace = parse_kineto_trace(R"({"traceEvents": [
    {"ph":"X","cat":"kernel","name":"gemm","ts":0,"dur":100},
    {"ph":"X","cat":"kernel","name":"gemm","ts":150,"dur":100},
    {"ph":"X","cat":"kernel","name":"ncclDevKernel_AllGather_RING_LL","ts":50,"dur":150,
     "args":{
  "Collective name" : "_allgather_base",
                      "In msg nelems" : 4194304,
                      "Out msg nelems" : 8388608,
                      "Group size" : 2,
                      "dtype" : "BFloat16"}},
    {"ph":"X","cat":"user_annotation","name":"ProfilerStep#7","ts":0,"dur":260},
    {"ph":"i","name":"something else"}]
})",
                                               "t.json");
  CHECK_THAT(trace.compute.value(), WithinRel(200e-6, 1e-9));
  CHECK_THAT(trace.communication.value(), WithinRel(150e-6, 1e-9));
  CHECK_THAT(trace.overlap.value(), WithinRel(100e-6, 1e-9));
  REQUIRE(trace.kernels.size() == 1);
  CHECK(trace.kernels[0].calls == 2);
  REQUIRE(trace.collectives.size() == 1);
  CHECK(trace.collectives[0].collective == "all_gather");
  CHECK(trace.collectives[0].message == 16_MiB);
  CHECK(trace.collectives[0].ranks == 2);
  REQUIRE(trace.log.iterations.size() == 1);
  CHECK(trace.log.iterations[0].iteration == 7);
}

TEST_CASE("a trace that is cut off or empty is an error", "[calibration]") {
  CHECK(error_text([] { parse_kineto_trace(R"({"traceEvents": [{"ph")", "t.json"); }) ==
        "t.json: at /: the trace is no JSON\n  hint: it seems to be cut off");
  CHECK(error_text([] { parse_kineto_trace(R"({"traceEvents": []})", "t.json"); }) ==
        "t.json: at /traceEvents: the trace holds no kernel\n"
        "  hint: profile with activities=[CPU, CUDA]");
}

}  // namespace
}  // namespace stepcast
