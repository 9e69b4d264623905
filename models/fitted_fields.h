// The keys of a fitted constant in JSON. Private to models/.
#pragma once

#include <string_view>

#include "base/fields.h"
#include "models/fitted.h"

namespace stepcast {

template <class Value>
void fitted(Fields& f, std::string_view key, Fitted<Value>& constant, std::string_view doc,
            Presence presence = Presence::Required) {
  const auto describe_constant = [&constant](Fields& g) {
    g.field("value", constant.value,
            {.presence = Presence::Required, .at_least = 0, .doc = "the constant"});
    g.field("spread", constant.spread,
            {.at_least = 0, .doc = "one standard deviation over the value"});
    g.field("fitted_to", constant.fitted_to, {.doc = "where the value comes from"});
  };
  f.object(key, describe_constant, {.presence = presence, .doc = doc});
}

}  // namespace stepcast
