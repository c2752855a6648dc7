#include "bench/stages.hpp"

#include <utility>

#include "limbs/limb_kernels.hpp"
#include "linalg/limb_space.hpp"
#include "linalg/mpfr_space.hpp"
#include "models/element_programs.hpp"

namespace precipice {
namespace {

template <class Space>
class StagesIn final : public Stages {
 public:
  // The arguments are the Space's own.
  template <class... Arguments>
  explicit StagesIn(const BenchmarkData& data, const Arguments&... arguments)
      : space_(arguments..., stop_),
        X_(space_.matrix(size(data.y), size(data.u), data.X)),
        y_(vector(data.y)),
        u_(vector(data.u)),
        next_(space_.array(u_.size)),
        f_(space_.array(y_.size)),
        z_(space_.array(y_.size)),
        g_(space_.array(u_.size)),
        v_(space_.scalar()),
        eta_(space_.scalar()) {
    space_.assign(v_, data.v, 0);
    space_.assign(eta_, data.step_size, 0);
  }

  void preactivations() override {
    for (Rows rows = space_.first_rows(X_); !space_.done(X_, rows);
         rows = space_.next_rows(X_, rows))
      space_.matvec(f_, X_, rows, u_);
  }
  void residuals() override { space_.template map<Residual>(z_, f_, v_, y_); }
  void gradient() override {
    for (Rows rows = space_.first_rows(X_); !space_.done(X_, rows);
         rows = space_.next_rows(X_, rows))
      space_.matvec_transposed(g_, X_, rows, z_);
  }
  void update() override {
    space_.descend(next_, u_, eta_, g_);
    std::swap(u_, next_);
  }

  std::vector<std::string> f() override { return texts(f_); }
  std::vector<std::string> g() override { return texts(g_); }
  std::vector<std::string> u() override { return texts(u_); }

 private:
  using Array = typename Space::Array;

  Array vector(const ExactVector& values) {
    const Array a = space_.array(size(values));
    for (std::size_t i = 0; i < a.size; ++i) space_.assign(a, i, values, i);
    return a;
  }
  std::vector<std::string> texts(Array a) {
    std::vector<std::string> text(a.size);
    for (std::size_t i = 0; i < a.size; ++i) text[i] = space_.exact(a, i);
    return text;
  }

  const StopFlag stop_{false};
  Space space_;
  typename Space::Matrix X_;
  Array y_, u_, next_, f_, z_, g_;
  typename Space::Scalar v_, eta_;
};

}  // namespace

std::unique_ptr<Stages> make_stages(const Format& format, const BenchmarkData& data) {
  if (const limbs::Kernels* const kernels = limb_kernels(cpu_path(), format))
    return std::make_unique<StagesIn<LimbSpace>>(data, *kernels, format);
  return std::make_unique<StagesIn<MpfrSpace>>(data, format);
}

}  // namespace precipice
