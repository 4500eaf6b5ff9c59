// What is known about a network once it is trained, evaluated or run, as plain values: a JSON file and a
// self-contained HTML page say the same.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "model/graph.h"
#include "report/metrics.h"

namespace velum::report {

using Json = nlohmann::ordered_json;

// One network on one set of images. Those of a report are shown side by side, the first as the subject.
struct Evaluation {
  std::string name;  // "this network", "with quantised weights", "teacher"
  Metrics metrics;
  bool same_images = true;  // as the first: only then does a difference say something of the networks
};

struct Epoch {
  int epoch = 0;  // from 1
  double loss = 0, train_accuracy = 0;
  std::optional<double> validation_accuracy, validation_loss;
  std::optional<double> replaced;  // share of the ReLUs that are quadratics by its end
};

struct Curve {  // y = a x^2 + b x + c
  double a = 0, b = 0, c = 0;
};

// One unit of an activation layer: what it computes, and where.
struct Unit {
  std::size_t element = 0;
  double low = 0, high = 0;  // of its input over the images
  Curve curve;
  std::optional<Curve> start;  // before training
};

// An activation layer. Its coefficients may be shared by channel or by layer; a unit is one element.
struct Activation {
  std::string name;
  bool relu = false;
  std::size_t elements = 0;
  model::Range input, output;           // seen over the images
  std::optional<model::Range> planned;  // of the input, as the model records it: what the planner relies on
  std::optional<model::Range> teacher;  // of the input of the teacher's activation in the same place
  std::vector<Unit> units;              // some of them, over the layer; none for ReLU
};

struct StepTime {
  std::string name;
  double seconds = 0;
  std::optional<double> predicted = {};  // seconds, by the plan
  // Bits against the clear network, and against the plan in doubles, where the layer was decrypted.
  std::optional<double> precision = {}, noise_precision = {};
};

// A figure that comes before all others.
struct Headline {
  std::string name, value, more;
};

struct Fact {
  std::string name, value;
};

struct Report {
  std::string title, subtitle;
  std::vector<Headline> headlines;  // what a reader asks first; empty: quality of the first evaluation
  std::vector<Fact> facts;          // how it came about: command, data, options, machine
  std::vector<std::string> notes;   // what a reader must know
  std::vector<Evaluation> evaluations;
  // The first two evaluations are one network's, encrypted and in the clear: shown as one, with what differs.
  bool encrypted_and_clear = false;
  std::vector<Epoch> history;
  std::vector<Epoch> teacher_history;  // of the ReLU network that was trained first
  std::vector<Activation> activations;
  std::vector<StepTime> steps;  // of an encrypted run
};

Json to_json(const Metrics& metrics);
Json to_json(const Report& report);
// The inverse. Throws Error(user), beginning with `what`, where a key is missing or has another type.
Report report_from_json(const Json& json, const std::string& what);

// The curves of a training, a row an epoch:
// network,epoch,loss,train_accuracy,validation_loss,validation_accuracy,replaced. The network is "teacher"
// for the ReLU network that was trained first, else "network"; what is unknown is left empty.
std::string curves_csv(const Report& report);

// A page without scripts that loads nothing: figures as inline SVG, and as tables.
std::string to_html(const Report& report);

}  // namespace velum::report
