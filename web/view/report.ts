import { eventLog } from './event-log.js';
import { extremesText, knownPu, MEASURED_TOLERANCE_PU, outsideText, spanText, worstInterval } from './extremes.js';
import {
  agentsText,
  clockText,
  counted,
  countText,
  dayText,
  limitText,
  pctText,
  powerText,
  puText,
  roundsText,
  rulesText,
  statusText,
  UNKNOWN,
  unitsText,
} from './figures.js';
import { mapSvg, scaleSvg } from './map-svg.js';
import { voltageRange } from './map-view.js';
import { escaped } from './markup.js';
import type { FeederMap, IntervalDocument, RunDocument, VoltageFigures } from './run-document.js';
import { settingRows } from './settings.js';
import { withUnitNames } from './unit-names.js';
import { voltageScale } from './voltage-colours.js';

/** What a report is made of. */
export interface ReportParts {
  readonly run: RunDocument;
  /** Absent where the model of the feeder is not at hand; `mapProblem` then says why. */
  readonly map?: FeederMap;
  readonly mapProblem?: string;
  /** Pictures of the run as SVG, in their order, with what they show. */
  readonly pictures: readonly { readonly title: string; readonly svg: string }[];
  readonly inputs: readonly { readonly name: string; readonly sha256: string }[];
}

/** Agents in the table of those that give up most. */
const MOST_AGENTS = 20;

/** What every agent gives up, as a share of what it could have given over all intervals (they are equally long), the largest first. */
export function agentShares({ intervals }: RunDocument) {
  const sums = new Map<
    string,
    { agent: string; ders: number; availableW: number; curtailedW: number; worstPct: number }
  >();
  for (const { curtailment } of intervals) {
    for (const { agent, ders, availableW, curtailedW } of curtailment) {
      const sum = sums.get(agent) ?? { agent, ders, availableW: 0, curtailedW: 0, worstPct: 0 };
      sums.set(agent, sum);
      sum.availableW += availableW;
      sum.curtailedW += curtailedW;
      if (availableW > 0) sum.worstPct = Math.max(sum.worstPct, (100 * curtailedW) / availableW);
    }
  }
  return [...sums.values()]
    .map(({ agent, ders, availableW, curtailedW, worstPct }) => ({
      agent,
      ders,
      worstPct,
      meanPct: availableW > 0 ? (100 * curtailedW) / availableW : 0,
    }))
    .sort((a, b) => b.meanPct - a.meanPct || a.agent.localeCompare(b.agent));
}

