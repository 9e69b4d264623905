#include "calibration/evidence_fit.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <memory>

#include "base/contract.h"
#include "models/profile_constants.h"

namespace stepcast {
namespace {

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
                      std::span<const Evidence> evidence) {
  constexpr int kStartsWithKinks = 6;
  const bool collectives = std::any_of(evidence.begin(), evidence.end(),
                                       [](const Evidence& one) { return one.collective; });
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

// Constants and evidence of one fit, by their places in the whole, in rising order.
struct FitPart {
  std::vector<std::size_t> constants;
  std::vector<std::size_t> evidence;
};

void join(FitPart& part, const FitPart& other) {
  const auto merge = [](std::vector<std::size_t>& to, const std::vector<std::size_t>& from) {
    std::vector<std::size_t> both;
    std::set_union(to.begin(), to.end(), from.begin(), from.end(), std::back_inserter(both));
    to = std::move(both);
  };
  merge(part.constants, other.constants);
  merge(part.evidence, other.evidence);
}

bool share_evidence(const FitPart& a, const FitPart& b) {
  return std::any_of(a.evidence.begin(), a.evidence.end(), [&](std::size_t row) {
    return std::binary_search(b.evidence.begin(), b.evidence.end(), row);
  });
}

// Constants that no measurement ties together are fitted apart, which is the same minimum: a peak
// of memory is not asked again for each step of a network's descent.
std::vector<FitPart> parts_of(const std::vector<FeltRows>& felt, std::span<const Evidence> evidence,
                              const std::function<bool(const Evidence&)>& takes_part) {
  std::vector<FitPart> parts;
  for (std::size_t p = 0; p < felt.size(); ++p) {
    FitPart part{{p}, {}};
    for (const std::size_t row : felt[p]) {
      if (takes_part(evidence[row])) part.evidence.push_back(row);
    }
    if (part.evidence.empty()) continue;
    const auto tied = std::partition(
        parts.begin(), parts.end(), [&](const FitPart& one) { return !share_evidence(one, part); });
    for (auto one = tied; one != parts.end(); ++one) join(part, *one);
    parts.erase(tied, parts.end());
    parts.push_back(std::move(part));
  }
  return parts;
}

// Rows of the whole evidence as rows of the part.
std::vector<FeltRows> felt_within(const FitPart& part, const std::vector<FeltRows>& felt) {
  std::vector<FeltRows> within;
  for (const std::size_t constant : part.constants) {
    FeltRows& rows = within.emplace_back();
    for (const std::size_t row : felt[constant]) {
      const auto place = std::lower_bound(part.evidence.begin(), part.evidence.end(), row);
      if (place == part.evidence.end() || *place != row) continue;
      rows.push_back(static_cast<std::size_t>(place - part.evidence.begin()));
    }
  }
  return within;
}

template <class T>
std::vector<T> chosen(std::span<const T> all, const std::vector<std::size_t>& places) {
  std::vector<T> some;
  for (const std::size_t place : places) some.push_back(all[place]);
  return some;
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

double miss(const Evidence& one, const Profile& profile) {
  return std::log(one.predict(profile) / one.measured);
}

// Fits one part and lays it over the result.
void fit_part(EvidenceFit& result, const FitPart& part, const Profile& prior,
              const std::vector<FeltRows>& felt, std::span<const Evidence> evidence,
              const FitWatch& watch) {
  const std::vector<CalibratedConstant> fitted =
      chosen<CalibratedConstant>(result.constants, part.constants);
  const std::vector<Evidence> rows = chosen<Evidence>(evidence, part.evidence);
  FitProblem problem = problem_of(fitted, prior, rows);
  problem.felt_by = felt_within(part, felt);
  problem.watch = watch;
  const MapFit fit = fit_map(problem);
  for (std::size_t p = 0; p < fitted.size(); ++p) {
    CalibratedConstant& constant = result.constants[part.constants[p]];
    constant.value = fit.parameters[p].value;
    constant.spread = fit.parameters[p].spread;
    constant.prior_kept = fit.parameters[p].prior_kept;
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    result.measurements[part.evidence[i]] = fit.measurements[i];
  }
  for (ConstantCorrelation& pair : correlations_of(fitted, fit)) {
    result.correlations.push_back(std::move(pair));
  }
  result.converged = result.converged && fit.converged;
}

}  // namespace

double value_at(const CalibratedConstant& constant, double spreads) {
  const double moved = constant.prior_spread * spreads;
  if (constant.additive) return std::max(0.0, constant.prior + moved);
  return constant.prior * std::exp(moved);
}

std::vector<FeltRows> felt_by(const std::vector<CalibratedConstant>& constants,
                              const Profile& prior, std::span<const Evidence> evidence) {
  constexpr double kSpreads = 1.5;
  constexpr double kOfNoise = 0.01;
  MovableProfile movable(prior, constants);
  std::vector<FeltRows> felt;
  for (std::size_t p = 0; p < constants.size(); ++p) {
    FeltRows& rows = felt.emplace_back();
    for (std::size_t i = 0; i < evidence.size(); ++i) {
      if (!may_feel(evidence[i].kind, constants[p].path)) continue;
      const double low = evidence[i].predict(movable.with(p, value_at(constants[p], -kSpreads)));
      const double high = evidence[i].predict(movable.with(p, value_at(constants[p], kSpreads)));
      if (std::abs(high / low - 1) > kOfNoise * evidence[i].noise) rows.push_back(i);
    }
    movable.with(p, constants[p].prior);
  }
  return felt;
}

EvidenceFit fit_evidence(const Profile& prior, const std::vector<CalibratedConstant>& constants,
                         const std::vector<FeltRows>& felt, std::span<const Evidence> evidence,
                         const std::function<bool(const Evidence&)>& takes_part,
                         const FitWatch& watch) {
  EvidenceFit result{prior, constants, {}, std::vector<FittedMeasurement>(evidence.size()), true};
  std::vector<bool> fitted(evidence.size());
  for (const FitPart& part : parts_of(felt, evidence, takes_part)) {
    fit_part(result, part, prior, felt, evidence, watch);
    for (const std::size_t row : part.evidence) fitted[row] = true;
  }
  set_constants(result.profile, result.constants);
  for (std::size_t i = 0; i < evidence.size(); ++i) {
    if (fitted[i]) continue;
    const double after = miss(evidence[i], result.profile);
    result.measurements[i] = {miss(evidence[i], prior), after, after, 1.0, {}};
  }
  return result;
}

}  // namespace stepcast
