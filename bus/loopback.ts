/** Whether an address is this machine's own: nobody outside of it can connect. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){1,3}$/.test(host);
}

/**
 * Whether the `Host` of an HTTP request names this machine. What listens on loopback answers to no other name: a page elsewhere
 * whose name was led to this machine afterwards (DNS rebinding) would read as if the answers were its own.
 */
export function isLocalName(header: string | undefined): boolean {
  const name = (header ?? '').replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  return isLoopback(name.toLowerCase());
}

/** Whether a request comes from a page of the same server, or from a program that is no browser and names no origin. */
export function isOwnOrigin(host: string | undefined, origin: string | undefined): boolean {
  if (origin === undefined) return true;
  try {
    return new URL(origin).host === host;
  } catch {
    // "null": a page without an origin, as of a file.
    return false;
  }
}

/**
 * Whether a page may connect that nobody has listed: one of this machine's own servers, by a name of this machine. Programs that are no
 * browser name no origin and may.
 */
export function isLocalOrigin(origin: string | undefined): boolean {
  if (origin === undefined) return true;
  try {
    return isLocalName(new URL(origin).host);
  } catch {
    return false;
  }
}