/** A whole run as one HTML file that needs nothing beside it: for reading, keeping and printing. */
export function reportHtml({ run: known, map, mapProblem, pictures, inputs }: ReportParts): string {
  const run = withUnitNames(known, map);
  const first = run.intervals[0];
  const worst = worstInterval(run);
  const shown =
    map !== undefined && worst !== undefined
      ? maps(run, map, worst)
      : mapProblem === undefined
        ? ''
        : `<p class="faint">No map: ${escaped(mapProblem)}</p>`;
  const when =
    first === undefined || run.isMoment
      ? ''
      : `, ${dayText(first.timestamp)} ${spanOfTime(first.timestamp, run.intervals.at(-1)!.timestamp)} UTC`;
  // What people asked has a table of its own.
  const notable = eventLog({ ...run, controls: [] }).filter(({ grade }) => grade === 'warning' || grade === 'bad');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>${escaped(`${run.feeder.name}, run ${run.id}`)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<header>
<p class="faint">Distributed Energy Coordinator · report of ${run.isMoment ? 'one coordination' : 'a run'}</p>
<h1>${escaped(run.feeder.name)}</h1>
<p>Run ${escaped(run.id)}${when} · ${run.isMoment ? 'without a simulation' : counted(run.intervals.length, 'interval')} · fairness rule ${escaped(rulesText(run.intervals, run.settings['fairness']))} · ${escaped(statusText(run.status))}</p>
${run.reason === null ? '' : `<p class="bad">${escaped(run.reason)}</p>`}
</header>
${summary(run)}
${worst === undefined ? '<p>Nothing was coordinated in this run.</p>' : `<p class="lead">${escaped(sentence(run, worst))}</p>`}
${shown}
${pictures.map(({ title, svg }) => `<figure tabindex="0" aria-label="${escaped(title)}"><img alt="${escaped(title)}" src="data:image/svg+xml;base64,${base64(svg)}"></figure>`).join('\n')}
${run.intervals.length === 0 ? '' : `<h2>Intervals</h2>\n${intervalTable(run)}`}
${agentTable(run)}
${inForceTable(run)}
${controlTable(run)}
<h2>What did not go smoothly</h2>
${
  notable.length === 0
    ? '<p>Nothing.</p>'
    : table(
        ['time', 'what'],
        notable.map(({ timestamp, text }) => [timestamp === null ? 'run' : clockText(timestamp), text]),
      )
}
<h2>Settings</h2>
${table(['setting', 'value'], settingRows(run))}
<h2>Inputs and versions</h2>
${table(
  ['file', 'SHA-256'],
  inputs.map(({ name, sha256 }) => [name, sha256]),
)}
<p>${Object.entries(run.versions)
    .map(([name, version]) => escaped(`${name} ${version}`))
    .join(' · ')}; ${run.seconds.toFixed(1)} s in all</p>
</main>
</body>
</html>
`;
}

function spanOfTime(from: number, to: number): string {
  return from === to ? clockText(from) : `${clockText(from)}–${clockText(to)}`;
}

function summary({ summary: figures, agents, ders, intervals }: RunDocument): string {
  const rows = [
    ['Lowest – highest voltage before', extremesText(figures['vMinBeforePu'], figures['vMaxBeforePu'])],
    ['Lowest – highest voltage with set-points', extremesText(figures['vMinAfterPu'], figures['vMaxAfterPu'])],
    [
      `Nodes more than ${MEASURED_TOLERANCE_PU} pu outside the limits`,
      `${countText(figures['violationsBefore'])} → ${countText(figures['violationsAfter'])}`,
    ],
    ['Curtailed energy', pctText(figures['curtailedEnergyPct'])],
    ['Price of fairness', pctText(figures['priceOfFairnessPct'])],
    ['Jain index, served', puText(figures['jainServed'], 3)],
    [`Agents / ${unitsText(intervals)}`, `${agentsText(agents)} / ${countText(ders)}`],
    ['Rounds', roundsText({ agents, rounds: figures['rounds'] })],
  ];
  return `<dl>${rows.map(([name = '', value = '']) => `<div><dt>${name}</dt><dd>${value}</dd></div>`).join('')}</dl>`;
}

/** The run in words, by its hardest interval. */
function sentence(run: RunDocument, worst: IntervalDocument): string {
  const { nodes, isMoment } = run;
  const { before, after, limits = run.limits } = worst;
  const range = `${limitText(limits.minPu)} to ${limitText(limits.maxPu)} pu`;
  const takes = `${powerText(worst.curtailedW)} of ${powerText(worst.availableW)} (${pctText(worst.curtailedPct)}).`;
  const cost = worst.curtailedW === null ? '' : ` That takes ${takes}`;
  const at = isMoment ? 'Before the set-points' : `At ${clockText(before.timestamp)}`;
  if (knownPu(before.vMaxPu) === null) {
    return `${at} no voltage of the simulation was measured: whether nodes are outside ${range} is not known.${worst.curtailedW === null ? '' : ` The set-points take ${takes}`}`;
  }
  const count = nodes.length > 0 ? ` of ${countText(nodes.length)}` : '';
  const was =
    before.violations === 0
      ? `${at}, all${nodes.length > 0 ? ` ${countText(nodes.length)}` : ''} measured nodes were inside ${range}, at ${spanText(before)}.`
      : `${at}, ${countText(before.violations)}${count} measured nodes stood outside ${range}, ${outsideText(before, limits)}.`;
  if (after === null) return `${was} The run ended before the next output.`;
  const now =
    after.violations === 0
      ? `none is outside, at ${spanText(after)}`
      : `${countText(after.violations)} ${after.violations === 1 ? 'is' : 'are'} outside, ${outsideText(after, limits)}`;
  const rounds = run.isByUnit ? '' : ` of ${counted(worst.rounds, 'round')}`;
  const then = isMoment ? '' : `${rounds}, at ${clockText(after.timestamp)}`;
  return `${was} With the set-points${then}, ${now}.${cost}`;
}

function maps(run: RunDocument, map: FeederMap, worst: IntervalDocument): string {
  if (![...worst.beforePu, ...worst.afterPu].some((value) => value !== null)) {
    return '<p class="faint">No map: no voltage of the simulation was measured.</p>';
  }
  const scale = voltageScale(voltageRange(run));
  const { limits = run.limits } = worst;
  const when = ({ timestamp }: VoltageFigures, what: string) =>
    run.isMoment ? what : `${clockText(timestamp)}, ${what}`;
  const one = (title: string, voltagesPu: readonly (number | null)[]) =>
    `<figure><figcaption>${escaped(title)}</figcaption>${mapSvg({ map, nodes: run.nodes, voltagesPu, scale, limits, title })}</figure>`;
  const after = worst.after === null ? '' : one(when(worst.after, 'with set-points'), worst.afterPu);
  return `<h2>The feeder before and with the set-points</h2>
<div class="pair">${one(when(worst.before, 'before'), worst.beforePu)}${after}</div>
<p class="key">${scaleSvg(scale, [limits.minPu, limits.maxPu])}<span>voltage of each point (pu), of its worst phase: farthest beyond a limit or nearest to one; mark: limit; ring: outside; large points: service areas; square: switch (filled: closed), diamond: regulator, triangle: capacitor, large square: source</span></p>`;
}

function intervalTable({ intervals, isMoment, agents }: RunDocument): string {
  const hasRounds = agents > 0 || intervals.some(({ rounds }) => rounds > 0);
  const hasPlans = intervals.some(({ batteryW }) => batteryW !== undefined);
  const heads = [
    'time',
    'status',
    ...(hasRounds ? ['rounds'] : []),
    'V min – max before (pu)',
    'after (pu)',
    'outside before',
    'after',
    'available',
    'curtailed',
    '%',
    ...(hasPlans ? ['from batteries'] : []),
    'price of fairness',
    'Jain, served',
    'sent',
    's',
  ];
  const rows = intervals.map((one) => [
    isMoment ? UNKNOWN : clockText(one.timestamp),
    statusText(one.status),
    ...(hasRounds ? [countText(one.rounds)] : []),
    rangeText(one.before),
    rangeText(one.after),
    outsideCount(one.before),
    outsideCount(one.after),
    powerText(one.availableW),
    powerText(one.curtailedW),
    pctText(one.curtailedPct),
    ...(hasPlans ? [powerText(one.batteryW)] : []),
    pctText(one.priceOfFairnessPct),
    puText(one.jainServed, 3),
    countText(one.commanded),
    one.seconds.toFixed(2),
  ]);
  return table(heads, rows, 2);
}

/** What was in force from which interval on, where people changed it. */
function inForceTable({ intervals }: RunDocument): string {
  const rows = intervals.map(({ fairness = UNKNOWN, limits, factors }) => [
    fairness,
    limits === undefined ? UNKNOWN : `${limitText(limits.minPu)} – ${limitText(limits.maxPu)}`,
    // Known from the first change on; before it those of the settings.
    factors === undefined ? 'as set' : String(factors.load),
    factors === undefined ? 'as set' : String(factors.pv),
  ]);
  const changes = rows.flatMap((row, i) =>
    i === 0 || row.some((text, k) => text !== rows[i - 1]![k]) ? [[clockText(intervals[i]!.timestamp), ...row]] : [],
  );
  if (changes.length < 2) return '';
  return `<h2>What was in force</h2>\n${table(['from', 'rule', 'limits (pu)', 'load ×', 'PV ×'], changes)}`;
}

/** What people asked of a run while it went on. */
function controlTable({ controls = [] }: RunDocument): string {
  if (controls.length === 0) return '';
  const rows = controls.map(({ timestamp, isAccepted, text }) => [
    timestamp === null ? UNKNOWN : clockText(timestamp),
    isAccepted ? 'done' : 'refused',
    text,
  ]);
  return `<h2>What people asked of it</h2>\n${table(['time', '', 'what'], rows)}`;
}

/** From the lowest to the highest in as few letters as a table has room for. */
function rangeText(figures: VoltageFigures | null): string {
  return knownPu(figures?.vMaxPu) === null ? UNKNOWN : `${puText(figures?.vMinPu)} – ${puText(figures?.vMaxPu)}`;
}

/** Nodes outside; where nothing is measured nothing is known to be. */
function outsideCount(figures: VoltageFigures | null): string {
  return knownPu(figures?.vMaxPu) === null ? UNKNOWN : countText(figures?.violations);
}

function agentTable(run: RunDocument): string {
  const agents = agentShares(run);
  const who = run.isByUnit ? 'PV systems' : 'Agents';
  if (agents.length === 0) return '';
  const rows = agents
    .slice(0, MOST_AGENTS)
    .map(({ agent, ders, meanPct, worstPct }) => [agent, String(ders), pctText(meanPct), pctText(worstPct)]);
  const more =
    agents.length > rows.length
      ? `<p class="faint">and ${agents.length - rows.length} more; setpoints.csv has all.</p>`
      : '';
  return `<h2>${who} that give up the largest share</h2>\n${table([run.isByUnit ? 'PV system' : 'agent', 'generators', 'over the run', 'most in an interval'], rows, 1)}${more}`;
}

/** @param words - columns at the left that are no numbers; all of them when absent */
function table(heads: readonly string[], rows: readonly (readonly string[])[], words = heads.length): string {
  const cell = (tag: 'th' | 'td', text: string, i: number) =>
    `<${tag}${tag === 'th' ? ' scope="col"' : ''}${i >= words ? ' class="number"' : ''}>${escaped(text)}</${tag}>`;
  const body = rows.map((row) => `<tr>${row.map((text, i) => cell('td', text, i)).join('')}</tr>`);
  // Wide tables scroll on a narrow screen, and who has no pointer scrolls what has the focus.
  return `<div class="scroll${heads.length > 6 ? ' wide' : ''}" tabindex="0" role="region" aria-label="${escaped(heads.join(', '))}"><table><thead><tr>${heads.map((text, i) => cell('th', text, i)).join('')}</tr></thead><tbody>${body.join('\n')}</tbody></table></div>`;
}

/** Base 64 of a text's UTF-8. */
function base64(text: string): string {
  let bytes = '';
  for (const byte of new TextEncoder().encode(text)) bytes += String.fromCharCode(byte);
  return btoa(bytes);
}

const STYLE = `
body{max-width:1080px;margin:0 auto;padding:2rem 1.5rem;font:14px/1.5 system-ui,'Segoe UI','Helvetica Neue',Arial,sans-serif;color:#18212b;background:#fff}
h1{margin:0;font-size:1.9rem;line-height:1.2}h2{margin:2rem 0 .6rem;font-size:1.15rem}p{margin:.3rem 0}
.faint,dt,figcaption{color:#586574}.bad{color:#b3261e}.lead{font-size:1.1rem;max-width:62em;margin:1rem 0}
dl{display:grid;grid-template-columns:repeat(4,1fr);gap:.8rem 1.5rem;margin:1.2rem 0;padding:1rem 0;border:solid #dfe3e8;border-width:1px 0}
dt{font-size:.85rem}dd{margin:0;font-size:1.25rem;font-weight:600;font-variant-numeric:tabular-nums}
figure{margin:1rem 0;break-inside:avoid}figure img,figure svg{display:block;max-width:100%}
.pair{display:grid;grid-template-columns:1fr 1fr;gap:1.5rem}.pair svg{width:100%;max-height:140mm}
.key{display:flex;gap:1rem;align-items:center;font-size:.85rem;color:#586574}.key svg{flex:none}
*:focus-visible{outline:2px solid #1f6feb;outline-offset:2px}.scroll{overflow-x:auto}
table{width:100%;border-collapse:collapse;font-size:.85rem}th,td{padding:.25rem .5rem;text-align:left;border-bottom:1px solid #e8ebef;overflow-wrap:break-word}
th{font-weight:500;color:#586574;vertical-align:bottom}.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}th.number{white-space:normal}
tr{break-inside:avoid}thead{display:table-header-group}h2{break-after:avoid}
@page{size:A4;margin:14mm}
@media print{.scroll{overflow:visible}body{max-width:none;padding:0;font-size:9.5pt}table{font-size:7.5pt}th,td{padding:.15rem .3rem}*{-webkit-print-color-adjust:exact;print-color-adjust:exact}}
@media screen and (max-width:640px){body{padding:1rem}dl{grid-template-columns:1fr 1fr}.pair{grid-template-columns:1fr}.key{flex-wrap:wrap}figure{overflow-x:auto}.wide table{min-width:52rem}figure img{max-width:none;width:680px}h1{overflow-wrap:anywhere}}
@media screen and (prefers-color-scheme:dark){:root{color-scheme:dark}body{color:#e6eaee;background:#12171d}.faint,dt,figcaption,.key,th{color:#9aa7b4}.bad{color:#ff8a80}dl,th,td{border-color:#2c3540}figure img,figure svg,.pair svg,.key svg{background:#fff}}
`.trim();
