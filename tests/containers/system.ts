import { execFile, execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { GenericContainer, Network, type StartedNetwork, type StartedTestContainer, Wait } from 'testcontainers';
import { HOST_PROGRAMS } from './base-image.js';

/** Image of the product, built by docker/image.mjs. */
export const PRODUCT = 'dec-under-test';
/** Image of {@link importHostImage}, in which ActiveMQ runs. */
export const HOST_IMAGE = 'dec-host-programs';
const PASSWORD = 'only-for-this-test';
const BROKER_URL = `stomp://system:${PASSWORD}@broker:61613`;
const run = promisify(execFile);
/** How often a network that is still in use is asked to go again, every half second. */
const LEAVE_TRIES = 40;

/** Why the tests cannot run here; undefined when they can. */
export function absence(): string | undefined {
  if (!existsSync('/usr/share/activemq/bin/activemq.jar')) return 'the Debian package activemq is not installed';
  try {
    execFileSync('docker', ['version', '--format', '{{.Server.Version}}'], { stdio: 'pipe' });
  } catch {
    return 'no Docker engine answers (DOCKER_HOST)';
  }
  return undefined;
}

/** A container that can be told to do what only a crash does. */
export interface Part {
  readonly name: string;
  readonly container: StartedTestContainer;
  /** Everything it has written so far. */
  said(): string;
}

/** What the parts share: a private network and a folder of this machine. */
export class System {
  private readonly parts: Part[] = [];

  private constructor(
    private readonly network: StartedNetwork,
    /** Bound to /data in platform and coordinator. */
    readonly folder: string,
  ) {}

  static async start(folder: string): Promise<System> {
    return new System(await new Network().start(), folder);
  }

  /** ActiveMQ with the configuration of docker/activemq. */
  broker(): Promise<Part> {
    const heap = ['-Xms64m', '-Xmx512m'];
    const open = ['--add-opens', 'java.base/java.util=ALL-UNNAMED', '--add-opens', 'java.base/java.lang=ALL-UNNAMED'];
    const home = '/usr/share/activemq';
    writeFileSync(
      this.path('log4j.properties'),
      'log4j.rootLogger=INFO, out\nlog4j.appender.out=org.apache.log4j.ConsoleAppender\nlog4j.appender.out.layout=org.apache.log4j.SimpleLayout\n',
    );
    const container = new GenericContainer(HOST_IMAGE)
      .withEnvironment({ DEC_PASSWORD: PASSWORD, PATH: '/usr/bin' })
      .withBindMounts([
        ...HOST_PROGRAMS.map((path) => ({ source: path, target: path, mode: 'ro' as const })),
        { source: resolve('docker/activemq'), target: '/conf', mode: 'ro' },
        { source: this.folder, target: '/data', mode: 'ro' },
      ])
      .withCommand([
        ...[
          'java',
          ...heap,
          '-Dlog4j.configuration=file:/data/log4j.properties',
          `-Dactivemq.home=${home}`,
          '-Dactivemq.base=/var/activemq',
          '-Dactivemq.conf=/conf',
        ],
        ...['-Dactivemq.data=/var/activemq/data', ...open],
        ...['-jar', `${home}/bin/activemq.jar`, 'start', 'xbean:file:/conf/activemq.xml'],
      ]);
    return this.add(
      'broker',
      container.withWaitStrategy(Wait.forLogMessage(/ActiveMQ .*\) started|Connector stomp started/)),
    );
  }

  platform(feeder: string): Promise<Part> {
    const words = ['platform', '--broker', BROKER_URL, '--feeder', `/data/${feeder}`, '--store', '/tmp/store'];
    return this.add('platform', this.product(words).withWaitStrategy(Wait.forLogMessage(/"ready":true/)));
  }

  agents(name: string, runId: string): Promise<Part> {
    const words = ['agents', '--broker', BROKER_URL, '--run-id', runId, '--name', name, '--json'];
    return this.add(name, this.product(words).withWaitStrategy(Wait.forLogMessage(/\{/)));
  }

  /** A run; its results are in the folder of its name. */
  coordinator(
    feeder: string,
    runId: string,
    hosts: number,
    words: readonly string[],
    name = 'coordinator',
  ): Promise<Part> {
    return this.add(
      name,
      this.product([
        ...['run', `/data/${feeder}`, '--broker', BROKER_URL, '--run-id', runId, '--hosts', '0'],
        ...['--external-hosts', String(hosts), '--out', `/data/${runId}`, '--store', '/tmp/store', ...words],
      ]),
    );
  }

  private product(words: readonly string[]): GenericContainer {
    return new GenericContainer(PRODUCT)
      .withCommand([...words])
      .withUser('0')
      .withBindMounts([{ source: this.folder, target: '/data', mode: 'rw' }]);
  }

  private async add(name: string, container: GenericContainer): Promise<Part> {
    let said = '';
    const started = await container
      .withNetwork(this.network)
      .withNetworkAliases(name)
      .withLogConsumer((stream) =>
        stream.on('data', (part: Buffer) => {
          said += part.toString();
        }),
      )
      .withStartupTimeout(60_000)
      .start();
    const part = { name, container: started, said: () => said };
    this.parts.push(part);
    return part;
  }

  /** SIGKILL: the container stays, stopped. */
  async kill(part: Part): Promise<void> {
    await run('docker', ['kill', '--signal', 'KILL', part.container.getId()]);
  }

  /** Starts a killed container again, with the same address and files. */
  async revive(part: Part): Promise<void> {
    await run('docker', ['start', part.container.getId()]);
  }

  /** Cuts a container off from all others, or joins it again. */
  async cut(part: Part): Promise<void> {
    await run('docker', ['network', 'disconnect', '--force', this.network.getName(), part.container.getId()]);
  }
  async heal(part: Part): Promise<void> {
    await run('docker', ['network', 'connect', '--alias', part.name, this.network.getName(), part.container.getId()]);
  }

  /** The exit code, once it has ended. */
  async ended(part: Part): Promise<number> {
    const { stdout } = await run('docker', ['wait', part.container.getId()]);
    return Number(stdout.trim());
  }

  async stop(): Promise<void> {
    await Promise.all(this.parts.map(({ container }) => container.stop({ timeout: 0 })));
    // A container that was killed a moment ago may still be an end of the network, which then refuses to go. The engine may also
    // keep an end whose container has gone, until it is told to let go of it.
    for (let left = LEAVE_TRIES; ; left--) {
      try {
        await this.network.stop();
        return;
      } catch (error) {
        if (left === 0) {
          // The engine's affair: everything that was to be shown has been.
          console.warn(`The network of the test could not be removed: ${String(error)}`);
          return;
        }
        await new Promise((resolve) => setTimeout(resolve, 500));
        await this.letGo();
      }
    }
  }

  /** Frees the network of whatever the engine lists as its ends. */
  private async letGo(): Promise<void> {
    const network = this.network.getName();
    const names = ['network', 'inspect', '--format', '{{range .Containers}}{{.Name}} {{end}}', network];
    const { stdout } = await run('docker', names);
    for (const name of stdout.split(' ').filter((one) => one.trim() !== '')) {
      // One that has left by itself in between is what was wanted.
      await run('docker', ['network', 'disconnect', '--force', network, name.trim()]).catch(() => undefined);
    }
  }

  /** Path in the shared folder. */
  path(...names: readonly string[]): string {
    return join(this.folder, ...names);
  }
}

/** Waits until a part has written something. */
export async function untilSaid(part: Part, pattern: RegExp, limitMs = 240_000): Promise<void> {
  const deadline = Date.now() + limitMs;
  while (!pattern.test(part.said())) {
    if (Date.now() > deadline) throw new Error(`${part.name} did not say ${pattern}: ${part.said().slice(-2000)}`);
    await new Promise((wake) => setTimeout(wake, 50));
  }
}
