import { BusError } from './bus-error.js';
import type { BusMessage, RequestOptions } from './transport.js';

/** Milliseconds a request waits when nothing else is said. */
export const REQUEST_TIMEOUT_MS = 30_000;

/** The two ends of a wait. */
export interface ReplySettle {
  reply(message: BusMessage): void;
  fail(error: Error): void;
}

/**
 * Waits for the first reply to a request, with a deadline and an abort signal.
 * @param start sends the request and returns what is to be undone when the wait is over
 * @throws BusError `TIMEOUT` naming destination and time, `CANCELLED` when aborted, or what `start` or `fail` gave
 */
export function awaitReply(
  destination: string,
  { timeoutMs = REQUEST_TIMEOUT_MS, signal }: RequestOptions,
  start: (settle: ReplySettle) => () => void,
): Promise<BusMessage> {
  return new Promise((resolve, reject) => {
    let isOver = false;
    let undo: (() => void) | undefined;
    const finish = (settle: () => void): void => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      undo?.();
      settle();
    };
    const fail = (error: Error): void => finish(() => reject(error));
    const onAbort = (): void =>
      fail(
        new BusError(
          'CANCELLED',
          `The request to ${destination} was cancelled.`,
          { destination },
          { cause: signal?.reason },
        ),
      );
    const timer = setTimeout(
      () =>
        fail(
          new BusError(
            'TIMEOUT',
            `No answer from ${destination} within ${timeoutMs} ms. Is the service behind it running?`,
            { destination, timeoutMs },
            { retriable: true },
          ),
        ),
      timeoutMs,
    );
    if (signal?.aborted) {
      onAbort();
      return;
    }
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      undo = start({ reply: (message) => finish(() => resolve(message)), fail });
      if (isOver) undo();
    } catch (error) {
      fail(error instanceof Error ? error : new Error(String(error)));
    }
  });
}
