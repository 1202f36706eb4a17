import {
  asError,
  type Bus,
  connectStomp,
  type LiveUpdate,
  liveLook,
  liveLookQueue,
  liveTick,
  liveUpdate,
  type RunControl,
  type RunControlReply,
  runControl,
  runControlQueue,
  runControlReply,
  runProgressTopic,
  type StompAddress,
} from '../../bus/index.js';
import { type LiveRun, UNSEEN_RUN, withUpdate } from '../../web/index.js';

/** Milliseconds for a run to answer; between two intervals it may compute for a while. */
const ANSWER_MS = 60_000;
/** Without a sign for so long the run is asked all the same: a sign may have been dropped. */
const ASK_EVERY_MS = 2000;

/**
 * Follows one run over its broker and keeps the present state of it. The run is asked one question at a time, however many
 * watch: those who watch ask this follower.
 */
export class RunFollower {
  private known: LiveRun = UNSEEN_RUN;
  private isAsking = false;
  private isStale = false;
  private hasEnded = false;
  private readonly timer: NodeJS.Timeout;
  private wake: (() => void) | undefined;

  private constructor(
    private readonly bus: Bus,
    private readonly runId: string,
    private readonly onChange: (run: LiveRun) => void,
  ) {
    bus.subscribe(runProgressTopic(runId), ({ body, destination }) => {
      const { status } = liveTick.parse(body, destination);
      if (status === 'ended') this.end('The run has ended.');
      else this.ask();
    });
    bus.onError(() => this.end('The run’s broker is gone.'));
    this.timer = setInterval(() => this.ask(), ASK_EVERY_MS).unref();
    this.ask();
  }

  /**
   * Begins to follow a run.
   * @param onChange - called whenever its state is another one
   * @throws BusError as `connectStomp`
   */
  static async open(address: StompAddress, runId: string, onChange: (run: LiveRun) => void): Promise<RunFollower> {
    const bus = await connectStomp({ ...address, reconnect: false });
    return new RunFollower(bus, runId, onChange);
  }

  /** What is known of it. */
  get run(): LiveRun {
    return this.known;
  }

  /** Whether nothing more will come. */
  get isOver(): boolean {
    return this.hasEnded;
  }

  /** What is known once something is: the first answer may take its time. */
  async first(): Promise<LiveRun> {
    if (this.known.revision === 0 && !this.hasEnded) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ANSWER_MS);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return this.known;
  }

  /** Asks the run for something. @throws BusError `TIMEOUT`, `BUS_CLOSED` */
  async control(control: RunControl): Promise<RunControlReply> {
    const reply = await this.bus.request(runControlQueue(this.runId), runControl.format(control), {
      timeoutMs: ANSWER_MS,
    });
    return runControlReply.parse(reply.body);
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    this.hasEnded = true;
    this.wake?.();
    await this.bus.close();
  }

  private ask(): void {
    if (this.hasEnded) return;
    if (this.isAsking) {
      this.isStale = true;
      return;
    }
    this.isAsking = true;
    this.isStale = false;
    const { revision, runId } = this.known;
    const body = liveLook.format({ since: revision, ...(revision === 0 ? {} : { runId }) });
    this.bus
      .request(liveLookQueue(this.runId), body, { timeoutMs: ANSWER_MS })
      .then(({ body: answer }) => {
        this.isAsking = false;
        if (!this.hasEnded) this.take(liveUpdate.parse(answer));
        if (this.isStale) this.ask();
      })
      .catch((error: unknown) => {
        this.isAsking = false;
        // A run that says nothing for a minute is not there.
        this.end(`The run does not answer: ${asError(error).message}`);
      });
  }

  private take(update: LiveUpdate): void {
    const before = this.known;
    this.known = withUpdate(before, update);
    this.wake?.();
    if (this.known.revision !== before.revision) this.onChange(this.known);
  }

  private end(stage: string): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    clearInterval(this.timer);
    this.known = { ...this.known, revision: this.known.revision + 1, status: 'ended', stage };
    this.wake?.();
    this.onChange(this.known);
    void this.bus.close();
  }
}
