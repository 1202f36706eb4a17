import { describe, expect, it } from 'vitest';
import { DssFileSet, readDss } from '../../../grid/dss/index.js';
import { createPowerFlow, type FeederFlow } from '../../../grid/flow/index.js';
import { buildFeeder, type Feeder } from '../../../grid/model/index.js';
import { FeederTruth } from '../../../grid/optim/feeder-truth.js';
import {
  type CoordinationQuestion,
  coordinateInProcess,
  createDispatchAudit,
  leastCurtailment,
  linearFeeder,
  type PrimaryState,
  type Setpoint,
  settledState,
} from '../../../grid/optim/index.js';
import { LANE } from '../../builders/lane.js';
import { REGULATED_LANE } from '../../builders/regulated-lane.js';

/*
 * Dispatches that regulators answer. The truth is a power flow of the test's own, with the set-points and the taps in force and
 * controls standing still, and once more with controls acting from there.
 */

const read = (script: string): Feeder => readDss('a.dss', new DssFileSet([['a.dss', script]])).feeder;
const lane = read(REGULATED_LANE);
const inputs = { loads: {}, availableW: {}, held: {} };

/** Where regulators stand under full sun. */
function inFullSun(feeder: Feeder): PrimaryState {
  const flow = createPowerFlow(feeder);
  expect(flow.solve({ controls: true }).status).toBe('converged');
  return { taps: Object.fromEntries(flow.taps), capacitorSections: {}, openSwitches: [] };
}

const state = inFullSun(lane);

function highest(flow: FeederFlow, controls: boolean): number {
  const solution = flow.solve({ controls, tolerancePu: 1e-10 });
  expect(solution.status).toBe('converged');
  // The source's own bus is nobody's to hold.
  const nodes = flow.nodes.filter(({ bus }) => flow.feeder.busById.get(bus)?.name.toUpperCase() !== 'SRC');
  return Math.max(...nodes.map(({ bus, node }) => solution.voltagePuAt(bus, node) ?? 0));
}

/** Highest voltage before and after regulators answer, pu, and the taps then. */
function truth(ders: readonly Setpoint[], from: PrimaryState = state, feeder = lane) {
  const flow = createPowerFlow(feeder);
  for (const [id, position] of Object.entries(from.taps)) flow.setTap(id, position);
  for (const { derId, setpointW, setpointVar } of ders) flow.setGeneration(derId, setpointW, setpointVar);
  return { before: highest(flow, false), after: highest(flow, true), taps: Object.fromEntries(flow.taps) };
}

function coordinate(more: Partial<CoordinationQuestion> = {}, maxPu = 1.04) {
  const settings = { limits: { minPu: 0.95, maxPu } };
  return coordinateInProcess({ feeder: lane, inputs, state, settings, leastCurtailedW: 0, ...more });
}

describe('the least possible', () => {
  it('is never above what a rule came to, where regulators hide it from the search', () => {
    for (const kappa of [0, 0.44]) {
      const reactive = kappa > 0 ? { reactive: { mode: 'capability', kappa } as const } : {};
      const settings = { limits: { minPu: 0.95, maxPu: 1.0232 } };
      const question = { feeder: lane, inputs, state, settings, rule: { mode: 'equalAlpha' } } as const;
      const { status, curtailedW, leastCurtailedW, priceOfFairness } = coordinateInProcess({
        ...question,
        ...reactive,
      });
      expect(status).toMatch(/converged|optimal/);
      expect(curtailedW).toBeGreaterThan(0);
      expect(leastCurtailedW).toBeLessThanOrEqual(curtailedW);
      expect(priceOfFairness).toBeGreaterThanOrEqual(0);
    }
  });
});

