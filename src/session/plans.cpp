#include <algorithm>

#include "base/container.h"
#include "base/error.h"
#include "plan/files.h"
#include "plan/key_bytes.h"
#include "session/decision.h"
#include "session/files.h"
#include "session/image_notes.h"
#include "session/images.h"
#include "session/plan_states.h"
#include "system/file.h"

namespace velum {

namespace session {

ClientPlan public_plan(plan::ClientPlan plan) {
  return ClientPlan(std::make_shared<const ClientPlan::State>(std::move(plan)));
}

ServerPlan public_plan(plan::ServerPlan plan) {
  return public_plan(std::make_shared<const plan::ServerPlan>(std::move(plan)));
}

ServerPlan public_plan(std::shared_ptr<const plan::ServerPlan> plan) {
  return ServerPlan(std::make_shared<const ServerPlan::State>(std::move(plan)));
}

BatchInfo batch_info(const engine::BatchHeader& header, const plan::ClientPlan& plan) {
  BatchInfo info;
  info.id = engine::id_text(header.origin.batch);
  info.key = engine::id_text(header.origin.key);
  info.results = header.type == FileType::output_batch;
  info.public_key = header.type == FileType::public_batch;
  info.images = header.images;
  info.batches = engine::batch_count(header.images, plan);
  info.images_per_batch = plan::images_per_batch(plan);
  info.bytes = header.file_bytes;
  return info;
}

}  // namespace session

namespace {

std::uint64_t file_bytes(FileType type, const ClientPlan::State& s, std::size_t images) {
  return engine::make_batch_header(type, s.plan, s.params, {}, images).file_bytes;
}

BatchInfo inspected(const engine::BatchHeader& header, const ClientPlan::State& s, const std::string& what) {
  const bool results = header.type == FileType::output_batch;
  engine::check_batch_header(header, results ? FileType::output_batch : FileType::input_batch, s.plan,
                             s.params, what);
  return session::batch_info(header, s.plan);
}

}  // namespace

ClientPlan ClientPlan::load(const std::string& path) {
  return session::public_plan(session::load_client_plan(path));
}

ClientPlan ClientPlan::from_bytes(ByteView file, const std::string& name) {
  return session::public_plan(plan::read_client_plan(file, name));
}

Bytes ClientPlan::to_bytes() const {
  return plan::write_client_plan(state_->plan);
}

void ClientPlan::save(const std::string& path) const {
  write_file_atomically(path, to_bytes());
}

std::string ClientPlan::id() const {
  return engine::id_text(state_->plan.id);
}

std::string ClientPlan::model_name() const {
  return state_->plan.model_name;
}

std::vector<std::int64_t> ClientPlan::input_shape() const {
  return state_->plan.input_shape;
}

std::size_t ClientPlan::input_elements() const {
  return plan::input_elements(state_->plan);
}

std::size_t ClientPlan::outputs() const {
  return state_->plan.outputs;
}

std::vector<std::string> ClientPlan::classes() const {
  return state_->plan.form.classes;
}

std::size_t ClientPlan::images_per_batch() const {
  return plan::images_per_batch(state_->plan);
}

DataForm ClientPlan::form() const {
  return session::public_form(state_->plan.form);
}

Range ClientPlan::input_range() const {
  return {state_->plan.input_low, state_->plan.input_high};
}

ParameterInfo ClientPlan::parameters() const {
  const auto& p = state_->params;
  ParameterInfo info;
  info.id = p.id_text();
  info.ring = ring::name(p.ring_type());
  info.ring_dimension = p.n();
  info.slots = p.slots();
  info.log2_qp = p.log2_qp();
  info.security_bits = security_bits();
  info.primes = p.literal().moduli;
  info.special = p.literal().special;
  return info;
}

std::vector<std::size_t> ClientPlan::unlike(const Images& images) const {
  return session::unlike_images(state_->plan, session::pixels_of(images, state_->plan.input_shape).values);
}

std::string ClientPlan::unlike_note(const std::vector<std::size_t>& unlike, std::size_t images) const {
  return session::unlike_note(state_->plan, unlike, images);
}

std::string ClientPlan::fill_note(std::size_t images) const {
  return session::fill_note(state_->plan, images);
}

int ClientPlan::security_bits() const {
  return static_cast<int>(state_->plan.params.security);
}

bool ClientPlan::public_key() const {
  return state_->plan.public_key;
}

std::uint64_t ClientPlan::input_bytes(std::size_t images, bool with_public_key) const {
  return file_bytes(with_public_key ? FileType::public_batch : FileType::input_batch, *state_, images);
}

std::uint64_t ClientPlan::output_bytes(std::size_t images) const {
  return file_bytes(FileType::output_batch, *state_, images);
}

std::uint64_t ClientPlan::evaluation_key_bytes() const {
  return plan::key_file_bytes(state_->plan);
}

std::uint64_t ClientPlan::public_key_bytes() const {
  return plan::public_key_file_bytes(state_->plan);
}

std::vector<Prediction> ClientPlan::decide(std::span<const double> outputs) const {
  const std::size_t width = state_->plan.outputs;
  if (outputs.size() % width != 0)
    fail_user("{} outputs are no whole number of images, of which the network gives {} each", outputs.size(),
              width);
  if (const auto why = unscored_text(form(), width); !why.empty()) fail_user("{}", why);
  return velum::decide(form(), width, outputs);
}

BatchInfo ClientPlan::inspect(ByteView batch) const {
  const std::string what = "the batch";
  const auto header =
      engine::parse_batch_header(batch.first(std::min(batch.size(), engine::kBatchHeaderBytes)), what);
  engine::check_batch_size(header, batch.size(), what);
  return inspected(header, *state_, what);
}

BatchInfo ClientPlan::inspect_file(const std::string& path) const {
  const auto header = engine::read_batch_header(path);
  engine::check_batch_size(header, InputFile(path).size(), path);
  return inspected(header, *state_, path);
}

}  // namespace velum
