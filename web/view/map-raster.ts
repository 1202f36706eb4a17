/*
 * The map as pixels. For one camera the pixels that every line and point can touch are found once, each with its distance from
 * the middle; a change of colours then only blends those pixels: no path is filled, no shader runs, nothing is uploaded but the
 * picture. Cost: building is linear in the pixels touched, painting too (10,000 lines and points: 2 ms). Widths may change with
 * the colours, up to the widest. Lines are painted in their order, points above them, points outside the limits last.
 */

/** Lines and points in device pixels, y downwards. */
export interface RasterShape {
  readonly width: number;
  readonly height: number;
  /** x and y of both ends of every line. */
  readonly lines: Float32Array;
  /** Half the widths that a line may have, by look. */
  readonly lineHalfWidths: readonly number[];
  /** x and y of every point. */
  readonly points: Float32Array;
  /** Kind of every point: index of `radii`. */
  readonly kinds: Uint8Array;
  readonly radii: readonly number[];
  /** Device pixels of a pixel of the page. */
  readonly ratio: number;
}

/** What a paint takes; colours are packed as `0xAABBGGRR`. */
export interface RasterLook {
  readonly ground: number;
  readonly ring: number;
  /** By line: index of {@link RasterShape.lineHalfWidths}. */
  readonly lineWidths: Uint8Array;
  readonly lineColours: Uint32Array;
  /** By point: {@link POINT_STATE}. */
  readonly states: Uint8Array;
  readonly pointColours: Uint32Array;
}

/** How a point stands: measured inside the limits, without a value (smaller), or outside (larger, with a ring). */
export const POINT_STATE = { inside: 0, faint: 1, outside: 2 } as const;
/** Radius by state, of that of the kind. */
const GROWTH = [1, 0.7, 1.25] as const;
/** Ring of a point outside: from where to where beyond its radius, px of the page. */
const RING_PX = [1.2, 2.8] as const;
/** Steps of distance a table has. */
const STEPS = 256;
/** Coverage of a pixel that nothing shines through. */
const FULL = 256;

/** A list that grows, of the pixels of all elements of a sort, one element after the other. */
class Fragments {
  pixels = new Uint32Array(1 << 16);
  distances = new Uint8Array(1 << 16);
  count = 0;
  /** Where each element begins, and where the last ends. */
  readonly starts: Uint32Array;

  constructor(elements: number) {
    this.starts = new Uint32Array(elements + 1);
  }

  add(pixel: number, distance: number): void {
    if (this.count === this.pixels.length) {
      const [pixels, distances] = [this.pixels, this.distances];
      this.pixels = new Uint32Array(2 * this.count);
      this.pixels.set(pixels);
      this.distances = new Uint8Array(2 * this.count);
      this.distances.set(distances);
    }
    this.pixels[this.count] = pixel;
    this.distances[this.count++] = distance;
  }
}

/** A map of one camera, ready to be painted in any colours. */
export class MapRaster {
  readonly width: number;
  readonly height: number;
  private readonly shape: RasterShape;
  private readonly lines: Fragments;
  private readonly points: Fragments;
  private readonly lineStep: number;
  private readonly pointStep: number;
  /** Coverage by width of line and step of distance. */
  private readonly lineCover: Uint16Array;
  /** Coverage by kind, state and step; of the ring by kind and step. */
  private readonly pointCover: Uint16Array;
  private readonly ringCover: Uint16Array;

  constructor(shape: RasterShape) {
    this.shape = shape;
    this.width = shape.width;
    this.height = shape.height;
    const { radii, lineHalfWidths, ratio } = shape;
    const lineReach = Math.max(...lineHalfWidths) + 0.5;
    const widest = Math.max(...radii, 0);
    const pointReach = GROWTH[2] * widest + RING_PX[1] * ratio + 0.5;
    // Eight steps a pixel, fewer where more would not fit.
    this.lineStep = Math.max(1 / 8, lineReach / (STEPS - 1));
    this.pointStep = Math.max(1 / 8, pointReach / (STEPS - 1));
    this.lineCover = table(lineHalfWidths.length, this.lineStep, (row, d) => {
      const half = lineHalfWidths[row]!;
      return Math.min(1, 2 * half) * share(half + 0.5 - d);
    });
    this.pointCover = table(3 * radii.length, this.pointStep, (row, d) =>
      share(radii[Math.floor(row / 3)]! * GROWTH[row % 3]! + 0.5 - d),
    );
    this.ringCover = table(radii.length, this.pointStep, (row, d) => {
      const r = radii[row]! * GROWTH[2];
      return Math.min(share(d - r - RING_PX[0] * ratio + 0.5), share(r + RING_PX[1] * ratio + 0.5 - d));
    });
    this.points = this.pointPixels();
    this.lines = this.linePixels(lineReach, this.hiddenPixels());
  }

  /** Pixels that a paint works on. */
  get fragments(): number {
    return this.lines.count + this.points.count;
  }

  /** Fills a picture of {@link width} times {@link height}. */
  paint(picture: Uint32Array, look: RasterLook): void {
    picture.fill(look.ground);
    const { lines, points, shape } = this;
    for (let e = 0; e < look.lineColours.length; e++) {
      const row = look.lineWidths[e]! * STEPS;
      blend(picture, lines, lines.starts[e]!, lines.starts[e + 1]!, this.lineCover, row, look.lineColours[e]!);
    }
    const { kinds } = shape;
    for (let i = 0; i < kinds.length; i++) {
      const state = look.states[i]!;
      if (state === POINT_STATE.outside) continue;
      const row = (3 * kinds[i]! + state) * STEPS;
      blend(picture, points, points.starts[i]!, points.starts[i + 1]!, this.pointCover, row, look.pointColours[i]!);
    }
    for (let i = 0; i < kinds.length; i++) {
      if (look.states[i] !== POINT_STATE.outside) continue;
      const [from, to, kind] = [points.starts[i]!, points.starts[i + 1]!, kinds[i]!];
      const row = (3 * kind + POINT_STATE.outside) * STEPS;
      blend(picture, points, from, to, this.pointCover, row, look.pointColours[i]!);
      blend(picture, points, from, to, this.ringCover, kind * STEPS, look.ring);
    }
  }

