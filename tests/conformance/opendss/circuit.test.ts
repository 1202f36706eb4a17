import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createPowerFlow } from '../../../grid/flow/index.js';
import { feedersDir } from '../../feeders.js';
import { hasReferences, REFERENCES, readMaster } from '../../golden/dss/reference.js';
import { OPENDSS_ANSWERS, type OpendssAnswer } from '../../unit/dss/circuit/opendss-answers.js';
import { askPeer, hasPeer } from './peer.js';

/*
 * Beside OpenDSS itself. To run it:
 *   python3 -m venv v && v/bin/pip install dss-python
 *   DEC_PYTHON=v/bin/python npx vitest run tests/conformance/opendss
 */
if (!hasPeer) {
  console.warn('skipped: beside OpenDSS (no Python with dss-python at hand; set DEC_PYTHON)');
}

/** Issue: branch currents within 0.1 % or 0.01 A. */
const CURRENT_SHARE = 1e-3;
const CURRENT_A = 0.01;

/** Masters that dss-python 0.15.7 refuses (feeders/README.md): an old property name, a command that opens an editor. */
const REFUSED = new Set(['der__local_combo_a', 'der__local_vvar_a', 'der__local_vvar_b', 'ieee_4Bus-YYD__YYD-Master']);
/**
 * Volt-watt with a dead band of 1 % of power: where the inverter stands inside it depends on the number of solutions
 * before.
 */
const DEAD_BAND = new Set(['der__local_vwatt_b']);

interface Branches {
  readonly branches: Readonly<Record<string, { nodes: number[]; conductors: number; amps: [number, number][] }>>;
  readonly taps: Readonly<Record<string, number>>;
  readonly capacitors: Readonly<Record<string, number[]>>;
}

describe.skipIf(!hasPeer)('beside OpenDSS', () => {
  it('the stored answers to small scripts are those of the engine', () => {
    const answers = askPeer(
      'scripts',
      OPENDSS_ANSWERS.map(({ script }) => script),
    );
    expect(answers).toEqual(
      OPENDSS_ANSWERS.map(({ group: _group, script: _script, ...answer }: OpendssAnswer) => answer),
    );
  });

  const masters = hasReferences ? REFERENCES.filter(({ stem }) => !REFUSED.has(stem) && !DEAD_BAND.has(stem)) : [];
  it.each(masters)('$stem: currents of lines and transformers', ({ master }) => {
    // the folder that holds everything the master may redirect to is copied: OpenDSS writes beside what it compiles
    const top = join(feedersDir!, 'dss');
    const root = join(top, master.slice(top.length + 1).split(/[\\/]/)[0]!);
    const [answer] = askPeer('currents', [{ file: master, root }]) as [Branches];
    const { feeder } = readMaster(master);
    const flow = createPowerFlow(feeder, { tolerancePu: 1e-10, maxIterations: 300 });
    for (const regulator of feeder.regulators)
      flow.setTap(regulator.id, answer.taps[regulator.name.toLowerCase()]!, true);
    for (const capacitor of feeder.capacitors) {
      const states = answer.capacitors[capacitor.name.toLowerCase()]!;
      flow.setCapacitorSections(capacitor.id, states.filter((on) => on === 1).length, true);
    }
    const solution = flow.solve();
    expect(solution.status).toBe('converged');
    const apart: string[] = [];
    for (const [name, { nodes, conductors, amps }] of Object.entries(answer.branches)) {
      const ours = new Map<string, [number, number]>();
      for (const { terminal, node, currentRe, currentIm } of solution.flows(name)) {
        const sum = ours.get(`${terminal}.${node}`) ?? [0, 0];
        ours.set(`${terminal}.${node}`, [sum[0] + currentRe, sum[1] + currentIm]);
      }
      const theirs = new Map<string, [number, number]>();
      nodes.forEach((node, k) => {
        if (node === 0) return;
        const key = `${Math.floor(k / conductors) + 1}.${node}`;
        const sum = theirs.get(key) ?? [0, 0];
        theirs.set(key, [sum[0] + amps[k]![0], sum[1] + amps[k]![1]]);
      });
      for (const [key, [re, im]] of theirs) {
        const [a, b] = ours.get(key) ?? [0, 0];
        const limit = Math.max(CURRENT_A, CURRENT_SHARE * Math.hypot(re, im));
        if (!(Math.hypot(a - re, b - im) <= limit)) apart.push(`${name} ${key}: ${a}, ${b} for ${re}, ${im} A`);
      }
    }
    expect(apart).toEqual([]);
  });
});
