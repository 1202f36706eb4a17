/*
 * Symbols of a one-line diagram after IEC 60617, as SVG about the origin; the ones on a branch lie along the x axis.
 */

/** Kinds of symbols, in the order of the legend. */
export const SYMBOL_KINDS = [
  'source',
  'transformer',
  'regulator',
  'closedSwitch',
  'openSwitch',
  'reactor',
  'capacitor',
  'pv',
  'battery',
  'machine',
  'load',
  'secondary',
  'secondaryWithPv',
] as const;

/** One of them. */
export type SymbolKind = (typeof SYMBOL_KINDS)[number];

/** Words of the legend. */
export const SYMBOL_NAMES: Readonly<Record<SymbolKind, string>> = {
  source: 'source',
  transformer: 'transformer',
  regulator: 'voltage regulator',
  closedSwitch: 'switch, closed',
  openSwitch: 'switch, open',
  reactor: 'reactor',
  capacitor: 'capacitor',
  pv: 'PV system',
  battery: 'battery',
  machine: 'generator',
  load: 'load',
  secondary: 'secondary network',
  secondaryWithPv: 'secondary network with PV',
};

const INK = '#222222';
/** Okabe and Ito's orange. */
const SUN = '#E69F00';
const line = `fill="none" stroke="${INK}" stroke-width="1.4"`;
const body = `fill="white" stroke="${INK}" stroke-width="1.4"`;

/** Ground and stub of what hangs from a bus: the bus is at the origin, the symbol below it. */
const stub = `<path d="M0 0V8" ${line}/>`;

/**
 * A symbol as SVG.
 *
 * @param fill - colour of the voltage, for what stands for buses
 */
export function symbolSvg(kind: SymbolKind, fill = 'white'): string {
  switch (kind) {
    case 'source':
      return `<circle r="10" ${body}/><path d="M-6 0C-4 -7 -2 -7 0 0S4 7 6 0" ${line}/>`;
    case 'transformer':
      return `<circle cx="-3.2" r="5" ${body}/><circle cx="3.2" r="5" fill="none" stroke="${INK}" stroke-width="1.4"/>`;
    case 'regulator':
      return `${symbolSvg('transformer')}<path d="M-8 8L8 -8M8 -8L3.4 -6.6M8 -8L6.6 -3.4" ${line}/>`;
    case 'closedSwitch':
      return `<rect x="-3.5" y="-3.5" width="7" height="7" fill="${INK}"/>`;
    case 'openSwitch':
      return `<rect x="-4" y="-4" width="8" height="8" fill="white" stroke="#D55E00" stroke-width="1.8"/>`;
    case 'reactor':
      return `<rect x="-8" y="-3" width="16" height="6" ${body}/>`;
    case 'capacitor':
      return `${stub}<path d="M-6 8H6M-6 12H6" fill="none" stroke="${INK}" stroke-width="2"/><path d="M0 12V17M-4 17H4M-2 19.5H2" ${line}/>`;
    case 'pv':
      return `${stub}<rect x="-6" y="8" width="12" height="9" fill="${SUN}" stroke="${INK}" stroke-width="1.2"/><path d="M-2 8V17M2 8V17M-6 12.5H6" fill="none" stroke="${INK}" stroke-width="0.8"/>`;
    case 'battery':
      return `${stub}<rect x="-6" y="8" width="12" height="9" fill="#56B4E9" stroke="${INK}" stroke-width="1.2"/><path d="M-3.5 12.5H-0.5M2 10.5V14.5M0.5 12.5H3.5" ${line}/>`;
    case 'machine':
      return `${stub}<circle cy="14" r="6.5" ${body}/><text y="17.2" font-size="9" text-anchor="middle" fill="${INK}">G</text>`;
    case 'load':
      return `<path d="M0 0V6" fill="none" stroke="#777777" stroke-width="1.1"/><path d="M-3.5 6H3.5L0 12Z" fill="#777777"/>`;
    case 'secondary':
      return `<path d="M-4.5 4V-1L0 -5.5L4.5 -1V4Z" fill="${fill}" stroke="${INK}" stroke-width="0.7"/>`;
    case 'secondaryWithPv':
      return `${symbolSvg('secondary', fill)}<circle cx="4.6" cy="-4.6" r="2.6" fill="${SUN}" stroke="${INK}" stroke-width="0.6"/>`;
  }
}
