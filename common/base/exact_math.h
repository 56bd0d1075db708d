// Logarithm and exponential with equal bits on every platform, which no libm promises.
#ifndef FED_COMMON_BASE_EXACT_MATH_H_
#define FED_COMMON_BASE_EXACT_MATH_H_

namespace fed {

// Only IEEE additions, multiplications and divisions, in a written order and never contracted
// (-ffp-contract=off): the result is within 4 units in the last place of the true value.

// REQUIRES: x is finite, normal and > 0.
double ExactLog(double x);

// 0 below -708, infinity above 709. REQUIRES: x is not NaN.
double ExactExp(double x);

}  // namespace fed

#endif  // FED_COMMON_BASE_EXACT_MATH_H_
