import { describe, expect, it } from 'vitest';
import { hashPassword, tokenReply, tokenRequest } from '../../../bus/index.js';
import { createTokenService, DEFAULT_USERS } from '../../../platform/token-service.js';

const NOW_MS = 1_700_000_000_000;
const clock = { nowMs: () => NOW_MS };

function claimsOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString('utf8'));
}

describe('the token service', () => {
  it('answers user and password with a JWT longer than 250 characters and the claims of the platform', async () => {
    const token = tokenReply.parse(
      await createTokenService(clock).answer(tokenRequest.format({ login: 'system', passcode: 'manager' })),
    );
    // Lengths and claims: GridAPPS-D protocol, section 1.3.
    expect(token.length).toBeGreaterThan(250);
    expect(claimsOf(token)).toMatchObject({
      sub: 'system',
      iss: 'GridOPTICS Software System',
      iat: NOW_MS / 1000,
      exp: NOW_MS / 1000 + 5 * 86_400,
      roles: expect.arrayContaining(['admin']),
    });
  });

  it('takes the token as a login with an empty password, and the password itself', async () => {
    const service = createTokenService(clock);
    const token = await service.answer(tokenRequest.format({ login: 'tutorial_user', passcode: '12345!' }));
    expect(service.authenticate(token, '')).toBe('tutorial_user');
    expect(service.roles(token)).toEqual(DEFAULT_USERS['tutorial_user']!.roles);
    expect(service.authenticate('system', 'manager')).toBe('system');
    expect(service.authenticate('system', 'Manager')).toBeUndefined();
    expect(service.authenticate('nobody', 'manager')).toBeUndefined();
  });

  it('refuses a wrong password with the text of the platform', () => {
    const answer = createTokenService(clock).answer(tokenRequest.format({ login: 'system', passcode: 'wrong' }));
    expect(answer).toBe('authentication failed');
  });

  it('refuses tokens that were changed, made by another run, or are too old', async () => {
    let nowMs = NOW_MS;
    const service = createTokenService({ nowMs: () => nowMs });
    const token = await service.answer(tokenRequest.format({ login: 'system', passcode: 'manager' }));
    const [header, , signature] = token.split('.');
    const forged = Buffer.from(JSON.stringify({ ...claimsOf(token), sub: 'operator1' })).toString('base64url');
    expect(service.authenticate(`${header}.${forged}.${signature}`, '')).toBeUndefined();
    expect(createTokenService(clock).authenticate(token, '')).toBeUndefined();
    nowMs += 6 * 86_400_000;
    expect(service.authenticate(token, '')).toBeUndefined();
  });

  it('keeps passwords as records: right ones come in, wrong ones and unknown names do not, and roles and permissions hold', async () => {
    const password = await hashPassword('correct horse');
    expect(password).not.toContain('correct');
    const service = createTokenService(clock, {
      viz: { password, roles: ['user'], send: ['goss.gridappsd.process.>'], subscribe: ['/topic/goss.gridappsd.>'] },
    });
    expect(await service.authenticate('viz', 'correct horse')).toBe('viz');
    expect(await service.authenticate('viz', 'correct horse')).toBe('viz');
    expect(await service.authenticate('viz', 'wrong horse')).toBeUndefined();
    expect(await service.authenticate('viz', password)).toBeUndefined();
    expect(await service.authenticate('nobody', 'correct horse')).toBeUndefined();
    const token = tokenReply.parse(
      await service.answer(tokenRequest.format({ login: 'viz', passcode: 'correct horse' })),
    );
    expect(service.authenticate(token, '')).toBe('viz');
    const may = (action: 'send' | 'subscribe', destination: string) => service.authorize(token, action, destination);
    expect([may('send', '/queue/goss.gridappsd.process.request.simulation'), may('send', '/topic/other')]).toEqual([
      true,
      false,
    ]);
    expect([may('subscribe', '/topic/goss.gridappsd.>'), may('subscribe', '/topic/>')]).toEqual([true, false]);
    expect([may('subscribe', '/queue/goss.gridappsd.x'), may('subscribe', '/temp-queue/r')]).toEqual([false, true]);
  });

  it('names a malformed request', () => {
    expect(() => createTokenService(clock).answer('{"user":"system"}')).toThrow(/token request/);
  });
});
