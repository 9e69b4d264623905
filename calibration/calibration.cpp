#include "calibration/calibration.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <string_view>

#include "base/contract.h"
#include "models/profile_constants.h"

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

bool is_correction(std::string_view path) {
  return path.starts_with("network/inside_node/") || path.starts_with("network/across_nodes/");
}

// Saves asking predictions that are dear: a step's peak of memory does not depend on times.
bool may_feel(EvidenceKind kind, std::string_view path) {
  const bool of_memory = path.starts_with("framework/memory/");
  switch (kind) {
    case EvidenceKind::Collective:
      return path.starts_with("network/");
    case EvidenceKind::Kernel:
      return path.starts_with("gpu/");
    case EvidenceKind::PeakMemory:
      return of_memory;
    case EvidenceKind::StepTime:
      break;
  }
  return !of_memory;
}

double at(const CalibratedConstant& constant, double z) {
  if (constant.additive) return std::max(0.0, constant.prior + constant.prior_spread * z);
  return constant.prior * std::exp(constant.prior_spread * z);
}

// A profile whose constants can be set by number. Evidence is predicted from one at a time.
class MovableProfile {
 public:
  MovableProfile(const Profile& prior, const std::vector<CalibratedConstant>& constants)
      : profile_(std::make_unique<Profile>(prior)) {
    const std::vector<ConstantRef> all = constants_of(*profile_);
    for (const CalibratedConstant& constant : constants) {
      const auto found = std::find_if(all.begin(), all.end(), [&](const ConstantRef& candidate) {
        return candidate.path() == constant.path;
      });
      STEPCAST_REQUIRES(found != all.end());
      references_.push_back(*found);
    }
  }

  const Profile& with(std::span<const double> values) {
    for (std::size_t i = 0; i < values.size(); ++i) references_[i].set_value(values[i]);
    return *profile_;
  }

  const Profile& with(std::size_t constant, double value) {
    references_[constant].set_value(value);
    return *profile_;
  }

 private:
  std::unique_ptr<Profile> profile_;
  std::vector<ConstantRef> references_;
};

FitProblem problem_of(const std::vector<CalibratedConstant>& constants, const Profile& prior,
                      std::span<const Evidence> evidence, bool collectives) {
  constexpr int kStartsWithKinks = 6;
  FitProblem problem;
  for (const CalibratedConstant& constant : constants) {
    problem.parameters.push_back({constant.path, constant.prior, constant.prior_spread,
                                  constant.additive ? FitScale::Linear : FitScale::Logarithmic});
  }
  for (const Evidence& one : evidence) {
    problem.measurements.push_back({one.name, one.measured, one.noise});
  }
  problem.starts = collectives ? kStartsWithKinks : 1;
  problem.predict = [evidence, movable = std::make_shared<MovableProfile>(prior, constants)](
                        std::span<const double> values) {
    const Profile& profile = movable->with(values);
    std::vector<double> predicted;
    predicted.reserve(evidence.size());
    for (const Evidence& one : evidence) predicted.push_back(one.predict(profile));
    return predicted;
  };
  problem.predict_one = [evidence, movable = std::make_shared<MovableProfile>(prior, constants)](
                            std::span<const double> values, std::size_t one) {
    return evidence[one].predict(movable->with(values));
  };
  return problem;
}

// What the fit found of the noise of one kind of evidence: the root mean square of what is left,
// drawn to the noise as stated as if five further measurements had shown it.
double noise_found(EvidenceKind kind, std::span<const Evidence> evidence, const MapFit& fit,
                   double stated) {
  constexpr double kDrawnBy = 5;
  double sum = kDrawnBy * stated * stated;
  double weight = kDrawnBy;
  for (std::size_t i = 0; i < evidence.size(); ++i) {
    if (evidence[i].kind != kind) continue;
    const FittedMeasurement& fitted = fit.measurements[i];
    sum += fitted.weight * fitted.miss_left_out * fitted.miss_left_out;
    weight += fitted.weight;
  }
  return std::sqrt(sum / weight);
}

