import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CimIndex, CimIndexReader, readFeeders } from '../../../grid/cim/index.js';
import { createPowerFlow } from '../../../grid/flow/index.js';
import { type Finding, feederData } from '../../../grid/model/index.js';
import { syntheticCircuit } from '../../../inputs/generator/synthetic-circuit.js';
import { syntheticDocument } from '../../../inputs/generator/synthetic-document.js';
import { publicCim } from './public-files.js';

/** What reading one model gave: enough to notice any change of it. */
export interface Reading {
  /** Number of findings by code. */
  readonly findings: Readonly<Record<string, number>>;
  /** SHA-256, shortened, of each feeder's data as JSON. */
  readonly feeders: readonly string[];
  /** The same of the bits of the voltages that the power flow ends with, by feeder. */
  readonly voltages: readonly string[];
}

/** A model: its files, by name and content. */
export interface ModelFiles {
  readonly name: string;
  readonly files: () => readonly { readonly name: string; readonly bytes: Uint8Array }[];
}

const root = fileURLToPath(new URL('../../..', import.meta.url));

function xmlFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.xml'))
    .sort();
}

function ofDisk(name: string, folder: string, paths: readonly string[]): ModelFiles {
  return { name, files: () => paths.map((path) => ({ name: path, bytes: readFileSync(join(folder, path)) })) };
}

/** A synthetic feeder of about so many nodes, with regulators, capacitors and service transformers. */
function synthetic(nodes: number): ModelFiles {
  const name = `synthetic ${nodes}`;
  const bytes = () => new TextEncoder().encode(syntheticDocument(syntheticCircuit({ nodes })));
  return { name, files: () => [{ name, bytes: bytes() }] };
}

/** The models of our own. */
export function ownModels(): readonly ModelFiles[] {
  const folder = join(root, 'inputs', 'feeder');
  return [...xmlFiles(folder).map((path) => ofDisk(path, folder, [path])), synthetic(300), synthetic(2000)];
}

/** The public models; a folder of profiles is one model. */
export function publicModels(): readonly ModelFiles[] {
  if (publicCim === undefined || !existsSync(publicCim)) return [];
  const folder = publicCim;
  const paths = xmlFiles(folder);
  const parts = paths.filter((path) => path.startsWith('split_profiles'));
  return [
    ...paths.filter((path) => !parts.includes(path)).map((path) => ofDisk(path, folder, [path])),
    ...(parts.length > 0 ? [ofDisk('split_profiles', folder, parts)] : []),
  ];
}

function digest(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex').slice(0, 16);
}

/** Findings by code, codes in the order of the alphabet. */
function countsOf(findings: readonly Finding[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const { code } of findings) counts.set(code, (counts.get(code) ?? 0) + 1);
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Reads a model and solves its feeders. */
export function readingOf(model: ModelFiles): Reading {
  const index = new CimIndex();
  for (const { name, bytes } of model.files()) {
    const reader = new CimIndexReader(name, index);
    reader.push(bytes);
    reader.end();
  }
  const { feeders, findings } = readFeeders(index);
  return {
    findings: countsOf(findings),
    feeders: feeders.map((feeder) => digest(JSON.stringify(feederData(feeder)))),
    voltages: feeders.map((feeder) => {
      if (feeder.sources.length === 0) return 'no source';
      const solution = createPowerFlow(feeder).solve();
      return digest(solution.status, new Uint8Array(Float64Array.from(solution.voltage).buffer));
    }),
  };
}
