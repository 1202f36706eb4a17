/*
 * Which inverters keep `pfpriority`. An InvControl takes it from its units, whether it acts or not, unless its function is
 * voltwatt or wattpf.
 * Source: OpenDSS, InvControl (behaviour measured with DSS C-API 0.14.5: tests/unit/dss/power-factor-priority.test.ts).
 */
import type { DssObject } from '../script/index.js';
import type { CircuitReader } from './circuit-reader.js';

const KEEPING: ReadonlySet<string> = new Set(['voltwatt', 'wattpf']);

/** Ids of the PV systems and storage units without priority of the power factor, whatever they say. */
export function unitsWithoutFactorPriority(reader: CircuitReader): ReadonlySet<string> {
  const lost = new Set<string>();
  const { script } = reader;
  for (const control of script.byClass('invcontrol')) {
    if (keepsFactorPriority(reader, control)) continue;
    const list = control.assignments.findLast(({ property }) => property === 'derlist' || property === 'pvsystemlist');
    const names = list ? reader.words(list).filter((name) => name !== '') : [];
    const all = ['pvsystem', 'storage'].flatMap((name) => script.byClass(name).map((unit) => `${name}.${unit.name}`));
    for (const name of names.length === 0 ? all : names.map((word) => word.toLowerCase())) {
      lost.add(name.includes('.') ? name : `pvsystem.${name}`);
    }
  }
  return lost;
}

function keepsFactorPriority(reader: CircuitReader, control: DssObject): boolean {
  const mode = control.assignments.findLast(({ property }) => property === 'mode' || property === 'combimode');
  return mode?.property === 'mode' && KEEPING.has(reader.word(mode));
}
