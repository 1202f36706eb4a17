import { FRAME_LIMITS, type FrameLimits } from '../frame-decoder.js';

/** Bounds of the broker, so that no peer can exhaust it. */
export interface BrokerLimits extends FrameLimits {
  /** Messages a queue keeps. Default 100 000. */
  readonly maxQueueMessages: number;
  /** Bytes a queue keeps. Default 256 MiB. */
  readonly maxQueueBytes: number;
  /**
   * Bytes that all queues keep together, with what each message costs beside its body. Beyond, a producer over the network
   * gets an ERROR and a message of this process is dropped, each with a warning. Default 1 GiB.
   */
  readonly maxTotalBytes: number;
  /** Bytes that wait for one connection to read them; beyond, its topic messages are dropped. Default 64 MiB. */
  readonly maxOutputBytes: number;
  /** Unacknowledged messages per subscription. Default 1000, ActiveMQ's prefetch. */
  readonly prefetch: number;
  /** Refused deliveries after which a message goes to the dead-letter queue. Default 6, as in ActiveMQ. */
  readonly maxRedeliveries: number;
  /** Frames in one transaction. Default 10 000. */
  readonly maxTransactionFrames: number;
  /** Milliseconds a producer is held back for a full queue before the oldest messages are dropped. Default 10 000. */
  readonly maxHoldMs: number;
  /** Milliseconds within which a connection must log in. Default 10 000. */
  readonly connectTimeoutMs: number;
  /** Shortest heart-beat interval the broker agrees to send. Default 20 ms. */
  readonly minHeartbeatMs: number;
}

/** Bounds that hold when none are given. */
export const BROKER_LIMITS: BrokerLimits = {
  ...FRAME_LIMITS,
  maxQueueMessages: 100_000,
  maxQueueBytes: 256 * 1024 * 1024,
  maxTotalBytes: 1024 * 1024 * 1024,
  maxOutputBytes: 64 * 1024 * 1024,
  prefetch: 1000,
  maxRedeliveries: 6,
  maxTransactionFrames: 10_000,
  maxHoldMs: 10_000,
  connectTimeoutMs: 10_000,
  minHeartbeatMs: 20,
};
