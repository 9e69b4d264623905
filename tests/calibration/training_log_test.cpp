#include "calibration/readers/training_log.h"

#include <catch2/catch.hpp>
#include <string>

#include "tests/base/error_text.h"

namespace stepcast {
namespace {

using Catch::Matchers::WithinRel;

const std::string megatron =
    " [2025-03-04 10:00:00] iteration       10/    2000 | consumed samples:         1280 | elapsed "
    "time per iteration (ms): 31400.0 | learning rate: 3.0E-04 | global batch size:   128 | lm "
    "loss: 6.9 |\n"
    "[Rank 0] (after 10 iterations) memory (MB) | allocated: 100.0 | max allocated: 2048.0 | "
    "reserved: 100.0 | max reserved: 4096.0\n"
    "(min, max) time across ranks (ms):\n"
    "    forward-backward ...............................: (7100.00, 7200.00)\n"
    " iteration       20/    2000 | consumed samples:         2560 | elapsed time per iteration "
    "(ms): 7900.5 | global batch size:   128 |\n";

TEST_CASE("Megatron-LM's iterations, timers and memory are read", "[calibration]") {
  const TrainingLog log = parse_training_log(megatron, "m.log");
  CHECK(log.format == "Megatron-LM");
  REQUIRE(log.iterations.size() == 2);
  CHECK(log.iterations[1].iteration == 20);
  CHECK(log.iterations[1].line == 5);
  CHECK_THAT(log.iterations[1].time->value(), WithinRel(7.9005, 1e-12));
  CHECK(log.global_batch == 128);
  REQUIRE(log.timers.size() == 1);
  CHECK(log.timers[0].name == "forward-backward");
  CHECK_THAT(log.timers[0].mean.value(), WithinRel(7.2, 1e-12));  // the slowest rank's
  REQUIRE(log.memory.size() == 2);
  CHECK(log.memory[0].peak == 2_GiB);
  CHECK(log.memory[1].kind == MemoryKind::Reserved);
}

TEST_CASE("iterations in seconds are seconds", "[calibration]") {
  const TrainingLog log = parse_training_log(
      "iteration 5/ 10 | consumed samples: 5 | elapsed time per iteration (s): 103.68 | \n", "b");
  CHECK_THAT(log.iterations[0].time->value(), WithinRel(103.68, 1e-12));
}

TEST_CASE("a Megatron-LM log that is cut off names its line", "[calibration]") {
  const auto cut = [](const std::string& end) {
    return error_text([&] { parse_training_log(megatron + end, "m.log"); });
  };
  CHECK(cut(" iteration       30/    2000 | consumed samples:   3840 | elapsed") ==
        "m.log: at line 6: the iteration has no \"elapsed time per iteration\"\n"
        "  hint: the log seems to be cut off");
  CHECK(cut(" iteration       30/    2000 | consumed samples:   3840 | elapsed time per iteration "
            "(ms):") ==
        "m.log: at line 6: the line ends after \"elapsed time per iteration (ms):\"\n"
        "  hint: the log seems to be cut off");
}

TEST_CASE("DeepSpeed's rates, breakdown and memory are read", "[calibration]") {
  const TrainingLog log = parse_training_log(
      "[Rank 0] time (ms) | fwd_microstep: 138.2 | bwd_microstep: 330.0 | step_microstep: 181.2\n"
      "epoch=0/micro_step=16/global_step=4, RunningAvgSamplesPerSec=15.0, "
      "CurrSamplesPerSec=16.0, MemAllocated=25.41GB, MaxMemAllocated=42.0GB\n",
      "d.log");
  CHECK(log.format == "DeepSpeed");
  REQUIRE(log.iterations.size() == 1);
  CHECK(log.iterations[0].iteration == 4);
  CHECK(log.iterations[0].samples_per_s == 16.0);
  REQUIRE(log.timers.size() == 3);
  CHECK_THAT(log.timers[1].mean.value(), WithinRel(0.33, 1e-12));
  REQUIRE(log.memory.size() == 1);
  CHECK(log.memory[0].peak == 42_GiB);
}

TEST_CASE("DeepSpeed's pipeline engine and flops profiler give times", "[calibration]") {
  const TrainingLog pipeline = parse_training_log(
      "steps: 10 loss: 7.1234 iter time (s): 1.234 samples/sec: 415.0\n", "p.log");
  CHECK_THAT(pipeline.iterations[0].time->value(), WithinRel(1.234, 1e-12));
  const TrainingLog profiled = parse_training_log(
      "-------- DeepSpeed Flops Profiler --------\n"
      "fwd latency:                 123.4 ms\n"
      "iter latency:                1.5 s\n",
      "f.log");
  CHECK_THAT(profiled.iterations[0].time->value(), WithinRel(1.5, 1e-12));
}

TEST_CASE("MLPerf's entries give step times, and blocks give rates", "[calibration]") {
  const TrainingLog stats = parse_training_log(
      "0: :::MLLOG {\"key\": \"global_batch_size\", \"value\": 512, \"time_ms\": 1}\n"
      "0: :::MLLOG {\"key\": \"tracked_stats\", \"value\": {\"train_step_time\": 8.25}, "
      "\"metadata\": {\"step\": 10}, \"time_ms\": 2}\n",
      "l.log");
  CHECK(stats.global_batch == 512);
  CHECK(stats.iterations[0].iteration == 10);
  CHECK_THAT(stats.iterations[0].time->value(), WithinRel(8.25, 1e-12));
  // 5,120 samples in 10 s.
  const TrainingLog blocks = parse_training_log(
      ":::MLLOG {\"key\": \"block_start\", \"time_ms\": 1000, \"metadata\": {\"samples_count\": "
      "1}}\n"
      ":::MLLOG {\"key\": \"block_stop\", \"time_ms\": 11000, \"metadata\": {\"samples_count\": "
      "5121}}\n",
      "l.log");
  CHECK_THAT(*blocks.iterations[0].samples_per_s, WithinRel(512.0, 1e-12));
}

TEST_CASE("MLPerf's entry that is cut off names its line", "[calibration]") {
  CHECK(error_text([] { parse_training_log("x\n:::MLLOG {\"key\": \"tracked_sta", "l.log"); }) ==
        "l.log: at line 2: what follows :::MLLOG is no JSON object\n"
        "  hint: the log seems to be cut off");
}

TEST_CASE("empty, binary and foreign files are no training logs", "[calibration]") {
  CHECK(error_text([] { parse_training_log("", "e"); }) == "e: at /: the file is empty");
  CHECK(error_text([] { parse_training_log(std::string("\0\1\2", 3), "b"); }) ==
        "b: at line 1: this is no text\n  hint: a compressed file is to be unpacked first");
  CHECK(error_text([] { parse_training_log("hello\n", "f"); }) ==
        "f: at /: this is no training log that is known\n"
        "  hint: Megatron-LM, DeepSpeed, MLPerf (:::MLLOG) and traces of the PyTorch profiler are");
}

}  // namespace
}  // namespace stepcast
