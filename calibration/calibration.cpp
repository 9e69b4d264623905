#include "calibration/calibration.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <string_view>

#include "base/contract.h"
#include "calibration/evidence_fit.h"
#include "calibration/step_verdict.h"
#include "models/profile_constants.h"
#include "sim/step_interval.h"

namespace stepcast {
namespace {

// Spreads of the profile that are no constants of the model.
constexpr std::array<std::string_view, 3> noise_constants{
    "framework/step_time_spread", "framework/memory/spread", "gpu/kernel_time_spread"};

struct AdditiveConstant {
  std::string_view path;
  double spread;
};

// One process a GPU starts a collective in about the tuner's base latency, one process for eight
// GPUs needs some 25 us more (floors of nccl-tests logs on one node); a ramp of 2 is that of the
// best pieces (collective_corrections.h).
constexpr std::array<AdditiveConstant, 5> additive_constants{{
    {"network/launch", 20e-6},
    {"network/inside_node/ramp", 1.0},
    {"network/inside_node/nvls_ramp", 1.0},
    {"network/across_nodes/ramp", 1.0},
    {"network/across_nodes/nvls_ramp", 1.0},
}};

bool is_step(const Evidence& one) { return one.kind == EvidenceKind::StepTime; }

bool is_correction(std::string_view path) {
  return path.starts_with("network/inside_node/") || path.starts_with("network/across_nodes/");
}

bool is_latency_correction(std::string_view path) {
  return is_correction(path) && path.ends_with("/latency");
}

// What the fit found of the noise of collectives: the root mean square of what is left, drawn to
// the noise as stated as if five further measurements had shown it.
double collective_noise(std::span<const Evidence> evidence, const EvidenceFit& fit) {
  constexpr double kDrawnBy = 5;
  double sum = kDrawnBy * kCollectiveNoise * kCollectiveNoise;
  double weight = kDrawnBy;
  for (std::size_t i = 0; i < evidence.size(); ++i) {
    if (evidence[i].kind != EvidenceKind::Collective) continue;
    const FittedMeasurement& fitted = fit.measurements[i];
    sum += fitted.weight * fitted.miss_left_out * fitted.miss_left_out;
    weight += fitted.weight;
  }
  return std::sqrt(sum / weight);
}

// `moved` is the fit to all the evidence, `unmoved` the one to all but the steps.
std::vector<StepMiss> step_misses(std::span<const Evidence> evidence, const EvidenceFit& unmoved,
                                  const EvidenceFit& moved) {
  std::vector<StepMiss> misses;
  for (std::size_t i = 0; i < evidence.size(); ++i) {
    if (evidence[i].kind != EvidenceKind::StepTime) continue;
    misses.push_back(
        {unmoved.measurements[i].miss, moved.measurements[i].miss_left_out, evidence[i].noise});
  }
  return misses;
}

std::vector<CalibrationResidual> residuals_of(std::span<const Evidence> evidence,
                                              const EvidenceFit& fit) {
  std::vector<CalibrationResidual> residuals;
  for (std::size_t i = 0; i < evidence.size(); ++i) {
    const Evidence& one = evidence[i];
    const FittedMeasurement& fitted = fit.measurements[i];
    CalibrationResidual residual;
    residual.kind = word(one.kind);
    residual.name = one.name;
    residual.file = one.file;
    residual.line = one.line;
    residual.measured = one.measured;
    residual.before = std::expm1(fitted.miss_before);
    residual.after = std::expm1(fitted.miss);
    residual.left_out = std::expm1(fitted.miss_left_out);
    residual.weight = fitted.weight;
    if (one.collective) {
      residual.collective = word(one.collective->kind);
      residual.message = one.collective->message;
      residual.ranks = one.collective->ranks;
    }
    residuals.push_back(residual);
  }
  return residuals;
}

std::vector<MeasuredCollectives> collectives_of(std::span<const Evidence> evidence) {
  std::vector<MeasuredCollectives> all;
  for (const Evidence& one : evidence) {
    if (!one.collective) continue;
    const CollectivePoint& point = *one.collective;
    const auto same = std::find_if(all.begin(), all.end(), [&](const MeasuredCollectives& known) {
      return known.collective == word(point.kind) && known.ranks == point.ranks;
    });
    if (same == all.end()) {
      all.push_back(
          {std::string(word(point.kind)), point.ranks, point.nodes, point.message, point.message});
    } else {
      same->smallest = std::min(same->smallest, point.message);
      same->largest = std::max(same->largest, point.message);
    }
  }
  return all;
}

}  // namespace

std::vector<CalibratedConstant> calibratable_constants(const Profile& prior, bool collectives,
                                                       bool steps) {
  constexpr double kClockOfCluster = 0.08;
  constexpr double kLatencyOfCluster = 0.6;
  Profile profile = prior;
  std::vector<CalibratedConstant> constants;
  for (const ConstantRef& constant : constants_of(profile)) {
    const std::string& path = constant.path();
    if (std::count(noise_constants.begin(), noise_constants.end(), path) > 0) continue;
    if (is_correction(path) && !collectives) continue;
    const auto additive =
        std::find_if(additive_constants.begin(), additive_constants.end(),
                     [&](const AdditiveConstant& known) { return known.path == path; });
    const bool adds = additive != additive_constants.end();
    double spread = adds ? additive->spread : constant.spread();
    if (steps && path == "gpu/sustained_clock") spread = std::max(spread, kClockOfCluster);
    if (is_latency_correction(path)) spread = std::max(spread, kLatencyOfCluster);
    const double value = constant.value();
    if (spread <= 0 || (!adds && value <= 0)) continue;
    constants.push_back({path, value, spread, value, spread, 1.0, adds});
  }
  return constants;
}

Calibration calibrate(const Profile& prior, std::span<const Evidence> evidence,
                      const FitWatch& watch) {
  STEPCAST_REQUIRES(!evidence.empty());
  const bool collectives = std::any_of(evidence.begin(), evidence.end(),
                                       [](const Evidence& one) { return one.collective; });
  const auto steps = std::count_if(evidence.begin(), evidence.end(), is_step);
  const std::vector<CalibratedConstant> constants =
      calibratable_constants(prior, collectives, steps > 0);
  const std::vector<FeltRows> felt = felt_by(constants, prior, evidence);
  const auto fit_to = [&](const std::function<bool(const Evidence&)>& takes_part) {
    return fit_evidence(prior, constants, felt, evidence, takes_part, watch);
  };
  Calibration calibration;
  CalibrationRecord& record = calibration.record;
  EvidenceFit fit = fit_to([](const Evidence& one) { return !is_step(one); });
  if (steps > 0) {
    // One step alone cannot be left out: it says nothing of constants.
    EvidenceFit moved = steps > 1 ? fit_to([](const Evidence&) { return true; }) : fit;
    const std::vector<StepMiss> misses = step_misses(evidence, fit, moved);
    record.step_odds = odds_of_moving(misses);
    record.steps_moved = steps_move_constants(misses);
    record.step_noise = step_scatter(misses, record.steps_moved) * run_noise(prior, 1);
    if (record.steps_moved) fit = std::move(moved);
  }
  record.converged = fit.converged;
  record.collective_noise = collective_noise(evidence, fit);
  record.collectives = collectives_of(evidence);
  record.residuals = residuals_of(evidence, fit);
  record.correlations = std::move(fit.correlations);
  record.constants = std::move(fit.constants);
  calibration.profile = std::move(fit.profile);
  return calibration;
}

}  // namespace stepcast
