/**
 * Splits a power over the shares of a device as the model has it: active power in the proportion of active powers, reactive
 * in that of reactive ones. Where the model has none of a kind, or some of both signs, that of the other kind counts, and
 * where neither tells, all shares get the same.
 *
 * @param own - the model's powers of the kind that is split, by share
 * @param other - its powers of the other kind
 * @param into - gets the parts at `[first, end)`
 */
export function splitPower(
  power: number,
  own: ArrayLike<number>,
  other: ArrayLike<number>,
  first: number,
  end: number,
  into: { [index: number]: number },
): void {
  let by = own;
  let whole = sumOfOneSign(own, first, end);
  if (whole === 0) {
    by = other;
    whole = sumOfOneSign(other, first, end);
  }
  for (let k = first; k < end; k++) into[k] = whole === 0 ? power / (end - first) : (by[k]! / whole) * power;
}

/** The sum of values that are not of both signs; 0 where they are. */
function sumOfOneSign(values: ArrayLike<number>, first: number, end: number): number {
  let sum = 0;
  let size = 0;
  for (let k = first; k < end; k++) {
    sum += values[k]!;
    size += Math.abs(values[k]!);
  }
  return Math.abs(sum) === size ? sum : 0;
}
