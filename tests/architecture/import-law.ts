import { dirname, join, normalize } from 'node:path';

/** One source file: path from the root of the project with forward slashes, and its text. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** Rooms in the order of DESIGN: what each may import besides itself. */
const LAW: Readonly<Record<string, readonly string[]>> = {
  'grid/math': [],
  'grid/model': ['grid/math'],
  'grid/cim': ['grid/model', 'grid/math'],
  'grid/dss': ['grid/model', 'grid/math'],
  'grid/glm': ['grid/model', 'grid/math'],
  'grid/flow': ['grid/model', 'grid/math'],
  'grid/optim': ['grid/flow', 'grid/model', 'grid/math'],
  // The public face of the package; it only names what others export.
  'grid/index.ts': ['grid/*'],
  'bus/contract': ['bus'],
  bus: ['bus/contract'],
  platform: ['grid/*', 'bus', 'bus/contract'],
  agents: ['grid/optim', 'grid/math', 'bus', 'bus/contract'],
  studies: ['grid/*', 'bus', 'bus/contract'],
  dec: ['grid/*', 'bus', 'bus/contract', 'platform', 'agents', 'studies', 'web'],
  web: ['bus', 'bus/contract'],
  inputs: ['grid/*'],
};

/** npm packages a room of grid may use; every other room may use any. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  'grid/math': [],
  'grid/model': ['graphology'],
  'grid/cim': ['graphology', 'saxes'],
  'grid/dss': ['graphology'],
  'grid/glm': ['graphology'],
  'grid/flow': ['graphology'],
  'grid/optim': ['graphology'],
  'grid/index.ts': [],
};

const IMPORT = /^\s*(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?'([^']+)'/gm;
/** `import('...')`, at run time or as a type, and `require('...')`: an arrow like any other. */
const DYNAMIC_IMPORT = /(?<![.\w])(?:import|require)\s*\(\s*(?:'([^']+)'|"([^"]+)"|`([^`$]+)`)\s*[,)]/g;
/** Files whose purpose is to load a module that the user names. */
const LOADERS: ReadonlySet<string> = new Set(['agents/worker-host.ts']);
/** The same with a path that is put together at run time: an arrow that nobody can check. */
const COMPUTED_IMPORT = /(?<![.\w])import\s*\(\s*(?!'[^']*'\s*[,)]|"[^"]*"\s*[,)]|`[^`$]*`\s*[,)])[^)\s]/;
/** Other ways to a module, which only a room outside grid may have reason for. */
const BACK_DOOR = /\b(?:createRequire|getBuiltinModule|require\s*\(\s*['"`])/;
const MAX_LINES = 600;
const IMPURE = /\b(?:async\s|await\s|Math\.random|setTimeout|setInterval|setImmediate|new Date|Date\.now|process\.)/;

/** The room a path lies in, the longest name of the law first; the public face of grid is a room of one file. */
export function roomOf(path: string): string | undefined {
  return Object.keys(LAW)
    .sort((a, b) => b.length - a.length)
    .find((room) => path === room || path.startsWith(`${room}/`));
}

/** Comments taken away, so that a word in a sentence is not code. */
function code(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1');
}

/** The sentence about a file that is too long; none when it is not. */
export function oversized({ path, text }: SourceFile): string[] {
  const lines = text.split('\n').length - 1;
  return lines > MAX_LINES ? [`${path}: ${lines} lines, more than ${MAX_LINES}`] : [];
}

/** Every breach of the import law, of purity, of size and every cycle, as sentences. */
export function breaches(files: readonly SourceFile[]): string[] {
  const found: string[] = [];
  const arrows = new Map<string, string[]>();
  for (const file of files) {
    const room = roomOf(file.path);
    if (!room) {
      found.push(`${file.path}: lies in no room of the law`);
      continue;
    }
    found.push(...oversized(file));
    const source = code(file.text);
    const isGrid = room.startsWith('grid/');
    const impure = isGrid ? IMPURE.exec(source) : null;
    if (impure) found.push(`${file.path}: grid is pure, but has '${impure[0].trim()}'`);
    if (!file.path.startsWith('bus/contract/') && /goss\.gridappsd/.test(source)) {
      found.push(`${file.path}: holds a destination name; they are declared in bus/contract`);
    }
    const computed = COMPUTED_IMPORT.exec(source);
    if (computed && !LOADERS.has(file.path))
      found.push(`${file.path}: imports a path that is computed ('${computed[0].trim()}')`);
    const door = isGrid ? BACK_DOOR.exec(source) : null;
    if (door) found.push(`${file.path}: grid may not have '${door[0].trim()}'`);
    const late = [...source.matchAll(DYNAMIC_IMPORT)].map((match) => [
      match[0],
      undefined,
      match[1] ?? match[2] ?? match[3],
    ]);
    for (const [, isType, target] of [...source.matchAll(IMPORT), ...late]) {
      if (!target) continue;
      if (!target.startsWith('.')) {
        const name = target.startsWith('@') ? target.split('/').slice(0, 2).join('/') : target.split('/')[0]!;
        if (isGrid && !PACKAGES[room]!.includes(name)) found.push(`${file.path}: grid may not import '${target}'`);
        continue;
      }
      const path = normalize(join(dirname(file.path), target))
        .replaceAll('\\', '/')
        .replace(/\.js$/, '.ts');
      if (!isType) arrows.set(file.path, [...(arrows.get(file.path) ?? []), path]);
      const other = roomOf(path);
      if (!other) {
        found.push(`${file.path}: imports '${target}', which lies in no room`);
        continue;
      }
      if (other === room) continue;
      const isTypeOfGrid = room === 'bus/contract' && isType !== undefined && other.startsWith('grid/');
      const isAllowed =
        isTypeOfGrid || LAW[room]!.some((name) => name === other || (name === 'grid/*' && other.startsWith('grid/')));
      if (!isAllowed) found.push(`${file.path}: ${room} may not import ${other} ('${target}')`);
      const isSameHouse = room.split('/')[0] === 'bus' && other.split('/')[0] === 'bus';
      if (!isSameHouse && !path.endsWith('/index.ts')) {
        found.push(`${file.path}: imports an inner file of ${other} ('${target}'), not its index`);
      }
    }
  }
  return [...found, ...cycles(arrows)];
}

/** Cycles of run-time imports between files, each once. */
function cycles(arrows: ReadonlyMap<string, readonly string[]>): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const walk = (path: string, trail: readonly string[]): void => {
    const at = trail.indexOf(path);
    if (at >= 0) {
      found.push(`cycle: ${[...trail.slice(at), path].join(' -> ')}`);
      return;
    }
    if (done.has(path)) return;
    for (const next of arrows.get(path) ?? []) walk(next, [...trail, path]);
    done.add(path);
  };
  for (const path of arrows.keys()) walk(path, []);
  return found;
}
