import { describe, expect, it } from 'vitest';
import { DssFileSet, readDss } from '../../../grid/dss/index.js';
import { createPowerFlow } from '../../../grid/flow/index.js';
import { coordinateInProcess } from '../../../grid/optim/index.js';
import { REGULATED_LANE } from '../../builders/regulated-lane.js';
import { pythonWithOpenDss, solveEachWithOpenDss } from './opendss.js';

/*
 * A dispatch that regulators answer, beside OpenDSS: with the set-points and the taps in force, controls standing still, and
 * with OpenDSS' own regulators acting from there.
 */
const python = pythonWithOpenDss();
if (python === undefined)
  console.warn('skipped: dispatches beside OpenDSS (no Python with dss-python; set DEC_PYTHON)');

const MAX_PU = 1.04;
/** Limit and tolerance of the issue, and what two engines' solutions may differ by. */
const HELD_PU = MAX_PU + 1e-5 + 2e-6;

describe.skipIf(python === undefined)('a committed dispatch in OpenDSS', () => {
  const { feeder } = readDss('a.dss', new DssFileSet([['a.dss', REGULATED_LANE]]));
  const sun = createPowerFlow(feeder);
  sun.solve({ controls: true });
  const taps = Object.fromEntries(sun.taps);

  it.each(['central', 'admm'] as const)('keeps the limit before and after regulators answer: %s', (method) => {
    const modes = ['proportional', 'total', 'equalAlpha'] as const;
    const lists = modes.flatMap((mode) => {
      const result = coordinateInProcess({
        feeder,
        inputs: { loads: {}, availableW: {}, held: {} },
        state: { taps, capacitorSections: {}, openSwitches: [] },
        settings: { limits: { minPu: 0.95, maxPu: MAX_PU } },
        rule: { mode },
        method,
        leastCurtailedW: 0,
      });
      expect(result.ac.corrections).toBeLessThanOrEqual(3);
      expect(result.controls?.moves.length).toBeGreaterThan(0);
      const edits = [
        'Set tolerance=1e-9',
        ...feeder.regulators.map(({ id, name }) => `Edit RegControl.${name} TapNum=${taps[id]}`),
        ...result.ders.map(({ name, setpointW }) => `Edit PVSystem.${name} pmpp=${setpointW / 1000}`),
      ];
      return [
        [...edits, 'Set ControlMode=OFF', 'Solve'],
        [...edits, 'Set ControlMode=STATIC', 'Solve'],
      ];
    });
    const answers = solveEachWithOpenDss(python!, REGULATED_LANE, lists);
    answers.forEach(({ converged, nodes, volts, kvBase, taps: theirs }, k) => {
      expect(converged).toBe(true);
      const pu = nodes.flatMap((node, i) => {
        const bus = node.split('.')[0]!;
        return bus === 'src' ? [] : [Math.hypot(volts[2 * i]!, volts[2 * i + 1]!) / (1000 * kvBase[bus]!)];
      });
      expect(Math.max(...pu), `${modes[k >> 1]} ${k % 2 ? 'settled' : 'held'}`).toBeLessThanOrEqual(HELD_PU);
      // The taps were those in force, and do move where controls act.
      const own = feeder.regulators.map(({ id, name }) => theirs[name.toLowerCase()] === taps[id]);
      expect(own.every(Boolean)).toBe(k % 2 === 0);
    });
  });
});
