// What an evaluation took, in words: as `velum infer` and `velum run` say it.
#pragma once

#include <string>

#include "velum/detail/common.h"

namespace velum::session {

// "time         ...\n", the names as wide as every command's.
std::string said(const std::string& name, const std::string& value);
std::string time_text(const EvaluationReport& r);
// "500 of 8,192 slots used", of all batches.
std::string slots_text(const EvaluationReport& r);
// The same, and whether new memory was touched.
std::string places_text(const EvaluationReport& r);
// Bytes an image to send and to get back.
std::string traffic_text(const EvaluationReport& r);

}  // namespace velum::session
