/** Where a text goes. */
export interface LabelSpot {
  readonly x: number;
  readonly y: number;
  readonly anchor: 'start' | 'middle' | 'end';
}

interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** Side of the squares by which taken places are found, px. */
const CELL = 40;
/** Width of a letter against its size, for Helvetica in capitals and digits. */
const LETTER = 0.62;

/** Finds room for names in a drawing, one after the other: those that matter come first. */
export class LabelPlacer {
  private readonly cells = new Map<string, Box[]>();

  /** @param width - of the drawing, px; texts stay within it and its margin */
  constructor(private readonly width: number) {}

  /** Takes a square about a point. */
  take(x: number, y: number, half: number): void {
    this.add({ left: x - half, top: y - half, right: x + half, bottom: y + half });
  }

  /** Takes the places along a line. */
  takeLine(x1: number, y1: number, x2: number, y2: number): void {
    const steps = Math.ceil(Math.hypot(x2 - x1, y2 - y1) / 6);
    for (let i = 1; i < steps; i++) this.take(x1 + ((x2 - x1) * i) / steps, y1 + ((y2 - y1) * i) / steps, 1.2);
  }

  /**
   * A free place beside a point, or undefined when there is none.
   *
   * @param gap - distance from the point, px
   * @param isNeeded - takes the first place within the drawing where none is free
   */
  place(x: number, y: number, text: string, fontSize: number, gap: number, isNeeded = false): LabelSpot | undefined {
    const wide = text.length * fontSize * LETTER;
    const middle = y + fontSize * 0.36;
    const slant = gap * 0.75;
    const spots: readonly LabelSpot[] = [
      { x: x + slant, y: y - slant, anchor: 'start' },
      { x: x - slant, y: y - slant, anchor: 'end' },
      { x: x + slant, y: y + slant + fontSize * 0.72, anchor: 'start' },
      { x: x - slant, y: y + slant + fontSize * 0.72, anchor: 'end' },
      { x, y: y - gap, anchor: 'middle' },
      { x, y: y + gap + fontSize * 0.72, anchor: 'middle' },
      { x: x + gap, y: middle, anchor: 'start' },
      { x: x - gap, y: middle, anchor: 'end' },
    ];
    let within: { readonly spot: LabelSpot; readonly box: Box } | undefined;
    for (const spot of spots) {
      const left = spot.anchor === 'start' ? spot.x : spot.anchor === 'end' ? spot.x - wide : spot.x - wide / 2;
      const box = { left, top: spot.y - fontSize * 0.78, right: left + wide, bottom: spot.y + 1 };
      if (box.right > this.width + CELL || box.left < -CELL) continue;
      within ??= { spot, box };
      if (this.isTaken(box)) continue;
      this.add(box);
      return spot;
    }
    if (!isNeeded) return undefined;
    if (within) this.add(within.box);
    return within?.spot ?? { x: Math.max(-CELL, Math.min(x, this.width + CELL - wide)), y: y - gap, anchor: 'start' };
  }

  private *cellsOf({ left, top, right, bottom }: Box): Generator<string> {
    for (let i = Math.floor(left / CELL); i <= Math.floor(right / CELL); i++) {
      for (let j = Math.floor(top / CELL); j <= Math.floor(bottom / CELL); j++) yield `${i} ${j}`;
    }
  }

  private add(box: Box): void {
    for (const cell of this.cellsOf(box)) {
      const list = this.cells.get(cell);
      if (list) list.push(box);
      else this.cells.set(cell, [box]);
    }
  }

  private isTaken(box: Box): boolean {
    for (const cell of this.cellsOf(box)) {
      for (const other of this.cells.get(cell) ?? []) {
        const isApart =
          other.left >= box.right || other.right <= box.left || other.top >= box.bottom || other.bottom <= box.top;
        if (!isApart) return true;
      }
    }
    return false;
  }
}
