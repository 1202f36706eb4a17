import type { BenchRow } from './bench-row.js';
import type { Machine } from './machine.js';

/** What one run of the benchmarks left. */
export interface BenchReport {
  readonly date: string;
  readonly commit: string;
  readonly isQuick: boolean;
  readonly machine: Machine;
  /** Set when the machine was loaded or our own rounds differed by more than 5 %. */
  readonly isNoisy: boolean;
  readonly rows: readonly BenchRow[];
}

/** A time in the unit in which it reads best. */
export function time(seconds: number): string {
  if (!Number.isFinite(seconds)) return '-';
  if (seconds >= 1) return `${seconds.toPrecision(3)} s`;
  if (seconds >= 1e-3) return `${(seconds * 1e3).toPrecision(3)} ms`;
  return `${(seconds * 1e6).toPrecision(3)} us`;
}

function goalText({ goal }: BenchRow): string {
  if (!goal) return '-';
  const unit = { ratio: 'x', seconds: ' s', deviation: '', exponent: '', bytes: ' B', rounds: ' rounds' }[goal.by];
  return [goal.must, goal.lead, goal.peak].map((value) => (value === undefined ? '-' : `${value}${unit}`)).join(' / ');
}

function figure(value: number | string): string {
  return typeof value === 'number' && !Number.isInteger(value) ? value.toPrecision(3) : String(value);
}

/** Last recorded ratio of a row, for those whose peer is absent. */
export type Baseline = Readonly<
  Record<string, { readonly ratio: number; readonly date: string; readonly commit: string }>
>;

function ratioText(row: BenchRow, baseline: Baseline): string {
  if (row.ratio) return `${row.ratio.median.toPrecision(3)} (worst ${row.ratio.worst.toPrecision(3)})`;
  const last = baseline[row.id];
  if (row.peerState === 'absent') {
    return last ? `peer absent; ${last.ratio.toPrecision(3)} on ${last.date}` : 'peer absent';
  }
  return '-';
}

/** The report as Markdown. */
export function markdown(report: BenchReport, baseline: Baseline): string {
  const { machine, rows } = report;
  const head = [
    'goal',
    'what',
    'ours min',
    'median',
    'p95',
    'peer',
    'peer min',
    'median',
    'ratio',
    'deviation',
    'must / lead / peak',
    'reached',
  ];
  const lines = rows.map((row) => [
    row.id,
    `${row.subject} (a ${row.unit}, n ${row.ours.n})`,
    time(row.ours.min),
    time(row.ours.median),
    time(row.ours.p95),
    row.peer?.version ?? (row.peerState === 'absent' ? 'absent' : '-'),
    row.peer ? time(row.peer.min) : '-',
    row.peer ? time(row.peer.median) : '-',
    ratioText(row, baseline),
    row.deviation
      ? `${row.deviation.value.toExponential(1)} ${row.deviation.what} (limit ${row.deviation.limit})`
      : '-',
    goalText(row),
    row.level ?? '-',
  ]);
  const notes = rows.flatMap((row) => {
    const figures = Object.entries(row.figures).map(([name, value]) => `${name} ${figure(value)}`);
    const parts = [...figures, ...(row.note ? [row.note] : [])];
    return parts.length > 0 ? [`- ${row.id}: ${parts.join('; ')}`] : [];
  });
  const load = `load ${machine.loadBefore} before, ${machine.loadAfter} after`;
  return [
    `Benchmarks of ${report.date}, commit ${report.commit}${report.isQuick ? ', quick subset' : ''}${report.isNoisy ? ', NOISY' : ''}`,
    '',
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.platform}, Node ${machine.node}, governor ${machine.governor}, ${load}.`,
    'Ratio: time of the peer over ours, median of alternating rounds; above 1 we are faster.',
    '',
    `| ${head.join(' | ')} |`,
    `|${head.map(() => '---').join('|')}|`,
    ...lines.map((cells) => `| ${cells.join(' | ')} |`),
    '',
    ...notes,
    '',
  ].join('\n');
}
