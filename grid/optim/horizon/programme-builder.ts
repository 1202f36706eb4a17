import { type QuadraticProgramme, TripletList } from '../../math/index.js';

/** A quadratic programme while it grows: variables with bounds and costs, rows with a value or a range. */
export class ProgrammeBuilder {
  private readonly hessian = new TripletList();
  private readonly equality = new TripletList();
  private readonly linear: number[] = [];
  private readonly lower: number[] = [];
  private readonly upper: number[] = [];
  private readonly values: number[] = [];

  /** Number of variables so far. */
  get variableCount(): number {
    return this.linear.length;
  }

  /** Adds a variable with cost `linear x + quadratic / 2 x^2`; returns its place. */
  variable(lower: number, upper: number, linear = 0, quadratic = 0): number {
    const at = this.linear.length;
    this.linear.push(linear);
    this.lower.push(lower);
    this.upper.push(upper);
    this.hessian.add(at, at, quadratic);
    return at;
  }

  /** Adds a row with a value; returns its place. */
  row(value: number): number {
    this.values.push(value);
    return this.values.length - 1;
  }

  /** Adds a row whose sum lies in a range; returns its place. */
  rangeRow(lower: number, upper: number): number {
    const at = this.row(0);
    this.equality.add(at, this.variable(lower, upper), -1);
    return at;
  }

  /** Adds `coefficient * variable` to a row. */
  entry(row: number, variable: number, coefficient: number): void {
    this.equality.add(row, variable, coefficient);
  }

  /** Adds to the cost of a variable `linear x + quadratic / 2 x^2`. */
  cost(variable: number, linear: number, quadratic = 0): void {
    this.linear[variable]! += linear;
    this.hessian.add(variable, variable, quadratic);
  }

  /** Bounds of a variable, to be narrowed. */
  bounds(variable: number): { readonly lower: number; readonly upper: number } {
    return { lower: this.lower[variable]!, upper: this.upper[variable]! };
  }

  setBounds(variable: number, lower: number, upper: number): void {
    this.lower[variable] = lower;
    this.upper[variable] = upper;
  }

  /** The programme as it stands. */
  programme(): QuadraticProgramme {
    const n = this.linear.length;
    return {
      hessian: this.hessian.toMatrix(n, n),
      linear: Float64Array.from(this.linear),
      equality: this.equality.toMatrix(this.values.length, n),
      equalityValue: Float64Array.from(this.values),
      lower: Float64Array.from(this.lower),
      upper: Float64Array.from(this.upper),
    };
  }
}
