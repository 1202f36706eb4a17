/*
 * Primitive admittance of a transformer of any number of windings, one or three phases.
 *
 * Solved: terminal admittance from short-circuit tests between winding pairs, winding resistances, no-load loss and
 * magnetising current, connection, vector group and tap ratios.
 * Steps, for one phase on a base of one volt a turn:
 *  1. ZB, order windings - 1, referred to winding 1: diagonal R1 + Rj + jX1j, off-diagonal (Zii + Zjj - Zij) / 2.
 *  2. Y1 = A' ZB^-1 A with A = [-1 | I]; the no-load branch stands on the second winding.
 *  3. Winding voltages to terminals: each winding spans two conductors by 1 / (V rated * tap).
 *  4. Both conductors of each winding get a reactive shunt of a millionth of the rating, so that no island floats.
 *  5. The phases are placed by connection: wye to its neutral, delta to the next phase in the delta's direction.
 * An autotransformer's first winding is the series one, from the high terminal to the second winding's terminal; its
 * tests, given between terminals, are referred to the windings first.
 * Fails: SINGULAR when a winding pair has no impedance at all.
 * Source: Dugan and Santoso (2003), "An example of 3-phase transformer modeling for distribution system analysis";
 * Dommel (1986), EMTP Theory Book, section 6.3 and eq. (6.45)-(6.50) for autotransformers.
 */
import { ComplexDense, DecError, type DenseStore } from '../math/index.js';
import type { Transformer, Winding } from './element.js';
import { type Conductor, conductorsOf, type Primitive } from './primitive.js';

/** Share of the rated admittance put as a reactive shunt on each conductor of a winding (OpenDSS ppm_antifloat = 1). */
const ANTIFLOAT = 1e-6;

/** Voltage across one phase of a winding at rating, V: line-to-neutral of a polyphase wye, else the rated voltage. */
export function windingBaseVoltage(transformer: Transformer, winding: number): number {
  const { connection, ratedVoltageV } = transformer.windings[winding]!;
  const common = transformer.windings[1];
  if (transformer.construction === 'auto' && winding === 0 && common) {
    const series = (ratedVoltageV - common.ratedVoltageV) / (transformer.phases > 1 ? Math.sqrt(3) : 1);
    return series === 0 ? ratedVoltageV * 1e-4 : series;
  }
  return transformer.phases > 1 && connection === 'wye' ? ratedVoltageV / Math.sqrt(3) : ratedVoltageV;
}

/** Inductive susceptance put on each end of a winding so that no island floats, S (OpenDSS `ComputeAntiFloatAdder`). */
export function windingAntifloat(transformer: Transformer, winding: number): number {
  const powerPerPhase = transformer.windings[0]!.ratedPowerVA / transformer.phases;
  return ((transformer.antifloat ?? ANTIFLOAT) * powerPerPhase) / windingBaseVoltage(transformer, winding) ** 2 / 2;
}

/** Index of a winding pair (a < b) in the upper triangle by rows. */
function pairIndex(a: number, b: number, count: number): number {
  return (a * (2 * count - a - 1)) / 2 + (b - a - 1);
}

/** What a primitive of so many windings is worked out in. */
interface Workspace {
  readonly shortCircuit: ComplexDense;
  /** Rows are winding pairs, columns windings. */
  readonly incidence: Float64Array;
  readonly oneVolt: ComplexDense;
  /** Rows are windings, columns the two ends of each. */
  readonly turns: Float64Array;
  readonly ends: ComplexDense;
}

const workspaces: Workspace[] = [];

function workspace(count: number): Workspace {
  const known = workspaces[count];
  if (known) return known;
  const incidence = new Float64Array((count - 1) * count);
  for (let i = 1; i < count; i++) {
    incidence[(i - 1) * count] = -1;
    incidence[(i - 1) * count + i] = 1;
  }
  const made: Workspace = {
    shortCircuit: new ComplexDense(count - 1),
    incidence,
    oneVolt: new ComplexDense(count),
    turns: new Float64Array(count * 2 * count),
    ends: new ComplexDense(2 * count),
  };
  workspaces[count] = made;
  return made;
}

/** Short-circuit impedances ZB between winding 1 and the others, ohm on a base of one volt. */
function shortCircuitMatrix(transformer: Transformer, zBase: number): ComplexDense {
  const { windings, reactancesPu } = transformer;
  const count = windings.length;
  const z = workspace(count).shortCircuit.clear();
  const reactance = (a: number, b: number) => reactancesPu[pairIndex(a, b, count)] ?? 0;
  const resistance = (a: number, b: number) => windings[a]!.resistancePu + windings[b]!.resistancePu;
  const isAuto = transformer.construction === 'auto';
  const common = isAuto ? windingBaseVoltage(transformer, 1) : 0;
  const series = isAuto ? windingBaseVoltage(transformer, 0) : 1;
  for (let i = 1; i < count; i++) {
    let scale = zBase;
    let x = reactance(0, i);
    if (isAuto && i === 1) scale = zBase * (1 + common / series) ** 2;
    if (isAuto && i === 2) {
      const total = series + common;
      x =
        (reactance(0, 1) * total * common) / series ** 2 +
        (reactance(0, 2) * total) / series -
        (reactance(1, 2) * common) / series;
    }
    z.add(i - 1, i - 1, resistance(0, i) * scale, x * scale);
  }
  const m = count - 1;
  for (let i = 0; i < m; i++) {
    for (let j = i + 1; j < m; j++) {
      const re = (z.re[i * m + i]! + z.re[j * m + j]! - resistance(i + 1, j + 1) * zBase) / 2;
      const im = (z.im[i * m + i]! + z.im[j * m + j]! - reactance(i + 1, j + 1) * zBase) / 2;
      z.add(i, j, re, im);
      z.add(j, i, re, im);
    }
  }
  return z;
}

