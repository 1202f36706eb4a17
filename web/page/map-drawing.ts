import { type DrawnSign, MapRaster, type MapView, type RasterLook } from '../index.js';

/** How lines and points look now: what a {@link MapRaster} paints, and the colours of what is drawn above it. */
export interface MapLook extends RasterLook {
  readonly text: string;
  readonly panel: string;
  readonly accent: string;
}

/** What the pointer is on: a point or a line, by its index in the view. */
export interface MapFind {
  readonly sort: 'point' | 'line';
  readonly index: number;
  /** On the drawing, px. */
  readonly x: number;
  readonly y: number;
  /** Whether words beside it have more room on its left. */
  readonly isRight: boolean;
}

/** Who is told of the pointer. */
export interface MapListeners {
  readonly onHover: (found: MapFind | undefined) => void;
  readonly onSelect: (found: MapFind | undefined) => void;
}

/** Radius of points by kind, px. */
const POINT_PX = { bus: 3.2, secondary: 2.1, area: 4.2 } as const;
const KINDS = ['bus', 'secondary', 'area'] as const;
/** Half the size of a sign, px. */
const SIGN_PX = 5;
/** Room around the feeder, px. */
const MARGIN_PX = 26;
/** Nearest and farthest, of the size at which all is seen. */
const NEAREST = 0.02;
const FARTHEST = 3;
/** Room a point takes where it is drawn in full, px; where there is less, points and lines are smaller. */
const ROOM_PX = 13;
/** Above so many points a pixel of the screen is not divided: what is drawn is small and there is much of it. */
const MANY_POINTS = 4000;
/** How far from a thing the pointer finds it, px. */
const GRASP_PX = 8;

/** Where the middle of the drawing lies on the map, and how near it is: pixels a unit over those at which all is seen. */
interface Camera {
  x: number;
  y: number;
  ratio: number;
}

/** A feeder on a canvas: pixels of lines and points from {@link MapRaster}; a canvas above has signs and the selection. */
export class MapDrawing {
  private readonly canvas: HTMLCanvasElement;
  private readonly over: HTMLCanvasElement;
  private readonly look: () => MapLook;
  private readonly listeners: MapListeners;
  private readonly widths: readonly number[];
  private readonly observer: ResizeObserver;
  private readonly ended = new AbortController();
  private readonly pointers = new Map<number, { x: number; y: number }>();
  private view: MapView = { points: [], edges: [], signs: [], pointOfBus: [] };
  private places = new Float64Array(0);
  private ends = new Uint32Array(0);
  private kinds = new Uint8Array(0);
  private indexOf: ReadonlyMap<string, number> = new Map();
  private extent = { x: 0, y: 0, width: 1, height: 1 };
  /** Of the drawing on the page, px. */
  private size = { width: 0, height: 0 };
  private camera: Camera = { x: 0, y: 0, ratio: 1 };
  private isFitted = true;
  private selected: string | undefined;
  /** Index of the marked line. */
  private marked: number | undefined;
  private raster: MapRaster | undefined;
  private picture: ImageData | undefined;
  private frame: number | undefined;
  private motion: number | undefined;
  private isPaintDue = false;
  private isOverDue = false;
  private hasMoved = false;

  /** @param widths - widths that lines may have, px */
  constructor(
    canvas: HTMLCanvasElement,
    over: HTMLCanvasElement,
    widths: readonly number[],
    look: () => MapLook,
    listeners: MapListeners,
  ) {
    this.canvas = canvas;
    this.over = over;
    this.widths = widths;
    this.look = look;
    this.listeners = listeners;
    this.observer = new ResizeObserver(() => {
      this.size = { width: canvas.clientWidth, height: canvas.clientHeight };
      this.moved();
    });
    this.observer.observe(canvas);
    this.listen();
  }

