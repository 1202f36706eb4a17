import { expect, test } from 'vitest';
import { isLoopback } from '../../../bus/index.js';

test('only addresses of this machine are loopback', () => {
  expect(['127.0.0.1', '::1', 'localhost', '127.8.0.1', '127.1'].every(isLoopback)).toBe(true);
  expect(['0.0.0.0', '::', '10.0.0.1', '127.0.0.1.example', '128.0.0.1', ''].some(isLoopback)).toBe(false);
});
