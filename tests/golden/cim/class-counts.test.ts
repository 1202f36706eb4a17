import { describe, expect, it } from 'vitest';
import { type CimIndex, readCimText, readFeeders } from '../../../grid/cim/index.js';
import { buildFeeder, canonicalMrid, type Feeder, feederData } from '../../../grid/model/index.js';
import { feederRows, publicCim, publicFile } from './public-files.js';

const rows = feederRows();
if (!publicCim) console.warn('skipped: class counts of the public CIM files (feeders absent)');

/** Phase-by-phase files of one model; the other files are models of their own. */
const isProfile = (file: string) => file.includes('split_profiles/') && !file.endsWith('ieee13cdpsm.xml');
const sum = (feeders: readonly Feeder[], count: (feeder: Feeder) => number) =>
  feeders.reduce((total, feeder) => total + count(feeder), 0);

describe.skipIf(!publicCim)('public CIM files', () => {
  it('are all listed', () => {
    // The table has 31 files with counts; the profiles beside FUN share one row without.
    expect(rows.length).toBeGreaterThanOrEqual(31);
  });

  describe.each(rows)('$file', ({ file, counts, mrids, isSplitPhase }) => {
    const index: CimIndex = readCimText([publicFile(file)]);
    const { feeders, findings } = readFeeders(index);

    it('has the class counts of the README', () => {
      const found = index.classCounts();
      const ours = Object.fromEntries([...counts.keys()].map((name) => [name, found.get(name) ?? 0]));
      // The README counts objects of the plain class Switch with the load-break switches.
      ours['LoadBreakSwitch'] = (found.get('LoadBreakSwitch') ?? 0) + (found.get('Switch') ?? 0);
      expect(ours).toEqual(Object.fromEntries(counts));
    });

    it.skipIf(isProfile(file))('becomes feeders with as many elements', () => {
      const n = (className: string) => counts.get(className)!;
      expect(feeders.map((feeder) => feeder.mrid)).toEqual(
        mrids.length > 0 ? expect.arrayContaining([...mrids]) : [''],
      );
      expect(feeders).toHaveLength(Math.max(1, mrids.length));
      expect(sum(feeders, (f) => f.lines.length)).toBe(n('ACLineSegment'));
      expect(sum(feeders, (f) => f.loads.length)).toBe(n('EnergyConsumer'));
      expect(sum(feeders, (f) => f.pvSystems.length)).toBe(n('PhotovoltaicUnit'));
      expect(sum(feeders, (f) => f.batteries.length)).toBe(n('BatteryUnit'));
      expect(sum(feeders, (f) => f.regulators.length)).toBe(n('RatioTapChanger'));
      expect(sum(feeders, (f) => f.capacitors.length)).toBe(n('LinearShuntCompensator'));
      expect(sum(feeders, (f) => new Set(f.transformers.map((t) => t.bankId)).size)).toBe(n('PowerTransformer'));
      expect(sum(feeders, (f) => f.transformers.filter((t) => t.id !== t.bankId).length)).toBe(n('TransformerTank'));
      expect(feeders.some((f) => f.buses.some((bus) => bus.isSplitPhase))).toBe(isSplitPhase);
      if (feeders.length === 1 && mrids.length === 1) {
        const [feeder] = feeders;
        for (const name of ['LoadBreakSwitch', 'Breaker', 'Fuse', 'Recloser', 'Disconnector']) {
          expect(
            feeder!.switches.filter((s) => s.switchClass === name),
            name,
          ).toHaveLength(n(name));
        }
        expect(feeder!.buses).toHaveLength(n('ConnectivityNode'));
        expect(feeder!.measurements).toHaveLength(n('Analog') + n('Discrete'));
        expect(feeder!.sources).toHaveLength(1);
      }
    });

    it.skipIf(isProfile(file))('leaves nothing out without an error that names it', () => {
      expect(findings.filter((finding) => finding.severity === 'error')).toEqual([]);
      for (const finding of findings) expect(finding.message.length).toBeGreaterThan(20);
    });

    it('survives JSON as plain data', () => {
      for (const feeder of feeders) {
        const data = feederData(feeder);
        expect(feederData(buildFeeder(JSON.parse(JSON.stringify(data))))).toEqual(data);
      }
    });
  });

  it('several profiles of one model equal the merged file', () => {
    const profiles = ['FUN', 'CAT', 'EP', 'GEO', 'SSH', 'TOPO', 'DYN'].map((name) =>
      publicFile(`cim/split_profiles/ieee13cdpsm_${name}.XML`),
    );
    const merged = readFeeders(readCimText([publicFile('cim/split_profiles/ieee13cdpsm.xml')])).feeders[0]!;
    for (const files of [profiles, [...profiles].reverse()]) {
      const together = readFeeders(readCimText(files));
      expect(together.findings.filter((finding) => finding.severity === 'error')).toEqual([]);
      const sorted = (feeder: Feeder) =>
        Object.fromEntries(
          Object.entries(feederData(feeder)).map(([key, value]) => [
            key,
            Array.isArray(value) ? [...value].sort((a, b) => (a.id < b.id ? -1 : 1)) : value,
          ]),
        );
      expect(sorted(together.feeders[0]!)).toEqual(sorted(merged));
    }
  });

  it('two feeders of one file share the equipment of their substation and nothing else', () => {
    const { feeders } = readFeeders(readCimText([publicFile('cim/multi_feeder/single_bus_and_feeders.xml')]));
    const [first, second] = feeders.map((feeder) => new Set(feeder.elements.keys()));
    const common = [...first!].filter((id) => second!.has(id)).map((id) => feeders[0]!.elements.get(id)!);
    expect(common.map((element) => element.kind)).toEqual(Array(6).fill('switch'));
    expect(feeders.map((feeder) => feeder.container.substationName)).toEqual(['single_bus_sub', 'single_bus_sub']);
  });

  it('the same model in CIM16, CIM17 and CIM100 spellings has the same loads, lines and taps', () => {
    const read = (file: string) => readFeeders(readCimText([publicFile(`cim/versions/${file}.xml`)])).feeders[0]!;
    const [cim16, cim17, cim100] = ['IEEE13_cim16', 'IEEE13_cim17', 'IEEE13_cim100_rdfID'].map(read);
    const loads = (feeder: Feeder) =>
      new Map(feeder.loads.map((l) => [l.name, l.shares.map((s) => [s.node, s.otherNode, Math.round(s.powerW)])]));
    const lines = (feeder: Feeder) =>
      feeder.lines.map((l) => `${l.name} ${[...l.from.nodes].sort()} ${Math.round(l.lengthM)}`).sort();
    expect(loads(cim17!)).toEqual(loads(cim100!));
    for (const [name, shares] of loads(cim16!)) expect(loads(cim17!).get(name), name).toEqual(shares);
    expect(lines(cim17!)).toEqual(lines(cim100!));
    expect(lines(cim16!)).toEqual(lines(cim17!));
    for (const feeder of [cim16!, cim17!, cim100!]) {
      expect(feeder.regulators.map((r) => [r.ptRatio, r.ctPrimaryA, r.targetV, r.lineDropRV, r.lineDropXV])).toEqual(
        Array(3).fill([20, 700, 122, 3, 9]),
      );
    }
  });

  it('the Swiss export is one feeder named from its file, with its gaps and units named', () => {
    const { feeders, findings } = readFeeders(readCimText([publicFile('cim/other_writers/meshednetwork.rdf')]));
    expect(feeders.map((feeder) => feeder.name)).toEqual(['meshednetwork']);
    expect(findings.map((finding) => finding.code)).toEqual(
      expect.arrayContaining(['NO_CONTAINER', 'UNIT', 'DEFAULTED_ATTRIBUTE']),
    );
    const [feeder] = feeders;
    // 400 V system whose BaseVoltage says 0.4; transformers Dyn5, 4.2 % by their datasheet.
    const voltages = new Set(feeder!.buses.map((bus) => Math.round(bus.baseVoltageV)));
    expect([...voltages].sort((a, b) => a - b)).toEqual([231, 11547]);
    expect(feeder!.transformers[0]!.reactancesPu[0]).toBeCloseTo(0.042, 9);
    expect(feeder!.transformers[0]!.windings[1]!.terminal.nodes).toEqual([3, 1, 2, 0]);
  });

  it('ids are found in any spelling', () => {
    const index = readCimText([publicFile('cim/IEEE13.xml')]);
    for (const id of ['_49AD8E07-3BF9-A4E2-CB8F-C3722F837B62', 'urn:uuid:49ad8e07-3bf9-a4e2-cb8f-c3722f837b62']) {
      expect(index.get(id)?.className).toBe('Feeder');
      expect(canonicalMrid(id)).toBe(index.get(id)?.id);
    }
  });
});
