import { describe, expect, it } from 'vitest';
import { readCimText, readFeeders } from '../../../../grid/cim/index.js';
import { findEnvelopes } from '../../../../grid/optim/index.js';
import { flagshipPath, loadModels } from '../../../../platform/index.js';
import { EnvelopeAdversary } from '../../../builders/envelope-truth.js';
import { smallSecondaries } from '../../../builders/small-secondaries.js';

const LIMITS = { minPu: 0.95, maxPu: 1.05 };
const INPUTS = { loads: {}, availableW: {}, held: {} };
const STATE = { taps: {}, capacitorSections: {}, openSwitches: [] };
/** Customers are named after bus and phase of their transformer: S88A_9. */
const phase = ({ name }: { readonly name: string }) => /^S\d+([ABC])_/.exec(name)?.[1] ?? '';

describe('envelopes of the built-in feeder at a source voltage of 1.04 pu', () => {
  const { feeder } = loadModels([flagshipPath()])[0]!;
  const state = { ...STATE, sourceVoltagePu: 1.04 };
  // At rest it stands at 1.0495 pu; an import of one phase raises the others.
  const found = findEnvelopes({ feeder, state, inputs: INPUTS, voltageLimits: LIMITS });
  const adversary = new EnvelopeAdversary(feeder, 1.04, LIMITS, found.customers);

  it('hold where one phase imports or exports alone, or does the opposite of the others', () => {
    expect(found.status).toBe('optimal');
    expect(found.customers).toHaveLength(778);
    expect(adversary.groupsPu(phase)).toBeLessThanOrEqual(1e-5);
  });

  it('hold where one service transformer stands alone, in random mixtures and at the worst of each node', () => {
    expect(adversary.groupsPu(({ name }) => name.split('_')[0]!, 5)).toBeLessThanOrEqual(1e-5);
    expect(adversary.randomPu(60, 7)).toBeLessThanOrEqual(1e-5);
    const worst = adversary.worstPu(60);
    expect(worst.corners).toBeGreaterThan(10);
    expect(worst.excessPu).toBeLessThanOrEqual(1e-5);
  });
});

describe('envelopes of eight service transformers', () => {
  const SECONDARIES = readFeeders(readCimText([{ name: 'small.xml', text: smallSecondaries() }])).feeders[0]!;

  it.each([1.04, 1.0])('hold for any mixture, which power flows of their own show, at %s pu', (source) => {
    const found = findEnvelopes({
      feeder: SECONDARIES,
      state: { ...STATE, sourceVoltagePu: source },
      inputs: INPUTS,
      voltageLimits: LIMITS,
      exportCapW: 60_000,
      loading: Infinity,
    });
    expect([found.status, found.guarantee]).toEqual(['optimal', 'everyMixture']);
    const adversary = new EnvelopeAdversary(SECONDARIES, source, LIMITS, found.customers);
    expect(adversary.groupsPu(phase)).toBeLessThanOrEqual(1e-5);
    expect(adversary.randomPu(100, 3)).toBeLessThanOrEqual(1e-5);
    const { excessPu } = adversary.worstPu(100);
    expect(excessPu).toBeLessThanOrEqual(1e-5);
    // And none is needlessly small: somewhere the worst mixture comes near.
    expect(excessPu).toBeGreaterThan(-1e-3);
  });

  it('is larger one way, and then says how far an import can raise another phase', () => {
    const state = { ...STATE, sourceVoltagePu: 1.04 };
    const near = { feeder: SECONDARIES, state, inputs: INPUTS, voltageLimits: LIMITS };
    const oneWay = findEnvelopes({ ...near, guarantee: 'oneWay' });
    const every = findEnvelopes(near);
    expect(every.totalImportW).toBeLessThan(oneWay.totalImportW);
    const [finding] = oneWay.findings.filter(({ code }) => code === 'ENVELOPE_ONE_WAY');
    const pu = Number(/stand at ([\d.]+) pu/.exec(finding!.message)![1]);
    expect(pu).toBeGreaterThan(LIMITS.maxPu);
    const adversary = new EnvelopeAdversary(SECONDARIES, 1.04, LIMITS, oneWay.customers);
    expect(LIMITS.maxPu + adversary.worstPu(400).excessPu).toBeCloseTo(pu, 3);
  });
});
