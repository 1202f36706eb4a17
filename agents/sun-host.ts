import { type SunAgentMemory, type SunPort, type SunQuestion, sunAgentUpdate } from '../grid/optim/index.js';
import { PostBox } from './post-box.js';

/** What a customer answers to its service-transformer agent: its own vector, read before the question after the next. */
export interface SunAnswer {
  readonly round: number;
  readonly curtailed: Float64Array;
  readonly moved: number;
}

/** What an agent of a port says of all its customers together. */
export interface SunSum {
  readonly round: number;
  /** By step, power units; read before the question after the next. */
  readonly curtailed: Float64Array;
  readonly moved: number;
  /** Customers whose answer did not come or was to another round; the last sum stands then. */
  readonly missing: number;
}

/** Questions and answers that may wait; a round needs one of each. */
const WAITING = 4;

/** A customer's agent: a box for questions, what it knows of its sun, and whom it answers. */
class SunCustomer {
  readonly inbox = new PostBox<SunQuestion>(WAITING);
  private round = 0;

  constructor(
    private readonly memory: SunAgentMemory,
    private readonly answers: PostBox<SunAnswer>,
  ) {}

  /** Answers what waits. A round that is over is not answered; a question that cannot be meant changes nothing. */
  work(): void {
    for (let question = this.inbox.take(); question !== undefined; question = this.inbox.take()) {
      if (question.round <= this.round) continue;
      const moved = sunAgentUpdate(this.memory, question);
      if (Number.isNaN(moved)) continue;
      this.round = question.round;
      this.answers.post({ round: question.round, curtailed: this.memory.curtailed, moved });
    }
  }
}

/** The agent of a port: hands questions on to its customers and adds up their answers; figures of single ones stay there. */
class SunPortAgent {
  readonly inbox = new PostBox<SunQuestion>(WAITING);
  private readonly answers: PostBox<SunAnswer>;
  private readonly customers: readonly SunCustomer[];
  /** The last sum that all had a part in, and room for the next. */
  private sum: Float64Array;
  private spare: Float64Array;

  constructor(
    memories: readonly SunAgentMemory[],
    steps: number,
    private readonly outbox: PostBox<SunSum>,
  ) {
    this.answers = new PostBox(WAITING * memories.length);
    this.customers = memories.map((memory) => new SunCustomer(memory, this.answers));
    this.sum = new Float64Array(steps);
    this.spare = new Float64Array(steps);
  }

  work(): void {
    for (let question = this.inbox.take(); question !== undefined; question = this.inbox.take()) {
      for (const customer of this.customers) customer.inbox.post(question);
      for (const customer of this.customers) customer.work();
      this.outbox.post(this.addUp(question.round));
    }
  }

  private addUp(round: number): SunSum {
    const sum = this.spare.fill(0);
    let moved = 0;
    let missing = this.customers.length;
    for (let answer = this.answers.take(); answer !== undefined; answer = this.answers.take()) {
      if (answer.round !== round) continue;
      const { curtailed } = answer;
      for (let t = 0; t < sum.length; t++) sum[t]! += curtailed[t]!;
      moved += answer.moved;
      missing--;
    }
    if (missing === 0) {
      this.spare = this.sum;
      this.sum = sum;
    }
    return { round, curtailed: this.sum, moved, missing };
  }
}

/** Carries the agents of many customers in this process, each behind its post box. */
export class SunHost {
  private readonly agents: readonly SunPortAgent[];
  private readonly outboxes: readonly PostBox<SunSum>[];

  /** @param memories - by unit of the ports */
  constructor(ports: readonly SunPort[], memories: readonly SunAgentMemory[]) {
    const steps = memories[0]?.available.length ?? 0;
    this.outboxes = ports.map(() => new PostBox<SunSum>(WAITING));
    this.agents = ports.map(
      ({ units }, k) =>
        new SunPortAgent(
          units.map((u) => memories[u]!),
          steps,
          this.outboxes[k]!,
        ),
    );
  }

  /** Puts the questions of a round into the boxes of the ports' agents. */
  ask(questions: readonly SunQuestion[]): void {
    questions.forEach((question, k) => {
      this.agents[k]!.inbox.post(question);
    });
  }

  /** Lets every agent do what waits for it. */
  work(): void {
    for (const agent of this.agents) agent.work();
  }

  /** Takes the sums out that the ports' agents have posted, by port. Ports that said nothing have none. */
  sums(): readonly (SunSum | undefined)[] {
    return this.outboxes.map((outbox) => outbox.take());
  }
}
