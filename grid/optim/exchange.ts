/** Exchanged quantities of all ports in a row: P, Q and v of every port node, scaled. */
export interface Exchange {
  readonly power: Float64Array;
  readonly reactive: Float64Array;
  readonly voltage: Float64Array;
}

/** An exchange of zeros. */
export function exchange(ports: number): Exchange {
  return {
    power: new Float64Array(ports),
    reactive: new Float64Array(ports),
    voltage: new Float64Array(ports),
  };
}
