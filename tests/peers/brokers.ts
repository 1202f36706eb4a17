import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Foreign brokers that Debian has packages of. */
export type ForeignKind = 'activemq' | 'rabbitmq';

/** A foreign broker, running on loopback ports of its own with a scratch folder of its own. */
export interface ForeignBroker {
  readonly kind: ForeignKind;
  /** Name and version, as its CONNECTED frame has them. */
  readonly version: string;
  readonly host: '127.0.0.1';
  /** STOMP over TCP. */
  readonly port: number;
  /** STOMP over WebSocket; undefined where the broker has none. */
  readonly webSocketUrl: string | undefined;
  readonly login: string;
  readonly passcode: string;
  /** Process of the broker itself, for its processor time and memory. */
  readonly pid: number;
  /** SIGSTOP and SIGCONT. */
  suspend(): void;
  proceed(): void;
  /** SIGKILL, as a crash; resolves when the process is gone. */
  kill(): Promise<void>;
  /** Starts it again on the same ports and folder, after {@link kill}. */
  start(): Promise<void>;
  /** Ends it and removes its folder. */
  stop(): Promise<void>;
}

const HOME: Readonly<Record<ForeignKind, string>> = {
  activemq: '/usr/share/activemq/bin/activemq.jar',
  rabbitmq: '/usr/lib/rabbitmq/bin/rabbitmq-server',
};
const LOGIN = 'system';
const PASSCODE = 'manager';
const START_MS = 180_000;

/** Why a foreign broker cannot be started here; undefined when it can. */
export function absenceOf(kind: ForeignKind): string | undefined {
  if (!existsSync(HOME[kind])) {
    return `the Debian package ${kind === 'activemq' ? 'activemq' : 'rabbitmq-server'} is not installed`;
  }
  if (kind === 'rabbitmq' && process.getuid?.() !== 0) return 'RabbitMQ is started by hand, which root alone may';
  if (kind === 'activemq' && !hasJava()) return 'there is no Java';
  return undefined;
}

/** Starts a foreign broker and waits until it answers STOMP. */
export async function startForeign(kind: ForeignKind): Promise<ForeignBroker> {
  const folder = mkdtempSync(join(tmpdir(), `dec-${kind}-`));
  const ports = await freePorts(5);
  const run = kind === 'activemq' ? new ActiveMq(folder, ports) : new RabbitMq(folder, ports);
  try {
    const version = await run.start();
    return {
      kind,
      version,
      host: '127.0.0.1',
      port: run.port,
      webSocketUrl: run.webSocketUrl,
      login: LOGIN,
      passcode: PASSCODE,
      get pid() {
        return run.pid;
      },
      suspend: () => run.signal('SIGSTOP'),
      proceed: () => run.signal('SIGCONT'),
      kill: () => run.end('SIGKILL'),
      start: async () => {
        await run.start();
      },
      stop: () => run.stop(),
    };
  } catch (error) {
    await run.stop();
    throw error;
  }
}

abstract class BrokerProcess {
  private child: ChildProcess | undefined;
  private output = '';
  abstract readonly port: number;
  abstract readonly webSocketUrl: string | undefined;

  constructor(protected readonly folder: string) {}

  protected abstract launch(): ChildProcess;

