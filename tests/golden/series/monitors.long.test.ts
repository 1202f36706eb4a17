import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readDss } from '../../../grid/dss/index.js';
import {
  chunkCount,
  SERIES_DEFAULTS,
  type SeriesMode,
  SeriesRunner,
  type SeriesSettings,
} from '../../../grid/flow/index.js';
import { DssFolder } from '../../../platform/index.js';
import { feedersDir } from '../../feeders.js';

/*
 * Monitors that OpenDSS has written beside the public scripts (feeders/dss/ecp/*_Mon_*.csv): power of each device in every step.
 * OpenDSS solved them to its own tolerance of 1e-4, and from a state of rest, so that single steps lie that far off.
 */
const folder = join(feedersDir ?? '', 'dss', 'ecp');
const isPresent = feedersDir !== undefined && existsSync(folder);
if (!isPresent) console.warn('skipped: monitors of OpenDSS time series (no public feeders at hand; set DEC_FEEDERS)');

/** Active power of a monitor at every step, kW, consumption positive. */
function monitorKw(script: string, device: string): readonly number[] {
  const text = readFileSync(join(folder, `${script}_Mon_${device}_1.csv`), 'utf8');
  const rows = text.trim().split(/\r?\n/).slice(1);
  return rows.map((row) => {
    const cells = row.split(',').map(Number);
    return cells[2]! + cells[4]! + cells[6]!;
  });
}

/** Sum of some monitors. */
function sumKw(script: string, devices: readonly string[]): readonly number[] {
  const all = devices.map((device) => monitorKw(script, device));
  return (all[0] ?? []).map((_, k) => all.reduce((sum, one) => sum + one[k]!, 0));
}

interface Case {
  readonly script: string;
  readonly mode: SeriesMode;
  /** Length of our step and of the monitor's, s. */
  readonly stepS: number;
  readonly rowS: number;
  readonly steps: number;
  readonly loads: readonly string[];
  readonly units: readonly string[];
}

const CASES: readonly Case[] = [
  {
    script: 'ecp_daily',
    mode: 'daily',
    stepS: 60,
    rowS: 1,
    steps: 1440,
    loads: ['load1', 'load2'],
    units: ['pv1', 'pv2', 'gen1', 'gen2'],
  },
  {
    script: 'ecp_duty',
    mode: 'duty',
    stepS: 1,
    rowS: 1,
    steps: 2900,
    loads: [],
    units: ['bess1', 'bess2', 'pv1', 'pv2'],
  },
  {
    script: 'ecp_growthcvr',
    mode: 'daily',
    stepS: 3600,
    rowS: 3600,
    steps: 24,
    loads: ['load1', 'load2', 'load3', 'load4', 'load5'],
    units: [],
  },
  { script: 'ecp_temperature', mode: 'daily', stepS: 60, rowS: 60, steps: 781, loads: [], units: ['pv1_pq', 'pv2_pq'] },
  { script: 'ecp_yearly', mode: 'yearly', stepS: 3600, rowS: 3600, steps: 8760, loads: ['pq1', 'pq2'], units: [] },
  {
    script: 'gld_daily',
    mode: 'daily',
    stepS: 1,
    rowS: 1,
    steps: 43_200,
    loads: ['load1', 'load2'],
    units: ['bess1', 'bess2', 'pv1', 'pv2', 'gen1', 'gen2'],
  },
];

/** Deviation that OpenDSS' own tolerance leaves, share of the largest power. */
const SHARE = 3e-4;

describe.skipIf(!isPresent)('time series beside the monitors of OpenDSS', () => {
  it.each(CASES)(
    '$script: loads and generation in every step',
    ({ script, mode, stepS, rowS, steps, loads, units }) => {
      const { feeder } = readDss(join(folder, `${script}.dss`), new DssFolder());
      const settings: SeriesSettings = { ...SERIES_DEFAULTS, mode, stepS, steps };
      const runner = new SeriesRunner(feeder, settings);
      const loadKw: number[] = [];
      const unitKw: number[] = [];
      let state = runner.initialState();
      for (let chunk = 0; chunk < chunkCount(settings); chunk++) {
        const { powers, endState } = runner.runChunk(chunk, state);
        for (const w of powers.loadW) loadKw.push(w / 1000);
        for (const w of powers.generationW) unitKw.push(-w / 1000);
        state = endState;
      }
      for (const [found, devices] of [
        [loadKw, loads],
        [unitKw, units],
      ] as const) {
        if (devices.length === 0) continue;
        const wanted = sumKw(script, devices);
        const scale = wanted.reduce((most, kw) => Math.max(most, Math.abs(kw)), 0);
        let worst = 0;
        found.forEach((kw, step) => {
          worst = Math.max(worst, Math.abs(kw - wanted[((step + 1) * stepS) / rowS - 1]!));
        });
        expect(found).toHaveLength(steps);
        expect(worst / scale).toBeLessThan(SHARE);
      }
    },
  );
});
