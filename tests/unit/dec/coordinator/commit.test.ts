import { describe, expect, it } from 'vitest';
import { mridKey, simulationInput } from '../../../../bus/index.js';
import { type AppliedSetpoint, type CommandedDevice, commit } from '../../../../dec/coordinator/index.js';
import { limitOfSetpoint } from '../../../../grid/optim/index.js';

function device(agentId: string, name: string, maxPowerW = 5000): [string, CommandedDevice] {
  return [mridKey(`_${name}`), { agentId, name, objectMrid: `_UNIT-${name}`, maxPowerW }];
}

const devices = new Map([device('9A', 'pv_1'), device('9A', 'pv_2'), device('10B', 'pv_3')]);

function run(
  setpoints: Record<string, { derMrid: string; setpointW: number; setpointVar?: number }[]>,
  applied: ReadonlyMap<string, AppliedSetpoint> = new Map(),
) {
  let drawn = 0;
  return commit({
    simulationId: '4711',
    timestamp: 1655321900,
    uuid: () => `uuid-${drawn++}`,
    setpoints: Object.fromEntries(
      Object.entries(setpoints).map(([id, list]) => [id, list.map((one) => ({ setpointVar: 0, ...one }))]),
    ),
    devices,
    applied,
    deadBandW: 20,
    key: mridKey,
  });
}

const at = (setpointW: number, setpointVar = 0): AppliedSetpoint => ({ setpointW, setpointVar });

describe('the commitment of an interval', () => {
  it('is one difference message with absolute limits, and the limits before as reverse differences', () => {
    const { difference, applied, commanded } = run(
      { '9A': [{ derMrid: '_pv_1', setpointW: 3100 }], '10B': [{ derMrid: 'PV_3', setpointW: 2000 }] },
      new Map([['PV_3', at(2600)]]),
    );
    expect(commanded).toBe(2);
    expect(difference).toEqual({
      command: 'update',
      input: {
        simulation_id: '4711',
        message: {
          timestamp: 1655321900,
          difference_mrid: expect.stringMatching(/^uuid-/),
          // pv_1 was free: its largest power was in force.
          reverse_differences: [
            { object: '_UNIT-pv_1', attribute: 'PowerElectronicsConnection.p', value: 5000 },
            { object: '_UNIT-pv_3', attribute: 'PowerElectronicsConnection.p', value: 2600 },
          ],
          forward_differences: [
            { object: '_UNIT-pv_1', attribute: 'PowerElectronicsConnection.p', value: 3100 },
            { object: '_UNIT-pv_3', attribute: 'PowerElectronicsConnection.p', value: 2000 },
          ],
        },
      },
    });
    expect(simulationInput.parse(simulationInput.format(difference!))).toEqual(difference);
    expect(applied.get('PV_1')).toEqual(at(3100));
  });

  it('does not send a change inside the dead band, and measures the next one from what is in force', () => {
    const before = new Map([['PV_1', at(3000)]]);
    const first = run({ '9A': [{ derMrid: 'pv_1', setpointW: 3015 }] }, before);
    expect(first.difference).toBeUndefined();
    expect(first.unchanged).toBe(1);
    expect(first.applied.get('PV_1')).toEqual(at(3000));
    const second = run({ '9A': [{ derMrid: 'pv_1', setpointW: 3030 }] }, first.applied);
    expect(second.difference?.input.message.forward_differences).toHaveLength(1);
    expect(second.difference?.input.message.reverse_differences[0]?.value).toBe(3000);
  });

  it('gives a unit its largest power back even when the step is inside the dead band', () => {
    const { difference, applied } = run(
      { '9A': [{ derMrid: 'pv_1', setpointW: 5000 }] },
      new Map([['PV_1', at(4990)]]),
    );
    expect(difference?.input.message.forward_differences[0]?.value).toBe(5000);
    expect(applied.get('PV_1')).toEqual(at(5000));
  });

  it('sends nothing for units that were free and stay so', () => {
    expect(run({ '9A': [{ derMrid: 'pv_1', setpointW: 5000 }] }).difference).toBeUndefined();
  });

  it('refuses set-points for devices of other areas, for unknown ones and for what is no number, and sends the rest', () => {
    const { difference, findings } = run({
      '9A': [
        { derMrid: 'pv_3', setpointW: 0 },
        { derMrid: 'pv_99', setpointW: 0 },
        { derMrid: 'pv_2', setpointW: Number.NaN },
        { derMrid: 'pv_1', setpointW: 1000 },
      ],
    });
    expect(difference?.input.message.forward_differences).toEqual([
      { object: '_UNIT-pv_1', attribute: 'PowerElectronicsConnection.p', value: 1000 },
    ]);
    expect(findings).toHaveLength(3);
    expect(findings[0]).toContain('belongs to 10B');
    expect(findings[1]).toContain('pv_99');
    expect(findings[2]).toContain('NaN');
  });

  it('keeps limits between nothing and the rating', () => {
    const { applied } = run({
      '9A': [
        { derMrid: 'pv_1', setpointW: -200 },
        { derMrid: 'pv_2', setpointW: 9000 },
      ],
    });
    expect(applied.get('PV_1')).toEqual(at(0));
    expect(applied.has('PV_2')).toBe(false);
  });

  it('sends reactive power as an attribute of its own', () => {
    const { difference } = run({ '9A': [{ derMrid: 'pv_1', setpointW: 5000, setpointVar: -400 }] });
    expect(difference?.input.message.forward_differences).toEqual([
      { object: '_UNIT-pv_1', attribute: 'PowerElectronicsConnection.q', value: -400 },
    ]);
  });

  it("writes one file per agent in the ancestor's shape, with a difference message per unit", () => {
    const { files } = run({
      '9A': [
        { derMrid: 'pv_1', setpointW: 3100 },
        { derMrid: 'pv_2', setpointW: 5000 },
      ],
    });
    // Shape of outputs/sample_agent_output.json: {"9A": {"<pv>": {command, input: {simulation_id, message: {...}}}}}.
    expect(files).toEqual({
      '9A': {
        '9A': {
          pv_1: expect.objectContaining({ command: 'update' }),
          pv_2: expect.objectContaining({ command: 'update' }),
        },
      },
    });
    const uuids = JSON.stringify(files).match(/uuid-\d+/g) ?? [];
    expect(new Set(uuids).size).toBe(2);
  });
});

describe('the limit that a set-point means', () => {
  it('is the set-point while a unit is held back and its largest power when it is not', () => {
    expect(limitOfSetpoint({ alpha: 0.3, availableW: 4000, setpointW: 2800 }, 5000)).toBe(2800);
    // A limit of 4000 W would stay behind when more sun comes.
    expect(limitOfSetpoint({ alpha: 0, availableW: 4000, setpointW: 4000 }, 5000)).toBe(5000);
    expect(limitOfSetpoint({ alpha: 0, availableW: 0, setpointW: 0 }, 5000)).toBe(5000);
    expect(limitOfSetpoint({ alpha: 1, availableW: 4000, setpointW: 0 }, 5000)).toBe(0);
    expect(limitOfSetpoint({ alpha: Number.NaN, availableW: 4000, setpointW: 0 }, 5000)).toBeNaN();
    // A PV system takes no power from the network: such a set-point is wrong, not a limit of 0. Rounding is neither.
    expect(limitOfSetpoint({ alpha: 1, availableW: 4000, setpointW: -1000 }, 5000)).toBeNaN();
    expect(limitOfSetpoint({ alpha: 1, availableW: 4000, setpointW: -1e-9 }, 5000)).toBe(0);
  });
});