  /** Shows another feeder, or the same with its areas opened or collapsed. */
  show(view: MapView): void {
    this.view = view;
    this.indexOf = new Map(view.points.map(({ key }, i) => [key, i]));
    this.places = Float64Array.from(view.points.flatMap(({ x, y }) => [x, y]));
    this.kinds = Uint8Array.from(view.points, ({ kind }) => KINDS.indexOf(kind));
    this.ends = Uint32Array.from(
      view.edges.flatMap(({ from, to }) => [this.indexOf.get(from)!, this.indexOf.get(to)!]),
    );
    let [left, right, low, high] = [Infinity, -Infinity, Infinity, -Infinity];
    for (const { x, y } of view.points) {
      left = Math.min(left, x);
      right = Math.max(right, x);
      low = Math.min(low, y);
      high = Math.max(high, y);
    }
    if (left <= right) {
      const [width, height] = [Math.max(right - left, 1e-6), Math.max(high - low, 1e-6)];
      this.extent = { x: (left + right) / 2, y: (low + high) / 2, width, height };
    }
    if (this.isFitted) this.camera = { x: this.extent.x, y: this.extent.y, ratio: 1 };
    this.moved();
  }

  /** Draws anew what has other colours; places stay. */
  recolour(): void {
    this.isPaintDue = true;
    this.schedule();
  }

  /** Draws anew what lies above lines and points. */
  retouch(): void {
    this.isOverDue = true;
    this.schedule();
  }

  /** Marks a point. @param isCentred - whether the map moves to it */
  select(key: string | undefined, isCentred = false): void {
    this.selected = key;
    const index = key === undefined ? undefined : this.indexOf.get(key);
    if (isCentred && index !== undefined) {
      const [x, y] = [this.places[2 * index]!, this.places[2 * index + 1]!];
      this.travel({ x, y, ratio: Math.min(this.camera.ratio, 0.35) }, 250);
    }
    this.retouch();
  }

  /** Marks a line, by its index in the view. */
  mark(line: number | undefined): void {
    this.marked = line;
    this.retouch();
  }

  /** Nearer (below 1) or farther. */
  zoom(factor: number): void {
    this.travel({ ...this.camera, ratio: bounded(this.camera.ratio * factor) }, 150);
  }

  /** Moves by shares of what is seen. */
  pan(x: number, y: number): void {
    const scale = this.scale();
    this.camera.x += (x * this.size.width) / scale;
    this.camera.y += (y * this.size.height) / scale;
    this.isFitted = false;
    this.moved();
  }

  /** Shows everything. */
  fit(): void {
    this.travel({ x: this.extent.x, y: this.extent.y, ratio: 1 }, 200);
    this.isFitted = true;
  }

  /** What is drawn now, as a PNG. */
  async png(): Promise<Blob | null> {
    this.draw();
    const both = document.createElement('canvas');
    both.width = this.canvas.width;
    both.height = this.canvas.height;
    const ctx = both.getContext('2d');
    ctx?.drawImage(this.canvas, 0, 0);
    ctx?.drawImage(this.over, 0, 0, both.width, both.height);
    return new Promise((resolve) => both.toBlob(resolve, 'image/png'));
  }

  end(): void {
    this.observer.disconnect();
    this.ended.abort();
    if (this.frame !== undefined) cancelAnimationFrame(this.frame);
    if (this.motion !== undefined) cancelAnimationFrame(this.motion);
  }

  /** Pixels of the page a unit of the map. */
  private scale(ratio = this.camera.ratio): number {
    const { width, height } = this.extent;
    const wide = Math.max(10, this.size.width - 2 * MARGIN_PX) / width;
    const high = Math.max(10, this.size.height - 2 * MARGIN_PX) / height;
    return Math.min(wide, high) / ratio;
  }

  private toPage(x: number, y: number, scale = this.scale()): readonly [number, number] {
    const { camera, size } = this;
    return [size.width / 2 + (x - camera.x) * scale, size.height / 2 - (y - camera.y) * scale];
  }

