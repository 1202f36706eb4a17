// Writes docs/validation.md anew from a run over all references: `npm run validate`.
import { startVitest } from 'vitest/node';

process.env.DEC_VALIDATION = 'write';
const vitest = await startVitest('test', ['tests/golden/validation'], { run: true, project: ['check'] });
await vitest.close();
