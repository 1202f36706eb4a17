import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { loadAgentModule } from '../agents/index.js';
import { asError } from '../bus/index.js';
import { DecError } from '../grid/math/index.js';

/**
 * The URL of a module with agents of another make, loaded once to see that it can be.
 *
 * @param written - URL, or path of a file
 * @throws DecError `BAD_ARGUMENT` when there is no such file, or it does not export what it should
 */
export async function agentModuleUrl(written: string): Promise<string> {
  const isUrl = /^(file|data|node):/.test(written);
  const url = isUrl ? written : pathToFileURL(resolve(written)).href;
  if (url.startsWith('file:') && !existsSync(fileURLToPath(url))) {
    throw new DecError('BAD_ARGUMENT', `--agent-module ${written}: there is no such file.`, { module: written });
  }
  try {
    await loadAgentModule(url);
  } catch (cause) {
    throw new DecError(
      'BAD_ARGUMENT',
      `--agent-module ${written} cannot be used: ${asError(cause).message}. It must be an ES module that exports a function createServiceAgent(model, settings).`,
      { module: written },
      { cause },
    );
  }
  return url;
}
