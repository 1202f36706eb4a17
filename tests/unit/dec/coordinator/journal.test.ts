import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { JournalFile, type JournalIdentity } from '../../../../dec/coordinator/journal.js';
import { RUN_DEFAULTS } from '../../../../dec/coordinator/run-options.js';

const folder = mkdtempSync(join(tmpdir(), 'dec-journal-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const prices = (importPerKwh: number, exportPerKwh = 0.1) => ({
  importPrice: Float64Array.of(0.3, importPerKwh),
  exportPrice: Float64Array.of(0.1, exportPerKwh),
});
const identity = { feeder: { mrid: 'F' }, settings: RUN_DEFAULTS, broker: 'host:61613' };

describe('a journal', () => {
  const written: JournalIdentity = {
    ...identity,
    outlook: { ...prices(0.4), availableW: { pv: Float64Array.of(1, 2) } },
  };
  const path = join(folder, 'journal');
  const readAs = (other: JournalIdentity) => new JournalFile(path, other).read();

  it('is taken up by a run of the same prices and forecasts alone', () => {
    new JournalFile(path, written).begun('7', 100);
    expect(
      readAs({ ...identity, outlook: { ...prices(0.4), availableW: { pv: Float64Array.of(1, 2) } } }),
    ).toMatchObject({
      simulationId: '7',
      startS: 100,
    });
    // A plan of other prices is another plan: nothing of the first run's memory holds for it.
    expect(readAs({ ...written, outlook: { ...written.outlook!, ...prices(0.5) } })).toBeUndefined();
    expect(readAs({ ...written, outlook: { ...written.outlook!, ...prices(0.4, 0) } })).toBeUndefined();
    expect(
      readAs({ ...written, outlook: { ...written.outlook!, availableW: { pv: Float64Array.of(1, 3) } } }),
    ).toBeUndefined();
    expect(readAs(identity)).toBeUndefined();
  });

  it('of a run that does not plan is that of equal feeder, settings and broker', () => {
    new JournalFile(path, identity).clear();
    new JournalFile(path, identity).begun('8', 100);
    expect(readAs({ ...identity, settings: { ...RUN_DEFAULTS, hosts: RUN_DEFAULTS.hosts + 1 } })?.simulationId).toBe(
      '8',
    );
    expect(readAs({ ...identity, broker: 'other:61613' })).toBeUndefined();
    expect(readAs({ ...identity, feeder: { mrid: 'G' } })).toBeUndefined();
    // Whose it is can be told.
    expect(new JournalFile(path, identity).foreign()).toBeUndefined();
    const { simulationId, mark, ownMark } = new JournalFile(path, { ...identity, broker: 'other:61613' }).foreign()!;
    expect([simulationId, mark.length, mark === ownMark]).toEqual(['8', 64, false]);
    expect(new JournalFile(join(folder, 'none'), identity).foreign()).toBeUndefined();
    expect(readAs({ ...identity, settings: { ...RUN_DEFAULTS, intervalS: 60 } })).toBeUndefined();
  });
});
