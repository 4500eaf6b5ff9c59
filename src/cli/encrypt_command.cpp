// velum encrypt: images to a batch that only the owner of the key can read.
#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/parallel.h"
#include "base/units.h"
#include "cli/commands.h"
#include "cli/data_options.h"
#include "cli/predictions.h"
#include "system/file.h"
#include "system/program.h"
#include "system/progress.h"
#include "system/terminal.h"
#include "velum/client.h"

namespace velum::cli {

namespace {

constexpr const char* kNames = ".names.csv";

struct Options {
  std::string plan, key, public_key, out;
  DataOptions data;
  ImageOptions images;
  CommonOptions common;
};

Client load_client(const Options& o, const ClientPlan& plan) {
  if (o.key.empty() == o.public_key.empty())
    fail_user("encrypt: {}; give either --key secret.key or --public-key public.key",
              o.key.empty() ? "no key" : "two keys");
  return o.key.empty() ? Client::load_public(plan, o.public_key, {threads()})
                       : Client::load(plan, o.key, {threads()});
}

void run(const Options& o) {
  forbid_core_dumps();
  auto inputs = data_paths("--data", o.data.data);
  inputs.insert(inputs.end(), {{"--plan", o.plan}, {"--key", o.key}, {"--public-key", o.public_key}});
  inputs.push_back({"--classes", o.images.classes});
  // Only images that are files of their own have names.
  const bool named = o.data.data.starts_with("folder:") || o.data.data.starts_with("list:");
  const auto names = named ? o.out + kNames : "";
  begin_command(o.common,
                {{"--out", o.out, {FileType::input_batch, FileType::public_batch}},
                 {"--out, the images' names", names}},
                inputs);
  const auto plan = ClientPlan::load(o.plan);
  const auto client = load_client(o, plan);
  const auto set = load_data(o.data, taken_by(plan, o.images), Labels::unused);
  print_notes(set.notes);
  check_pixels(set, plan.input_range());
  const auto images = Images::floats(set.images);
  const auto unlike = client.unlike(images);
  if (const auto line = plan.unlike_note(unlike, set.count()); !line.empty())
    say_on_stderr("velum encrypt: " + line);
  const Stopwatch watch;
  BatchInfo batch;
  {
    Progress progress("encrypting", 1);
    batch = client.encrypt_to_file(images, o.out, {[&](double d) { progress.set(d); }});
  }
  const double seconds = watch.seconds(),
               per_image = static_cast<double>(batch.bytes) / static_cast<double>(set.count());
  fmt::print("{}: batch {}, {} images, {}, {} an image, in {}\n", o.out, short_id(batch.id), set.count(),
             format_bytes(static_cast<double>(batch.bytes)), format_bytes(per_image),
             format_duration(seconds));
  fmt::print("{}", plan.fill_note(set.count()));
  if (named) {
    write_file_atomically(names, names_csv(set.files), kOwnerOnly);
    fmt::print("{}: the names of the images' files, for velum decrypt --names; keep it here\n", names);
  }
  write_json(o.common, {{"batch", batch.id},
                        {"images", set.count()},
                        {"unlike_images", unlike.size()},
                        {"slots", plan.parameters().slots},
                        {"images_per_batch", batch.images_per_batch},
                        {"batches", batch.batches},
                        {"public_key", batch.public_key},
                        {"seconds", seconds},
                        {"bytes", {{"input", batch.bytes}}}});
}

}  // namespace

Command make_encrypt_command(CLI::App& app) {
  auto* sub = app.add_subcommand("encrypt", "Encrypt images as a batch (the data owner)");
  auto o = std::make_shared<Options>();
  sub->add_option("--plan", o->plan, "The client's half of the plan")->required()->type_name("client.plan");
  sub->add_option("--key", o->key, "The secret key; default: none, with --public-key")
      ->type_name("secret.key");
  sub->add_option("--public-key", o->public_key,
                  "The owner's public key: encrypts without the secret one, in files twice as long; default: "
                  "none, with --key")
      ->type_name("public.key");
  add_data_options(*sub, o->data, true);
  add_image_options(*sub, o->images);
  sub->add_option("--out", o->out, "The encrypted batch")->required()->type_name("FILE");
  add_common_options(*sub, o->common);
  return {sub, [o] { run(*o); }};
}

}  // namespace velum::cli
