/** cos(pi x) for x from 0 to 1, within 4e-16. The reductions (1 - x and 0.5 - x) are exact. */
export function cosPi(x: number): number {
  if (x > 0.5) return -cosPi(1 - x);
  if (x <= 0.25) return taylor(Math.PI * x, 16);
  const y = Math.PI * (0.5 - x);
  return y * taylor(y, 17);
}

/**
 * 1 - y²/(n-1)n (1 - y²/(n-3)(n-2) (…)), innermost term first: the Taylor series of cos y for an
 * even degree, and of (sin y) / y for an odd one. For |y| <= pi/4 what is left out of the degrees
 * used above is below 3e-18.
 */
function taylor(y: number, degree: number): number {
  let sum = 1;
  for (let n = degree; n > 1; n -= 2) sum = 1 - ((y * y) / ((n - 1) * n)) * sum;
  return sum;
}
