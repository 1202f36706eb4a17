import { ComplexDense } from '../math/index.js';
import type {
  Capacitor,
  CurrentSource,
  InductionMachine,
  Line,
  Reactor,
  Source,
  Switch,
  Transformer,
} from './element.js';
import { type Conductor, capacitorNodes, conductorsOf, type Primitive } from './primitive.js';
import { transformerConductors } from './transformer-primitive.js';

/** A branch, source or capacitor placed in the node numbering. */
export interface CompiledElement {
  readonly id: string;
  readonly name: string;
  readonly kind: 'source' | 'line' | 'switch' | 'reactor' | 'transformer' | 'capacitor' | 'inductionMachine';
  readonly conductors: readonly Conductor[];
  /** Node index of each conductor, -1 for ground: a view, made when first asked for. */
  readonly nodes: Int32Array;
  /** The same where the nodes of many elements lie: that of conductor i is `nodeRoom[nodeStart + i]`, of `primitive.y.n` in all. */
  readonly nodeRoom: Int32Array;
  readonly nodeStart: number;
  /** Primitive admittance in the state of the model (taps, switches, sections as given). */
  readonly primitive: Primitive;
}

/** What has an admittance of its own. */
export type AdmittanceElement =
  | Source
  | CurrentSource
  | Line
  | Switch
  | Reactor
  | Transformer
  | Capacitor
  | InductionMachine;

function conductorsOfElement(element: AdmittanceElement): Conductor[] {
  switch (element.kind) {
    case 'line':
    case 'switch':
    case 'reactor':
      return [...conductorsOf(element.from, 1), ...conductorsOf(element.to, 2)];
    case 'transformer':
      return transformerConductors(element);
    case 'capacitor':
      return capacitorNodes(element).map((node) => ({ terminal: 1, bus: element.terminal.bus, node }));
    case 'inductionMachine':
      return conductorsOf(element.terminal, 1);
    default: {
      const { terminal, returnTerminal } = element;
      return [...conductorsOf(terminal, 1), ...(returnTerminal ? conductorsOf(returnTerminal, 2) : [])];
    }
  }
}

/** An element as placed, with its own admittance; lists and views are made when first asked for, as a large feeder has many. */
export class PlacedElement implements CompiledElement, Primitive {
  private view: Int32Array | undefined;
  private list: readonly Conductor[] | undefined;

  constructor(
    private readonly element: AdmittanceElement,
    readonly kind: CompiledElement['kind'],
    readonly y: ComplexDense,
    readonly nodeRoom: Int32Array,
    readonly nodeStart: number,
  ) {
    this.view = undefined;
    this.list = undefined;
  }

  get id(): string {
    return this.element.id;
  }

  get name(): string {
    return this.element.name;
  }

  get primitive(): Primitive {
    return this;
  }

  get conductors(): readonly Conductor[] {
    this.list ??= conductorsOfElement(this.element);
    return this.list;
  }

  get nodes(): Int32Array {
    const { nodeRoom, nodeStart, y } = this;
    this.view ??= new Int32Array(nodeRoom.buffer, nodeRoom.byteOffset + 4 * nodeStart, y.n);
    return this.view;
  }
}

/** Entries of a piece of {@link NodeStore}. */
const PIECE = 2048;

/** Room for the nodes of elements, a few large arrays. */
export class NodeStore {
  /** The piece that is being filled, and where what was asked for last begins in it. */
  piece = new Int32Array(0);
  start = 0;
  private used = 0;

  /** Makes room for so many nodes, at {@link start} of {@link piece}. */
  take(count: number): void {
    if (this.used + count > this.piece.length) {
      this.piece = new Int32Array(Math.max(PIECE, count));
      this.used = 0;
    }
    this.start = this.used;
    this.used += count;
  }
}

const NOWHERE = { bus: '', nodes: [] };
const NOTHING = { n: 0, re: [], im: [] };

/** One that stays: a class without an object loses its machine code at the next collection. */
export const KEPT_ELEMENT = new PlacedElement(
  { id: '', mrid: '', name: '', kind: 'reactor', from: NOWHERE, to: NOWHERE, seriesOhm: NOTHING },
  'reactor',
  new ComplexDense(0),
  new Int32Array(0),
  0,
);
