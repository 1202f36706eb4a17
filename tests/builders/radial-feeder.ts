import type { Feeder } from '../../grid/model/index.js';
import { FeederBuilder } from './feeder.js';

/** A repeatable sequence in [0, 1). */
export function sequence(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 4294967296;
  };
}

/**
 * A radial 12.47 kV feeder in the manner of the IEEE 8500-node one: a three-phase trunk with a regulator bank in its
 * middle, single-phase laterals, centre-tapped service transformers with triplex drops and unbalanced constant-power
 * loads on both legs.
 *
 * @param transformers - service transformers; there are about seven nodes for each
 * @param seed - of lengths and loads
 */
export function radialFeeder(transformers: number, seed = 1): Feeder {
  const next = sequence(seed);
  const builder = new FeederBuilder(`radial ${transformers}`);
  builder.source('S', 'SUB', { kv: 12.47, pu: 1.03, z1: [0.01, 0.1], z0: [0.01, 0.1] });
  const trunk = ['SUB'];
  const self = [[0.0866], [0.0296, 0.0887], [0.0291, 0.0302, 0.0877]];
  const mutual = [[0.2041], [0.0951, 0.1967], [0.0729, 0.0799, 0.2002]];
  const kmScale = Math.min(1, 1200 / transformers);
  const trunkBuses = Math.max(3, Math.round(transformers / 3));
  for (let i = 1; i <= trunkBuses; i++) {
    // Mostly a chain, now and then a branch of the trunk.
    const from = next() < 0.9 ? trunk[i - 1]! : trunk[Math.floor(next() * i)]!;
    if (i === Math.ceil(trunkBuses / 4)) {
      for (const phase of [1, 2, 3]) {
        builder.transformer(`reg${phase}`, {
          phases: 1,
          windings: [
            { bus: from, nodes: [phase, 0], kv: 7.2, kva: 5000 },
            { bus: `T${i}`, nodes: [phase, 0], kv: 7.2, kva: 5000 },
          ],
          reactancesPct: [0.1],
        });
        builder.regulator(`reg${phase}`, `reg${phase}`, { targetV: 123, bandV: 2, ptRatio: 60, position: 4 });
      }
    } else {
      builder.line(`t${i}`, from, `T${i}`, {
        r: self,
        x: mutual,
        bMicroSiemens: [[1.5], [-0.3, 1.5], [-0.3, -0.3, 1.5]],
        length: (0.02 + 0.06 * next()) * kmScale,
      });
    }
    trunk.push(`T${i}`);
  }
  builder.capacitor('c1', trunk[Math.floor(trunkBuses / 2)]!, { kvar: 600 });
  let made = 0;
  for (let lateral = 0; made < transformers; lateral++) {
    const phase = 'ABC'[lateral % 3]!;
    let from = trunk[1 + Math.floor(next() * (trunk.length - 1))]!;
    const length = 1 + Math.floor(next() * 6);
    for (let i = 0; i < length && made < transformers; i++) {
      for (let bare = next() < 0.5 ? 1 : 0; bare >= 0; bare--) {
        const to = `L${lateral}_${i}_${bare}`;
        builder.line(`l${lateral}_${i}_${bare}`, from, to, {
          r: [[0.36]],
          x: [[0.34]],
          bMicroSiemens: [[1]],
          length: 0.05 + 0.1 * next(),
          phases: phase,
        });
        from = to;
      }
      const x = `X${made}`;
      builder.transformer(`x${made}`, {
        phases: 1,
        construction: 'centerTap',
        windings: [
          { bus: from, nodes: ['ABC'.indexOf(phase) + 1, 0], kv: 7.2, kva: 25, resistancePct: 0.6 },
          { bus: x, nodes: [1, 0], kv: 0.12, kva: 25, resistancePct: 1.2 },
          { bus: x, nodes: [0, 2], kv: 0.12, kva: 25, resistancePct: 1.2 },
        ],
        reactancesPct: [2.04, 2.04, 1.36],
        noLoadLossPct: 0.2,
        magnetisingPct: 0.5,
      });
      builder.line(`d${made}`, x, `S${made}`, {
        r: [[0.025], [0.008, 0.025]],
        x: [[0.011], [0.009, 0.011]],
        phases: 's1s2',
        length: 0.5,
      });
      for (const leg of ['s1', 's2']) {
        const kw = 1 + 4 * next();
        builder.load(`h${made}${leg}`, `S${made}`, { phases: leg, kw, kvar: kw * 0.3, minPu: 0.8, maxPu: 1.2 });
      }
      made++;
    }
  }
  return builder.build();
}
