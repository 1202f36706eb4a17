import { describe, expect, it } from 'vitest';
import type { LiveInterval, LiveUpdate } from '../../../bus/index.js';
import { FAIRNESS_MODES } from '../../../grid/optim/index.js';
import {
  controlIntent,
  eventLog,
  FAIRNESS_RULES,
  type FeederMap,
  limitText,
  liveDocument,
  liveStage,
  puText,
  startIntent,
  UNSEEN_RUN,
  updateSince,
  withLiveEvents,
  withSwitches,
  withUpdate,
} from '../../../web/index.js';

const NODE = { bus: 'B1', phase: 'A' };
const figures = (timestamp: number, vMaxPu: number) => ({
  ...{ timestamp, vMaxPu, vMinPu: 1, vMaxNode: NODE, vMinNode: NODE },
  violations: vMaxPu > 1.05 ? 1 : 0,
});
const interval = (number: number, revision: number, more: Partial<LiveInterval> = {}): LiveInterval => ({
  ...{
    revision,
    interval: number,
    timestamp: 300 * number,
    status: 'converged',
    rounds: 7,
    corrections: 1,
    seconds: 0.5,
  },
  ...{ availableW: 1000, curtailedW: 100, curtailedPct: 10, priceOfFairnessPct: null, jainServed: 0.9 },
  ...{ commanded: 2, unchanged: 0, before: figures(300 * number, 1.06), after: null, beforePu: [1.06], afterPu: [] },
  ...{ curtailment: [], history: [], missingAgents: [], lostAgents: [], agentErrors: [], findings: [] },
  ...more,
});
const update = (revision: number, more: Partial<LiveUpdate> = {}): LiveUpdate => ({
  ...{ runId: 'run-1', revision, isWhole: false, status: 'running', stage: 'it runs', intervals: [], events: [] },
  ...more,
});
const described = update(1, {
  description: {
    ...{ revision: 1, feeder: { name: 'f', mrid: '_1' }, settings: { fairness: 'proportional', intervals: 3 } },
    ...{ versions: {}, agents: [{ agentId: '9A', ders: 2 }], ders: 2, nodes: [NODE] },
    ...{ branches: [], switches: ['sw1'], fairnessModes: ['proportional'], controls: ['pause'] },
  },
  inForce: {
    ...{ revision: 1, fairness: 'proportional', limits: { minPu: 0.95, maxPu: 1.05 } },
    ...{ loadMultiplier: 1, pvMultiplier: 1, openSwitches: [], droppedAgents: [] },
  },
});

describe('a run as updates tell it', () => {
  const whole = [
    described,
    update(2, { output: { revision: 2, figures: figures(0, 1.06), voltagesPu: [1.06] } }),
    update(3, {
      open: { revision: 3, interval: 0, timestamp: 0, before: figures(0, 1.06), beforePu: [1.06], history: [] },
    }),
    update(4, { intervals: [interval(0, 4)], open: null }),
    update(5, { intervals: [interval(0, 5, { after: figures(300, 1.05), afterPu: [1.05] })] }),
    update(6, { events: [{ revision: 6, timestamp: 300, interval: 1, grade: 'info', text: 'Paused.' }] }),
  ];

  it('comes to the same by every update, by one for several, and by one for all', () => {
    const all = whole.reduce(withUpdate, UNSEEN_RUN);
    expect(all.intervals).toEqual([interval(0, 5, { after: figures(300, 1.05), afterPu: [1.05] })]);
    expect(all.open).toBeUndefined();
    // A page that was away from revision 1 to 6, and one that has just come.
    const late = withUpdate(whole.slice(0, 1).reduce(withUpdate, UNSEEN_RUN), updateSince(all, 1, 'run-1'));
    expect({ ...late, openRevision: all.openRevision }).toEqual(all);
    expect(updateSince(all, 0, undefined).isWhole).toBe(true);
    expect(withUpdate(UNSEEN_RUN, updateSince(all, 0, undefined))).toEqual({ ...all, openRevision: 6 });
    // Nothing new is next to nothing.
    expect(updateSince(all, 6, 'run-1')).toEqual(update(6));
  });

  it('takes a run that took the place of another whole, and drops what was overtaken', () => {
    const all = whole.reduce(withUpdate, UNSEEN_RUN);
    expect(updateSince(all, 6, 'run-0').isWhole).toBe(true);
    const other = withUpdate(all, update(1, { runId: 'run-2' }));
    expect(other).toMatchObject({ runId: 'run-2', revision: 1, intervals: [], events: [] });
    expect(withUpdate(all, update(4, { intervals: [interval(0, 4)] }))).toBe(all);
  });

  it('is a run whose intervals grow: before the first the output, then what is being coordinated, then what came after', () => {
    const at = (count: number) => liveDocument(whole.slice(0, count).reduce(withUpdate, UNSEEN_RUN), 'x');
    expect(liveDocument(UNSEEN_RUN, 'x')).toBeUndefined();
    expect(at(1)?.intervals).toEqual([]);
    expect(at(2)?.intervals[0]).toMatchObject({ status: 'waiting', beforePu: [1.06], after: null });
    expect(at(3)?.intervals[0]).toMatchObject({ status: 'running', rounds: 0, after: null });
    expect(at(4)?.intervals[0]).toMatchObject({ status: 'converged', after: null });
    expect(at(5)?.intervals).toHaveLength(1);
    expect(at(5)?.summary).toMatchObject({ vMaxBeforePu: 1.06, vMaxAfterPu: 1.05, curtailedEnergyPct: 10, rounds: 7 });
    expect(at(5)?.limits).toEqual({ minPu: 0.95, maxPu: 1.05 });
  });

  it('has a log in the order of simulated time without an end, and says what it does', () => {
    const all = whole.reduce(withUpdate, UNSEEN_RUN);
    const texts = withLiveEvents(eventLog(liveDocument(all, 'x')!), all).map(({ text }) => text);
    expect(texts).toEqual([
      '1 node outside the limits, up to 1.0600 pu at B1.A.',
      'converged after 7 rounds in 0.50 s: 2 set-points sent, 100 W curtailed.',
      'All nodes inside the limits, 1.0000 to 1.0500 pu.',
      'Paused.',
    ]);
    expect(liveStage(all)).toBe('on the way to interval 2');
    expect(liveStage({ ...all, status: 'paused' })).toBe('waits before interval 2');
    expect(liveStage(whole.slice(0, 3).reduce(withUpdate, UNSEEN_RUN))).toBe('interval 1, 0 rounds so far');
  });
});