describe('a dispatch that regulators answer', () => {
  it('breaks the limit once they have stepped up, when only the taps in force count', () => {
    const regulators = lane.regulators.map((one) => ({ ...one, isControlEnabled: false }));
    const still = coordinate({ feeder: buildFeeder({ ...lane, regulators }), method: 'central' });
    expect([still.status, still.controls]).toEqual(['optimal', undefined]);
    const { before, after } = truth(still.ders);
    expect(before).toBeLessThanOrEqual(1.04 + 1e-5);
    expect(after).toBeGreaterThan(1.045);
    expect(still.curtailedW).toBeLessThan(0.6 * coordinate({ method: 'central' }).curtailedW);
  });

  it.each([
    ['admm', {}],
    ['central', { method: 'central' }],
    ['by cuts', { rule: { mode: 'maxMin' }, method: 'admm' }],
    ['by areas', { areas: { kind: 'count', count: 2 }, method: 'admm' }],
  ] as const)('holds before and after: %s', (_, more) => {
    const result = coordinate(more);
    const { before, after, taps } = truth(result.ders);
    expect(['converged', 'optimal']).toContain(result.status);
    expect(result.ac.corrections).toBeLessThanOrEqual(3);
    expect(Object.values(taps)).not.toEqual(Object.values(state.taps));
    expect(before).toBeLessThanOrEqual(1.04 + 1e-5);
    expect(after).toBeLessThanOrEqual(1.04 + 1e-5);
    // Nothing is given away: in the worse of both states a node is at its limit.
    expect(Math.max(before, after)).toBeGreaterThan(1.04 - 1e-4);
    expect(result.ac.vMaxPu).toBeCloseTo(Math.max(before, after), 7);
    expect(result.controls).toMatchObject({ isAtRest: true, holds: true, worstNode: expect.stringMatching(/^B/i) });
    expect(result.controls?.vMaxPu).toBeCloseTo(after, 7);
    expect(result.controls?.moves.map(({ id, to }) => [id, to])).toEqual(
      Object.entries(taps).filter(([id, tap]) => tap !== state.taps[id]),
    );
    expect(result.findings).toContainEqual(expect.objectContaining({ code: 'CONTROLS_ANSWER', severity: 'info' }));
  });

  it('is the same once they have moved, so that the next interval has nothing to add', () => {
    const first = coordinate({ method: 'central' });
    const { taps } = truth(first.ders);
    const second = coordinate({ method: 'central', state: { ...state, taps } });
    expect(second.status).toBe('optimal');
    expect(Math.abs(second.curtailedW / first.curtailedW - 1)).toBeLessThan(0.05);
    expect(truth(second.ders, { ...state, taps }).after).toBeLessThanOrEqual(1.04 + 1e-5);
  });

  it('is told where no dispatch holds before and after, and not called an optimum', () => {
    // The band of the regulators reaches to 1.0292 pu: whatever is curtailed, they step up to it.
    const result = coordinate({ rule: { mode: 'equalAlpha' }, method: 'central' }, 1.0215);
    const { after } = truth(result.ders);
    expect(after).toBeGreaterThan(1.0215 + 1e-4);
    expect(result.status).toBe('limitsViolated');
    expect(result.controls).toMatchObject({ holds: false });
    expect(result.controls?.vMaxPu).toBeCloseTo(after, 6);
    const finding = result.findings.find(({ code }) => code === 'CONTROLS_BREAK_LIMITS');
    expect(finding?.severity).toBe('warning');
    expect(finding?.message).toMatch(/creg\d \(-?\d+ to -?\d+\).*keeps the limits before and after.*worst at [BR]\d/i);
  });

  it('is held against the least curtailment that holds before and after too', () => {
    const { ders } = coordinate({ rule: { mode: 'total' }, method: 'central' });
    const judge = createDispatchAudit(lane, { limits: { minPu: 0.95, maxPu: 1.04 }, fairness: 'total' });
    const alpha = Object.fromEntries(ders.map((der) => [der.derId, der.alpha]));
    const curtailedW = ders.reduce((sum, der) => sum + der.alpha * der.availableW, 0);
    const { leastCurtailedW, kktResidual } = judge({ inputs, state, alpha });
    expect(Math.abs(leastCurtailedW! - curtailedW)).toBeLessThan(1e-3 * curtailedW);
    expect(kktResidual).toBeLessThan(1e-4);
  });

  it('has no yardstick above a dispatch that holds', () => {
    const limits = { minPu: 0.95, maxPu: 1.04 };
    const linear = linearFeeder(lane, state);
    const least = (curtailedW?: number, excessPu = 0) => {
      const truth = new FeederTruth(lane, linear, inputs, state, { limits });
      const held = curtailedW === undefined ? undefined : { curtailedW, excessPu };
      return leastCurtailment({ feeder: lane, linear, inputs, limits, held }, truth).leastCurtailedW!;
    };
    const own = least();
    expect(own).toBeGreaterThan(1000);
    expect(least(own + 500)).toBe(own);
    expect(least(own - 500)).toBe(own - 500);
    // One that exceeds a limit by the little that power flows are solved to is less by what that costs, and no other dispatch.
    expect(least(0.9999 * own, 1e-6)).toBe(own);
    expect(least(0.9 * own, 1e-6)).toBe(0.9 * own);
    expect(least(0.9 * own, 1e-5)).toBe(own);
  });

  it.each([
    ['with regulators', lane, state, 1.04],
    ['without', read(LANE), { taps: {}, capacitorSections: {}, openSwitches: [] }, 1.05],
  ] as const)(
    'has one yardstick for the price of fairness, whatever is measured and by whom: %s',
    (_, feeder, of, maxPu) => {
      const limits = { minPu: 0.95, maxPu };
      const question = { feeder, inputs, state: of, settings: { limits } };
      const measured = (['total', 'proportional', 'equalAlpha', 'maxMin'] as const).flatMap((mode) =>
        (['central', 'admm'] as const).map((method) => coordinateInProcess({ ...question, rule: { mode }, method })),
      );
      const leastW = measured[0]!.leastCurtailedW;
      expect(leastW).toBeGreaterThan(1000);
      for (const { curtailedW, leastCurtailedW, priceOfFairness, availableW, ders, fairness } of measured) {
        const judge = createDispatchAudit(feeder, {
          limits,
          fairness: fairness === 'total' ? 'total' : 'proportional',
        });
        const audited = judge({
          inputs,
          state: of,
          alpha: Object.fromEntries(ders.map((der) => [der.derId, der.alpha])),
        });
        expect(Math.abs(leastCurtailedW - leastW)).toBeLessThan(0.5);
        expect(Math.abs(audited.leastCurtailedW! - leastW)).toBeLessThan(0.5);
        expect(Math.abs(priceOfFairness * availableW - (curtailedW - leastW))).toBeLessThan(1.5);
        if (fairness === 'total') expect(Math.abs(priceOfFairness)).toBeLessThan(1e-3);
        else expect(priceOfFairness).toBeGreaterThan(0);
      }
    },
  );

  it('says nothing of controls where nothing moves', () => {
    const plain = read(LANE);
    const result = coordinate({ feeder: plain, state: { taps: {}, capacitorSections: {}, openSwitches: [] } }, 1.05);
    expect(result.controls).toBeUndefined();
    expect(result.findings.filter(({ code }) => code.startsWith('CONTROLS'))).toEqual([]);
  });
});

describe('controls before anybody curtails', () => {
  it('settle where a snapshot with all the sun has them, and stand still there', () => {
    const settled = settledState(lane, inputs, { taps: {}, capacitorSections: {}, openSwitches: [] });
    // The script's positions are those of no power at all.
    expect(settled.moves.length).toBeGreaterThan(0);
    for (const { id, from, to } of settled.moves) expect([from, to]).toEqual([0, state.taps[id]]);
    const still = Object.fromEntries(lane.regulators.map(({ id, position }) => [id, position]));
    expect({ ...still, ...settled.state.taps }).toEqual(state.taps);
    expect(Math.min(...Object.values(state.taps))).toBeLessThan(0);
    // From there nothing moves once more, and positions that are known stay.
    expect(settledState(lane, inputs, settled.state)).toEqual({ state: settled.state, moves: [], isAtRest: true });
    const [first] = Object.keys(state.taps);
    const known = settledState(lane, inputs, { ...state, taps: { [first!]: 3 } });
    expect(known.state.taps[first!]).toBe(3);
  });
});