std::vector<CalibrationResidual> residuals_of(std::span<const Evidence> evidence,
                                              const MapFit& fit) {
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

std::vector<ConstantCorrelation> correlations_of(const std::vector<CalibratedConstant>& constants,
                                                 const MapFit& fit) {
  constexpr double kListed = 0.01;
  std::vector<ConstantCorrelation> pairs;
  for (std::size_t p = 0; p < constants.size(); ++p) {
    for (std::size_t q = 0; q < p; ++q) {
      const double correlation = fit.correlation[p * constants.size() + q];
      if (std::abs(correlation) < kListed) continue;
      pairs.push_back({constants[p].path, constants[q].path, correlation});
    }
  }
  return pairs;
}

void take_over(std::vector<CalibratedConstant>& constants, const MapFit& fit) {
  for (std::size_t p = 0; p < constants.size(); ++p) {
    constants[p].value = fit.parameters[p].value;
    constants[p].spread = fit.parameters[p].spread;
    constants[p].prior_kept = fit.parameters[p].prior_kept;
  }
}

void set_constants(Profile& profile, const std::vector<CalibratedConstant>& constants) {
  for (const ConstantRef& constant : constants_of(profile)) {
    for (const CalibratedConstant& fitted : constants) {
      if (fitted.path != constant.path() || fitted.prior_kept == 1.0) continue;
      constant.set_value(fitted.value);
      constant.spread() = fitted.spread;
      constant.fitted_to() = "stepcast calibrate";
    }
  }
}

}  // namespace

std::vector<CalibratedConstant> calibratable_constants(const Profile& prior, bool collectives) {
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
    const double spread = adds ? additive->spread : constant.spread();
    const double value = constant.value();
    if (spread <= 0 || (!adds && value <= 0)) continue;
    constants.push_back({path, value, spread, value, spread, 1.0, adds});
  }
  return constants;
}

std::vector<std::vector<std::size_t>> felt_by(const std::vector<CalibratedConstant>& constants,
                                              const Profile& prior,
                                              std::span<const Evidence> evidence) {
  constexpr double kSpreads = 1.5;
  constexpr double kOfNoise = 0.01;
  MovableProfile movable(prior, constants);
  std::vector<std::vector<std::size_t>> felt;
  for (std::size_t p = 0; p < constants.size(); ++p) {
    std::vector<std::size_t>& rows = felt.emplace_back();
    for (std::size_t i = 0; i < evidence.size(); ++i) {
      if (!may_feel(evidence[i].kind, constants[p].path)) continue;
      const double low = evidence[i].predict(movable.with(p, at(constants[p], -kSpreads)));
      const double high = evidence[i].predict(movable.with(p, at(constants[p], kSpreads)));
      if (std::abs(high / low - 1) > kOfNoise * evidence[i].noise) rows.push_back(i);
    }
    movable.with(p, constants[p].prior);
  }
  return felt;
}

Calibration calibrate(const Profile& prior, std::span<const Evidence> evidence) {
  STEPCAST_REQUIRES(!evidence.empty());
  const bool collectives = std::any_of(evidence.begin(), evidence.end(),
                                       [](const Evidence& one) { return one.collective; });
  const std::vector<CalibratedConstant> all = calibratable_constants(prior, collectives);
  const std::vector<std::vector<std::size_t>> rows = felt_by(all, prior, evidence);
  std::vector<CalibratedConstant> constants, unfelt;
  std::vector<std::vector<std::size_t>> felt;
  for (std::size_t i = 0; i < all.size(); ++i) {
    (rows[i].empty() ? unfelt : constants).push_back(all[i]);
    if (!rows[i].empty()) felt.push_back(rows[i]);
  }
  Calibration calibration;
  calibration.profile = prior;
  CalibrationRecord& record = calibration.record;
  STEPCAST_REQUIRES(!constants.empty());
  FitProblem problem = problem_of(constants, prior, evidence, collectives);
  problem.felt_by = std::move(felt);
  const MapFit fit = fit_map(problem);
  record.converged = fit.converged;
  take_over(constants, fit);
  set_constants(calibration.profile, constants);
  record.collective_noise = noise_found(EvidenceKind::Collective, evidence, fit, kCollectiveNoise);
  record.step_noise = noise_found(EvidenceKind::StepTime, evidence, fit, kStepNoise);
  record.correlations = correlations_of(constants, fit);
  record.collectives = collectives_of(evidence);
  record.residuals = residuals_of(evidence, fit);
  record.constants = std::move(constants);
  record.constants.insert(record.constants.end(), unfelt.begin(), unfelt.end());
  return calibration;
}

}  // namespace stepcast
