import { describe, expect, it } from 'vitest';
import {
  buildFeeder,
  extractSecondary,
  findAreas,
  primaryOf,
  type StoredArea,
  secondaryAreaOfBus,
  secondaryAreasOf,
} from '../../../grid/model/index.js';
import { feeder } from '../../builders/feeder.js';

const Z1 = { r: [[0.3]], x: [[0.6]], phases: 'B' };
const Z3 = { r: [[0.3], [0, 0.3], [0, 0, 0.3]], x: [[0.6], [0, 0.6], [0, 0, 0.6]] };
const TRIPLEX = { r: [[0.03], [0.01, 0.03]], x: [[0.02], [0.01, 0.02]], phases: 's1s2' };

/** Source - SW1 - M1 (service transformer on B to house H) - SW2 - M2 - open tie SW3 - M3. */
function twoAreas() {
  return feeder('two areas')
    .source('S', 'HEAD', { kv: 4.16 })
    .switch('SW1', 'HEAD', 'M1')
    .line('L1', 'M1', 'M1B', Z1)
    .bus('M1B', { baseV: 4160 / Math.sqrt(3) })
    .transformer('XF', {
      phases: 1,
      construction: 'centerTap',
      windings: [
        { bus: 'M1B', nodes: [2, 0], kv: 2.4, kva: 25 },
        { bus: 'POLE', nodes: [1, 0], kv: 0.12, kva: 25 },
        { bus: 'POLE', nodes: [0, 2], kv: 0.12, kva: 25 },
      ],
      reactancesPct: [2.04, 2.04, 1.36],
    })
    .bus('HOUSE', { baseV: 120, isSplitPhase: true })
    .line('DROP', 'POLE', 'HOUSE', TRIPLEX)
    .load('D', 'HOUSE', { phases: 's1s2', kw: 4, kvar: 1 })
    .pv('P', 'HOUSE', { phases: 's1s2', kw: 5 })
    .switch('SW2', 'M1', 'M2')
    .line('L2', 'M2', 'M2E', Z3)
    .load('D2', 'M2E', { kw: 30, kvar: 10 })
    .switch('SW3', 'M2E', 'M3', { isOpen: true })
    .build();
}

describe('areas of a feeder', () => {
  it('are the parts between switches, open ones too, and one per service transformer', () => {
    const { feederArea, switchAreas } = findAreas(twoAreas());
    expect(feederArea.buses).toEqual(['HEAD']);
    expect([...feederArea.equipment].sort()).toEqual(['source.S', 'switch.SW1', 'switch.SW2', 'switch.SW3']);
    expect(switchAreas.map((area) => [...area.buses].sort())).toEqual([['M1', 'M1B'], ['M2', 'M2E'], ['M3']]);
    expect(switchAreas.map((area) => area.equipment)).toEqual([['line.L1'], ['line.L2', 'load.D2'], []]);
    expect(switchAreas.map((area) => area.boundaryBranches)).toEqual([
      ['switch.SW1', 'switch.SW2'],
      ['switch.SW2', 'switch.SW3'],
      ['switch.SW3'],
    ]);
    const [secondary] = switchAreas[0]!.secondaryAreas;
    expect(secondary).toMatchObject({
      name: 'XF',
      transformerIds: ['transformer.XF'],
      primaryTerminals: [{ bus: 'M1B', nodes: [2] }],
    });
    expect([...secondary!.equipment].sort()).toEqual(['line.DROP', 'load.D', 'pv.P', 'transformer.XF']);
    expect([...secondary!.buses].sort()).toEqual(['HOUSE', 'POLE']);
  });

  it('keep their ids when the feeder is read again and have different ids from one another', () => {
    const ids = () => {
      const { feederArea, switchAreas } = findAreas(twoAreas());
      return [feederArea, ...switchAreas].flatMap((area) => [area.id, ...area.secondaryAreas.map(({ id }) => id)]);
    };
    expect(ids()).toEqual(ids());
    expect(new Set(ids()).size).toBe(5);
  });

  it('take the mRID of a stored area with the same equipment', () => {
    const stored = (mrid: string, kind: StoredArea['kind'], equipment: string[]): StoredArea => {
      return { mrid, name: mrid, kind, equipment, boundaryTerminals: [] };
    };
    const storedAreas = [
      stored('sa', 'SwitchArea', ['line.L1']),
      stored('sb', 'SwitchArea', ['line.L2']),
      { ...stored('ss', 'SecondaryArea', ['pv.P', 'line.DROP', 'load.D', 'transformer.XF']), parent: 'sa' },
    ];
    const { switchAreas } = findAreas(buildFeeder({ ...twoAreas(), storedAreas }));
    expect(switchAreas[0]!.id).toBe('sa');
    expect(switchAreas[0]!.secondaryAreas[0]!.id).toBe('ss');
    // L2 alone is not the equipment of that area (there is a load), so it gets an id of its own.
    expect(switchAreas[1]!.id).not.toBe('sb');
  });

  it('reach across a fuse, which nobody operates from afar, unless it is asked for', () => {
    const data = twoAreas();
    const fused = buildFeeder({
      ...data,
      switches: data.switches.map((device) => (device.name === 'SW2' ? { ...device, switchClass: 'Fuse' } : device)),
    });
    expect(findAreas(fused).switchAreas).toHaveLength(2);
    const classes = new Set(['Fuse', 'LoadBreakSwitch']);
    expect(findAreas(fused, { boundaryClasses: classes }).switchAreas).toHaveLength(3);
  });

  it('come apart into a primary and a secondary that hold every element once and survive JSON', () => {
    const whole = twoAreas();
    const areas = findAreas(whole);
    const [area] = secondaryAreasOf(areas);
    const secondary = extractSecondary(whole, area!);
    const primary = primaryOf(whole, areas);
    expect(secondary.buses.map(({ id }) => id).sort()).toEqual(['HOUSE', 'M1B', 'POLE']);
    expect(secondary.lines.map(({ id }) => id)).toEqual(['line.DROP']);
    expect(secondary.transformers).toHaveLength(1);
    expect(secondary.loads).toHaveLength(1);
    expect(secondary.pvSystems).toHaveLength(1);
    // One phase: the nominal voltage is 4160 V / sqrt 3, and phase B lags 120 degrees.
    expect(secondary.sources).toHaveLength(1);
    expect(secondary.sources[0]!.terminal).toEqual({ bus: 'M1B', nodes: [2] });
    expect(secondary.sources[0]!.nominalVoltageV).toBeCloseTo(2401.777, 3);
    expect(secondary.sources[0]!.angleRad).toBeCloseTo((-2 * Math.PI) / 3, 12);
    expect(primary.buses.map(({ id }) => id)).not.toContain('POLE');
    expect(primary.transformers).toHaveLength(0);
    expect(primary.pvSystems).toHaveLength(0);
    expect(primary.lines.length + secondary.lines.length).toBe(whole.lines.length);
    expect(primary.loads.length + secondary.loads.length).toBe(whole.loads.length);
    expect(JSON.parse(JSON.stringify(secondary))).toEqual(secondary);
    expect(buildFeeder(secondary).graph.size).toBe(3);
  });

  it('are found by bus', () => {
    const areas = findAreas(twoAreas());
    expect(secondaryAreaOfBus(areas, 'HOUSE')?.name).toBe('XF');
    expect(secondaryAreaOfBus(areas, 'M1')).toBeUndefined();
  });
});
