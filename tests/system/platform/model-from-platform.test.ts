import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { fetchModel } from '../../../dec/platform-model.js';
import { createPowerFlow } from '../../../grid/flow/index.js';
import type { Feeder } from '../../../grid/model/index.js';
import { loadModels, type Platform, startPlatform } from '../../../platform/index.js';
import { type RealPlatform, startRealPlatform } from '../../builders/real-platform.js';
import { smallSecondariesFile } from '../../builders/small-secondaries.js';
import { dec } from '../cli/dec.js';

/*
 * A feeder read from a platform by SPARQL is the feeder of the file that the platform has: every element equal, and every
 * voltage. One of the platforms has another feeder beside it, with the same conductors and transformer types.
 */

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let folder = '';
let file = '';
let platform: Platform;
let imitation: RealPlatform;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dec-fetched-'));
  file = smallSecondariesFile(folder);
  // It has the built-in feeder beside it, and the other one nothing.
  platform = await startPlatform({ port: 0, feeders: [file] });
  imitation = await startRealPlatform({ feeders: [file], pauses: true });
});
afterAll(async () => {
  await imitation?.close();
  await platform?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** All elements of a feeder in an order of their own, without what tells how it was read. */
function elementsOf(feeder: Feeder): unknown {
  const { buses, lines, switches, transformers, regulators, capacitors, loads, pvSystems, batteries } = feeder;
  const lists = { buses, lines, switches, transformers, regulators, capacitors, loads, pvSystems, batteries };
  const sorted = Object.entries({ ...lists, sources: feeder.sources, measurements: feeder.measurements }).map(
    ([name, list]) => [name, [...list].sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)))],
  );
  return Object.fromEntries(sorted);
}

function voltagesOf(feeder: Feeder): ReadonlyMap<string, number> {
  const flow = createPowerFlow(feeder);
  const solution = flow.solve();
  expect(solution.status).toBe('converged');
  return new Map(
    flow.nodes.map(({ bus, node }) => [`${bus}.${node}`, solution.voltagePuAt(bus, node) ?? Number.NaN] as const),
  );
}

describe('a model from a platform', () => {
  it.each(['dec platform', 'a real one, in imitation'])('(%s) is that of the file', async (which) => {
    const own = { host: '127.0.0.1', port: platform.port, login: 'system', passcode: 'manager' };
    const address = which === 'dec platform' ? own : { host: '127.0.0.1', port: imitation.port };
    const [expected] = loadModels([file]);
    const fetched = await fetchModel(address, expected!.mrid.toLowerCase());
    try {
      const models = loadModels([fetched.path]);
      expect(models.map(({ mrid }) => mrid)).toEqual([expected!.mrid]);
      expect(elementsOf(models[0]!.feeder)).toEqual(elementsOf(expected!.feeder));
      const voltages = voltagesOf(models[0]!.feeder);
      // Sums in another order: the last digits of a converged solution.
      for (const [node, pu] of voltagesOf(expected!.feeder)) expect(voltages.get(node), node).toBeCloseTo(pu, 8);
    } finally {
      fetched.remove();
    }
  });

  it('that the platform does not have is told with those that it has', async () => {
    const own = { host: '127.0.0.1', port: platform.port, login: 'system', passcode: 'manager' };
    await expect(fetchModel(own, 'nobody')).rejects.toMatchObject({
      code: 'FEEDER_UNKNOWN',
      message: expect.stringContaining('small_secondaries'),
    });
  });

  it('is what dec run takes when its store does not know the feeder', async () => {
    const { code, stdout, stderr } = await dec([
      ...['run', 'small_secondaries', '--broker', platform.stompUrl, '--hosts', '1', '--quiet', '--json'],
      ...['--intervals', '1', '--interval', '5m', '--store', join(folder, 'empty'), '--out', join(folder, 'out')],
    ]);
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ feeder: { name: 'small_secondaries' }, status: 'completed' });
  });
});
