import { beyondPu, MEASURED_TOLERANCE_PU } from './extremes.js';
import { type DrawnSign, mapView, nodesByBus, pointVoltages } from './map-view.js';
import { escaped } from './markup.js';
import type { FeederMap, NodeName } from './run-document.js';
import { colourAt, DEAD_COLOUR, type VoltageScale } from './voltage-colours.js';

/** What a map as a picture shows. */
export interface MapPicture {
  readonly map: FeederMap;
  readonly nodes: readonly NodeName[];
  /** In the order of `nodes`, pu. */
  readonly voltagesPu: readonly (number | null)[];
  readonly scale: VoltageScale;
  readonly limits: { readonly minPu: number; readonly maxPu: number };
  readonly title: string;
}

/** Room around the map, px. */
const MARGIN = 14;
const INK = '#18212b';
const RING = '#d1002e';
const RADIUS = { bus: 3.4, secondary: 2.4, area: 4.6 } as const;

/** The feeder as a picture on white: points by their worst voltage, rings where it lies outside the limits. */
export function mapSvg({ map, nodes, voltagesPu, scale, limits, title }: MapPicture): string {
  const view = mapView(map, map.areas.length > 0);
  const voltages = pointVoltages(view, nodesByBus(map, nodes), voltagesPu, 'worst', limits);
  const at = new Map(view.points.map((point) => [point.key, point]));
  const x = (value: number) => (value + MARGIN).toFixed(1);
  const y = (value: number) => (map.height - value + MARGIN).toFixed(1);
  const lines = view.edges.map(({ from, to, isOpen, phases }) => {
    const [a, b] = [at.get(from)!, at.get(to)!];
    const dash = isOpen ? ' stroke-dasharray="3 3"' : '';
    return `<path d="M${x(a.x)} ${y(a.y)}L${x(b.x)} ${y(b.y)}" stroke-width="${(0.5 + 0.5 * phases).toFixed(1)}"${dash}/>`;
  });
  const points = view.points.map(({ label, kind, x: px, y: py }, i) => {
    const value = voltages[i] ?? null;
    const isOutside = value !== null && beyondPu(value, limits) > MEASURED_TOLERANCE_PU;
    const r = RADIUS[kind];
    const ring = isOutside
      ? `<circle cx="${x(px)}" cy="${y(py)}" r="${r + 2.4}" fill="none" stroke="${RING}" stroke-width="1.5"/>`
      : '';
    const text = value === null ? `${label}: not measured` : `${label}: ${value.toFixed(4)} pu`;
    const fill = value === null ? DEAD_COLOUR : scale.colour(value);
    return `<circle cx="${x(px)}" cy="${y(py)}" r="${r}" fill="${fill}"><title>${escaped(text)}</title></circle>${ring}`;
  });
  const signs = view.signs.map((sign) => signSvg(sign, Number(x(sign.x)), Number(y(sign.y))));
  const size = `${Math.ceil(map.width + 2 * MARGIN)} ${Math.ceil(map.height + 2 * MARGIN)}`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size}" role="img" aria-label="${escaped(title)}">`,
    `<g fill="none" stroke="#9aa3ad">${lines.join('')}</g>`,
    points.join(''),
    signs.join(''),
    '</svg>',
  ].join('');
}

function signSvg({ kind, label }: DrawnSign, x: number, y: number): string {
  const title = `<title>${escaped(label)}</title>`;
  const fill = kind === 'source' || kind === 'closedSwitch' ? INK : '#ffffff';
  const look = `fill="${fill}" stroke="${INK}" stroke-width="1.4"`;
  if (kind === 'regulator') return `<path d="M${x} ${y - 6}l6 6l-6 6l-6 -6z" ${look}>${title}</path>`;
  if (kind === 'capacitor') return `<path d="M${x - 5} ${y + 4}l5 -9l5 9z" ${look}>${title}</path>`;
  const r = kind === 'source' ? 6 : 4;
  return `<rect x="${x - r}" y="${y - r}" width="${2 * r}" height="${2 * r}" ${look}>${title}</rect>`;
}

/** The colours of a scale with their voltages and the limits, as a picture. */
export function scaleSvg(scale: VoltageScale, limits: readonly number[]): string {
  const width = 260;
  const share = (pu: number) => (pu - scale.lowPu) / (scale.highPu - scale.lowPu);
  const steps = Array.from(
    { length: 52 },
    (_, i) => `<rect x="${20 + 5 * i}" y="8" width="5.3" height="10" fill="${colourAt(i / 51)}"/>`,
  );
  const marks = limits
    .filter((limit) => share(limit) >= 0 && share(limit) <= 1)
    .map((limit) => {
      const x = (20 + width * share(limit)).toFixed(1);
      return `<path d="M${x} 4V22" stroke="${INK}" stroke-width="2"/>`;
    });
  const texts = [0, 0.5, 1].map((at) => {
    const pu = scale.lowPu + at * (scale.highPu - scale.lowPu);
    return `<text x="${20 + width * at}" y="33" text-anchor="middle" font-size="11" fill="#586574">${pu.toFixed(3)}</text>`;
  });
  const label = `Colours of voltage from ${scale.lowPu.toFixed(2)} to ${scale.highPu.toFixed(2)} pu`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 38" width="300" height="38" role="img" aria-label="${label}">${steps.join('')}${marks.join('')}${texts.join('')}</svg>`;
}
