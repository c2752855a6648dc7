"""What Yoo et al. 2025 prove of the minimalist model, as numbers.

The paper writes its formulas for the loss ``half_mean``, with the factor 1/N; here that factor is
the loss's curvature factor c_L (`precipice.losses.curvature_factor`), which is the same formula
for every normalisation of the loss.

`minimisers`: dataset difficulty and the sharpness where training ends (Theorems 4.3 and 4.6).
`bounds`: the sharpness of any parameters and of random starts (Lemma B.3, Theorems 5.6, 5.7).
`imbalance`: what gradient flow conserves and descent changes (Theorem 5.9).
`self_stabilisation`: the two numbers that Damian et al. follow past 2/η (appendix D.3).
"""

from __future__ import annotations

from precipice.theory.bounds import (
    converged_sharpness_bounds,
    initial_sharpness_bounds,
    sharpness_bounds,
)
from precipice.theory.imbalance import (
    ImbalanceDrift,
    ImbalanceTerms,
    expected_imbalance_change,
    imbalance_change,
    imbalance_drift,
    imbalance_terms,
    layer_imbalance,
)
from precipice.theory.minimisers import (
    SMALLEST_SIGMA_SQUARED,
    Bounds,
    LayerNorms,
    Spectrum,
    balanced_minimiser_bounds,
    difficulty,
    gap_term,
    imbalance_threshold,
    layer_norms,
    minimiser_bounds,
    minimiser_v_squared,
    predicted_sharpness,
)
from precipice.theory.self_stabilisation import (
    Stabilisation,
    StabilisationPoint,
    curvature_along,
    self_stabilisation,
    stabilisation_point,
)

__all__ = [
    "SMALLEST_SIGMA_SQUARED",
    "Bounds",
    "ImbalanceDrift",
    "ImbalanceTerms",
    "LayerNorms",
    "Spectrum",
    "Stabilisation",
    "StabilisationPoint",
    "balanced_minimiser_bounds",
    "converged_sharpness_bounds",
    "curvature_along",
    "difficulty",
    "expected_imbalance_change",
    "gap_term",
    "imbalance_change",
    "imbalance_drift",
    "imbalance_terms",
    "imbalance_threshold",
    "initial_sharpness_bounds",
    "layer_imbalance",
    "layer_norms",
    "minimiser_bounds",
    "minimiser_v_squared",
    "predicted_sharpness",
    "self_stabilisation",
    "sharpness_bounds",
    "stabilisation_point",
]