  async start(): Promise<string> {
    const child = this.launch();
    this.child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (part) => {
        this.output = `${this.output}${part}`.slice(-4000);
      });
    }
    const deadline = Date.now() + START_MS;
    for (;;) {
      const server = await greeting(this.port);
      if (server !== undefined) return server;
      if (child.exitCode !== null || Date.now() > deadline) {
        throw new Error(`the broker did not start (exit code ${child.exitCode}): ${this.output.slice(-1500)}`);
      }
      await pause(100);
    }
  }

  get pid(): number {
    return this.child?.pid ?? 0;
  }

  signal(name: NodeJS.Signals): void {
    process.kill(this.pid, name);
  }

  end(signal: NodeJS.Signals): Promise<void> {
    const { child } = this;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
    return new Promise((resolve) => {
      const last = setTimeout(() => child.kill('SIGKILL'), 15_000);
      child.once('exit', () => {
        clearTimeout(last);
        resolve();
      });
      child.kill('SIGCONT');
      child.kill(signal);
    });
  }

  async stop(): Promise<void> {
    await this.end('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}

class ActiveMq extends BrokerProcess {
  readonly port: number;
  /** Debian's package has no WebSocket transport. */
  readonly webSocketUrl = undefined;

  constructor(folder: string, ports: readonly number[]) {
    super(folder);
    this.port = ports[0]!;
    for (const part of ['conf', 'data', 'tmp']) mkdirSync(join(folder, part));
    writeFileSync(
      join(folder, 'conf', 'log4j.properties'),
      [
        'log4j.rootLogger=WARN, stdout',
        'log4j.appender.stdout=org.apache.log4j.ConsoleAppender',
        'log4j.appender.stdout.layout=org.apache.log4j.PatternLayout',
        'log4j.appender.stdout.layout.ConversionPattern=%d %p %m%n',
      ].join('\n'),
    );
    writeFileSync(join(folder, 'conf', 'activemq.xml'), this.configuration());
  }

  /**
   * With socket buffers of 64 kB, the default, acknowledgements under load stall for ever: the kernel drops segments past a
   * full receive window while the broker's writer holds the lock that its reader needs.
   */
  private configuration(): string {
    const buffers = 'socketBufferSize=1048576&amp;transport.socketBufferSize=1048576';
    return `<beans xmlns="http://www.springframework.org/schema/beans" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
  xsi:schemaLocation="http://www.springframework.org/schema/beans http://www.springframework.org/schema/beans/spring-beans-2.0.xsd http://activemq.apache.org/schema/core http://activemq.apache.org/schema/core/activemq-core.xsd">
 <broker xmlns="http://activemq.apache.org/schema/core" useJmx="false" brokerName="localhost" dataDirectory="${join(this.folder, 'data')}">
  <persistenceAdapter><kahaDB directory="${join(this.folder, 'data', 'kahadb')}"/></persistenceAdapter>
  <plugins><simpleAuthenticationPlugin anonymousAccessAllowed="false"><users>
   <authenticationUser username="${LOGIN}" password="${PASSCODE}" groups="admins,users"/></users></simpleAuthenticationPlugin></plugins>
  <systemUsage><systemUsage><memoryUsage><memoryUsage limit="256 mb"/></memoryUsage><storeUsage><storeUsage limit="1 gb"/></storeUsage><tempUsage><tempUsage limit="256 mb"/></tempUsage></systemUsage></systemUsage>
  <transportConnectors>
   <transportConnector name="stomp" uri="stomp://127.0.0.1:${this.port}?transport.hbGracePeriodMultiplier=1.5&amp;${buffers}"/></transportConnectors>
 </broker></beans>`;
  }

  protected launch(): ChildProcess {
    const path = (...parts: string[]): string => join(this.folder, ...parts);
    rmSync(path('data', 'kahadb', 'lock'), { force: true });
    return spawn(
      'java',
      [
        '-Xms64m',
        '-Xmx768m',
        `-Dlog4j.configuration=file:${path('conf', 'log4j.properties')}`,
        '-Dactivemq.home=/usr/share/activemq',
        `-Dactivemq.base=${this.folder}`,
        `-Dactivemq.conf=${path('conf')}`,
        `-Dactivemq.data=${path('data')}`,
        `-Djava.io.tmpdir=${path('tmp')}`,
        '--add-opens',
        'java.base/java.util=ALL-UNNAMED',
        '--add-opens',
        'java.base/java.lang=ALL-UNNAMED',
        '-jar',
        HOME.activemq,
        'start',
        `xbean:file:${path('conf', 'activemq.xml')}`,
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
  }
}

class RabbitMq extends BrokerProcess {
  readonly port: number;
  readonly webSocketUrl: string;
  private readonly environment: NodeJS.ProcessEnv;

  constructor(folder: string, ports: readonly number[]) {
    super(folder);
    const [amqp, stomp, web, epmd, distribution] = ports;
    this.port = stomp!;
    this.webSocketUrl = `ws://127.0.0.1:${web}/ws`;
    const path = (name: string): string => join(folder, name);
    writeFileSync(
      path('rabbitmq.conf'),
      [
        `listeners.tcp.1=127.0.0.1:${amqp}`,
        'distribution.listener.interface=127.0.0.1',
        `stomp.listeners.tcp.1=127.0.0.1:${stomp}`,
        'web_stomp.tcp.ip=127.0.0.1',
        `web_stomp.tcp.port=${web}`,
        `default_user=${LOGIN}`,
        `default_pass=${PASSCODE}`,
        '',
      ].join('\n'),
    );
    writeFileSync(path('enabled_plugins'), '[rabbitmq_stomp,rabbitmq_web_stomp].\n');
    this.environment = {
      ...process.env,
      HOME: folder,
      RABBITMQ_NODENAME: `dec${stomp}@localhost`,
      ERL_EPMD_PORT: String(epmd),
      ERL_EPMD_ADDRESS: '127.0.0.1',
      RABBITMQ_DIST_PORT: String(distribution),
      RABBITMQ_MNESIA_BASE: path('mnesia'),
      RABBITMQ_LOG_BASE: path('log'),
      RABBITMQ_CONFIG_FILE: path('rabbitmq.conf'),
      RABBITMQ_ENABLED_PLUGINS_FILE: path('enabled_plugins'),
      RABBITMQ_PID_FILE: path('pid'),
    };
  }

  protected launch(): ChildProcess {
    return spawn(HOME.rabbitmq, [], { stdio: ['ignore', 'pipe', 'pipe'], env: this.environment });
  }

  /** The start script becomes a shell whose child is the virtual machine. */
  override get pid(): number {
    const file = join(this.folder, 'pid');
    return existsSync(file) ? Number(readFileSync(file, 'utf8')) : super.pid;
  }

  override async end(signal: NodeJS.Signals): Promise<void> {
    const { pid } = this;
    if (pid > 0 && isAlive(pid)) {
      process.kill(pid, 'SIGCONT');
      process.kill(pid, signal);
      for (let i = 0; i < 100 && isAlive(pid); i++) await pause(50);
    }
    await super.end(signal);
  }

  override async stop(): Promise<void> {
    await this.end('SIGKILL');
    try {
      execFileSync('epmd', ['-port', this.environment['ERL_EPMD_PORT'] ?? '', '-kill'], { stdio: 'ignore' });
    } catch {
      // It never came up, or has gone with its node.
    }
    await super.stop();
  }
}

/** What the broker calls itself, when it answers STOMP. */
function greeting(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => {
      socket.write(`CONNECT\naccept-version:1.2\nhost:/\nlogin:${LOGIN}\npasscode:${PASSCODE}\n\n\0`);
    });
    const done = (server: string | undefined): void => {
      socket.destroy();
      resolve(server);
    };
    let text = '';
    socket.setTimeout(2000, () => done(undefined));
    socket.on('error', () => done(undefined));
    socket.on('close', () => done(undefined));
    socket.on('data', (bytes) => {
      text += bytes.toString('utf8');
      if (text.includes('\0')) done(/^server:(.*)$/m.exec(text)?.[1]);
    });
  });
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve, reject) => {
          server.once('error', reject);
          server.listen(0, '127.0.0.1', () => {
            const address = server.address();
            resolve(typeof address === 'object' && address !== null ? address.port : 0);
          });
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

function hasJava(): boolean {
  try {
    execFileSync('java', ['-version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
