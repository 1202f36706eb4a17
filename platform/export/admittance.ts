import { writeDss } from '../../grid/dss/writer/index.js';
import { compile, type Feeder } from '../../grid/model/index.js';
import { frozenFeeder } from './frozen-feeder.js';
import { generalText } from './number-text.js';

/** One entry of the lower triangle, S. */
export interface AdmittanceEntry {
  readonly row: number;
  readonly column: number;
  readonly re: number;
  readonly im: number;
}

/** The node admittance matrix of a feeder without its sources, loads and units, taps neutral, capacitors in. */
export interface NodeAdmittance {
  /** `BUS.NODE`, upper case, named as in the OpenDSS script of the feeder. */
  readonly nodes: readonly string[];
  /** Lower triangle by columns, places from 0. */
  readonly entries: readonly AdmittanceEntry[];
}

/** Answer to "YBus Export": OpenDSS' own `export y triplet`, `export ynodelist` and `export summary`, line by line. */
export interface YbusExport {
  readonly yParse: readonly string[];
  readonly nodeList: readonly string[];
  readonly summary: readonly string[];
}

/** Significant digits of an exported admittance. */
const DIGITS = 10;

/**
 * Sums the primitive admittances of all elements but the sources.
 *
 * @param hasTaps - with the windings at the positions of their regulators, not at neutral
 * @throws DecError as `compile`
 */
export function nodeAdmittance(feeder: Feeder, hasTaps = false): NodeAdmittance {
  const frozen = frozenFeeder(feeder, { hasCapacitors: true, hasTaps });
  const { elements, nodeBus, nodeNumber, nodeCount } = compile(frozen);
  const { busNames } = writeDss(feeder, { solve: false });
  const columns: Map<number, { re: number; im: number }>[] = Array.from({ length: nodeCount }, () => new Map());
  for (const { kind, nodes, primitive } of elements) {
    if (kind === 'source') continue;
    const { n, re, im } = primitive.y;
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        const [row, column] = [nodes[i]!, nodes[j]!];
        if (column < 0 || row < column) continue;
        const [yRe, yIm] = [re[i * n + j]!, im[i * n + j]!];
        if (yRe === 0 && yIm === 0) continue;
        const entry = columns[column]!.get(row);
        if (entry) {
          entry.re += yRe;
          entry.im += yIm;
        } else columns[column]!.set(row, { re: yRe, im: yIm });
      }
    }
  }
  const entries = columns.flatMap((rows, column) =>
    [...rows].sort(([a], [b]) => a - b).map(([row, { re, im }]) => ({ row, column, re, im })),
  );
  const nodes = nodeBus.map((bus, i) => `${(busNames.get(bus) ?? bus).toUpperCase()}.${nodeNumber[i]}`);
  return { nodes, entries };
}

/** Writes the matrix as OpenDSS exports it. */
export function ybusExport(feeder: Feeder, { nodes, entries }: NodeAdmittance): YbusExport {
  const number = (value: number) => generalText(value, DIGITS);
  const devices = [...feeder.elements.values()].length;
  const facts: readonly (readonly [string, string | number])[] = [
    ['DateTime', 0],
    ['CaseName', feeder.name],
    ['Status', 'SOLVED'],
    ['Mode', 'Snap'],
    ['Number', 1],
    ['LoadMult', 1],
    ['NumDevices', devices],
    ['NumBuses', feeder.buses.length],
    ['NumNodes', nodes.length],
  ];
  return {
    yParse: [
      'Row,Col,G,B',
      ...entries.map(({ row, column, re, im }) => `${row + 1},${column + 1},${number(re)},${number(im)}`),
    ],
    nodeList: nodes.map((node) => `"${node}"`),
    summary: [facts.map(([name]) => name).join(', '), facts.map(([, value]) => value).join(', ')],
  };
}

/** Answer of the toolbox's static-ybus service: rows by node, lower triangle, S. */
export function snapshotYbus({ nodes, entries }: NodeAdmittance): Record<string, Record<string, [number, number]>> {
  const rows: Record<string, Record<string, [number, number]>> = {};
  for (const { row, column, re, im } of entries) {
    const name = nodes[row]!;
    let own = rows[name];
    if (!own) {
      own = {};
      rows[name] = own;
    }
    own[nodes[column]!] = [re, im];
  }
  return rows;
}
