import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type DssScript, readDssScript } from '../../../grid/dss/index.js';
import { DssFolder } from '../../../platform/index.js';
import { feedersDir } from '../../feeders.js';

const root = feedersDir === undefined ? undefined : join(feedersDir, 'dss');
if (!root) console.warn('skipped: the language of the public OpenDSS files (feeders absent)');

const files = root
  ? readdirSync(root, { recursive: true, encoding: 'utf8' }).map((name) => name.replaceAll('\\', '/'))
  : [];
const scripts = files.filter((name) => /\.(dss|txt)$/i.test(name));
/** Files that make a circuit themselves, and those that only redirect to one. */
const masters = [
  ...scripts.filter((name) =>
    /^\s*new\s+(object\s*=\s*)?"?circuit\./im.test(readFileSync(join(root!, name), 'latin1')),
  ),
  ...scripts.filter((name) => /IEEE13_OCHRE\/Master\.dss$|random__2__15\.dss$/.test(name)),
].filter((name) => !name.endsWith('IEEE13_OCHRE/VSource.dss'));

const read = (name: string): DssScript => readDssScript(join(root!, name), new DssFolder());

/** Masters with the element counts that the README gives: folder, file, class and count. */
function countedMasters(): { folder: string; file: string; counts: Record<string, number> }[] {
  const readme = feedersDir === undefined ? '' : join(feedersDir, 'README.md');
  if (!existsSync(readme)) return [];
  return readFileSync(readme, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| `dss/'))
    .flatMap((line) => {
      const [, folder = '', sizes = ''] = line.split('|').map((cell) => cell.trim());
      return [...sizes.matchAll(/`([^`]+)` \d+b\/\d+n ((?:[A-Za-z]+\d+ ?)+)/g)].map(([, file = '', list = '']) => ({
        folder: folder.replaceAll('`', '').replace('dss/', ''),
        file,
        counts: Object.fromEntries(
          [...list.matchAll(/([A-Za-z]+)(\d+)/g)].map(([, name = '', count]) => [name, Number(count)]),
        ),
      }));
    });
}

/** What is truly unknown: these scripts test the error messages of another reader. */
const KNOWN_SLIPS: Readonly<Record<string, readonly string[]>> = {
  // a line code has nphases, not phases; patterns and an element that are defined nowhere
  'pmd/opendss/test2_master.dss': [
    'UNKNOWN_OBJECT',
    'UNKNOWN_PROPERTY',
    'UNKNOWN_OBJECT',
    'REDEFINED',
    'UNKNOWN_OBJECT',
  ],
  'pmd/opendss/loadparser_error.dss': ['REDEFINED', 'REDEFINED'],
};

describe.skipIf(!root)('public OpenDSS files', () => {
  it('are at least the 71 masters of the list', () => {
    expect(masters.length).toBeGreaterThanOrEqual(71);
  });

  it.each(masters)('%s is read without an unknown command, class or property', (name) => {
    const script = read(name);
    expect(script.circuit).toBeDefined();
    const found = script.findings.filter(({ severity }) => severity !== 'info');
    expect(found.map(({ code }) => code).sort()).toEqual([...(KNOWN_SLIPS[name] ?? [])].sort());
    for (const finding of found) expect(finding.line).toBeGreaterThan(0);
  });

  // Counts as loaded by the DSS C-API engine, feeders/README.md; a class with only its default object is left out there.
  it.each(countedMasters())(
    '$folder $file has as many objects of each class as OpenDSS',
    ({ folder, file, counts }) => {
      const name = scripts.find((one) => one.startsWith(`${folder}/`) && basename(one) === basename(file))!;
      const script = read(name);
      const ours = Object.fromEntries(
        Object.keys(counts).map((className) => [className, script.byClass(className).length]),
      );
      expect(ours).toEqual(counts);
    },
  );
});
