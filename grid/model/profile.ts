/** A curve through points, linear between them and along its end pieces beyond them (OpenDSS XYcurve). */
export interface Curve {
  readonly name: string;
  readonly x: readonly number[];
  readonly y: readonly number[];
}

/** A series of multipliers over time (OpenDSS LoadShape, TShape). */
export interface Profile {
  readonly name: string;
  /** Time between points, s; 0 when `hours` gives the time of each point. */
  readonly intervalS: number;
  /** Time of each point, h, rising; only when `intervalS` is 0. */
  readonly hours?: readonly number[];
  /** Active power, irradiance or temperature, one value a point. */
  readonly values: readonly number[];
  /** Reactive power, where it has values of its own. */
  readonly reactiveValues?: readonly number[];
  /** True when the values are kW and kvar (or deg C) instead of multiples of the device's own. */
  readonly isActual: boolean;
}

/** Growth of loads over years (OpenDSS GrowthShape): the multiplier of a year is the product of those up to it. */
export interface GrowthProfile {
  readonly name: string;
  readonly years: readonly number[];
  readonly multipliers: readonly number[];
}

/** Names of the profiles a device follows, by mode of the time series. */
export interface ProfileNames {
  readonly daily?: string;
  readonly yearly?: string;
  readonly duty?: string;
}
