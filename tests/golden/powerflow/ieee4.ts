import type { Feeder } from '../../../grid/model/index.js';
import { feeder, type Rows } from '../../builders/feeder.js';

/*
 * IEEE 4-node test feeder, step-down cases. Data as published by the IEEE PES Distribution System Analysis
 * Subcommittee ("IEEE 4 Node Test Feeder"): 12.47 kV infinite source, 2 000 ft and 2 500 ft lines (phase impedance
 * matrices in ohm per mile), 6 000 kVA 12.47/4.16 kV bank of R 1 %, X 6 %, constant-power loads.
 */

const FOUR_WIRE_R: Rows = [[0.4576], [0.1559, 0.4666], [0.1535, 0.158, 0.4615]];
const FOUR_WIRE_X: Rows = [[1.078], [0.5017, 1.0482], [0.3849, 0.4236, 1.0651]];
const THREE_WIRE_R: Rows = [[0.4013], [0.0953, 0.4013], [0.0953, 0.0953, 0.4013]];
const THREE_WIRE_X: Rows = [[1.4133], [0.8515, 1.4133], [0.7266, 0.7802, 1.4133]];
const FEET_PER_MILE = 5280;

const BALANCED = [
  [1800, 0.9],
  [1800, 0.9],
  [1800, 0.9],
] as const;
const UNBALANCED = [
  [1275, 0.85],
  [1800, 0.9],
  [2375, 0.95],
] as const;

/** One step-down case: primary connection and load. */
export function ieee4(primary: 'wye' | 'delta', load: 'balanced' | 'unbalanced'): Feeder {
  const r = primary === 'wye' ? FOUR_WIRE_R : THREE_WIRE_R;
  const x = primary === 'wye' ? FOUR_WIRE_X : THREE_WIRE_X;
  const builder = feeder(`IEEE 4-node ${primary} ${load}`)
    .source('infinite', 'n1', { kv: 12.47 })
    .line('line12', 'n1', 'n2', { r, x, length: 2000 / FEET_PER_MILE })
    .transformer('bank', {
      windings: [
        { bus: 'n2', connection: primary, kv: 12.47, kva: 6000, resistancePct: 0.5 },
        { bus: 'n3', connection: 'wye', kv: 4.16, kva: 6000, resistancePct: 0.5 },
      ],
      reactancesPct: [6],
    })
    .line('line34', 'n3', 'n4', { r: FOUR_WIRE_R, x: FOUR_WIRE_X, length: 2500 / FEET_PER_MILE });
  (load === 'balanced' ? BALANCED : UNBALANCED).forEach(([kw, powerFactor], i) => {
    builder.load(`load${i + 1}`, 'n4', {
      phases: 'ABC'[i]!,
      kw,
      kvar: kw * Math.tan(Math.acos(powerFactor)),
      minPu: 0.5,
      maxPu: 1.5,
    });
  });
  return builder.build();
}

/** Magnitude in V and angle in degrees. */
export type Phasor = readonly [volts: number, degrees: number];

/** Published results: nodes n2 (line-to-neutral for the wye, line-to-line for the delta), n3 and n4 to neutral. */
export const IEEE4_PUBLISHED: readonly {
  readonly primary: 'wye' | 'delta';
  readonly load: 'balanced' | 'unbalanced';
  readonly n2: readonly Phasor[];
  readonly n3: readonly Phasor[];
  readonly n4: readonly Phasor[];
}[] = [
  {
    primary: 'wye',
    load: 'balanced',
    n2: [
      [7107, -0.3],
      [7140, -120.3],
      [7121, 119.6],
    ],
    n3: [
      [2247.6, -3.7],
      [2269, -123.5],
      [2256, 116.4],
    ],
    n4: [
      [1918, -9.1],
      [2061, -128.3],
      [1981, 110.9],
    ],
  },
  {
    primary: 'wye',
    load: 'unbalanced',
    n2: [
      [7164, -0.1],
      [7110, -120.2],
      [7082, 119.3],
    ],
    n3: [
      [2305, -2.3],
      [2255, -123.6],
      [2203, 114.8],
    ],
    n4: [
      [2175, -4.1],
      [1930, -126.8],
      [1833, 102.8],
    ],
  },
  {
    primary: 'delta',
    load: 'balanced',
    n2: [
      [12340, 29.7],
      [12349, -90.4],
      [12318, 149.6],
    ],
    n3: [
      [2249, -33.7],
      [2263, -153.4],
      [2259, 86.4],
    ],
    n4: [
      [1920, -39.1],
      [2054, -158.3],
      [1986, 80.9],
    ],
  },
  {
    primary: 'delta',
    load: 'unbalanced',
    n2: [
      [12350, 29.6],
      [12314, -90.4],
      [12333, 149.8],
    ],
    n3: [
      [2290, -32.4],
      [2261, -153.8],
      [2214, 85.2],
    ],
    n4: [
      [2157, -34.2],
      [1936, -157.0],
      [1849, 73.4],
    ],
  },
];
