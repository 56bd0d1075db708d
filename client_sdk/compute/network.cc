// 1. Every slice begins at a multiple of 16 values, so that kernels see the same alignment, and
//    with it the same order of sums, in every run.
// 2. Layers that only reshape share their input's memory.
// 3. No gradient is computed that no tensor needs: none below the first layer with tensors.
#include "client_sdk/compute/network.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace fed::client {
namespace {

constexpr std::int64_t kAlignedValues = 16;

// Deals out a buffer that is allocated afterwards, when its size is known.
class Places {
 public:
  std::int64_t Take(std::int64_t values) {
    const std::int64_t first = taken_;
    taken_ += (values + kAlignedValues - 1) / kAlignedValues * kAlignedValues;
    return first;
  }
  std::int64_t taken() const { return taken_; }

 private:
  std::int64_t taken_ = 0;
};

Status Mismatch(std::string message) {
  return Status(StatusCode::kInvalidArgument, std::move(message));
}

}  // namespace

StatusOr<std::unique_ptr<Network>> Network::New(const ModelPlan& plan, Backend& backend) {
  FED_ASSIGN_OR_RETURN(const std::vector<LayerShape> shapes, ShapesOf(plan));
  std::unique_ptr<Network> network(new Network(plan, backend));  // its constructor is private
  FED_RETURN_IF_ERROR(network->AddLayers(plan, shapes));
  FED_RETURN_IF_ERROR(network->PlaceTensors(shapes));
  return network;
}

Network::Network(const ModelPlan& plan, Backend& backend)
    : backend_(backend), plan_name_(plan.name), input_values_(ElementsOf(plan.input)) {}

Status Network::AddLayers(const ModelPlan& plan, const std::vector<LayerShape>& shapes) {
  const std::vector<std::int64_t>* input = &plan.input;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    Stage stage;
    FED_ASSIGN_OR_RETURN(stage.layer, NewLayer({plan.layers[i], *input, shapes[i]}));
    stage.values = ElementsOf(shapes[i].output);
    stages_.push_back(std::move(stage));
    input = &shapes[i].output;
  }
  output_values_ = stages_.back().values;
  FED_ASSIGN_OR_RETURN(loss_, NewLoss(plan.loss, output_values_));
  return Status();
}

Status Network::PlaceTensors(const std::vector<LayerShape>& shapes) {
  Places places;
  first_trained_ = stages_.size();
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    if (!shapes[i].tensors.empty()) first_trained_ = std::min(first_trained_, i);
    for (const PlannedTensor& tensor : shapes[i].tensors) {
      tensors_.push_back({tensor.info, places.Take(tensor.info.elements())});
    }
  }
  FED_ASSIGN_OR_RETURN(weights_, backend_.Allocate(places.taken()));
  std::size_t next = 0;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    for (std::size_t k = 0; k < shapes[i].tensors.size(); ++k, ++next) {
      stages_[i].tensors.push_back(
          weights().Part(tensors_[next].first, tensors_[next].info.elements()));
    }
  }
  return Status();
}

Status Network::Load(const Parameters& model) {
  std::size_t of_the_plan = 0;
  for (const Tensor& tensor : tensors_) FED_RETURN_IF_ERROR(CheckTensor(model, tensor.info));
  for (std::size_t i = 0; i < model.size(); ++i) {
    const TensorInfo& info = model.info(i);
    const auto same = [&](const Tensor& tensor) { return tensor.info.name == info.name; };
    const auto found = std::find_if(tensors_.begin(), tensors_.end(), same);
    if (found == tensors_.end() && IsTrainableDtype(info.dtype)) {
      return Mismatch(absl::StrCat("the model has ", ToString(info), ", which the plan '",
                                   plan_name_, "' has not"));
    }
    if (found == tensors_.end()) continue;
    const std::span<const float> values = model.values(i);
    backend_.Write({values.data(), values.size()},
                   weights().Part(found->first, found->info.elements()));
    ++of_the_plan;
  }
  FED_DCHECK(of_the_plan == tensors_.size());
  return Status();
}

Status Network::CheckTensor(const Parameters& model, const TensorInfo& wanted) const {
  const std::optional<std::size_t> place = model.Find(wanted.name);
  if (!place.has_value()) {
    return Mismatch(
        absl::StrCat("the model lacks ", ToString(wanted), " of the plan '", plan_name_, "'"));
  }
  const TensorInfo& found = model.info(*place);
  if (found.shape == wanted.shape && IsTrainableDtype(found.dtype)) return Status();
  return Mismatch(absl::StrCat("the model has ", ToString(found), "; the plan '", plan_name_,
                               "' has ", ToString(wanted)));
}

