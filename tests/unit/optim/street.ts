import type { Feeder } from '../../../grid/model/index.js';
import type { LocalInputs, PrimaryState } from '../../../grid/optim/index.js';
import { feeder } from '../../builders/feeder.js';

/** Triplex of 1/0 AA, ohm per km: self and mutual of the two legs with the neutral reduced (Kersting, chapter 11). */
const TRIPLEX = {
  r: [
    [0.94, 0.31],
    [0.31, 0.94],
  ],
  x: [
    [0.43, 0.26],
    [0.26, 0.43],
  ],
};

/** A three-phase overhead line, ohm per km. */
export const ABC = {
  r: [[0.28], [0.1, 0.29], [0.09, 0.1, 0.28]],
  x: [[0.67], [0.31, 0.65], [0.24, 0.26, 0.66]],
};

/** What differs between streets. */
export interface StreetOptions {
  readonly transformers: number;
  readonly customers: number;
  readonly pvKw: number;
  readonly loadKw: number;
  readonly sourcePu: number;
  readonly tap?: number;
}

/**
 * A primary of 4.16 kV with a regulator bank, and single-phase 120/240 V service transformers round the phases, each with
 * triplex drops of growing length. Every second customer's load and PV is at 240 V, the others' load at one leg.
 */
export function street(options: StreetOptions): Feeder {
  const at = (k: number) => 'ABC'[k % 3]!;
  let net = feeder('street')
    .source('S', 'SRC', { kv: 4.16, pu: options.sourcePu, z1: [0.02, 0.08], z0: [0.03, 0.2] })
    .line('L0', 'SRC', 'P0', { ...ABC, length: 0.4 });
  for (const k of [0, 1, 2]) {
    net = net
      .transformer(`REG${at(k)}`, {
        phases: 1,
        windings: [
          { bus: 'P0', nodes: [k + 1, 0], kv: 4.16 / Math.sqrt(3), kva: 2000, resistancePct: 0.01 },
          { bus: 'P1', nodes: [k + 1, 0], kv: 4.16 / Math.sqrt(3), kva: 2000, resistancePct: 0.01 },
        ],
        reactancesPct: [0.05],
      })
      .regulator(`R${at(k)}`, `REG${at(k)}`, { position: options.tap ?? 0 });
  }
  for (let t = 0; t < options.transformers; t++) {
    const primary = `P${t + 2}`;
    const low = `S${t}`;
    net = net.line(`L${t + 1}`, `P${t + 1}`, primary, { ...ABC, length: 0.25 }).transformer(`T${t}`, {
      phases: 1,
      construction: 'centerTap',
      windings: [
        { bus: primary, nodes: [(t % 3) + 1, 0], kv: 2.4, kva: 50, resistancePct: 0.6 },
        { bus: low, nodes: [1, 0], kv: 0.12, kva: 50, resistancePct: 1.2 },
        { bus: low, nodes: [0, 2], kv: 0.12, kva: 50, resistancePct: 1.2 },
      ],
      reactancesPct: [2.04, 2.04, 1.36],
    });
    for (let c = 0; c < options.customers; c++) {
      const home = `H${t}_${c}`;
      const isWide = c % 2 === 0;
      net = net
        .bus(home, { isSplitPhase: true, baseV: 120 })
        .line(`D${t}_${c}`, low, home, { ...TRIPLEX, nodes: [1, 2], length: 0.015 + 0.01 * c })
        .load(`D${t}_${c}`, home, {
          phases: isWide ? 's1s2' : c % 4 === 1 ? 's1' : 's2',
          ...(isWide ? { connection: 'delta' as const, shareKv: 0.24 } : { shareKv: 0.12 }),
          kw: options.loadKw * (1 + 0.2 * c),
          kvar: 0.3 * options.loadKw,
        })
        .pv(`V${t}_${c}`, home, {
          phases: 's1s2',
          connection: 'delta',
          shareKv: 0.24,
          kw: options.pvKw * (1 + 0.1 * ((t + c) % 4)),
        });
    }
  }
  return net.build();
}

/** Nothing measured: the model's own powers. */
export const MODEL_INPUTS: LocalInputs = { loads: {}, availableW: {}, held: {} };
/** States as in the model. */
export const MODEL_STATE: PrimaryState = { taps: {}, capacitorSections: {}, openSwitches: [] };
