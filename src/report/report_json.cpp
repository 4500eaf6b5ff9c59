#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "report/report.h"

namespace velum::report {

namespace {

Json or_null(const std::optional<double>& x) {
  return x ? Json(*x) : Json();
}

std::optional<double> optional_number(const Json& j) {
  return j.is_null() ? std::nullopt : std::optional(j.get<double>());
}

// One array by member, for all classes.
template <typename Get>
Json by_class(const Metrics& m, Get get) {
  auto all = Json::array();
  for (const auto& c : m.classes) all.push_back(get(c));
  return all;
}

Json roc_json(const ClassMetrics& c) {
  auto points = Json::array();
  for (const auto& p : c.roc) points.push_back({p.false_positive, p.true_positive});
  return points;
}

Metrics metrics_from(const Json& j) {
  Metrics m;
  m.images = j.at("images").get<std::size_t>();
  m.accuracy = j.at("accuracy").get<double>();
  m.macro_f1 = j.at("macro_f1").get<double>();
  m.auc = optional_number(j.at("auc"));
  m.not_finite = j.at("not_finite").get<std::size_t>();
  m.confusion = j.at("confusion").get<std::vector<std::vector<std::size_t>>>();
  for (std::size_t c = 0; c < j.at("classes").size(); ++c) {
    ClassMetrics one;
    one.name = j.at("classes").at(c).get<std::string>();
    one.images = j.at("class_images").at(c).get<std::size_t>();
    one.predicted = j.at("class_predicted").at(c).get<std::size_t>();
    one.precision = j.at("precision").at(c).get<double>();
    one.recall = j.at("recall").at(c).get<double>();
    one.f1 = j.at("f1").at(c).get<double>();
    one.auc = optional_number(j.at("class_auc").at(c));
    for (const auto& p : j.at("roc").at(c)) one.roc.push_back({p.at(0).get<double>(), p.at(1).get<double>()});
    m.classes.push_back(std::move(one));
  }
  return m;
}

Json to_json(const model::Range& r) {
  return {{"low", r.low}, {"high", r.high}, {"rms", r.rms}};
}

model::Range range_from(const Json& j) {
  return {j.at("low").get<double>(), j.at("high").get<double>(), j.at("rms").get<double>()};
}

Json to_json(const Curve& c) {
  return {c.a, c.b, c.c};
}

Curve curve_from(const Json& j) {
  return {j.at(0).get<double>(), j.at(1).get<double>(), j.at(2).get<double>()};
}

Json to_json(const Activation& a) {
  Json j{{"name", a.name},
         {"function", a.relu ? "relu" : "quadratic"},
         {"elements", a.elements},
         {"input", to_json(a.input)},
         {"output", to_json(a.output)}};
  if (a.planned) j["planned_input"] = to_json(*a.planned);
  if (a.teacher) j["teacher_input"] = to_json(*a.teacher);
  j["units"] = Json::array();
  for (const auto& u : a.units) {
    Json unit{{"element", u.element}, {"low", u.low}, {"high", u.high}, {"coefficients", to_json(u.curve)}};
    if (u.start) unit["start"] = to_json(*u.start);
    j["units"].push_back(std::move(unit));
  }
  return j;
}

Activation activation_from(const Json& j) {
  Activation a;
  a.name = j.at("name").get<std::string>();
  a.relu = j.at("function").get<std::string>() == "relu";
  a.elements = j.at("elements").get<std::size_t>();
  a.input = range_from(j.at("input"));
  a.output = range_from(j.at("output"));
  if (j.contains("planned_input")) a.planned = range_from(j["planned_input"]);
  if (j.contains("teacher_input")) a.teacher = range_from(j["teacher_input"]);
  for (const auto& u : j.at("units")) {
    Unit unit{u.at("element").get<std::size_t>(), u.at("low").get<double>(), u.at("high").get<double>(),
              curve_from(u.at("coefficients")), std::nullopt};
    if (u.contains("start")) unit.start = curve_from(u["start"]);
    a.units.push_back(unit);
  }
  return a;
}

Json to_json(const Epoch& e) {
  Json j{{"epoch", e.epoch}, {"loss", e.loss}, {"train_accuracy", e.train_accuracy}};
  if (e.validation_accuracy) j["validation_accuracy"] = *e.validation_accuracy;
  if (e.validation_loss) j["validation_loss"] = *e.validation_loss;
  if (e.replaced) j["replaced"] = *e.replaced;
  return j;
}

Epoch epoch_from(const Json& j) {
  Epoch e;
  e.epoch = j.at("epoch").get<int>();
  e.loss = j.at("loss").get<double>();
  e.train_accuracy = j.at("train_accuracy").get<double>();
  if (j.contains("validation_accuracy")) e.validation_accuracy = j["validation_accuracy"].get<double>();
  if (j.contains("validation_loss")) e.validation_loss = j["validation_loss"].get<double>();
  if (j.contains("replaced")) e.replaced = j["replaced"].get<double>();
  return e;
}

Json to_json(const StepTime& s) {
  Json j{{"name", s.name}, {"seconds", s.seconds}};
  if (s.predicted) j["predicted"] = *s.predicted;
  if (s.precision) j["precision_bits"] = *s.precision;
  if (s.noise_precision) j["noise_precision_bits"] = *s.noise_precision;
  return j;
}

StepTime step_from(const Json& j) {
  StepTime s{j.at("name").get<std::string>(), j.at("seconds").get<double>(), {}, {}, {}};
  if (j.contains("predicted")) s.predicted = j["predicted"].get<double>();
  if (j.contains("precision_bits")) s.precision = j["precision_bits"].get<double>();
  if (j.contains("noise_precision_bits")) s.noise_precision = j["noise_precision_bits"].get<double>();
  return s;
}

}  // namespace

Json to_json(const Metrics& m) {
  return {{"images", m.images},
          {"accuracy", m.accuracy},
          {"macro_f1", m.macro_f1},
          {"auc", or_null(m.auc)},
          {"f1", by_class(m, [](const auto& c) { return c.f1; })},
          {"precision", by_class(m, [](const auto& c) { return c.precision; })},
          {"recall", by_class(m, [](const auto& c) { return c.recall; })},
          {"class_auc", by_class(m, [](const auto& c) { return or_null(c.auc); })},
          {"classes", by_class(m, [](const auto& c) { return c.name; })},
          {"class_images", by_class(m, [](const auto& c) { return c.images; })},
          {"class_predicted", by_class(m, [](const auto& c) { return c.predicted; })},
          {"not_finite", m.not_finite},
          {"confusion", m.confusion},
          {"roc", by_class(m, roc_json)}};
}

Json to_json(const Report& r) {
  Json j;
  j["title"] = r.title;
  j["subtitle"] = r.subtitle;
  j["facts"] = Json::object();
  for (const auto& fact : r.facts) j["facts"][fact.name] = fact.value;
  j["notes"] = r.notes;
  j["evaluations"] = Json::array();
  for (const auto& e : r.evaluations) {
    Json one{{"name", e.name}};
    one.update(to_json(e.metrics));
    if (!e.same_images) one["same_images"] = false;
    j["evaluations"].push_back(std::move(one));
  }
  j["history"] = Json::array();
  for (const auto& e : r.history) j["history"].push_back(to_json(e));
  j["teacher_history"] = Json::array();
  for (const auto& e : r.teacher_history) j["teacher_history"].push_back(to_json(e));
  j["activations"] = Json::array();
  for (const auto& a : r.activations) j["activations"].push_back(to_json(a));
  j["steps"] = Json::array();
  for (const auto& s : r.steps) j["steps"].push_back(to_json(s));
  if (!r.headlines.empty()) j["headlines"] = Json::array();
  for (const auto& h : r.headlines) j["headlines"].push_back({h.name, h.value, h.more});
  if (r.encrypted_and_clear) j["encrypted_and_clear"] = true;
  return j;
}

Report report_from_json(const Json& j, const std::string& what) {
  try {
    Report r;
    r.title = j.at("title").get<std::string>();
    r.subtitle = j.at("subtitle").get<std::string>();
    for (const auto& [name, value] : j.at("facts").items())
      r.facts.push_back({name, value.get<std::string>()});
    r.notes = j.at("notes").get<std::vector<std::string>>();
    for (const auto& e : j.at("evaluations"))
      r.evaluations.push_back(
          {e.at("name").get<std::string>(), metrics_from(e), e.value("same_images", true)});
    for (const auto& e : j.at("history")) r.history.push_back(epoch_from(e));
    for (const auto& e : j.at("teacher_history")) r.teacher_history.push_back(epoch_from(e));
    for (const auto& a : j.at("activations")) r.activations.push_back(activation_from(a));
    for (const auto& s : j.at("steps")) r.steps.push_back(step_from(s));
    for (const auto& h : j.value("headlines", Json::array()))
      r.headlines.push_back(
          {h.at(0).get<std::string>(), h.at(1).get<std::string>(), h.at(2).get<std::string>()});
    r.encrypted_and_clear = j.value("encrypted_and_clear", false);
    return r;
  } catch (const Json::exception& e) {
    fail_user("{}: not a report of Velum: {}", what, e.what());
  }
}

std::string curves_csv(const Report& r) {
  std::string text = "network,epoch,loss,train_accuracy,validation_loss,validation_accuracy,replaced\n";
  const auto number = [](const std::optional<double>& x) {
    return x ? fmt::format("{:.9g}", *x) : std::string();
  };
  const auto add = [&](const char* network, const std::vector<Epoch>& history) {
    for (const auto& e : history)
      text +=
          fmt::format("{},{},{},{},{},{},{}\n", network, e.epoch, number(e.loss), number(e.train_accuracy),
                      number(e.validation_loss), number(e.validation_accuracy), number(e.replaced));
  };
  add("teacher", r.teacher_history);
  add("network", r.history);
  return text;
}

}  // namespace velum::report