void Network::Store(Parameters& model) const {
  for (const Tensor& tensor : tensors_) {
    const std::optional<std::size_t> place = model.Find(tensor.info.name);
    FED_CHECK(place.has_value());
    const std::span<float> values = model.values(*place);
    backend_.Read(weights().Part(tensor.first, tensor.info.elements()),
                  {values.data(), values.size()});
  }
}

Status Network::Reserve(std::int64_t rows, Use use) {
  if (rows <= reserved_rows_ && (use == Use::kPredict || reserved_use_ == Use::kTrain)) {
    return Status();
  }
  reserved_rows_ = 0;
  Places outputs, ends;
  std::vector<std::int64_t> firsts;
  for (const Stage& stage : stages_) {
    firsts.push_back(stage.layer->only_reshapes() ? 0 : outputs.Take(rows * stage.values));
  }
  input_ = {nullptr, ends.Take(rows * input_values_), rows * input_values_};
  targets_ = {nullptr, ends.Take(rows * loss_->target_values()), rows * loss_->target_values()};
  room_ = {nullptr, ends.Take(rows * output_values_), rows * output_values_};
  activations_ = nullptr;  // before the new ones take memory
  FED_ASSIGN_OR_RETURN(activations_, backend_.Allocate(outputs.taken()));
  FED_ASSIGN_OR_RETURN(ends_, backend_.Allocate(ends.taken()));
  input_.buffer = targets_.buffer = room_.buffer = ends_.get();
  if (use == Use::kTrain) {
    activation_gradients_ = nullptr;
    FED_ASSIGN_OR_RETURN(activation_gradients_, backend_.Allocate(outputs.taken()));
    if (gradients_ == nullptr) {
      FED_ASSIGN_OR_RETURN(gradients_, backend_.Allocate(weights_->values()));
    }
  }
  Slice output = input_, output_gradient;
  for (std::size_t i = 0; i < stages_.size(); ++i) {
    Stage& stage = stages_[i];
    if (!stage.layer->only_reshapes()) {
      output = {activations_.get(), firsts[i], rows * stage.values};
      output_gradient = {activation_gradients_.get(), firsts[i], rows * stage.values};
    }
    stage.output = output;
    stage.output_gradient = output_gradient;
    stage.gradients.clear();
    for (const Slice& tensor : stage.tensors) {
      stage.gradients.push_back({gradients_.get(), tensor.first, tensor.count});
    }
  }
  reserved_rows_ = rows;
  reserved_use_ = use;
  return Status();
}

Slice Network::Forward(absl::Span<const float> features) {
  rows_ = static_cast<std::int64_t>(features.size()) / input_values_;
  FED_DCHECK(rows_ >= 1 && rows_ <= reserved_rows_);
  backend_.Write(features, input_.Part(0, rows_ * input_values_));
  for (std::size_t i = 0; i < stages_.size(); ++i) {
    if (!stages_[i].layer->only_reshapes()) stages_[i].layer->Forward(backend_, PassOf(i));
  }
  return OutputOf(stages_.size() - 1);
}

double Network::MeanLoss(absl::Span<const float> targets) {
  return loss_->Compute(backend_, OutputOf(stages_.size() - 1), PutTargets(targets), {});
}

double Network::Backward(absl::Span<const float> targets) {
  FED_DCHECK(reserved_use_ == Use::kTrain);
  const std::size_t last = stages_.size() - 1;
  const Slice gradient = stages_[last].output_gradient.Part(0, rows_ * output_values_);
  const double loss = loss_->Compute(backend_, OutputOf(last), PutTargets(targets), gradient);
  for (std::size_t i = stages_.size(); i-- > first_trained_;) {
    if (!stages_[i].layer->only_reshapes()) stages_[i].layer->Backward(backend_, PassOf(i));
  }
  return loss;
}

Slice Network::Predictions() {
  return loss_->Predict(backend_, OutputOf(stages_.size() - 1),
                        room_.Part(0, rows_ * output_values_));
}

Slice Network::OutputOf(std::size_t stage) const {
  return stages_[stage].output.Part(0, rows_ * stages_[stage].values);
}

LayerPass Network::PassOf(std::size_t i) const {
  const Stage& stage = stages_[i];
  LayerPass pass;
  pass.rows = rows_;
  pass.input = i == 0 ? input_.Part(0, rows_ * input_values_) : OutputOf(i - 1);
  pass.output = OutputOf(i);
  pass.output_gradient = stage.output_gradient.Part(0, pass.output.count);
  if (i > first_trained_) {
    pass.input_gradient = stages_[i - 1].output_gradient.Part(0, pass.input.count);
  }
  pass.tensors = stage.tensors;
  pass.gradients = stage.gradients;
  return pass;
}

Slice Network::PutTargets(absl::Span<const float> targets) {
  const Slice place = targets_.Part(0, rows_ * loss_->target_values());
  backend_.Write(targets, place);
  return place;
}

}  // namespace fed::client
