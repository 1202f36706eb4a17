import { describe, expect, it } from 'vitest';
import { BusError, coordination, coordinationExamples } from '../../../bus/index.js';

type Json = Record<string, unknown>;

const PART: Json = {
  ...{ areaId: 'a', hasLink: true, linksBelow: [[1]], rootCount: 1, rootVoltageSquaredPu: [1] },
  branches: [{ parents: [0], children: [1], gain: [1], dropP: [1e-9], dropQ: [1e-9], shareRe: [1], shareIm: [0] }],
  ...{ shuntW: [0, 0], shuntVar: [0, 0], drawnW: [0, 10], drawnVar: [0, 1] },
  ...{ lowerSquaredPu: [null, 0.9], upperSquaredPu: [null, 1.1], correctionSquaredPu: [0, 0] },
  ...{ units: [], cost: { linear: [], quadratic: [] }, agents: [{ agentId: '9A', portNodes: [1] }] },
};
const DIRECTIVE: Json = { round: 3, inputs: [0.1, 0, 0], relaxation: 1.6, rho: 0.3 };

/** The example of a kind with one area's part changed. */
function spoilt(kind: 'areaRound' | 'areaReport' | 'settled', change: Json): unknown {
  const example = Object(coordinationExamples[kind]);
  const [name, area] = Object.entries(Object(example.areas))[0]!;
  return { ...example, areas: { [name]: { ...Object(area), ...change } } };
}

function problemOf(payload: unknown): string {
  try {
    coordination.parse(JSON.stringify(payload));
  } catch (error) {
    if (error instanceof BusError && error.code === 'BAD_MESSAGE') return error.message;
    throw error;
  }
  return 'none';
}

describe('messages of areas', () => {
  it('bring a part and a directive as they were written', () => {
    const message = spoilt('areaRound', { part: PART, directive: DIRECTIVE, isNew: true, knows: 'abc' });
    const read = coordination.parse(JSON.stringify(message));
    expect(coordination.parse(coordination.format(read))).toEqual(read);
    expect(read).toMatchObject({ areas: { 'area 18': { part: PART, directive: DIRECTIVE, isNew: true } } });
  });

  it.each<['areaRound' | 'areaReport' | 'settled', Json, RegExp]>([
    ['areaRound', { directive: { ...DIRECTIVE, rho: 0 } }, /directive\.rho/],
    ['areaRound', { directive: { ...DIRECTIVE, relaxation: 5 } }, /directive\.relaxation/],
    ['areaRound', { directive: { ...DIRECTIVE, inputs: [1, null] } }, /directive\.inputs\[1\]/],
    ['areaRound', { part: { ...PART, areaId: '' } }, /part\.areaId/],
    ['areaRound', { part: { ...PART, drawnW: ['much'] } }, /part\.drawnW\[0\]/],
    ['areaRound', { part: { ...PART, agents: [{ agentId: '9A', portNodes: [-1] }] } }, /portNodes\[0\]/],
    ['areaRound', { part: { ...PART, branches: [{}] } }, /branches\[0\]\.parents is missing/],
    ['areaReport', { constant: undefined }, /constant is missing/],
    ['areaReport', { constant: [Number.NaN] }, /constant\[0\]/],
    ['areaReport', { answered: -1 }, /answered/],
    ['areaReport', { response: 'all of it' }, /response/],
    ['areaReport', { rows: [{ row: 1.5, lower: null, upper: null, cap: null }] }, /rows\[0\]\.row/],
    ['areaReport', { sums: { primal: -1 } }, /sums\.primal/],
    ['areaReport', { missing: '9A' }, /missing/],
    ['settled', { own: { pv: 1.5 } }, /own\.pv/],
    ['settled', { agents: { '9A': { powerW: [1] } } }, /powerVar is missing/],
  ])('of kind %s with %o are refused with the path of what is wrong', (kind, change, path) => {
    expect(problemOf(coordinationExamples[kind])).toBe('none');
    expect(problemOf(spoilt(kind, change))).toMatch(path);
  });
});
