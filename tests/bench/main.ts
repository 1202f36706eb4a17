/**
 * The benchmarks: `npm run bench -- [--only G1,G5] [--quick] [--record] [--json] [--out DIR]`.
 *
 * Writes outputs/bench/<date>-<commit>.json and .md and prints the table. With --quick a subset of about a minute runs, and
 * the exit code is 3 when a ratio is below 0.7 of the recorded one. --record makes this run's ratios the recorded ones, unless the machine was noisy.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { BenchRow } from './bench-row.js';
import { BENCHMARKS } from './benchmarks.js';
import { BROKER_BENCHMARKS } from './broker-benchmarks.js';
import { COORDINATION_BENCHMARKS } from './coordination-benchmarks.js';
import { DASHBOARD_BENCHMARKS } from './dashboard-benchmarks.js';
import { commit, load, machine } from './machine.js';
import { type Baseline, type BenchReport, markdown } from './table.js';
import { root, Workshop } from './workshop.js';

/** Part of the recorded ratio below which the quick run fails. */
const REGRESSION = 0.7;
/** Difference of our own rounds above which a row is called noisy, %. */
const NOISE_PCT = 5;
const ROUNDS = 4;

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    quick: { type: 'boolean', default: false },
    record: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    out: { type: 'string' },
    rounds: { type: 'string' },
  },
});

const ALL = [...BENCHMARKS, ...COORDINATION_BENCHMARKS, ...BROKER_BENCHMARKS, ...DASHBOARD_BENCHMARKS];

function chosen() {
  const wanted = values.only?.split(',').map((name) => name.trim().toLowerCase());
  const list = ALL.filter(({ id }) => wanted === undefined || wanted.includes(id.toLowerCase()));
  const known = ALL.map(({ id }) => id).join(', ');
  if (list.length === 0) {
    process.stderr.write(`bench: --only knows ${known}, not ${values.only}.\n`);
    process.exit(2);
  }
  return list;
}

const benchmarks = chosen();
const baselineFile = join(root, 'tests', 'bench', 'baseline.json');
const baseline: Baseline = existsSync(baselineFile) ? JSON.parse(readFileSync(baselineFile, 'utf8')) : {};
const rounds = Number(values.rounds ?? ROUNDS);
if (!Number.isInteger(rounds) || rounds < 1) {
  process.stderr.write(`bench: --rounds is a whole number of at least 1, not ${values.rounds}.\n`);
  process.exit(2);
}
const effort = { isQuick: values.quick, rounds: values.quick ? Math.min(2, rounds) : rounds };
const loadBefore = load();
const workshop = new Workshop();
const rows: BenchRow[] = [];
try {
  for (const benchmark of benchmarks) {
    process.stderr.write(`${benchmark.id} ...\n`);
    rows.push(...benchmark.run(workshop, effort));
  }
} finally {
  workshop.close();
}

const fingerprint = machine(loadBefore);
const report: BenchReport = {
  date: new Date().toISOString().slice(0, 10),
  commit: commit(root),
  isQuick: values.quick,
  machine: fingerprint,
  isNoisy:
    Math.max(loadBefore, fingerprint.loadAfter) > fingerprint.cores ||
    rows.some(({ ownSpreadPct }) => ownSpreadPct > NOISE_PCT),
  rows,
};
const folder = values.out ?? join(root, 'outputs', 'bench');
mkdirSync(folder, { recursive: true });
const stem = join(folder, `${report.date}-${report.commit}${values.quick ? '-quick' : ''}`);
const text = markdown(report, baseline);
writeFileSync(`${stem}.json`, `${JSON.stringify(report, null, 2)}\n`);
writeFileSync(`${stem}.md`, text);
process.stdout.write(values.json ? `${JSON.stringify(report)}\n` : text);
process.stderr.write(`Wrote ${stem}.json and .md.\n`);

if (values.record && report.isNoisy) {
  process.stderr.write('bench: nothing is recorded, because the machine was noisy; try again when it is quiet.\n');
} else if (values.record) {
  const recorded = Object.fromEntries(
    rows.flatMap((row) =>
      row.fairRatio ? [[row.id, { ratio: row.fairRatio, date: report.date, commit: report.commit }]] : [],
    ),
  );
  writeFileSync(baselineFile, `${JSON.stringify({ ...baseline, ...recorded }, null, 2)}\n`);
}

const untrue = rows.filter(({ deviation }) => deviation && !(deviation.value <= deviation.limit));
const slower = rows.filter(
  ({ id, fairRatio }) => fairRatio && baseline[id] && fairRatio < REGRESSION * baseline[id].ratio,
);
for (const { id } of untrue) process.stderr.write(`${id}: the results do not agree.\n`);
for (const { id, fairRatio } of slower) {
  process.stderr.write(`${id}: ratio ${fairRatio?.toPrecision(3)}, recorded ${baseline[id]?.ratio.toPrecision(3)}.\n`);
}
if (untrue.length > 0 || (values.quick && slower.length > 0)) process.exitCode = 3;
