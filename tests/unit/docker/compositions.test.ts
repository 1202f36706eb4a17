import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { createProgram } from '../../../dec/program.js';

/*
 * Nothing here starts a container: what the compose files and the Kubernetes example tell the program is compared with what
 * the program takes, so that an option that is renamed does not break them unseen.
 */

const word = z.union([z.string(), z.number()]).transform(String);
const service = z.looseObject({
  image: z.string(),
  command: z.array(word).optional(),
  volumes: z.array(z.string()).optional(),
  depends_on: z.union([z.array(z.string()), z.record(z.string(), z.unknown())]).optional(),
});
const composition = z.looseObject({
  services: z.record(z.string(), service),
  volumes: z.record(z.string(), z.unknown()).optional(),
});
const workload = z.looseObject({
  kind: z.string(),
  metadata: z.looseObject({ name: z.string() }),
  spec: z.looseObject({
    template: z
      .looseObject({
        spec: z.looseObject({
          containers: z.array(z.looseObject({ name: z.string(), image: z.string(), args: z.array(word).optional() })),
        }),
      })
      .optional(),
  }),
});

const read = (path: string): unknown[] =>
  parseAllDocuments(readFileSync(path, 'utf8'), { merge: true }).map((document) => {
    expect(document.errors, path).toEqual([]);
    return document.toJS();
  });

/** What a command line has that its command does not take. */
async function faultsOf(words: readonly string[]): Promise<string[]> {
  const [name = '', ...rest] = words;
  const top = (await createProgram(name)).commands.find((command) => command.name() === name);
  if (top === undefined) return [`no command ${name}`];
  const inner = top.commands.find((command) => command.name() === rest[0]);
  const command = inner ?? top;
  return rest.flatMap((text, k) => {
    if (!text.startsWith('--')) return [];
    const option = command.options.find(({ long }) => long === text);
    if (option === undefined) return [`${name} has no option ${text}`];
    const value = rest[k + 1];
    return option.required && (value === undefined || value.startsWith('--')) ? [`${text} has no value`] : [];
  });
}

const files = readdirSync('docker').filter((name) => name.startsWith('compose'));
describe.each(files)('docker/%s', (file) => {
  const path = join('docker', file);
  const [content] = read(path).map((document) => composition.parse(document));

  it('gives the program commands that it takes', async () => {
    const own = Object.values(content!.services).filter(({ image }) => image.includes('DEC_IMAGE'));
    expect(own.length).toBeGreaterThan(1);
    for (const { command } of own) expect(await faultsOf(command!)).toEqual([]);
  });

  it('names services, volumes and files that are there', () => {
    for (const { depends_on: needs = [], volumes = [] } of Object.values(content!.services)) {
      for (const name of Array.isArray(needs) ? needs : Object.keys(needs))
        expect(content!.services).toHaveProperty(name);
      for (const volume of volumes) {
        const [source = ''] = volume.split(':');
        if (source.startsWith('.')) expect(existsSync(resolve(dirname(path), source)), volume).toBe(true);
        else expect(content!.volumes).toHaveProperty(source);
      }
    }
  });

  it('waits for as many agent hosts as it starts, and holds no password', () => {
    const { agents, coordinator } = content!.services;
    const replicas = z.looseObject({ deploy: z.object({ replicas: z.number() }) }).parse(agents).deploy.replicas;
    const words = coordinator!.command!;
    expect(words[words.indexOf('--external-hosts') + 1]).toBe(String(replicas));
    expect(readFileSync(path, 'utf8')).not.toMatch(/manager|PASSWORD:?-[^}]/);
  });
});

describe('docker/kubernetes/dec.yaml', () => {
  const workloads = read('docker/kubernetes/dec.yaml').map((document) => workload.parse(document));
  const containers = workloads.flatMap(({ spec }) => spec.template?.spec.containers ?? []);

  it('gives the program commands that it takes', async () => {
    const own = containers.filter(({ image }) => image === 'dec');
    expect(own.map(({ name }) => name)).toEqual(['platform', 'agents', 'coordinator']);
    for (const { args } of own) expect(await faultsOf(args!)).toEqual([]);
  });

  it('keeps results and journal where they outlive a pod', () => {
    const claims = workloads
      .filter(({ kind }) => kind === 'PersistentVolumeClaim')
      .map(({ metadata }) => metadata.name);
    const [job] = workloads.filter(({ kind }) => kind === 'Job');
    const volumes = z
      .array(z.looseObject({ name: z.string(), persistentVolumeClaim: z.object({ claimName: z.string() }) }))
      .parse(job!.spec.template!.spec['volumes']);
    const [coordinator] = containers.filter(({ name }) => name === 'coordinator');
    const mounts = z.array(z.object({ name: z.string(), mountPath: z.string() })).parse(coordinator!['volumeMounts']);
    const at = mounts.find(({ mountPath }) => mountPath.endsWith('/outputs'));
    expect(claims).toContain(volumes.find(({ name }) => name === at?.name)?.persistentVolumeClaim.claimName);
  });

  it('reaches the broker by the name of its service', () => {
    const [broker] = workloads.filter(({ kind }) => kind === 'Service');
    for (const { image, args = [] } of containers) {
      if (image !== 'dec') continue;
      expect(args[args.indexOf('--broker') + 1]).toContain(`@${broker!.metadata.name}:61613`);
    }
  });
});

it('the check of command lines finds what is wrong with one', async () => {
  expect(await faultsOf(['nothing'])).toEqual(['no command nothing']);
  expect(await faultsOf(['agents', '--brokr', 'x'])).toEqual(['agents has no option --brokr']);
  expect(await faultsOf(['agents', '--broker', '--quiet'])).toEqual(['--broker has no value']);
});
