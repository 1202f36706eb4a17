import type { PowerFlowReport } from '../../grid/flow/index.js';
import type { Feeder } from '../../grid/model/index.js';
import { colourAt, DEAD_COLOUR, type VoltageScale, voltageScale } from '../../web/index.js';
import { LabelPlacer } from './label-placer.js';
import { type LayoutEdge, type LayoutNode, type OneLineLayout, oneLineLayout } from './one-line-layout.js';
import { SYMBOL_KINDS, SYMBOL_NAMES, type SymbolKind, symbolSvg } from './one-line-symbols.js';

/** Below this a node has no voltage, pu. */
const DEAD_PU = 1e-3;
const MIN_PU = 0.95;
const MAX_PU = 1.05;
/** Room around the drawing, and of title and legend, px. */
const MARGIN = 46;
const TITLE = 58;
const LEGEND = 236;
const INK = '#222222';
/** Feeders of at most this many drawn buses have all named; larger ones what stands out. */
const NAME_ALL = 150;
/** Loads are drawn up to this many buses. */
const DRAW_LOADS = 60;

const escaped = (text: string) =>
  text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]!);
const px = (value: number) => String(Math.round(value * 10) / 10);

/** Voltage of a drawn bus: that of the phase farthest from 1 pu; undefined without voltage. */
type Voltages = ReadonlyMap<string, number | undefined>;

function voltagesOf(feeder: Feeder, report: PowerFlowReport, nodes: readonly LayoutNode[]): Voltages {
  const byName = new Map<string, number>();
  for (const { bus, phase, voltagePu } of report.nodes) {
    if (phase === 'N' || voltagePu <= DEAD_PU) continue;
    const before = byName.get(bus);
    if (before === undefined || Math.abs(voltagePu - 1) > Math.abs(before - 1)) byName.set(bus, voltagePu);
  }
  return new Map(
    nodes.map(({ id, buses }) => {
      const values = buses.flatMap((bus) => byName.get(feeder.busById.get(bus)!.name.toUpperCase()) ?? []);
      const worst = values.reduce<number | undefined>(
        (best, value) => (best === undefined || Math.abs(value - 1) > Math.abs(best - 1) ? value : best),
        undefined,
      );
      return [id, worst];
    }),
  );
}

interface Drawing {
  readonly feeder: Feeder;
  readonly report: PowerFlowReport;
  readonly layout: OneLineLayout;
  readonly voltages: Voltages;
  readonly scale: VoltageScale;
  /** Sizes of lines and dots against those of a small drawing. */
  readonly size: number;
  readonly nodeById: ReadonlyMap<string, LayoutNode>;
  readonly used: Set<SymbolKind>;
}

/** Width of a letter against its size, for Helvetica: in bold headings, and in running text. */
const LETTER = 0.6;
const SMALL_LETTER = 0.52;

