import { describe, expect, it } from 'vitest';
import { createPowerFlow } from '../../../grid/flow/index.js';
import { type OpendssAnswer, readLines } from '../../unit/dss/circuit/opendss-answers.js';
import { askPeer, hasPeer } from './peer.js';
import { randomCircuit } from './random-circuit.js';

/*
 * Random scripts, read and solved here and by OpenDSS itself: every node voltage, controls off and with the circuit's own.
 * docs/validation.md tells of the seeds left out.
 */
if (!hasPeer) {
  console.warn('skipped: random circuits beside OpenDSS (no Python with dss-python at hand; set DEC_PYTHON)');
}

/** OpenDSS crashes, or has nodes of no bus, at least now and then. */
const CRASHES = [22, 32, 38, 55, 61, 72, 114, 129];
/** A delta winding without antifloat shunt and without anything that ties it to ground: no solution, or any. */
const FLOATS = [64, 121];
/** OpenDSS does not settle. */
const UNSETTLED = [89];
/** Its controls do not settle, or a control stops at another place (24, 36, 73). */
const UNSETTLED_CONTROLS = [2, 24, 36, 73];

const seedsBelow = (end: number, ...leftOut: readonly (readonly number[])[]): readonly number[] =>
  Array.from({ length: end }, (_, seed) => seed).filter((seed) => !leftOut.flat().includes(seed));
const SEEDS = seedsBelow(130, CRASHES, FLOATS, UNSETTLED);
const CONTROLLED_SEEDS = seedsBelow(89, CRASHES, FLOATS, UNSETTLED, UNSETTLED_CONTROLS);
/** Issue: complex difference of a node voltage, pu. */
const LIMIT_PU = 2e-5;

type Volts = Pick<OpendssAnswer, 'volts' | 'errors'>;

/** What is apart, by seed, and how much was compared. */
function compare(seeds: readonly number[], last: readonly string[]) {
  const scripts = seeds.map((seed) => [...randomCircuit(seed), ...last]);
  const answers = askPeer('apart', scripts) as (Volts | null)[];
  const apart = new Map<number, string[]>();
  let answered = 0;
  let compared = 0;
  answers.forEach((answer, i) => {
    if (!answer) return;
    const { volts, errors } = answer;
    const seed = seeds[i]!;
    const found = errors.slice(0, 1).map((error) => `seed ${seed}: ${error}`);
    answered++;
    const { feeder } = readLines(...scripts[i]!);
    const solution = createPowerFlow(feeder, { tolerancePu: 1e-10, maxIterations: 300 }).solve();
    for (const [node, [re, im]] of Object.entries(volts)) {
      const dot = node.lastIndexOf('.');
      const bus = feeder.busById.get(node.slice(0, dot));
      const v = solution.voltageAt(node.slice(0, dot), Number(node.slice(dot + 1)));
      // a conductor that nothing is tied to has no node here and no voltage there
      if (!v && Math.hypot(re, im) < 1e-3) continue;
      compared++;
      const deviation = v && bus ? Math.hypot(v.re - re, v.im - im) / bus.baseVoltageV : Number.NaN;
      if (!(deviation <= LIMIT_PU)) found.push(`seed ${seed} ${node}: ${deviation} pu`);
    }
    if (found.length > 0) apart.set(seed, found);
  });
  return { apart, answered, compared };
}

describe.skipIf(!hasPeer)('random circuits beside OpenDSS', () => {
  it.each([
    ['with controls off', SEEDS, ['set controlmode=off']],
    ['with their own controls', CONTROLLED_SEEDS, []],
  ] as const)('have the node voltages that OpenDSS gives them, %s', (_, seeds, last) => {
    const first = compare(seeds, last);
    // OpenDSS has been seen to give a bus of seed 75 no voltage once, and its voltage in every other run: a difference
    // counts when OpenDSS gives it a second time. Ours is the same at every time.
    const doubted = seeds.filter((seed) => first.apart.has(seed));
    const second = doubted.length > 0 ? compare(doubted, last) : first;
    expect([...second.apart.values()].flat()).toEqual([]);
    expect(first.answered).toBeGreaterThan(0.95 * seeds.length);
    expect(first.compared).toBeGreaterThan(2000);
  });
});