  /** How large things are drawn: less where they are many, more where the map is nearer, though they grow more slowly. */
  private growth(): number {
    const { width, height } = this.extent;
    const unit = this.scale(1);
    const room = Math.sqrt((width * unit * height * unit) / Math.max(1, this.view.points.length));
    const crowded = Math.max(0.5, Math.min(1, room / ROOM_PX));
    return Math.min(1.6, crowded * this.camera.ratio ** -0.4) * (this.camera.ratio > 1 ? 0.9 : 1);
  }

  /** Something lies elsewhere now. */
  private moved(): void {
    this.raster = undefined;
    this.isPaintDue = true;
    this.isOverDue = true;
    this.schedule();
  }

  /** Draws at once what is the first change of a frame, and what comes after it with the next frame. */
  private schedule(): void {
    if (this.frame === undefined) this.drawFrame();
  }

  private drawFrame(): void {
    this.frame = undefined;
    if ((!this.isPaintDue && !this.isOverDue) || this.size.width === 0 || this.size.height === 0) return;
    this.draw();
    this.frame = requestAnimationFrame(() => this.drawFrame());
  }

  private draw(): void {
    if (this.isPaintDue) this.paint();
    if (this.isOverDue) this.drawOver();
  }

  private paint(): void {
    const { canvas } = this;
    const look = this.look();
    this.isPaintDue = false;
    // Colours of another view: those of this one are on their way.
    if (look.states.length !== this.kinds.length || 2 * look.lineColours.length !== this.ends.length) return;
    const ctx = canvas.getContext('2d');
    if (!ctx) return;
    this.raster ??= this.rasterNow();
    const { width, height } = this.raster;
    if (canvas.width !== width || canvas.height !== height || !this.picture) {
      canvas.width = width;
      canvas.height = height;
      this.picture = ctx.createImageData(width, height);
    }
    this.raster.paint(new Uint32Array(this.picture.data.buffer), look);
    ctx.putImageData(this.picture, 0, 0);
  }

  private rasterNow(): MapRaster {
    const { size: box, places, ends } = this;
    const scale = this.scale();
    const ratio = this.kinds.length > MANY_POINTS ? 1 : Math.min(2, devicePixelRatio);
    const points = new Float32Array(places.length);
    for (let i = 0; i < places.length; i += 2) {
      const [x, y] = this.toPage(places[i]!, places[i + 1]!, scale);
      points[i] = x * ratio - 0.5;
      points[i + 1] = y * ratio - 0.5;
    }
    const lines = new Float32Array(2 * ends.length);
    ends.forEach((end, i) => {
      lines[2 * i] = points[2 * end]!;
      lines[2 * i + 1] = points[2 * end + 1]!;
    });
    const size = this.growth() * ratio;
    return new MapRaster({
      ...{ width: Math.round(box.width * ratio), height: Math.round(box.height * ratio), ratio },
      ...{ lines, points, kinds: this.kinds },
      lineHalfWidths: this.widths.map((width) => Math.max(0.3, (width * size) / 2)),
      radii: KINDS.map((kind) => POINT_PX[kind] * size),
    });
  }

  private drawOver(): void {
    this.isOverDue = false;
    const { width, height } = this.size;
    const ratio = devicePixelRatio;
    const { over } = this;
    if (over.width !== Math.round(width * ratio) || over.height !== Math.round(height * ratio)) {
      over.width = Math.round(width * ratio);
      over.height = Math.round(height * ratio);
    }
    const ctx = over.getContext('2d');
    if (!ctx) return;
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    ctx.clearRect(0, 0, width, height);
    const look = this.look();
    if (this.marked !== undefined && 2 * this.marked + 1 < this.ends.length)
      this.drawMark(ctx, this.marked, look.accent);
    for (const sign of this.view.signs) {
      const [x, y] = this.toPage(sign.x, sign.y);
      if (x > -20 && y > -20 && x < width + 20 && y < height + 20) drawSign(ctx, sign, { x, y }, look);
    }
    const index = this.selected === undefined ? undefined : this.indexOf.get(this.selected);
    if (index === undefined) return;
    const [x, y] = this.toPage(this.places[2 * index]!, this.places[2 * index + 1]!);
    ctx.lineWidth = 2.5;
    ctx.strokeStyle = look.accent;
    ctx.beginPath();
    ctx.arc(x, y, POINT_PX[KINDS[this.kinds[index]!]!] * this.growth() + 5.5, 0, 2 * Math.PI);
    ctx.stroke();
  }

