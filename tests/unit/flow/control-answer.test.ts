import { describe, expect, it } from 'vitest';
import { DssFileSet, readDss } from '../../../grid/dss/index.js';
import { answerOfControls, createPowerFlow, hasAnsweringControls } from '../../../grid/flow/index.js';
import { LANE } from '../../builders/lane.js';
import { REGULATED_LANE } from '../../builders/regulated-lane.js';

const read = (script: string) => readDss('a.dss', new DssFileSet([['a.dss', script]])).feeder;
const feeder = read(REGULATED_LANE);

function atNoon(of = feeder) {
  const flow = createPowerFlow(of);
  flow.solve({ controls: true });
  return flow;
}

describe('what controls do in answer to powers', () => {
  it('is where a power flow with controls comes to, from the same taps', () => {
    const flow = atNoon();
    const whole = atNoon();
    const before = Object.fromEntries(flow.taps);
    for (const one of [flow, whole]) for (const { id } of feeder.pvSystems) one.setGeneration(id, 500_000, 0);
    flow.solve({ controls: false });
    const answer = answerOfControls(flow);
    whole.solve({ controls: true });
    expect(answer?.taps).toEqual(Object.fromEntries(whole.taps));
    expect(answer?.isAtRest).toBe(true);
    expect(answer?.moves.length).toBeGreaterThan(0);
    for (const { id, name, kind, from, to } of answer?.moves ?? []) {
      expect([kind, from, to]).toEqual(['regulator', before[id], whole.taps.get(id)]);
      expect(name).toMatch(/^creg\d$/);
    }
  });

  it('leaves them standing still where they came to, and comes from the same taps to the same place again', () => {
    const flow = atNoon();
    const before = [...flow.taps];
    for (const { id } of feeder.pvSystems) flow.setGeneration(id, 500_000, 0);
    flow.solve({ controls: false });
    const first = answerOfControls(flow);
    flow.solve({ controls: true });
    expect(Object.fromEntries(flow.taps)).toEqual(first?.taps);
    for (const [id, position] of before) flow.setTap(id, position, true);
    flow.solve({ controls: false });
    expect(answerOfControls(flow)).toEqual(first);
  });

  it('is nothing where the powers have not changed, and where there is no control', () => {
    const flow = atNoon();
    expect(answerOfControls(flow)).toBeUndefined();
    const plain = read(LANE);
    expect(hasAnsweringControls(plain)).toBe(false);
    expect(hasAnsweringControls(feeder)).toBe(true);
    expect(answerOfControls(createPowerFlow(plain))).toBeUndefined();
  });

  it('switches a bank that goes by voltage, and lets one that goes by the clock stand', () => {
    const bank = (control: string) =>
      read(
        LANE.replace(
          'Set voltagebases',
          `New Capacitor.c1 bus1=b3 phases=3 kv=12.47 kvar=900\nNew CapControl.k1 capacitor=c1 element=Line.l3 terminal=2 ${control}\nSet voltagebases`,
        ),
      );
    // The sun lifts B3 beyond 1.05 pu (tests/builders/lane.ts): 120 V times the PT ratio of 60 is 1.0 pu.
    const byVoltage = bank('type=voltage ptratio=60 ONsetting=115 OFFsetting=123');
    const flow = createPowerFlow(byVoltage);
    flow.solve({ controls: false });
    expect(answerOfControls(flow)?.moves).toEqual([
      { id: byVoltage.capacitors[0]?.id, name: 'c1', kind: 'capacitor', from: 1, to: 0 },
    ]);
    const byClock = bank('type=time ONsetting=8 OFFsetting=20');
    expect(hasAnsweringControls(byClock)).toBe(false);
    const second = createPowerFlow(byClock);
    second.solve({ controls: false });
    expect(answerOfControls(second)).toBeUndefined();
  });
});
