// Student's t: how far a mean of few observations may be off.

/** The value that Student's t with `freedom` degrees does not exceed with this probability (0.5 to 1, exclusive); within 1e-9. */
export function studentQuantile(probability: number, freedom: number): number {
  let low = 0;
  let high = 1;
  while (studentShare(high, freedom) < probability) high *= 2;
  for (let round = 0; round < 80; round += 1) {
    const middle = (low + high) / 2;
    if (studentShare(middle, freedom) < probability) low = middle;
    else high = middle;
  }
  return high;
}

/** The probability of a value up to `t`, for whole degrees of freedom: the finite sums of Abramowitz and Stegun, 26.7.3 and 26.7.4. */
function studentShare(t: number, freedom: number): number {
  const theta = Math.atan(t / Math.sqrt(freedom));
  const [sine, cosine] = [Math.sin(theta), Math.cos(theta)];
  const odd = freedom % 2 === 1;
  let term = odd ? cosine : 1;
  let sum = freedom === 1 ? 0 : term;
  for (let k = odd ? 3 : 2; k <= freedom - 2; k += 2) {
    term *= ((k - 1) / k) * cosine ** 2;
    sum += term;
  }
  const inside = odd ? (2 / Math.PI) * (theta + (freedom === 1 ? 0 : sine * sum)) : sine * sum;
  return (1 + inside) / 2;
}