  private pointPixels(): Fragments {
    const { width, height, shape, pointStep } = this;
    const { points, kinds, radii, ratio } = shape;
    const found = new Fragments(kinds.length);
    for (let i = 0; i < kinds.length; i++) {
      const [x, y] = [points[2 * i]!, points[2 * i + 1]!];
      const reach = radii[kinds[i]!]! * GROWTH[2] + RING_PX[1] * ratio + 0.5;
      const bottom = Math.min(height - 1, Math.floor(y + reach));
      const right = Math.min(width - 1, Math.floor(x + reach));
      for (let row = Math.max(0, Math.ceil(y - reach)); row <= bottom; row++) {
        for (let column = Math.max(0, Math.ceil(x - reach)); column <= right; column++) {
          const d = Math.sqrt((column - x) ** 2 + (row - y) ** 2);
          if (d <= reach) found.add(row * width + column, Math.round(d / pointStep));
        }
      }
      found.starts[i + 1] = found.count;
    }
    return found;
  }

  /** Where a point hides all lines whatever its state. */
  private hiddenPixels(): Uint8Array {
    const hidden = new Uint8Array(this.width * this.height);
    const { starts, pixels, distances } = this.points;
    const { kinds } = this.shape;
    for (let i = 0; i < kinds.length; i++) {
      const row = (3 * kinds[i]! + POINT_STATE.faint) * STEPS;
      for (let f = starts[i]!; f < starts[i + 1]!; f++) {
        if (this.pointCover[row + distances[f]!] === FULL) hidden[pixels[f]!] = 1;
      }
    }
    return hidden;
  }

  private linePixels(reach: number, hidden: Uint8Array): Fragments {
    const { width, height, shape, lineStep } = this;
    const { lines } = shape;
    const found = new Fragments(lines.length / 4);
    for (let e = 0; 4 * e < lines.length; e++) {
      const [ax, ay] = [lines[4 * e]!, lines[4 * e + 1]!];
      const [dx, dy] = [lines[4 * e + 2]! - ax, lines[4 * e + 3]! - ay];
      const squared = dx * dx + dy * dy;
      const length = Math.sqrt(squared);
      const left = Math.max(0, Math.ceil(Math.min(ax, ax + dx) - reach));
      const right = Math.min(width - 1, Math.floor(Math.max(ax, ax + dx) + reach));
      const top = Math.max(0, Math.ceil(Math.min(ay, ay + dy) - reach));
      const bottom = Math.min(height - 1, Math.floor(Math.max(ay, ay + dy) + reach));
      for (let y = top; y <= bottom; y++) {
        // The stretch of the row that lies no farther than reach from the endless line.
        let [from, to] = [left, right];
        if (Math.abs(dy) > 1e-6) {
          const middle = ax + (dx * (y - ay)) / dy;
          const half = (reach * length) / Math.abs(dy);
          from = Math.max(from, Math.ceil(middle - half));
          to = Math.min(to, Math.floor(middle + half));
        }
        for (let x = from; x <= to; x++) {
          if (hidden[y * width + x] === 1) continue;
          const along = squared > 0 ? Math.max(0, Math.min(1, ((x - ax) * dx + (y - ay) * dy) / squared)) : 0;
          const d = Math.sqrt((x - ax - along * dx) ** 2 + (y - ay - along * dy) ** 2);
          if (d <= reach) found.add(y * width + x, Math.round(d / lineStep));
        }
      }
      found.starts[e + 1] = found.count;
    }
    return found;
  }
}

/** A packed colour from `#rrggbb` or `#rgb`. */
export function packed(colour: string): number {
  const digits = colour.length === 4 ? colour.replace(/[\da-f]/gi, '$&$&') : colour;
  const at = (i: number) => Number.parseInt(digits.slice(i, i + 2), 16);
  return (0xff000000 | (at(5) << 16) | (at(3) << 8) | at(1)) >>> 0;
}

function share(value: number): number {
  return Math.max(0, Math.min(1, value));
}

function table(rows: number, step: number, cover: (row: number, distance: number) => number): Uint16Array {
  return Uint16Array.from({ length: rows * STEPS }, (_, i) =>
    Math.round(FULL * cover(Math.floor(i / STEPS), (i % STEPS) * step)),
  );
}

/** Lays a colour over a stretch of pixels, as much as the table says for their distances. */
function blend(
  picture: Uint32Array,
  { pixels, distances }: Fragments,
  from: number,
  to: number,
  cover: Uint16Array,
  row: number,
  colour: number,
): void {
  const [rb, g] = [colour & 0xff00ff, colour & 0xff00];
  for (let f = from; f < to; f++) {
    const a = cover[row + distances[f]!]!;
    if (a === 0) continue;
    const pixel = pixels[f]!;
    if (a === FULL) {
      picture[pixel] = colour;
      continue;
    }
    const below = picture[pixel]!;
    const b = FULL - a;
    picture[pixel] =
      0xff000000 |
      (((rb * a + (below & 0xff00ff) * b) >>> 8) & 0xff00ff) |
      (((g * a + (below & 0xff00) * b) >>> 8) & 0xff00);
  }
}
