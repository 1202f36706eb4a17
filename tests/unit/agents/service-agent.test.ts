import { describe, expect, it } from 'vitest';
import { ServiceAgent } from '../../../agents/service-agent.js';
import { type AgentRequest, createServiceAgent, splitForStar } from '../../../grid/optim/index.js';
import { street } from '../optim/street.js';

const MODEL = splitForStar(street({ transformers: 1, customers: 3, pvKw: 8, loadKw: 0.8, sourcePu: 1.03, tap: 1 }))
  .services[0]!;
const SOUND: AgentRequest = { round: 1, rho: 1, targetW: [-2000], targetVar: [0], targetVoltageSquaredPu: [1.05] };
const prepare = (interval: number) =>
  ({ kind: 'prepare', interval, timestamp: 1000 + interval, forecast: { pv: [0.9], load: [0.5] } }) as const;

function agent(): ServiceAgent {
  return new ServiceAgent(MODEL, createServiceAgent(MODEL));
}

describe('a service-transformer agent that is told what cannot be', () => {
  it.each<[string, Partial<AgentRequest>, string]>([
    ['empty arrays', { targetW: [], targetVar: [], targetVoltageSquaredPu: [] }, 'targetW has 0 values'],
    ['a power no feeder has', { targetW: [1e308] }, 'targetW holds 1e+308'],
    ['a target no port can have', { targetVoltageSquaredPu: [1e9] }, 'targetVoltageSquaredPu holds 1000000000'],
    ['a penalty of zero', { rho: 0 }, 'rho is 0'],
  ])('refuses %s, and answers the sound round of the same number as if nothing had been', (_name, fault, reason) => {
    const fresh = agent();
    fresh.receive(prepare(0));
    const expected = fresh.receive({ kind: 'round', interval: 0, request: SOUND });
    expect(expected).toMatchObject({ kind: 'boundary' });

    const tried = agent();
    tried.receive(prepare(0));
    const refusal = tried.receive({ kind: 'round', interval: 0, request: { ...SOUND, ...fault } });
    expect(refusal).toMatchObject({ kind: 'refused', message: expect.stringContaining(reason) });
    expect(tried.receive({ kind: 'round', interval: 0, request: SOUND })).toEqual(expected);
  });

  it('refuses port voltages of the wrong length or size, and still verifies', () => {
    const tried = agent();
    tried.receive(prepare(0));
    tried.receive({ kind: 'round', interval: 0, request: SOUND });
    for (const voltage of [[], [1e9, 0], [0, 0]]) {
      expect(tried.receive({ kind: 'verify', interval: 0, round: 2, request: { voltage } })).toMatchObject({
        kind: 'refused',
      });
    }
    expect(tried.state).toEqual({ name: 'solving', interval: 0, round: 1 });
  });

  it('answers nothing that holds no number, and says where it is', () => {
    const plain = createServiceAgent(MODEL);
    const tried = new ServiceAgent(MODEL, {
      ...{ prepare: (inputs) => plain.prepare(inputs), update: (request) => plain.update(request) },
      ...{ verify: (request) => plain.verify(request), applyCorrection: () => plain.applyCorrection() },
      ...{ setpoints: () => plain.setpoints(), hold: () => plain.hold() },
      open: () => ({ ...plain.open(), units: plain.open().units.map((unit) => ({ ...unit, availableW: Number.NaN })) }),
      cuts: ({ round }) => ({
        round,
        cuts: [{ limit: 0, perAlpha: [0], perVar: [], perPort: [1], most: Number.POSITIVE_INFINITY }],
      }),
    });
    tried.receive(prepare(0));
    const opened = tried.receive({ kind: 'open', interval: 0, round: 1 });
    expect(opened).toMatchObject({ kind: 'failed', message: 'answer: units[0].availableW is NaN' });
    const request = { round: 2, alpha: [0, 0, 0], reactiveVar: [0, 0, 0], voltageSquaredPu: [1.05] };
    const cut = tried.receive({ kind: 'dispatch', interval: 0, request });
    expect(cut).toMatchObject({ kind: 'failed', message: 'answer: cuts[0].most is Infinity' });
  });

  it('keeps its warm start when the mathematics itself is asked for nonsense', () => {
    const inputs = { loads: {}, availableW: {}, held: {} };
    const core = createServiceAgent(MODEL);
    const twin = createServiceAgent(MODEL);
    for (const one of [core, twin]) one.prepare(inputs);
    expect(() => core.update({ ...SOUND, targetW: [] })).toThrow('1 finite numbers are needed');
    expect(() => core.update({ ...SOUND, targetW: [1e308], rho: 1e308 })).toThrow('no finite answer');
    expect(core.update(SOUND)).toEqual(twin.update(SOUND));
    for (const one of [core, twin]) one.prepare(inputs);
    expect(core.update(SOUND)).toEqual(twin.update(SOUND));
  });
});