  /** Lines beside the marked one, so that its own look stays to be seen. */
  private drawMark(ctx: CanvasRenderingContext2D, line: number, colour: string): void {
    const [ax, ay, bx, by] = [0, 1].flatMap((k) => {
      const end = 2 * this.ends[2 * line + k]!;
      return this.toPage(this.places[end]!, this.places[end + 1]!);
    }) as [number, number, number, number];
    const length = Math.max(1e-6, Math.hypot(bx - ax, by - ay));
    const [dx, dy] = [(-5 * (by - ay)) / length, (5 * (bx - ax)) / length];
    ctx.lineWidth = 2;
    ctx.strokeStyle = colour;
    ctx.beginPath();
    for (const side of [-1, 1]) {
      ctx.moveTo(ax + side * dx, ay + side * dy);
      ctx.lineTo(bx + side * dx, by + side * dy);
    }
    ctx.stroke();
  }

  /** Moves the camera in so many ms; at once where the reader wants no motion. */
  private travel(to: Camera, ms: number): void {
    if (this.motion !== undefined) cancelAnimationFrame(this.motion);
    this.isFitted = false;
    const from = this.camera;
    const begin = performance.now();
    const span = matchMedia('(prefers-reduced-motion: reduce)').matches ? 0 : ms;
    const step = (now: number): void => {
      const part = span === 0 ? 1 : Math.max(0, Math.min(1, (now - begin) / span));
      const eased = part * (2 - part);
      this.camera = {
        x: from.x + eased * (to.x - from.x),
        y: from.y + eased * (to.y - from.y),
        ratio: from.ratio * (to.ratio / from.ratio) ** eased,
      };
      this.moved();
      this.motion = part < 1 ? requestAnimationFrame(step) : undefined;
    };
    step(begin);
  }

  /** Nearer or farther around a place of the page that stays where it is. */
  private zoomAt(factor: number, px: number, py: number): void {
    const ratio = bounded(this.camera.ratio * factor);
    const [before, after] = [this.scale(), this.scale(ratio)];
    const dx = px - this.size.width / 2;
    const dy = this.size.height / 2 - py;
    this.camera = {
      x: this.camera.x + dx / before - dx / after,
      y: this.camera.y + dy / before - dy / after,
      ratio,
    };
    this.isFitted = false;
    this.moved();
  }

  /** The point under a place of the page, else the line. */
  private find(px: number, py: number): MapFind | undefined {
    const { places, ends, camera, size } = this;
    const scale = this.scale();
    // In units of the map, so that nothing is carried over but the pointer.
    const x = camera.x + (px - size.width / 2) / scale;
    const y = camera.y - (py - size.height / 2) / scale;
    const isRight = px > size.width - 220;
    let [best, index] = [(GRASP_PX / scale) ** 2, -1];
    for (let i = 0; i < places.length; i += 2) {
      const d = (places[i]! - x) ** 2 + (places[i + 1]! - y) ** 2;
      if (d < best) [best, index] = [d, i / 2];
    }
    if (index >= 0) return { sort: 'point', index, x: px, y: py, isRight };
    best = (GRASP_PX / 2 / scale) ** 2;
    for (let e = 0; e < ends.length; e += 2) {
      const [a, b] = [2 * ends[e]!, 2 * ends[e + 1]!];
      const [dx, dy] = [places[b]! - places[a]!, places[b + 1]! - places[a + 1]!];
      const squared = dx * dx + dy * dy;
      const along = ((x - places[a]!) * dx + (y - places[a + 1]!) * dy) / (squared || 1);
      const t = Math.max(0, Math.min(1, along));
      const d = (x - places[a]! - t * dx) ** 2 + (y - places[a + 1]! - t * dy) ** 2;
      if (d < best) [best, index] = [d, e / 2];
    }
    return index < 0 ? undefined : { sort: 'line', index, x: px, y: py, isRight };
  }

