import type { Finding } from '../../model/index.js';

/** Where something was written: the file as the script names it and the line, counted from 1. */
export interface DssPlace {
  readonly file: string;
  readonly line: number;
}

/** How a value was written: bare, or inside the brackets or quotes that open with this character. */
export type DssQuote = '' | '(' | '[' | '{' | '"' | "'";

/**
 * One value as written: what stands between the brackets or quotes, and which they were. In OpenDSS every bracket and quote
 * means the same: a list where a list is expected, reverse-Polish arithmetic where a number is expected, else a text.
 */
export interface DssValue {
  /** The text without the outer brackets or quotes; variables (`@name`) are already replaced. */
  readonly text: string;
  readonly quote: DssQuote;
}

/** One property with its value, after abbreviation, synonym or position was resolved to the property's full name. */
export interface DssAssignment {
  /** Full name in lower case, e.g. `normamps`, `%noloadloss`, `bus1`. */
  readonly property: string;
  readonly value: DssValue;
  readonly at: DssPlace;
  /** Folder that relative file names inside the value are meant from. */
  readonly directory: string;
}

/** One object of the script: its assignments in the order in which OpenDSS would have carried them out. */
export interface DssObject {
  /** Class in lower case, e.g. `line`, `xfmrcode`, `tcc_curve`. */
  readonly className: string;
  /** Name in lower case; unique in its class unless duplicates were allowed. */
  readonly name: string;
  /** Name as first written. */
  readonly displayName: string;
  /**
   * Every assignment in order: of `new`, then of each later `edit`, `~`, `batchedit`, `enable`, `disable` and
   * `class.name.property=value`; `like` is replaced by the assignments its pattern had at that moment, less those that
   * OpenDSS does not copy (buses, names of watched elements).
   */
  readonly assignments: readonly DssAssignment[];
  readonly at: DssPlace;
  /** Number of the line that made the object, in the order in which lines were carried out; 0 for built-in ones. */
  readonly order: number;
  /** True where OpenDSS makes the object itself (`loadshape.default`, `spectrum.defaultload`, ...). */
  readonly isBuiltIn: boolean;
}

/** One `set` option or option of a `solve` line, full name in lower case. */
export interface DssOption {
  readonly option: string;
  readonly value: DssValue;
  readonly at: DssPlace;
  /** Number of the line, in the order in which lines were carried out; compares with {@link DssObject.order}. */
  readonly order: number;
  readonly directory: string;
}

/** `open` or `close` of an element's terminal; actions count in order. */
export interface DssTerminalAction {
  readonly action: 'open' | 'close';
  readonly className: string;
  readonly name: string;
  /** Terminal, from 1. */
  readonly terminal: number;
  /** Conductor of the terminal, from 1; 0 means all. */
  readonly conductor: number;
  readonly at: DssPlace;
}

/** Position of a bus from `buscoords`, `latlongcoords`, `giscoords` or `setbusxy`; x is the longitude where geographic. */
export interface DssBusCoordinate {
  /** Bus name in lower case, without nodes. */
  readonly bus: string;
  readonly x: number;
  readonly y: number;
  readonly isGeographic: boolean;
}

/** A base voltage given to one bus by `setkvbase`. */
export interface DssBusBase {
  readonly bus: string;
  /** Line-to-neutral base, kV. */
  readonly kvLineToNeutral: number;
  readonly at: DssPlace;
}

/** One `solve` with the study mode in force at that moment (`snapshot`, `daily`, `yearly`, ...) and its number of steps. */
export interface DssSolve {
  readonly mode: string;
  readonly number: number;
  readonly at: DssPlace;
}

/** A command that changes the model as a whole and is left to the converter, e.g. `allocateloads`. */
export interface DssModelCommand {
  readonly command: string;
  readonly text: string;
  readonly at: DssPlace;
}

/** What a script leaves behind once all its lines and redirects are read: the last circuit, unsolved. */
export interface DssScript {
  /** The master file as given. */
  readonly master: string;
  /** Name of the circuit as written, '' where the script makes none. */
  readonly circuitName: string;
  /** The circuit's own source, `vsource.source`; undefined where the script makes no circuit. */
  readonly circuit: DssObject | undefined;
  /** All objects in order of definition, built-in ones first. */
  readonly objects: readonly DssObject[];
  /** Objects of one class (any letter case) in order of definition. */
  byClass(className: string): readonly DssObject[];
  /** The object of this class and name (any letter case); the first one where duplicates were allowed. */
  find(className: string, name: string): DssObject | undefined;
  /** All options in order. */
  readonly optionHistory: readonly DssOption[];
  /** The last value of each option by its full lower-case name. */
  readonly options: ReadonlyMap<string, DssOption>;
  readonly terminalActions: readonly DssTerminalAction[];
  readonly busCoordinates: ReadonlyMap<string, DssBusCoordinate>;
  /** `set voltagebases`, line to line, kV. */
  readonly voltageBases: readonly number[];
  readonly hasCalcVoltageBases: boolean;
  /** Order of the first command that makes the list of buses; controls made before it cannot name a bus. */
  readonly busListOrder: number | undefined;
  readonly busBases: readonly DssBusBase[];
  readonly solves: readonly DssSolve[];
  readonly modelCommands: readonly DssModelCommand[];
  /** Every file read, in order, by the path that `DssFiles.resolve` gave. */
  readonly files: readonly string[];
  readonly findings: readonly Finding[];
}

/** Access to the files of a script; paths compare without letter case and take either slash. */
export interface DssFiles {
  /** The path of a file or folder as meant from a folder; '' is the folder the reader was started in. */
  resolve(directory: string, path: string): string;
  /** The folder part of a resolved path. */
  directoryOf(path: string): string;
  /** The text of a file, or undefined where there is none. */
  read(path: string): string | undefined;
  /** The bytes of a file, or undefined where there is none. */
  readBytes(path: string): Uint8Array | undefined;
}