/** The one-line diagram of a solved feeder as SVG text. */
export function oneLineSvg(feeder: Feeder, report: PowerFlowReport): string {
  const layout = oneLineLayout(feeder);
  const voltages = voltagesOf(feeder, report, layout.nodes);
  const scale = voltageScale([...voltages.values()].filter((value) => value !== undefined));
  const drawing: Drawing = {
    feeder,
    report,
    layout,
    voltages,
    scale,
    size: layout.nodes.length > 400 ? 0.5 : layout.nodes.length > 150 ? 0.7 : 1,
    nodeById: new Map(layout.nodes.map((node) => [node.id, node])),
    used: new Set(),
  };
  const where =
    layout.method === 'coordinates'
      ? "buses at the model's coordinates"
      : 'steps from the source to the right, not to scale';
  const title = `One-line diagram, ${report.feeder.name}`;
  const subtitle = `${feeder.buses.length} buses, ${report.branches.length} branches; ${where}; colour: the phase farthest from 1 pu`;
  const headingWidth = MARGIN + Math.max(title.length * 15 * LETTER, subtitle.length * 11.5 * SMALL_LETTER);
  const width = Math.ceil(Math.max(layout.width + 2 * MARGIN + LEGEND, headingWidth));
  const labels = new LabelPlacer(width - 2 * MARGIN - LEGEND);
  const branches = layout.edges.map((edge) => branchSvg(drawing, edge, labels)).join('\n');
  const buses = layout.nodes.map((node) => busSvg(drawing, node)).join('\n');
  const devices = deviceSvg(drawing, labels);
  const names = nameSvg(drawing, labels);
  const body = Math.max(layout.height + 2 * MARGIN, 420);
  const height = Math.ceil(TITLE + body);
  const text = `${title}. ${feeder.buses.length} buses, ${report.branches.length} branches.`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="Helvetica, Arial, sans-serif" role="img" aria-label="${escaped(text)}">
<rect width="${width}" height="${height}" fill="white"/>
<text x="${MARGIN - 26}" y="27" font-size="15" font-weight="bold" fill="${INK}">${escaped(title)}</text>
<text x="${MARGIN - 26}" y="45" font-size="11.5" fill="#555555">${escaped(subtitle)}</text>
<g transform="translate(${MARGIN} ${TITLE + MARGIN - 10})">
<g class="branches" fill="none" stroke-linecap="round" stroke-linejoin="round">
${branches}
</g>
<g class="buses">
${buses}
</g>
<g class="devices">
${devices}
</g>
<g class="names" fill="#444444">
${names}
</g>
</g>
<g class="legend" transform="translate(${width - LEGEND + 14} ${TITLE + 6})">
${legendSvg(drawing)}
</g>
</svg>
`;
}

/** The way of a branch: straight between coordinates, round a corner in a tree; and where a symbol stands on it. */
function wayOf({ layout, nodeById }: Drawing, { from, to, isTree }: LayoutEdge) {
  const [a, b] = [nodeById.get(from)!, nodeById.get(to)!];
  if (layout.method === 'coordinates' || !isTree || a.y === b.y) {
    const angle = (Math.atan2(b.y - a.y, b.x - a.x) * 180) / Math.PI;
    const path = `M${px(a.x)} ${px(a.y)}L${px(b.x)} ${px(b.y)}`;
    return { path, x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, angle };
  }
  const [near, far] = a.x <= b.x ? [a, b] : [b, a];
  return {
    path: `M${px(near.x)} ${px(near.y)}V${px(far.y)}H${px(far.x)}`,
    x: (near.x + far.x) / 2,
    y: far.y,
    angle: 0,
  };
}

function symbolOf({ kind, isOpen, isRegulated }: LayoutEdge): SymbolKind | undefined {
  if (isOpen) return 'openSwitch';
  if (kind === 'switch') return 'closedSwitch';
  if (kind === 'reactor') return 'reactor';
  if (kind === 'transformer') return isRegulated ? 'regulator' : 'transformer';
  return undefined;
}

function branchSvg(drawing: Drawing, edge: LayoutEdge, labels: LabelPlacer): string {
  const { feeder, voltages, scale, size, nodeById, used } = drawing;
  const [a, b] = [voltages.get(edge.from), voltages.get(edge.to)];
  const isLive = a !== undefined && b !== undefined && !edge.isOpen;
  const colour = isLive ? scale.colour((a + b) / 2) : DEAD_COLOUR;
  const width = [1.2, 2.1, 3.2][edge.phases - 1]! * size;
  const { path, x, y, angle } = wayOf(drawing, edge);
  const name = edge.elementIds.map((id) => feeder.elements.get(id)?.name ?? id).join(', ');
  const dash = edge.isOpen ? ' stroke-dasharray="4 4"' : '';
  const stroke = `<path d="${path}" stroke="${colour}" stroke-width="${px(width)}"${dash}><title>${escaped(`${edge.kind} ${name}, ${edge.phases} phase${edge.phases > 1 ? 's' : ''}`)}</title></path>`;
  const [from, to] = [nodeById.get(edge.from)!, nodeById.get(edge.to)!];
  labels.takeLine(from.x, from.y, to.x, to.y);
  const symbol = symbolOf(edge);
  // What is collapsed is told by its glyph; its transformer beside it would only be in the way.
  if (symbol === undefined || (symbol === 'transformer' && (from.isSecondary || to.isSecondary))) return stroke;
  used.add(symbol);
  labels.take(x, y, 11 * Math.max(size, 0.7));
  const factor = Math.max(size, 0.7);
  return `${stroke}\n<g transform="translate(${px(x)} ${px(y)}) rotate(${px(angle)})${factor === 1 ? '' : ` scale(${factor})`}">${symbolSvg(symbol)}</g>`;
}

function busSvg({ feeder, voltages, scale, size, layout, used }: Drawing, node: LayoutNode): string {
  const voltage = voltages.get(node.id);
  const colour = voltage === undefined ? DEAD_COLOUR : scale.colour(voltage);
  const bus = feeder.busById.get(node.id)!;
  const isOutside = voltage !== undefined && (voltage < MIN_PU || voltage > MAX_PU);
  const radius = Math.max(1.3, (layout.nodes.length > NAME_ALL ? 2.6 : 3.4) * size);
  const more = node.buses.length > 1 ? ` and ${node.buses.length - 1} more of its secondary network` : '';
  const title = `<title>${escaped(`bus ${bus.name}${more}: ${voltage === undefined ? 'no voltage' : `${voltage.toFixed(4)} pu`}`)}</title>`;
  const at = `transform="translate(${px(node.x)} ${px(node.y)})"`;
  if (!node.isSecondary) {
    const ring = isOutside
      ? `<circle r="${px(radius + 2.2)}" fill="none" stroke="${INK}" stroke-width="${size < 1 ? 0.8 : 1.2}"/>`
      : '';
    return `<g ${at}>${title}<circle r="${px(radius)}" fill="${colour}"/>${ring}</g>`;
  }
  const members = new Set(node.buses);
  const hasPv = feeder.pvSystems.some(({ terminal }) => members.has(terminal.bus));
  const kind = hasPv ? 'secondaryWithPv' : 'secondary';
  used.add(kind);
  const ring = isOutside ? `<circle r="7.5" fill="none" stroke="${INK}" stroke-width="1"/>` : '';
  return `<g ${at}>${title}${symbolSvg(kind, colour)}${ring}</g>`;
}

/** Directions of the branches at each node, rad. */
function directions({ layout, nodeById }: Drawing): ReadonlyMap<string, number[]> {
  const angles = new Map<string, number[]>(layout.nodes.map(({ id }) => [id, []]));
  for (const { from, to, isTree } of layout.edges) {
    const [a, b] = [nodeById.get(from)!, nodeById.get(to)!];
    if (layout.method === 'tree' && isTree && a.y !== b.y) {
      const [near, far] = a.x <= b.x ? [a, b] : [b, a];
      angles.get(near.id)!.push(far.y > near.y ? Math.PI / 2 : -Math.PI / 2);
      angles.get(far.id)!.push(Math.PI);
      continue;
    }
    angles.get(from)!.push(Math.atan2(b.y - a.y, b.x - a.x));
    angles.get(to)!.push(Math.atan2(a.y - b.y, a.x - b.x));
  }
  return angles;
}

/** What hangs from buses, each turned to where there is most room. */
function deviceSvg(drawing: Drawing, labels: LabelPlacer): string {
  const { feeder, layout, nodeById, size, used } = drawing;
  const taken = directions(drawing);
  const lists: readonly (readonly [SymbolKind, readonly { readonly terminal: { readonly bus: string } }[]])[] = [
    ['source', [...feeder.sources, ...(feeder.currentSources ?? [])]],
    ['capacitor', feeder.capacitors],
    ['pv', feeder.pvSystems],
    ['battery', feeder.batteries],
    ['machine', [...feeder.machines, ...(feeder.inductionMachines ?? [])]],
    ['load', layout.nodes.length <= DRAW_LOADS ? feeder.loads : []],
  ];
  const nodeOf = new Map(layout.nodes.flatMap(({ id, buses }) => buses.map((bus) => [bus, id] as const)));
  const factor = size === 1 ? 1 : 0.75;
  return lists
    .flatMap(([kind, list]) =>
      [...new Set(list.map(({ terminal }) => nodeOf.get(terminal.bus)))].flatMap((id) => {
        const node = id === undefined ? undefined : nodeById.get(id);
        // What stands inside a collapsed network is told by its glyph.
        if (!node || (node.isSecondary && kind !== 'source')) return [];
        used.add(kind);
        const isRound = kind === 'source';
        const angle = isRound ? 0 : freest(taken.get(node.id)!);
        if (!isRound) taken.get(node.id)!.push(angle);
        const reach = isRound ? 0 : 13 * factor;
        labels.take(node.x + reach * Math.cos(angle), node.y + reach * Math.sin(angle), 11 * factor);
        const turn = isRound ? '' : ` rotate(${px((angle * 180) / Math.PI - 90)})`;
        return [
          `<g transform="translate(${px(node.x)} ${px(node.y)})${turn}${factor === 1 ? '' : ` scale(${factor})`}">${symbolSvg(kind)}</g>`,
        ];
      }),
    )
    .join('\n');
}

/** Of eight directions the one farthest from all that are taken; downwards before others. */
function freest(taken: readonly number[]): number {
  let best: readonly [number, number] = [Math.PI / 2, -1];
  for (let k = 0; k < 8; k++) {
    const angle = Math.PI / 2 + (k * Math.PI) / 4;
    const apart = taken.reduce((least, other) => Math.min(least, Math.acos(Math.cos(angle - other))), Math.PI);
    if (apart > best[1] + 1e-6) best = [angle, apart];
  }
  return best[0];
}

/** The drawn nodes with the lowest and the highest voltage of any phase, and what is written beside them. */
function extremesOf({ feeder, layout, report }: Drawing): ReadonlyMap<string, string> {
  const live = report.nodes.filter(({ phase, voltagePu }) => phase !== 'N' && voltagePu > DEAD_PU);
  const nodeOf = new Map(
    layout.nodes.flatMap(({ id, buses }) =>
      buses.map((bus) => [feeder.busById.get(bus)!.name.toUpperCase(), id] as const),
    ),
  );
  const texts = new Map<string, string>();
  for (const sign of [-1, 1]) {
    const [first] = live;
    if (!first) break;
    const worst = live.reduce((best, node) => (sign * node.voltagePu > sign * best.voltagePu ? node : best), first);
    const id = nodeOf.get(worst.bus);
    if (id !== undefined) texts.set(id, `${worst.bus}.${worst.phase} ${worst.voltagePu.toFixed(3)} pu`);
  }
  return texts;
}

/** Names of buses: all of small feeders; of large ones the source, the extremes, and where regulators and capacitors are. */
function nameSvg(drawing: Drawing, labels: LabelPlacer): string {
  const { feeder, layout, nodeById, size } = drawing;
  for (const { x, y } of layout.nodes) labels.take(x, y, 3.5 * size);
  const extremes = extremesOf(drawing);
  const devices = [
    ...feeder.sources.map(({ terminal }) => terminal.bus),
    ...extremes.keys(),
    ...feeder.capacitors.map(({ terminal }) => terminal.bus),
    ...layout.edges.filter(({ isRegulated }) => isRegulated).map(({ to }) => to),
  ];
  const all = layout.nodes.length <= NAME_ALL ? layout.nodes.map(({ id }) => id) : [];
  const fontSize = layout.nodes.length > 60 ? 8 : 10;
  return [...new Set([...devices, ...all])]
    .flatMap((id) => {
      const node = nodeById.get(id);
      if (!node) return [];
      const extreme = extremes.get(id);
      const isExtreme = extreme !== undefined;
      const text = extreme ?? feeder.busById.get(id)!.name.toUpperCase();
      const sizePx = isExtreme ? fontSize + 1.5 : fontSize;
      const spot = labels.place(node.x, node.y, text, sizePx, devices.includes(id) ? 11 : 5, isExtreme);
      if (!spot) return [];
      const weight = isExtreme ? ` font-weight="bold" fill="${INK}"` : '';
      return [
        `<text x="${px(spot.x)}" y="${px(spot.y)}" font-size="${sizePx}" text-anchor="${spot.anchor}"${weight}>${escaped(text)}</text>`,
      ];
    })
    .join('\n');
}

function legendSvg({ feeder, layout, voltages, scale, size, used }: Drawing): string {
  const lines: string[] = [];
  let y = 10;
  const heading = (text: string) => {
    lines.push(`<text x="0" y="${y}" font-size="11" fill="#555555">${text}</text>`);
    y += 10;
  };
  heading('voltage (pu of nominal)');
  const steps = 48;
  const [barWidth, barHeight] = [180, 11];
  for (let i = 0; i < steps; i++) {
    lines.push(
      `<rect x="${px(12 + (i * barWidth) / steps)}" y="${y}" width="${px(barWidth / steps + 0.5)}" height="${barHeight}" fill="${colourAt((i + 0.5) / steps)}"/>`,
    );
  }
  y += barHeight;
  for (let i = 0; i <= 4; i++) {
    const value = scale.lowPu + ((scale.highPu - scale.lowPu) * i) / 4;
    const x = px(12 + (barWidth * i) / 4);
    lines.push(
      `<path d="M${x} ${y}v4" fill="none" stroke="${INK}"/><text x="${x}" y="${y + 15}" font-size="10" text-anchor="middle" fill="${INK}">${value.toFixed(3)}</text>`,
    );
  }
  y += 34;
  const row = (symbol: string, text: string) => {
    lines.push(
      `<g transform="translate(14 ${y})">${symbol}</g><text x="38" y="${y + 4}" font-size="11" fill="${INK}">${escaped(text)}</text>`,
    );
    y += 24;
  };
  const values = [...voltages.values()];
  if (values.some((value) => value !== undefined && (value < MIN_PU || value > MAX_PU))) {
    row(
      `<circle r="3.4" fill="${scale.colour(scale.highPu)}"/><circle r="5.6" fill="none" stroke="${INK}" stroke-width="1.2"/>`,
      `outside ${MIN_PU} to ${MAX_PU} pu`,
    );
  }
  if (values.some((value) => value === undefined)) row(`<circle r="3.4" fill="${DEAD_COLOUR}"/>`, 'no voltage');
  for (const phases of [3, 2, 1]) {
    if (!layout.edges.some((edge) => edge.phases === phases)) continue;
    const width = [1.2, 2.1, 3.2][phases - 1]! * size;
    row(
      `<path d="M-13 0H13" stroke="${scale.colour((scale.lowPu + scale.highPu) / 2)}" stroke-width="${px(width)}" fill="none"/>`,
      phases === 1 ? '1 phase' : `${phases} phases`,
    );
  }
  for (const kind of SYMBOL_KINDS.filter((name) => used.has(name))) {
    const hangs = ['capacitor', 'pv', 'battery', 'machine', 'load'].includes(kind);
    const symbol = symbolSvg(kind, scale.colour((scale.lowPu + scale.highPu) / 2));
    row(hangs ? `<g transform="translate(0 -10)">${symbol}</g>` : symbol, SYMBOL_NAMES[kind]);
  }
  const hidden = feeder.buses.length - layout.nodes.length;
  if (hidden > 0) {
    lines.push(
      `<text x="0" y="${y + 4}" font-size="10.5" fill="#555555">${hidden} buses lie inside secondaries</text>`,
    );
  }
  return lines.join('\n');
}
