import { createHmac, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import { AUTHENTICATION_FAILED, type Credentials, isToken, TOKEN_LENGTH_MIN, tokenRequest } from '../bus/index.js';
import type { Clock } from './clock.js';

/** A user of the platform. */
export interface PlatformUser {
  readonly password: string;
  readonly roles: readonly string[];
}

/** The users the real platform ships with; fit for the loopback interface only. */
export const DEFAULT_USERS: Readonly<Record<string, PlatformUser>> = {
  system: {
    password: 'manager',
    roles: ['user', 'operator', 'service', 'application', 'testmanager', 'evaluator', 'admin'],
  },
  app_user: { password: '1234App', roles: ['user', 'application'] },
  app_reg: { password: '1234App', roles: ['user', 'application'] },
  service_user: { password: '1234Svc', roles: ['user', 'service'] },
  operator1: { password: 'operator', roles: ['user', 'operator'] },
  testmanager1: { password: 'testmanager', roles: ['user', 'testmanager'] },
  test_app_user: { password: '4Test', roles: ['user', 'application'] },
  tutorial_user: { password: '12345!', roles: ['user', 'application'] },
};

/** The platform's name in its tokens. */
const ISSUER = 'GridOPTICS Software System';
/** How long a token is good, s: five days, as on the real platform. */
const LIFETIME_S = 5 * 86_400;

/** Hands out tokens and checks logins. Tokens are signed with a secret of this run, so none outlives it. */
export interface TokenService {
  /** The user a login and passcode belong to: a token with an empty passcode, or name and password. */
  authenticate(login: string, passcode: string): string | undefined;
  /** Answers a token request: the token, or the text of refusal. */
  answer(body: string): string;
  /** Roles of a user as logged in: a name or a token. */
  roles(login: string): readonly string[];
}

/** Makes the token service. */
export function createTokenService(
  clock: Pick<Clock, 'nowMs'>,
  users: Readonly<Record<string, PlatformUser>> = DEFAULT_USERS,
): TokenService {
  const secret = randomBytes(32);
  const known = new Map(Object.entries(users));
  const issued = new Map<string, { readonly token: string; readonly expiresS: number }>();
  const sign = (text: string): string => createHmac('sha256', secret).update(text).digest('base64url');

  const issue = (user: string): string => {
    const nowS = Math.floor(clock.nowMs() / 1000);
    const last = issued.get(user);
    if (last && last.expiresS > nowS + LIFETIME_S / 2) return last.token;
    const expiresS = nowS + LIFETIME_S;
    const claims = {
      sub: user,
      iss: ISSUER,
      nbf: nowS,
      iat: nowS,
      exp: expiresS,
      jti: randomUUID(),
      roles: known.get(user)?.roles ?? [],
    };
    let token = '';
    // Brokers tell tokens from names by their length, so a short one gets a claim that makes it long enough.
    for (let padding = 0; token.length <= TOKEN_LENGTH_MIN; padding += 32) {
      const payload = padding === 0 ? claims : { ...claims, pad: 'x'.repeat(padding) };
      const text = `${base64({ alg: 'HS256', typ: 'JWT' })}.${base64(payload)}`;
      token = `${text}.${sign(text)}`;
    }
    issued.set(user, { token, expiresS });
    return token;
  };

  const verify = (token: string): string | undefined => {
    const [header, payload, signature, ...rest] = token.split('.');
    if (!header || !payload || !signature || rest.length > 0) return undefined;
    if (!isSame(sign(`${header}.${payload}`), signature)) return undefined;
    // Only what this service signed comes here, so the payload is the one written above.
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    if (typeof claims !== 'object' || claims === null || !('sub' in claims) || !('exp' in claims)) return undefined;
    const { sub, exp } = claims;
    if (typeof sub !== 'string' || typeof exp !== 'number' || exp * 1000 <= clock.nowMs()) return undefined;
    return sub;
  };

  const checkPassword = ({ login, passcode }: Credentials): string | undefined => {
    const user = known.get(login);
    return user && isSame(user.password, passcode) ? login : undefined;
  };

  const authenticate = (login: string, passcode: string): string | undefined =>
    isToken({ login, passcode }) ? verify(login) : checkPassword({ login, passcode });

  return {
    authenticate,
    answer(body) {
      const user = checkPassword(tokenRequest.parse(body));
      return user === undefined ? AUTHENTICATION_FAILED : issue(user);
    },
    roles: (login) => known.get(login.length > TOKEN_LENGTH_MIN ? (verify(login) ?? '') : login)?.roles ?? [],
  };
}

function base64(value: unknown): string {
  return Buffer.from(JSON.stringify(value), 'utf8').toString('base64url');
}

/** Compares in a time that does not depend on where two texts differ. */
function isSame(left: string, right: string): boolean {
  const a = createHmac('sha256', 'comparison').update(left).digest();
  const b = createHmac('sha256', 'comparison').update(right).digest();
  return timingSafeEqual(a, b);
}
