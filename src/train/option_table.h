// The options by name: one list for the command line, configuration files, checkpoints and reports.
#pragma once

#include "train/options.h"

namespace velum::train {

struct OptionInfo {
  const char* name;
  const char* group;  // of --help; empty: the main group
  const char* help;
  bool changes_result = true;
};

// visit(info, field) for every option; `Options` is TrainOptions or const TrainOptions.
template <typename Options, typename Visit>
void visit_options(Options& o, Visit&& visit) {
  auto& g = o.augmentation;
  constexpr bool apart = false;  // does not change the result, or is described another way
  visit({"data", "",
         "Data set (required): digits (built in), mnist:DIR, cifar10:DIR, medmnist:FILE.npz, or folder:DIR "
         "with "
         "DIR/train/CLASS/NAME.png, DIR/val/... and DIR/test/...",
         apart},
        o.data);
  visit({"recipe", "", "direct, beaa, transition or best; --describe-recipe NAME explains one"}, o.recipe);
  visit({"net", "", "Network, by name (list below)"}, o.network);
  visit({"from", "",
         "Instead: the polynomial version of this ONNX network, whose activations are Relu or other "
         "functions of one element; "
         "one that is "
         "polynomial already is trained further (--transition 0)",
         apart},
        o.from);
  visit({"activation", "",
         "relu (a teacher), square, or trained quadratics a x^2 + b x + c: layer, channel, element"},
        o.activation);
  visit({"epochs", "", "Passes over the training images"}, o.epochs);
  visit({"batch", "", "Images a step"}, o.batch);
  visit({"lr", "", "Peak learning rate"}, o.learning_rate);
  visit({"seed", "", "The same seed and thread count give the same model"}, o.seed);
  visit({"threads", "", "0: all cores", apart}, o.threads);
  visit({"device", "", "cpu, or cuda (cuda:1, ...) where this build and this machine have it"}, o.device);

  const auto* net = "Network";
  visit({"width", net, "Factor on every hidden layer's channels"}, o.width);
  visit({"widths", net, "vgg and resnet: channels of each block, as 32,64,128"}, o.widths);
  visit({"dropout", net, "Probability, before the last layer"}, o.dropout);
  visit({"max-pool", net, "Max pooling in place of average pooling, for ReLU teachers"}, o.max_pool);
  visit({"image-size", net, "Class folders: images become squares of this side; 0: as the first image"},
        o.image_size);
  visit({"channels", net, "Class folders: 1 (grey) or 3 (RGB); 0: as the first image"}, o.channels);
  visit({"resize", net, "Image files of another size: fit (black beside it), crop (centre) or stretch"},
        o.resize);
  visit({"exif", net, "Photographs that say how they lie: apply or ignore"}, o.exif);
  visit({"classes", net,
         "File with the classes' names in the order of the outputs, one a line; else text order", apart},
        o.classes);
  visit({"input-range", net,
         "LO,HI: pixels that the network takes, for black and white; else 0,1 or what --from's first "
         "step divides by"},
        o.input_range);
  visit({"input-mean", net,
         "Mean that is taken off its pixels, in the units of --input-range; one, or one a channel"},
        o.input_mean);
  visit({"input-std", net,
         "Deviation that they are divided by then; the model holds both, and takes images as they are"},
        o.input_std);
  visit({"output", net, "The output of --from and --teacher that counts, by its name"}, o.output);
  visit({"shape", net, "Size of an image as C,H,W, where --from leaves it open"}, o.shape);
  visit({"skip-bad", net, "Class folders: name unreadable images and leave them out, instead of stopping"},
        o.skip_bad);

  const auto* acts = "Activations";
  visit({"start", acts,
         "fit (least squares to ReLU over what each unit sees), range (the same with no more curvature than "
         "keeps the largest inputs from growing, for deep networks), identity, or fixed: 0.125, 0.5, 0.25"},
        o.start);
  visit({"coefficient-rate", acts, "Their learning rate, times --lr"}, o.coefficient_rate);
  visit({"coefficient-scale", acts,
         "The optimiser sees coefficients divided by this: steps in a, b and c are smaller for less than 1"},
        o.coefficient_scale);
  visit({"coefficient-decay", acts, "Their weight decay"}, o.coefficient_decay);
  visit({"coefficient-clip", acts, "Largest norm of their gradient; 0: none"}, o.coefficient_clip);
  visit({"coefficients-first", acts, "Part of the epochs in which they alone are trained"},
        o.coefficients_first);
  visit({"smoothness", acts, "Penalty on differences between neighbouring elements' coefficients"},
        o.smoothness);
  visit({"min-curvature", acts, "Least |a|"}, o.limits.min_curvature);
  visit({"max-centre", acts, "Largest |b/2a|"}, o.limits.max_centre);

  const auto* step = "Optimisation";
  visit({"optimiser", step, "adam (decoupled weight decay) or sgd (Nesterov momentum 0.9)"}, o.optimiser);
  visit({"schedule", step,
         "cosine (warm-up over the first twentieth, then to 0), plateau (halved when validation stalls), "
         "constant"},
        o.schedule);
  visit({"plateau-patience", step, "Epochs without a better validation loss before the rate is halved"},
        o.plateau_patience);
  visit({"early-stop", step, "Epochs without a better validation loss before the run ends; 0: never"},
        o.early_stop);
  visit({"keep-best", step,
         "The network of the epoch with the best validation accuracy, not of the last; it may be of an epoch "
         "before "
         "--quantise-last and --fixed-norms-last begin"},
        o.keep_best);
  visit({"weight-decay", step, "Of convolution and dense weights"}, o.weight_decay);
  visit({"clip", step, "Largest norm of the gradient; 0: none"}, o.gradient_clip);
  visit({"label-smoothing", step, "Part of each label spread over all classes"}, o.label_smoothing);
  visit({"class-weights", step, "Every class counts the same, for unbalanced data"}, o.class_weights);
  visit({"products", step,
         "float32, or bfloat16: training multiplies with 8 bits, faster where the processor can"},
        o.products);
  visit({"average", step,
         "The result is an exponential average of the weights; a step keeps this much; 0: none"},
        o.average);

  const auto* range = "Ranges (a square on ciphertexts must never leave its range)";
  visit({"range-limit", range, "Inputs of activations beyond it are pulled back"}, o.range_limit);
  visit({"range-penalty", range, "Strength of that pull, on the mean over all elements; 0: none"},
        o.range_penalty);
  visit({"range-peak", range, "Strength of a pull on the largest element of each image; 0: none"},
        o.range_peak);
  visit({"ranges-first", range,
         "Part of the epochs, the first, in which ReLUs stay and only their ranges are pulled in; quadratics "
         "then "
         "start on what is left. For deep networks, in which outliers grow from square to square"},
        o.ranges_first);
  visit({"fixed-norms-last", range,
         "Part of the epochs, the last, in which batch norms use the statistics they will have when used: a "
         "batch's own hide how far an outlier runs away; 0: none"},
        o.fixed_norms_last);
  visit({"margin", range, "Recorded ranges are wider than seen, on each side, by this part of their width"},
        o.margin);

  const auto* relu = "From a ReLU network";
  visit({"warm-start", relu,
         "Begin with its weights: those of --from, of a --teacher with the same layers, or its own"},
        o.warm_start);
  visit(
      {"teacher-epochs", relu, "Train a ReLU network of the same layers first, to start from and as teacher"},
      o.teacher_epochs);
  visit({"transition", relu, "Part of the epochs over which ReLUs become quadratics; 0: at once"},
        o.transition);
  visit({"order", relu, "together: all layers at a time; layerwise: one after the other, from the input"},
        o.order);

  const auto* distil = "Distillation";
  visit({"teacher", distil, "ONNX model of the same input and classes (ReLU allowed)", apart}, o.teacher);
  visit({"distil-weight", distil, "Weight of the distillation loss next to cross entropy; 0: none"},
        o.distil_weight);
  visit({"temperature", distil, "Softens both outputs"}, o.temperature);
  visit({"feature-weight", distil, "Weight of the distance between the activations' outputs; 0: none"},
        o.feature_weight);

  const auto* rounding = "Rounded weights, as the encrypted engine has them";
  visit({"quantise-last", rounding, "Part of the epochs, the last, trained with rounded weights; 0: none"},
        o.quantise_last);
  visit({"quantise-bits", rounding, "Bits of the largest weight of a layer, sign included"}, o.quantise_bits);

  const auto* augmentation = "Augmentation (random, each way)";
  visit({"shift", augmentation, "Moves by up to so many pixels"}, g.shift);
  visit({"rotate", augmentation, "Turns by up to so many degrees"}, g.rotate);
  visit({"scale", augmentation, "Size times 1 - this to 1 + this"}, g.scale);
  visit({"shear", augmentation, "Slants by up to so many degrees"}, g.shear);
  visit({"elastic", augmentation, "Smooth displacement of about so many pixels"}, g.elastic);
  visit({"flip", augmentation, "Mirrors half of the images, left and right"}, g.flip);
  visit({"intensity", augmentation, "Contrast times 1 - this to 1 + this, brightness by half as much"},
        g.intensity);
  visit({"cutout", augmentation, "Side of a blanked square, pixels"}, g.cutout);
  visit({"mixup", augmentation, "Mixes pairs of images and labels, in parts from Beta(this, this); 0: none"},
        g.mixup);
  visit({"edge-fill", augmentation,
         "Outside of an image its edge goes on (photographs, X-rays), else it is black"},
        g.edge_fill);

  const auto* runs = "Runs";
  visit({"all-data", runs, "Train on the validation images too: for a final model, after every choice"},
        o.all_data);
  visit({"checkpoint", runs,
         "Written after every epoch, less often where that takes long; removed when the model is", apart},
        o.checkpoint);
  visit({"resume", runs, "Go on from --checkpoint where there is one; the result is as if never interrupted",
         apart},
        o.resume);
  visit({"allow-changes", runs, "Resume with other options than the checkpoint was made with", apart},
        o.allow_changes);
}

}  // namespace velum::train
