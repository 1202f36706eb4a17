import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, Server } from 'node:http';
import {
  asError,
  type Broker,
  type ClaimedMessage,
  type LiveUpdate,
  liveLook,
  liveTick,
  liveUpdate,
  RUN_REQUESTS,
  RUN_START_QUEUE,
  type RunControlReply,
  type RunStartReply,
  runControl,
  runControlReply,
  runDestination,
  runProgressTopic,
  runStart,
  runStartReply,
  type StompAddress,
  startBroker,
} from '../../bus/index.js';
import { UNSEEN_RUN, updateSince } from '../../web/index.js';
import { RunFollower } from './run-follower.js';
import type { RunLibrary } from './run-library.js';
import type { RunStarter } from './run-starter.js';

/** Users of the dashboard's own bus: who only watches, and who may act. */
export const READER = 'reader';
export const OPERATOR = 'operator';

/** Who may act on runs through the dashboard. */
export type ControlLeave =
  /** Nobody. */
  | 'none'
  /** Whoever reaches it. */
  | 'all'
  /** Whoever knows the key. */
  | { readonly key: string };

/** Settings of {@link openLiveDesk}. */
export interface LiveDeskOptions {
  /** The dashboard's web server; pages speak STOMP over WebSocket with it. */
  readonly server: Server;
  readonly library: RunLibrary;
  readonly leave: ControlLeave;
  /** How to log in to the brokers of runs. */
  readonly credentials: Pick<StompAddress, 'login' | 'passcode' | 'tls'>;
  /** Starts runs; none are started without it. */
  readonly starter?: RunStarter | undefined;
  /** Whether a request comes from a page of this dashboard. */
  readonly isWelcome: (request: IncomingMessage) => boolean;
  readonly onWarning: (text: string) => void;
}

/** The live part of a dashboard. */
export interface LiveDesk {
  close(): Promise<void>;
}

/** What a page may make the server keep: it asks small questions and gets each answered once. */
const LIMITS = {
  maxConnections: 200,
  maxBodyBytes: 64 * 1024,
  maxOutputBytes: 16 * 1024 * 1024,
  maxTotalOutputBytes: 128 * 1024 * 1024,
  maxQueueBytes: 16 * 1024 * 1024,
  maxTotalBytes: 128 * 1024 * 1024,
  maxQueues: 1000,
  maxSubscriptions: 50,
  maxTransactions: 1,
  maxFramesPerSecond: 200,
  refusalDelayMs: 500,
} as const;
/** A run that nobody has looked at for so long is not followed any more, ms. */
const IDLE_MS = 60_000;
const IDLE_LOOK_MS = 5000;

/**
 * A bus for pages, on the dashboard's own web server. Runs are followed once, whoever many watch; a page asks for what is newer
 * than what it has, when it is ready for it. What a page may do is decided here, whatever it shows: a reader subscribes to
 * progress and asks, an operator sends controls and starts too.
 */
export async function openLiveDesk(options: LiveDeskOptions): Promise<LiveDesk> {
  const { server, leave, isWelcome, onWarning } = options;
  const broker = await startBroker({
    port: null,
    webServer: { server, isWelcome },
    limits: LIMITS,
    authenticate: ({ login, passcode }) => mayLogIn(leave, login, passcode),
    authorize,
    onWarning: ({ message }) => onWarning(message),
  });
  const desk = new Desk(broker, options);
  return { close: () => desk.close() };
}

function mayLogIn(leave: ControlLeave, login: string, passcode: string): boolean {
  if (login === READER) return true;
  if (login !== OPERATOR || leave === 'none') return false;
  if (leave === 'all') return true;
  const [given, key] = [Buffer.from(passcode), Buffer.from(leave.key)];
  return given.length === key.length && timingSafeEqual(given, key);
}

/** Whether a user of the dashboard's bus may do something. */
export function authorize(login: string, action: 'send' | 'subscribe', destination: string): boolean {
  if (destination.startsWith('/temp-queue/')) return true;
  const what = destination === RUN_START_QUEUE ? 'start' : runDestination(destination)?.what;
  if (action === 'subscribe')
    return what === 'progress' && destination.startsWith('/topic/') && !/[*>]/.test(destination);
  if (!destination.startsWith('/queue/')) return false;
  return what === 'look' || (login === OPERATOR && (what === 'control' || what === 'start'));
}

