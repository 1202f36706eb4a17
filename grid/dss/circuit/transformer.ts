/*
 * Transformers and autotransformers. A winding's neutral stands at ground unless the bus names a node for it; the neutral
 * impedance counts only there.
 */
import type { Connection, Transformer, Winding } from '../../model/index.js';
import type { DssAssignment, DssObject } from '../script/index.js';
import type { CircuitReader } from './circuit-reader.js';
import { ownBus, terminalAt } from './terminal.js';
import { TransformerParameters, type WindingParameters } from './transformer-parameters.js';

/** A transformer with what its controls need of its windings. */
export interface ReadTransformer {
  readonly transformer: Transformer;
  readonly parameters: TransformerParameters;
}

/** Transformer codes, each read once. */
export class TransformerCodeLibrary {
  readonly #codes = new Map<DssObject, TransformerParameters>();

  constructor(readonly reader: CircuitReader) {}

  /** The parameters of the code an assignment names. */
  code(object: DssObject, assignment: DssAssignment): TransformerParameters | undefined {
    const found = this.reader.reference(object, assignment, 'xfmrcode');
    if (!found) return undefined;
    let code = this.#codes.get(found);
    if (!code) {
      code = new TransformerParameters();
      code.apply(this.reader, found, () => undefined);
      this.#codes.set(found, code);
    }
    return code;
  }
}

function winding(
  parameters: TransformerParameters,
  one: WindingParameters,
  w: number,
  isAuto: boolean,
  object: DssObject,
): Winding {
  const { phases } = parameters;
  // The common winding of an autotransformer is a wye whatever is written.
  const connection: Connection = one.connection === 'delta' && !(isAuto && w === 1) ? 'delta' : 'wye';
  const isSeries = isAuto && w === 0;
  const closed = isSeries || (connection === 'delta' && phases > 2);
  const conductors = phases === 1 ? (isSeries ? 1 : 2) : closed ? phases : phases + 1;
  const terminal = terminalAt(one.bus ?? ownBus(object, w + 1), phases, conductors);
  const neutral = connection === 'wye' && !isSeries ? (terminal.nodes[phases] ?? 0) : 0;
  return {
    terminal,
    connection,
    ratedVoltageV: one.kv * 1000,
    ratedPowerVA: one.kva * 1000,
    resistancePu: one.resistancePct / 100,
    tapRatio: one.tap,
    ...(neutral !== 0 ? { groundOhm: { r: one.neutralR, x: one.neutralX } } : {}),
  };
}

/** Whether windings 2 and 3 are the two legs of one split-phase secondary: at one bus, tied at their common node. */
function isCenterTap(phases: number, windings: readonly Winding[]): boolean {
  const [, second, third] = windings;
  if (phases !== 1 || windings.length !== 3 || !second || !third) return false;
  const [a, b] = second.terminal.nodes;
  const [c, d] = third.terminal.nodes;
  return second.terminal.bus === third.terminal.bus && b === c && a !== d;
}

/** Converts a Transformer or AutoTrans; undefined with a finding where it cannot be placed. */
export function readTransformer(
  reader: CircuitReader,
  codes: TransformerCodeLibrary,
  object: DssObject,
): ReadTransformer | undefined {
  const parameters = new TransformerParameters();
  const isAuto = object.className === 'autotrans';
  if (isAuto) startAuto(parameters);
  parameters.apply(reader, object, (assignment) => codes.code(object, assignment));
  if (parameters.windings.some((one) => !one.bus)) {
    reader.note(
      'warning',
      'MISSING_BUS',
      object,
      'A winding of it has no bus; it ends at one of its own, as in OpenDSS. Buses written before the number of windings is known are lost.',
    );
  }
  const placed = parameters.windings.map((one, w) => winding(parameters, one, w, isAuto, object));
  const id = `${object.className}.${object.name}`;
  const name = object.displayName;
  const ratingVA = placed[0]!.ratedPowerVA;
  const frequencyRatio = reader.settings.frequencyHz / (parameters.baseFrequencyHz ?? reader.baseFrequencyHz);
  const transformer: Transformer = {
    kind: 'transformer',
    id,
    mrid: '',
    name,
    phases: parameters.phases,
    windings: placed,
    reactancesPu: parameters.reactancesPct.map((x) => (x / 100) * frequencyRatio),
    noLoadLossPu: parameters.noLoadLossPct / 100,
    magnetisingPu: parameters.magnetisingPct / 100,
    construction: isAuto ? 'auto' : isCenterTap(parameters.phases, placed) ? 'centerTap' : 'standard',
    antifloat: parameters.antifloatPpm * 1e-6,
    isDeltaLeading: parameters.isDeltaLeading,
    bankId: parameters.bank === '' ? id : `bank.${parameters.bank.toLowerCase()}`,
    bankName: parameters.bank === '' ? name : parameters.bank,
    ratingVA: parameters.normalKva === undefined ? ratingVA : parameters.normalKva * 1000,
  };
  return { transformer, parameters };
}

/** An autotransformer begins with a series and a common winding, 115 and 66 kV, 10 % between them. */
function startAuto(parameters: TransformerParameters): void {
  const [series, common] = parameters.windings;
  parameters.main.high = 10;
  parameters.reactancesPct[0] = 10;
  series!.connection = 'series';
  series!.kv = 115;
  common!.kv = 66;
}
