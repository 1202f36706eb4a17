import { SOLVE_MODES } from './command-table.js';
import { ObjectStore, type OpenObject } from './object-store.js';
import type {
  DssBusBase,
  DssBusCoordinate,
  DssModelCommand,
  DssOption,
  DssSolve,
  DssTerminalAction,
} from './script.js';

/** The mode and number of solutions of a circuit that no option has changed. */
const FIRST_MODE = SOLVE_MODES.find(([, mode]) => mode === 'snapshot')!;

/** Everything that `clear` forgets: one circuit with what was said about it. */
export class CircuitState {
  readonly store = new ObjectStore();
  readonly optionHistory: DssOption[] = [];
  readonly terminalActions: DssTerminalAction[] = [];
  /** The terminal that `open` and `close` last named of an object: the one they mean where they name none. */
  readonly activeTerminals = new Map<OpenObject, number>();
  readonly busCoordinates = new Map<string, DssBusCoordinate>();
  readonly busBases: DssBusBase[] = [];
  readonly solves: DssSolve[] = [];
  readonly modelCommands: DssModelCommand[] = [];
  /** The object that `~` and lines without a command edit. */
  active: OpenObject | undefined;
  /** It is the pattern that the last command's `like` named, not the object of that command. */
  isPatternActive = false;
  circuit: OpenObject | undefined;
  circuitName = '';
  hasCalcVoltageBases = false;
  busListOrder: number | undefined;
  allowsDuplicates = false;
  mode: string = FIRST_MODE[1];
  solveNumber: number = FIRST_MODE[2];
}