describe('what a live page shows and asks', () => {
  it('draws switches as they stand, by name in any case', () => {
    const branch = { id: 'b', name: 'SW1', kind: 'switch', from: 0, to: 1, phases: 'ABC', isOpen: false } as const;
    const map: FeederMap = {
      ...{ method: 'tree' as const, width: 1, height: 1, buses: [], areas: [], sources: [], capacitors: [], units: [] },
      branches: [{ ...branch, isRegulated: false, ratingA: null }],
    };
    expect(withSwitches(map, [])).toBe(map);
    expect(withSwitches(map, ['sw1']).branches[0]!.isOpen).toBe(true);
  });

  it('asks for what fields say, or says what is wrong with them', () => {
    expect(controlIntent.limits(0.95, 1.04)).toEqual({ kind: 'limits', minPu: 0.95, maxPu: 1.04 });
    expect(controlIntent.limits(1.05, 0.95)).toBe('The lower limit is not below the upper one.');
    expect(controlIntent.limits(Number.NaN, 1)).toBe('Both limits are numbers, pu.');
    expect(controlIntent.multipliers(Number.NaN, 1)).toBe('Multipliers are numbers of 0 and more.');
    expect(controlIntent.switch('', true)).toBe('Choose a switch first.');
    expect(controlIntent.agent('9A', true)).toEqual({ kind: 'agent', agentId: '9A', isDropped: true });
  });

  it('starts what the fields of a run say, or says what is wrong with them', () => {
    const fields = {
      ...{ feeder: '', fairness: 'maxMin', start: '11:30', intervals: 2, minutes: 5, load: 0.25, pv: 1, source: 1.04 },
      ...{ minPu: 0.95, maxPu: 1.05, isPaused: true },
    };
    expect(startIntent(fields)).toEqual({
      ...{ fairness: 'maxMin', intervals: 2, intervalS: 300, startS: 41_400, loadMultiplier: 0.25, pvMultiplier: 1 },
      ...{ sourceVoltagePu: 1.04, minPu: 0.95, maxPu: 1.05, isPaused: true },
    });
    expect(startIntent({ ...fields, start: '' })).toBe('The start is a time of day.');
    expect(startIntent({ ...fields, intervals: 1.5 })).toContain('whole number');
    expect(startIntent({ ...fields, maxPu: 0.9 })).toContain('not below');
    expect(FAIRNESS_RULES).toEqual([...FAIRNESS_MODES]);
  });

  it('writes limits with their digits, and a voltage that is not measured as unknown', () => {
    expect([1.05, 1.045, 1, 1.1].map(limitText)).toEqual(['1.05', '1.045', '1.00', '1.10']);
    expect(puText(Number.NaN)).toBe('–');
  });
});
