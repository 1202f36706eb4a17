import { BusError } from '../bus-error.js';
import { TOKEN_TOPIC } from './destination.js';

/** A user and a password, as they travel in the token handshake. */
export interface Credentials {
  readonly login: string;
  readonly passcode: string;
}

/** The text the platform answers instead of a token. */
export const AUTHENTICATION_FAILED = 'authentication failed';

/** Logins longer than this with an empty passcode are tokens. */
export const TOKEN_LENGTH_MIN = 250;

/** The request of the token handshake: base64 of `user:password`, not JSON. */
export const tokenRequest = {
  name: 'token request',
  destination: TOKEN_TOPIC,
  example: 'c3lzdGVtOm1hbmFnZXI=',
  /** @throws BusError `BAD_MESSAGE` when the text is not base64 of two parts */
  parse(body: string, destination: string = TOKEN_TOPIC): Credentials {
    const written = body.trim();
    const text = fromBase64(written);
    const colon = text.indexOf(':');
    if (colon > 0) return { login: text.slice(0, colon), passcode: text.slice(colon + 1) };
    throw new BusError(
      'BAD_MESSAGE',
      `Malformed token request message on ${destination}: base64 of "user:password" expected. The message was ignored.`,
      { destination, message: 'token request', path: '' },
    );
  },
  format({ login, passcode }: Credentials): string {
    const bytes = new TextEncoder().encode(`${login}:${passcode}`);
    return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
  },
} as const;

/** The text behind base64, with or without its padding; empty for what is none. */
function fromBase64(written: string): string {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(written)) return '';
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(written.replace(/=+$/, '')), (sign) => sign.charCodeAt(0)));
  } catch {
    return '';
  }
}

/** The answer of the token handshake: the bare token, or a fixed text. */
export const tokenReply = {
  name: 'token reply',
  destination: '/queue/temp.token_resp.<user>-<time>',
  example: `eyJhbGciOiJIUzI1NiJ9.${'e'.repeat(240)}.c2lnbmF0dXJl`,
  /** @throws BusError `LOGIN_REFUSED` when the platform refused, `BAD_MESSAGE` when the body is no token */
  parse(body: string, destination = '/queue/temp.token_resp.<user>-<time>'): string {
    const token = body.trim();
    if (token === AUTHENTICATION_FAILED) {
      throw new BusError('LOGIN_REFUSED', 'The platform refused the user name or password: authentication failed.', {
        destination,
      });
    }
    if (/^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)) return token;
    throw new BusError('BAD_MESSAGE', `Malformed token reply message on ${destination}: no token in it.`, {
      destination,
      message: 'token reply',
      path: '',
    });
  },
} as const;

/** Whether a login is a token rather than a user name. */
export function isToken({ login, passcode }: Credentials): boolean {
  return login.length > TOKEN_LENGTH_MIN && passcode === '';
}
