/** Frees what is unreachable; the process is started with `--expose-gc`. */
export function collect(): void {
  if (typeof globalThis.gc === 'function') globalThis.gc();
}

/** Seconds of a piece of work, by the clock and of the processor; what it gives is handed on, so that it cannot be left out. */
export function timed<T>(work: () => T): { readonly seconds: number; readonly cpu: number; readonly value: T } {
  const busy = process.cpuUsage();
  const start = process.hrtime.bigint();
  const value = work();
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  const { user, system } = process.cpuUsage(busy);
  return { seconds, cpu: (user + system) / 1e6, value };
}
