import { describe, expect, it } from 'vitest';
import { coordinationDifference } from '../../../../dec/output/coordination-difference.js';
import { parseDifference } from '../../../../grid/cim/index.js';
import { buildFeeder } from '../../../../grid/model/index.js';
import { type CoordinationQuestion, coordinateInProcess } from '../../../../grid/optim/index.js';
import { MODEL_INPUTS, MODEL_STATE, street } from '../../optim/street.js';

const bare = street({ transformers: 4, customers: 2, pvKw: 12, loadKw: 1, sourcePu: 1.035 });
const questionOf = (mrid: (id: string) => string, maxPu: number): CoordinationQuestion => ({
  feeder: buildFeeder({ ...bare, pvSystems: bare.pvSystems.map((pv) => ({ ...pv, mrid: mrid(pv.id), unitMrid: '' })) }),
  inputs: MODEL_INPUTS,
  state: MODEL_STATE,
  method: 'central',
  settings: { limits: { minPu: 0.9, maxPu }, fairness: 'total' },
});

describe('the message of a coordination', () => {
  it('limits who is curtailed to what is left, as before nobody was, and names nobody else', () => {
    const question = questionOf((id) => `mrid-${id}`, 1.05);
    const result = coordinateInProcess(question);
    const message = parseDifference(JSON.stringify(coordinationDifference(question, result, 60)));
    const cut = result.ders.filter(({ alpha }) => alpha >= 1e-3);
    expect(cut.length).toBeGreaterThan(0);
    expect(cut.length).toBeLessThan(result.ders.length);
    expect(message.timestamp).toBe(60);
    expect(message.simulationId).toBeUndefined();
    expect(message.forward).toEqual(
      cut.map(({ mrid, setpointW }) => ({ object: mrid, attribute: 'PowerElectronicsConnection.p', value: setpointW })),
    );
    expect(message.reverse.map(({ value }) => value)).toEqual(
      cut.map(({ derId }) => question.feeder.pvSystems.find(({ id }) => id === derId)!.maxPowerW),
    );
  });

  it('sets reactive power where inverters absorb, from none', () => {
    const question: CoordinationQuestion = { ...questionOf((id) => id, 1.05), reactive: { mode: 'capability' } };
    const result = coordinateInProcess(question);
    const message = parseDifference(JSON.stringify(coordinationDifference(question, result, 0)));
    const vars = message.forward.filter(({ attribute }) => attribute === 'PowerElectronicsConnection.q');
    const absorbing = result.ders.filter(({ setpointVar }) => Math.abs(setpointVar) > 1);
    expect(absorbing.length).toBeGreaterThan(0);
    expect(vars.map(({ object, value }) => [object, value])).toEqual(
      absorbing.map(({ mrid, setpointVar }) => [mrid, setpointVar]),
    );
  });

  it('is none where nothing is asked of anybody, or of nobody that has an mRID', () => {
    const free = questionOf((id) => id, 1.2);
    expect(coordinationDifference(free, coordinateInProcess(free), 0)).toBeUndefined();
    const nameless = questionOf(() => '', 1.05);
    expect(coordinationDifference(nameless, coordinateInProcess(nameless), 0)).toBeUndefined();
  });

  it('has the same id for the same set-points, and another for others', () => {
    const [a, again, b] = [1.05, 1.05, 1.045].map((maxPu) => {
      const question = questionOf((id) => id, maxPu);
      return coordinationDifference(question, coordinateInProcess(question), 0)!.input.message.difference_mrid;
    });
    expect(again).toBe(a);
    expect(b).not.toBe(a);
  });
});
