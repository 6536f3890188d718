#include "bench/bench_models_published.h"

#include <algorithm>
#include <iterator>
#include <limits>

namespace bramble::bench {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

struct PublishedSeconds {
  std::string_view model;
  double pi4_train, pi4_head, pi5_train, pi5_head;
};

// Seconds a batch of PyTorch 1.13.1 and timm 0.9.10: batch 16, 224x224, 1000 classes, SGD, JPEGs decoded on the way.
// pi5_head where pi5_train is missing: read off the published bar chart, +-0.1 s.
constexpr PublishedSeconds kPublished[] = {
    {"resnet18", 10.918, 3.928, 5.843, 2.079},
    {"resnet34", 20.362, 7.189, 10.99, 4.008},
    {"resnet50", 32.627, 16.511, 16.113, 8.204},
    {"mobilenetv2_050", 7.631, 3.541, 3.683, 1.771},
    {"mobilenetv2_100", 15.274, 6.716, 7.218, 3.485},
    {"mobilenetv3_small_075", 3.981, 1.975, 1.984, 1.016},
    {"mobilenetv3_small_100", 4.761, 2.305, 2.37, 1.237},
    {"mobilenetv3_large_075", 10.091, 4.812, 4.783, 2.432},
    {"mobilenetv3_large_100", 12.299, 5.954, 5.73, 2.94},
    {"vit_tiny", 6.085, 2.169, 2.989, 1.147},
    {"vit_small", 17.444, 5.83, 8.252, 2.953},
    {"vit_base", 57.41, 19.108, 23.519, 8.289},
    {"efficientvit_b0", 6.992, 2.954, 3.244, 1.522},
    {"efficientvit_b1", 21.61, 8.954, 9.949, 4.551},
    {"efficientvit_b2", 48.874, 21.165, 22.815, 10.579},
    {"efficientvit_b3", 101.452, 46.515, 46.51, 22.632},
    {"mobilevitv2_050", 11.181, 6.11, kNone, 2.86},
    {"mobilevitv2_100", 26.851, 15.41, kNone, 7.05},
    {"mobilevitv2_200", 79.011, 49.091, kNone, 19.75},
    {"fastvit_t8", 20.192, 8.981, kNone, 4.48},
    {"fastvit_t12", 31.52, 14.673, kNone, 6.91},
    {"convnext_tiny", 41.709, 10.733, kNone, 5.97},
    {"convnext_small", 72.935, 18.138, kNone, 10.16},
    {"convnext_base", 109.723, 28.379, kNone, 14.07},
    {"deit_tiny", 6.068, 2.174, kNone, 1.1},
    {"deit_small", 17.43, 5.838, kNone, 3.0},
    {"deit_base", 57.204, 19.003, kNone, 8.54},
    {"edgenext_x_small", 8.655, 2.966, kNone, 1.64},
    {"edgenext_small", 13.346, 4.32, kNone, 2.46},
    {"edgenext_base", 25.926, 7.892, kNone, 4.35},
    {"efficientnet_b0", 19.908, 8.523, kNone, 4.62},
    {"efficientnet_b1", 29.142, 12.315, kNone, 6.64},
    {"efficientnet_b2", 31.483, 13.199, kNone, 7.18},
    {"efficientnet_b3", 41.824, 17.752, kNone, 9.62},
    {"maxvit_tiny", kNone, 32.812, kNone, 16.51},
    {"swin_tiny", 22.918, 8.214, kNone, 4.35},
    {"swin_small", 40.077, 13.86, kNone, 7.45},
    {"inception_next_tiny", 41.369, 23.981, kNone, 14.07},
    {"inception_next_small", 76.569, 45.381, kNone, 26.5},
    {"mlpmixer_b16", 42.511, 14.206, kNone, 6.64},
    {"faster_vit_0", 18.272, 5.65, kNone, 3.0},
    {"faster_vit_1", 25.104, 7.685, kNone, 3.94},
    {"faster_vit_2", 38.751, 11.369, kNone, 5.83},
    {"faster_vit_3", 72.066, 21.67, kNone, 11.37},
    {"efficientformer_l1", 14.936, 8.45, kNone, 5.29},
    {"efficientformer_l3", 35.748, 20.178, kNone, 12.05},
    {"mnasnet_050", 7.684, 3.306, kNone, 1.78},
    {"mnasnet_075", 12.133, 5.339, 5.807, 2.78},
    {"mnasnet_100", 14.918, 6.426, 7.235, 3.453},
    {"ghostnetv2_100", 19.148, 7.641, 9.422, 4.178},
    {"ghostnetv2_130", 25.484, 10.32, 12.724, 5.904},
    {"ghostnetv2_160", 32.05, 13.121, 16.216, 7.552},
    {"efficientformer_l7", kNone, kNone, kNone, kNone},
    {"inception_next_base", kNone, kNone, kNone, kNone},
    {"maxvit_base", kNone, kNone, kNone, kNone},
    {"maxvit_small", kNone, kNone, kNone, kNone},
    {"swin_base", kNone, kNone, kNone, kNone},
    {"vgg11", kNone, kNone, kNone, kNone},
    {"vgg16", kNone, kNone, kNone, kNone},
};

double seconds_of(const PublishedSeconds& row, Board board, Task task) {
  if (board == Board::raspberry_pi_4) return task == Task::train ? row.pi4_train : row.pi4_head;
  if (board == Board::raspberry_pi_5) return task == Task::train ? row.pi5_train : row.pi5_head;
  return kNone;
}

}  // namespace

std::optional<double> published_seconds(std::string_view model, Board board, Task task) {
  const auto* row = std::find_if(std::begin(kPublished), std::end(kPublished),
                                 [&](const PublishedSeconds& published) { return published.model == model; });
  if (row == std::end(kPublished)) return std::nullopt;
  const double seconds = seconds_of(*row, board, task);
  if (seconds != seconds) return std::nullopt;
  return seconds;
}

bool is_published_protocol(const Options& options) {
  return options.batch == 16 && options.size == 224 && options.classes == 1000 && !options.in_memory;
}

}  // namespace bramble::bench
