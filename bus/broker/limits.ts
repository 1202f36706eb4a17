import { FRAME_LIMITS, type FrameLimits } from '../frame-decoder.js';

/** What a topic does for a subscriber that does not keep up. */
export type SlowConsumerPolicy = 'dropOldest' | 'disconnect';
/** What a queue does that is full. */
export type FullQueuePolicy = 'refuse' | 'dropOldest';

/** Bounds of the broker, so that no peer can exhaust it. Counts include what a message costs beside its body. */
export interface BrokerLimits extends FrameLimits {
  /** Messages a queue keeps. Default 100 000. */
  readonly maxQueueMessages: number;
  /** Bytes a queue keeps. Default 256 MiB. */
  readonly maxQueueBytes: number;
  /**
   * A full queue refuses: a producer over the network gets an ERROR, a message of this process is dropped, each with a
   * warning and a count. Or it drops its oldest message. Default `refuse`: what a receipt has confirmed is not dropped.
   */
  readonly fullQueuePolicy: FullQueuePolicy;
  /** Bytes that all queues keep together; beyond, messages are refused. Default 1 GiB. */
  readonly maxTotalBytes: number;
  /** Queues that exist at a time, temporary ones too; beyond, new ones are refused. Default 100 000. */
  readonly maxQueues: number;
  /** Bytes that wait for one connection to read them; beyond, {@link slowConsumerPolicy} acts. Default 64 MiB. */
  readonly maxOutputBytes: number;
  /** Bytes that wait for all connections together. Default 512 MiB. */
  readonly maxTotalOutputBytes: number;
  /** Topic messages to a connection that is behind: the oldest are dropped, or the connection ends. Default `dropOldest`. */
  readonly slowConsumerPolicy: SlowConsumerPolicy;
  /** Unacknowledged messages per subscription. Default 1000, ActiveMQ's prefetch. */
  readonly prefetch: number;
  /** Bytes of unacknowledged messages per subscription. Default 64 MiB. */
  readonly maxUnacknowledgedBytes: number;
  /** Refused deliveries after which a message goes to the dead-letter queue. Default 6, as in ActiveMQ. */
  readonly maxRedeliveries: number;
  /** Frames in one transaction. Default 10 000. */
  readonly maxTransactionFrames: number;
  /** Bytes in all open transactions of a connection. Default 64 MiB. */
  readonly maxTransactionBytes: number;
  /** Open transactions of a connection. Default 100. */
  readonly maxTransactions: number;
  /** Subscriptions of a connection; GridAPPS-D clients add one for each request and end none. Default 50 000. */
  readonly maxSubscriptions: number;
  /** Connections at a time. Default 5000. */
  readonly maxConnections: number;
  /** Frames a connection may send in a second; faster ones are not read until the second is over. Default 0: no bound. */
  readonly maxFramesPerSecond: number;
  /** Milliseconds a producer is held back for a full queue before it is refused. Default 10 000. */
  readonly maxHoldMs: number;
  /** Milliseconds within which a connection must log in. Default 10 000. */
  readonly connectTimeoutMs: number;
  /** Milliseconds that a refused login waits for its answer, which makes guessing slow. Default 0. */
  readonly refusalDelayMs: number;
  /** Shortest heart-beat interval the broker agrees to send. Default 20 ms. */
  readonly minHeartbeatMs: number;
}

const MIB = 1024 * 1024;

/** Bounds that hold when none are given. */
export const BROKER_LIMITS: BrokerLimits = {
  ...FRAME_LIMITS,
  maxQueueMessages: 100_000,
  maxQueueBytes: 256 * MIB,
  fullQueuePolicy: 'refuse',
  maxTotalBytes: 1024 * MIB,
  maxQueues: 100_000,
  maxOutputBytes: 64 * MIB,
  maxTotalOutputBytes: 512 * MIB,
  slowConsumerPolicy: 'dropOldest',
  prefetch: 1000,
  maxUnacknowledgedBytes: 64 * MIB,
  maxRedeliveries: 6,
  maxTransactionFrames: 10_000,
  maxTransactionBytes: 64 * MIB,
  maxTransactions: 100,
  maxSubscriptions: 50_000,
  maxConnections: 5000,
  maxFramesPerSecond: 0,
  maxHoldMs: 10_000,
  connectTimeoutMs: 10_000,
  refusalDelayMs: 0,
  minHeartbeatMs: 20,
};

/** What a message costs beside its body: headers, identity, its place in a queue. Measured on Node 20. */
export const MESSAGE_OVERHEAD_BYTES = 512;