  private listen(): void {
    const { canvas, pointers, ended } = this;
    const options = { signal: ended.signal };
    const place = (event: MouseEvent) => {
      const box = canvas.getBoundingClientRect();
      return { x: event.clientX - box.left, y: event.clientY - box.top };
    };
    canvas.addEventListener(
      'wheel',
      (event) => {
        event.preventDefault();
        const { x, y } = place(event);
        this.zoomAt(1.0015 ** Math.max(-300, Math.min(300, event.deltaY)), x, y);
      },
      { ...options, passive: false },
    );
    canvas.addEventListener(
      'pointerdown',
      (event) => {
        pointers.set(event.pointerId, place(event));
        this.hasMoved = pointers.size > 1;
        canvas.setPointerCapture(event.pointerId);
      },
      options,
    );
    canvas.addEventListener(
      'pointermove',
      (event) => {
        const now = place(event);
        const before = pointers.get(event.pointerId);
        if (!before) return this.listeners.onHover(this.find(now.x, now.y));
        if (!this.hasMoved && Math.hypot(now.x - before.x, now.y - before.y) < 4) return;
        this.hasMoved = true;
        this.listeners.onHover(undefined);
        const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
        const scale = this.scale();
        if (other) {
          const [was, is] = [before, now].map(({ x, y }) => Math.hypot(x - other.x, y - other.y));
          this.zoomAt(was! / Math.max(1, is!), (now.x + other.x) / 2, (now.y + other.y) / 2);
        } else {
          this.camera.x -= (now.x - before.x) / scale;
          this.camera.y += (now.y - before.y) / scale;
          this.isFitted = false;
          this.moved();
        }
        pointers.set(event.pointerId, now);
      },
      options,
    );
    const release = (event: PointerEvent) => pointers.delete(event.pointerId);
    canvas.addEventListener(
      'pointerup',
      (event) => {
        if (release(event) && !this.hasMoved) {
          const { x, y } = place(event);
          this.listeners.onSelect(this.find(x, y));
        }
      },
      options,
    );
    canvas.addEventListener('pointercancel', release, options);
    canvas.addEventListener('pointerleave', () => this.listeners.onHover(undefined), options);
    canvas.addEventListener(
      'dblclick',
      (event) => {
        const { x, y } = place(event);
        this.zoomAt(0.5, x, y);
      },
      options,
    );
  }
}

function bounded(ratio: number): number {
  return Math.max(NEAREST, Math.min(FARTHEST, ratio));
}

/** Draws a sign around a place. */
export function drawSign(
  ctx: CanvasRenderingContext2D,
  { kind }: Pick<DrawnSign, 'kind'>,
  { x, y }: { readonly x: number; readonly y: number },
  tones: Pick<MapLook, 'text' | 'panel'>,
): void {
  const r = SIGN_PX;
  ctx.strokeStyle = tones.text;
  ctx.fillStyle = tones.panel;
  ctx.lineWidth = 1.5;
  ctx.beginPath();
  if (kind === 'source') {
    ctx.rect(x - r - 1, y - r - 1, 2 * r + 2, 2 * r + 2);
    ctx.fillStyle = tones.text;
  } else if (kind === 'openSwitch' || kind === 'closedSwitch') {
    ctx.rect(x - r + 1, y - r + 1, 2 * r - 2, 2 * r - 2);
    if (kind === 'closedSwitch') ctx.fillStyle = tones.text;
  } else if (kind === 'regulator') {
    ctx.moveTo(x, y - r - 1);
    ctx.lineTo(x + r + 1, y);
    ctx.lineTo(x, y + r + 1);
    ctx.lineTo(x - r - 1, y);
    ctx.closePath();
  } else {
    ctx.moveTo(x - r, y + r - 1);
    ctx.lineTo(x, y - r);
    ctx.lineTo(x + r, y + r - 1);
    ctx.closePath();
  }
  ctx.fill();
  ctx.stroke();
}
