#include "reports/csv.h"

#include <catch2/catch.hpp>

#include "tests/reports/hand_made.h"

namespace stepcast {

TEST_CASE("cells are quoted where they hold a comma, a quote or a line's end", "[reports]") {
  REQUIRE(csv_line({"a", "", "b c"}) == "a,,b c\n");
  REQUIRE(csv_line({"", "x"}) == ",x\n");
  REQUIRE(csv_line({"65B, 3D", "say \"hi\"", "two\nlines"}) ==
          "\"65B, 3D\",\"say \"\"hi\"\"\",\"two\nlines\"\n");
}

TEST_CASE("predictions are rows under one header, whole", "[reports]") {
  std::vector<Prediction> both{test::prediction_of_10_s(), test::prediction_of_6_s()};
  both[1].report.cost.reset();
  // 80 GiB = 85899345920 B and so on: 1 GiB = 1073741824 B. 64000 / 6 and / 32 to the last digit.
  const std::string expected =
      "title,gpus,step_time_s,step_time_low_s,step_time_high_s,tokens_per_s,tokens_per_s_per_gpu,"
      "model_flop_rate_per_gpu,mfu,hfu,compute_s,tensor_communication_s,context_communication_s,"
      "expert_communication_s,pipeline_communication_s,pipeline_bubble_s,data_communication_s,"
      "host_transfer_s,optimizer_s,other_s,capacity_bytes,peak_bytes,peak_allocated_bytes,"
      "peak_rank,peak_reserved_bytes,peak_low_bytes,peak_high_bytes,peak_at_s,host_peak_bytes,"
      "weights_bytes,gradients_bytes,optimizer_bytes,activations_bytes,logits_bytes,"
      "temporary_bytes,workspace_bytes,context_bytes,fragmentation_bytes,fits,oom_probability,usd_"
      "per_hour,"
      "usd_per_million_tokens,training_hours,training_usd,energy_kwh,engine\n"
      "Tiny on two nodes,16,10,9,11.5,6400,400,156000000000000,0.5,0.625,6,1.5,0,0,0.1,1.5,0.7,0,"
      "0.15,0.05,85899345920,51539607552,46170898432,0,47244640256,47244640256,55834574848,2,0,"
      "10737418240,10737418240,12884901888,"
      "11811160064,0,0,0,4294967296,1073741824,true,0.0001,23.04,1,100,2304,640,analytic\n"
      "Tiny on four nodes,32,6,5.4,6.8999999999999995,10666.666666666666,333.3333333333333,"
      "130000000000000,0.42,0.525,3,1,0,0,0.1,1.2,0.5,0,0.15,0.05,85899345920,51539607552,"
      "46170898432,0,47244640256,47244640256,55834574848,2,0,10737418240,10737418240,12884901888,"
      "11811160064,0,0,0,4294967296,1073741824,"
      "true,0.0001,,,,,,analytic\n";
  REQUIRE(results_csv(both) == expected);
}

}  // namespace stepcast
