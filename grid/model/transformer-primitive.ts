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
import type { Conductor, Primitive } from './primitive.js';

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

/** Direction in which the deltas of a transformer close: +1 to the next phase, -1 to the one before. */
export function deltaDirection(transformer: Transformer): 1 | -1 {
  const [first, second] = transformer.windings;
  if (!first || !second || transformer.construction === 'auto' || first.connection === second.connection) return 1;
  const high = first.ratedVoltageV >= second.ratedVoltageV ? first : second;
  const isForward = (high.connection === 'wye') !== transformer.isDeltaLeading;
  return isForward ? 1 : -1;
}

/** Positions, in the element's conductor list, of the two ends of one phase of a winding: into {@link place}. */
function placeEnds(transformer: Transformer, winding: number, phase: number, direction: 1 | -1): void {
  const start = starts[winding]!;
  const { phases, construction } = transformer;
  const { connection, terminal } = transformer.windings[winding]!;
  place[2 * winding] = start + phase;
  if (construction === 'auto' && winding === 0) place[1] = starts[1]! + phase;
  else if (phases === 1) place[2 * winding + 1] = start + 1;
  else if (connection === 'wye') place[2 * winding + 1] = start + phases;
  else {
    // Two phases in delta are an open delta over three conductors.
    const count = phases === 2 ? 3 : Math.min(phases, terminal.nodes.length);
    place[2 * winding + 1] = start + ((phase + direction + count) % count);
  }
}

/** Number of conductors of a winding; a polyphase wye always has its neutral as the last one. */
function conductorCount({ construction, phases }: Transformer, winding: Winding, w: number): number {
  const isSeries = construction === 'auto' && w === 0;
  if (phases === 1) return isSeries ? 1 : 2;
  return (winding.connection === 'wye' || phases === 2) && !isSeries ? phases + 1 : phases;
}

/**
 * Number of conductors of all windings together.
 *
 * @throws DecError FEEDER_DATA when a winding lacks nodes
 */
function transformerConductorCount(transformer: Transformer): number {
  const { windings, phases } = transformer;
  let count = 0;
  for (let w = 0; w < windings.length; w++) {
    const winding = windings[w]!;
    const needed = conductorCount(transformer, winding, w);
    const given = winding.terminal.nodes.length;
    // What is missing is the neutral, at ground.
    if (given < needed && given < phases) {
      throw new DecError(
        'FEEDER_DATA',
        `Transformer ${transformer.name}: winding ${w + 1} has ${given} nodes where ${needed} are needed.`,
        { transformer: transformer.name, winding: w + 1, nodes: given },
      );
    }
    count += needed;
  }
  return count;
}

/**
 * Goes through the conductors of a transformer, winding by winding.
 *
 * @param take - told the winding and the node number, 0 for ground
 */
export function eachTransformerNode(transformer: Transformer, take: (winding: number, node: number) => void): void {
  const { windings } = transformer;
  for (let w = 0; w < windings.length; w++) {
    const { nodes } = windings[w]!.terminal;
    const needed = conductorCount(transformer, windings[w]!, w);
    for (let i = 0; i < needed; i++) take(w, nodes[i] ?? 0);
  }
}

/** Conductors of a transformer, winding by winding. */
export function transformerConductors(transformer: Transformer): Conductor[] {
  const list: Conductor[] = [];
  eachTransformerNode(transformer, (w, node) => {
    list.push({ terminal: w + 1, bus: transformer.windings[w]!.terminal.bus, node });
  });
  return list;
}

/** A transformer; its conductors are listed when first asked for, as few are. */
class TransformerPrimitive implements Primitive {
  private list: readonly Conductor[] | undefined;

  constructor(
    private readonly transformer: Transformer,
    readonly y: ComplexDense,
  ) {}

  get conductors(): readonly Conductor[] {
    this.list ??= transformerConductors(this.transformer);
    return this.list;
  }
}

/** First conductor of each winding, and the ends of one phase of all of them: used up at once. */
const starts: number[] = [];
const place: number[] = [];

/**
 * A transformer with its conductors at the given tap ratios, see {@link transformerAdmittance}.
 *
 * @param ratios - tap ratio of each winding, 1 = nominal; 0 counts as 0.0001
 * @throws DecError SINGULAR when the short-circuit impedances have no inverse, FEEDER_DATA when nodes are missing
 */
export function transformerPrimitive(transformer: Transformer, ratios: readonly number[]): Primitive {
  return new TransformerPrimitive(transformer, transformerAdmittance(transformer, ratios));
}

/**
 * Primitive admittance of a transformer with the given tap ratios.
 *
 * @param ratios - tap ratio of each winding, 1 = nominal; 0 counts as 0.0001
 * @param store - where the admittance is put
 * @throws DecError SINGULAR when the short-circuit impedances have no inverse, FEEDER_DATA when nodes are missing
 */
export function transformerAdmittance(
  transformer: Transformer,
  ratios: readonly number[],
  store?: DenseStore,
): ComplexDense {
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

  const conductors = transformerConductorCount(transformer);
  for (let w = 0, next = 0; w < count; w++) {
    starts[w] = next;
    next += conductorCount(transformer, windings[w]!, w);
  }
  const direction = deltaDirection(transformer);
  const y = store?.matrix(conductors) ?? new ComplexDense(conductors);
  const n = 2 * count;
  const { data, offset } = ends;
  for (let phase = 0; phase < phases; phase++) {
    for (let w = 0; w < count; w++) placeEnds(transformer, w, phase, direction);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        const k = offset + i * n + j;
        y.add(place[i]!, place[j]!, data[k]!, data[k + n * n]!);
      }
    }
  }
  for (let w = 0; w < count; w++) {
    const winding = windings[w]!;
    const ground = winding.groundOhm;
    if (!ground || winding.connection !== 'wye') continue;
    const neutral = starts[w]! + phases;
    if (ground.r < 0) {
      // An open neutral gets one antifloat shunt more, as in OpenDSS: it places the neutral of a floating winding.
      y.add(neutral, neutral, 0, -windingAntifloat(transformer, w));
      continue;
    }
    const size2 = ground.r ** 2 + ground.x ** 2;
    if (size2 > 0) y.add(neutral, neutral, ground.r / size2, -ground.x / size2);
    else y.add(neutral, neutral, 1e6, 0);
  }
  return y;
}