/** Direction in which a delta closes: +1 to the next phase, -1 to the one before. */
function deltaDirection(transformer: Transformer): 1 | -1 {
  const [first, second] = transformer.windings;
  if (!first || !second || transformer.construction === 'auto' || first.connection === second.connection) return 1;
  const high = first.ratedVoltageV >= second.ratedVoltageV ? first : second;
  const isForward = (high.connection === 'wye') !== transformer.isDeltaLeading;
  return isForward ? 1 : -1;
}

/** Positions, in the element's conductor list, of the two ends of one phase of a winding. */
function windingEnds(
  transformer: Transformer,
  winding: number,
  phase: number,
  starts: readonly number[],
  direction: 1 | -1,
): readonly [number, number] {
  const start = starts[winding]!;
  const { phases, construction } = transformer;
  if (construction === 'auto' && winding === 0) return [start + phase, starts[1]! + phase];
  const { connection, terminal } = transformer.windings[winding]!;
  if (phases === 1) return [start, start + 1];
  if (connection === 'wye') return [start + phase, start + phases];
  // Two phases in delta are an open delta over three conductors.
  const count = phases === 2 ? 3 : Math.min(phases, terminal.nodes.length);
  return [start + phase, start + ((phase + direction + count) % count)];
}

/** Conductors of a winding; a polyphase wye always has its neutral as the last one. */
function windingConductors(transformer: Transformer, winding: Winding, number: number): Conductor[] {
  const list = conductorsOf(winding.terminal, number);
  const isSeries = transformer.construction === 'auto' && number === 1;
  const needed =
    transformer.phases === 1
      ? isSeries
        ? 1
        : 2
      : (winding.connection === 'wye' || transformer.phases === 2) && !isSeries
        ? transformer.phases + 1
        : transformer.phases;
  if (list.length > needed) return list.slice(0, needed);
  while (list.length < needed) {
    if (list.length < transformer.phases) {
      throw new DecError(
        'FEEDER_DATA',
        `Transformer ${transformer.name}: winding ${number} has ${list.length} nodes where ${needed} are needed.`,
        { transformer: transformer.name, winding: number, nodes: list.length },
      );
    }
    list.push({ terminal: number, bus: winding.terminal.bus, node: 0 });
  }
  return list;
}

/**
 * Primitive admittance of a transformer with the given tap ratios.
 *
 * @param ratios - tap ratio of each winding, 1 = nominal; 0 counts as 0.0001
 * @param store - where the admittance is put
 * @throws DecError SINGULAR when the short-circuit impedances have no inverse, FEEDER_DATA when nodes are missing
 */
export function transformerPrimitive(
  transformer: Transformer,
  ratios: readonly number[],
  store?: DenseStore,
): Primitive {
  const { windings, phases } = transformer;
  const count = windings.length;
  const first = windings[0];
  if (!first || count < 2 || !(first.ratedPowerVA > 0)) {
    throw new DecError('FEEDER_DATA', `Transformer ${transformer.name} needs two windings and a rated power.`, {
      transformer: transformer.name,
      windings: count,
    });
  }
  const powerPerPhase = first.ratedPowerVA / phases;
  const zBase = 1 / powerPerPhase;
  const { incidence, oneVolt, turns, ends } = workspace(count);
  shortCircuitMatrix(transformer, zBase).invert().congruence(incidence, count, oneVolt);
  oneVolt.add(1, 1, transformer.noLoadLossPu / zBase, -transformer.magnetisingPu / zBase);

  for (let w = 0; w < count; w++) {
    const f = 1 / (windingBaseVoltage(transformer, w) * (ratios[w] || 1e-4));
    turns[w * 2 * count + 2 * w] = f;
    turns[w * 2 * count + 2 * w + 1] = -f;
  }
  oneVolt.congruence(turns, 2 * count, ends);
  for (let w = 0; w < count; w++) {
    const shunt = -windingAntifloat(transformer, w);
    ends.add(2 * w, 2 * w, 0, shunt);
    ends.add(2 * w + 1, 2 * w + 1, 0, shunt);
  }

  const conductors: Conductor[] = [];
  const starts: number[] = [];
  windings.forEach((winding, w) => {
    starts.push(conductors.length);
    conductors.push(...windingConductors(transformer, winding, w + 1));
  });
  const direction = deltaDirection(transformer);
  const y = store?.matrix(conductors.length) ?? new ComplexDense(conductors.length);
  const n = 2 * count;
  for (let phase = 0; phase < phases; phase++) {
    const place = windings.flatMap((_, w) => windingEnds(transformer, w, phase, starts, direction));
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) y.add(place[i]!, place[j]!, ends.re[i * n + j]!, ends.im[i * n + j]!);
    }
  }
  windings.forEach((winding, w) => {
    const ground = winding.groundOhm;
    if (!ground || winding.connection !== 'wye') return;
    const neutral = starts[w]! + phases;
    if (ground.r < 0) {
      // An open neutral gets one antifloat shunt more, as in OpenDSS: it places the neutral of a floating winding.
      y.add(neutral, neutral, 0, -windingAntifloat(transformer, w));
      return;
    }
    const size2 = ground.r ** 2 + ground.x ** 2;
    if (size2 > 0) y.add(neutral, neutral, ground.r / size2, -ground.x / size2);
    else y.add(neutral, neutral, 1e6, 0);
  });
  return { conductors, y };
}