interface Followed {
  readonly follower: Promise<RunFollower>;
  usedMs: number;
}

class Desk {
  private readonly followed = new Map<string, Followed>();
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly broker: Broker,
    private readonly options: LiveDeskOptions,
  ) {
    broker.claim(
      RUN_REQUESTS,
      (message) => this.take(message),
      ({ destination }) => !destination.startsWith('/topic/'),
    );
    this.timer = setInterval(() => this.dismiss(), IDLE_LOOK_MS).unref();
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    const all = [...this.followed.values()];
    this.followed.clear();
    await Promise.all(all.map(({ follower }) => follower.then((one) => one.close()).catch(() => undefined)));
    await this.broker.close();
  }

  private take(message: ClaimedMessage): void {
    this.answer(message).then(
      (text) => message.reply(text),
      (error: unknown) => this.options.onWarning(asError(error).message),
    );
  }

  private async answer({ destination, body }: ClaimedMessage): Promise<string> {
    const found = runDestination(destination);
    if (found?.what === 'look') {
      const { since, runId } = liveLook.parse(body, destination);
      return liveUpdate.format(await this.look(found.runId, since, runId));
    }
    try {
      if (found?.what === 'control') return runControlReply.format(await this.control(found.runId, body, destination));
      return runStartReply.format(await this.start(body, destination));
    } catch (error) {
      return runControlReply.format({ isAccepted: false, reason: asError(error).message });
    }
  }

  /** @param id - name of the run's folder, by which pages know it */
  private async look(id: string, since: number, runId: string | undefined): Promise<LiveUpdate> {
    const { library } = this.options;
    if (!this.followed.has(id) && library.live(id) === undefined && library.isAtWork(id)) {
      return updateSince({ ...UNSEEN_RUN, runId: id, stage: 'The run begins.' }, 0, undefined);
    }
    try {
      const run = await (await this.follow(id)).first();
      return updateSince(run, since, runId);
    } catch (error) {
      const reason = asError(error).message;
      return { ...updateSince({ ...UNSEEN_RUN, runId: id, status: 'ended' }, 0, undefined), stage: reason };
    }
  }

  private async control(id: string, body: string, destination: string): Promise<RunControlReply> {
    const control = runControl.parse(body, destination);
    return (await this.follow(id)).control({ by: 'dashboard', ...control });
  }

  private async start(body: string, destination: string): Promise<RunStartReply> {
    const { starter } = this.options;
    if (starter === undefined) return { isAccepted: false, reason: 'This dashboard starts no runs.' };
    return starter.start(runStart.parse(body, destination));
  }

  private follow(id: string): Promise<RunFollower> {
    const known = this.followed.get(id);
    if (known !== undefined) {
      known.usedMs = Date.now();
      return known.follower;
    }
    const follower = this.open(id);
    this.followed.set(id, { follower, usedMs: Date.now() });
    // The next question tries again.
    follower.catch(() => this.followed.delete(id));
    return follower;
  }

  private async open(id: string): Promise<RunFollower> {
    const { library, credentials } = this.options;
    const live = library.live(id);
    if (live === undefined) throw new Error(`There is no run ${id} at work in ${library.folder}.`);
    const { host, port, isSecure } = live.broker;
    const { tls = {}, login = 'system', passcode = 'manager' } = credentials;
    const address = { host, port, login, passcode, ...(isSecure ? { tls } : {}) };
    return RunFollower.open(address, live.runId, ({ runId, revision, status }) => {
      this.broker.seat().send(runProgressTopic(id), liveTick.format({ runId, revision, status }));
    });
  }

  /** Leaves runs that are over, or that nobody looks at. */
  private dismiss(): void {
    for (const [id, { follower, usedMs }] of this.followed) {
      void follower
        .then(async (one) => {
          if (!one.isOver && Date.now() - usedMs < IDLE_MS) return;
          if (one.isOver && this.options.library.live(id) !== undefined && Date.now() - usedMs < IDLE_MS) return;
          this.followed.delete(id);
          await one.close();
        })
        .catch(() => undefined);
    }
  }
}
