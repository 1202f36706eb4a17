import './jitless.js';
import { Client, type IMessage } from '@stomp/stompjs';
import {
  liveLook,
  liveLookQueue,
  liveUpdate,
  RUN_START_QUEUE,
  type RunControl,
  type RunControlReply,
  type RunStart,
  type RunStartReply,
  runControl,
  runControlQueue,
  runControlReply,
  runProgressTopic,
  runStart,
  runStartReply,
} from '../../bus/contract/index.js';
import { type LiveRun, UNSEEN_RUN, withUpdate } from '../index.js';

/** Whether the page hears of the run. */
export type LinkState = 'connecting' | 'open' | 'lost' | 'refused';

/** What a link tells its page. */
export interface LinkEvents {
  onRun(run: LiveRun): void;
  onState(state: LinkState): void;
}

/** Milliseconds after which an answer is not waited for any more. */
const ANSWER_MS = 30_000;
const CONTROL_MS = 70_000;
/** Without a sign for so long the run is asked all the same. */
const ASK_EVERY_MS = 2000;
const RECONNECT_MS = 1000;
const LOOK_REPLY = '/temp-queue/look';

const address = (): string => {
  const url = new URL('./stomp', location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  url.hash = '';
  return url.href;
};

/** A connection of this page to the bus of the dashboard. */
function clientOf(key: string | undefined, mayControl: boolean): Client {
  return new Client({
    brokerURL: address(),
    connectHeaders: mayControl ? { login: 'operator', passcode: key ?? '' } : { login: 'reader', passcode: '' },
    reconnectDelay: RECONNECT_MS,
    heartbeatIncoming: 10_000,
    heartbeatOutgoing: 10_000,
  });
}

/** Asks something and waits for its answer. */
function request(client: Client, destination: string, body: string, stamp: string, waitMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    if (!client.connected) {
      reject(new Error('The dashboard is not connected.'));
      return;
    }
    const replyTo = `/temp-queue/${stamp}`;
    const subscription = client.subscribe(replyTo, ({ body: answer }) => end(() => resolve(answer)));
    const timer = setTimeout(() => end(() => reject(new Error('No answer came.'))), waitMs);
    const end = (settle: () => void): void => {
      clearTimeout(timer);
      if (client.connected) subscription.unsubscribe();
      settle();
    };
    client.publish({ destination, body, headers: { 'reply-to': replyTo } });
  });
}

/**
 * Follows a run that goes on. The page hears in a few bytes that something is new, and asks for it when it has drawn what it
 * had: one question at a time, the newest state each time, nothing while it is not looked at.
 */
export class LiveLink {
  private readonly client: Client;
  private run: LiveRun = UNSEEN_RUN;
  private askedMs = 0;
  private isWaiting = false;
  private isStale = false;
  private isScheduled = false;
  private requests = 0;
  private readonly timer: ReturnType<typeof setInterval>;

  /**
   * @param id - name of the run's folder
   * @param key - what the dashboard wants to know before it lets a page act
   */
  constructor(
    private readonly id: string,
    key: string | undefined,
    mayControl: boolean,
    private readonly events: LinkEvents,
  ) {
    this.client = clientOf(key, mayControl);
    this.client.onConnect = () => {
      this.isWaiting = false;
      this.client.subscribe(LOOK_REPLY, (message) => this.take(message));
      this.client.subscribe(runProgressTopic(this.id), () => this.look());
      events.onState('open');
      this.look();
    };
    this.client.onWebSocketClose = () => events.onState('lost');
    this.client.onStompError = ({ headers }) => {
      if (/invalid/.test(headers['message'] ?? '')) {
        events.onState('refused');
        void this.client.deactivate();
      }
    };
    this.timer = setInterval(() => this.look(), ASK_EVERY_MS);
    events.onState('connecting');
    this.client.activate();
  }

  /** Asks the run for something. @throws Error when no answer comes */
  async control(control: RunControl): Promise<RunControlReply> {
    const stamp = `control-${++this.requests}`;
    const body = runControl.format(control);
    return runControlReply.parse(await request(this.client, runControlQueue(this.id), body, stamp, CONTROL_MS));
  }

  /** Leaves. */
  end(): void {
    clearInterval(this.timer);
    this.client.onWebSocketClose = () => undefined;
    void this.client.deactivate();
  }

  private look(): void {
    if (this.isWaiting && performance.now() - this.askedMs < ANSWER_MS) {
      this.isStale = true;
      return;
    }
    if (this.isScheduled) return;
    this.isScheduled = true;
    // After the next picture, and not while nobody looks.
    requestAnimationFrame(() => {
      this.isScheduled = false;
      if (!this.client.connected) return;
      this.isWaiting = true;
      this.isStale = false;
      this.askedMs = performance.now();
      const { revision, runId } = this.run;
      const body = liveLook.format({ since: revision, ...(runId === '' ? {} : { runId }) });
      this.client.publish({ destination: liveLookQueue(this.id), body, headers: { 'reply-to': LOOK_REPLY } });
    });
  }

  private take({ body }: IMessage): void {
    this.isWaiting = false;
    const before = this.run;
    this.run = withUpdate(before, liveUpdate.parse(body));
    if (this.run !== before) this.events.onRun(this.run);
    if (this.isStale) this.look();
  }
}

/** Has the dashboard start a run. @throws Error when no answer comes */
export async function startRun(wanted: RunStart, key: string | undefined): Promise<RunStartReply> {
  const client = clientOf(key, true);
  client.reconnectDelay = 0;
  try {
    await new Promise<void>((resolve, reject) => {
      client.onConnect = () => resolve();
      client.onStompError = ({ headers }) => reject(new Error(headers['message'] ?? 'The dashboard refused.'));
      client.onWebSocketClose = () => reject(new Error('The dashboard’s server does not answer.'));
      client.activate();
    });
    client.onWebSocketClose = () => undefined;
    return runStartReply.parse(await request(client, RUN_START_QUEUE, runStart.format(wanted), 'start', CONTROL_MS));
  } finally {
    void client.deactivate();
  }
}
