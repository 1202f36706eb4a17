import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DssFileSet, type ReadDss, readDss } from '../../../../grid/dss/index.js';
import { createPowerFlow } from '../../../../grid/flow/index.js';
import { compile } from '../../../../grid/model/index.js';

/**
 * What OpenDSS answers to a small script: admittances by pair of nodes (S), powers of devices (kW, kvar, consumption
 * positive) and node voltages (V). Made with dss-python 0.15.7 (DSS C-API 0.14.5) by
 * tests/conformance/opendss/answers.py, where a test makes them again.
 */
export interface OpendssAnswer {
  readonly group: string;
  readonly script: readonly string[];
  readonly errors: readonly string[];
  readonly elements: Readonly<Record<string, Readonly<Record<string, readonly [number, number]>>>>;
  readonly powers: Readonly<Record<string, readonly [number, number]>>;
  readonly volts: Readonly<Record<string, readonly [number, number]>>;
}

const path = join(dirname(fileURLToPath(import.meta.url)), 'opendss-answers.jsonl');

/** All stored answers. */
export const OPENDSS_ANSWERS: readonly OpendssAnswer[] = readFileSync(path, 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line));

/** A script given as lines. */
export const readLines = (...lines: readonly string[]): ReadDss =>
  readDss('master.dss', new DssFileSet([['master.dss', lines.join('\n')]]));

/** Largest difference of an admittance, as a share of the element's largest. */
const ADMITTANCE_SHARE = 3e-7;
/** Largest difference of a power, as a share, and of a voltage, pu of the bus' base. */
const POWER_SHARE = 1e-5;
const VOLTAGE_PU = 1e-6;

/** Everything in which our reading of a script differs from OpenDSS' answer, one line each. */
export function differences(answer: OpendssAnswer): string[] {
  const { feeder } = readLines(...answer.script);
  const compiled = compile(feeder);
  const solution = createPowerFlow(feeder, { tolerancePu: 1e-10, maxIterations: 300 }).solve();
  const list: string[] = solution.status === 'converged' ? [] : [`status ${solution.status}`];
  for (const [name, wanted] of Object.entries(answer.elements)) {
    const place = compiled.elementIndex.get(name);
    const own = new Map<string, [number, number]>();
    if (place !== undefined) {
      const { primitive, conductors } = compiled.elements[place]!;
      const { n, re, im } = primitive.y;
      const nodes = conductors.map(({ bus, node }) => `${bus}.${node}`);
      for (let i = 0; i < n; i++) {
        for (let j = 0; j < n; j++) {
          const cell = own.get(`${nodes[i]} ${nodes[j]}`) ?? [0, 0];
          own.set(`${nodes[i]} ${nodes[j]}`, [cell[0] + re[i * n + j]!, cell[1] + im[i * n + j]!]);
        }
      }
    }
    const largest = Math.max(0, ...Object.values(wanted).map(([re, im]) => Math.hypot(re, im)));
    for (const [pair, [re, im]] of Object.entries(wanted)) {
      const [a = 0, b = 0] = own.get(pair) ?? [];
      if (!(Math.hypot(a - re, b - im) <= ADMITTANCE_SHARE * largest))
        list.push(`${name} ${pair}: ${a}, ${b} for ${re}, ${im} S`);
    }
  }
  for (const [name, [p, q]] of Object.entries(answer.powers)) {
    const flows = solution.flows(name);
    const powerKw = flows.reduce((sum, { powerW }) => sum + powerW, 0) / 1000;
    const powerKvar = flows.reduce((sum, { powerVar }) => sum + powerVar, 0) / 1000;
    if (!(Math.hypot(powerKw - p, powerKvar - q) <= POWER_SHARE * Math.max(1, Math.hypot(p, q)))) {
      list.push(`${name}: ${powerKw}, ${powerKvar} for ${p} kW, ${q} kvar`);
    }
  }
  for (const [node, [re, im]] of Object.entries(answer.volts)) {
    const dot = node.lastIndexOf('.');
    const bus = feeder.busById.get(node.slice(0, dot));
    const v = solution.voltageAt(node.slice(0, dot), Number(node.slice(dot + 1)));
    // a conductor that nothing is tied to has no node here and no voltage there
    if (!v && Math.hypot(re, im) < 1e-3) continue;
    const apart = v && bus ? Math.hypot(v.re - re, v.im - im) / bus.baseVoltageV : Number.NaN;
    if (!(apart <= VOLTAGE_PU)) list.push(`${node}: ${v?.re}, ${v?.im} for ${re}, ${im} V`);
  }
  return list;
}
